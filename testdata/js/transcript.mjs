// Prints transcripts that the browser's code made just now, in the form of testdata/vectors/group.json (see the README there). A
// test of client/e2ee runs this and opens all of it:    node testdata/js/transcript.mjs
import { pathToFileURL } from 'node:url';
import { random } from '../../static/js/lib/bytes.js';
import { Identity, memberId, newLinkRoot, newMemberSecret, roomKeys, signCard } from '../../static/js/crypto/keys.js';
import { CARD, FrameSealer, KEYS, MESSAGE, MOVE, openFrame, WAITING } from '../../static/js/crypto/suite.js';
import { Group, SendingChain } from '../../static/js/crypto/group.js';
import { sealMessage, sealMove } from '../../static/js/crypto/chains.js';
import { Clock, flipped, hex, HOUR, MINUTE, text } from './helpers.mjs';
import { lockOf, seen } from './play.mjs';

const NAMES = { [CARD]: 'card', [KEYS]: 'keys', [MESSAGE]: 'message', [MOVE]: 'move', [WAITING]: 'waiting' };

/** Plays a scene with real groups and writes down what happens. */
class Recorder {
  clock = new Clock();
  steps = [];
  written = {};
  present = new Map();

  static async of(name) {
    const recorder = new Recorder();
    recorder.name = name;
    recorder.root = newLinkRoot();
    recorder.keys = await roomKeys(recorder.root);
    return recorder;
  }

  /** A member of the transcript; the others do not hear of it yet. */
  async enter(name, secret = newMemberSecret()) {
    const group = await Group.create({ keys: this.keys, secret, alias: name, clock: this.clock.read });
    const { seed } = (await group.export()).identity;
    this.written[name] = { id: group.id, secret: hex(secret), seed: hex(seed), alias: name, hpke: [] };
    this.present.set(name, group);
    await this.#noteKeys();
    return group;
  }

  async join(name) {
    const others = [...this.present.keys()];
    await this.enter(name);
    await this.card(name, ...others);
    for (const other of others) await this.card(other, name);
  }

  async card(who, ...to) {
    const group = this.present.get(who);
    await this.cardFrame(group.id, `card of ${who}`, await group.card(), ...to);
  }

  cardFrame(from, note, frame, ...to) {
    return this.#step({ do: 'card', from, note, frame: hex(frame) }, to, async (group) => ({ kind: 'card', status: (await group.learn(from, frame)).status }));
  }

  ahead(who, ...to) {
    const group = this.present.get(who);
    return group.card().then((frame) => this.#step({ do: 'ahead', from: group.id, note: `${who}, in a list`, frame: hex(frame) }, to,
      async (other) => ({ kind: 'card', status: (await other.learn(group.id, frame, true)).status })));
  }

  lock(...to) {
    return this.#step({ do: 'lock' }, to, async (group) => lockOf(group));
  }

  frame(from, note, frame, ...to) {
    return this.#step({ do: 'frame', from, note, frame: hex(frame) }, to, async (group) => {
      const found = seen(await group.open(from, frame));
      return found.content ? { ...found, content: JSON.stringify(found.content) } : found;
    });
  }

  async say(who, body, ...to) {
    const { frames } = await this.present.get(who).seal(text(body));
    await this.hand(who, frames, ...to);
    return frames;
  }

  async hand(who, frames, ...to) {
    for (const { type, bytes } of frames) await this.frame(this.present.get(who).id, `${NAMES[type]} of ${who}`, bytes, ...to);
  }

  async leave(who) {
    const { id } = this.present.get(who);
    const rest = [...this.present.keys()].filter((name) => name !== who);
    await this.#step({ do: 'left', from: id, note: `${who} left` }, rest, async (group) => (await group.left(id), { kind: 'left' }));
  }

  accept(from, ...to) {
    return this.#step({ do: 'accept', from }, to, async (group) => ({ kind: (await group.accept(from)) ? 'accept' : 'none' }));
  }

  safety(...to) {
    return this.#step({ do: 'safety' }, to, async (group) => ({ kind: 'safety', code: await group.safetyCode() }));
  }

  async rotate(who) {
    await this.present.get(who).rotateIfDue();
    await this.#noteKeys();
  }

  async #step(step, to, take) {
    const sees = {};
    for (const name of to) sees[name] = await take(this.present.get(name));
    this.steps.push({ at: this.clock.ms, ...step, sees });
  }

  /** HPKE keys as they are now; those that are erased later stay written, with the time when. */
  async #noteKeys() {
    for (const [name, group] of this.present) {
      for (const { rotation, secret, until } of (await group.export()).identity.hpke) {
        const { hpke } = this.written[name];
        const known = hpke.find((key) => key.rotation === rotation) ?? hpke[hpke.push({ rotation, private: hex(secret) }) - 1];
        known.until = Number.isFinite(until) ? until : 0;
      }
    }
  }

  done() {
    return { name: this.name, root: hex(this.root), room: this.keys.roomId, members: this.written, steps: this.steps };
  }
}

