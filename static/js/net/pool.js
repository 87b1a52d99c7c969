// @ts-check
// One browser, many rooms, few connections: HTTP/1.1 gives a host six, and some proxies two. Up to three rooms have a stream; all others share one long
// poll, whichever tab they are in. Web Locks say who has a stream and who polls; a BroadcastChannel carries the rest.

import { b64u, random } from '../lib/bytes.js';
import { BlockedError, NetworkError, RelayError } from './errors.js';
import { narrow } from './memory.js';
import { readJSON, send } from './request.js';

/** @typedef {import('./types.js').Polled} Polled */
/** @typedef {{room: string, s: string, after: string}} Place */
/** @typedef {Place & {id: string, until: number}} Asked until: when its hold is over, ms of Date.now */
/** @typedef {{name: string, args: any}} Fault an error on its way to another tab */
/** @typedef {{t: 'ask', asked: Asked} | {t: 'drop', id: string} | {t: 'answer', id: string, polled?: Polled, fault?: Fault} | {t: 'anew'}} Note */

export const STREAMS = 3; // leaves half of a browser's six connections to posts, the shared poll and files
const MOST = 16; // rooms in one poll, as the relay takes them; more wait their turn
const GATHER = 60; // ms: rooms that were just answered ask again, and one request for all is cheaper than one for each
const SLACK = 5000; // ms that an answer may come after its hold
const ROOM = 4000; // ms that a short request may take beside several streams; as long as a stream has for its hello

/** Whether the tabs of this browser can agree on anything. */
const canShare = () => Boolean(globalThis.navigator?.locks && globalThis.BroadcastChannel);

/**
 * A place among the streams of this browser. Waits until one is free.
 * @param {AbortSignal} signal ends the wait, and gives the place back
 * @returns {Promise<void>} resolves when the place is ours
 */
export function streamPlace(signal) {
  if (!canShare()) return Promise.resolve();
  const won = new AbortController();
  return new Promise((resolve, reject) => {
    for (let n = 0; n < STREAMS; n++) {
      const hold = () => {
        if (won.signal.aborted) return;
        won.abort();
        resolve();
        return new Promise((free) => signal.addEventListener('abort', () => free(undefined), { once: true }));
      };
      navigator.locks.request(`snug stream ${n}`, { signal: AbortSignal.any([signal, won.signal]) }, hold).catch((error) => {
        if (signal.aborted) reject(signal.reason);
        else if (!won.signal.aborted) reject(error);
      });
    }
  });
}

