// Sessions of static/js/room against the real relay, each person behind a gate that can hold requests and answers up, so that what happens at
// the same time happens in the order that hurts.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { Session } from '../../static/js/room/session.js';
import { missing, Person, Relay, room } from './relay.mjs';

const skip = missing;
let relay;
before(async () => {
  if (!missing) relay = await Relay.start();
});
after(() => relay?.close());

/** Runs a test with people in a room, who all leave at its end. */
function scene(name, names, play) {
  test(name, { skip, timeout: 120_000 }, async () => {
    const { root, people } = await room(relay, ...names);
    const all = [...people];
    try {
      await play(people, { root, enter: async (alias, at = root) => all[all.push(await Person.enter(relay, alias, at)) - 1] });
    } finally {
      await Promise.all(all.map((person) => person.leave()));
    }
  });
}

const together = (...people) => assert.equal(new Set(people.map(({ session }) => session.roomId)).size, 1, 'they are in different rooms');
const untroubled = (...people) => assert.deepEqual(people.flatMap(({ troubles }) => troubles), []);
const moved = (person, link) => person.until('another room', () => person.session.link.split('#')[1] !== link.split('#')[1]);

scene('a conversation of three through coming and going', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat], { enter }) => {
  ann.say('one');
  await Promise.all([ben.sees('one'), cat.sees('one')]);
  ben.say('two');
  await Promise.all([ann.sees('one', 'two'), cat.sees('one', 'two')]);
  await cat.session.leave();
  await Promise.all([ann.members('Ann', 'Ben'), ben.members('Ann', 'Ben')]);
  ann.say('three');
  await ben.sees('one', 'two', 'three');
  const dan = await enter('Dan');
  await Promise.all([ann.members('Ann', 'Ben', 'Dan'), dan.members('Ann', 'Ben', 'Dan')]);
  ben.say('four');
  await Promise.all([ann.sees('one', 'two', 'three', 'four'), dan.sees('four')]);
  untroubled(ann, ben, dan);
});

scene('a removal: the others go on together, what the old room still says reaches nobody', ['Ann', 'Ben', 'Cat', 'Dan'], async ([ann, ben, cat, dan]) => {
  const { link } = ann.session;
  let by;
  cat.session.addEventListener('removed', ({ detail }) => (by = detail.by));
  await ann.session.remove(cat.id);
  await Promise.all([ben, dan].map((person) => moved(person, link)));
  together(ann, ben, dan);
  await Promise.all([ann, ben, dan].map((person) => person.members('Ann', 'Ben', 'Dan')));
  await cat.until('that it was removed', () => by === 'Ann');
  for (const [i, who] of [ann, ben, dan].entries()) who.say(`m${i}`);
  await Promise.all([ann, ben, dan].map((person) => person.until('all three', () => person.texts.length === 3)));
  assert.deepEqual(cat.texts, []);
  for (const { session } of [ann, ben, dan]) {
    const [move] = session.items.filter(({ event }) => event === 'moved');
    assert.deepEqual([move.own, move.body], [session === ann.session, 'Cat']);
    assert.deepEqual(session.items.filter(({ event }) => event === 'left'), []); // everybody leaves the old room
  }
  untroubled(ann, ben, dan);
});

for (const late of ['answer', 'request']) {
  scene(`two removals at once, the ${late} of one held up: all follow the first of the log`, ['Ann', 'Ben', 'Cat', 'Dan'], async ([ann, ben, cat, dan]) => {
    const release = ann.gate.hold('messages', late);
    const first = ann.session.remove(cat.id);
    await release.held;
    // With its answer held the move lies in the log; with its request held it is not there yet.
    const second = ben.session.remove(dan.id);
    const winner = late === 'answer' ? cat : dan;
    await winner.until('that it was removed', () => winner.session.items.some(({ event }) => event === 'removed'));
    release();
    await Promise.all([first, second]);
    const stay = [ann, ben, cat, dan].filter((person) => person !== winner);
    await Promise.all(stay.map((person) => person.members(...stay.map(({ session }) => session.alias))));
    together(...stay);
    ann.say('all here?');
    await Promise.all(stay.map((person) => person.sees('all here?')));
    untroubled(...stay);
  });
}

scene('a removal while others are removed by the second of two: the removed one is told once, by the first', ['Ann', 'Ben'], async ([ann, ben]) => {
  // They remove each other; the relay's order decides.
  const outcomes = await Promise.allSettled([ann.session.remove(ben.id), ben.session.remove(ann.id)]);
  const out = [ann, ben].filter(({ session }) => session.items.some(({ event }) => event === 'removed'));
  await Promise.race([ann, ben].map((person) => person.until('that it was removed', () => person.session.items.some(({ event }) => event === 'removed'))));
  assert.equal(out.length <= 1, true, 'both were removed');
  assert.equal(outcomes.some(({ status }) => status === 'fulfilled'), true);
});

