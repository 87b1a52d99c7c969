// @ts-check
/**
 * H, X and labels of docs/PROTOCOL.md, over WebCrypto. Every hash, key and signature of snug starts from one of the labels
 * made here, so a value made for one use means nothing in another.
 */
import { concat, utf8 } from '../lib/bytes.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */

/** Says in words why there is no encryption: browsers hide WebCrypto from pages that came over plain http. */
export function subtle() {
  const engine = globalThis.crypto?.subtle;
  if (engine) return engine;
  throw new Error('This page cannot encrypt: browsers allow it only on https:// addresses and on localhost.');
}

/** @type {Map<string, Bytes>} */
const labels = new Map();

/** @param {string} name */
function prefix(name) {
  const known = labels.get(name);
  if (known) return known;
  const made = utf8(`snug/1 ${name}`);
  labels.set(name, made);
  return made;
}

/**
 * "snug/1 " ‖ name ‖ raw bytes.
 * @param {string} name
 * @param {...Uint8Array} raw
 */
export const label = (name, ...raw) => concat(prefix(name), ...raw);

const ZERO = new Uint8Array(1);

/**
 * "snug/1 " ‖ name ‖ 0x00 ‖ body: what is hashed and signed.
 * @param {string} name
 * @param {...Uint8Array} body
 */
export const labelled = (name, ...body) => concat(prefix(name), ZERO, ...body);

/**
 * @param {string} name
 * @param {...Uint8Array} body
 * @returns {Promise<Bytes>}
 */
export const H = async (name, ...body) => sha256(labelled(name, ...body));

/**
 * @param {Bytes} bytes
 * @returns {Promise<Bytes>}
 */
export const sha256 = async (bytes) => new Uint8Array(await subtle().digest('SHA-256', bytes));

/**
 * A secret that keys are derived from. WebCrypto copies the bytes; the caller still owns and erases its own.
 * @param {Bytes} ikm
 * @returns {Promise<CryptoKey>}
 */
export const hkdfKey = async (ikm) => subtle().importKey('raw', ikm, 'HKDF', false, ['deriveBits', 'deriveKey']);

const NO_SALT = new Uint8Array(0);

/**
 * HKDF-SHA256 (RFC 5869).
 * @param {Bytes | CryptoKey} ikm
 * @param {Bytes} salt
 * @param {Bytes} info
 * @param {number} length in bytes
 * @returns {Promise<Bytes>}
 */
export async function hkdf(ikm, salt, info, length) {
  const key = ikm instanceof Uint8Array ? await hkdfKey(ikm) : ikm;
  return new Uint8Array(await subtle().deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, length * 8));
}

/**
 * X(k, l): 32 bytes.
 * @param {Bytes | CryptoKey} key
 * @param {string} name
 * @param {...Uint8Array} raw
 */
export const X = (key, name, ...raw) => hkdf(key, NO_SALT, label(name, ...raw), 32);

/**
 * X(k, l) that becomes an AES-256-GCM key without its bytes ever being seen by this code.
 * @param {CryptoKey} key
 * @param {string} name
 * @param {...Uint8Array} raw
 * @returns {Promise<CryptoKey>}
 */
export async function aesFrom(key, name, ...raw) {
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: NO_SALT, info: label(name, ...raw) };
  return subtle().deriveKey(derivation, key, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

/**
 * @param {Bytes} raw
 * @returns {Promise<CryptoKey>}
 */
export const aesKey = async (raw) => subtle().importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);

/**
 * @param {CryptoKey} key
 * @param {Bytes} iv 12 bytes, never twice with one key
 * @param {Bytes} plain
 * @param {Bytes} aad
 * @returns {Promise<Bytes>}
 */
export const gcmSeal = async (key, iv, plain, aad) =>
  new Uint8Array(await subtle().encrypt({ name: 'AES-GCM', iv, additionalData: aad }, key, plain));

/**
 * Rejects when anything is not as it was sealed.
 * @param {CryptoKey} key
 * @param {Bytes} iv
 * @param {Bytes} sealed
 * @param {Bytes} aad
 * @returns {Promise<Bytes>}
 */
export const gcmOpen = async (key, iv, sealed, aad) =>
  new Uint8Array(await subtle().decrypt({ name: 'AES-GCM', iv, additionalData: aad }, key, sealed));
