import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import test from 'node:test';

const root = new URL('../../', import.meta.url);
const folder = new URL('static/js/ui/lang/', root);
const names = (await readdir(folder)).map((file) => file.replace('.js', ''));
const texts = Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await import(new URL(`${name}.js`, folder))).default])));
const others = names.filter((name) => name !== 'en');

/** Each text of a language by its path, with what it is. */
function* leaves(object, path = '') {
  for (const [key, value] of Object.entries(object)) {
    if (path === '' && key === 'reasons') continue; // compared below
    if (typeof value === 'object') yield* leaves(value, `${path}${key}.`);
    else yield [path + key, value];
  }
}

test('every language has every text in the same shape', () => {
  assert.deepEqual(names.sort(), ['de', 'en', 'ja', 'zh']);
  const want = new Map(leaves(texts.en));
  for (const name of others) {
    const have = new Map(leaves(texts[name]));
    assert.deepEqual([...want.keys()].filter((key) => !have.has(key)), [], `${name} lacks`);
    assert.deepEqual([...have.keys()].filter((key) => !want.has(key)), [], `${name} has what English has not`);
    for (const [key, value] of want) {
      assert.equal(typeof have.get(key), typeof value, `${name}: ${key}`);
      if (typeof value === 'function') assert.equal(have.get(key).length, value.length, `${name}: ${key} takes another number of values`);
      else assert.notEqual(have.get(key).trim(), '', `${name}: ${key} is empty`);
    }
  }
});

// Words that are the same in German, and what is a name everywhere.
const SAME = new Set(['dir', 'colon', 'noticeTitle', 'title', 'link', 'inviteLink', 'passphrase', 'terminal', 'status.live', 'status.offline', 'checkRow.relay', 'checkRow.stream', 'size', 'checkLive', 'files.far']);

/** What a text says: functions are asked with made-up values. */
const given = (value) => (/\blist\(/.test(value) ? [['X', 'Y']] : /\d|ms|bytes|\bn\b|kib|gone/.test(value) ? [7, 9] : ['X', 'Y']);
const said = (value) => (typeof value === 'function' ? value(...given(String(value))) : value);

test('no English is left', () => {
  const english = new Map(leaves(texts.en));
  for (const name of others) {
    for (const [key, value] of leaves(texts[name])) {
      if (SAME.has(key) || key === 'checkWatched') continue;
      assert.notEqual(said(value), said(english.get(key)), `${name}: ${key}`);
    }
    if (name === 'de') continue;
    for (const [key, value] of leaves(texts[name])) {
      if (SAME.has(key) || key === 'checkWatched') continue;
      assert.match(said(value), /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u, `${name}: ${key}`);
    }
  }
});

/** What no person gets to read: mistakes of a programmer, and what ends one's own request. */
const UNSEEN = new Set(['There is no encryption called ${enc} here.', 'A passphrase needs at least 7 words.', 'You went away from the door.']);

/** Sentences among the literals of a module, wherever they stand. What is put in behind a colon is somebody else's. */
function* sentences(source) {
  for (const line of source.split('\n')) {
    if (/^\s*(\/\*|\*|\/\/)/.test(line)) continue;
    for (const [, , text] of line.replace(/\s\/\/ .*/, '').matchAll(/(['"`])((?:\\.|(?!\1).)*)\1/g)) {
      if (/^[A-Z].* .*[.!?]$/.test(text) && !UNSEEN.has(text)) yield text.replace(/: \$\{[^}]*\}\.$/, '');
    }
  }
}

/** What the layers below and the relay may tell a person, as the tables have it: # for a number. */
async function reasons() {
  const read = async (path) => readFile(new URL(path, root), 'utf8');
  const found = new Set();
  const add = (text) => found.add(text.replace(/\\'/g, "'").replace(/\$\{[^}]*\}/g, '#').replace(/\d+/g, '#'));
  const relay = await read('static/js/net/relay.js');
  for (const [, , text] of relay.slice(relay.indexOf('function hint'), relay.indexOf('// One HTTP request')).matchAll(/return (['`])((?:(?!\1).)+)\1/g)) add(text);
  for (const [, , text] of relay.matchAll(/return (")([^"]+)"/g)) add(text);
  for (const [, , text] of relay.matchAll(/hint: (')([^']+)'/g)) add(text);
  for (const layer of ['room', 'net', 'crypto']) {
    for (const file of await readdir(new URL(`static/js/${layer}/`, root))) {
      const source = await read(`static/js/${layer}/${file}`);
      for (const text of sentences(source)) add(text);
      for (const [, , text] of source.matchAll(/(?:new (?:Network)?Error|super)\((['"`])((?:(?!\1).)+)\1/g)) if (!UNSEEN.has(text)) add(text);
    }
  }
  const ladder = await read('static/js/net/ladder.js');
  for (const [, text] of ladder.matchAll(/(?:reason: |#settle\([^,]+, |#pullFailed\('\w+', |: )'([a-z][a-z ]{8,})'/g)) if (text.includes(' ')) add(text); // the others are states
  const strength = await read('static/js/crypto/strength.js');
  for (const [, text] of strength.slice(strength.indexOf('function reason')).matchAll(/return '([^']+)'/g)) add(text);
  return [...found];
}

/** Whether a table has a text, whole or before and after its colon, as told() looks for it. */
function has(table, text) {
  if (table[text] !== undefined) return true;
  const [head, ...tail] = text.split(': ');
  return tail.length > 0 && table[head] !== undefined && has(table, tail.join(': '));
}

test('what the layers below say has a translation', async () => {
  const all = await reasons();
  assert(all.length >= 40, `only ${all.length} were found`);
  for (const name of others) {
    assert.deepEqual(all.filter((text) => !has(texts[name].reasons, text)), [], `${name} lacks`);
    for (const [key, text] of Object.entries(texts[name].reasons)) {
      assert.doesNotMatch(key, /\d/, 'a number is # there');
      assert.equal(text.split('#').length, key.split('#').length, `${name}: ${key} has other numbers`);
      assert.notEqual(text, key);
    }
  }
  for (const name of others) assert.deepEqual(Object.keys(texts[name].reasons).sort(), Object.keys(texts.de.reasons).sort(), name);
});
