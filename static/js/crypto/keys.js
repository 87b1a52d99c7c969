// @ts-check
import { b64u, compare, concat, fromUtf8, lp, random, Reader, u32, u64, utf8 } from '../lib/bytes.js';
import { dhPair, H, hkdfKey, sha256, SIG, sign, signPair, subtle, verify, verifyKey, X } from './suite.js';

/**
 * Roots: the one secret of a room, where it comes from (a link or a passphrase) and what is derived from it.
 */

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

// The trim set is spelt out because languages differ in what they call white space. Never change it: rooms would move.
const SPACE = '[\\u0009-\\u000d\\u0020\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]+';
const EDGES = new RegExp(`^${SPACE}|${SPACE}$`, 'gu');

/**
 * NFKC(trim(text)), refused when nothing is left or half a character is in it.
 * @param {string} text
 */
function normal(text) {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError('The room name or passphrase holds half a character; please type it again.');
  const out = text.replace(EDGES, '').normalize('NFKC');
  if (out === '') throw new TypeError('The room name or passphrase is empty.');
  return out;
}

/**
 * What goes into PBKDF2, apart for the vectors.
 * @param {string} passphrase
 * @param {string} roomName
 */
export async function passphraseInputs(passphrase, roomName) {
  const password = utf8(normal(passphrase));
  const salt = await H('salt', lp(utf8(normal(roomName).toLowerCase())));
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

/**
 * Identity: the private side of a card. An Ed25519 key that stays, and an X25519 key (for HPKE) that is replaced every hour or
 * 200 messages, so that what was recorded on its way here cannot be opened with what a stolen device still holds.
 */

/** @typedef {import('./suite.js').DhPair} DhPair */
/** @typedef {import('./suite.js').SignPair} SignPair */

/** @typedef {DhPair & {rotation: number, until: number}} HpkeKey until: when it is erased, ms since 1970; Infinity while current */
/**
 * What "keep on this device" stores. It is all secrets: wrap it before it touches a disk.
 * @typedef {object} IdentityState
 * @property {Bytes} seed
 * @property {{rotation: number, secret: Bytes, until: number}[]} hpke newest last
 */

const ROTATE_AFTER = 60 * 60 * 1000;
const ROTATE_MESSAGES = 200;
/** How long a replaced key still opens key frames that were under way. */
const GRACE = 15 * 60 * 1000;

/**
 * Rotations, and numbers of chains, start from the clock in seconds: whoever comes back without the state of its last minutes
 * (a crash, a page that could not save) still continues above every number it used, as long as it uses less than one a second.
 * @param {number} now
 * @param {number} [last]
 */
export const numberAfter = (now, last = -1) => Math.max(last + 1, Math.floor(now / 1000)) >>> 0;

export class Identity {
  /** @type {SignPair | null} null once erased */
  #pair;
  /** @type {HpkeKey[]} */
  #hpke;
  #since;
  #messages = 0;

  /**
   * Use create or import.
   * @param {SignPair} pair
   * @param {HpkeKey[]} hpke newest last
   * @param {number} now
   */
  constructor(pair, hpke, now) {
    this.#pair = pair;
    this.#hpke = hpke;
    this.#since = now;
  }

  /**
   * @param {number} [now]
   * @param {{seed?: Bytes, secret?: Bytes, rotation?: number}} [fixed] for test vectors
   */
  static async create(now = Date.now(), { seed = random(32), secret = random(32), rotation = numberAfter(now) } = {}) {
    const [pair, hpke] = await Promise.all([signPair(seed), dhPair(secret)]);
    return new Identity(pair, [{ ...hpke, rotation, until: Infinity }], now);
  }

  /**
   * Takes up a stored identity. The HPKE key is replaced at once, as nobody knows how fresh the store was; the stored one keeps
   * its grace, for what was sealed to it meanwhile.
   * @param {IdentityState} state
   * @param {number} [now]
   */
  static async import({ seed, hpke }, now = Date.now()) {
    const old = hpke.map(async ({ secret, ...rest }) => ({ ...rest, ...(await dhPair(new Uint8Array(secret))) }));
    const identity = new Identity(await signPair(new Uint8Array(seed)), await Promise.all(old), now);
    await identity.rotate(now);
    return identity;
  }

  /** A copy of the secrets, structured-cloneable. @returns {IdentityState} */
  export() {
    const hpke = this.#hpke.map(({ rotation, secret, until }) => ({ rotation, secret: secret.slice(), until }));
    return { seed: this.#live.seed.slice(), hpke };
  }

  /** The Ed25519 identity key. */
  get public() {
    return this.#live.public;
  }

  get #live() {
    if (!this.#pair) throw new Error('This room is closed, and its keys are erased.');
    return this.#pair;
  }

  /** The public half of the current HPKE key. */
  get hpke() {
    const { rotation, public: x25519 } = this.#current;
    return { rotation, x25519 };
  }

  get #current() {
    return this.#hpke[this.#hpke.length - 1];
  }

  /**
   * Sign(k, l, b).
   * @param {string} name
   * @param {...Uint8Array} body
   */
  sign(name, ...body) {
    return sign(this.#live.key, name, ...body);
  }

  /** Counts a sent message towards the next rotation. */
  count() {
    this.#messages++;
  }

  /** @param {number} now */
  isDue(now) {
    return this.#messages >= ROTATE_MESSAGES || now - this.#since >= ROTATE_AFTER;
  }

  /** @param {number} now */
  async rotate(now) {
    const pair = await dhPair();
    const { rotation } = this.#current;
    this.#current.until = Math.min(this.#current.until, now + GRACE);
    this.#hpke.push({ ...pair, rotation: numberAfter(now, rotation), until: Infinity });
    this.#since = now;
    this.#messages = 0;
    this.sweep(now);
  }

  /**
   * The private key of a rotation, if it is not erased yet.
   * @param {number} rotation
   * @param {number} now
   */
  hpkeKey(rotation, now) {
    this.sweep(now);
    return this.#hpke.find((key) => key.rotation === rotation) ?? null;
  }

  /**
   * Erases keys whose grace is over.
   * @param {number} now
   */
  sweep(now) {
    for (const { secret } of this.#hpke.filter(({ until }) => until <= now)) secret.fill(0);
    this.#hpke = this.#hpke.filter(({ until }) => until > now);
  }

  /** Erases everything; the identity is of no use afterwards. */
  erase() {
    this.#pair?.seed.fill(0);
    this.#pair = null;
    for (const { secret } of this.#hpke.splice(0, this.#hpke.length)) secret.fill(0);
  }
}

/**
 * Cards: a member's signed public keys and alias. And what people compare to know that cards are genuine: the safety code of a room.
 */

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
 * An alias as people see it. A card is valid with any name, so that old ones stay so, but nobody is shown what has no shape or turns the text
 * around it: the same goes that the page takes out of one's own name.
 * @param {string} alias
 */
export function shownAlias(alias) {
  const shown = alias.replace(/\p{C}+/gu, '').trim();
  return /[^\p{Default_Ignorable_Code_Point}\p{M}\p{Z}\u2800]/u.test(shown) ? shown : '?';
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

/** Five digits of five bytes. @param {Uint8Array} bytes @param {number} from */
export function fiveDigits(bytes, from) {
  let value = 0;
  for (let i = from; i < from + 5; i++) value = (value * 256 + bytes[i]) % 100000;
  return String(value).padStart(5, '0');
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
