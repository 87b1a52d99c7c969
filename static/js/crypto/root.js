// @ts-check
/**
 * Roots: the one secret of a room, where it comes from (a link or a passphrase) and what is derived from it.
 */
import { b64u, lp, random, unb64u, utf8 } from '../lib/bytes.js';
import { WORDS } from '../lib/words.js';
import { dhPair } from './curve.js';
import { H, hkdfKey, sha256, subtle, X } from './hash.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */

/**
 * All that a root gives.
 * @typedef {object} RoomKeys
 * @property {Bytes} root
 * @property {Bytes} access proves the right to join
 * @property {Bytes} post the right to send from a shell
 * @property {Bytes} room the id, 20 bytes
 * @property {string} roomId the id as the relay has it
 * @property {CryptoKey} outerKey seals frames; X(outer, …) starts from it
 * @property {CryptoKey} dropKey opens shell posts
 * @property {Bytes} dropPublic seals shell posts
 */

const ROUNDS = 1_000_000;

/** @returns {Bytes} */
export const newLinkRoot = () => random(32);

/** @param {Uint8Array} root */
export const linkFragment = (root) => `#${b64u(root)}`;

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

// The trim set is spelt out because languages differ in what they call white space. Never change it: rooms would move.
const SPACE = '[\\u0009-\\u000d\\u0020\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]+';
const EDGES = new RegExp(`^${SPACE}|${SPACE}$`, 'gu');

/**
 * NFKC(trim(text)), refused when nothing is left or half a character is in it.
 * @param {string} text
 * @param {string} what
 */
function normal(text, what) {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError(`The ${what} holds half a character; please type it again.`);
  const out = text.replace(EDGES, '').normalize('NFKC');
  if (out === '') throw new TypeError(`The ${what} is empty.`);
  return out;
}

/**
 * What goes into PBKDF2, apart for the vectors.
 * @param {string} passphrase
 * @param {string} roomName
 */
export async function passphraseInputs(passphrase, roomName) {
  const password = utf8(normal(passphrase, 'passphrase'));
  const salt = await H('salt', lp(utf8(normal(roomName, 'room name').toLowerCase())));
  return { password, salt };
}

/**
 * The root of a passphrase room. Slow on purpose, about a second: every guess costs the same.
 * @param {string} passphrase
 * @param {string} roomName
 * @returns {Promise<Bytes>}
 */
export async function passphraseRoot(passphrase, roomName) {
  const { password, salt } = await passphraseInputs(passphrase, roomName);
  const key = await subtle().importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
  password.fill(0);
  const bits = await subtle().deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt, iterations: ROUNDS }, key, 256);
  return new Uint8Array(bits);
}

/**
 * Everything that follows from a root. The result owns a copy of it.
 * @param {Uint8Array} root 32 bytes
 * @returns {Promise<Readonly<RoomKeys>>}
 */
export async function roomKeys(root) {
  if (root.length !== 32) throw new RangeError(`a room's root has 32 bytes, this one has ${root.length}`);
  const own = new Uint8Array(root);
  const key = await hkdfKey(own);
  const [access, outer, drop] = await Promise.all([X(key, 'access'), X(key, 'outer'), X(key, 'drop')]);
  const post = await H('post', access);
  const room = (await H('room', post)).slice(0, 20);
  const [outerKey, pair] = await Promise.all([hkdfKey(outer), dhPair(drop)]);
  outer.fill(0);
  drop.fill(0);
  return Object.freeze({ root: own, access, post, room, roomId: b64u(room), outerKey, dropKey: pair.key, dropPublic: pair.public });
}

/**
 * Overwrites a room's secrets; the keys are of no use afterwards.
 * @param {RoomKeys} keys
 */
export function eraseRoomKeys({ root, access, post }) {
  for (const secret of [root, access, post]) secret.fill(0);
}

/** @returns {Bytes} 32 bytes that prove a member id */
export const newMemberSecret = () => random(32);

/**
 * The member id that a member secret proves: its raw 16 bytes and its text.
 * @param {Bytes} secret
 */
export async function memberId(secret) {
  const raw = (await sha256(secret)).slice(0, 16);
  return { raw, id: b64u(raw) };
}

const BITS_PER_WORD = 10;

/**
 * A passphrase of random words. 1,024 words are 10 bits each, so masking a random number is fair.
 * @param {number} [count] at least 7: 70 bits, which a million rounds of PBKDF2 make out of reach
 */
export function generatePassphrase(count = 7) {
  if (!(count >= 7)) throw new RangeError('A passphrase needs at least 7 words.');
  const draws = new DataView(random(2 * count).buffer);
  return Array.from({ length: count }, (_, i) => WORDS[draws.getUint16(2 * i) & (2 ** BITS_PER_WORD - 1)]).join(' ');
}
