// @ts-check
import { b64u, concat, equal, fromUtf8, Reader, u16, u32, u8 } from '../lib/bytes.js';
import * as hpke from './suite.js';
import { aesFrom, aesKey, CARD, gcmOpen, gcmSeal, hkdfKey, KEYS, label, MESSAGE, MOVE, NewerFrame, openFrame, SIG, verify, X, WAITING } from './suite.js';

/**
 * The chains of one sender as a receiver holds them. The key of a message that was read cannot be computed from anything that is
 * still held. Chain keys are arrays so that they can be overwritten; a message key lives inside WebCrypto, or as an array while it
 * waits for a message that was overtaken. One's own chain is in sender.js.
 */

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */

const HOUR = 60 * 60 * 1000;
const MAX_SKIPPED = 2000;
// A sender starts a chain per leave, so more than one can be superseded within the hour; no honest one needs more than a few.
const MAX_CHAINS = 8;
// Chains remembered without any key, to tell a repeat from a message whose key is erased.
const MAX_RECORDS = 256;

/** @typedef {{n: number, key: Bytes, until: number}} Skipped */

/**
 * One chain of a sender as a receiver holds it. first and next bound the messages it was good for; of those, the ones still
 * awaited are in skipped, or in lost once their key was erased unread. ck is null when the chain is past its hour.
 * @typedef {object} Held
 * @property {number} e
 * @property {number} first
 * @property {number} next
 * @property {Bytes | null} ck
 * @property {number} until when ck is erased, ms since 1970; Infinity for the current chain
 * @property {Map<number, Skipped>} skipped
 * @property {Set<number>} lost
 */

/** @typedef {'repeat' | 'before-you' | 'expired' | 'damaged'} Refusal */
/** @typedef {{e: number, first: number, next: number, ck: Bytes | null, until: number, skipped: Skipped[], lost: number[]}} HeldState */

/**
 * The key of one message, not yet taken: commit when the message proved genuine, discard otherwise.
 * @typedef {{key: CryptoKey, commit: () => void, discard: () => void}} Claim
 */

/** All chains of one sender. The caller sees to it that calls do not overlap. */
export class ReceivingChains {
  /** @type {Held[]} newest last */
  #held = [];

  get newest() {
    return this.#held.length ? this.#held[this.#held.length - 1].e : -1;
  }

