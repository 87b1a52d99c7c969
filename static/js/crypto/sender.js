// @ts-check
/**
 * Sender: one's own chain, who holds it, and when there must be a new one. Each message has its own key, and the key of a message
 * that was sent cannot be computed from the chain any more.
 */
import { random } from '../lib/bytes.js';
import { aesFrom, hkdfKey, X } from './hash.js';
import { numberAfter } from './identity.js';
import { addressee } from './roster.js';
import { sealKeys } from './sealed.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./identity.js').Identity} Identity */
/** @typedef {import('./roster.js').Member} Member */
/** @typedef {import('./sealed.js').Place} Place */

const HOUR = 60 * 60 * 1000;
const MAX_MESSAGES = 100;

/** One's own chain. */
export class SendingChain {
  #ck;
  #n = 0;
  #e;
  #since;

  /**
   * @param {number} now
   * @param {{last?: number, e?: number, ck?: Bytes}} [options] last: number of the chain before; e and ck are for test vectors
   */
  constructor(now, { last, e = numberAfter(now, last), ck = random(32) } = {}) {
    this.#e = e;
    this.#ck = ck;
    this.#since = now;
  }

  get e() {
    return this.#e;
  }

  /** @param {number} now */
  isDue(now) {
    return this.#n >= MAX_MESSAGES || now - this.#since >= HOUR;
  }

  /** The key of the next message. Two calls must not overlap. */
  async next() {
    const from = await hkdfKey(this.#ck);
    const [key, ck] = await Promise.all([aesFrom(from, 'message'), X(from, 'chain')]);
    this.#ck.fill(0);
    this.#ck = ck;
    return { e: this.#e, n: this.#n++, key };
  }

  /** The chain as it is now, for those who may read from here on. The caller erases ck. */
  now() {
    return { e: this.#e, n: this.#n, ck: this.#ck.slice() };
  }

  erase() {
    this.#ck.fill(0);
  }
}

export class Sender {
  #identity;
  #place;
  #last;
  /** @type {SendingChain | null} */
  #chain = null;
  /** @type {Set<string>} ids of the members that the chain was sealed to */
  #holders = new Set();

  /**
   * @param {Identity} identity
   * @param {Place} place
   * @param {number} [last] number of the last chain of an earlier start
   */
  constructor(identity, place, last = -1) {
    this.#identity = identity;
    this.#place = place;
    this.#last = last;
  }

  /** The number of the newest chain: what must be kept so that no number is ever used twice. */
  get last() {
    return this.#last;
  }

  /** Ends the chain: somebody who holds it must not read on. */
  end() {
    this.#chain?.erase();
    this.#chain = null;
    this.#holders.clear();
  }

  /**
   * The chain is owed to a member again.
   * @param {string} id
   */
  owe(id) {
    this.#holders.delete(id);
  }

  /**
   * The inner of a keys frame for those of the members who hold no chain yet, and their ids; null if all do.
   * @param {Member[]} members who may read
   * @param {number} now
   */
  async keys(members, now) {
    const chain = this.#ready(now);
    const missing = members.filter(({ id }) => !this.#holders.has(id));
    if (missing.length === 0) return null;
    const inner = await sealKeys(this.#identity, this.#place, chain.now(), missing.map(addressee));
    const ids = missing.map(({ id }) => id);
    for (const id of ids) this.#holders.add(id);
    return { inner, to: ids };
  }

  /** @param {number} now */
  #ready(now) {
    if (this.#chain?.isDue(now)) this.end();
    if (this.#chain) return this.#chain;
    this.#chain = new SendingChain(now, { last: this.#last });
    this.#last = this.#chain.e;
    return this.#chain;
  }

  /**
   * The key of the next message; call keys first, so that all who may read it can.
   * @param {number} now
   */
  async next(now) {
    const chain = this.#chain ?? this.#ready(now);
    this.#identity.count();
    return chain.next();
  }
}
