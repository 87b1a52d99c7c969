// @ts-check
// Drives the ladder with real requests: what the relay sends comes out as events, whatever the network does to streams.

import { BlockedError, NetworkError, RelayError, parse } from './errors.js';
import { Ladder } from './ladder.js';
import { EventStreamParser } from './sse.js';
import { SIGNALS, browserSignals } from './signals.js';

/**
 * @typedef {Pick<import('./api.js').Api, 'stream' | 'poll' | 'latency'>} Api what receiving takes
 * @typedef {import('./types.js').RelayEvent} RelayEvent
 * @typedef {import('./moves.js').Action} Action
 * @typedef {import('./moves.js').Input} Input
 * @typedef {import('./moves.js').Memory} Memory
 * @typedef {import('./moves.js').Status & {latency?: number}} Status
 * @typedef {Omit<Input, 't' | 'r'>} News
 * @typedef {{s: string, after: string}} Session
 * @typedef {{now: () => number, set: (run: () => void, ms: number) => unknown, clear: (timer: any) => void}} Clock milliseconds; never goes back
 * @typedef {{load: () => (Memory & {at: number}) | null, save: (memory: Memory & {at: number}) => void}} Store
 *
 * @typedef {object} Options
 * @property {Api} api
 * @property {() => {s: string, after: () => string}} getSession the session, and the cursor up to which everything has been handled
 * @property {(events: RelayEvent[]) => void | Promise<void>} onEvents in the order of the log, some twice after a change of rung: those at or before
 *   the cursor are to be dropped. Called again only when it is done; if it fails, the same events come again.
 * @property {(status: Status) => void} [onStatus]
 * @property {(code: string) => void | Promise<unknown>} [onRejoin] joins again; when it resolves, receiving goes on with the new session
 * @property {(error: RelayError) => void} [onError] the relay refuses; the transport goes on trying
 * @property {Store} [memory] of this origin
 * @property {EventTarget | null} [signals] online, offline, pageshow, visibilitychange (to visible), change; null for none. Default: the window's
 * @property {Clock} [clock]
 * @property {() => number} [random]
 */

const LONGEST_TIMER = 2 ** 31 - 1;
let latest = 0;

/** @type {Clock} Sleep counts on this clock, which performance.now leaves out in some browsers. */
const CLOCK = {
  now: () => (latest = Math.max(latest, Date.now())),
  set: (run, ms) => setTimeout(run, Math.min(ms, LONGEST_TIMER)),
  clear: (timer) => clearTimeout(timer),
};

/** Receives for one member of one room from start to close. It never gives up and never skips an event. */
export class Transport {
  #api;
  #getSession;
  #onEvents;
  #onStatus;
  #onRejoin;
  #onError;
  #memory;
  #clock;
  #random;
  #ladder = new Ladder();
  #ended = new AbortController();
  /** @type {Map<number, AbortController>} the requests under way, by the ladder's number */ #open = new Map();
  /** @type {Map<number, RelayError>} refusals on their way to the session */ #refused = new Map();
  /** @type {Promise<unknown>} the events being handled */ #turn = Promise.resolve();
  #acked = ''; // up to where others have our messages, as the newest poll had it
  /** @type {unknown} */ #timer;
  #started = false;