  /**
   * Starts the sender's next chain. Owns ck from here on.
   * @param {number} e
   * @param {number} n
   * @param {Bytes} ck
   * @param {number} now
   * @returns {boolean} false if the sender was there already: chains are never turned back
   */
  start(e, n, ck, now) {
    this.sweep(now);
    if (e === this.newest && this.#resume(n, ck)) return true;
    if (e <= this.newest) {
      ck.fill(0);
      return false;
    }
    for (const chain of this.#held) chain.until = Math.min(chain.until, now + HOUR);
    this.#held.push({ e, first: n, next: n, ck, until: Infinity, skipped: new Map(), lost: new Set() });
    for (const chain of this.#held.slice(0, -MAX_CHAINS)) retire(chain);
    this.#held = this.#held.slice(-MAX_RECORDS);
    return true;
  }

  /**
   * Takes up the newest chain again after its key was erased (its sender had left, and is back): forward only.
   * @param {number} n
   * @param {Bytes} ck
   */
  #resume(n, ck) {
    const chain = this.#held[this.#held.length - 1];
    if (chain.ck || n < chain.next || n - chain.next > MAX_SKIPPED) return false;
    for (let missed = chain.next; missed < n; missed++) addLost(chain, missed);
    [chain.ck, chain.next, chain.until] = [ck, n, Infinity];
    return true;
  }

  /**
   * Whether chain e, or a later one, is still to come, so that it helps to ask the sender for its keys.
   * @param {number} e
   */
  lacks(e) {
    return e > this.newest || (e === this.newest && this.#held[this.#held.length - 1].ck === null);
  }

  /**
   * Whether (e, n) is the very next message of a chain, so that its key is had without walking over others.
   * @param {number} e
   * @param {number} n
   */
  expects(e, n) {
    return this.#held.some((chain) => chain.e === e && chain.next === n);
  }

  /**
   * The key of message (e, n), or why there is none.
   * @param {number} e
   * @param {number} n
   * @param {number} now
   * @returns {Promise<Claim | Refusal>}
   */
  async claim(e, n, now) {
    this.sweep(now);
    const chain = this.#held.find((held) => held.e === e);
    if (!chain) return e < (this.#held[0]?.e ?? 0) && this.#held.length === MAX_RECORDS ? 'expired' : 'before-you';
    if (n < chain.first) return 'before-you';
    if (n < chain.next) return claimSkipped(chain, n);
    if (!chain.ck) return 'expired';
    if (n - chain.next > MAX_SKIPPED) return 'damaged';
    return this.#claimAhead(chain, chain.ck, n, now);
  }

  /**
   * @param {Held} chain
   * @param {Bytes} ck
   * @param {number} n
   * @param {number} now
   * @returns {Promise<Claim>}
   */
  async #claimAhead(chain, ck, n, now) {
    const { keys, from, interim } = await skip(ck, n - chain.next);
    const [key, next] = await Promise.all([aesFrom(from, 'message'), X(from, 'chain')]);
    if (interim) interim.fill(0);
    const discard = () => [...keys, next].forEach((secret) => secret.fill(0));
    const commit = () => {
      ck.fill(0);
      keys.forEach((secret, i) => chain.skipped.set(chain.next + i, { n: chain.next + i, key: secret, until: now + HOUR }));
      [chain.ck, chain.next] = [next, n + 1];
      if (keys.length > 0) this.#bound();
    };
    return { key, commit, discard };
  }

  /** Keeps the skipped keys of a sender within their number: the oldest go first. */
  #bound() {
    let over = this.#held.reduce((sum, { skipped }) => sum + skipped.size, -MAX_SKIPPED);
    for (const chain of this.#held) {
      for (const skipped of chain.skipped.values()) if (over-- > 0) lose(chain, skipped);
    }
  }

  /**
   * Erases what is past its hour.
   * @param {number} now
   */
  sweep(now) {
    for (const chain of this.#held) {
      for (const skipped of chain.skipped.values()) if (skipped.until <= now) lose(chain, skipped);
      if (chain.until <= now) retire(chain);
    }
  }

  /**
   * The sender left: what is held serves messages still under way, for an hour.
   * @param {number} now
   */
  end(now) {
    for (const chain of this.#held) chain.until = Math.min(chain.until, now + HOUR);
  }

  /** The sender is back: its newest chain goes on, if it is still held. */
  goOn() {
    const newest = this.#held[this.#held.length - 1];
    if (newest?.ck) newest.until = Infinity;
  }

  /** @returns {HeldState[]} */
  export() {
    return this.#held.map((held) => ({
      ...held,
      ck: held.ck && held.ck.slice(),
      skipped: [...held.skipped.values()].map((skipped) => ({ ...skipped, key: skipped.key.slice() })),
      lost: [...held.lost],
    }));
  }

  /** @param {HeldState[]} state */
  static import(state) {
    const chains = new ReceivingChains();
    chains.#held = state.map((held) => ({
      ...held,
      ck: held.ck && new Uint8Array(held.ck),
      skipped: new Map(held.skipped.map((skipped) => [skipped.n, { ...skipped, key: new Uint8Array(skipped.key) }])),
      lost: new Set(held.lost),
    }));
    return chains;
  }

  erase() {
    this.#held.forEach(retire);
  }
}

/**
 * Walks a chain over messages that have not come, keeping their keys.
 * @param {Bytes} ck
 * @param {number} count
 */
async function skip(ck, count) {
  /** @type {Bytes[]} */
  const keys = [];
  /** @type {Bytes | null} */
  let interim = null;
  let from = await hkdfKey(ck);
  for (let i = 0; i < count; i++) {
    const [key, next] = await Promise.all([X(from, 'message'), X(from, 'chain')]);
    keys.push(key);
    interim?.fill(0);
    interim = next;
    from = await hkdfKey(next);
  }
  return { keys, from, interim };
}

