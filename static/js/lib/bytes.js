// @ts-check
/**
 * Bytes: the few conversions that every format in docs/PROTOCOL.md is made of. Integers are big-endian.
 * Nothing here knows what the bytes mean.
 */

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Base64url without padding.
 * @param {Uint8Array} bytes
 */
export function b64u(bytes) {
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const have = Math.min(3, bytes.length - i);
    const group = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let j = 0; j <= have; j++) out += ALPHABET[(group >> (18 - 6 * j)) & 63];
  }
  return out;
}

/**
 * Reads what b64u writes and nothing else: one value has one spelling, so two texts that differ are two values.
 * @param {string} text
 * @returns {Bytes}
 */
export function unb64u(text) {
  const tail = text.length % 4;
  if (tail === 1) throw new RangeError('base64url: this text has an impossible length; part of it is missing');
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? VALUES[code] : -1;
    if (value < 0) throw new RangeError(`base64url: character ${i + 1} is not a letter, digit, - or _`);
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[at++] = (bits >> held) & 0xff;
    }
  }
  if (bits & ((1 << held) - 1)) throw new RangeError('base64url: the last character carries bits that belong to nothing');
  return out;
}

/**
 * @param {string} text
 * @returns {Bytes}
 */
export const utf8 = (text) => encoder.encode(text);

/**
 * Refuses bytes that are not UTF-8 instead of guessing.
 * @param {Uint8Array} bytes
 */
export const fromUtf8 = (bytes) => decoder.decode(bytes);

/**
 * @param {...Uint8Array} parts
 * @returns {Bytes}
 */
export function concat(...parts) {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** @param {number} n @returns {Bytes} */
export const u8 = (n) => Uint8Array.of(bounded(n, 0xff));

/** @param {number} n @returns {Bytes} */
export const u16 = (n) => Uint8Array.of(bounded(n, 0xffff) >> 8, n);

/** @param {number} n @returns {Bytes} */
export const u32 = (n) => Uint8Array.of(bounded(n, 0xffffffff) >>> 24, n >>> 16, n >>> 8, n);

/** @param {number | bigint} n @returns {Bytes} */
export function u64(n) {
  const value = BigInt(n);
  if (value < 0n || value > 0xffffffffffffffffn) throw new RangeError(`${n} does not fit in 64 bits`);
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value);
  return out;
}

/** @param {number} n @param {number} max */
function bounded(n, max) {
  if (!Number.isInteger(n) || n < 0 || n > max) throw new RangeError(`${n} is not a whole number from 0 to ${max}`);
  return n;
}

/**
 * A length-prefixed value: u16 length, then the bytes.
 * @param {Uint8Array} bytes
 */
export const lp = (bytes) => concat(u16(bytes.length), bytes);

/**
 * The root in a link's fragment, with or without its #; null if there is none.
 * @param {string} fragment
 */
export function parseFragment(fragment) {
  const text = fragment.startsWith('#') ? fragment.slice(1) : fragment;
  if (text.length !== 43) return null;
  try {
    return unb64u(text);
  } catch {
    return null;
  }
}

/**
 * Compares without stopping at the first difference. JavaScript promises no constant time; this is as near as it gets.
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
export function equal(a, b) {
  if (a.length !== b.length) return false;
  let differs = 0;
  for (let i = 0; i < a.length; i++) differs |= a[i] ^ b[i];
  return differs === 0;
}

/**
 * Bytewise order, as sorting needs it.
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
export function compare(a, b) {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/**
 * @param {number} length
 * @returns {Bytes}
 */
export function random(length) {
  const out = new Uint8Array(length);
  // getRandomValues gives at most 65,536 bytes a call.
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(out.subarray(at, at + 65536));
  return out;
}

/** Reads a byte string from front to back and refuses to read past its end. Slices are copies. */
export class Reader {
  #bytes;
  #view;
  #at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left() {
    return this.#bytes.length - this.#at;
  }

  u8() {
    return this.#view.getUint8(this.#skip(1));
  }

  u16() {
    return this.#view.getUint16(this.#skip(2));
  }

  u32() {
    return this.#view.getUint32(this.#skip(4));
  }

  u64() {
    return this.#view.getBigUint64(this.#skip(8));
  }

  /**
   * @param {number} length
   * @returns {Bytes}
   */
  take(length) {
    const from = this.#skip(length);
    return new Uint8Array(this.#bytes.subarray(from, from + length));
  }

  lp() {
    return this.take(this.u16());
  }

  rest() {
    return this.take(this.left);
  }

  /** Refuses anything after what was read: a value with a tail is another value. */
  end() {
    if (this.left > 0) throw new RangeError(`${this.left} bytes too many at the end`);
  }

  /** @param {number} length */
  #skip(length) {
    if (length > this.left) throw new RangeError(`cut short: ${length} bytes wanted, ${this.left} there`);
    const from = this.#at;
    this.#at += length;
    return from;
  }
}

/**
 * Lets the page do what else there is to do, such as to draw: what WebCrypto answers is taken up at once, so that a thousand messages in a row would be
 * one piece of work. Not a timer, which a tab in the background gets once in a while only.
 * @returns {Promise<void>}
 */
export function breath() {
  return new Promise((go) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (port1.close(), go());
    port2.postMessage(null);
  });
}

const AGAIN = [300, 1000, 2500]; // ms

/**
 * Fetches a part of the page that is not there from the beginning. A network that cuts answers short lets the next one through; browsers that do not ask
 * twice for a script fail all the same.
 * @template T
 * @param {() => Promise<T>} load import(...)
 * @param {number[]} [pauses] ms before each further try
 * @returns {Promise<T>}
 */
export async function part(load, pauses = AGAIN) {
  for (const pause of pauses) {
    try {
      return await load();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the script itself is broken
      await new Promise((go) => setTimeout(go, pause));
    }
  }
  return load();
}
