// @ts-check
// The waits of the ladder that have a memory of their own: between climbs, and between attempts to join again. Milliseconds.

import { backoff } from './pull.js';

const FIRST = 60_000;
const MAX = 600_000;
const REST = 10_000; // between two climbs, however often the page is shown and hidden
const SOON = 5000; // a session that ends this soon after a join is no better than a failed join
const NEVER = Infinity;

/** The longest wait that a Retry-After can ask for. */
export const MAX_WAIT = 600_000;

/** What a gateway answers whose way is broken: it says nothing about streams. @param {number} [status] */
export const gateway = (status) => status === 429 || status === 502 || status === 503 || status === 504;

/** @param {number} [seconds] of a Retry-After */
export const waitOf = (seconds = 0) => Math.min(MAX_WAIT, 1000 * seconds);

/** When to try for a stream again from below: after a minute, doubling to ten. */
export class Climb {
  at = NEVER;
  #delay = FIRST;
  #last = -NEVER;

  /** @param {number} now */
  begin(now) {
    this.#last = now;
    this.at = NEVER;
  }

  /** @param {number} now @param {number} [least] */
  later(now, least = 0) {
    this.at = now + Math.max(this.#delay, least);
  }

  /** Something speaks for trying at once; answers whether to. @param {number} now */
  soon(now) {
    if (now - this.#last >= REST) return true;
    this.at = Math.min(this.at, this.#last + REST);
    return false;
  }

  failed() {
    this.#delay = Math.min(MAX, 2 * this.#delay);
  }

  reset() {
    this.#delay = FIRST;
  }
}

/** Whether the session is to be joined again before anything else. */
export class Rejoin {
  at = NEVER; // of the next attempt while one waits
  /** @type {'' | 'asked' | 'waiting'} */ #state = '';
  #fails = 0;
  #done = -NEVER;

  /** Nothing else may run. */
  get on() {
    return this.#state !== '';
  }

  /** The session is gone. Answers whether to join now. @param {number} now @param {number} r */
  need(now, r) {
    if (this.on) return false;
    if (now - this.#done >= SOON) this.#fails = 0;
    else return this.#wait(now, r);
    return this.#ask();
  }

  /** The wait is over, or cut short. Answers whether to join now. */
  hurry() {
    return this.#state === 'waiting' && this.#ask();
  }

  /** A join has ended. Answers whether the rest may go on. @param {boolean} ok @param {number} now @param {number} r */
  done(ok, now, r) {
    if (this.#state !== 'asked') return false;
    if (!ok) return this.#wait(now, r);
    this.#state = '';
    this.#done = now;
    return true;
  }

  #ask() {
    this.#state = 'asked';
    this.at = NEVER;
    return true;
  }

  /** @param {number} now @param {number} r */
  #wait(now, r) {
    this.#state = 'waiting';
    this.at = now + backoff(++this.#fails, r);
    return false;
  }
}
