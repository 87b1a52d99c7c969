import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { MARKS, parse, shownAs } from '../../static/js/lib/markdown.js';

/** The tree as short text: what a reader would see, with the spans named. */
const inline = (c) => c.map((n) => (typeof n === 'string' ? n : n.t === 'code' ? `<code ${n.text}>` : n.t === 'a' ? `<a ${n.url} ${n.text}>` : `<${n.t} ${inline(n.c)}>`)).join('');
const block = (b) => (b.t === 'p' ? inline(b.c) : b.t === 'pre' ? `{pre ${b.lang}|${b.text}}` : b.t === 'quote' ? `{quote ${b.c.map(block).join(' / ')}}` : `{list ${b.start}| ${b.items.map(({ depth, number, c }) => `${depth}:${number === null ? '' : `${number}. `}${inline(c)}`).join(' | ')}}`);
const shown = (text) => parse(text).map(block).join(' / ');

for (const [text, want] of [
  ['plain', 'plain'],
  ['two\nlines\n\nand a gap', 'two\nlines\n\nand a gap'],
  ['**bold** and *italic* and _so_ and __bold__ and ~~gone~~', '<b bold> and <i italic> and <i so> and <b bold> and <s gone>'],
  ['**bold *both* bold**', '<b bold <i both> bold>'],
  ['*a **b** c*', '<i a <b b> c>'],
  ['||who did it||', '<spoiler who did it>'],
  ['snake_case_name and 2*3*4 and 2 * 3 * 4', 'snake_case_name and 2*3*4 and 2 * 3 * 4'],
  ['**open', '**open'], ['*a **b*', '<i a **b>'], ['****', '****'], ['** **', '** **'], ['a || b || c', 'a || b || c'],
  ['__init__.py', '<b init>.py'], ['foo__bar__baz', 'foo__bar__baz'],
  ['`code *not*` and ``a ` b``', '<code code *not*> and <code a ` b>'],
  ['`open', '`open'], ['`` ` ``', '<code `>'], ['````x````', '````x````'],
  ['\\*not\\* \\a', '*not* \\a'],
  ['\\*not so\\* \\_\\_x\\_\\_ \\`y\\` (\\~) \\[a\\](https://b.c)', '*not so* __x__ `y` (~) [a](<a https://b.c/ https://b.c>)'],
  ['\\> no quote\n\\- no item\n\\+ none', '> no quote\n- no item\n+ none'],
  ...['\\\\server\\freigabe', '\\\\server\\_x_\\y', 'C:\\_alt\\*.txt', 'C:\\_a_\\b', 'D:\\Fotos\\[2024]', '¯\\_(ツ)_/¯', 'a\\b \\. \\( \\# \\\\', 'x \\> y'].map((typed) => [typed, typed]),
  ['1. a\n3. c\n7. g', '{list 1| 0:1. a | 0:3. c | 0:7. g}'],
  ['1. a\n  - b\n2. c', '{list 1| 0:1. a | 1:b | 0:2. c}'],
  ['```js\nlet a = 1;\n\n**b**\n```\nafter', '{pre js|let a = 1;\n\n**b**} / after'],
  ['```\nopen\n- x', '```\nopen / {list null| 0:x}'],
  ['> one\n> **two**\nthree', '{quote one\n<b two>} / three'],
  ['> a\n>> b', '{quote a / {quote b}}'],
  ['- one\n- *two*\n  - three', '{list null| 0:one | 0:<i two> | 1:three}'],
  ['3. c\n4. d', '{list 3| 0:3. c | 0:4. d}'],
  ['-not a list, -1 neither', '-not a list, -1 neither'],
  ['see https://example.org/a_b_c?d=*e*.', 'see <a https://example.org/a_b_c?d=*e https://example.org/a_b_c?d=*e>*.'],
  ['(https://example.org/x_(y))', '(<a https://example.org/x_(y) https://example.org/x_(y)>)'],
  ['**https://example.org**', '<b <a https://example.org/ https://example.org>>'],
  ['[the site](https://example.org/a(b)c) x', '<a https://example.org/a(b)c the site> x'],
  ['mailto:ann@example.org', '<a mailto:ann@example.org mailto:ann@example.org>'],
  ['[x](javascript:alert(1)) [y](data:text/html,a) [z]( https://a.b)', '[x](javascript:alert(1)) [y](data:text/html,a) [z]( <a https://a.b/ https://a.b>)'],
  ['javascript:alert(1) file:///etc/passwd ftp://x xhttp://y.z', 'javascript:alert(1) file:///etc/passwd ftp://x xhttp://y.z'],
  ['https://example.org@evil.example/', 'https://example.org@evil.example/'],
  ['![pic](https://example.org/a.png)', '!<a https://example.org/a.png pic>'],
  ['<b>not html</b> &amp;', '<b>not html</b> &amp;'],
  ['', ''], ['\n\n', ''],
]) {
  test(`markdown: ${JSON.stringify(text)}`, () => assert.equal(shown(text), want));
}