scene('what is said behind a move, before its sender knew of it, is not lost', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  const release = ben.gate.hold('stream', 'answer');
  await ann.session.remove(cat.id);
  const item = ben.say('said to the old room');
  await ben.until('an answer to it', () => item.state === 'sent');
  assert.deepEqual(ann.texts, []);
  release();
  await ann.sees('said to the old room');
  await Promise.all([ann, ben].map((person) => person.members('Ann', 'Ben')));
  together(ann, ben);
  ann.say('and the next');
  await ben.sees('said to the old room', 'and the next');
  untroubled(ann, ben);
});

scene('who reads a move late has all that was said before and since, and the ticks say so', ['Ann', 'Ben', 'Cat', 'Dan'], async ([ann, ben, cat, dan]) => {
  const held = [dan.gate.hold('stream', 'answer'), dan.gate.hold('poll', 'answer')];
  const before = ann.say('before');
  await ben.sees('before');
  const { link } = ann.session;
  await ann.session.remove(cat.id);
  await moved(ben, link);
  const since = ann.say('since');
  await ben.sees('before', 'since');
  assert.deepEqual([before.state, since.state, ann.names], ['sent', 'sent', ['Ann', 'Ben', 'Dan']]);
  for (const release of held) release();
  await dan.sees('before', 'since');
  await ann.until('that all have both', () => before.state === 'all' && since.state === 'all');
  untroubled(ann, ben, dan);
});

scene('who reads a move late, with something to say, has what was said in the new room all the same', ['Ann', 'Ben', 'Cat', 'Dan'], async ([ann, ben, cat, dan]) => {
  const held = [dan.gate.hold('stream', 'answer'), dan.gate.hold('poll', 'answer'), dan.gate.hold('messages', 'request')];
  dan.say('mine');
  const { link } = ann.session;
  await ann.session.remove(cat.id);
  await moved(ben, link);
  ann.say('since');
  await ben.sees('since');
  for (const release of held) release();
  await dan.until('what Ann said', () => dan.texts.includes('since')); // a poll before the first words said that all of this had been handled
  await Promise.all([ann, ben].map((person) => person.until('what Dan said', () => person.texts.includes('mine'))));
  untroubled(ann, ben, dan);
});

scene('two removals while somebody reads nothing: it comes to the last room', ['Ann', 'Ben', 'Cat', 'Dan'], async ([ann, ben, cat, dan]) => {
  const held = [dan.gate.hold('stream', 'answer'), dan.gate.hold('poll', 'answer')];
  const { link } = ann.session;
  await ann.session.remove(cat.id);
  await moved(ben, link);
  await ann.members('Ann', 'Ben', 'Dan');
  await ann.session.remove(ben.id);
  ann.say('just us');
  for (const release of held) release();
  await dan.sees('just us');
  together(ann, dan);
  untroubled(ann, dan);
});

scene('two timers at once: the later in the log counts for all', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  for (const person of [ann, ben]) person.say('hello'); // and so the next posts are the timers
  await Promise.all([ann, ben, cat].map((person) => person.until('both', () => person.texts.length === 2)));
  const release = ann.gate.hold('messages', 'request');
  await ann.session.setTimer(86_400);
  await release.held;
  await ben.session.setTimer(172_800);
  await cat.until('the timer of Ben', () => cat.session.timer === 172_800);
  await ann.until('the timer of Ben', () => ann.session.timer === 172_800);
  release();
  await Promise.all([ann, ben, cat].map((person) => person.until('the timer of Ann', () => person.session.timer === 86_400)));
  await ann.until('a new line', () => ann.session.timer === 86_400);
});

scene('who leaves when the relay has just been restarted is gone for all', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  const held = ['join', 'stream', 'poll'].map((path) => cat.gate.hold(path, 'request'));
  await relay.kill();
  await relay.restart();
  ann.say('back');
  await ben.sees('back'); // so both are
  const left = cat.session.leave();
  for (const release of held) release();
  await left;
  await Promise.all([ann, ben].map((person) => person.members('Ann', 'Ben')));
});

scene('who leaves before anybody else is back at a restarted relay is gone for all', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  const held = [ann, ben].map((person) => person.gate.hold('join', 'request'));
  await relay.kill();
  await relay.restart();
  await cat.session.leave();
  for (const release of held) release();
  ann.say('back');
  await ben.sees('back');
  await Promise.all([ann, ben].map((person) => person.members('Ann', 'Ben')));
});

