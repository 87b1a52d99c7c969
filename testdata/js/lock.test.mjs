// The lock, and what strangers who have the link, members who mean ill and a relay that helps them can try against it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Group } from '../../static/js/crypto/group.js';
import { newLinkRoot, newMemberSecret } from '../../static/js/crypto/keys.js';
import { Clock, deliver, introduce, Room, say, text } from './helpers.mjs';

/** Members, the first of whom has locked the room; all others have read it. */
async function lockedRoom(...names) {
  const room = await Room.of(...names);
  const [ann, ...others] = room.members;
  await tell(ann, await ann.lock(true), ...others);
  return room;
}

/** Seals content and has others read it; gives the frames. */
async function tell(from, content, ...to) {
  const { frames } = await from.seal(content);
  for (const other of to) await deliver(from, other, frames);
  return frames;
}

async function letIn(by, eve, ...others) {
  for (const content of await by.admit(eve.id)) await tell(by, content, eve, ...others);
}

const waiting = (group) => group.members().filter(({ status }) => status === 'waiting').map(({ alias }) => alias);

test('who comes after the lock waits, reads nothing, and is read when let in', async () => {
  const room = await lockedRoom('ann', 'bob');
  const [ann, bob] = room.members;
  const eve = await room.join('eve');
  assert.deepEqual([waiting(ann), waiting(bob)], [['eve'], ['eve']]);
  const said = (await eve.seal(text('hello?'))).frames;
  assert.equal((await deliver(eve, bob, said)).kind, 'held');
  assert.equal((await say(bob, eve, 'between us')).reason, 'before-you');
  await letIn(ann, eve, bob);
  assert.deepEqual([waiting(ann), waiting(bob), eve.locked, eve.waits], [[], [], true, false]);
  assert.equal((await say(bob, eve, 'welcome')).content.body, 'welcome');
  assert.equal((await say(eve, bob, 'thanks')).kind, 'content');
  assert.equal(new Set(await Promise.all([ann, bob, eve].map((member) => member.safetyCode()))).size, 1);
});

test('a locked-out joiner reads nothing, however the relay helps', async () => {
  // Eve has the link, so she opens the outer layer of everything. The relay hands her all frames, delivers hers, shows her card to
  // everybody again and again, lets her rejoin, and passes on her requests for keys.
  const room = await lockedRoom('ann', 'bob');
  const [ann, bob] = room.members;
  const frames = [(await ann.seal(text('one'))).frames];
  const eve = await room.join('eve');
  for (const member of [ann, bob]) {
    await deliver(eve, member, (await eve.seal({ k: 'need', of: member.id })).frames);
    await member.owe(eve.id); // as if the request had been heeded
    await member.left(eve.id);
    await introduce(member, eve);
    await member.returned(eve.id);
    frames.push((await member.seal(text('two'))).frames);
    const keys = await member.sealKeysIfNeeded();
    if (keys) frames.push([keys]);
  }
  frames.push([(await ann.remove([bob.id])).frame]);
  for (const from of [ann, bob]) {
    for (const { bytes } of frames.flat()) {
      const { kind, forYou, root } = await eve.open(from.id, bytes);
      assert.ok(kind === 'failed' || (kind === 'keys' && !forYou) || (kind === 'move' && root === null), kind);
    }
  }
});

test('who was given keys before the lock was read reads nothing after', async () => {
  // Bob has Eve from a list that is ahead of the log, so he seals to her, and only then reads of the lock, which lies before her.
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const lock = (await ann.seal(await ann.lock(true))).frames;
  const eve = await Group.create({ keys: room.keys, secret: newMemberSecret(), alias: 'eve', clock: room.clock.read });
  await bob.learn(eve.id, await eve.card(), true);
  await eve.learn(bob.id, await bob.card());
  assert.equal((await say(bob, eve, 'too early')).kind, 'content');
  await deliver(ann, bob, lock);
  await bob.learn(eve.id, await eve.card()); // her place in the log
  assert.deepEqual(waiting(bob), ['eve']);
  assert.equal((await say(bob, eve, 'secret')).reason, 'before-you');
});

test('who came before the lock in the log stays in, though a list told of it first', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const cid = await Group.create({ keys: room.keys, secret: newMemberSecret(), alias: 'cid', clock: room.clock.read });
  await bob.learn(cid.id, await cid.card(), true);
  await bob.learn(cid.id, await cid.card());
  await tell(ann, await ann.lock(true), bob);
  assert.deepEqual(waiting(bob), []);
});

