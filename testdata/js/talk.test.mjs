// What members do to what was said: static/js/room/talk.js alone, then between sessions over the real relay.
import assert from 'node:assert/strict';
import test, { after, before, mock } from 'node:test';
import { mannersOf, secondsOf, Timeline } from '../../static/js/room/session.js';
import { Fuse, isEmoji, Talk } from '../../static/js/room/talk.js';
import { missing, Person, Relay, room } from './relay.mjs';

const head = (from, at = Date.now()) => ({ key: `k${from}`, from, alias: from.toUpperCase(), at });

function scene() {
  const told = [];
  const timed = [];
  let talk;
  const timeline = new Timeline((name, item) => {
    if (name === 'item') talk.settle(item);
    told.push(name);
  });
  talk = new Talk({ timeline, typed: () => told.push('typing'), timed: (ttl) => timed.push(ttl) });
  const text = (from, id, body) => timeline.add({ key: `${from} ${id}`, kind: 'text', from, alias: from, body });
  return { talk, timeline, told, timed, text };
}

test('an edit, a reaction and a delete by whoever may make them', () => {
  const { talk, text } = scene();
  const item = text('a', '1', 'helo');
  talk.hear(head('a'), { k: 'edit', of: 'a 1', body: 'hello' });
  assert.deepEqual([item.body, item.edited], ['hello', true]);
  talk.hear(head('b'), { k: 'react', of: 'a 1', emoji: '👍', on: true });
  talk.hear(head('b'), { k: 'react', of: 'a 1', emoji: '👍', on: true }); // once
  talk.hear(head('a'), { k: 'react', of: 'a 1', emoji: '👍', on: true });
  assert.deepEqual(item.reactions, [{ emoji: '👍', by: [{ id: 'b', alias: 'B' }, { id: 'a', alias: 'A' }] }]);
  talk.hear(head('b'), { k: 'react', of: 'a 1', emoji: '👍', on: false });
  talk.hear(head('a'), { k: 'react', of: 'a 1', emoji: '👍', on: false });
  assert.deepEqual(item.reactions, []);
  talk.hear(head('a'), { k: 'delete', of: 'a 1' });
  assert.deepEqual([item.gone, item.body], [true, '']);
  talk.hear(head('a'), { k: 'edit', of: 'a 1', body: 'again' });
  talk.hear(head('b'), { k: 'react', of: 'a 1', emoji: '👍', on: true });
  assert.deepEqual([item.gone, item.body, item.reactions], [true, '', undefined]);
});

test('nobody changes what another said, in time or before', () => {
  const { talk, text, told } = scene();
  talk.hear(head('b'), { k: 'delete', of: 'a 1' });
  talk.hear(head('b'), { k: 'edit', of: 'a 1', body: 'mine' });
  const item = text('a', '1', 'yours');
  talk.hear(head('b'), { k: 'delete', of: 'a 1' });
  talk.hear(head('b'), { k: 'edit', of: 'a 1', body: 'mine' });
  talk.hear(head('a 1'), { k: 'edit', of: 'a 1', body: 'mine' });
  assert.deepEqual([item.body, item.gone, told], ['yours', undefined, ['item']]);
});

test('what comes before its original is done to it when that comes', () => {
  const { talk, text } = scene();
  talk.hear(head('a'), { k: 'edit', of: 'a 1', body: 'first' });
  talk.hear(head('a'), { k: 'edit', of: 'a 1', body: 'second' });
  talk.hear(head('b'), { k: 'react', of: 'a 1', emoji: '🎉', on: true });
  talk.hear(head('a'), { k: 'delete', of: 'a 2' });
  const [one, two] = [text('a', '1', 'draft'), text('a', '2', 'regretted')];
  assert.deepEqual([one.body, one.edited, one.reactions[0].emoji], ['second', true, '🎉']);
  assert.deepEqual([two.body, two.gone], ['', true]);
});