scene('who leaves in a new tab, before the relay has answered it, is gone for all', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat], { root }) => {
  await relay.kill();
  const state = await cat.session.state();
  await cat.session.close({ handOver: true });
  cat.session = await Session.open({ root, alias: 'Cat', origin: cat.gate.origin }, { state, items: [], files: [] });
  const release = cat.gate.hold('join', 'answer');
  await relay.restart();
  await release.held; // the relay has Cat
  const left = cat.session.leave();
  release();
  await left;
  ann.say('back');
  await ben.sees('back');
  await Promise.all([ann, ben].map((person) => person.members('Ann', 'Ben')));
});

scene('where a member stands is never told from the midst of a message', ['Ann', 'Ben'], async ([ann, ben]) => {
  ben.say('hello');
  await ann.sees('hello');
  const at = ({ group, cursor }) => ({ cursor, next: group.members[0].chains.at(-1).next, on: group.lock.on });
  const states = [at(await ann.session.state())];
  await ben.session.lock(true);
  while (!states.at(-1).on) {
    await new Promise((go) => setImmediate(go));
    states.push(at(await ann.session.state()));
  }
  const half = states.filter(({ next, on, cursor }) => (next > states[0].next) !== on || (cursor !== states[0].cursor) !== on);
  assert.deepEqual(half, []);
});

scene('what was said before a move, but answered after it, is not said twice', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  ben.say('hello'); // and so everybody has his keys: the next post is a message
  await ann.sees('hello');
  const release = ben.gate.hold('messages', 'answer');
  const { link } = ben.session;
  ben.say('just in time');
  await ann.sees('hello', 'just in time');
  await ann.session.remove(cat.id);
  await moved(ben, link);
  release();
  ben.say('after');
  await ann.sees('hello', 'just in time', 'after');
  await ben.sees('hello', 'just in time', 'after');
  untroubled(ann, ben);
});

scene('a message sealed while a newcomer arrives is one that the newcomer can read', ['Ann', 'Ben'], async ([ann, ben], { enter }) => {
  const release = ann.gate.hold('messages', 'request');
  ann.say('hello all');
  await release.held;
  const dan = await enter('Dan');
  await ann.members('Ann', 'Ben', 'Dan');
  release();
  await Promise.all([ben.sees('hello all'), dan.sees('hello all')]);
  untroubled(ann, ben, dan);
});

scene('ticks do not wait for an answer that is slower than the acks', ['Ann', 'Ben'], async ([ann, ben]) => {
  ann.say('hello');
  await ben.sees('hello');
  const release = ann.gate.hold('messages', 'answer');
  const item = ann.say('quick');
  await ben.sees('hello', 'quick');
  const acked = ben.gate.hold('ack', 'answer');
  await acked.held; // the relay has told Ann, too
  ben.say('yes?');
  await ann.until('the answer', () => ann.texts.includes('yes?'));
  release();
  acked();
  await ann.until('that everybody has it', () => item.state === 'all');
});

scene('a name changed while the relay is away arrives later', ['Ann', 'Ben'], async ([ann, ben]) => {
  const release = ann.gate.hold('card', 'request');
  const done = ann.session.setAlias('Anna');
  await release.held;
  await relay.kill();
  release();
  await done;
  await relay.restart();
  await ben.members('Anna', 'Ben');
});

scene('a name changed while a join is under way is the one that the others see', ['Ann', 'Ben'], async ([ann, ben]) => {
  const release = ann.gate.hold('join', 'request');
  await relay.kill();
  await relay.restart();
  await release.held; // with the name before
  await ann.session.setAlias('Anna');
  release();
  await ben.members('Anna', 'Ben');
});

scene('a relay that dies: everything arrives once and in order, whoever had what', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  // Cat cannot read for now, so nothing is over when the relay dies; Ben has read, and must not read it again.
  const release = cat.gate.hold('stream', 'answer');
  ann.say('before');
  await ben.sees('before');
  await relay.kill();
  const waiting = ann.say('while it is down');
  await ann.until('why it waits', () => waiting.reason !== '');
  ben.say('me too');
  await relay.restart();
  release();
  const all = ['before', 'me too', 'while it is down'];
  for (const person of [ann, ben, cat]) await person.until('all three', () => JSON.stringify([...person.texts].sort()) === JSON.stringify(all));
  assert.deepEqual(cat.texts.filter((text) => text !== 'me too'), ['before', 'while it is down']);
  for (const person of [ann, ben, cat]) {
    await person.until('that everybody has its own', () => person.session.items.every(({ own, state }) => !own || state === 'all'));
  }
  ben.say('again together');
  await Promise.all([ann, cat].map((person) => person.until('the last', () => person.texts.at(-1) === 'again together')));
  untroubled(ann, ben, cat);
});

