// @ts-check
/**
 * Compact JWE (RFC 7516) as shells make them: ECDH-ES to an X25519 key (RFC 8037), direct agreement, two encryptions. Everything
 * else is refused by name.
 */
import { b64u, concat, equal, fromUtf8, random, u32, u64, unb64u, utf8 } from '../lib/bytes.js';
import { aesKey, agree, dhPair, dhPublic, gcmOpen, gcmSeal, sha256, subtle } from './suite.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {{ciphertext: Bytes, tag: Bytes}} Box */

/**
 * @typedef {object} Encryption
 * @property {number} keyBytes
 * @property {number} ivBytes
 * @property {number} tagBytes
 * @property {(key: Bytes, iv: Bytes, aad: Bytes, plain: Bytes) => Promise<Box>} seal
 * @property {(key: Bytes, iv: Bytes, aad: Bytes, box: Box) => Promise<Bytes>} open
 */

const EMPTY = new Uint8Array(0);
// A shell seals what a program printed, and is told that it was sent: what is no UTF-8 in it is shown as such, not refused.
const printed = new TextDecoder('utf-8', { ignoreBOM: true });
// A relay takes no larger post; a header has no reason to come near this.
const MAX_HEADER = 4096;

/**
 * The Concat KDF of RFC 7518 section 4.6.
 * @param {Bytes} z
 * @param {string} algorithm
 * @param {number} bytes 32 or 64
 * @param {{apu?: Bytes, apv?: Bytes}} [parties]
 */
export async function concatKdf(z, algorithm, bytes, { apu = EMPTY, apv = EMPTY } = {}) {
  const sized = (/** @type {Bytes} */ b) => concat(u32(b.length), b);
  const other = concat(sized(utf8(algorithm)), sized(apu), sized(apv), u32(bytes * 8));
  const rounds = Array.from({ length: Math.ceil(bytes / 32) }, (_, i) => sha256(concat(u32(i + 1), z, other)));
  return concat(...(await Promise.all(rounds))).slice(0, bytes);
}

/** @param {Bytes} key @param {Bytes} iv @param {Bytes} aad @param {Bytes} ciphertext */
async function hs512(key, iv, aad, ciphertext) {
  const mac = await subtle().importKey('raw', key.slice(0, 32), { name: 'HMAC', hash: 'SHA-512' }, false, ['sign']);
  const signed = concat(aad, iv, ciphertext, u64(aad.length * 8));
  return new Uint8Array(await subtle().sign('HMAC', mac, signed)).slice(0, 32);
}

/** @param {Bytes} key @param {'encrypt' | 'decrypt'} use */
const cbcKey = async (key, use) => subtle().importKey('raw', key.slice(32), 'AES-CBC', false, [use]);

/** A256CBC-HS512 of RFC 7518 section 5.2.5: encrypt, then MAC. @type {Encryption} */
export const cbcHs512 = {
  keyBytes: 64,
  ivBytes: 16,
  tagBytes: 32,
  async seal(key, iv, aad, plain) {
    const ciphertext = new Uint8Array(await subtle().encrypt({ name: 'AES-CBC', iv }, await cbcKey(key, 'encrypt'), plain));
    return { ciphertext, tag: await hs512(key, iv, aad, ciphertext) };
  },
  async open(key, iv, aad, { ciphertext, tag }) {
    if (!equal(tag, await hs512(key, iv, aad, ciphertext))) throw new RangeError('it was not sealed to this room, or was altered');
    return new Uint8Array(await subtle().decrypt({ name: 'AES-CBC', iv }, await cbcKey(key, 'decrypt'), ciphertext));
  },
};

/** @type {Encryption} */
export const gcm = {
  keyBytes: 32,
  ivBytes: 12,
  tagBytes: 16,
  async seal(key, iv, aad, plain) {
    const sealed = await gcmSeal(await aesKey(key), iv, plain, aad);
    return { ciphertext: sealed.slice(0, -16), tag: sealed.slice(-16) };
  },
  open: async (key, iv, aad, { ciphertext, tag }) => gcmOpen(await aesKey(key), iv, concat(ciphertext, tag), aad),
};

