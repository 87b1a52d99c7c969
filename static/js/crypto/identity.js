// @ts-check
/**
 * Identity: the private side of a card. An Ed25519 key that stays, and an X25519 key (for HPKE) that is replaced every hour or
 * 200 messages, so that what was recorded on its way here cannot be opened with what a stolen device still holds.
 */
import { random } from '../lib/bytes.js';
import { dhPair, sign, signPair } from './curve.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./curve.js').DhPair} DhPair */
/** @typedef {import('./curve.js').SignPair} SignPair */

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
