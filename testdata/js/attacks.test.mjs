// Each test is an attack, told in a comment: who the attacker is, what it has, what it tries. An attacker that is a member has the
// outer key and can seal any frame it likes; the relay has only what it carries, and says who posted it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { b64u, concat, u32 } from '../../static/js/lib/bytes.js';
import { Identity, memberId, signCard } from '../../static/js/crypto/keys.js';
import { CARD, dhPair, FrameSealer, KEYS, MESSAGE, MOVE, openFrame, recipient } from '../../static/js/crypto/suite.js';
import { sealKeys, sealMessage, sealMove } from '../../static/js/crypto/chains.js';
import { SendingChain } from '../../static/js/crypto/group.js';
import { deliver, flipped, HOUR, Room, say, text } from './helpers.mjs';
import { watchingChainKeys } from './walk.mjs';

/** Seals an inner of the attacker's making, as any member can. */
const asMember = (room, type, inner) => new FrameSealer(room.keys).seal(type, inner);
const innerOf = async (room, bytes) => (await openFrame(room.keys, bytes)).inner;

test('a removed or departed member reads nothing that is sent after', async () => {
  // Eve was in the room, holds Ann's chain, and still sees every frame (she kept a tap on the relay).
  const room = await Room.of('ann', 'bob', 'eve');
  const [ann, bob, eve] = room.members;
  await deliver(ann, eve, (await ann.seal(text('for all three'))).frames);
  await ann.left(eve.id);
  const { frames } = await ann.seal(text('without eve'));
  assert.equal((await eve.open(ann.id, frames[0].bytes)).forYou, false);
  assert.deepEqual([(await eve.open(ann.id, frames[1].bytes)).reason], ['before-you']);
  assert.equal((await deliver(ann, bob, frames)).kind, 'content');
});

test('a member that joins reads nothing that was sent before', async () => {
  // Eve recorded all frames before she was let in; now she has the root, the outer key and Ann's chain as it is.
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const recorded = (await ann.seal(text('before'))).frames;
  const eve = await room.join('eve');
  const { frames } = await ann.seal(text('after'));
  assert.equal((await deliver(ann, eve, frames)).content.body, 'after');
  assert.equal((await eve.open(ann.id, recorded[0].bytes)).kind, 'keys');
  assert.equal((await eve.open(ann.id, recorded[1].bytes)).reason, 'before-you');
  assert.equal((await deliver(ann, bob, [...recorded, ...frames])).content.body, 'after');
});

test('a member cannot speak as another', async () => {
  // Eve holds Ann's chain, so she can compute Ann's next message key. She seals a message under it, signs it herself, and the
  // relay helps her by naming Ann as the poster. She also has a true message of Ann's posted under her own name.
  const room = await Room.of('ann', 'bob', 'eve');
  const [ann, bob, eve] = room.members;
  const chain = new SendingChain(room.clock.ms, { e: 5, ck: new Uint8Array(32).fill(1) });
  const [annId, eveIdentity] = [await memberId(ann.secret), await Identity.create()];
  const place = { room: room.keys.room, from: annId.raw };
  const forged = await sealMessage(eveIdentity, place, await chain.next(), new TextEncoder().encode('{"k":"text"}'));
  assert.equal((await bob.open(ann.id, await asMember(room, MESSAGE, forged))).reason, 'bad-signature');
  const { frames } = await ann.seal(text('mine'));
  await deliver(ann, bob, frames.slice(0, 1));
  assert.equal((await bob.open(eve.id, frames[1].bytes)).reason, 'bad-signature');
  assert.equal((await deliver(ann, bob, frames.slice(1))).kind, 'content');
});

test('a member cannot replace the ciphertext of another\'s message', async () => {
  // Eve unwraps the outer layer of Ann's message, changes one byte of what is in it and wraps it again.
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const { frames } = await ann.seal(text('mine'));
  await deliver(ann, bob, frames.slice(0, 1));
  const inner = await innerOf(room, frames[1].bytes);
  for (let at = 0; at < inner.length; at++) {
    assert.equal((await bob.open(ann.id, await asMember(room, MESSAGE, flipped(inner, at)))).reason, 'bad-signature', `byte ${at}`);
  }
  assert.equal((await deliver(ann, bob, frames.slice(1))).kind, 'content', 'and Ann\'s own still opens');
});