test('sealed anew, the same changes in the same order change nothing more', () => {
  const { talk, text, told } = scene();
  const item = text('a', '1', 'one');
  const changes = [{ k: 'edit', of: 'a 1', body: 'two' }, { k: 'edit', of: 'a 1', body: 'three' }, { k: 'react', of: 'a 1', emoji: '👀', on: true }];
  for (const change of changes) talk.hear(head('a'), change);
  const before = structuredClone(item);
  text('a', '1', 'one');
  for (const change of changes.slice(1)) talk.hear(head('a'), change);
  assert.deepEqual(item, before);
  assert.deepEqual(told, ['item', 'update', 'update', 'update']);
});

test('nonsense neither throws nor grows without bound', () => {
  const { talk, text } = scene();
  const item = text('a', '1', 'x');
  const odd = [undefined, null, 7, '', 'a', 'a ', ' ', 'a 1 ', 'x'.repeat(10_000), {}, [], '__proto__', 'a __proto__'];
  for (const k of ['edit', 'delete', 'react', 'timer', 'typing', 'constructor']) {
    for (const value of odd) talk.hear(head('a'), { k, of: value, body: value, emoji: value, on: value, ttl: value });
  }
  for (const value of odd) talk.hear(head('a'), { k: 'react', of: 'a 1', emoji: value, on: true });
  for (let n = 0; n < 100; n++) talk.hear(head(`b${n % 10}`), { k: 'react', of: 'a 1', emoji: String.fromCodePoint(0x1f600 + n), on: true });
  for (let n = 0; n < 5000; n++) talk.hear(head('b'), { k: 'react', of: `a lost${n}`, emoji: '👍', on: true });
  assert.equal(item.body, 'x');
  assert.equal(item.reactions.length, 24);
  assert.equal(text('a', 'lost0', 'late').reactions, undefined, 'the oldest fell out');
  assert.equal(text('a', 'lost4999', 'late').reactions.length, 1);
});

test('one member cannot fill a message with emoji; what is there already takes everybody', () => {
  const { talk, text } = scene();
  const item = text('a', '1', 'x');
  const react = (from, emoji) => talk.hear(head(from), { k: 'react', of: 'a 1', emoji, on: true });
  for (let n = 0; n < 24; n++) react('b', String.fromCodePoint(0x1f600 + n));
  assert.equal(item.reactions.length, 6);
  react('c', '👍');
  react('b', '👍');
  assert.deepEqual(item.reactions.at(-1).by.map(({ id }) => id), ['c', 'b']);
  assert.deepEqual([talk.takes('a 1', 'b', '🎉'), talk.takes('a 1', 'b', '👍'), talk.takes('a 1', 'c', '🎉')], [false, true, true]);
});

test('what is an emoji, and what is a timer', () => {
  for (const good of ['👍', '❤️', '👩‍👩‍👧‍👦', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🇩🇪', '3️⃣', '👋🏽']) assert.ok(isEmoji(good), good);
  for (const bad of ['', 'a', '👍a', '👍 👍', '\u202e👍', '3', '👍'.repeat(20), null, 3, '\n👍']) assert.ok(!isEmoji(bad), String(bad));
  assert.deepEqual([0, 60, 604_800, -1, 1.5, 1e12, '60', null].map(secondsOf), [0, 60, 604_800, null, null, null, null, null]);
});

test('a timer that cannot be is none, wherever it comes with', () => {
  for (const ttl of [0, -1, 1.5, 1e15, '60', null, undefined]) assert.equal(mannersOf({ ttl }).ttl, undefined, String(ttl));
  assert.equal(mannersOf({ ttl: 60 }).ttl, 60);
});

test('who types stops by saying something, by time, or by saying so; what is old is no typing', () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  try {
    const { talk, text } = scene();
    talk.hear(head('a', 1_000_000), { k: 'typing', on: true });
    talk.hear(head('b', 1_000_000), { k: 'typing', on: true });
    talk.hear(head('c', 0), { k: 'typing', on: true });
    assert.deepEqual(talk.typing, ['a', 'b']);
    text('a', '1', 'said');
    assert.deepEqual(talk.typing, ['b']);
    mock.timers.tick(8100);
    assert.deepEqual(talk.typing, []);
    talk.hear(head('b'), { k: 'typing', on: true });
    talk.hear(head('b'), { k: 'typing', on: false });
    assert.deepEqual(talk.typing, []);
  } finally {
    mock.timers.reset();
  }
});

test('a fuse burns what is over, each in its time and also after a sleep', () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1000 });
  try {
    const items = [{ key: 'a', until: 2000 }, { key: 'b' }, { key: 'c', until: 9000 }, { key: 'd', until: 1e13 }];
    const ended = new AbortController();
    const burnt = [];
    const fuse = new Fuse(() => items.filter(({ key }) => !burnt.includes(key)), (keys) => burnt.push(...keys), ended.signal);
    fuse.look();
    assert.deepEqual(burnt, []);
    mock.timers.tick(1000);
    assert.deepEqual(burnt, ['a']);
    mock.timers.tick(60_000); // in a step: as a page that slept
    assert.deepEqual(burnt, ['a', 'c']);
    ended.abort();
    mock.timers.tick(1e13);
    assert.deepEqual(burnt, ['a', 'c']);
  } finally {
    mock.timers.reset();
  }
});

