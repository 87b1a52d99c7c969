// What a room of well-behaved members does.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Group } from '../../static/js/crypto/group.js';
import { roomKeys } from '../../static/js/crypto/keys.js';
import { sealJwe } from '../../static/js/crypto/jwe.js';
import { Clock, deliver, HOUR, introduce, MINUTE, Room, say, text } from './helpers.mjs';
import { fingerprint } from '../../static/js/crypto/words.js';
import { unb64u } from '../../static/js/lib/bytes.js';

const kinds = ({ frames }) => frames.map(({ type }) => type);

test('keys go out once, before the message that needs them; everybody reads it', async () => {
  const room = await Room.of('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  const first = await ann.seal(text('one'));
  assert.deepEqual(kinds(first), [2, 3]);
  assert.deepEqual(new Set(first.frames[0].to), new Set([bob.id, cid.id]));
  for (const reader of [bob, cid]) assert.deepEqual((await deliver(ann, reader, first.frames)).content, text('one'));
  const second = await ann.seal(text('two'));
  assert.deepEqual(kinds(second), [3]);
  assert.deepEqual([(await deliver(ann, bob, second.frames)).n, (await ann.open(ann.id, second.frames[0].bytes)).kind], [1, 'repeat']);
});

test('members: status, identity key, safety code', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  assert.deepEqual(ann.members().map(({ alias, status }) => [alias, status]), [['ann', 'self'], ['bob', 'here']]);
  assert.equal(ann.members()[1].key, bob.members()[0].key);
  assert.match(await fingerprint(unb64u(bob.members()[0].key)), /^([a-z]+ ){4}\d{5} \d{5}$/);
  assert.match(await ann.safetyCode(), /^(\d{5} ){5}\d{5}$/);
  assert.equal(await ann.safetyCode(), await bob.safetyCode());
  const cid = await room.join('cid');
  assert.equal(await ann.safetyCode(), await cid.safetyCode());
  await ann.left(cid.id);
  assert.equal(ann.members()[2].status, 'left');
  assert.notEqual(await ann.safetyCode(), await cid.safetyCode());
});

test('a name cannot turn the line it stands in, or be empty to the eye; its card stays valid', async () => {
  const names = { ann: 'ann', '\u202egnp.exe': 'gnp.exe', '\u200b\u2060': '?', '\u2066a\u2069 b': 'a b', '\u2800': '?', '\u3164': '?', '\ufe0f': '?', ' \u2029': '?', '\u05d3\u05e0\u05d4': '\u05d3\u05e0\u05d4', '❤\ufe0f': '❤\ufe0f', '\u{e0041}': '?', '\ue000x': 'x' };
  for (const [alias, shown] of Object.entries(names)) {
    const [ann, other] = (await Room.of('ann', alias)).members;
    assert.deepEqual(ann.members().map((member) => member.alias), ['ann', shown]);
    assert.equal(other.alias, alias);
  }
});

test('a new chain after 100 messages and after an hour', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const es = [];
  for (let i = 0; i <= 100; i++) es.push((await say(ann, bob, `${i}`)).e);
  assert.equal(new Set(es).size, 2);
  assert.equal(es[100], es[99] + 1);
  room.clock.pass(HOUR);
  assert.ok((await say(ann, bob, 'later')).e > es[100]);
});

test('somebody leaves: the next message is on a new chain, sealed to those who stay', async () => {
  const room = await Room.of('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  await say(ann, bob, 'one');
  await room.leave(cid);
  const { frames } = await ann.seal(text('two'));
  assert.deepEqual(frames[0].to, [bob.id]);
  assert.equal((await deliver(ann, bob, frames)).kind, 'content');
});

test('a message sealed before somebody joined: keys let the newcomer read on, sealing again lets it read this one too', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann] = room.members;
  const { frames } = await ann.seal(text('one'));
  const cid = await room.join('cid');
  const keys = await ann.sealKeysIfNeeded();
  assert.deepEqual(keys.to, [cid.id]);
  assert.equal((await deliver(ann, cid, [keys, frames[1]])).reason, 'before-you');
  assert.equal(await ann.sealKeysIfNeeded(), null);
  assert.equal((await deliver(ann, cid, (await ann.seal(text('one'))).frames)).kind, 'content');
});