test('a member cannot hand out keys or a new root in another\'s name', async () => {
  // Eve seals a chain, and a move to a root of hers, to Bob, and the relay names Ann as the poster.
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const [place, eve] = [{ room: room.keys.room, from: (await memberId(ann.secret)).raw }, await Identity.create()];
  const raw = (await memberId(bob.secret)).raw;
  const { identity } = await bob.export();
  const mine = identity.hpke.at(-1);
  const to = [{ raw, rotation: mine.rotation, to: await recipient((await dhPair(mine.secret)).public) }];
  const keys = await sealKeys(eve, place, { e: 2 ** 31, n: 0, ck: new Uint8Array(32) }, to);
  assert.equal((await bob.open(ann.id, await asMember(room, KEYS, keys))).reason, 'bad-signature');
  const move = await sealMove(eve, place, [], to, new Uint8Array(32));
  assert.equal((await bob.open(ann.id, await asMember(room, MOVE, move))).reason, 'bad-signature');
  assert.equal((await say(ann, bob, 'still fine')).kind, 'content');
});

test('a member cannot make a card for another, and a stranger\'s move is not followed', async () => {
  // Eve, who has the outer key, signs a card with Bob's member id under her own identity. Those who know Bob see him as changed and
  // seal him nothing until a person accepts; her frames in his name are told apart from his, and her move is not followed.
  const room = await Room.of('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  await say(ann, bob, 'one');
  const eve = await Identity.create(room.clock.ms + HOUR);
  const place = { room: room.keys.room, from: (await memberId(bob.secret)).raw };
  const card = await signCard(eve, { room: place.room, member: place.from, alias: 'bob', created: room.clock.ms });
  const learned = await ann.learn(bob.id, await asMember(room, CARD, card));
  assert.deepEqual([learned.status, learned.member.status, learned.member.key], ['changed', 'changed', bob.members()[0].key]);
  assert.equal(learned.member.newKey, b64u(eve.public));
  const { frames } = await ann.seal(text('not for eve'));
  assert.deepEqual(frames[0].to, [cid.id]);
  const said = await sealMessage(eve, place, await new SendingChain(0, { e: 1 }).next(), new Uint8Array(9));
  assert.equal((await ann.open(bob.id, await asMember(room, MESSAGE, said))).reason, 'changed');
  const move = await asMember(room, MOVE, await sealMove(eve, place, [], [], new Uint8Array(32)));
  assert.equal((await ann.open(bob.id, move)).reason, 'changed');
  assert.equal((await ann.open('AAAAAAAAAAAAAAAAAAAAAA', move)).reason, 'unknown-sender');
  // Bob himself is heard of again: his own identity was never distrusted.
  assert.equal((await ann.learn(bob.id, await bob.card())).status, 'same');
  assert.equal((await deliver(ann, bob, (await ann.seal(text('for bob'))).frames)).kind, 'content');
});

test('a changed member is sealed nothing until a person accepts it, and then nothing of its old identity counts', async () => {
  // Bob lost his device and came back with his member secret only; or somebody stole the secret. Nobody but a person can tell.
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  await say(bob, ann, 'old');
  const bob2 = await room.join('bob', { secret: bob.secret });
  assert.equal(ann.members()[1].status, 'changed');
  assert.deepEqual((await ann.seal(text('alone'))).frames.map(({ type }) => type), [MESSAGE]);
  assert.equal((await deliver(bob2, ann, (await bob2.seal(text('new'))).frames)).reason, 'changed');
  // Not even a move by the identity that was trusted is followed while there are two that claim the id.
  const { frame } = await bob.remove([]);
  assert.equal((await ann.open(bob.id, frame.bytes)).reason, 'changed');
  assert.equal(await ann.accept(bob.id), true);
  assert.equal(await ann.accept(bob.id), false);
  assert.equal((await say(ann, bob2, 'hello again')).kind, 'content');
  assert.equal((await deliver(bob, ann, (await bob.seal(text('from the old device'))).frames)).reason, 'bad-signature');
});

test('a card to which nothing can be sealed is refused, so that it does not silence others', async () => {
  // Eve publishes a card whose HPKE key is a low-order point: sealing to it throws, and with it every keys frame of everybody.
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const secret = new Uint8Array(32).fill(3);
  const { id, raw } = await memberId(secret);
  const eve = await Identity.create();
  const evil = { get hpke() { return { rotation: 1, x25519: new Uint8Array(32) }; }, public: eve.public, sign: (...args) => eve.sign(...args) };
  const card = await signCard(evil, { room: room.keys.room, member: raw, alias: 'eve', created: 1 });
  assert.equal((await ann.learn(id, await asMember(room, CARD, card))).status, 'bad');
  assert.equal((await say(ann, bob, 'heard')).kind, 'content');
});

test('the relay cannot replay', async () => {
  // The relay delivers everything twice, and once more after a new chain; an old card once more after a newer one.
  const room = await Room.of('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  const all = [...(await ann.seal(text('one'))).frames, ...(await ann.seal(text('two'))).frames];
  await deliver(ann, bob, all);
  for (const { bytes } of all) assert.equal((await bob.open(ann.id, bytes)).kind, 'repeat');
  await room.leave(cid);
  await say(ann, bob, 'three');
  room.clock.pass(2 * HOUR);
  for (const { type, bytes } of all) {
    const { kind, reason } = await bob.open(ann.id, bytes);
    assert.deepEqual([kind, reason], ['repeat', undefined], `type ${type}`);
  }
});

test('the relay cannot swap posters, types or rooms', async () => {
  // The relay names Cid as the poster of Ann's frames; it changes a frame's type; it delivers it into another room of the same people.
  const room = await Room.of('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  const elsewhere = await Room.of();
  const bobElsewhere = await elsewhere.join('bob');
  const [annElsewhere] = [await elsewhere.join('ann', { secret: ann.secret })];
  const { frames } = await ann.seal(text('one'));
  const { frame: move } = await ann.remove([cid.id]);
  for (const { bytes, type } of [...frames, move]) {
    assert.equal((await bob.open(cid.id, bytes)).reason, 'bad-signature');
    assert.equal((await bobElsewhere.open(annElsewhere.id, bytes)).reason, 'damaged');
    for (const other of [1, 2, 3, 4, 5].filter((t) => t !== type)) {
      assert.equal((await bob.open(ann.id, flipped(bytes, 1).with(1, other))).reason, 'damaged');
    }
  }
  assert.equal((await bob.learn(cid.id, await ann.card())).status, 'bad');
  assert.equal((await bobElsewhere.learn(ann.id, await ann.card())).status, 'bad');
});

test('a member cannot carry signed bytes into another room', async () => {
  // Eve is in two rooms with Ann and wraps what Ann said in the one for the other. The signature names the room.
  const [here, there] = [await Room.of('ann', 'bob'), await Room.of()];
  const [ann] = here.members;
  const annThere = await there.join('ann', { secret: ann.secret, identity: await Identity.import((await ann.export()).identity, here.clock.ms) });
  const bobThere = await there.join('bob');
  const { frames } = await ann.seal(text('for this room'));
  for (const { type, bytes } of frames) {
    const carried = await asMember(there, type, await innerOf(here, bytes));
    assert.equal((await bobThere.open(annThere.id, carried)).reason, 'bad-signature');
  }
  const card = await asMember(there, CARD, await innerOf(here, await ann.card()));
  assert.equal((await bobThere.learn(ann.id, card)).status, 'bad');
});

test('late or reordered frames are accepted at most once, and nothing goes back', async () => {
  // The relay holds back a keys frame of chain 1 until chain 2 is in use, and then delivers chain 1 whole.
  const room = await Room.of('ann', 'bob', 'cid');
  const [ann, bob, cid] = room.members;
  const first = (await ann.seal(text('one'))).frames;
  await room.leave(cid);
  const second = (await ann.seal(text('two'))).frames;
  assert.equal((await deliver(ann, bob, second)).kind, 'content');
  assert.equal((await bob.open(ann.id, first[0].bytes)).kind, 'repeat');
  assert.equal((await bob.open(ann.id, first[1].bytes)).reason, 'before-you', 'told, not dropped');
  assert.equal((await say(ann, bob, 'three')).kind, 'content');
});

test('a sender cannot make a reader walk far', async () => {
  // Eve signs a message with number 2^32 - 1: a reader that followed would compute four thousand million keys. 2,000 ahead is the end.
  const room = await Room.of('ann');
  const [ann] = room.members;
  const eve = await Identity.create(room.clock.ms);
  const member = await memberId(new Uint8Array(32).fill(9));
  const place = { room: room.keys.room, from: member.raw };
  const card = await signCard(eve, { ...place, member: member.raw, alias: 'eve', created: 1 });
  await ann.learn(member.id, await asMember(room, CARD, card));
  const { identity } = await ann.export();
  const mine = identity.hpke.at(-1);
  const to = [{ raw: (await memberId(ann.secret)).raw, rotation: mine.rotation, to: await recipient((await dhPair(mine.secret)).public) }];
  await ann.open(member.id, await asMember(room, KEYS, await sealKeys(eve, place, { e: 1, n: 0, ck: new Uint8Array(32) }, to)));
  const { key } = await new SendingChain(0, { e: 1 }).next();
  for (const n of [2001, 2 ** 32 - 1]) {
    const far = await sealMessage(eve, place, { e: 1, n, key }, new Uint8Array(9));
    const before = process.cpuUsage();
    assert.equal((await ann.open(member.id, await asMember(room, MESSAGE, far))).reason, 'damaged');
    assert.ok(process.cpuUsage(before).user < 200_000, 'microseconds of the processor');
  }
});

test('a forged number makes no reader walk at all', async () => {
  // Eve cannot sign as Ann; she wraps a message of Ann's with its number set 2,000 ahead, again and again.
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  await say(ann, bob, 'one');
  const inner = await innerOf(room, (await ann.seal(text('two'))).frames[0].bytes);
  inner.set(u32(2000), 4);
  const forged = await asMember(room, MESSAGE, inner);
  const walked = await watchingChainKeys(async () => assert.equal((await bob.open(ann.id, forged)).reason, 'bad-signature'));
  assert.deepEqual(walked, []);
});

test('a flipped bit anywhere in any kind of frame, and every truncation, is refused', async () => {
  // The relay flips one bit of each byte in turn, and cuts each frame short at each length.
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const { frames } = await ann.seal(text('one'));
  const { frame: move } = await ann.remove([]);
  const card = await ann.card();
  for (const { bytes } of [...frames, move]) {
    for (let at = 0; at < bytes.length; at++) {
      const { kind, reason } = await bob.open(ann.id, flipped(bytes, at));
      assert.deepEqual([kind, reason], ['failed', at === 0 ? 'unknown-type' : 'damaged'], `byte ${at}`);
    }
    for (let length = 0; length < bytes.length; length += 7) assert.equal((await bob.open(ann.id, bytes.slice(0, length))).kind, 'failed');
    assert.equal((await bob.open(ann.id, concat(bytes, new Uint8Array(1)))).kind, 'failed');
  }
  for (let at = 0; at < card.length; at++) assert.equal((await bob.learn(ann.id, flipped(card, at))).status, 'bad');
  assert.equal((await deliver(ann, bob, frames)).kind, 'content', 'nothing of this changed what Bob knows');
});

test('a flipped bit anywhere inside keys, moves and cards is refused', async () => {
  // The attacker is a member, so the outer seal does not stop it: it changes the inner bytes and seals them again.
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  const { frames } = await ann.seal(text('one'));
  const { frame: move } = await ann.remove([]);
  for (const { type, bytes } of [frames[0], move]) {
    const inner = await innerOf(room, bytes);
    for (let at = 0; at < inner.length; at++) {
      const result = await bob.open(ann.id, await asMember(room, type, flipped(inner, at)));
      assert.equal(result.kind, 'failed', `type ${type} byte ${at}`);
    }
    for (const length of [0, 1, 9, inner.length - 1]) {
      assert.equal((await bob.open(ann.id, await asMember(room, type, inner.slice(0, length)))).kind, 'failed');
    }
  }
  const card = await innerOf(room, await ann.setAlias('Annie'));
  for (let at = 0; at < card.length; at++) assert.equal((await bob.learn(ann.id, await asMember(room, CARD, flipped(card, at)))).status, 'bad');
});

test('content that is no content is damaged, whoever signed it', async () => {
  // A member's own program is broken or hostile: it seals what is not JSON, or JSON without a kind.
  const room = await Room.of('ann', 'bob');
  const [ann, bob] = room.members;
  for (const content of [null, 7, 'text', [], {}, { k: 5 }]) {
    const { frames } = await ann.seal(content);
    assert.equal((await deliver(ann, bob, frames)).reason, 'damaged', JSON.stringify(content));
  }
  assert.equal((await say(ann, bob, 'fine')).kind, 'content');
});

test('two members with one chain number do not open each other\'s messages', async () => {
  // Eve copies e and n of Ann; keys are held by sender, and sender is in the aad and the signature.
  const room = await Room.of('ann', 'bob', 'eve');
  const [ann, bob, eve] = room.members;
  const [a, b] = [await say(ann, bob, 'a'), await say(eve, bob, 'b')];
  assert.deepEqual([a.e, a.n, a.content.body, b.content.body], [b.e, b.n, 'a', 'b']);
});