  /** @param {Options} options */
  constructor({ api, getSession, onEvents, onStatus, onRejoin, onError, memory, signals, clock = CLOCK, random = Math.random }) {
    this.#api = api;
    this.#getSession = getSession;
    this.#onEvents = onEvents;
    this.#onStatus = onStatus;
    this.#onRejoin = onRejoin;
    this.#onError = onError;
    this.#memory = memory;
    this.#clock = clock;
    this.#random = random;
    const { signal } = this.#ended;
    const heard = signals === undefined ? browserSignals(signal) : signals;
    for (const name of SIGNALS) {
      heard?.addEventListener(name, () => this.#tell({ in: name === 'visibilitychange' ? 'visible' : name }), { signal });
    }
  }

  /** Begins to receive; the session must have joined. */
  start() {
    if (this.#started) return;
    this.#started = true;
    const stored = this.#memory?.load() ?? null;
    if (!stored) return this.#tell({ in: 'start' });
    const { at, ...memory } = stored;
    this.#tell({ in: 'start', memory, age: Math.max(0, Date.now() - at) });
  }

  /** Ends everything; nothing is called afterwards. */
  close() {
    this.#tell({ in: 'stop' });
    this.#ended.abort();
    this.#clock.clear(this.#timer);
  }

  /** The network may have changed: try the way up now. */
  poke() {
    this.#tell({ in: 'change' });
  }

  /** The user has just done something, so answers are near: short polls go fast for a while. */
  active() {
    this.#tell({ in: 'active' });
  }

  /** @returns {Status} latency: milliseconds a short request takes there and back, 0 while unknown */
  get status() {
    return { ...this.#ladder.status, latency: this.#api.latency };
  }

  /** @param {News} news */
  #tell(news) {
    if (this.#ended.signal.aborted) return;
    const actions = this.#ladder.step({ ...news, t: this.#clock.now(), r: this.#random() });
    this.#clock.clear(this.#timer);
    const { deadline } = this.#ladder;
    if (deadline !== Infinity) this.#timer = this.#clock.set(() => this.#tell({ in: 'timer' }), Math.max(0, deadline - this.#clock.now()));
    for (const action of actions) this.#act(action);
  }

  /** @param {Action} action */
  #act(action) {
    const { ch = 0, hold = 0 } = action;
    switch (action.do) {
      case 'open':
        void this.#run(ch, (session, signal) => this.#stream(ch, action, session, signal));
        break;
      case 'batch':
        void this.#run(ch, (session, signal) => this.#batch(ch, hold, session, signal));
        break;
      case 'poll':
        void this.#run(ch, (session, signal) => this.#poll(hold, session, signal));
        break;
      case 'close':
        this.#open.get(ch)?.abort();
        this.#open.delete(ch);
        break;
      case 'rejoin':
        void this.#rejoin(action.code ?? '');
        break;
      case 'error': {
        const error = this.#refused.get(ch);
        if (error) this.#onError?.(error);
        break;
      }
      case 'remember':
        this.#memory?.save({ rung: action.rung ?? '0', hold, hb: action.hb, life: action.life, at: Date.now() });
        break;
      case 'status':
        this.#onStatus?.(this.status);
    }
  }

  /**
   * Runs one request and tells the ladder how it ended, unless the ladder has closed it.
   * @param {number} ch @param {(session: Session, signal: AbortSignal) => Promise<News>} request
   */
  async #run(ch, request) {
    const ender = new AbortController();
    const { s, after } = this.#getSession();
    this.#open.set(ch, ender);
    /** @type {News} */
    let news;
    try {
      news = await request({ s, after: after() }, ender.signal);
    } catch (error) {
      news = this.#newsOf(ch, s, error);
    }
    if (this.#open.get(ch) === ender) {
      this.#open.delete(ch);
      ender.abort(); // an answer that nobody reads to its end holds a connection
      this.#tell({ ...news, ch });
    }
    this.#refused.delete(ch);
  }

  /** @param {number} ch @param {string} s @param {unknown} error @returns {News} */
  #newsOf(ch, s, error) {
    if (error instanceof BlockedError) return { in: 'refused', status: error.status, hint: error.hint, retryAfter: error.retryAfter };
    if (error instanceof RelayError) {
      if (error.rejoin && this.#isStale(s)) return { in: 'error' };
      this.#refused.set(ch, error);
      return { in: 'relay', status: error.http, code: error.code, rejoin: error.rejoin, retryAfter: error.retryAfter };
    }
    return { in: error instanceof NetworkError ? 'error' : 'end' };
  }

  /** The member has joined again since: what is said of this session is old news. @param {string} s */
  #isStale(s) {
    return this.#getSession().s !== s;
  }