async function sceneTalk() {
  const scene = await Recorder.of('browser: join, talk, leave');
  for (const name of ['ann', 'bob', 'cid']) await scene.join(name);
  await scene.safety('ann', 'bob', 'cid');
  await scene.say('ann', 'hello', 'bob', 'cid');
  await scene.say('bob', 'žluťoučký kůň 👋', 'ann', 'cid');
  const ann = scene.present.get('ann');
  const later = [];
  for (let i = 0; i < 4; i++) later.push((await ann.seal(text(`${i}`))).frames[0].bytes);
  for (const i of [3, 1, 1, 0]) await scene.frame(ann.id, 'out of order', later[i], 'bob', 'cid');
  scene.clock.pass(MINUTE);
  await scene.join('dan');
  await scene.frame(ann.id, 'from before dan came', later[2], 'bob', 'dan');
  await scene.say('ann', 'welcome', 'bob', 'cid', 'dan');
  await scene.leave('cid');
  const frames = await scene.say('ann', 'not for cid', 'bob', 'cid', 'dan');
  await scene.hand('ann', frames, 'bob');
  await scene.safety('ann', 'bob', 'dan');
  scene.clock.pass(HOUR);
  await scene.frame(ann.id, 'its key is erased', later[2], 'cid');
  return scene.done();
}

async function sceneRotation() {
  const scene = await Recorder.of('browser: chains and HPKE keys rotate');
  for (const name of ['ann', 'bob']) await scene.join(name);
  for (let i = 0; i < 102; i++) await scene.say('ann', `${i}`, 'bob');
  scene.clock.pass(HOUR);
  await scene.rotate('bob');
  await scene.say('ann', 'sealed to the key before', 'bob');
  await scene.card('bob', 'ann');
  await scene.present.get('ann').owe(scene.present.get('bob').id);
  scene.clock.pass(HOUR);
  await scene.say('ann', 'sealed to the new key', 'bob');
  return scene.done();
}

/** What a member with the outer key, and a relay that helps it, can try. */
async function sceneForgery() {
  const scene = await Recorder.of('browser: forgeries');
  for (const name of ['ann', 'bob']) await scene.join(name);
  const [ann, bob] = [scene.present.get('ann'), scene.present.get('bob')];
  const frames = await scene.say('ann', 'mine', 'bob');
  const { bytes } = frames.at(-1);
  for (const at of [0, 1, 2, 20, 30, bytes.length - 1]) await scene.frame(ann.id, `byte ${at} changed`, flipped(bytes, at), 'bob');
  await scene.frame(bob.id, 'another poster', bytes, 'ann');
  const stranger = (await memberId(random(32))).id;
  await scene.frame(stranger, 'a stranger', bytes, 'bob');
  await scene.cardFrame(stranger, 'card under another id', await ann.card(), 'bob');
  const { inner } = await openFrame(scene.keys, bytes);
  const outer = new FrameSealer(scene.keys);
  for (const at of [3, 7, 9, inner.length - 1]) {
    await scene.frame(ann.id, `inner byte ${at} changed`, await outer.seal(MESSAGE, flipped(inner, at)), 'bob');
  }
  await scene.frame(ann.id, 'of a kind from the future', await outer.seal(77, random(9)), 'bob');
  await scene.say('ann', 'still here', 'bob');
  return scene.done();
}

