// @ts-check
/**
 * The member's line to the relay: joins, rejoins for ever, reads events in order and once, posts, and acks what was handled. It knows
 * cursors and sessions; what the events mean is the handler's matter.
 */
import { b64u } from '../lib/bytes.js';
import { Api, BlockedError, NetworkError, RelayError } from '../net/api.js';
import { Receiver } from '../net/pool.js';
import { remembered } from '../net/memory.js';
import { Transport } from '../net/transport.js';
import { Acks } from './acks.js';

/** @typedef {import('../net/types.js').RelayEvent} RelayEvent */
/** @typedef {import('../net/types.js').Joined} Joined */

/**
 * @typedef {object} Handler what the room does with its line
 * @property {() => Promise<Uint8Array>} card
 * @property {() => {id: string, card: string}[]} known members to bring back if the relay has forgotten them
 * @property {(joined: Joined, anew: boolean) => Promise<void>} joined anew: the relay began a new life of the room, posts must be repeated
 * @property {(event: RelayEvent) => Promise<void>} event never rejects for what is in it
 * @property {(through: number, expired: number[]) => void} acked
 * @property {(ids: string[]) => void} away
 * @property {(status: import('../net/transport.js').Status) => void} status
 * @property {() => Promise<void>} saved what was handled is kept where it has to be; only then is it acked
 */

const PLACED = 100; // ms: whether a stream's place is free is known within a few
const UNHEARD = 3000; // ms until an ack that did not arrive is tried again
const RETRY = [1000, 2000, 4000, 8000, 15_000, 30_000]; // ms between attempts to join

export class Connection {
  #origin;
  #api;
  #keys;
  #secret;
  #handler;
  #session = '';
  #cursor;
  #saved;
  #acks = new Acks(Date.now());
  #near = false;
  #ackTimer = 0;
  #queue = /** @type {Promise<unknown>} */ (Promise.resolve());
  #rejoining = /** @type {Promise<void> | null} */ (null);
  #transport = /** @type {Transport | null} */ (null);
  #ended = new AbortController();
  #wakers = /** @type {Set<() => void>} */ (new Set());

  /** Sequence number of the newest change of the roster that was handled. */
  roster = 0;

  /**
   * @param {object} options
   * @param {string} options.origin
   * @param {import('../crypto/root.js').RoomKeys} options.keys
   * @param {Uint8Array} options.secret
   * @param {string | null} options.cursor where an earlier stay ended
   * @param {Handler} options.handler
   */
  constructor({ origin, keys, secret, cursor, handler }) {
    this.#origin = origin;
    this.#api = new Api({ base: origin, room: keys.roomId });
    this.#keys = keys;
    this.#secret = secret;
    this.#cursor = this.#saved = cursor;
    this.#handler = handler;
  }

  get cursor() {
    return this.#cursor;
  }

  get latency() {
    return this.#api.latency;
  }