  /** @param {number} ch @param {Action} action @param {Session} session @param {AbortSignal} signal @returns {Promise<News>} */
  async #stream(ch, { rung, hb, life }, session, signal) {
    const response = await this.#api.stream({ ...session, mode: 'stream', octets: rung === '0b', hb, life }, signal);
    await this.#read(ch, response, session, signal);
    return { in: 'end' };
  }

  /** @param {number} ch @param {number} hold @param {Session} session @param {AbortSignal} signal @returns {Promise<News>} */
  async #batch(ch, hold, session, signal) {
    const response = await this.#api.stream({ ...session, mode: 'batch', octets: false, hold }, signal);
    const { hello, n } = await this.#read(ch, response, session, signal);
    return hello ? { in: 'good', n } : { in: 'end' };
  }

  /**
   * Reads an answer to its end, however it ends: what came whole is good, the rest comes with the next. n counts what is not about the stream itself.
   * @param {number} ch @param {Response} response @param {Session} session @param {AbortSignal} signal
   */
  async #read(ch, response, session, signal) {
    let hello = false;
    let n = 0;
    for await (const events of readEvents(response, signal)) {
      const byes = events.filter(({ event }) => event === 'bye');
      for (const event of events) {
        if (event.event !== 'bye') this.#tell({ ...newsOf(event), ch });
        if (event.event === 'hello') hello = true;
        else if (event.event !== 'hb' && event.event !== 'bye') n++;
      }
      await this.#deliver(events, signal);
      for (const { data } of byes) {
        const old = data?.why === 'session' && this.#isStale(session.s);
        this.#tell({ in: 'bye', ch, why: old ? 'replaced' : data?.why, delay: data?.in });
      }
    }
    return { hello, n };
  }

  /** @param {number} hold @param {Session} session @param {AbortSignal} signal @returns {Promise<News>} */
  async #poll(hold, session, signal) {
    const { events, ...rest } = await this.#api.poll({ ...session, hold }, { signal });
    const all = events.map(({ event, id = '', data }) => ({ event, id, data }));
    await this.#deliver([...all, { event: 'polled', id: '', data: rest }], signal);
    const others = rest.acked?.through ?? ''; // that others have our messages is worth an answer too, and not one before its time
    const n = events.length + (others === this.#acked ? 0 : 1);
    this.#acked = others;
    return { in: 'good', n };
  }

  /** One after the other, from whatever rung. @param {RelayEvent[]} events @param {AbortSignal} signal */
  async #deliver(events, signal) {
    const turn = this.#turn.then(() => (signal.aborted ? undefined : this.#onEvents(events)));
    this.#turn = turn.catch(() => {}); // the one who waits for it below has the error
    await turn;
    signal.throwIfAborted();
  }

  /** @param {string} code */
  async #rejoin(code) {
    let ok = true;
    try {
      await this.#onRejoin?.(code);
    } catch {
      ok = false; // the session knows why; here it only means: later
    }
    this.#tell({ in: 'rejoined', ok });
  }
}

/**
 * An event that does not read as the relay wrote it must not be passed over: the answer ends here and the next one brings it again.
 * @param {import('./sse.js').StreamEvent} event @returns {RelayEvent}
 */
function read({ event, id, data }) {
  const value = parse(data);
  if (!value || (event === 'hello' && typeof value.cursor !== 'string')) throw new SyntaxError(`an event ${event} that is not the relay's`);
  return { event, id, data: value };
}

/** @param {RelayEvent} event @returns {News} */
function newsOf({ event, data }) {
  if (event === 'hello') return { in: 'hello', hb: data?.hb };
  return { in: event === 'hb' ? 'hb' : 'event' };
}

/**
 * The events of an answer, chunk by chunk.
 * @param {Response} response @param {AbortSignal} signal
 * @returns {AsyncGenerator<RelayEvent[]>}
 */
async function* readEvents(response, signal) {
  const parser = new EventStreamParser();
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined })); // cut off: an end like any other
      if (done || !value || signal.aborted) return;
      const events = parser.push(value).map(read);
      if (events.length > 0) yield events;
    }
  } finally {
    reader.cancel().catch(() => {}); // it may have broken already
  }
}
