import assert from 'node:assert/strict';
import test from 'node:test';
import { Group } from '../../static/js/crypto/group.js';
import { newDeviceKey, unwrap, wrap } from '../../static/js/crypto/keep.js';
import { flipped, Room, say } from './helpers.mjs';

test('a kept room comes back from its sealed bytes, and only under its name, its key and whole', async () => {
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  await say(ann, bob, 'one');
  const key = await newDeviceKey();
  assert.equal(key.extractable, false);
  const state = await bob.export();
  const wrapped = await wrap(key, room.keys.roomId, state);
  const unwrapped = await unwrap(key, room.keys.roomId, wrapped);
  assert.deepEqual(unwrapped, state);
  const back = await Group.import(unwrapped, { keys: room.keys, secret: bob.secret, clock: room.clock.read });
  assert.equal((await say(ann, back, 'two')).content.body, 'two');
  await assert.rejects(unwrap(key, 'another', wrapped));
  await assert.rejects(unwrap(await newDeviceKey(), room.keys.roomId, wrapped));
  for (const at of [0, 12, wrapped.length - 1]) await assert.rejects(unwrap(key, room.keys.roomId, flipped(wrapped, at)));
});
