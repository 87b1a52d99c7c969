// The outbox against a session that answers as told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockedError } from '../../static/js/net/relay.js';
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