/** The shared long poll. Each tab has one; one of them speaks with the relay for all. */
export class Pool {
  #url;
  #fetch;
  #channel = new BroadcastChannel('snug polls');
  #mine = /** @type {Map<string, {asked: Asked, settle: (note: Extract<Note, {t: 'answer'}>) => void}>} */ (new Map());
  #waiting = /** @type {Map<string, Asked>} */ (new Map());
  #told = /** @type {Map<string, string>} */ (new Map());
  #leads = false;
  #round = /** @type {AbortController | null} */ (null);
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);

  /** @param {{base?: string, fetch?: typeof fetch}} [options] */
  constructor({ base = '', fetch: fetcher = (...args) => globalThis.fetch(...args) } = {}) {
    this.#url = `${base.replace(/\/+$/, '')}/poll`;
    this.#fetch = fetcher;
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    // Held as long as this page lives; the next tab leads when it is gone.
    void navigator.locks.request('snug polls', () => {
      this.#leads = true;
      this.#say({ t: 'anew' });
      return new Promise(() => undefined);
    });
  }

  /**
   * As Api.poll, for one room among all.
   * @param {Place & {hold: number}} query hold in seconds
   * @param {AbortSignal} [signal]
   * @returns {Promise<Polled>}
   */
  poll({ hold, ...place }, signal) {
    const asked = { ...place, id: b64u(random(9)), until: Date.now() + hold * 1000 };
    return new Promise((resolve, reject) => {
      const drop = () => {
        this.#mine.delete(asked.id);
        this.#say({ t: 'drop', id: asked.id });
        reject(signal?.reason);
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', drop, { once: true });
      const settle = (/** @type {Extract<Note, {t: 'answer'}>} */ { polled, fault }) => {
        signal?.removeEventListener('abort', drop);
        if (polled?.error) reject(new RelayError(polled.error));
        else if (polled) resolve(polled);
        else reject(revive(fault));
      };
      this.#mine.set(asked.id, { asked, settle });
      this.#say({ t: 'ask', asked });
    });
  }

  /** A BroadcastChannel does not speak to its own tab. @param {Note} note */
  #say(note) {
    this.#channel.postMessage(note);
    this.#hear(note);
  }

  /** @param {Note} note */
  #hear(note) {
    if (note.t === 'anew') for (const { asked } of this.#mine.values()) this.#say({ t: 'ask', asked });
    if (note.t === 'answer') {
      const mine = this.#mine.get(note.id);
      this.#mine.delete(note.id);
      mine?.settle(note);
    }
    if (!this.#leads) return;
    if (note.t === 'drop' && this.#waiting.delete(note.id)) this.#gather();
    if (note.t === 'ask' && !this.#waiting.has(note.asked.id)) {
      this.#waiting.set(note.asked.id, note.asked);
      this.#gather();
    }
  }

  #gather() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#poll(), GATHER);
  }

  async #poll() {
    this.#round?.abort();
    const round = (this.#round = new AbortController());
    const asked = [...this.#waiting.values()].slice(0, MOST);
    if (asked.length === 0) return;
    const hold = Math.max(0, Math.ceil((Math.min(...asked.map(({ until }) => until)) - Date.now()) / 1000));
    const url = `${this.#url}?hold=${hold}&n=${b64u(random(9))}`;
    const body = JSON.stringify(asked.map(({ room, s, after }) => ({ room, s, after })));
    const request = { method: 'POST', body, type: 'text/plain', timeout: hold * 1000 + SLACK, signal: round.signal };
    try {
      /** @type {Polled[]} */
      const answers = await send(this.#fetch, url, request, (response) => readJSON(response, (answer) => Array.isArray(answer) && answer.length === asked.length));
      answers.forEach((polled, i) => this.#answer(asked[i], { polled }));
    } catch (error) {
      if (round.signal.aborted) return; // a newer round has them
      for (const each of asked) this.#answer(each, { fault: flatten(error) });
    }
    if (this.#waiting.size > 0) this.#gather();
  }

  /** News, the end of the hold, or a failure goes to who asked; who has heard nothing yet goes on waiting. @param {Asked} asked @param {{polled?: Polled, fault?: Fault}} answer */
  #answer({ id, room, after, until }, { polled, fault }) {
    const state = JSON.stringify([polled?.acked, polled?.away]);
    const quiet = polled && !polled.error && polled.events.length === 0 && polled.cursor === after && this.#told.get(room) === state && Date.now() < until;
    if (quiet || !this.#waiting.delete(id)) return;
    this.#told.set(room, state);
    this.#say({ t: 'answer', id, polled, fault });
  }
}

/** @type {Map<string, Pool>} one a page and relay, for as long as the page lives */
const pools = new Map();

/** @param {string} base */
function poolOf(base) {
  const pool = pools.get(base) ?? new Pool({ base });
  pools.set(base, pool);
  return pool;
}

/**
 * One room's way to receive, for Transport: its own requests while it has a place among the streams, the shared poll while it has not. A stream
 * that is refused for that makes the ladder poll, and climb again later.
 */
export class Receiver {
  #api;
  #room;
  #base;
  #placed = false;
  #narrow = new AbortController(); // the streams of this browser have left no room for anything else
  #channel;

  /**
   * @param {{api: import('./api.js').Api, base: string, room: string, signal: AbortSignal, placed: () => void}} options signal: gives the place back;
   *   placed: a stream may be tried now
   */
  constructor({ api, base, room, signal, placed }) {
    this.#api = api;
    this.#room = room;
    this.#base = base;
    this.#channel = canShare() ? new BroadcastChannel('snug streams') : null;
    if (this.#channel) this.#channel.onmessage = () => this.#giveUp();
    signal.addEventListener('abort', () => this.#channel?.close(), { once: true });
    if (this.#channel && narrow.on) this.#giveUp();
    /** Resolves when the place is ours; never, if the signal comes first. */
    this.place = streamPlace(AbortSignal.any([signal, this.#narrow.signal])).then(
      () => {
        this.#placed = true;
        placed();
      },
      () => new Promise(() => undefined),
    );
  }

  get latency() {
    return this.#api.latency;
  }

  /** @type {import('./api.js').Api['stream']} */
  async stream(query, signal) {
    if (!this.#placed) throw new BlockedError({ status: 0, hint: 'other rooms of this browser have the streams' });
    const response = await this.#api.stream(query, AbortSignal.any([signal, this.#narrow.signal]));
    void this.#probe({ s: query.s, after: query.after, hold: 0 }, signal);
    return response;
  }

  /**
   * Some proxies let two requests go on at a time, and two streams would leave nothing to send by, not even for another tab to load. So a stream
   * beside others is followed by a short request; if that does not get through, no room of this browser has a stream and all share the poll.
   * @param {{s: string, after: string, hold: number}} query @param {AbortSignal} signal of the stream
   */
  async #probe(query, signal) {
    if (!this.#channel) return;
    const { held = [] } = await navigator.locks.query();
    if (held.filter(({ name }) => name?.startsWith('snug stream ')).length < 2) return;
    const late = AbortSignal.timeout(ROOM);
    try {
      await this.#api.poll(query, { signal: AbortSignal.any([signal, this.#narrow.signal, late]) });
    } catch {
      if (!late.aborted || signal.aborted || this.#narrow.signal.aborted) return; // another trouble, which the ladder sees as well
      narrow.begin();
      this.#channel.postMessage('narrow');
      this.#giveUp();
    }
  }

  #giveUp() {
    this.#placed = false;
    this.#narrow.abort(new NetworkError('too few connections'));
  }

  /** @type {import('./api.js').Api['poll']} */
  poll(query, options) {
    if (this.#placed || query.hold === 0) return this.#api.poll(query, options);
    return poolOf(this.#base).poll({ ...query, room: this.#room }, options?.signal);
  }
}

/** @param {unknown} error @returns {Fault} */
function flatten(error) {
  if (error instanceof RelayError) return { name: error.name, args: { code: error.code, http: error.http, error: error.message, rejoin: error.rejoin, retryAfter: error.retryAfter } };
  if (error instanceof BlockedError) return { name: error.name, args: { status: error.status, contentType: error.contentType, hint: error.hint, retryAfter: error.retryAfter } };
  return { name: 'NetworkError', args: { message: error instanceof Error ? error.message : String(error), timeout: error instanceof NetworkError && error.timeout } };
}

/** @param {Fault} [fault] */
function revive(fault) {
  if (fault?.name === 'RelayError') return new RelayError(fault.args);
  if (fault?.name === 'BlockedError') return new BlockedError(fault.args);
  return new NetworkError(fault?.args.message ?? 'the connection failed', { timeout: fault?.args.timeout });
}
