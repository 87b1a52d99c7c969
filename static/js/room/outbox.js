// @ts-check
/**
 * What this member has posted and not everybody has yet. An entry stays, with its sealed bytes and its message ids, until the
 * relay says that every member acked it; after a restart of the relay it is posted again as it is, and receivers drop what they had.
 * Posting is one at a time and in order, and never waits for the stream.
 */
import { b64u, random } from '../lib/bytes.js';
import { BlockedError, NetworkError, RelayError } from '../net/api.js';
import { KEYS, MESSAGE } from '../crypto/frame.js';

/** @typedef {{type: number, bytes: Uint8Array, to?: string[]}} Frame to: whom a keys frame is sealed to */
/** @typedef {'queued' | 'sent' | 'all' | 'expired' | 'failed'} State */

/**
 * @typedef {object} Letter one thing to send, sealed when its turn comes: content, or a frame of another kind
 * @property {object} [content]
 * @property {() => Promise<Frame>} [make] the frame; for whoever is in the room then
 * @property {string} key of its item in the timeline; '' for what is not shown
 * @property {(state: State, reason: string, posted?: import('../net/api.js').Posted) => void} [tell] besides the session's
 */

/**
 * @typedef {object} Entry a sealed frame under its message id
 * @property {string} id
 * @property {Frame} frame
 * @property {Letter} letter
 * @property {number} seq 0 until the relay has it
 * @property {number | null} roster number of the list of members it was sealed for; null if it goes out whoever came since
 * @property {boolean} [had] the relay had it once, so somebody may have read it
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
 * @property {() => string} epoch the life of the room in which places count
 * @property {(roster: import('../net/api.js').Roster) => Promise<void>} learn
 * @property {(ids: string[]) => Promise<void>} owe they need the keys again: the frame that had them will never be posted
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
  #open = false;
  #running = false;
  #closed = false;
  /** @type {Letter | null} */ #sealing = null;
  #through = 0;
  /** @type {number[]} */ #expired = [];
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

  /** What to hand on; a move is for this page to finish. @returns {OutboxState} */
  export() {
    const plain = (/** @type {Letter} */ { tell, ...letter }) => letter;
    const waiting = this.#sealing ? [this.#sealing, ...this.#letters] : this.#letters;
    const letters = new Map([...waiting, ...this.#entries.map((entry) => entry.letter)].map((letter) => [letter, plain(letter)]));
    const of = (/** @type {Letter} */ letter) => /** @type {Letter} */ (letters.get(letter));
    const entries = this.#entries.filter(({ letter }) => letter.content).map((entry) => ({ ...entry, letter: of(entry.letter) }));
    return { letters: waiting.filter(({ content }) => content).map(of), entries };
  }

  /** Goes on where another outbox was. @param {OutboxState} state */
  resume({ letters, entries }) {
    this.#letters.unshift(...letters);
    this.#entries.unshift(...entries.map((entry) => ({ ...entry, had: true }))); // the state may be from before the answer
  }

  /** @param {Letter} letter */
  add(letter) {
    this.#letters.push(letter);
    void this.#run();
  }

  /** We are in the room, or the network may be back: try now instead of at the end of the wait. */
  poke() {
    this.#open = true;
    this.#wake();
    void this.#run();
  }

  /**
   * What the relay says of our messages: all up to a place are waited for no more; some of them were freed by time first.
   * @param {number} through
   * @param {number[]} [expired]
   */
  acked(through, expired = []) {
    [this.#through, this.#expired] = [through, expired];
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
    this.#through = 0;
    // What nobody can have read is sealed for those who are here now; numbers of the old list mean nothing any more.
    for (const entry of this.#entries) Object.assign(entry, { seq: 0, roster: entry.had ? null : 0 });
    this.poke();
  }

  /** Takes back what was not sealed yet. False if it is too late. @param {Letter} letter */
  withdraw(letter) {
    const at = this.#letters.indexOf(letter);
    if (at >= 0) this.#letters.splice(at, 1);
    return at >= 0;
  }

  /** Posts nothing any more; what is under way may or may not arrive. */
  halt() {
    this.#closed = true;
    this.#wake();
  }

  /**
   * The room moved, at a place of its log: what goes out in the new room, sealed anew. That is also what was posted behind this place, where
   * nobody reads on; a reader drops what it has by the id in the content. What lies before is the old room's matter.
   * @param {number} place
   */
  left(place) {
    this.halt();
    const open = this.#entries.filter(({ seq }) => seq === 0 || seq > place).map(({ letter }) => letter);
    return [...new Set([...open, ...(this.#sealing ? [this.#sealing] : []), ...this.#letters])].filter(({ content }) => content);
  }

  close() {
    for (const letter of this.left(Infinity)) this.#tell(letter, 'failed', 'The room was left before this was sent.');
  }

  /** The one loop that posts. It ends when there is nothing to post and is started again by add. */
  async #run() {
    if (this.#running || !this.#open) return;
    this.#running = true;
    for (let more = true; more && !this.#closed; ) {
      more = await this.#step().catch((error) => {
        if (!this.#closed) console.error('snug: a message waits', error);
        return this.#pause(RETRY[0]).then(() => true);
      });
    }
    this.#running = false;
  }

  /** Posts the oldest that is not posted. False when nothing is left. */
  async #step() {
    const entry = this.#entries.find((each) => each.seq === 0);
    if (entry) return this.#post(entry);
    const letter = this.#letters.shift();
    if (!letter) return false;
    await this.#seal(letter);
    return true;
  }

  /** @param {Letter} letter */
  async #seal(letter) {
    const roster = this.#session.roster(); // from before: who comes meanwhile was not sealed for
    this.#sealing = letter;
    try {
      const frames = letter.make ? [await letter.make()] : await this.#session.seal(letter.content ?? {});
      if (this.#closed) return;
      for (const frame of frames) this.#entries.push({ id: b64u(random(16)), frame, letter, seq: 0, roster });
      this.#sealing = null;
      await this.#session.sealed(); // sealed, so that whoever goes on from there posts these very bytes
    } catch (error) {
      if (this.#closed) return;
      // A fault of ours, not of the network. The letter must not look as if it were still on its way.
      console.error('snug: a message could not be sent', error);
      await this.#give(letter, error instanceof Error && error.message ? error.message : 'This browser could not encrypt it.');
    } finally {
      if (!this.#closed) this.#sealing = null;
    }
  }

  /** Frames that will never be posted: whoever was to get keys by them has none. @param {Frame[]} frames */
  async #unsealed(frames) {
    const to = frames.flatMap((frame) => frame.to ?? []);
    if (to.length > 0) await this.#session.owe(to).catch(() => undefined); // the room is closed
  }

  /** @param {Entry} entry */
  async #post(entry) {
    // Only messages ask for the newest roster: keys go to whom they were sealed for, whoever came meanwhile.
    const careful = entry.frame.type !== KEYS && this.#stale < STALE;
    try {
      const posted = await this.#session.post(entry.id, entry.frame.bytes, careful ? entry.roster : null);
      const [epoch, seq] = posted.cursor.split('.');
      entry.had = true;
      if (this.#closed || epoch !== this.#session.epoch()) return true; // an answer from before the relay was restarted: again
      entry.seq = Number(seq);
      this.#fails = 0;
      if (entry.frame.type === KEYS) return true;
      this.#stale = 0;
      this.#tell(entry.letter, 'sent', '', posted);
      this.acked(this.#through, this.#expired); // that may have come before this answer
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
    const ours = !(error instanceof RelayError || error instanceof BlockedError || error instanceof NetworkError);
    const refused = error instanceof RelayError && error.http < 500 && error.http !== 429 && error.http !== 408;
    if (ours || refused) {
      if (ours) console.error('snug: a message could not be sent', error);
      await this.#give(entry.letter, error instanceof Error ? error.message : String(error));
      return;
    }
    if (error instanceof BlockedError && error.status === 413) {
      // It will be as big next time, and what waits behind it may be small.
      const size = Math.ceil(entry.frame.bytes.length / 1024);
      await this.#give(entry.letter, `too big for this network, which refuses a message of ${size} KiB; send less at a time (413)`);
      return;
    }
    this.#tell(entry.letter, 'queued', error.message);
    const retryAfter = error instanceof RelayError ? error.retryAfter * 1000 : 0;
    await this.#pause(Math.max(retryAfter, RETRY[Math.min(this.#fails++, RETRY.length - 1)]));
  }

  /** Gives a letter up, with all its frames. @param {Letter} letter @param {string} reason */
  async #give(letter, reason) {
    const [gone, open] = split(this.#entries, (each) => each.letter === letter && each.seq === 0);
    this.#entries = open;
    await this.#unsealed(gone.map(({ frame }) => frame));
    this.#tell(letter, 'failed', reason);
  }

  /** @param {Letter} letter @param {State} state @param {string} reason @param {import('../net/api.js').Posted} [posted] */
  #tell(letter, state, reason, posted) {
    letter.tell?.(state, reason, posted);
    if (letter.key) this.#session.tell(letter.key, state, reason);
  }

  /** Waits, jittered so that a room does not come back all at once, until woken. @param {number} ms */
  #pause(ms) {
    if (this.#closed) return Promise.resolve();
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
