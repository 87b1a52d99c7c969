// A locked room over a real relay: who waits, what they see, and what is shown of them.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { Asker } from '../../static/js/room/asker.js';
import { missing, Person, Relay, room } from './relay.mjs';

/** @type {Relay} */
let relay;
before(async () => (relay = missing ? relay : await Relay.start()));
after(() => relay?.close());

/** A test with people in a room of their own; more can enter. */
function scene(what, names, play) {
  test(what, { skip: missing }, async () => {
    const { root, people } = await room(relay, ...names);
    const all = [...people];
    const enter = async (name, more) => {
      const person = await Person.enter(relay, name, root, more);
      all.push(person);
      return person;
    };
    try {
      await play(people, enter);
    } finally {
      await Promise.all(all.map((person) => person.leave()));
    }
  });
}

const happened = (person, event) => person.session.items.filter((item) => item.event === event);
const waiting = ({ session }) => session.members.filter((member) => member.waiting).map(({ alias }) => alias).sort();
const waits = (person, ...names) => person.until(`that ${names} wait`, () => waiting(person).join() === names.join());
const saw = (person, event) => person.until(event, () => happened(person, event).length > 0);

async function lock([first, ...others]) {
  await first.session.lock(true);
  await Promise.all(others.map((other) => other.until('the lock', () => other.session.locked)));
}

scene('whoever is let in learns the timer', ['Ann', 'Ben'], async ([ann, ben], enter) => {
  await ann.session.setTimer(86_400);
  await lock([ann, ben]);
  const eve = await enter('Eve');
  await waits(ben, 'Eve');
  await ben.session.admit(eve.id);
  await eve.until('the timer', () => eve.session.timer === 86_400);
  const fay = await enter('Fay');
  await waits(ben, 'Fay');
  await ben.session.lock(false);
  await fay.until('the timer', () => fay.session.timer === 86_400);
});

scene('who came before the lock was in the log is told by another than the one who locked', ['Ann', 'Ben'], async (people, enter) => {
  const [first, locker] = people.sort((a, b) => (a.id < b.id ? -1 : 1)); // who tells is the first by id
  const release = locker.gate.hold('messages', 'request');
  await locker.session.lock(true);
  const eve = await enter('Eve');
  await first.members('Ann', 'Ben', 'Eve');
  assert.deepEqual(waiting(first), []);
  release();
  await waits(first, 'Eve');
  await saw(eve, 'waits');
});

scene('whoever comes waits, is told so, and is held; let in, all is read', ['Ann', 'Ben'], async ([ann, ben], enter) => {
  await lock([ann, ben]);
  assert.equal(happened(ben, 'locked')[0].alias, 'Ann');
  const eve = await enter('Eve');
  await Promise.all([waits(ann, 'Eve'), waits(ben, 'Eve')]);
  await eve.until('that it waits', () => eve.session.waits);
  eve.say('hello?');
  eve.say('anybody?');
  for (const person of [ann, ben]) await person.until('two held', () => happened(person, 'held')[0]?.count === 2);
  ann.say('who is that');
  await ben.sees('who is that');
  await eve.until('that others talk', () => happened(eve, 'passed')[0]?.count === 1);
  assert.deepEqual([eve.texts, ann.texts, eve.troubles], [['hello?', 'anybody?'], ['who is that'], []]);

  await ben.session.admit(eve.id);
  await ben.sees('who is that', 'hello?', 'anybody?');
  await ann.sees('who is that', 'hello?', 'anybody?');
  await saw(eve, 'letin');
  await eve.until('that the room is locked', () => eve.session.locked && !eve.session.waits);
  for (const person of [ann, ben]) person.say(`welcome from ${person.session.alias}`);
  await eve.until('two welcomes', () => eve.texts.length === 4);
  eve.say('thanks');
  await Promise.all([ann, ben].map((person) => person.until('thanks', () => person.texts.at(-1) === 'thanks')));
  assert.equal(new Set(await Promise.all([ann, ben, eve].map(({ session }) => session.safetyCode()))).size, 1);
});

scene('what comes before whoever waits is told so counts as what they may not read', ['Ann', 'Ben'], async ([ann, ben], enter) => {
  await lock([ann, ben]);
  const [first, other] = [ann, ben].sort((a, b) => (a.id < b.id ? -1 : 1));
  other.say('hello');
  await first.sees('hello');
  const release = first.gate.hold('messages', 'request'); // who is to tell
  const eve = await enter('Eve');
  await waits(other, 'Eve');
  other.say('before she is told');
  await eve.until('something', () => eve.session.items.length > 0);
  release();
  await saw(eve, 'waits');
  assert.deepEqual([eve.troubles, happened(eve, 'passed').map(({ count }) => count)], [[], [1]]);
});