/** @type {Map<unknown, Encryption>} */
const ENCRYPTIONS = new Map([['A256CBC-HS512', cbcHs512], ['A256GCM', gcm]]);

/** @param {string} part */
function parseHeader(part) {
  if (part.length > MAX_HEADER) throw new RangeError('its header is too long');
  const header = JSON.parse(fromUtf8(unb64u(part)));
  if (header === null || typeof header !== 'object' || Array.isArray(header)) throw new TypeError('its header is no object');
  if (header.alg !== 'ECDH-ES') throw new TypeError('its "alg" is not ECDH-ES');
  const encryption = ENCRYPTIONS.get(header.enc);
  if (!encryption) throw new TypeError('its "enc" is neither A256CBC-HS512 nor A256GCM');
  for (const name of ['zip', 'crit']) if (name in header) throw new TypeError(`its header has "${name}", which is not allowed`);
  return { enc: String(header.enc), encryption, point: parsePoint(header.epk), parties: parseParties(header) };
}

/** @param {any} epk */
function parsePoint(epk) {
  const ok = epk !== null && typeof epk === 'object' && epk.kty === 'OKP' && epk.crv === 'X25519' && typeof epk.x === 'string';
  if (!ok || 'd' in epk) throw new TypeError('its "epk" is no public X25519 key');
  const point = unb64u(epk.x);
  if (point.length !== 32) throw new RangeError('its "epk" has not 32 bytes');
  return point;
}

/** @param {Record<string, unknown>} header */
function parseParties(header) {
  const [apu, apv] = ['apu', 'apv'].map((name) => {
    const value = name in header ? header[name] : '';
    if (typeof value !== 'string') throw new TypeError(`its "${name}" is no text`);
    return unb64u(value);
  });
  return { apu, apv };
}

/**
 * Opens a compact JWE; rejects with the reason when it cannot.
 * @param {CryptoKey} dropKey
 * @param {string} jwe
 */
export async function openJwe(dropKey, jwe) {
  const parts = jwe.split('.');
  if (parts.length !== 5) throw new RangeError('it is no compact JWE: those have five parts');
  const [protectedHeader, encryptedKey, ...rest] = parts;
  const { enc, encryption, point, parties } = parseHeader(protectedHeader);
  if (encryptedKey !== '') throw new RangeError('it carries an encrypted key, which ECDH-ES has not');
  const [iv, ciphertext, tag] = rest.map(unb64u);
  if (iv.length !== encryption.ivBytes || tag.length !== encryption.tagBytes) throw new RangeError('its iv or tag has the wrong length');
  const z = await agree(dropKey, await dhPublic(point));
  const key = await concatKdf(z, enc, encryption.keyBytes, parties);
  z.fill(0);
  return printed.decode(await encryption.open(key, iv, utf8(protectedHeader), { ciphertext, tag }));
}

/**
 * Seals as a shell does; for tests and tools.
 * @param {Bytes} dropPublic
 * @param {string} text
 * @param {{enc?: string, ephemeral?: import('./suite.js').DhPair, iv?: Bytes, parties?: {apu?: Bytes, apv?: Bytes}}} [options]
 */
export async function sealJwe(dropPublic, text, { enc = 'A256CBC-HS512', ephemeral, iv: fixed, parties = {} } = {}) {
  const encryption = ENCRYPTIONS.get(enc);
  if (!encryption) throw new TypeError(`There is no encryption called ${enc} here.`);
  const once = ephemeral ?? (await dhPair());
  const iv = fixed ?? random(encryption.ivBytes);
  const named = Object.fromEntries(Object.entries(parties).map(([name, value]) => [name, b64u(value)]));
  const header = { alg: 'ECDH-ES', enc, epk: { kty: 'OKP', crv: 'X25519', x: b64u(once.public) }, ...named };
  const protectedHeader = b64u(utf8(JSON.stringify(header)));
  const key = await concatKdf(await agree(once.key, await dhPublic(dropPublic)), enc, encryption.keyBytes, parties);
  const { ciphertext, tag } = await encryption.seal(key, iv, utf8(protectedHeader), utf8(text));
  return [protectedHeader, '', b64u(iv), b64u(ciphertext), b64u(tag)].join('.');
}
