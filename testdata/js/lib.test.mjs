import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import * as bytes from '../../static/js/lib/bytes.js';
import { WORDS } from '../../static/js/lib/words.js';
import { isAlias } from '../../static/js/crypto/keys.js';
import { padme } from '../../static/js/crypto/suite.js';
import * as root from '../../static/js/crypto/keys.js';
import { generatePassphrase } from '../../static/js/crypto/words.js';
import { passphraseStrength } from '../../static/js/crypto/strength.js';
import { hex } from './helpers.mjs';

test('b64u is what Node makes of it, both ways', () => {
  for (let length = 0; length < 70; length++) {
    const some = bytes.random(length);
    const text = Buffer.from(some).toString('base64url');
    assert.equal(bytes.b64u(some), text);
    assert.deepEqual(bytes.unb64u(text), some);
  }
});

test('unb64u refuses every second spelling', () => {
  for (const bad of ['A', 'AAAAA', 'AA==', 'AB', 'AAB', 'A+', 'A/', 'A A', 'AA\n', 'ÄA', 'A\u{1F600}', '=']) {
    assert.throws(() => bytes.unb64u(bad), RangeError, JSON.stringify(bad));
  }
});

test('integers are big-endian and refused when they do not fit', () => {
  assert.equal(hex(bytes.concat(bytes.u8(1), bytes.u16(0x0203), bytes.u32(0xfffefdfc), bytes.u64(2 ** 40))), '010203fffefdfc0000010000000000');
  for (const wrong of [-1, 256, 1.5, NaN]) assert.throws(() => bytes.u8(wrong), RangeError);
  for (const wrong of [-1, 65536]) assert.throws(() => bytes.u16(wrong), RangeError);
  for (const wrong of [-1, 2 ** 32]) assert.throws(() => bytes.u32(wrong), RangeError);
  for (const wrong of [-1, 2n ** 64n]) assert.throws(() => bytes.u64(wrong), RangeError);
});

test('a reader reads what was written, and nothing beyond', () => {
  const reader = new bytes.Reader(bytes.concat(bytes.u8(7), bytes.u16(8), bytes.u32(9), bytes.u64(10), bytes.lp(bytes.utf8('hé')), bytes.u8(0)));
  assert.deepEqual([reader.u8(), reader.u16(), reader.u32(), reader.u64(), bytes.fromUtf8(reader.lp())], [7, 8, 9, 10n, 'hé']);
  assert.throws(() => reader.end(), /1 bytes too many/);
  assert.throws(() => reader.u16(), /cut short/);
  assert.equal(reader.rest().length, 1);
  reader.end();
});

test('fromUtf8 refuses what is no UTF-8 and keeps a byte order mark', () => {
  assert.throws(() => bytes.fromUtf8(Uint8Array.of(0xc3, 0x28)));
  assert.equal(bytes.fromUtf8(bytes.utf8('\ufeffx')), '\ufeffx');
});

test('random fills long arrays to the end', () => {
  const long = bytes.random(200_000);
  assert.ok(long.subarray(199_900).some((byte) => byte !== 0));
});

test('equal and compare', () => {
  const [a, b] = [Uint8Array.of(1, 2), Uint8Array.of(1, 3)];
  assert.deepEqual([bytes.equal(a, b), bytes.equal(a, Uint8Array.of(1, 2)), bytes.equal(a, Uint8Array.of(1))], [false, true, false]);
  assert.ok(bytes.compare(a, b) < 0 && bytes.compare(b, a) > 0 && bytes.compare(a, Uint8Array.of(1)) > 0 && bytes.compare(a, a) === 0);
});

test('the word list is 1,024 words that nobody mixes up, the same for Go', async () => {
  assert.equal(WORDS.length, 1024);
  assert.equal(new Set(WORDS).size, 1024);
  const sorted = [...WORDS].sort();
  sorted.forEach((word, i) => {
    assert.match(word, /^[a-z]{3,8}$/);
    assert.ok(!sorted[i + 1]?.startsWith(word), `${word} begins ${sorted[i + 1]}`);
  });
  assert.deepEqual([...WORDS], sorted);
  assert.equal(await readFile(new URL('../../client/e2ee/words.txt', import.meta.url), 'utf8'), `${WORDS.join('\n')}\n`);
});

