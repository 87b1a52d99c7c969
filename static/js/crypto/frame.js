// @ts-check
/**
 * Frames: all that the relay holds of a conversation. A frame hides what it carries behind the room's outer key and a padded
 * length; who wrote it is settled inside, by signatures.
 */
import { concat, random, Reader, u32, u64 } from '../lib/bytes.js';
import { aesFrom, gcmOpen, gcmSeal } from './hash.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./root.js').RoomKeys} RoomKeys */

export const CARD = 1;
export const KEYS = 2;
export const MESSAGE = 3;
export const MOVE = 4;

export const VERSION = 1;
const HEADER = 26;
const SMALLEST = 256;
const TAG = 16;

/**
 * Padmé: lengths keep only their leading bits, so a size tells little more than its magnitude. At least 256.
 * @param {number} length
 */
export function padme(length) {
  if (length <= SMALLEST) return SMALLEST;
  const e = Math.floor(Math.log2(length));
  const unit = 2 ** (e - (Math.floor(Math.log2(e)) + 1));
  return Math.ceil(length / unit) * unit;
}

/** @param {Bytes} inner */
function pad(inner) {
  const padded = new Uint8Array(padme(inner.length + 4));
  padded.set(u32(inner.length));
  padded.set(inner, 4);
  return padded;
}

/** @param {Bytes} padded */
function unpad(padded) {
  const reader = new Reader(padded);
  const inner = reader.take(reader.u32());
  if (reader.rest().some((byte) => byte !== 0)) throw new RangeError('the padding holds something');
  return inner;
}

/** @param {Uint8Array} header */
const nonceOf = (header) => concat(new Uint8Array(4), header.subarray(18, HEADER));

// One key for each start of each member, so 256 members and their restarts fit; a stranger's made-up sids push out old ones, not memory.
const CACHED = 1024;

/** @type {WeakMap<RoomKeys, Map<string, Promise<CryptoKey>>>} */
const caches = new WeakMap();

/** @param {RoomKeys} keys @param {Uint8Array} sid */
function frameKey(keys, sid) {
  const cache = caches.get(keys) ?? new Map();
  if (cache.size === 0) caches.set(keys, cache);
  const name = sid.join();
  const known = cache.get(name);
  if (known) return known;
  if (cache.size >= CACHED) cache.delete(cache.keys().next().value);
  const made = aesFrom(keys.outerKey, 'frame', sid);
  cache.set(name, made);
  return made;
}

/** Seals frames under one sid. Make one for each start and never restore one: a counter that went back would break every frame. */
export class FrameSealer {
  #keys;
  #sid;
  #ctr = 0;

  /**
   * @param {RoomKeys} keys
   * @param {{sid?: Bytes, ctr?: number}} [options] for test vectors
   */
  constructor(keys, { sid = random(16), ctr = 0 } = {}) {
    this.#keys = keys;
    this.#sid = sid;
    this.#ctr = ctr;
  }

  /**
   * @param {number} type
   * @param {Bytes} inner
   */
  async seal(type, inner) {
    const header = concat(Uint8Array.of(VERSION, type), this.#sid, u64(this.#ctr++));
    const key = await frameKey(this.#keys, this.#sid);
    return concat(header, await gcmSeal(key, nonceOf(header), pad(inner), concat(this.#keys.room, header)));
  }
}

/** A frame of another version of this protocol: not damaged, only newer than this code. */
export class NewerFrame extends Error {}

/**
 * Opens a frame of this room; rejects when it is none or was changed.
 * @param {RoomKeys} keys
 * @param {Uint8Array} bytes
 * @returns {Promise<{type: number, sid: Bytes, ctr: bigint, inner: Bytes}>}
 */
export async function openFrame(keys, bytes) {
  if (bytes.length < HEADER + SMALLEST + TAG) throw new RangeError('too short to be a frame');
  const header = bytes.slice(0, HEADER);
  const reader = new Reader(header);
  if (reader.u8() !== VERSION) throw new NewerFrame('this was sent with a newer version of snug');
  const [type, sid, ctr] = [reader.u8(), reader.take(16), reader.u64()];
  const key = await frameKey(keys, sid);
  const padded = await gcmOpen(key, nonceOf(header), bytes.slice(HEADER), concat(keys.room, header));
  return { type, sid, ctr, inner: unpad(padded) };
}
