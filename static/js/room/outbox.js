// @ts-check
/**
 * What this member has posted and not everybody has yet. An entry stays, with its sealed bytes and its message ids, until the
 * relay says that every member acked it; after a restart of the relay it is posted again as it is, and receivers drop what they had.
 * Posting is one at a time and in order, and never waits for the stream.
 */
import { b64u, random } from '../lib/bytes.js';
import { BlockedError, NetworkError, RelayError } from '../net/api.js';
import { MESSAGE } from '../crypto/frame.js';

/** @typedef {{type: number, bytes: Uint8Array, to?: string[]}} Frame to: whom a keys frame is sealed to */
/** @typedef {'queued' | 'sent' | 'all' | 'expired' | 'failed'} State */

/**
 * @typedef {object} Letter one thing to send: content to be sealed when its turn comes, or a frame that is sealed already
 * @property {object} [content]
 * @property {Frame} [frame]
 * @property {string} key of its item in the timeline; '' for what is not shown
 * @property {(state: State, reason: string, posted?: import('../net/api.js').Posted) => void} [tell] besides the session's
 */

/**
 * @typedef {object} Entry a sealed frame under its message id
 * @property {string} id
 * @property {Frame} frame
 * @property {Letter} letter
 * @property {number} seq 0 until the relay has it
 */

/**
 * What another tab needs to go on, or this one after a reload.
 * @typedef {{letters: Letter[], entries: Entry[]}} OutboxState
 */

/**
 * @typedef {object} Post what the outbox needs of the session
 * @property {(id: string, frame: Uint8Array, roster: number | null) => Promise<import('../net/api.js').Posted>} post
 * @property {(content: object) => Promise<Frame[]>} seal
 * @property {() => number} roster
 * @property {(roster: import('../net/api.js').Roster) => Promise<void>} learn
 * @property {(ids: string[]) => Promise<void>} owe they need the keys again: the frame that had them was refused
 * @property {() => Promise<void>} rejoin
 * @property {(key: string, state: State, reason: string) => void} tell how it goes on with an item
 * @property {() => Promise<void>} sealed called before the first byte leaves, for a room kept on this device
 */

const RETRY = [500, 1000, 2000, 4000, 8000, 15_000, 30_000]; // ms; the stream's ladder finds out sooner when the network is back and wakes us
const STALE = 3; // posts refused for an old roster before it goes anyway; newcomers then see "sent before you were known"

export class Outbox {
  #session;
  #letters = /** @type {Letter[]} */ ([]);
  #entries = /** @type {Entry[]} */ ([]);
  #wake = () => {};
  #running = false;
  #closed = false;
  #fails = 0;
  #stale = 0;

  /** @param {Post} session */
  constructor(session) {
    this.#session = session;
  }

  /** How many letters not everybody has. */
  get size() {
    return this.#letters.length + this.#entries.filter((entry) => entry.frame.type === MESSAGE).length;
  }