test('a timeline forgets without a trace, and what vanished does not come again', () => {
  const told = [];
  const timeline = new Timeline((name, detail) => told.push([name, detail]));
  for (const key of ['a', 'b', 'c']) timeline.add({ key, kind: 'text', body: key });
  timeline.remove(['a', 'c', 'x']);
  assert.deepEqual(timeline.items.map(({ key }) => key), ['b']);
  timeline.add({ key: 'a', kind: 'text', body: 'sealed anew' });
  timeline.remove(['x']);
  assert.deepEqual([timeline.items.length, told.map(([name]) => name)], [1, ['item', 'item', 'item', 'gone']]);
});

let relay;
before(async () => {
  if (!missing) relay = await Relay.start();
});
after(() => relay?.close());

/** @param {string} name @param {string[]} names @param {(people: Person[], more: {enter: (alias: string) => Promise<Person>}) => Promise<void>} play */
const among = (name, names, play) => test(name, { skip: missing, timeout: 120_000 }, async () => {
  const { root, people } = await room(relay, ...names);
  const all = [...people];
  try {
    await play(people, { enter: async (alias) => all[all.push(await Person.enter(relay, alias, root)) - 1] });
  } finally {
    await Promise.all(all.map((person) => person.leave()));
  }
});
const one = (person, body) => person.session.items.find((item) => item.body === body);

among('a message answered, changed, liked and taken back is so at everybody', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  const { key } = ann.say('helo');
  await ben.sees('helo');
  ben.session.send('yes?', { re: key });
  await cat.until('the answer', () => one(cat, 'yes?')?.re === key);
  await ann.session.edit(key, 'hello');
  await Promise.all([ben, cat].map((person) => person.until('the edit', () => one(person, 'hello')?.edited)));
  await ben.session.edit(key, 'not mine');
  await ben.session.react(key, '👍', true);
  await ann.until('the reaction', () => one(ann, 'hello')?.reactions?.[0]?.by[0].alias === 'Ben');
  await ann.session.erase(key);
  await Promise.all([ben, cat].map((person) => person.until('a tombstone', () => person.session.items.some(({ gone, body }) => gone && body === ''))));
  for (const person of [ann, ben, cat]) assert.deepEqual(person.troubles, []);
});

among('a newcomer hears of changes to what it never saw, and shows nothing', ['Ann', 'Ben'], async ([ann, ben], { enter }) => {
  const { key } = ann.say('before');
  await ben.sees('before');
  const cat = await enter('Cat');
  await ann.members('Ann', 'Ben', 'Cat');
  await ann.session.edit(key, 'before, changed');
  await ben.session.react(key, '👍', true);
  await ann.session.erase(key);
  ann.say('after');
  await cat.sees('after');
  assert.deepEqual(cat.troubles, []);
});

among('a timer is told to all, learnt by who comes later, and burns what was read', ['Ann', 'Ben'], async ([ann, ben], { enter }) => {
  await ann.session.setTimer(1);
  await ben.until('the timer', () => ben.session.timer === 1);
  const cat = await enter('Cat');
  await cat.until('the timer', () => cat.session.timer === 1);
  const item = cat.say('soon gone');
  await ben.sees('soon gone');
  assert.equal(one(ben, 'soon gone').until, undefined, 'it was not read yet');
  await cat.until('its own to vanish', () => !cat.texts.length);
  assert.deepEqual(ben.texts, ['soon gone']);
  ben.session.read([item.key]);
  await ben.until('what was read to vanish', () => !ben.texts.length);
  await ann.session.setTimer(0);
  await ben.until('no timer', () => ben.session.timer === 0);
  assert.deepEqual(ben.session.items.filter(({ event }) => event === 'timer').map(({ count, alias }) => [count, alias]), [[1, 'Ann'], [0, 'Ann']]);
});