  /**
   * Joins and begins to read. Resolves when the relay has taken us in, or when the network does not let us through for now:
   * then it goes on trying. Rejects only if the relay refuses.
   */
  async start() {
    if (await this.#join()) await this.#begin();
    else void this.rejoin().then(() => this.#begin());
  }

  async #begin() {
    const { signal } = this.#ended;
    const receiver = new Receiver({ api: this.#api, base: this.#origin, room: this.#keys.roomId, signal, placed: () => this.#transport?.poke() });
    await Promise.race([receiver.place, this.#pause(PLACED)]);
    if (signal.aborted) return;
    this.#transport = new Transport({
      api: receiver,
      memory: remembered,
      getSession: () => ({ s: this.#session, after: () => this.#saved ?? '' }),
      onEvents: (events) => this.#enqueue(events),
      onStatus: (status) => this.#handler.status(status),
      onRejoin: () => this.rejoin(),
    });
    this.#transport.start();
    this.#schedule();
  }

  /** A new session for the same member: the old one is unknown, most often because the relay was restarted. */
  rejoin() {
    this.#rejoining ??= this.#insist().finally(() => (this.#rejoining = null));
    return this.#rejoining;
  }

  /** Joins until it works. */
  async #insist() {
    for (let tries = 0; !this.#ended.signal.aborted; tries++) {
      try {
        if (await this.#join()) return;
      } catch (error) {
        this.#handler.status({ state: 'blocked', reason: error instanceof Error ? error.message : String(error), rung: '0' });
      }
      await this.#pause(RETRY[Math.min(tries, RETRY.length - 1)]);
    }
  }

  /** One attempt. False if the network did not let it through. */
  async #join() {
    const card = b64u(await this.#handler.card());
    const known = this.#handler.known();
    const [access, secret] = [b64u(this.#keys.access), b64u(this.#secret)];
    try {
      const joined = await this.#api.join({ access, secret, card, cursor: this.#saved ?? undefined, known }, { signal: this.#ended.signal });
      await this.inTurn(() => this.#joined(joined));
      return true;
    } catch (error) {
      if (this.#ended.signal.aborted) return false;
      const refused = error instanceof RelayError && error.http !== 429 && error.http < 500;
      if (refused) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      this.#handler.status({ state: error instanceof BlockedError || error instanceof RelayError ? 'blocked' : 'offline', reason, rung: '0' });
      return false;
    }
  }

  /** @param {Joined} joined */
  async #joined(joined) {
    if (this.#ended.signal.aborted) return;
    const anew = this.#cursor !== null && epochOf(this.#cursor) !== epochOf(joined.cursor);
    this.#session = joined.session;
    // In the same life of the room we may have read on while the join was under way.
    if (anew || this.#cursor === null || this.#isNext(joined.cursor)) this.#cursor = joined.cursor;
    this.roster = joined.roster;
    await this.#handler.joined(joined, anew);
    await this.#handler.saved();
    this.#saved = this.#cursor;
    this.#acks.sent(Date.now());
    this.#handler.acked(seqOf(joined.acked.through), joined.acked.expired ?? []);
  }

  /** @param {RelayEvent[]} events */
  #enqueue(events) {
    return this.inTurn(() => this.#handle(events));
  }

  /**
   * Joins and events are handled one after the other, as the relay has ordered them.
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  inTurn(work) {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch((error) => this.#ended.signal.aborted || console.error('snug: an event could not be handled', error));
    return turn;
  }

  /** @param {RelayEvent[]} events */
  async #handle(events) {
    let handled = false;
    for (const event of events) {
      if (this.#ended.signal.aborted) return;
      if (event.id && !this.#isNext(event.id)) continue; // a change of transport reads some twice
      const place = await this.#take(event);
      if (this.#ended.signal.aborted) return; // the event was the end of our stay
      if (!place) continue;
      this.#cursor = place;
      handled = true;
    }
    if (!handled) return;
    await this.#handler.saved();
    this.#saved = this.#cursor;
    this.#acks.handled(Date.now(), this.#near || globalThis.document?.hidden);
    this.#schedule();
  }

  /** @param {string} id */
  #isNext(id) {
    return this.#cursor !== null && epochOf(id) === epochOf(this.#cursor) && seqOf(id) > seqOf(this.#cursor);
  }

  /** Handles an event. Gives the place behind it, if it has one. @param {RelayEvent} event */
  async #take(event) {
    const { data } = event;
    if (data.near !== undefined || data.limits) this.#near = data.near ?? data.limits.near ?? false;
    if (Array.isArray(data.away)) this.#handler.away(data.away);
    const acked = event.event === 'acked' ? data : data.acked;
    if (acked?.through) this.#handler.acked(seqOf(acked.through), acked.expired ?? []);
    await this.#handler.event(event);
    // Only now: what is sealed from here on is sealed for them.
    if (['joined', 'left', 'card'].includes(event.event)) this.roster = Math.max(this.roster, seqOf(event.id));
    // A poll tells where the reader stands after skipping its own messages.
    return event.event === 'polled' && this.#isNext(data.cursor) ? data.cursor : event.id;
  }

  /** @param {string} id @param {Uint8Array} frame @param {number | null} roster */
  async post(id, frame, roster) {
    if (!this.#session) throw new NetworkError('the room is not open yet');
    return this.#api.post(this.#session, id, exact(frame), { roster, signal: this.#ended.signal });
  }

  /** @param {Uint8Array} card */
  async card(card) {
    await this.#api.card(this.#session, exact(card), { signal: this.#ended.signal });
  }

  members() {
    return this.#api.members(this.#session, { signal: this.#ended.signal });
  }

  /** @param {string} id @param {Uint8Array} note */
  answerKnock(id, note) {
    return this.#api.knockAnswer(this.#session, id, exact(note), { signal: this.#ended.signal });
  }

  /**
   * Reads on until everything before a place of the log was handled, whatever the stream and the network do. False if there is no such
   * place any more: the relay was restarted, or we left.
   * @param {string} cursor
   */
  async catchUp(cursor) {
    const { signal } = this.#ended;
    for (let tries = 0; !signal.aborted; tries++) {
      if (!this.#cursor || epochOf(cursor) !== epochOf(this.#cursor)) return false;
      try {
        const { events, ...rest } = await this.#api.poll({ s: this.#session, after: this.#saved ?? cursor, hold: 0 }, { signal });
        await this.#enqueue([...events.map((each) => ({ id: '', ...each })), { event: 'polled', id: '', data: rest }]);
        if (!signal.aborted && seqOf(rest.cursor) >= seqOf(cursor)) return true;
      } catch (error) {
        if (signal.aborted) return false;
        if (error instanceof RelayError && error.rejoin) await this.rejoin();
        else await this.#pause(RETRY[Math.min(tries, RETRY.length - 1)]);
      }
    }
    return false;
  }

  /** The page is hidden or shown, or the network changed: tell what was handled, and look at the line. @param {boolean} hidden */
  look(hidden) {
    if (hidden) this.#acks.hurry(Date.now());
    this.#wake();
    this.#schedule();
  }

  /** We have just sent something: an answer may be near. */
  active() {
    this.#transport?.active();
  }

  /**
   * Leaves the room for good.
   * @param {boolean} unloading the page goes away and nobody can wait for the answer
   */
  async leave(unloading) {
    const session = this.#session;
    this.close();
    if (session) await this.#api.leave(session, { unloading });
  }

  close() {
    this.#ended.abort(new DOMException('the room was left', 'AbortError'));
    clearTimeout(this.#ackTimer);
    this.#transport?.close();
    this.#wake();
  }

  /** Waits no longer for the network. */
  #wake() {
    for (const wake of this.#wakers) wake();
  }

  #schedule() {
    clearTimeout(this.#ackTimer);
    if (this.#ended.signal.aborted || !this.#saved) return;
    this.#ackTimer = setTimeout(() => void this.#ack(), Math.max(0, this.#acks.due - Date.now()));
  }

  async #ack() {
    const through = this.#saved;
    if (!through || this.#ended.signal.aborted) return;
    this.#acks.sent(Date.now());
    try {
      await this.#api.ack(this.#session, through, { signal: this.#ended.signal });
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      if (error instanceof RelayError && error.rejoin) await this.rejoin();
      // Anything else is the ladder's to notice; what was not acked is acked with the next.
      else this.#acks.handled(Date.now() + UNHEARD);
    }
    this.#schedule();
  }

  /** @param {number} ms */
  #pause(ms) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wakers.delete(wake);
        resolve(undefined);
      };
      const timer = setTimeout(wake, ms * (0.75 + Math.random() / 2));
      this.#wakers.add(wake);
    });
  }
}

/** Bytes on a buffer of their own, as fetch wants them. @param {Uint8Array} bytes */
const exact = (bytes) => new Uint8Array(bytes);

/** @param {string} cursor */
export const epochOf = (cursor) => cursor.slice(0, cursor.indexOf('.'));

/** @param {string} cursor */
export const seqOf = (cursor) => Number(cursor.slice(cursor.indexOf('.') + 1));
