// @ts-check
// Receiving by requests that end with their answer: which kind, for how long the relay may hold it, when the next one is due. Part of the ladder.

/** @import { Action, Rung } from './moves.js' */

const LONGEST = 25; // seconds a poll is held; below the 30 s idle limit
const SHORTEST = 3;
const OWN_TIMEOUT = 5000; // over the hold
const TIMEOUT_MAX = 20_000; // of a poll that is not held, on a slow network
const PACE = 1000; // short polls while something goes on
const PACE_MAX = 10_000; // and while nothing does
const ENOUGH = 10; // good answers before a longer hold is tried
const ENOUGH_MAX = 80; // when longer ones keep failing
const APART = 1000; // between hello and end of a batch that was not held back
const LATE = 5000; // a timer this late was asleep with the page; the answer may be waiting behind it
const GRACE = 2000; // for that
const NEVER = Infinity;

/** @param {number} n failures in a row @param {number} r random in [0,1) */
export const backoff = (n, r) => Math.round(Math.min(30_000, 500 * 2 ** Math.max(0, n - 1)) * (0.5 + r / 2));

/** Times in milliseconds, holds in seconds. At most one request is under way. The Go ladder has the same machine. */
export class Pull {
  on = false;
  /** The request under way, 0 for none. */
  ch = 0;
  /** When it counts as lost; with none under way, when the next one is sent. */
  due = NEVER;
  /** @type {Rung} 1, 2 or 3 */ rung = '2';
  hold = LONGEST;
  /** Batches have yet to show that they get through. */
  trial = false;
  /** Failures in a row of requests that were not held, so that nothing but the way can be to blame. */
  fails = 0;
  /** The request under way, or the last one, was one of the rung, not a short one on the side. */
  full = false;

  /** A batch has just shown that answers are no longer held back. */
  flowing = false;

  #fresh = false; // nothing has come yet: the first request is short, so that we soon know
  #stumbles = 0; // held requests that failed, in a row
  #asked = 0; // hold of that request
  #since = 0;
  #helloAt = -1; // when the batch under way said hello, -1 for not yet
  #watch = false; // batches arrive in one piece: the first that does not is news
  #timeout = OWN_TIMEOUT;
  #pace = PACE;
  #goods = 0;
  #enough = ENOUGH;
  #grown = false;
  /** @type {'' | 'lost' | 'refused'} a held request failed: was it the hold, or is the network down? A short one will tell. */ #doubt = '';

  /** @param {number} now */
  begin(now) {
    if (this.on) return;
    this.on = true;
    this.fails = 0;
    this.due = now;
    this.#fresh = true;
  }

  stop() {
    this.on = false;
    this.ch = 0;
    this.due = NEVER;
    this.#doubt = '';
  }

  /** Takes up a rung from its beginning. @param {Rung} rung @param {number} now */
  settle(rung, now) {
    this.rung = rung;
    this.hold = LONGEST;
    this.trial = rung === '1';
    this.#watch = false;
    this.#goods = this.#stumbles = 0;
    this.#enough = ENOUGH;
    this.#grown = false;
    this.#doubt = '';
    this.begin(now);
    this.resume(now);
  }

  /** What the rung was like the last time. @param {number} hold */
  recall(hold) {
    this.trial = false;
    if (hold > 0) this.hold = Math.min(LONGEST, Math.max(SHORTEST, hold));
  }

  /** Nothing runs beside the polls any more. @param {number} now */
  resume(now) {
    if (this.on && !this.ch && this.fails === 0) this.due = now;
  }

  /** A stream is being tried: a held request makes way for short ones. Returns the request to close, 0 for none. @param {number} now */
  shorten(now) {
    const ch = this.#asked > 0 ? this.ch : 0;
    if (ch) {
      this.ch = 0;
      this.due = now;
    }
    return ch;
  }

  /** Waiting is over. @param {number} now @param {boolean} dropped the request under way is given up too */
  hurry(now, dropped) {
    if (dropped) this.ch = 0;
    this.fails = 0;
    this.#pace = PACE;
    if (this.on && !this.ch) this.due = now;
  }

  /** The user does something, so answers are near. @param {number} now */
  active(now) {
    this.#pace = PACE;
    if (this.on && !this.ch && this.fails === 0) this.due = Math.min(this.due, now + PACE);
  }

