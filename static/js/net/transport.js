// @ts-check
import { b64u, random } from '../lib/bytes.js';
import { Ladder } from './ladder.js';
import { BlockedError, narrow, NetworkError, parse, readJSON, RelayError, send } from './relay.js';

// Reads the WHATWG event stream from bytes as they arrive, however the network has cut them.

/**
 * One event. `id` is the event's own id field, empty where it had none: a heartbeat must not carry the cursor of the message before it.
 * @typedef {{event: string, id: string, data: string}} StreamEvent
 */

/** Thrown by push when one event is larger than the reader takes. */
export class EventTooLarge extends Error {
  /** @override */
  name = 'EventTooLarge';
}

const MAX_EVENT = 4 << 20; // far above the largest frame in base64url, far below what would hurt a phone

/** Parser of one stream; a new connection needs a new one. After it has thrown it is of no further use. */
export class EventStreamParser {
  #decoder = new TextDecoder(); // strips one byte order mark, keeps a character that is split over two chunks
  #max;
  #rest = ''; // the line that has not ended yet
  #size = 0; // of the event so far
  #afterCR = false; // an LF that comes first belongs to the CR before it
  /** @type {string[]} */ #data = [];
  #event = '';
  #id = '';

  /** The last id field of the stream, as EventSource keeps it. */
  lastId = '';
  /** The last retry field in milliseconds, -1 if there was none. */
  retry = -1;

  /** @param {{max?: number}} [options] max: characters one event may have */
  constructor({ max = MAX_EVENT } = {}) {
    this.#max = max;
  }

  /**
   * Takes the next bytes and returns the events that they complete. What is unfinished when the stream ends is dropped, as the standard asks.
   * @param {Uint8Array} bytes
   * @returns {StreamEvent[]}
   */
  push(bytes) {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return [];
    if (this.#afterCR && text[0] === '\n') text = text.slice(1);
    this.#afterCR = text === '' ? false : text.endsWith('\r');
    /** @type {StreamEvent[]} */
    const events = [];
    let from = 0;
    for (const end of text.matchAll(/\r\n|\r|\n/g)) {
      this.#line(this.#rest + text.slice(from, end.index), events);
      this.#rest = '';
      from = end.index + end[0].length;
    }
    this.#rest += text.slice(from);
    this.#bound(this.#rest.length);
    return events;
  }

  /** @param {string} line @param {StreamEvent[]} events */
  #line(line, events) {
    if (line === '') return this.#dispatch(events);
    this.#bound(line.length);
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment
    this.#size += line.length;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    switch (field) {
      case 'data':
        this.#data.push(value);
        break;
      case 'event':
        this.#event = value;
        break;
      case 'id':
        if (!value.includes('\0')) this.lastId = this.#id = value;
        break;
      case 'retry':
        if (/^[0-9]+$/.test(value)) this.retry = Number(value);
    }
  }

  /** @param {StreamEvent[]} events */
  #dispatch(events) {
    if (this.#data.length > 0) {
      events.push({ event: this.#event || 'message', id: this.#id, data: this.#data.join('\n') });
    }
    this.#data = [];
    this.#event = this.#id = '';
    this.#size = 0;
  }

  /** @param {number} more */
  #bound(more) {
    if (this.#size + more > this.#max) throw new EventTooLarge(`an event of more than ${this.#max} characters`);
  }
}

// What the browser knows about the network and the page, as the transport wants it. The document itself is not touched.

/** Events of the window that the transport listens to; a test or a program without a window passes an EventTarget of its own. */
export const SIGNALS = Object.freeze(['online', 'offline', 'pageshow', 'visibilitychange', 'change']);

/**
 * The window's signals, and `change` when the connection becomes another one (where the browser tells). Null without a window.
 * @param {AbortSignal} signal ends the listening
 * @returns {EventTarget | null}
 */
export function browserSignals(signal) {
  if (typeof globalThis.window === 'undefined') return null;
  const signals = new EventTarget();
  const pass = (/** @type {Event} */ event) => {
    const page = /** @type {any} */ (event.target);
    if (event.type === 'visibilitychange' && page?.visibilityState === 'hidden') return;
    signals.dispatchEvent(new Event(event.type));
  };
  for (const name of ['online', 'offline', 'pageshow', 'visibilitychange']) globalThis.addEventListener(name, pass, { signal });
  const { connection } = /** @type {any} */ (globalThis.navigator);
  connection?.addEventListener?.('change', pass, { signal });
  return signals;
}

// Drives the ladder with real requests: what the relay sends comes out as events, whatever the network does to streams.

/**
 * @typedef {Pick<import('./relay.js').Api, 'stream' | 'poll' | 'latency'>} Api what receiving takes
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
 * @param {StreamEvent} event @returns {RelayEvent}
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

// One browser, many rooms, few connections: HTTP/1.1 gives a host six, and some proxies two. Up to three rooms have a stream; all others share one long
// poll, whichever tab they are in. Web Locks say who has a stream and who polls; a BroadcastChannel carries the rest.

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
   * @param {{api: import('./relay.js').Api, base: string, room: string, signal: AbortSignal, placed: () => void}} options signal: gives the place back;
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

  /** @type {import('./relay.js').Api['stream']} */
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

  /** @type {import('./relay.js').Api['poll']} */
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