scene('two at once: one locks while another does, and lets in while another does', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat], enter) => {
  await Promise.all([ann.session.lock(true), ben.session.lock(true)]);
  await Promise.all([ann, ben, cat].map((person) => person.until('the lock', () => person.session.locked)));
  const [eve, mal] = [await enter('Eve'), await enter('Mal')];
  await Promise.all([ann, ben, cat].map((person) => waits(person, 'Eve', 'Mal')));
  await Promise.all([ann.session.admit(eve.id), ben.session.admit(eve.id)]);
  await Promise.all([ann, ben, cat, eve].map((person) => waits(person, 'Mal')));
  await cat.session.lock(false);
  await Promise.all([ann, ben, cat, eve].map((person) => person.until('that nobody waits', () => !person.session.locked && waiting(person).length === 0)));
  await mal.until('that it is in', () => !mal.session.waits);
  ann.say('all');
  await Promise.all([ben, cat, eve, mal].map((person) => person.until('all', () => person.texts.includes('all'))));
});

for (const [who, ends] of [['goes', (ann) => ann.session.leave()], ['stays', async () => undefined]]) {
  scene(`somebody is let in by a knock and comes when who did it ${who}: it knows that the room is locked`, ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat], enter) => {
    await lock([ann, ben, cat]);
    const asker = new Asker({ roomId: ann.session.roomId, origin: ann.gate.origin });
    const asked = asker.ask();
    await ann.until('a knock', () => ann.session.knocks.length === 1);
    const [{ id }] = ann.session.knocks;
    await ann.session.answer(id);
    await ann.until('six digits', () => ann.session.knocks[0]?.state === 'code');
    await ann.session.approve(id);
    const { own } = await asked;
    await ends(ann);
    if (who === 'goes') await Promise.all([ben, cat].map((person) => person.members('Ben', 'Cat')));
    const dan = await enter('Dan', { as: () => own });
    await dan.until('the lock', () => dan.session.locked && !dan.session.waits);
    ben.say('welcome');
    await dan.sees('welcome');
    assert.equal(happened(dan, 'locked').length, 1, 'once');
    await enter('Eve');
    await waits(dan, 'Eve');
  });
}

scene('a relay that dies: members come back as known, those who wait still wait', ['Ann', 'Ben'], async ([ann, ben], enter) => {
  await lock([ann, ben]);
  const eve = await enter('Eve');
  await Promise.all([waits(ann, 'Eve'), waits(ben, 'Eve')]);
  await relay.kill();
  await relay.restart();
  ann.say('still here');
  await ben.sees('still here');
  await Promise.all([ann, ben].map((person) => person.members('Ann', 'Ben', 'Eve')));
  assert.deepEqual([waiting(ann), waiting(ben), eve.texts], [['Eve'], ['Eve'], []]);
});

scene('a member who reads late of the lock gives nothing to whoever came behind it', ['Ann', 'Ben'], async ([ann, ben], enter) => {
  const release = ben.gate.hold('stream', 'answer');
  await ann.session.lock(true);
  const eve = await enter('Eve');
  await waits(ann, 'Eve');
  ben.say('for Ann'); // refused for its old list, which brings Eve
  await ann.sees('for Ann');
  release();
  await waits(ben, 'Eve');
  eve.say('?');
  await ben.until('a held message', () => happened(ben, 'held').length === 1);
  assert.deepEqual(eve.texts, ['?']);
});

scene('a stranger removes nobody, and is left behind by a move', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat], enter) => {
  await lock([ann, ben, cat]);
  const eve = await enter('Eve');
  await Promise.all([ann, ben, cat].map((person) => waits(person, 'Eve')));
  void eve.session.remove(ben.id).catch(() => undefined); // her own page moves on
  await ben.until('that it has no effect', () => ben.troubles.some((trouble) => trouble.includes('not let in')));
  await ann.session.remove(cat.id);
  await Promise.all([ann, ben].map((person) => person.members('Ann', 'Ben')));
  assert.equal(ben.session.locked, true);
  ann.say('just us');
  await ben.until('the text', () => ben.texts.includes('just us'));
  const dan = await Person.enter(relay, 'Dan', new Uint8Array(Buffer.from(ann.session.link.split('#')[1], 'base64url')));
  await Promise.all([waits(ann, 'Dan'), waits(ben, 'Dan')]);
  await dan.leave();
});
