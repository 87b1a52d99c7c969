// @ts-check
/**
 * X25519 and Ed25519 keys between raw bytes, as the protocol has them, and WebCrypto's key objects.
 */
import { concat, equal, random, unb64u } from '../lib/bytes.js';
import { labelled, subtle } from './hash.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */

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
