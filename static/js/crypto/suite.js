// @ts-check
import { concat, equal, random, Reader, u16, u32, u64, unb64u, utf8 } from '../lib/bytes.js';

/**
 * H, X and labels of docs/PROTOCOL.md, over WebCrypto. Every hash, key and signature of snug starts from one of the labels
 * made here, so a value made for one use means nothing in another.
 */

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

/**
 * X25519 and Ed25519 keys between raw bytes, as the protocol has them, and WebCrypto's key objects.
 */

/** Length of a signature. */
export const SIG = 64;

// RFC 8410: a PKCS#8 private key without its public half is 16 fixed bytes and the 32 of the key; the OID's last byte tells which.
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0, 4, 0x22, 4, 0x20);

/** @param {number} oid @param {Bytes} raw */
function pkcs8(oid, raw) {
  if (raw.length !== 32) throw new RangeError(`a private key has 32 bytes, this one has ${raw.length}`);
  const der = concat(PKCS8, raw);
  der[11] = oid;
  return der;
}

/**
 * @param {Bytes} raw
 * @returns {Promise<CryptoKey>}
 */
export async function dhPrivate(raw) {
  const der = pkcs8(0x6e, raw);
  const key = await subtle().importKey('pkcs8', der, 'X25519', false, ['deriveBits']);
  der.fill(0);
  return key;
}

/**
 * @param {Bytes} raw
 * @returns {Promise<CryptoKey>}
 */
export const dhPublic = async (raw) => subtle().importKey('raw', raw, 'X25519', true, []);

/**
 * X25519; the all-zero secret of a low-order point is refused, here too if the engine has not.
 * @param {CryptoKey} mine
 * @param {CryptoKey} theirs
 * @returns {Promise<Bytes>}
 */
export async function agree(mine, theirs) {
  const secret = new Uint8Array(await subtle().deriveBits({ name: 'X25519', public: theirs }, mine, 256));
  if (equal(secret, new Uint8Array(32))) throw new RangeError('this public key is a low-order point: no secret comes of it');
  return secret;
}

const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(31));

/**
 * The public half of a private key: the curve's base point is u = 9.
 * @param {CryptoKey} key
 */
export const dhPublicOf = async (key) => agree(key, await dhPublic(BASE_POINT));

/** @typedef {{secret: Bytes, key: CryptoKey, public: Bytes}} DhPair */

/**
 * @param {Bytes} [secret] 32 bytes; fresh random ones if left out
 * @returns {Promise<DhPair>}
 */
export async function dhPair(secret = random(32)) {
  const key = await dhPrivate(secret);
  return { secret, key, public: await dhPublicOf(key) };
}

/** @typedef {{seed: Bytes, key: CryptoKey, public: Bytes}} SignPair */

/**
 * @param {Bytes} [seed] 32 bytes; fresh random ones if left out
 * @returns {Promise<SignPair>}
 */
export async function signPair(seed = random(32)) {
  const der = pkcs8(0x70, seed);
  const extractable = await subtle().importKey('pkcs8', der, 'Ed25519', true, ['sign']);
  const { x } = await subtle().exportKey('jwk', extractable);
  const key = await subtle().importKey('pkcs8', der, 'Ed25519', false, ['sign']);
  der.fill(0);
  if (!x) throw new Error('This browser gives no public half of an Ed25519 key; a newer one does.');
  return { seed, key, public: unb64u(x) };
}

/**
 * @param {Bytes} raw
 * @returns {Promise<CryptoKey>}
 */
export const verifyKey = async (raw) => subtle().importKey('raw', raw, 'Ed25519', true, ['verify']);

/**
 * Sign(k, l, b).
 * @param {CryptoKey} key
 * @param {string} name
 * @param {...Uint8Array} body
 * @returns {Promise<Bytes>}
 */
export const sign = async (key, name, ...body) =>
  new Uint8Array(await subtle().sign('Ed25519', key, labelled(name, ...body)));

/**
 * @param {CryptoKey} key
 * @param {string} name
 * @param {Bytes} signature
 * @param {...Uint8Array} body
 * @returns {Promise<boolean>}
 */
export const verify = async (key, name, signature, ...body) =>
  subtle().verify('Ed25519', key, signature, labelled(name, ...body));

/**
 * HPKE (RFC 9180), base mode, single shot: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
 *
 * WebCrypto's HKDF extracts and expands in one call, so a LabeledExtract followed by a LabeledExpand costs one derivation.
 */

/** @typedef {{key: CryptoKey, public: Bytes}} KeyPair a private key and its public half */
/** @typedef {{key: CryptoKey, raw: Bytes}} Recipient a public key, imported once and used for every seal to it */

/** What sealing adds: the encapsulated key and the tag. */
export const OVERHEAD = 48;

const EMPTY = new Uint8Array(0);
const MODE_BASE = Uint8Array.of(0);
const HPKE_VERSION = utf8('HPKE-v1');
const KEM_SUITE = concat(utf8('KEM'), u16(0x0020));
const SUITE = concat(utf8('HPKE'), u16(0x0020), u16(0x0001), u16(0x0002));