among('who lacks a message is known by name, until nobody does', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  ann.say('first');
  await Promise.all([ben.sees('first'), cat.sees('first')]);
  const release = cat.gate.hold('stream', 'answer');
  const hold = cat.gate.hold('ack', 'request');
  const item = ann.say('second');
  await ben.sees('first', 'second');
  let lack = [];
  // Ben's ack is on its way.
  for (let tries = 0; tries < 100 && lack?.join() !== 'Cat'; tries++) lack = await ann.session.missing(item.key);
  assert.deepEqual(lack, ['Cat']);
  release();
  hold();
  await ann.until('that everybody has it', () => item.state === 'all');
  assert.deepEqual(await ann.session.missing(item.key), []);
});

among('what was not sent yet is taken back without a trace', ['Ann', 'Ben'], async ([ann, ben]) => {
  ann.say('one');
  await ben.sees('one');
  const release = ann.gate.hold('messages', 'request');
  ann.say('two');
  await release.held;
  const { key } = ann.say('three');
  await ann.session.erase(key);
  assert.deepEqual(ann.texts, ['one', 'two']);
  ann.say('four');
  release();
  await ben.sees('one', 'two', 'four');
});

among('an emoji too many under a message is refused, and never sent', ['Ann', 'Ben'], async ([ann, ben]) => {
  const { key } = ann.say('one');
  await ben.sees('one');
  const faces = Array.from({ length: 7 }, (_, n) => String.fromCodePoint(0x1f600 + n));
  for (const face of faces.slice(0, 6)) await ben.session.react(key, face, true);
  await assert.rejects(ben.session.react(key, faces[6], true), /No more emoji/);
  await ben.session.react(key, faces[5], false);
  await ben.session.react(key, faces[6], true);
  await ann.until('the last one', () => one(ann, 'one').reactions?.at(-1)?.emoji === faces[6]);
  assert.deepEqual(one(ann, 'one').reactions.map(({ emoji }) => emoji), faces.toSpliced(5, 1));
});

among('typing shows, and ends with what was typed', ['Ann', 'Ben'], async ([ann, ben]) => {
  ann.session.types(true);
  await ben.until('that Ann types', () => ben.session.typing.join() === 'Ann');
  ann.say('this');
  await ben.until('that she has stopped', () => ben.session.typing.length === 0 && ben.texts.length === 1);
  assert.deepEqual(ann.session.typing, []);
});

among('a relay that dies between a message and its change: both are made again', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  const release = cat.gate.hold('stream', 'answer');
  const { key } = ann.say('draft');
  await ben.sees('draft');
  await ann.session.edit(key, 'final');
  await ben.until('the edit', () => one(ben, 'final'));
  await relay.kill();
  await relay.restart();
  release();
  await cat.until('the edited message', () => one(cat, 'final')?.edited);
  for (const person of [ann, ben, cat]) assert.equal(person.texts.length, 1);
});

test('a kept room comes back with what was changed before it was sent', { skip: missing }, async () => {
  const [ann, ben] = (await room(relay, 'Ann', 'Ben')).people;
  try {
    const release = ann.gate.hold('messages', 'request');
    ann.say('one');
    await release.held;
    const { key } = ann.say('draft');
    await ann.session.edit(key, 'final');
    const { session } = ann;
    const state = structuredClone(await session.state());
    await session.close({ handOver: true });
    release();
    const { Session } = await import('../../static/js/room/session.js');
    ann.session = await Session.open({ root: state.root, alias: 'Ann', origin: ann.gate.origin }, { state, items: [], files: [] });
    assert.deepEqual(ann.texts, ['one', 'final']);
    await ben.until('both', () => JSON.stringify(ben.texts) === '["one","final"]');
  } finally {
    await Promise.all([ann, ben].map((person) => person.leave()));
  }
});

