// Keys that served their purpose are gone: overwritten where they lay, and not to be found in anything that is still held.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Identity } from '../../static/js/crypto/keys.js';
import { deliver, hex, HOUR, MINUTE, Room, say, text } from './helpers.mjs';
import { bytesWithin, watchingChainKeys } from './walk.mjs';

test('the walk finds private fields, map entries and closures of nothing', async () => {
  class Box {
    #secret = Uint8Array.of(1, 2, 3);
    inside = new Map([['a', new Set([Uint8Array.of(4, 5)])]]);
    has = () => this.#secret.length;
  }
  assert.deepEqual([...bytesWithin(new Box())].sort(), ['010203', '0405']);
});

test('chain keys are gone from the sender and the reader once the message is through', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const used = new Set(await watchingChainKeys(async () => {
    for (let i = 0; i < 5; i++) await say(ann, bob, `${i}`);
  }));
  assert.ok(used.size >= 5, 'five chain keys passed');
  const current = (await bob.export()).members[0].chains.at(-1).ck;
  const held = [bytesWithin(ann), bytesWithin(bob)];
  for (const each of held) {
    assert.ok(each.has(hex(current)), 'the walk sees the key of the next message');
    for (const key of used) assert.ok(!each.has(key), 'a used chain key is still held');
  }
});

test('skipped message keys are gone after use, and after an hour', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  await say(ann, bob, 'zero');
  const frames = [];
  for (let i = 0; i < 4; i++) frames.push((await ann.seal(text(`${i}`))).frames[0].bytes);
  await bob.open(ann.id, frames[3]);
  const skipped = (await bob.export()).members[0].chains[0].skipped.map(({ key }) => hex(key));
  assert.equal(skipped.length, 3);
  for (const key of skipped) assert.ok(bytesWithin(bob).has(key));
  await bob.open(ann.id, frames[0]);
  assert.deepEqual(skipped.map((key) => bytesWithin(bob).has(key)), [false, true, true]);
  room.clock.pass(HOUR);
  await bob.rotateIfDue();
  assert.deepEqual(skipped.map((key) => bytesWithin(bob).has(key)), [false, false, false]);
});

test('a superseded chain is gone after an hour; a departed member\'s too', async () => {
  const room = await Room.of('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  await say(ann, bob, 'one');
  await say(cid, bob, 'one');
  const [annKey, cidKey] = (await bob.export()).members.map(({ chains }) => hex(chains[0].ck));
  await room.leave(cid);
  await say(ann, bob, 'two');
  assert.deepEqual([bytesWithin(bob).has(annKey), bytesWithin(bob).has(cidKey), bytesWithin(ann).has(annKey)], [true, true, false]);
  room.clock.pass(HOUR);
  await bob.rotateIfDue();
  assert.deepEqual([bytesWithin(bob).has(annKey), bytesWithin(bob).has(cidKey)], [false, false]);
});

test('a replaced HPKE key is gone 15 minutes later', async () => {
  const room = await Room.of('ann');
  const [ann] = room.members;
  const old = hex((await ann.export()).identity.hpke[0].secret);
  room.clock.pass(HOUR);
  await ann.rotateIfDue();
  assert.ok(bytesWithin(ann).has(old));
  room.clock.pass(15 * MINUTE);
  await ann.rotateIfDue();
  assert.ok(!bytesWithin(ann).has(old));
});

test('an HPKE key is overwritten where it lies, and so is a closed identity', async () => {
  const [old, seed] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const identity = await Identity.create(0, { secret: old, seed, rotation: 0 });
  await identity.rotate(0);
  assert.ok(identity.hpkeKey(0, 15 * MINUTE - 1) && old[0] === 1);
  assert.equal(identity.hpkeKey(0, 15 * MINUTE), null);
  identity.erase();
  assert.deepEqual([old, seed].map(hex), ['00'.repeat(32), '00'.repeat(32)]);
  assert.throws(() => identity.public, /closed/);
});

test('a closed group holds no secret', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  await say(ann, bob, 'one');
  await deliver(bob, ann, (await bob.seal(text('two'))).frames);
  const state = await ann.export();
  const secrets = [state.identity.seed, ...state.identity.hpke.map(({ secret }) => secret), state.members[0].chains[0].ck].map(hex);
  for (const secret of secrets) assert.ok(bytesWithin(ann).has(secret));
  await ann.close();
  for (const secret of secrets) assert.ok(!bytesWithin(ann).has(secret));
});