/**
 * @param {Held} chain
 * @param {number} n
 * @returns {Promise<Claim | Refusal>}
 */
async function claimSkipped(chain, n) {
  const skipped = chain.skipped.get(n);
  if (!skipped) return chain.lost.has(n) ? 'expired' : 'repeat';
  const commit = () => {
    skipped.key.fill(0);
    chain.skipped.delete(n);
  };
  return { key: await aesKey(skipped.key), commit, discard: () => undefined };
}

/** @param {Held} chain @param {Skipped} skipped */
function lose(chain, skipped) {
  skipped.key.fill(0);
  chain.skipped.delete(skipped.n);
  addLost(chain, skipped.n);
}

/**
 * Remembers a message that can no longer be read. Only a misbehaving sender gets past the limit.
 * @param {Held} chain
 * @param {number} n
 */
function addLost({ lost }, n) {
  if (lost.size >= MAX_SKIPPED) lost.delete(/** @type {number} */ (lost.values().next().value));
  lost.add(n);
}

/** @param {Held} chain */
function retire(chain) {
  for (const skipped of chain.skipped.values()) lose(chain, skipped);
  chain.ck?.fill(0);
  chain.ck = null;
}

/**
 * The signed bodies that frames carry: messages, keys and moves. Each knows its bytes and its signature; none keeps any state.
 */

/** @typedef {import('./keys.js').Identity} Identity */
/** @typedef {import('./suite.js').Recipient} Recipient */
/** @typedef {{room: Bytes, from: Bytes}} Place the room, and the member that the relay names as the poster */
/** @typedef {{raw: Bytes, rotation: number, to: Recipient}} Addressee a member's id and HPKE key */
/** @typedef {{recipient: Bytes, rotation: number, sealed: Bytes}} Entry */

// A message key seals one message, so its nonce can be constant.
const NONCE = new Uint8Array(12);
const ENTRY = 16 + 4 + hpke.OVERHEAD + 32;

/**
 * What a message's header binds it to.
 * @param {Place} place
 * @param {number} e
 * @param {number} n
 */
const boundTo = ({ room, from }, e, n) => concat(room, from, u32(e), u32(n));

/**
 * @param {Identity} identity
 * @param {Place} place
 * @param {{e: number, n: number, key: CryptoKey}} step of one's sending chain
 * @param {Bytes} content
 */
export async function sealMessage(identity, place, { e, n, key }, content) {
  const bound = boundTo(place, e, n);
  const ciphertext = await gcmSeal(key, NONCE, content, bound);
  return concat(u32(e), u32(n), ciphertext, await identity.sign('message', bound, ciphertext));
}

/** @param {Bytes} inner */
export function parseMessage(inner) {
  const reader = new Reader(inner);
  const [e, n] = [reader.u32(), reader.u32()];
  const ciphertext = reader.take(Math.max(16, reader.left - SIG));
  const signature = reader.take(SIG);
  return {
    e,
    n,
    /** What the signature signs. @param {Place} place */
    signed: (place) => ({ name: 'message', signature, body: concat(boundTo(place, e, n), ciphertext) }),
    /** @param {CryptoKey} key @param {Place} place */
    open: (key, place) => gcmOpen(key, NONCE, ciphertext, boundTo(place, e, n)),
  };
}

/** @param {Place} place @param {Bytes} recipient @param {number} e @param {number} n */
const keysInfo = ({ room, from }, recipient, e, n) => label('sender key', room, from, recipient, u32(e), u32(n));

/** @param {Place} place @param {Bytes} recipient */
const moveInfo = ({ room, from }, recipient) => label('move', room, from, recipient);

/**
 * @param {Addressee[]} recipients
 * @param {(recipient: Bytes) => Bytes} info
 * @param {Bytes} secret
 */
async function sealEntries(recipients, info, secret) {
  const entries = recipients.map(async ({ raw, rotation, to }) =>
    concat(raw, u32(rotation), await hpke.seal(to, info(raw), secret)));
  return concat(u16(recipients.length), ...(await Promise.all(entries)));
}

/**
 * @param {Reader} reader
 * @returns {Entry[]}
 */