test('an address that looks like another one is shown as it really is', () => {
  const urlOf = (typed) => parse(typed)[0].c.find((n) => n.t === 'a').url;
  for (const [typed, want] of [
    ['https://example.org/ok', 'https://example.org/ok'],
    ['https://пример.example/x', 'https://xn--e1afmkfd.example/x'],
    ['https://exаmple.org/', 'https://xn--exmple-4nf.org/'], // a Cyrillic а
    ['https://example.org/grüße', 'https://example.org/grüße'],
    ['https://example.org/\u202egnp.exe', 'https://example.org/%E2%80%AEgnp.exe'],
  ]) assert.equal(shownAs(urlOf(typed), typed), want);
});

test('the page knows by the same signs when there is nothing to read here', async () => {
  const room = await readFile(new URL('../../static/js/ui/room.js', import.meta.url), 'utf8');
  assert.ok(room.includes(`const MARKS = ${MARKS};`), 'ui/room.js has other MARKS');
  for (const plain of ['Is anybody here?', "I'm in: room 4, at 10:30 (yes!)", 'a-b 3.5 <x> & "y"']) assert.ok(!MARKS.test(plain), plain);
});

/** All the text of a tree, in order. */
const textOf = (n) => (typeof n === 'string' ? n : Array.isArray(n) ? n.map(textOf).join('') : textOf(n.text ?? n.c ?? n.items));
const depthOf = (n) => (Array.isArray(n) ? Math.max(0, ...n.map(depthOf)) : typeof n === 'string' ? 0 : 1 + depthOf(n.c ?? n.items ?? []));

test('any text is read without a throw, in bounded depth, and nothing of it but signs is lost', () => {
  let seed = 7;
  const random = (n) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % n;
  const parts = ['*', '**', '_', '__', '~~', '||', '`', '```', '```\n', '\n', '> ', '- ', '1. ', '[', '](', ')', 'https://a.b/', 'mailto:', ' ', 'x', 'word', '\\', '\u202e', '😀', '\ud83d', '<', '\t', '\0'];
  for (let n = 0; n < 20_000; n++) {
    const text = Array.from({ length: random(24) }, () => parts[random(parts.length)]).join('');
    const tree = parse(text);
    assert.ok(depthOf(tree) <= 16, text);
    const letters = (s) => s.replace(/[^a-z😀]/gu, '');
    assert.ok(letters(textOf(tree)).length <= letters(text).length, JSON.stringify(text));
    for (const word of ['word', '😀']) assert.equal(textOf(tree).includes(word) || !text.includes(word) || text.includes(`](`), true, JSON.stringify(text));
  }
});

// By the processor's time, which is the same beside whatever else runs here; each character looked at for each other one would take minutes.
test('no text takes a time that grows with its square', () => {
  const evil = ['*', '**', '_ ', '*a ', '`', '``a`', '[', '[a](', '[](', '> ', '>', '- ', '- x\n', '```\n', '```x\n', '\\', '||a', 'https://', 'https://a.b/(', 'h', '~~a~~', '*a**b*', '\n', ' \n', '](https://a.b', '`` ` ', 'm'];
  for (const part of evil) {
    const text = part.repeat(Math.ceil(200_000 / part.length));
    const before = process.cpuUsage();
    parse(text);
    const took = process.cpuUsage(before).user / 1000;
    assert.ok(took < 5000, `200,000 characters of ${JSON.stringify(part)} took ${Math.round(took)} ms`);
  }
});