async function sceneChanged() {
  const scene = await Recorder.of('browser: a changed identity');
  for (const name of ['ann', 'bob']) await scene.join(name);
  const secret = Buffer.from(scene.written.bob.secret, 'hex');
  await scene.say('bob', 'before', 'ann');
  const place = { room: scene.keys.room, from: (await memberId(new Uint8Array(secret))).raw };
  const other = await Identity.create(scene.clock.ms);
  const outer = new FrameSealer(scene.keys);
  const card = await signCard(other, { room: place.room, member: place.from, alias: 'bob', created: scene.clock.ms });
  const { id } = scene.present.get('bob');
  await scene.cardFrame(id, 'another identity for bob', await outer.seal(CARD, card), 'ann');
  const step = await new SendingChain(scene.clock.ms).next();
  const message = await sealMessage(other, place, step, new TextEncoder().encode('{"k":"text"}'));
  await scene.frame(id, 'signed by the new identity', await outer.seal(MESSAGE, message), 'ann');
  await scene.frame(id, 'moved by the new identity', await outer.seal(MOVE, await sealMove(other, place, [], [], random(32))), 'ann');
  await scene.accept(id, 'ann');
  await scene.safety('ann');
  await scene.say('bob', 'by the old identity', 'ann');
  return scene.done();
}

async function sceneMove() {
  const scene = await Recorder.of('browser: eve is removed');
  for (const name of ['ann', 'bob', 'eve']) await scene.join(name);
  await scene.say('ann', 'one', 'bob', 'eve');
  const [ann, eve] = [scene.present.get('ann'), scene.present.get('eve')];
  const { frame } = await ann.remove([eve.id]);
  await scene.frame(eve.id, 'posted by another', frame.bytes, 'bob');
  await scene.hand('ann', [frame], 'bob', 'eve');
  return scene.done();
}

/** Whoever is asked what it knows of the lock has only listened, as a reader of the transcript does. */
async function sceneLock() {
  const scene = await Recorder.of('browser: locked, let in, opened');
  for (const name of ['ann', 'bob', 'cid']) await scene.join(name);
  const eve = await scene.enter('eve');
  const [ann, bob, cid] = ['ann', 'bob', 'cid'].map((name) => scene.present.get(name));
  const tell = async (who, content, ...to) => scene.hand(who, (await scene.present.get(who).seal(content)).frames, ...to);
  await scene.ahead('eve', 'cid');
  await tell('ann', await ann.lock(true), 'bob', 'cid');
  await scene.card('eve', 'ann', 'bob', 'cid');
  for (const name of ['ann', 'bob', 'cid']) await scene.card(name, 'eve');
  await scene.lock('cid');
  await scene.say('eve', 'let me in', 'bob', 'cid');
  await tell('eve', await eve.lock(false), 'bob', 'cid');
  await tell('eve', { k: 'admit', id: eve.id, key: eve.members()[0].key }, 'bob', 'cid');
  await scene.hand('eve', [(await eve.remove([ann.id])).frame, await eve.tellWaiting([cid.id])], 'bob', 'cid');
  await scene.hand('bob', [await bob.tellWaiting([eve.id])], 'cid', 'eve');
  await scene.say('bob', 'nothing for eve', 'cid', 'eve');
  await scene.enter('mal');
  await scene.card('mal', 'ann', 'bob', 'cid', 'eve');
  await scene.lock('cid', 'eve');
  for (const content of await bob.admit(eve.id)) await tell('bob', content, 'cid', 'eve');
  await scene.lock('cid', 'eve');
  await scene.safety('cid', 'eve');
  await scene.say('cid', 'welcome', 'bob', 'eve');
  await tell('ann', await ann.lock(false), 'bob', 'cid', 'eve');
  await scene.lock('cid', 'eve');
  return scene.done();
}

/** All scenes, played anew. */
export async function transcripts() {
  const scenes = [];
  for (const scene of [sceneTalk, sceneRotation, sceneForgery, sceneChanged, sceneMove, sceneLock]) scenes.push(await scene());
  return { transcript: scenes };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(`${JSON.stringify(await transcripts())}\n`);
}
