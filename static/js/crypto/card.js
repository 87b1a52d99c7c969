// @ts-check
/**
 * Cards: a member's signed public keys and alias. And what people compare to know that cards are genuine: fingerprints of
 * members, the safety code of a room.
 */
import { compare, concat, fromUtf8, lp, Reader, u32, u64, utf8 } from '../lib/bytes.js';
import { WORDS } from '../lib/words.js';
import { SIG, verify, verifyKey } from './curve.js';
import { H } from './hash.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./identity.js').Identity} Identity */

/**
 * @typedef {object} Card
 * @property {Bytes} member
 * @property {number} created ms since 1970
 * @property {number} rotation
 * @property {Bytes} x25519
 * @property {Bytes} ed25519
 * @property {string} alias
 * @property {CryptoKey} verifyKey ed25519, imported
 */

const SUITE = 1;
const MAX_ALIAS = 64;

/**
 * Whether an alias can go into a card; an alias of another length or with control characters can not.
 * @param {string} alias
 */
export function isAlias(alias) {
  const length = utf8(alias).length;
  return length >= 1 && length <= MAX_ALIAS && !/[\p{Cc}\p{Cs}]/u.test(alias);
}

/**
 * A signed card, ready to be sealed into a frame.
 * @param {Identity} identity
 * @param {{room: Bytes, member: Bytes, alias: string, created: number}} of
 */
export async function signCard(identity, { room, member, alias, created }) {
  if (!isAlias(alias)) throw new TypeError('A name has 1 to 64 bytes and no control characters.');
  const { rotation, x25519 } = identity.hpke;
  const body = concat(Uint8Array.of(SUITE), member, u64(created), u32(rotation), x25519, identity.public, lp(utf8(alias)));
  return concat(body, await identity.sign('card', room, body));
}

/**
 * Reads a card and holds it against its own signature. Whether to trust its identity key is the caller's question.
 * @param {Bytes} inner
 * @param {Bytes} room
 * @returns {Promise<Card>}
 */
export async function parseCard(inner, room) {
  const reader = new Reader(inner);
  if (reader.u8() !== SUITE) throw new RangeError('this card is of a newer kind');
  const [member, time, rotation] = [reader.take(16), reader.u64(), reader.u32()];
  const [x25519, ed25519, alias] = [reader.take(32), reader.take(32), fromUtf8(reader.lp())];
  const signature = reader.take(SIG);
  reader.end();
  if (!isAlias(alias)) throw new RangeError('the name on this card is no name');
  const created = Number(time);
  if (!Number.isSafeInteger(created)) throw new RangeError('this card is of no time');
  const key = await verifyKey(ed25519);
  if (!(await verify(key, 'card', signature, room, inner.slice(0, -SIG)))) throw new RangeError('the signature on this card is wrong');
  return { member, created, rotation, x25519, ed25519, alias, verifyKey: key };
}

/** @param {Uint8Array} bytes @param {number} from */
function fiveDigits(bytes, from) {
  let value = 0;
  for (let i = from; i < from + 5; i++) value = (value * 256 + bytes[i]) % 100000;
  return String(value).padStart(5, '0');
}

/**
 * The fingerprint of an identity key: four words and ten digits.
 * @param {Uint8Array} ed25519
 */
export async function fingerprint(ed25519) {
  const h = await H('fingerprint', ed25519);
  const bits = new DataView(h.buffer).getBigUint64(0) >> 24n;
  const words = [30n, 20n, 10n, 0n].map((shift) => WORDS[Number((bits >> shift) & 1023n)]);
  return [...words, fiveDigits(h, 5), fiveDigits(h, 10)].join(' ');
}

/**
 * The safety code of a room: six groups of digits, equal on all screens that see the same members.
 * @param {Uint8Array} room
 * @param {Uint8Array[]} identities the members' identity keys, one's own among them
 */
export async function safetyCode(room, identities) {
  const h = await H('safety', room, ...[...identities].sort(compare));
  return [0, 1, 2, 3, 4, 5].map((group) => fiveDigits(h, 5 * group)).join(' ');
}