scene('a relay that dies with a move in it that nobody has read: the move is made again', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  const held = [ann.gate.hold('poll', 'request'), ben.gate.hold('stream', 'answer'), cat.gate.hold('stream', 'answer')];
  const removal = ann.session.remove(cat.id);
  await held[0].held; // the relay has the move, and Ann looks whether another came before it
  await relay.kill();
  await relay.restart();
  for (const release of held) release();
  await removal;
  await Promise.all([ann, ben].map((person) => person.members('Ann', 'Ben')));
  await cat.until('that it was removed', () => cat.session.items.some(({ event }) => event === 'removed'));
  ann.say('just us');
  await ben.sees('just us');
  together(ann, ben);
  untroubled(ann, ben);
});

scene('who reads late of those who have come and gone talks to those who are here', ['Ann', 'Ben'], async ([ann, ben], { enter }) => {
  const release = ben.gate.hold('stream', 'answer');
  const cat = await enter('Cat');
  await cat.session.leave();
  const dan = await enter('Dan');
  await ann.members('Ann', 'Ben', 'Dan');
  ann.say('one');
  release();
  await ben.members('Ann', 'Ben', 'Dan');
  await ben.sees('one');
  ben.say('two');
  await Promise.all([ann, ben, dan].map((person) => person.sees('one', 'two')));
  untroubled(ann, ben, dan);
});

scene('tabs that end in the midst of many messages lose none', ['Ann', 'Ben'], async ([ann, ben], { root }) => {
  const texts = Array.from({ length: 60 }, (_, n) => `line ${n}`);
  for (let from = 0; from < texts.length; from += 20) {
    const release = ben.gate.hold('stream', 'answer'); // so that they come at once
    for (const text of texts.slice(from, from + 20)) ann.say(text);
    await ann.until('all posted', () => ann.session.items.every(({ own, state }) => !own || state !== 'queued'));
    release();
    await ben.until('some of them', () => ben.texts.length >= from + 5);
    const state = await ben.session.state();
    const items = structuredClone(ben.session.items);
    await ben.session.close({ handOver: true });
    ben.session = await Session.open({ root, alias: 'Ben', origin: ben.gate.origin }, { state, items, files: [] });
    await ben.sees(...texts.slice(0, from + 20));
  }
  untroubled(ann, ben);
});

scene('what was not sent when a tab ended is not told to have failed, and is taken back as any other', ['Ann', 'Ben'], async ([ann, ben], { root }) => {
  const release = ann.gate.hold('messages', 'request');
  const item = ann.say('one');
  await release.held;
  const state = await ann.session.state();
  await ann.session.close({ handOver: true });
  assert.equal(item.state, 'queued');
  ann.session = await Session.open({ root, alias: 'Ann', origin: ann.gate.origin }, { state, items: structuredClone(ann.session.items), files: [] });
  await ann.session.erase(item.key);
  release();
  ann.say('two');
  await ben.sees('two');
  untroubled(ann, ben);
});

scene('a tab that takes over sends what it had asked for, whether or not the one before took it', ['Ann', 'Ben'], async ([ann, ben], { root }) => {
  ann.say('one');
  await ben.sees('one');
  const state = await ann.session.state();
  const asked = (body, key) => ({ key, kind: 'text', own: true, from: ann.id, alias: 'Ann', at: Date.now(), body, state: 'queued' });
  const third = `${ann.id} BBBBBBBBBBBBBBBBBBBBBB`;
  const taken = ann.session.send('two', { key: `${ann.id} AAAAAAAAAAAAAAAAAAAAAA` }); // by the tab that ends, which had no time to tell
  await ben.sees('one', 'two');
  await ann.session.close({ handOver: true });
  const items = [...ann.session.items.filter(({ key }) => key !== taken.key), asked('two', taken.key), asked('three', third)];
  ann.session = await Session.open({ root, alias: 'Ann', origin: ann.gate.origin }, { state, items, files: [] });
  for (const [body, key] of [['two', taken.key], ['three', third], ['three', third]]) ann.session.send(body, { key });
  await ben.sees('one', 'two', 'three');
  await ann.until('all delivered', () => ann.session.items.filter(({ own }) => own).every(({ state }) => state === 'all'));
  await ben.sees('one', 'two', 'three');
  untroubled(ann, ben);
});