function readEntries(reader) {
  const count = reader.u16();
  if (reader.left !== count * ENTRY + SIG) throw new RangeError('the list of recipients has another length than it says');
  return Array.from({ length: count }, () => {
    return { recipient: reader.take(16), rotation: reader.u32(), sealed: reader.take(hpke.OVERHEAD + 32) };
  });
}

/** @param {Entry[]} entries @param {Bytes} raw */
const entryFor = (entries, raw) => entries.find(({ recipient }) => equal(recipient, raw)) ?? null;

/**
 * The chain as it is now, sealed to each recipient. Erases its copy of the chain key.
 * @param {Identity} identity
 * @param {Place} place
 * @param {{e: number, n: number, ck: Bytes}} chain
 * @param {Addressee[]} recipients
 */
export async function sealKeys(identity, place, { e, n, ck }, recipients) {
  const entries = await sealEntries(recipients, (recipient) => keysInfo(place, recipient, e, n), ck);
  ck.fill(0);
  const body = concat(u32(e), u32(n), entries);
  return concat(body, await identity.sign('keys', place.room, place.from, body));
}

/** @param {Bytes} inner */
export function parseKeys(inner) {
  const reader = new Reader(inner);
  const [e, n] = [reader.u32(), reader.u32()];
  const entries = readEntries(reader);
  return {
    e,
    n,
    signed: signedAll('keys', inner),
    /** @param {Bytes} raw */
    entry: (raw) => entryFor(entries, raw),
    /** @param {hpke.KeyPair} key @param {Place} place @param {Entry} entry */
    open: (key, place, { recipient, sealed }) => hpke.open(key, keysInfo(place, recipient, e, n), sealed),
  };
}

/**
 * @param {Identity} identity
 * @param {Place} place
 * @param {Bytes[]} removed raw ids
 * @param {Addressee[]} recipients
 * @param {Bytes} root the new one
 */
export async function sealMove(identity, place, removed, recipients, root) {
  const entries = await sealEntries(recipients, (recipient) => moveInfo(place, recipient), root);
  const body = concat(u8(removed.length), ...removed, entries);
  return concat(body, await identity.sign('move', place.room, place.from, body));
}

/** @param {Bytes} inner */
export function parseMove(inner) {
  const reader = new Reader(inner);
  const removed = Array.from({ length: reader.u8() }, () => reader.take(16));
  const entries = readEntries(reader);
  return {
    removed,
    signed: signedAll('move', inner),
    /** @param {Bytes} raw */
    entry: (raw) => entryFor(entries, raw),
    /** @param {hpke.KeyPair} key @param {Place} place @param {Entry} entry */
    open: (key, place, { recipient, sealed }) => hpke.open(key, moveInfo(place, recipient), sealed),
  };
}

/**
 * Who waits to be let in, said to whoever holds the room's root: it is the one thing that those who wait can read.
 * @param {Identity} identity
 * @param {Place} place
 * @param {number} turn of the lock
 * @param {Bytes[]} ids raw
 */
export async function sealWaiting(identity, place, turn, ids) {
  const body = concat(u32(turn), u16(ids.length), ...ids);
  return concat(body, await identity.sign('waiting', place.room, place.from, body));
}

/** @param {Bytes} inner */
export function parseWaiting(inner) {
  const reader = new Reader(inner);
  const [turn, count] = [reader.u32(), reader.u16()];
  if (reader.left !== count * 16 + SIG) throw new RangeError('the list of those who wait has another length than it says');
  return { turn, ids: Array.from({ length: count }, () => b64u(reader.take(16))), signed: signedAll('waiting', inner) };
}

/**
 * Keys, moves and lists of those who wait are signed in full, up to the signature.
 * @param {string} name
 * @param {Bytes} inner
 */
function signedAll(name, inner) {
  const [body, signature] = [inner.slice(0, -SIG), inner.slice(-SIG)];
  return (/** @type {Place} */ { room, from }) => ({ name, signature, body: concat(room, from, body) });
}

/**
 * Receiver: what a frame from another member turns out to be. Nothing is believed before the sender's signature held, and nothing
 * is dropped without saying why.
 */

