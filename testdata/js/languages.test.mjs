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

/** What the layers below and the relay may tell a person, as the tables have it: # for a number. */
async function reasons() {
  const read = async (path) => readFile(new URL(path, root), 'utf8');
  const found = new Set();
  const add = (text) => found.add(text.replace(/\\'/g, "'").replace(/\$\{[^}]*\}/g, '#').replace(/\d+/g, '#'));
  const relay = await read('static/js/net/relay.js');
  for (const [, , text] of relay.slice(relay.indexOf('function hint'), relay.indexOf('// One HTTP request')).matchAll(/return (['`])((?:(?!\1).)+)\1/g)) add(text);
  for (const [, , text] of relay.matchAll(/return (")([^"]+)"/g)) add(text);
  for (const file of ['net/relay', 'net/transport', 'room/connection', 'room/asker', 'room/session', 'room/shared', 'room/mirror', 'room/vault', 'room/places', 'crypto/file']) {
    for (const [, , text] of (await read(`static/js/${file}.js`)).matchAll(/(?:new (?:Network)?Error|super)\((['"`])((?:(?!\1).)+)\1/g)) add(text);
  }
  const ladder = await read('static/js/net/ladder.js');
  for (const [, text] of ladder.matchAll(/(?:reason: |#settle\([^,]+, |#pullFailed\('\w+', |: )'([a-z][a-z ]{8,})'/g)) if (text.includes(' ')) add(text); // the others are states
  const session = await read('static/js/room/session.js');
  const table = session.slice(session.indexOf('const REASONS'));
  for (const [, text] of table.slice(0, table.indexOf('};')).matchAll(/: '([^']+)'/g)) add(text);
  const strength = await read('static/js/crypto/strength.js');
  for (const [, text] of strength.slice(strength.indexOf('function reason')).matchAll(/return '([^']+)'/g)) add(text);
  return [...found];
}

test('what the layers below say has a translation', async () => {
  const all = await reasons();
  assert(all.length >= 40, `only ${all.length} were found`);
  for (const name of others) {
    assert.deepEqual(all.filter((text) => texts[name].reasons[text] === undefined), [], `${name} lacks`);
    for (const [key, text] of Object.entries(texts[name].reasons)) {
      assert.equal(text.split('#').length, key.split('#').length, `${name}: ${key} has other numbers`);
      assert.notEqual(text, key);
    }
  }
  for (const name of others) assert.deepEqual(Object.keys(texts[name].reasons).sort(), Object.keys(texts.de.reasons).sort(), name);
});
