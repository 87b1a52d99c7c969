// @ts-check
/**
 * The signed bodies that frames carry: messages, keys and moves. Each knows its bytes and its signature; none keeps any state.
 */
import { concat, equal, Reader, u16, u32, u8 } from '../lib/bytes.js';
import { SIG } from './curve.js';
import { gcmOpen, gcmSeal, label } from './hash.js';
import * as hpke from './hpke.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./identity.js').Identity} Identity */
/** @typedef {import('./hpke.js').Recipient} Recipient */
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
 * Keys and moves are signed in full, up to the signature.
 * @param {string} name
 * @param {Bytes} inner
 */
function signedAll(name, inner) {
  const [body, signature] = [inner.slice(0, -SIG), inner.slice(-SIG)];
  return (/** @type {Place} */ { room, from }) => ({ name, signature, body: concat(room, from, body) });
}