/** @typedef {import('./group.js').Member} Member */
/** @typedef {import('./group.js').State} State */

/**
 * Why a frame could not be opened:
 * - unknown-sender: no card of this member was seen; learn it and open the frame again
 * - before-you: sent before the sender knew this member, or its keys were missed
 * - bad-signature: not from the member the relay names
 * - changed: signed by the new, not accepted identity of a changed member
 * - waiting: its sender is not let in yet, and what only members may say has no effect
 * - expired: its key was erased, as keys are
 * - damaged: cut short or altered
 * - unknown-type: sent with a newer version
 * @typedef {'unknown-sender' | 'before-you' | 'bad-signature' | 'changed' | 'waiting' | 'expired' | 'damaged' | 'unknown-type'} Reason
 */

/** @typedef {{k: string} & Record<string, any>} Content */

/**
 * need: ask the sender for its keys; without them nothing that follows can be read either.
 * @typedef {{kind: 'failed', reason: Reason, need?: boolean, e?: number, n?: number}} Failed
 * @typedef {{kind: 'content', content: Content, e: number, n: number, news?: boolean}} Said news: a lock or admit changed something
 * @typedef {{kind: 'move', root: Bytes | null, removed: string[], by: string}} Moved root: null if this member was left out
 * @typedef {{kind: 'held', content: Content, e: number, n: number}} SaidWaiting what a member says who is not let in yet
 * @typedef {{kind: 'waiting', ids: string[], turn: number, by: string}} Waiting whom a member does not let in yet, and the lock's turn
 * @typedef {{kind: 'repeat'} | {kind: 'keys', forYou: boolean} | Failed | Said | SaidWaiting | Moved | Waiting} Result
 * @typedef {Result | ({kind: 'card'} & import('./group.js').Learning)} Opened
 */

/** @param {Reason} reason @param {Partial<Failed>} [more] @returns {Failed} */
const failed = (reason, more) => ({ kind: 'failed', reason, ...more });

/** @param {Bytes} room @param {Member} member @returns {Place} */
const placeOf = (room, { raw }) => ({ room, from: raw });

/**
 * Whether the sender signed; if not, in what way not.
 * @param {Member} sender
 * @param {{name: string, signature: Bytes, body: Bytes}} signed
 * @returns {Promise<Failed | null>}
 */
async function unsigned({ card, pending }, { name, signature, body }) {
  if (await verify(card.verifyKey, name, signature, body)) return null;
  const fromNew = pending !== null && (await verify(pending.verifyKey, name, signature, body));
  return failed(fromNew ? 'changed' : 'bad-signature');
}

/** @typedef {{room: Bytes, self: Bytes, identity: Identity, now: number}} Context */

/** @type {Record<number, (sender: Member, inner: Bytes, context: Context) => Promise<{result: Result | Promise<Result>}>>} */
const openers = { [KEYS]: openKeys, [MESSAGE]: openMessage, [MOVE]: openMove, [WAITING]: openWaiting };

/**
 * The frame in some bytes, or why there is none. Needs no turn.
 * @param {import('./keys.js').RoomKeys} keys
 * @param {Uint8Array} bytes
 */
export async function readFrame(keys, bytes) {
  try {
    return await openFrame(keys, bytes);
  } catch (error) {
    return failed(error instanceof NewerFrame ? 'unknown-type' : 'damaged');
  }
}

/**
 * What a frame is that the relay says a member posted. Call it in turn; a result that is a promise is waited for out of turn, which
 * is why it comes wrapped.
 * @param {State} state
 * @param {string} from
 * @param {{type: number, inner: Bytes}} frame
 * @param {Uint8Array} bytes the frame as it came
 * @returns {Promise<{result: Opened | Promise<Opened>}>}
 */
