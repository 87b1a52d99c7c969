// The door of static/js/room, with the true cryptography and a mailbox that loses, repeats and mixes up notes as relays and networks do.
import assert from 'node:assert/strict';
import test from 'node:test';
import { b64u, equal, fromUtf8, utf8 } from '../../static/js/lib/bytes.js';
import { KnockAsker } from '../../static/js/crypto/knock.js';
import { RelayError } from '../../static/js/net/relay.js';
import { Doorkeeper } from '../../static/js/room/door.js';
import { Room } from './helpers.mjs';

/** A room with so many doorkeepers, one stranger at the door, and what the doorkeepers answered. */
async function scene(count) {
  const room = await Room.of(...Array.from({ length: count }, (_, i) => `m${i}`));
  const notes = [];
  const trouble = { error: null };
  const doors = room.members.map((member) => new Doorkeeper({
    host: (commit) => member.answerKnock(commit),
    send: async (id, note) => {
      if (trouble.error) throw trouble.error;
      notes.push(JSON.parse(fromUtf8(note)));
    },
    changed: () => undefined,
  }));
  const asker = await KnockAsker.create(room.keys.room);
  const say = (note) => Promise.all(doors.map((door) => door.heard({ id: 'cat', body: b64u(utf8(JSON.stringify(note))) })));
  await say({ commit: asker.commit });
  return { room, doors, notes, trouble, asker, say, states: () => doors.map(({ rows }) => rows.find(({ id }) => id === 'cat')?.state) };
}

test('notes that come again with a new stream change nothing', async () => {
  const { room, doors: [door], notes, asker, say, states } = await scene(1);
  await say({ commit: asker.commit });
  assert.equal(door.rows.length, 1);
  await door.answer('cat');
  await say({ commit: asker.commit });
  const { reveal, code } = await asker.answered(notes[0].answer);
  for (let i = 0; i < 3; i++) await say({ reveal, answer: notes[0].answer });
  assert.deepEqual([door.rows[0].code, ...states()], [code, 'code']);
  await door.approve('cat');
  await say({ reveal, answer: notes[0].answer });
  assert.deepEqual(states(), ['approved']);
  assert.ok(equal(await asker.opened(notes[1].sealed), room.keys.root));
});

test('of several members who are asked, those who did not go to the door are asked no more', async () => {
  const { doors: [first, second, third], notes, asker, say, states } = await scene(3);
  await first.answer('cat');
  await second.answer('cat');
  const { reveal } = await asker.answered(notes[0].answer);
  await say({ reveal, answer: notes[0].answer });
  assert.deepEqual(states(), ['code', 'refused', 'refused']);
  await Promise.all([second.approve('cat'), third.approve('cat')]);
  assert.equal(notes.length, 2);
  await first.refuse('cat');
  assert.deepEqual(notes[2], { refused: true, answer: notes[0].answer });
});

test('what the network swallowed can be done again', async () => {
  const { room, doors: [door], notes, trouble, asker, say, states } = await scene(1);
  trouble.error = new Error('the connection failed');
  await assert.rejects(door.answer('cat'), /connection/);
  assert.deepEqual(states(), ['asking']);
  trouble.error = null;
  await door.answer('cat');
  const { reveal } = await asker.answered(notes[0].answer);
  await say({ reveal, answer: notes[0].answer });
  trouble.error = new Error('the connection failed');
  await assert.rejects(door.approve('cat'), /connection/);
  assert.deepEqual(states(), ['code']);
  trouble.error = null;
  await door.approve('cat');
  assert.ok(equal(await asker.opened(notes[1].sealed), room.keys.root));
});

test('a stranger who has gone leaves nothing at the door', async () => {
  const { doors: [door], trouble, states } = await scene(1);
  trouble.error = new RelayError({ code: 'no_knock', http: 404, error: 'no such knock' });
  await door.answer('cat');
  assert.deepEqual(states(), ['refused']);
});

test('a stranger who says that it has gone is at the door no more, and is no knock that came to nothing', async () => {
  const { doors: [door], asker, say, states } = await scene(1);
  await door.answer('cat');
  await say({ gone: true });
  assert.deepEqual(states(), ['refused']);
  const knock = (id, note) => door.heard({ id, body: b64u(utf8(JSON.stringify(note))) });
  await knock('nobody', { gone: true });
  for (const id of ['one', 'two', 'three', 'four']) {
    await knock(id, { commit: asker.commit });
    assert.equal(door.rows.at(-1).id, id);
    await knock(id, { gone: true });
    assert.equal(door.rows.at(-1).state, 'refused');
  }
});

test('a reveal that does not fit, and notes that are none, open nothing', async () => {
  const { doors: [door], notes, asker, say, states } = await scene(1);
  for (const body of ['', 'AA', '%%', b64u(utf8('null')), b64u(utf8('{"commit":7}'))]) await door.heard({ id: 'other', body });
  await door.heard({ id: 'short', body: b64u(utf8('{"commit":"AAAA"}')) });
  await door.answer('short');
  assert.equal(door.rows.find(({ id }) => id === 'short').state, 'refused');
  await door.answer('cat');
  const { reveal } = await asker.answered(notes.at(-1).answer);
  await say({ reveal: `A${reveal.slice(1)}` === reveal ? `B${reveal.slice(1)}` : `A${reveal.slice(1)}`, answer: notes.at(-1).answer });
  assert.deepEqual(states(), ['refused']);
  assert.equal(notes.at(-1).refused, true);
});

test('who will come is let in before the secret goes out, once, and only if it is what the digits vouch for', async () => {
  const room = await Room.of('Ann');
  const done = [];
  const trouble = { error: null };
  let answer = '';
  const door = new Doorkeeper({
    host: async (commit) => {
      const host = await room.members[0].answerKnock(commit);
      answer = host.answer;
      return host;
    },
    send: async (id, note) => {
      if (trouble.error) throw trouble.error;
      done.push(...Object.keys(JSON.parse(fromUtf8(note))));
    },
    changed: () => undefined,
    expect: async ({ id, key }) => void done.push(`${id} ${key}`),
  });
  const say = (id, note) => door.heard({ id, body: b64u(utf8(JSON.stringify(note))) });
  const as = { member: new Uint8Array(16).fill(1), identity: new Uint8Array(32).fill(2) };
  const knock = async (id) => {
    const asker = await KnockAsker.create(room.keys.room, as);
    await say(id, { commit: asker.commit });
    await door.answer(id);
    return asker.answered(answer);
  };
  const cat = await knock('cat');
  await say('cat', { reveal: cat.reveal, answer, as: cat.as });
  trouble.error = new Error('the connection failed');
  await assert.rejects(door.approve('cat'), /connection/);
  trouble.error = null;
  await door.approve('cat');
  assert.deepEqual(done, ['answer', `${b64u(as.member)} ${b64u(as.identity)}`, 'sealed']);

  done.length = 0;
  const mal = await knock('mal');
  await say('mal', { reveal: mal.reveal, answer, as: cat.as }); // what another knock has said
  assert.equal(door.rows.find(({ id }) => id === 'mal').state, 'refused');
  await door.approve('mal');
  assert.deepEqual(done, ['answer', 'refused', 'answer']);
});