  /** What to hand on. @returns {OutboxState} */
  export() {
    const plain = (/** @type {Letter} */ { tell, ...letter }) => letter;
    const letters = new Map([...this.#letters, ...this.#entries.map((entry) => entry.letter)].map((letter) => [letter, plain(letter)]));
    const of = (/** @type {Letter} */ letter) => /** @type {Letter} */ (letters.get(letter));
    return { letters: this.#letters.map(of), entries: this.#entries.map((entry) => ({ ...entry, letter: of(entry.letter) })) };
  }

  /** Goes on where another outbox was. @param {OutboxState} state */
  resume({ letters, entries }) {
    this.#letters.unshift(...letters);
    this.#entries.unshift(...entries);
  }

  /** @param {Letter} letter */
  add(letter) {
    this.#letters.push(letter);
    void this.#run();
  }

  /** The network may be back: try now instead of at the end of the wait. */
  poke() {
    this.#wake();
  }

  /**
   * What the relay says of our messages: all up to a place are waited for no more; some of them were freed by time first.
   * @param {number} through
   * @param {number[]} [expired]
   */
  acked(through, expired = []) {
    const [over, open] = split(this.#entries, (entry) => entry.seq > 0 && entry.seq <= through);
    this.#entries = open;
    for (const { letter, frame, seq } of over) {
      if (frame.type !== MESSAGE) continue;
      const late = expired.includes(seq);
      this.#tell(letter, late ? 'expired' : 'all', late ? 'Not everybody collected it before the relay let it go.' : '');
    }
  }

  /** The relay was restarted and has nothing: what not everybody has goes out again, under the same ids. */
  again() {
    for (const entry of this.#entries) entry.seq = 0;
    void this.#run();
  }

  /** The room moves: what was not posted yet goes out in the new room, sealed anew. @param {Outbox} next */
  handOver(next) {
    const left = [...new Set(this.#entries.filter((each) => each.seq === 0).map((each) => each.letter)), ...this.#letters];
    this.#closed = true;
    this.#wake();
    for (const letter of left) if (letter.content) next.add(letter);
    for (const { letter, seq } of this.#entries) if (seq > 0) this.#tell(letter, 'sent', '');
    this.#letters = [];
  }

  close() {
    this.#closed = true;
    this.#wake();
    for (const letter of this.#letters) this.#tell(letter, 'failed', 'The room was left before this was sent.');
  }

  /** The one loop that posts. It ends when there is nothing to post and is started again by add. */
  async #run() {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#closed && (await this.#step()));
    } catch (error) {
      // A fault of ours, not of the network. The letter must not look as if it were still on its way.
      console.error('snug: a message could not be sent', error);
      const entry = this.#entries.find((each) => each.seq === 0);
      this.#entries = this.#entries.filter((each) => each !== entry);
      const letter = entry?.letter ?? this.#letters.shift();
      if (letter) this.#tell(letter, 'failed', 'This browser could not encrypt it.');
    } finally {
      this.#running = false;
    }
  }

  /** Posts the oldest that is not posted. False when nothing is left. */
  async #step() {
    const entry = this.#entries.find((each) => each.seq === 0);
    if (entry) return this.#post(entry);
    const letter = this.#letters[0];
    if (!letter) return false;
    const frames = letter.content ? await this.#session.seal(letter.content) : letter.frame ? [letter.frame] : [];
    await this.#session.sealed();
    this.#letters.shift();
    for (const frame of frames) this.#entries.push({ id: b64u(random(16)), frame, letter, seq: 0 });
    return true;
  }

  /** @param {Entry} entry */
  async #post(entry) {
    // Only messages ask for the newest roster: keys go to whom they were sealed for, whoever came meanwhile.
    const careful = entry.frame.type === MESSAGE && entry.letter.content && this.#stale < STALE;
    try {
      const posted = await this.#session.post(entry.id, entry.frame.bytes, careful ? this.#session.roster() : null);
      entry.seq = Number(posted.cursor.slice(posted.cursor.indexOf('.') + 1));
      this.#fails = this.#stale = 0;
      if (entry.frame.type === MESSAGE || !entry.letter.content) this.#tell(entry.letter, 'sent', '', posted);
    } catch (error) {
      await this.#failed(entry, error);
    }
    return true;
  }

  /** @param {Entry} entry @param {unknown} error */
  async #failed(entry, error) {
    if (this.#closed) return;
    if (error instanceof RelayError && error.code === 'roster_stale' && error.roster) {
      // Sealed for an older list: take it back, learn who is here, seal again. The relay has stored nothing of it.
      this.#stale++;
      await this.#session.learn(error.roster);
      this.#entries = this.#entries.filter((each) => each !== entry);
      this.#letters.unshift(entry.letter);
      return;
    }
    if (error instanceof RelayError && error.rejoin) return this.#session.rejoin();
    if (error instanceof RelayError && error.http >= 400 && error.http < 500 && error.http !== 429 && error.http !== 408) {
      this.#entries = this.#entries.filter((each) => each !== entry);
      if (entry.frame.to) await this.#session.owe(entry.frame.to);
      this.#tell(entry.letter, 'failed', error.message);
      return;
    }
    if (!(error instanceof RelayError || error instanceof BlockedError || error instanceof NetworkError)) throw error;
    this.#tell(entry.letter, 'queued', error.message);
    const retryAfter = error instanceof RelayError ? error.retryAfter * 1000 : 0;
    await this.#pause(Math.max(retryAfter, RETRY[Math.min(this.#fails++, RETRY.length - 1)]));
  }

  /** @param {Letter} letter @param {State} state @param {string} reason @param {import('../net/api.js').Posted} [posted] */
  #tell(letter, state, reason, posted) {
    letter.tell?.(state, reason, posted);
    if (letter.key) this.#session.tell(letter.key, state, reason);
  }

  /** Waits, jittered so that a room does not come back all at once, until woken. @param {number} ms */
  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), ms * (0.75 + Math.random() / 2));
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve(undefined);
      };
    });
  }
}

/**
 * @template T
 * @param {T[]} list
 * @param {(each: T) => boolean} yes
 * @returns {[T[], T[]]}
 */
function split(list, yes) {
  return [list.filter(yes), list.filter((each) => !yes(each))];
}
