// @ts-check
/** The door from outside: knocks, shows six digits, and gets the room's root from whoever lets us in. */
import { b64u, random, unb64u, utf8 } from '../lib/bytes.js';
import { Identity, memberId, newMemberSecret } from '../crypto/keys.js';
import { KnockAsker } from '../crypto/knock.js';
import { Api, RelayError } from '../net/relay.js';
import { parseNote } from './door.js';

const HOLD = 20; // seconds of one poll
const AGAIN = 3000; // ms before a poll that failed is repeated

/** @typedef {{secret: import('../lib/bytes.js').Bytes, identity: Identity}} Own the member that the stranger will be */

/** Events: code (detail: {code}). */
export class Asker extends EventTarget {
  #room;
  #api;
  #last; // what is said with it outlives the page
  #knocked = false;
  #secret = b64u(random(32));
  #ended = new AbortController();
  #answer = '';

  /** @param {{roomId: string, origin?: string}} options */
  constructor({ roomId, origin = '' }) {
    super();
    this.#room = unb64u(roomId);
    if (this.#room.length !== 20) throw new TypeError('This is not the address of a room.');
    this.#api = new Api({ base: origin, room: roomId });
    this.#last = new Api({ base: origin, room: roomId, fetch: (url, init) => fetch(url, { ...init, keepalive: true }) });
  }

  /**
   * Knocks and waits until somebody lets us in. Rejects if nobody does, or if somebody in between plays tricks.
   * @returns {Promise<{root: Uint8Array, own: Own}>} own: as which to come, for whoever let us in has let in that one
   */
  async ask() {
    const own = { secret: newMemberSecret(), identity: await Identity.create() };
    const { raw: member } = await memberId(own.secret);
    const knock = await KnockAsker.create(this.#room, { member, identity: own.identity.public });
    const { signal } = this.#ended;
    try {
      await this.#say({ commit: knock.commit });
      for (let after = 0; ; ) {
        for (const text of await this.#hear(after)) {
          after++;
          const root = await this.#note(knock, parseNote(text));
          if (root) return { root, own };
        }
        signal.throwIfAborted();
      }
    } finally {
      knock.close();
    }
  }

  /** Goes away. Those inside are told, or they would open the door to nobody. */
  cancel() {
    this.#ended.abort(new DOMException('You went away from the door.', 'AbortError'));
    if (this.#knocked) this.#last.knock(this.#saying({ gone: true })).catch(() => undefined); // else they learn it by time
  }

  /** @param {object} note */
  #saying = (note) => ({ secret: this.#secret, body: b64u(utf8(JSON.stringify(note))) });

  /** @param {KnockAsker} knock @param {Record<string, unknown> | null} note */
  async #note(knock, note) {
    // Others may refuse while we talk to one of them; only that one can send us away then.
    if (note?.refused && (!this.#answer || note.answer === this.#answer)) throw new Error('Somebody inside refused.');
    if (typeof note?.sealed === 'string') return knock.opened(note.sealed);
    if (typeof note?.answer !== 'string' || this.#answer) return null; // the first answer is the one we talk to
    this.#answer = note.answer;
    const { reveal, as, code } = await knock.answered(note.answer);
    await this.#say({ reveal, answer: note.answer, as });
    this.dispatchEvent(new CustomEvent('code', { detail: { code } }));
    return null;
  }

  /** @param {object} note */
  async #say(note) {
    try {
      this.#knocked = true;
      await this.#api.knock(this.#saying(note), { signal: this.#ended.signal });
    } catch (error) {
      if (error instanceof RelayError && error.code === 'nobody') throw new Error('Nobody is in this room right now. Try again when somebody is.');
      throw error;
    }
  }

  /** @param {number} after */
  async #hear(after) {
    const { signal } = this.#ended;
    try {
      return (await this.#api.knockPoll({ secret: this.#secret, after, hold: HOLD }, { signal })).notes;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RelayError && error.code === 'no_knock') throw new Error('Nobody answered in time. Knock again.');
      if (error instanceof RelayError && error.http < 500 && error.http !== 429) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
      return [];
    }
  }
}