test('a stranger neither unlocks nor lets anybody in nor moves the room', async () => {
  // Eve and Mal have the link and wait. They seal and sign what members say, in their own names, before and after the room was told.
  const room = await lockedRoom('ann', 'bob');
  const [, bob] = room.members;
  const [eve, mal] = [await room.join('eve'), await room.join('mal')];
  const say = async (from, content) => deliver(from, bob, (await from.seal(content)).frames);
  for (const content of [await eve.lock(false), { k: 'lock', on: false, turn: 4_000_000_000 }, ...(await mal.admit(eve.id)), ...(await eve.admit(mal.id))]) {
    assert.equal((await say(eve, content)).reason, 'waiting');
    assert.equal((await say(mal, content)).reason, 'waiting');
  }
  assert.equal((await bob.open(eve.id, (await eve.remove([bob.id])).frame.bytes)).reason, 'waiting');
  assert.equal((await bob.open(eve.id, (await eve.tellWaiting([bob.id])).bytes)).reason, 'waiting');
  assert.deepEqual([bob.locked, bob.waits, waiting(bob).sort()], [true, false, ['eve', 'mal']]);
});

test('what a stranger says to another stranger does not let either in', async () => {
  const room = await lockedRoom('ann', 'bob');
  const [ann, bob] = room.members;
  const [eve, mal] = [await room.join('eve'), await room.join('mal')];
  await tell(mal, await mal.lock(false), eve, ann, bob);
  await letIn(ann, eve, bob, mal);
  assert.deepEqual([eve.locked, waiting(eve), waiting(bob)], [true, ['mal'], ['mal']]); // Eve has heard who else waits
  assert.equal((await say(eve, mal, 'about mal')).reason, 'before-you');
});

test('the relay plays old words again: nothing changes', async () => {
  // It has recorded that Eve was let in, that the room was opened, and a member's list of those who wait.
  const room = await lockedRoom('ann', 'bob');
  const [ann, bob] = room.members;
  const eve = await room.join('eve');
  const told = await ann.tellWaiting([eve.id]);
  await eve.open(ann.id, told.bytes);
  assert.equal(eve.waits, true);
  const words = [];
  for (const content of await ann.admit(eve.id)) words.push(await tell(ann, content, bob, eve));
  words.push(await tell(ann, await ann.lock(false), bob, eve), await tell(ann, await ann.lock(true), bob, eve));
  const mal = await room.join('mal');
  for (const frames of words) assert.equal((await deliver(ann, bob, frames)).kind, 'repeat');
  await eve.open(ann.id, told.bytes);
  assert.deepEqual([bob.locked, waiting(bob), eve.waits], [true, ['mal'], false]);

});

test('that somebody waits is of no account once the room was opened, whatever comes late', async () => {
  const room = await lockedRoom('ann', 'bob');
  const [ann, bob] = room.members;
  const eve = await room.join('eve');
  const told = await ann.tellWaiting([eve.id]);
  await tell(bob, await bob.lock(false), ann, eve);
  await eve.open(ann.id, told.bytes);
  assert.equal(eve.waits, false);
  await tell(bob, await bob.lock(true), ann, eve);
  await eve.open(ann.id, told.bytes);
  assert.deepEqual([eve.locked, eve.waits], [true, false]);
  await eve.open(ann.id, (await ann.tellWaiting([eve.id])).bytes);
  assert.equal(eve.waits, true);
});