test('a keys frame that got lost: the reader is told to ask, and is owed the keys', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const { frames } = await ann.seal(text('one'));
  const failed = await bob.open(ann.id, frames[1].bytes);
  assert.deepEqual([failed.reason, failed.need], ['before-you', true]);
  await ann.owe(bob.id);
  const again = await ann.seal(text('two'));
  assert.deepEqual(kinds(again), [2, 3]);
  assert.equal((await deliver(ann, bob, again.frames)).kind, 'content');
  assert.deepEqual([(await bob.open(ann.id, frames[1].bytes)).reason, (await bob.open(ann.id, frames[1].bytes)).need], ['before-you', false]);
});

test('messages out of order open, for an hour; then they are expired, not repeats', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  await say(ann, bob, 'zero');
  const late = [];
  for (let i = 0; i < 5; i++) late.push((await ann.seal(text(`${i}`))).frames[0].bytes);
  assert.equal((await bob.open(ann.id, late[4])).n, 5);
  assert.equal((await bob.open(ann.id, late[1])).content.body, '1');
  assert.equal((await bob.open(ann.id, late[1])).kind, 'repeat');
  room.clock.pass(HOUR);
  assert.deepEqual([(await bob.open(ann.id, late[0])).reason, (await bob.open(ann.id, late[1])).kind], ['expired', 'repeat']);
});

test('a superseded chain is good for an hour', async () => {
  const room = await Room.of('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  await say(ann, bob, 'zero');
  const [one, two] = [(await ann.seal(text('one'))).frames[0].bytes, (await ann.seal(text('two'))).frames[0].bytes];
  await room.leave(cid);
  await say(ann, bob, 'three');
  room.clock.pass(59 * MINUTE);
  assert.equal((await bob.open(ann.id, one)).content.body, 'one');
  room.clock.pass(MINUTE);
  assert.equal((await bob.open(ann.id, two)).reason, 'expired');
});

test('cards: same, updated, older ignored; a new name is a new card', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const old = await bob.card();
  assert.equal((await ann.learn(bob.id, old)).status, 'same');
  const renamed = await ann.learn(bob.id, await bob.setAlias('Bobby'));
  assert.deepEqual([renamed.status, renamed.member.alias, bob.alias], ['updated', 'Bobby', 'Bobby']);
  assert.deepEqual([(await ann.learn(bob.id, old)).status, ann.members()[1].alias], ['same', 'Bobby']);
  await assert.rejects(bob.setAlias(''), TypeError);
  assert.equal(bob.alias, 'Bobby');
});

test('HPKE keys rotate after an hour or 200 messages; keys sealed to the old one open for 15 minutes', async () => {
  const room = await Room.of('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  assert.equal(await bob.rotateIfDue(), null);
  room.clock.pass(HOUR);
  const card = await bob.rotateIfDue();
  assert.ok(card && (await bob.rotateIfDue()) === null);
  assert.equal((await say(ann, bob, 'to the old key')).kind, 'content');
  await ann.left(cid.id); // so that the next chain is needed
  room.clock.pass(15 * MINUTE);
  const { frames } = await ann.seal(text('too late'));
  assert.equal((await bob.open(ann.id, frames[0].bytes)).reason, 'expired');
  await ann.learn(bob.id, card);
  for (let i = 0; i < 200; i++) await bob.seal(text('x'));
  assert.ok(await bob.rotateIfDue());
});

test('keys that come again when their HPKE key is erased are a repeat, unless they are needed', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const [first, second] = [await ann.seal(text('one')), await ann.owe(bob.id).then(() => ann.seal(text('two')))];
  for (const { bytes } of first.frames) await bob.open(ann.id, bytes);
  room.clock.pass(HOUR);
  await bob.rotateIfDue();
  room.clock.pass(15 * MINUTE);
  assert.deepEqual((await Promise.all([...first.frames, second.frames[0]].map(({ bytes }) => bob.open(ann.id, bytes)))).map(({ kind }) => kind), ['repeat', 'repeat', 'repeat']);
});

test('concurrent calls keep their order', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const sealed = await Promise.all(Array.from({ length: 30 }, (_, i) => ann.seal(text(`${i}`))));
  const frames = sealed.flatMap(({ frames }) => frames);
  const opened = await Promise.all(frames.map(({ bytes }) => bob.open(ann.id, bytes)));
  assert.deepEqual(opened.filter(({ kind }) => kind === 'content').map(({ n }) => n), Array.from({ length: 30 }, (_, i) => i));
});