/** @param {Bytes} suite @param {string} name @param {Uint8Array} ikm */
const labelledIkm = (suite, name, ikm) => concat(HPKE_VERSION, suite, utf8(name), ikm);

/** @param {Bytes} suite @param {string} name @param {number} length @param {...Uint8Array} info */
const labelledInfo = (suite, name, length, ...info) => concat(u16(length), HPKE_VERSION, suite, utf8(name), ...info);

/**
 * What the key schedule needs and no call changes.
 * @typedef {{extractKey: CryptoKey, secretKey: CryptoKey, pskHash: Bytes}} Constants
 * @type {Promise<Constants> | undefined}
 */
let constants;

/** @returns {Promise<Constants>} */
async function makeConstants() {
  // Extract with an empty salt is HMAC under 32 zero bytes.
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const extractKey = await subtle().importKey('raw', new Uint8Array(32), hmac, false, ['sign']);
  const pskHash = await extract(extractKey, labelledIkm(SUITE, 'psk_id_hash', EMPTY));
  return { extractKey, pskHash, secretKey: await hkdfKey(labelledIkm(SUITE, 'secret', EMPTY)) };
}

/** @param {CryptoKey} key @param {Bytes} ikm @returns {Promise<Bytes>} */
const extract = async (key, ikm) => new Uint8Array(await subtle().sign('HMAC', key, ikm));

/**
 * ExtractAndExpand (section 4.1). Erases the Diffie-Hellman result.
 * @param {Bytes} dh
 * @param {Bytes} enc
 * @param {Bytes} recipientKey
 */
async function sharedSecret(dh, enc, recipientKey) {
  const ikm = labelledIkm(KEM_SUITE, 'eae_prk', dh);
  const secret = await hkdf(ikm, EMPTY, labelledInfo(KEM_SUITE, 'shared_secret', 32, enc, recipientKey), 32);
  ikm.fill(0);
  dh.fill(0);
  return secret;
}

/**
 * KeySchedule (section 5.1) for mode_base: the key, and the nonce of message 0, which is the base nonce. Erases the shared secret.
 * @param {Bytes} shared
 * @param {Bytes} info
 */
async function keySchedule(shared, info) {
  constants ??= makeConstants();
  const { extractKey, secretKey, pskHash } = await constants;
  const context = concat(MODE_BASE, pskHash, await extract(extractKey, labelledIkm(SUITE, 'info_hash', info)));
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: shared, info: labelledInfo(SUITE, 'key', 32, context) };
  const [key, nonce] = await Promise.all([
    subtle().deriveKey(derivation, secretKey, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']),
    hkdf(secretKey, shared, labelledInfo(SUITE, 'base_nonce', 12, context), 12),
  ]);
  shared.fill(0);
  return { key, nonce };
}

/** The engine makes the pair, so the private half never becomes bytes in this code. @returns {Promise<KeyPair>} */
async function ephemeralPair() {
  const pair = /** @type {CryptoKeyPair} */ (await subtle().generateKey('X25519', false, ['deriveBits']));
  return { key: pair.privateKey, public: new Uint8Array(await subtle().exportKey('raw', pair.publicKey)) };
}

/**
 * @param {Bytes} raw
 * @returns {Promise<Recipient>}
 */
export const recipient = async (raw) => ({ raw, key: await dhPublic(raw) });

/**
 * Seal(pk, info, plain) = enc(32) ‖ ct.
 * @param {Recipient} to
 * @param {Bytes} info
 * @param {Bytes} plain
 * @param {{ephemeral?: KeyPair, aad?: Bytes}} [options] for test vectors; an ephemeral key must never seal twice
 */
export async function seal(to, info, plain, { ephemeral, aad = EMPTY } = {}) {
  const once = ephemeral ?? (await ephemeralPair());
  const shared = await sharedSecret(await agree(once.key, to.key), once.public, to.raw);
  const { key, nonce } = await keySchedule(shared, info);
  return concat(once.public, await gcmSeal(key, nonce, plain, aad));
}

/**
 * Opens what seal sealed; rejects on anything else.
 * @param {KeyPair} mine
 * @param {Bytes} info
 * @param {Bytes} sealed enc ‖ ct
 * @param {{aad?: Bytes}} [options] for test vectors
 */
export async function open(mine, info, sealed, { aad = EMPTY } = {}) {
  if (sealed.length < OVERHEAD) throw new RangeError('too short to be sealed to anybody');
  const enc = sealed.slice(0, 32);
  const shared = await sharedSecret(await agree(mine.key, await dhPublic(enc)), enc, mine.public);
  const { key, nonce } = await keySchedule(shared, info);
  return gcmOpen(key, nonce, sealed.slice(32), aad);
}

/**
 * Frames: all that the relay holds of a conversation. A frame hides what it carries behind the room's outer key and a padded
 * length; who wrote it is settled inside, by signatures.
 */

/** @typedef {import('./keys.js').RoomKeys} RoomKeys */

export const CARD = 1;
export const KEYS = 2;
export const MESSAGE = 3;
export const MOVE = 4;
export const WAITING = 5;

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
