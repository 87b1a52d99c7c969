import assert from 'node:assert/strict';
import test from 'node:test';
import { b64u, concat, random, unb64u } from '../../static/js/lib/bytes.js';
import { Identity, newLinkRoot, roomKeys } from '../../static/js/crypto/keys.js';
import { KnockAsker, KnockHost } from '../../static/js/crypto/knock.js';
import { Room } from './helpers.mjs';

async function knocking() {
  const room = await Room.of('ann');
  const asker = await KnockAsker.create(room.keys.room);
  const host = await room.members[0].answerKnock(asker.commit);
  return { room, asker, host };
}

test('a knock that goes well: the same six digits on both screens, then the root', async () => {
  const { room, asker, host } = await knocking();
  const { reveal, code } = await asker.answered(host.answer);
  assert.match(code, /^\d{6}$/);
  assert.equal(await host.revealed(reveal), code);
  assert.deepEqual(await asker.opened(await host.approve()), room.keys.root);
});

test('each step works once, in its turn', async () => {
  const { asker, host } = await knocking();
  await assert.rejects(host.approve(), /knock again/);
  const fresh = await knocking();
  const { reveal } = await fresh.asker.answered(fresh.host.answer);
  await fresh.host.revealed(reveal);
  await assert.rejects(fresh.host.revealed(reveal), /knock again/);
  await assert.rejects(fresh.host.approve(), /knock again/);
  await assert.rejects(fresh.asker.answered(b64u(new Uint8Array(64))), /knock again/);
  await assert.rejects(asker.opened('AA'), /knock again/);
  assert.throws(() => host.answer, /knock again/);
});

test('a machine in the middle shows two different codes', async () => {
  // It answers the stranger in the member's place, with an identity and nonce of its own, and knocks at the member itself. To show
  // equal digits it would have to choose its key after seeing what the other side commits to; it has one guess in a million.
  const { room, asker, host } = await knocking();
  const mitm = await Identity.create();
  const [mitmAsker, mitmHost] = [await KnockAsker.create(room.keys.room), new KnockHost(room.keys, mitm, asker.commit)];
  const hostForMitm = await room.members[0].answerKnock(mitmAsker.commit);
  const { code } = await asker.answered(mitmHost.answer);
  const onTheOtherScreen = await hostForMitm.revealed((await mitmAsker.answered(hostForMitm.answer)).reveal);
  assert.notEqual(code, onTheOtherScreen);
  host.close();
});

test('a machine in the middle cannot change its key after the commitment', async () => {
  const { room, asker, host } = await knocking();
  const other = await KnockAsker.create(room.keys.room);
  await asker.answered(host.answer);
  const { reveal } = await other.answered(host.answer);
  await assert.rejects(host.revealed(reveal), /Somebody changed this knock/);
  await assert.rejects(host.approve(), /knock again/);
});

test('a root from anybody else, or changed on its way, is refused, and there is one try', async () => {
  // The relay, or another member, saw the stranger's key and all notes: it seals the true room's root to it, under its own signature.
  const run = async (tamper) => {
    const { room, asker, host } = await knocking();
    const { reveal } = await asker.answered(host.answer);
    await host.revealed(reveal);
    await assert.rejects(asker.opened(await tamper({ room, asker, host, reveal })));
    await assert.rejects(asker.opened(await host.approve().catch(() => '')), /knock again/);
  };
  await run(async ({ room, asker, reveal }) => {
    const other = new KnockHost(room.keys, await Identity.create(), asker.commit);
    await other.revealed(reveal);
    return other.approve();
  });
  for (const at of [0, 31, 32, 79, 80, 143]) {
    await run(async ({ host }) => {
      const note = unb64u(await host.approve());
      note[at] ^= 1;
      return b64u(note);
    });
  }
  await run(async ({ host }) => (await host.approve()).slice(0, -4));
  await run(async ({ host }) => b64u(concat(unb64u(await host.approve()), new Uint8Array(1))));
});

test('a machine in the middle cannot say that the stranger comes as somebody else', async () => {
  const room = await Room.of('Ann');
  const as = { member: random(16), identity: random(32) };
  for (const at of [-1, 0, 16, 79]) {
    const asker = await KnockAsker.create(room.keys.room, as);
    const host = await room.members[0].answerKnock(asker.commit);
    const { reveal, as: said, code } = await asker.answered(host.answer);
    const note = unb64u(/** @type {string} */ (said));
    if (at < 0) {
      assert.equal(await host.revealed(reveal, said), code);
      assert.deepEqual(host.arrival, { id: b64u(as.member), key: b64u(as.identity) });
      continue;
    }
    note[at] ^= 1;
    await assert.rejects(host.revealed(reveal, b64u(note)), /Do not let it in/);
    await assert.rejects(host.approve(), /knock again/);
    assert.equal(host.arrival, null);
  }
  const asker = await KnockAsker.create(room.keys.room, as);
  const host = await room.members[0].answerKnock(asker.commit);
  const { reveal, code } = await asker.answered(host.answer);
  assert.equal(await host.revealed(reveal), code); // nobody said as whom: then nobody is let in ahead
  assert.equal(host.arrival, null);
});

test('a member that is asked cannot let the stranger into another room unnoticed', async () => {
  // Mallory, a true member whose code was compared, sends the root of a room of her own.
  const { room, asker } = await knocking();
  const elsewhere = await roomKeys(newLinkRoot());
  const mallory = new KnockHost({ ...room.keys, root: elsewhere.root }, await Identity.create(), asker.commit);
  const { reveal, code } = await asker.answered(mallory.answer);
  assert.equal(await mallory.revealed(reveal), code);
  await assert.rejects(asker.opened(await mallory.approve()), /another room/);
});