test('remove: those who stay get the new root, trust who they trusted, and talk there; the removed one is told by whom', async () => {
  const room = await Room.of('ann', 'bob', 'eve');
  const [ann, bob, eve] = room.members;
  const { frame, root } = await ann.remove([eve.id]);
  const forBob = await bob.open(ann.id, frame.bytes);
  assert.deepEqual([forBob.kind, forBob.root, forBob.removed, forBob.by], ['move', root, [eve.id], ann.id]);
  const forEve = await eve.open(ann.id, frame.bytes);
  assert.deepEqual([forEve.kind, forEve.root, forEve.removed], ['move', null, [eve.id]]);
  const [ann2, bob2] = [(await ann.successor(root, [eve.id])).group, (await bob.successor(forBob.root, [eve.id])).group];
  await Promise.all([ann.close(), bob.close()]);
  assert.deepEqual(ann2.members().map(({ alias, status }) => [alias, status]), [['ann', 'self'], ['bob', 'left']]);
  assert.deepEqual((await introduce(ann2, bob2)).map(({ status }) => status), ['same', 'same']);
  assert.equal((await say(ann2, bob2, 'here')).content.body, 'here');
  await assert.rejects(ann.seal(text('x')), /closed/);
  await assert.rejects(bob2.remove(['nobody']), /no such member/);
});

test('a member that left and is back goes on with its chain, also after the chain was erased', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  await say(ann, bob, 'one');
  await bob.left(ann.id);
  assert.equal((await say(ann, bob, 'under way')).kind, 'content');
  assert.equal(await bob.returned(ann.id), true);
  room.clock.pass(50 * MINUTE);
  await bob.left(ann.id);
  await bob.learn(ann.id, await ann.card());
  assert.equal((await say(ann, bob, 'two')).kind, 'content');
  assert.equal(await bob.returned('stranger'), false);
});

test('export and import: goes on reading, never sends on an old chain, keeps the trusted identities', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const before = await say(ann, bob, 'one');
  await say(bob, ann, 'hello');
  const skipped = (await ann.seal(text('two'))).frames[0].bytes;
  await say(ann, bob, 'three');
  const options = { keys: room.keys, secret: bob.secret, clock: room.clock.read };
  const kept = structuredClone(await bob.export());
  const bob2 = await Group.import(kept, options);
  assert.equal(bob2.id, bob.id);
  assert.equal((await bob2.open(ann.id, skipped)).content.body, 'two');
  assert.equal((await bob2.open(ann.id, skipped)).kind, 'repeat');
  assert.equal((await say(ann, bob2, 'four')).e, before.e);
  assert.equal((await ann.learn(bob2.id, await bob2.card())).status, 'updated');
  const { frames } = await bob2.seal(text('back'));
  assert.deepEqual(frames.map(({ type }) => type), [2, 3]);
  assert.ok((await deliver(bob2, ann, frames)).kind === 'content');
  await assert.rejects(Group.import({ ...kept, v: 2 }, options), /newer version/);
});

test('a stale copy of the state: numbers stay above those used after it was made', async () => {
  const room = await Room.of('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  await say(bob, ann, 'one');
  const stale = await bob.export();
  room.clock.pass(5000);
  await room.leave(cid);
  await say(bob, ann, 'on a chain that the copy knows nothing of');
  room.clock.pass(5000);
  const bob2 = await Group.import(stale, { keys: room.keys, secret: bob.secret, clock: room.clock.read });
  await introduce(ann, bob2);
  await bob2.left(cid.id);
  assert.equal((await say(bob2, ann, 'back')).kind, 'content');
});

test('shell posts are opened once', async () => {
  const [ann] = (await Room.of('ann')).members;
  const { dropPublic } = await roomKeys(new Uint8Array(32).fill(7));
  assert.equal((await ann.openShell(await sealJwe(dropPublic, 'x'))).kind, 'failed');
  const room = await Room.of('ann');
  for (const enc of ['A256GCM', 'A256CBC-HS512']) {
    const jwe = await sealJwe(room.keys.dropPublic, 'déjà vu', { enc });
    assert.deepEqual(await room.members[0].openShell(jwe), { kind: 'shell', text: 'déjà vu' });
    assert.deepEqual(await room.members[0].openShell(jwe), { kind: 'repeat' });
  }
});

test('a card in an opened frame is learned; a frame of an unknown kind is named as newer', async () => {
  const room = await Room.of('ann');
  const [ann] = room.members;
  const bob = await Group.create({ keys: room.keys, secret: crypto.getRandomValues(new Uint8Array(32)), alias: 'bob', clock: new Clock().read });
  const opened = await ann.open(bob.id, await bob.card());
  assert.deepEqual([opened.kind, opened.status], ['card', 'new']);
  const { FrameSealer } = await import('../../static/js/crypto/suite.js');
  const strange = await new FrameSealer(room.keys).seal(99, new Uint8Array(5));
  assert.equal((await ann.open(bob.id, strange)).reason, 'unknown-type');
});