export async function received(state, from, { type, inner }, bytes) {
  const { keys, self, identity, roster, clock } = state;
  if (from === self.id) return { result: { kind: 'repeat' } };
  if (type === CARD) return { result: { kind: 'card', ...(await state.takeCard(await state.readCard(from, bytes))) } };
  const open = openers[type];
  if (!open) return { result: failed('unknown-type') };
  const sender = roster.get(from);
  if (!sender) return { result: failed('unknown-sender') };
  try {
    return await open(sender, inner, { room: keys.room, self: self.raw, identity, now: clock() });
  } catch {
    return { result: failed('damaged') };
  }
}

/** @param {Member} sender @param {Bytes} inner @param {Context} context @returns {Promise<{result: Result | Promise<Result>}>} */
async function openMessage(sender, inner, { room, now }) {
  const [message, place] = [parseMessage(inner), placeOf(room, sender)];
  const { e, n } = message;
  const checking = unsigned(sender, message.signed(place));
  // Walking a chain ahead is work that a forged number must not cause; the usual next message needs no walk and no wait.
  if (!sender.chains.expects(e, n)) {
    const forged = await checking;
    if (forged) return { result: { ...forged, e, n } };
  }
  const claim = await sender.chains.claim(e, n, now);
  const forged = await checking;
  if (typeof claim === 'string') return { result: forged ?? refused(claim, sender, e, n) };
  if (forged) claim.discard();
  else claim.commit();
  return { result: forged ? { ...forged, e, n } : reveal(message.open(claim.key, place), e, n) };
}

/** @param {Refusal} why @param {Member} sender @param {number} e @param {number} n @returns {Result} */
function refused(why, { chains }, e, n) {
  if (why === 'repeat') return { kind: 'repeat' };
  return failed(why, { need: why !== 'damaged' && chains.lacks(e), e, n });
}

/** @param {Promise<Bytes>} opening @param {number} e @param {number} n @returns {Promise<Result>} */
async function reveal(opening, e, n) {
  try {
    const content = JSON.parse(fromUtf8(await opening));
    if (typeof content?.k !== 'string') return failed('damaged', { e, n });
    return { kind: 'content', content, e, n };
  } catch {
    return failed('damaged', { e, n });
  }
}

/** @param {Member} sender @param {Bytes} inner @param {Context} context @returns {Promise<{result: Result}>} */
async function openKeys(sender, inner, { room, self, identity, now }) {
  const [keys, place] = [parseKeys(inner), placeOf(room, sender)];
  const forged = await unsigned(sender, keys.signed(place));
  if (forged) return { result: forged };
  const entry = keys.entry(self);
  if (!entry) return { result: { kind: 'keys', forYou: false } };
  const key = identity.hpkeKey(entry.rotation, now);
  if (!key) return { result: sender.chains.lacks(keys.e) ? failed('expired', { need: true }) : { kind: 'repeat' } }; // a restarted relay may be told again
  const ck = await keys.open(key, place, entry);
  return { result: sender.chains.start(keys.e, keys.n, ck, now) ? { kind: 'keys', forYou: true } : { kind: 'repeat' } };
}

/** @param {Member} sender @param {Bytes} inner @param {Context} context @returns {Promise<{result: Result}>} */
async function openMove(sender, inner, { room, self, identity, now }) {
  const [move, place] = [parseMove(inner), placeOf(room, sender)];
  const forged = await unsigned(sender, move.signed(place));
  if (forged) return { result: forged };
  if (sender.pending || sender.waiting) return { result: failed(sender.pending ? 'changed' : 'waiting') };
  const entry = move.entry(self);
  const key = entry && identity.hpkeKey(entry.rotation, now);
  if (entry && !key) return { result: failed('expired') };
  const root = entry && key && (await move.open(key, place, entry));
  return { result: { kind: 'move', root, removed: move.removed.map(b64u), by: sender.id } };
}

/** @param {Member} sender @param {Bytes} inner @param {Context} context @returns {Promise<{result: Result}>} */
async function openWaiting(sender, inner, { room }) {
  const { ids, turn, signed } = parseWaiting(inner);
  const forged = await unsigned(sender, signed(placeOf(room, sender)));
  if (forged) return { result: forged };
  if (sender.pending || sender.waiting) return { result: failed(sender.pending ? 'changed' : 'waiting') };
  return { result: { kind: 'waiting', ids, turn, by: sender.id } };
}