  /**
   * Sends the next request. @param {number} now @param {number} ch @param {boolean} full nothing runs beside it, so it may be held
   * @returns {Action}
   */
  send(now, ch, full) {
    this.full = full && !this.#fresh && this.#doubt === '';
    this.#asked = !this.full || this.rung === '3' ? 0 : this.trial ? 1 : this.hold;
    this.ch = ch;
    this.#since = now;
    this.#helloAt = -1;
    this.due = now + 1000 * this.#asked + (this.#asked > 0 ? OWN_TIMEOUT : this.#timeout);
    return { do: this.full && this.rung === '1' ? 'batch' : 'poll', ch, hold: this.#asked };
  }

  /** The request under way if its time is up, else 0. @param {number} now */
  late(now) {
    if (!this.ch || this.due > now) return 0;
    if (now - this.due > LATE) {
      this.due = now + GRACE;
      return 0;
    }
    if (this.#asked === 0) this.#timeout = Math.min(TIMEOUT_MAX, this.#timeout * 2);
    return this.ch;
  }

  /** The batch under way has begun to arrive. @param {number} now */
  hello(now) {
    this.#helloAt = now;
  }

  /** A good answer with n events. @param {number} now @param {number} n @param {boolean} full the next one may be held */
  good(now, n, full) {
    const whole = 2 * (now - this.#since) >= 1000 * this.#asked; // it was held for about as long as asked
    this.#look(now);
    this.ch = 0;
    this.fails = 0;
    this.#timeout = OWN_TIMEOUT;
    this.#pace = n > 0 ? PACE : Math.min(PACE_MAX, Math.floor(this.#pace * 1.5));
    this.due = now;
    this.#fresh = false;
    if (this.#doubt) this.#shrink();
    else if (!this.full) this.due = full ? now : now + PACE;
    else {
      this.trial = false;
      this.#stumbles = 0;
      if (whole && ++this.#goods >= this.#enough) this.#grow();
      if (this.rung === '3') this.due = now + this.#pace;
      else if (n === 0 && !whole) this.due = now + PACE; // an answer before its time must not become a busy loop
    }
  }

  /** @param {number} now @param {number} r @param {boolean} refused by an answer, not by silence @param {number} wait at least that long */
  failed(now, r, refused, wait) {
    this.ch = 0;
    if (this.#asked > 0) {
      this.#doubt = refused ? 'refused' : 'lost';
      this.due = now + Math.max(wait, Math.round(250 * r));
      return;
    }
    this.#doubt = '';
    this.due = now + Math.max(wait, backoff(++this.fails, r));
  }

  /** The relay itself asked to wait: the way is open. @param {number} now @param {number} wait */
  told(now, wait) {
    this.ch = 0;
    this.due = now + wait;
  }

  /** A batch says hello at once. A network that holds answers back lets us have that with the end only. @param {number} now */
  #look(now) {
    const early = this.#helloAt >= 0 && now - this.#helloAt >= APART;
    this.flowing = early && this.#watch;
    if (this.flowing) this.#watch = false;
    else if (this.#helloAt >= 0 && !early && now - this.#since >= 3 * APART) this.#watch = true;
  }

  #grow() {
    this.#goods = 0;
    if (this.rung === '3') {
      this.rung = '2';
      this.hold = SHORTEST;
    } else if (this.hold < LONGEST) this.hold = Math.min(LONGEST, Math.floor(this.hold * 1.5));
    else return;
    this.#grown = true;
  }

  #shrink() {
    this.#stumbles++;
    const refused = this.#doubt === 'refused';
    this.#doubt = '';
    this.#goods = 0;
    if (this.#grown) this.#enough = Math.min(ENOUGH_MAX, this.#enough * 2);
    this.#grown = false;
    if (this.rung === '1' && (this.trial || refused)) {
      this.rung = '2';
      this.hold = LONGEST;
    } else if (this.hold > SHORTEST) this.hold = Math.max(SHORTEST, Math.floor(this.hold / 2));
    else if (this.#stumbles < 2) return; // any connection may break once
    else if (this.rung === '1') {
      this.rung = '2';
      this.hold = 2 * SHORTEST;
    } else this.rung = '3';
    this.trial = false;
  }
}