test('being let in counts for the key that was seen', async () => {
  // The relay sees Eve's member secret at join. It joins under her id, with a key of its own, where a member has not met her yet.
  const room = await lockedRoom('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  const secret = newMemberSecret();
  const [eve, relay] = await Promise.all([1, 2].map(() => Group.create({ keys: room.keys, secret, alias: 'eve', clock: room.clock.read })));
  await introduce(ann, eve);
  for (const content of await ann.admit(eve.id)) await tell(ann, content, bob, cid);
  await introduce(bob, relay);
  await introduce(cid, eve);
  assert.deepEqual([waiting(bob), waiting(cid)], [['eve'], []]);
  assert.equal((await say(bob, relay, 'for the real one')).reason, 'before-you');
  assert.equal((await say(cid, eve, 'welcome')).kind, 'content');
});

test('words in any order come to the same', async () => {
  // The relay holds words back and delivers them late, to open a room that was locked again, or to let members disagree.
  const room = await Room.of('ann', 'bob', 'cid', 'dan');
  const [ann, bob, cid, dan] = room.members;
  const sealed = async (from, on) => [from, (await from.seal(await from.lock(on))).frames];
  const words = [await sealed(ann, true)];
  await deliver(...[ann, bob, words[0][1]]);
  words.push(await sealed(bob, false));
  await deliver(bob, ann, words[1][1]);
  words.push(await sealed(ann, true), await sealed(bob, true)); // both at once
  for (const [from, frames] of words) if (from !== bob) await deliver(from, bob, frames);
  for (const [from, frames] of words) await deliver(from, cid, frames);
  for (const [from, frames] of [words[0], words[2], words[1], words[3]]) await deliver(from, dan, frames);
  assert.deepEqual([ann, bob, cid, dan].map(({ locked }) => locked), [true, true, true, true]);
  // Of two at once, one that locks and one that opens, the lock counts, whichever comes first.
  const open = (await ann.seal(await ann.lock(false))).frames;
  const shut = (await bob.seal({ ...(await bob.lock(true)) })).frames;
  await deliver(ann, cid, open);
  await deliver(bob, cid, shut);
  await deliver(bob, dan, shut);
  await deliver(ann, dan, open);
  assert.deepEqual([cid.locked, dan.locked], [true, true]);
});

test('let in by one while another repeats who waits', async () => {
  const room = await lockedRoom('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  const eve = await room.join('eve');
  const repeat = (await ann.seal({ ...(await ann.lock(true)) })).frames; // names Eve
  const admit = (await bob.seal((await bob.admit(eve.id))[0])).frames;
  await deliver(bob, cid, admit);
  await deliver(ann, cid, repeat);
  await deliver(ann, bob, repeat);
  assert.deepEqual([waiting(bob), waiting(cid)], [[], []]);
});

test('known members come back; a room that is kept and a room that moves stay locked', async () => {
  const room = await lockedRoom('ann', 'bob');
  const [ann, bob] = room.members;
  const eve = await room.join('eve');
  await bob.left(ann.id);
  await introduce(ann, bob);
  assert.deepEqual(waiting(bob), ['eve']);

  const kept = structuredClone(await bob.export());
  const again = await Group.import(kept, { keys: room.keys, secret: bob.secret, clock: room.clock.read });
  assert.deepEqual([again.locked, waiting(again)], [true, ['eve']]);
  await again.learn(eve.id, await eve.card());
  const mal = await room.join('mal');
  await again.learn(mal.id, await mal.card());
  await again.learn(ann.id, await ann.card());
  assert.deepEqual(waiting(again).sort(), ['eve', 'mal']);

  // Ann removes Mal: everybody but those who wait goes to a new room, and is no stranger there.
  const root = newLinkRoot();
  const { group: annThere } = await ann.successor(root, [mal.id]);
  const { group: bobThere } = await again.successor(root, [mal.id]);
  await introduce(annThere, bobThere);
  assert.deepEqual([annThere.locked, waiting(annThere), waiting(bobThere)], [true, [], []]);
  assert.equal((await say(annThere, bobThere, 'here')).kind, 'content');
  const dan = await Group.create({ keys: (await ann.successor(root)).keys, secret: newMemberSecret(), alias: 'dan', clock: new Clock().read });
  await introduce(annThere, dan);
  assert.deepEqual(waiting(annThere), ['dan']);
});

test('words that make no sense are refused', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const key = ann.members()[0].key;
  const lock = { k: 'lock', on: true, turn: 1 };
  for (const content of [
    { k: 'lock' }, { ...lock, on: 1 }, { ...lock, turn: 0 }, { ...lock, turn: 2 ** 32 }, { ...lock, turn: 1.5 }, { k: 'lock', on: false, turn: '1' },
    { k: 'admit' }, { k: 'admit', id: ann.id }, { k: 'admit', id: 'ann', key }, { k: 'admit', id: ann.id, key: key.slice(1) },
  ]) {
    assert.equal((await deliver(ann, bob, (await ann.seal(content)).frames)).reason, 'damaged', JSON.stringify(content));
  }
  assert.equal(bob.locked, false);
});
