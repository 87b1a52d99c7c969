// @ts-check
/**
 * Keep: what a device stores of a room, sealed under a key that the browser will use but never show to a script. It is no protection
 * against a copy of the browser's files: browsers may keep that key in them as it is.
 */
import { b64u, concat, fromUtf8, random, unb64u, utf8 } from '../lib/bytes.js';
import { gcmOpen, gcmSeal, label, subtle } from './suite.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */

/** A key for IndexedDB, which stores it as an object: not extractable. @returns {Promise<CryptoKey>} */
export const newDeviceKey = async () => subtle().generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);

// JSON has neither bytes nor infinity. The mark is a key that no state uses.
const MARK = '$';

/** @param {string} _ @param {unknown} value */
function pack(_, value) {
  if (value instanceof Uint8Array) return { [MARK]: b64u(value) };
  return value === Infinity ? { [MARK]: null } : value;
}

/** @param {string} _ @param {any} value */
function unpack(_, value) {
  if (value === null || typeof value !== 'object' || !(MARK in value)) return value;
  return value[MARK] === null ? Infinity : unb64u(value[MARK]);
}

/**
 * Seals what is JSON but for byte arrays and Infinity, such as a GroupState.
 * @param {CryptoKey} key from newDeviceKey
 * @param {string} name what it is of; the sealed bytes open under no other
 * @param {unknown} state
 * @returns {Promise<Bytes>}
 */
export async function wrap(key, name, state) {
  const iv = random(12);
  const plain = utf8(JSON.stringify(state, pack));
  const sealed = await gcmSeal(key, iv, plain, label('keep', utf8(name)));
  plain.fill(0);
  return concat(iv, sealed);
}

/**
 * Opens what wrap sealed; rejects on anything else.
 * @param {CryptoKey} key
 * @param {string} name
 * @param {Bytes} wrapped
 * @returns {Promise<any>}
 */
export async function unwrap(key, name, wrapped) {
  const plain = await gcmOpen(key, wrapped.slice(0, 12), wrapped.slice(12), label('keep', utf8(name)));
  return JSON.parse(fromUtf8(plain), unpack);
}
