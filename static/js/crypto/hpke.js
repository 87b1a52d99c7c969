// @ts-check
/**
 * HPKE (RFC 9180), base mode, single shot: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
 *
 * WebCrypto's HKDF extracts and expands in one call, so a LabeledExtract followed by a LabeledExpand costs one derivation.
 */
import { concat, u16, utf8 } from '../lib/bytes.js';
import { agree, dhPublic } from './curve.js';
import { gcmOpen, gcmSeal, hkdf, hkdfKey, subtle } from './hash.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {{key: CryptoKey, public: Bytes}} KeyPair a private key and its public half */
/** @typedef {{key: CryptoKey, raw: Bytes}} Recipient a public key, imported once and used for every seal to it */

/** What sealing adds: the encapsulated key and the tag. */
export const OVERHEAD = 48;

const EMPTY = new Uint8Array(0);
const MODE_BASE = Uint8Array.of(0);
const VERSION = utf8('HPKE-v1');
const KEM_SUITE = concat(utf8('KEM'), u16(0x0020));
const SUITE = concat(utf8('HPKE'), u16(0x0020), u16(0x0001), u16(0x0002));

/** @param {Bytes} suite @param {string} name @param {Uint8Array} ikm */
const labelledIkm = (suite, name, ikm) => concat(VERSION, suite, utf8(name), ikm);

/** @param {Bytes} suite @param {string} name @param {number} length @param {...Uint8Array} info */
const labelledInfo = (suite, name, length, ...info) => concat(u16(length), VERSION, suite, utf8(name), ...info);

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
