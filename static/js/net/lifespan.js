// @ts-check
// What the network lets a stream be: how long it may live and how long it may be silent, learned from the streams that died.

const MIN_HEARTBEAT = 5; // seconds; the relay gives no less
const MIN_LIFE = 5; // seconds, likewise
const DEFAULT_LIFE = 280; // seconds; what the relay does unasked
const QUIET = 4000; // silence before a cut that an idle limit may explain
const YOUNG = 5000; // streams that die younger than this are no better than polls

/** Times in milliseconds, but hb and life, which are asked of the relay in seconds; 0 asks for nothing. The Go ladder has the same machine. */
export class Lifespan {
  hb = 0;
  life = 0;
  /** @type {{age: number, quiet: boolean} | null} */ #last = null;
  #young = 0;
  #ended = 0; // planned ends since the last death
  #enough = 4; // planned ends after which a longer life is tried
  #grown = false;

  /** Deaths under 5 s in a row; what the wait before the next try grows with. */
  get young() {
    return this.#young;
  }

  /** @param {number} hb @param {number} life what the last visit ended with */
  recall(hb, life) {
    this.hb = hb;
    this.life = life;
  }

  /** A stream reached its planned end. Lives that were shortened for a network that has since changed grow back. */
  ended() {
    this.#young = 0;
    this.#last = null;
    if (this.life === 0 || ++this.#ended < this.#enough) return;
    this.#ended = 0;
    this.#grown = true;
    this.life = this.life * 2 < DEFAULT_LIFE ? this.life * 2 : 0;
  }

  /**
   * A stream died after its hello, `silence` after its last event; `mute` if nobody said so and the watchdog found out.
   * Answers whether streams are still worth while.
   * @param {number} age @param {number} silence @param {boolean} mute
   */
  died(age, silence, mute) {
    const before = this.#last;
    const quiet = mute || silence >= QUIET;
    this.#last = { age, quiet };
    this.#ended = 0;
    this.#young = age < YOUNG ? this.#young + 1 : 0;
    if (this.#young >= 3) return this.#hopeless();
    if (quiet && before?.quiet) this.hb = MIN_HEARTBEAT;
    const twice = before !== null && Math.abs(age - before.age) <= 1000 + 0.2 * Math.max(age, before.age);
    const limit = Math.min(age, before?.age ?? age);
    if ((!twice && !this.#grown) || limit < YOUNG) return true; // three young ones settle it
    if (limit < (MIN_LIFE + 1) * 1000) return this.#hopeless(); // the relay adds a tenth to the life it is asked for
    if (this.#grown) this.#enough = Math.min(64, this.#enough * 2);
    this.#grown = false;
    this.#last = null;
    this.life = Math.max(MIN_LIFE, Math.floor((0.75 * limit) / 1000));
    return true;
  }

  /** Another network: nothing learned holds. */
  reset() {
    this.hb = this.life = this.#young = this.#ended = 0;
    this.#enough = 4;
    this.#last = null;
    this.#grown = false;
  }

  #hopeless() {
    this.reset();
    return false;
  }
}