test('Padmé hides a length behind its leading bits', () => {
  for (const [length, padded] of [[0, 256], [256, 256], [257, 272], [272, 272], [273, 288], [1000, 1024], [1025, 1088], [2 ** 20 + 1, 2 ** 20 + 2 ** 15]]) {
    assert.equal(padme(length), padded, String(length));
  }
});

test('a generated passphrase has seven words of the list, and is called strong', () => {
  const words = generatePassphrase().split(' ');
  assert.equal(words.length, 7);
  for (const word of words) assert.ok(WORDS.includes(word));
  assert.notEqual(generatePassphrase(), generatePassphrase());
  assert.throws(() => generatePassphrase(6), RangeError);
});

test('passphrases that people choose are called weak', () => {
  for (const weak of ['', 'password', 'Passw0rd!', 'qwertyuiop', 'aaaaaaaaaaaaaaaaaaaaaaaa', '123456789012345678', 'iloveyou2024', 'John Smith 1984',
    'secret secret secret secret secret secret secret', 'correct horse battery staple', 'abcdefghijklmnopqrstuvwxyz']) {
    assert.ok(passphraseStrength(weak).weak, weak);
  }
  for (const strong of ['acorn snack mineral pattern echo salad fashion', 'v8Kq2-Zr5Tw-p9Ynd-7Hs3x-Lm4', 'fjsnvkqpxz wurtbegjk xoqpvnae mzhtuwb kdlqpiz yvnrg']) {
    assert.deepEqual([passphraseStrength(strong).weak, strong], [false, strong]);
  }
});

test('links: the fragment is the root, and nothing else is taken for one', () => {
  const secret = root.newLinkRoot();
  assert.deepEqual(bytes.parseFragment(root.linkFragment(secret)), secret);
  const text = bytes.b64u(secret);
  assert.deepEqual(bytes.parseFragment(text), secret);
  for (const bad of ['', '#', `#${text}=`, `#${text.slice(1)}`, `##${text}`, `#${text.slice(0, 42)}!`, `#${'A'.repeat(42)}B`]) assert.equal(bytes.parseFragment(bad), null, bad);
});

test('what is trimmed, folded and refused in passphrases and room names', async () => {
  const same = async (a, b) => assert.deepEqual(await root.passphraseInputs(...a), await root.passphraseInputs(...b));
  await same(['\u00a0\ufeff x y\u3000', ' KITCHEN\u205f'], ['x y', 'kitchen']);
  await same(['ﬁne', 'ΟΔΟΣ'], ['fine', 'οδος']);
  const password = async (p) => hex((await root.passphraseInputs(p, 'x')).password);
  assert.notEqual(await password('X'), await password('x'));
  assert.equal(await password('a\u0085'), hex(bytes.utf8('a\u0085')), 'U+0085 is not in the set');
  for (const empty of [['', 'x'], [' \ufeff', 'x'], ['x', '\t'], ['x', '']]) await assert.rejects(root.passphraseInputs(...empty), /is empty/);
  await assert.rejects(root.passphraseInputs('\ud800', 'x'), /half a character/);
});

test('aliases', () => {
  for (const good of ['A', 'ボブ 👋', 'x'.repeat(64)]) assert.ok(isAlias(good), good);
  for (const bad of ['', 'x'.repeat(65), 'é'.repeat(33), 'a\nb', 'a\u0085', '\u007f', '\ud800']) assert.ok(!isAlias(bad), JSON.stringify(bad));
});

test('a part of the page that does not come is asked for again', async () => {
  const cut = () => Promise.reject(new TypeError('Failed to fetch dynamically imported module'));
  let tries = 0;
  assert.equal(await bytes.part(() => (++tries < 3 ? cut() : Promise.resolve('here')), [0, 0]), 'here');
  tries = 0;
  await assert.rejects(bytes.part(() => (tries++, cut()), [0, 0]), TypeError);
  assert.equal(tries, 3);
  tries = 0;
  await assert.rejects(bytes.part(() => (tries++, Promise.reject(new SyntaxError('broken'))), [0, 0]), SyntaxError);
  assert.equal(tries, 1);
});
