// @ts-check
// The streams of a ladder: the one that carries the room, the one being tried, and what their failures say. Part of the ladder.

import { Lifespan } from './lifespan.js';

/** @import { Action, How, Rung, Stream } from './moves.js' */

const HELLO = 4000; // a stream that has not said hello by then is held back somewhere
const PATIENCE = 2.5; // heartbeats of silence
const LATE = 5000; // a timer this late was asleep with the page; events may be waiting behind it
const GRACE = 2000; // for those
const YOUNG = 5000; // streams that the relay ends sooner are not to be opened again at once
const DEFAULT_HB = 10; // seconds
const TRIAL_HB = 5; // seconds; a shadow is to be proved soon
const NEVER = Infinity;

/** When a stream counts as lost. @param {Stream | null} s */
const due = (s) => (!s ? NEVER : s.hello ? s.last + PATIENCE * s.hb : s.opened + HELLO);

export class Streams {
  /** @type {Stream | null} the one that carries the room */ live = null;
  /** @type {Stream | null} one that has yet to show that it gets through */ probe = null;
  /** @type {Rung} of the stream in use or in want */ rung = '0';
  span = new Lifespan();
  /** Streams in a row that the relay ended soon after they began. */
  curt = 0;
  #series = -1; // since when streams of this rung have been tried without a hello, -1 for not
  /** @type {How | ''} how the first form of stream failed, '' while it has not */ #first = '';

  get due() {
    return Math.min(due(this.live), due(this.probe));
  }

  /** @param {number} now @param {number} ch @param {Rung} rung @param {boolean} trial @returns {Action} */
  open(now, ch, rung, trial) {
    if (!trial && (rung !== this.rung || this.#series < 0)) this.#series = now;
    this.rung = rung;
    this.probe = { ch, rung, trial, opened: now, last: now, hb: 1000 * DEFAULT_HB, hello: false };
    return { do: 'open', ch, rung, hb: trial ? TRIAL_HB : this.span.hb, life: this.span.life, shadow: trial || this.live !== null };
  }

  /** @param {Stream} s @param {number} now @param {number} [hb] seconds, as the relay says */
  hello(s, now, hb) {
    s.hello = true;
    s.hb = 1000 * (hb || DEFAULT_HB);
    s.last = now;
  }

  /** The stream that was tried carries the room from here on. @param {Stream} s */
  promote(s) {
    this.clear();
    this.live = s;
    this.descend();
  }

  clear() {
    this.live = this.probe = null;
  }

  /** Forgets what failed so far. */
  descend() {
    this.#series = -1;
    this.#first = '';
  }

  /** The probe's time is up. @param {number} now */
  held(now) {
    return due(this.probe) <= now ? this.probe : null;
  }

  /** The live stream has been silent for too long. @param {number} now */
  silent(now) {
    return due(this.live) <= now ? this.live : null;
  }

  /** The page was asleep: grants a moment to what may have come meanwhile. Answers whether it was. @param {Stream} s @param {number} now */
  overslept(s, now) {
    if (now - due(s) <= LATE) return false;
    s.last = now + GRACE - PATIENCE * s.hb;
    return true;
  }

  /**
   * A stream that was to carry the room failed before its hello. Answers what is next: a control poll, the other form of stream, or a rung below.
   * @param {Stream} s @param {How} how @param {number} heardAt when a poll last got through
   * @returns {'control' | Rung}
   */
  failed(s, how, heardAt) {
    if (how !== 'refused' && heardAt <= this.#series) return 'control';
    if (this.#first) return this.#first === 'held' ? '1' : '2';
    this.#first = how;
    return s.rung === '0' ? '0b' : '0';
  }

  /** The live stream has ended. Answers its age. @param {Stream} s @param {number} now */
  ended(s, now) {
    const age = now - s.opened;
    this.live = null;
    this.curt = age < YOUNG ? this.curt + 1 : 0;
    return age;
  }

  /** It died without a word. Answers whether streams are still worth while. @param {Stream} s @param {number} now @param {boolean} mute */
  died(s, now, mute) {
    return this.span.died((mute ? s.last : now) - s.opened, now - s.last, mute);
  }
}
