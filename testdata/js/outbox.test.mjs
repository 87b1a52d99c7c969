// The outbox against a session that answers as told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockedError, NetworkError } from '../../static/js/net/relay.js';
import { KEYS, MESSAGE } from '../../static/js/crypto/suite.js';
import { Outbox } from '../../static/js/room/connection.js';

test('what the network calls too big fails with a sentence, and the next goes out', { timeout: 10_000 }, async () => {
  const told = [];
  const posts = [];
  const owed = [];
  let resolve;
  const sent = new Promise((done) => (resolve = done));
  const outbox = new Outbox({
    async seal({ size }) {
      return [
        { type: KEYS, bytes: new Uint8Array(10), to: ['ben'] },
        { type: MESSAGE, bytes: new Uint8Array(size) },
      ];
    },
    async post(id, { length }) {
      posts.push(length);
      if (length > 1024) throw new BlockedError({ status: 413, contentType: 'text/html', hint: 'too big for the network (413)' });
      return { id, cursor: `E.${posts.length}`, members: 2, online: 2 };
    },
    roster: () => 1,
    read: () => 0,
    epoch: () => 'E',
    owe: async (ids) => void owed.push(...ids),
    posted() {},
    sealed: async () => {},
    tell(key, state, reason) {
      told.push([key, state, reason]);
      if (key === 'small' && state === 'sent') resolve();
    },
  });
  outbox.add({ key: 'big', content: { size: 300 << 10 } });
  outbox.add({ key: 'small', content: { size: 100 } });
  outbox.poke();
  await sent;
  assert.deepEqual(told, [
    ['big', 'failed', 'too big for this network, which refuses a message of 300 KiB; send less at a time (413)'],
    ['small', 'sent', ''],
  ]);
  assert.deepEqual(posts, [10, 300 << 10, 10, 100]); // its keys had gone out before; no second try
  assert.deepEqual(owed, []);
});

test('what all who are left have, behind a move that is not read yet, goes out again', { timeout: 10_000 }, async () => {
  for (const [read, again] of [[1, ['one']], [4, []]]) {
    const all = await new Promise((done) => {
      const outbox = new Outbox({
        seal: async () => [{ type: MESSAGE, bytes: new Uint8Array(1) }],
        post: async (id) => ({ id, cursor: 'E.3', members: 1, online: 1 }),
        roster: () => 1,
        read: () => read,
        epoch: () => 'E',
        posted() {},
        sealed: async () => {},
        tell: (_, state) => state === 'all' && done(outbox),
      });
      outbox.acked(3);
      outbox.add({ key: 'one', content: {} });
      outbox.poke();
    });
    assert.deepEqual(all.left(2).map(({ key }) => key), again);
  }
});

test('nothing overtakes what a restarted relay is told again, and no number of an old list is believed', { timeout: 10_000 }, async () => {
  let [epoch, up, roster, posts] = ['E', true, 7, []];
  const [waits, seals] = [[], []];
  const turn = () => new Promise((done) => setImmediate(done));
  const until = async (so) => {
    while (!so()) await turn();
  };
  const outbox = new Outbox({
    async seal({ name }) {
      if (name === 'three') await new Promise((done) => seals.push(done));
      return [{ type: KEYS, bytes: new TextEncoder().encode(`keys ${name}`) }, { type: MESSAGE, bytes: new TextEncoder().encode(name) }];
    },
    async post(id, bytes, number) {
      if (!up) throw new NetworkError('the relay is away');
      posts.push([new TextDecoder().decode(bytes), number]);
      return { id, cursor: `${epoch}.${posts.length}`, members: 2, online: 2 };
    },
    roster: () => roster,
    read: () => 0,
    epoch: () => epoch,
    posted() {},
    sealed: async () => {},
    tell: (key, state) => state === 'queued' && waits.push(key),
  });
  const say = (name) => outbox.add({ key: name, content: { name } });
  outbox.poke();
  say('one');
  await until(() => posts.length === 2);
  up = false;
  say('two');
  await until(() => waits.length === 1);
  // The relay is back, and empty. It has taken us in, the network is known to be there, and we still learn who is in the room.
  [up, epoch, roster, posts] = [true, 'F', 3, []];
  outbox.hold();
  outbox.poke();
  for (let i = 0; i < 10; i++) await turn();
  assert.deepEqual(posts, []);
  outbox.goOn(true);
  await until(() => posts.length === 4);
  assert.deepEqual(posts, [['keys one', null], ['one', null], ['keys two', null], ['two', 0]]);
  // It restarts once more while a message is sealed for the list before.
  say('three');
  await until(() => seals.length === 1);
  [epoch, roster, posts] = ['G', 2, []];
  outbox.hold();
  outbox.goOn(true);
  seals[0]();
  await until(() => posts.length === 6);
  assert.deepEqual(posts.slice(4), [['keys three', null], ['three', 0]]);
});
