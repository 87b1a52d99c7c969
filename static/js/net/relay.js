// @ts-check
import { b64u, concat, random, unb64u } from '../lib/bytes.js';

// The three ways a request can fail. Who answers decides: the relay, some box in between, or nobody.

/**
 * @typedef {import('./types.js').Roster} Roster
 * @typedef {{code: string, http: number, error: string, link?: string, rejoin?: boolean, retryAfter?: number, roster?: Roster}} ErrorBody wire.Error
 */

/** The relay refused. `code` is one of the codes of wire/http.go and never changes its meaning; `retryAfter` is in seconds, 0 if it did not say. */
export class RelayError extends Error {
  /** @override */
  name = 'RelayError';

  /** @param {ErrorBody} body @param {number} [retryAfter] what the header says, for an answer whose body does not */
  constructor(body, retryAfter = 0) {
    super(body.error || body.code);
    this.code = body.code;
    this.http = body.http;
    this.link = body.link ?? '';
    this.rejoin = body.rejoin === true;
    this.retryAfter = body.retryAfter ?? retryAfter;
    /** @type {Roster | undefined} */
    this.roster = body.roster;
  }
}

/** An answer that is not the relay's: a proxy, a block page, a captive portal. `hint` says in words which. */
export class BlockedError extends Error {
  /** @override */
  name = 'BlockedError';

  /** @param {{status: number, contentType?: string, hint: string, retryAfter?: number}} what status 0: a redirect that the browser hides */
  constructor({ status, contentType = '', hint, retryAfter = 0 }) {
    super(hint);
    this.status = status;
    this.contentType = contentType;
    this.hint = hint;
    this.retryAfter = retryAfter;
  }
}

/** No answer: fetch threw, the connection broke, or the time was up (`timeout`). */
export class NetworkError extends Error {
  /** @override */
  name = 'NetworkError';

  /** @param {string} message @param {{cause?: unknown, timeout?: boolean}} [options] */
  constructor(message, { cause, timeout = false } = {}) {
    super(message, { cause });
    this.timeout = timeout;
  }
}

/** @param {Response} response the answer's type in lower case, without parameters */
export const typeOf = (response) => (response.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();

/** @param {Response} response Retry-After in seconds, 0 if there is none */
export function retryAfterOf(response) {
  const value = response.headers.get('retry-after');
  if (!value) return 0;
  if (/^\d+$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? 0 : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

/**
 * The error that an answer other than the expected one stands for.
 * @param {Response} response
 * @param {string} text its body, or the beginning of it
 */
export function errorOf(response, text) {
  const retryAfter = retryAfterOf(response);
  const body = response.ok ? null : errorBody(text);
  if (body) return new RelayError(body, retryAfter);
  const contentType = typeOf(response);
  return new BlockedError({ status: response.status, contentType, hint: hint(response, contentType), retryAfter });
}

/** @param {string} text @returns {ErrorBody | null} */
export function errorBody(text) {
  const body = parse(text);
  return body && typeof body.code === 'string' && typeof body.http === 'number' && typeof body.error === 'string' ? body : null;
}

/** @param {string} text @returns {any} an object, or null */
export function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null; // not JSON, so not ours: the caller says what it is instead
  }
}

/** @param {Response} response @param {string} contentType */
function hint(response, contentType) {
  const { status, type } = response;
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) return 'the network sends us to another page, perhaps to log in';
  if (status === 407) return 'the proxy asks for a login (407)';
  if (status === 511) return 'the network asks for a login (511)';
  if (status === 413) return 'too big for the network (413)';
  if (status === 502 || status === 503 || status === 504) return `the way to the relay is broken (${status})`;
  if (status === 401 || status === 403 || status === 451) return `the network refuses this (${status})`;
  if (contentType === 'text/html') return `a page instead of the relay's answer (${status})`;
  return `an answer that is not the relay's (${status})`;
}

// One HTTP request: a time-out over all of it, and one of three errors if it fails.

/**
 * timeout: milliseconds for the whole answer, 0 for as long as it takes.
 * @typedef {{method?: string, body?: Uint8Array<ArrayBuffer> | string, type?: string, timeout?: number, signal?: AbortSignal, accept?: string,
 *   priority?: 'low'}} Request low: what a person waits for goes first where connections are few
 */

/**
 * Sends a request and reads its answer. If `read` gives the response itself, a stream, the signal goes on to end that. A `read` that takes its answer
 * in pieces may say at each of them how many milliseconds the next one has from then on, in place of the time for all of it.
 * @template T
 * @param {typeof fetch} fetcher @param {string} url @param {Request} request @param {(response: Response, more: (timeout: number) => void) => Promise<T>} read
 * @returns {Promise<T>}
 */
export async function send(fetcher, url, { method = 'GET', body, type, timeout = 0, signal, priority, accept = 'application/json, application/octet-stream' }, read) {
  signal?.throwIfAborted();
  const ender = new AbortController();
  const end = () => ender.abort(signal?.reason);
  signal?.addEventListener('abort', end, { once: true });
  let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  const more = (/** @type {number} */ ms) => {
    clearTimeout(timer);
    timer = setTimeout(() => ender.abort(new DOMException('time is up', 'TimeoutError')), ms);
  };
  if (timeout) more(timeout);
  let done = true;
  try {
    /** @type {Record<string, string>} */
    const headers = type ? { Accept: accept, 'Content-Type': type } : { Accept: accept };
    const response = await fetcher(url, {
      method, body, headers, priority, signal: ender.signal, cache: 'no-store', redirect: 'manual', credentials: 'same-origin', referrerPolicy: 'no-referrer',
    });
    const result = await read(response, more);
    done = !(result instanceof Response);
    return result;
  } catch (error) {
    const late = ender.signal.aborted;
    ender.abort(); // what is left of an answer that we do not want
    signal?.throwIfAborted();
    if (error instanceof RelayError || error instanceof BlockedError) throw error;
    throw new NetworkError(late ? 'no answer in time' : 'the connection failed', { cause: error, timeout: late });
  } finally {
    clearTimeout(timer);
    if (done) signal?.removeEventListener('abort', end);
  }
}

/**
 * Once more after a broken connection: a POST on one that the other side has just closed fails without having been read, and ids make a repeat harmless.
 * @template T
 * @param {() => Promise<T>} attempt
 */
export async function again(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof NetworkError) || error.timeout) throw error;
    return attempt();
  }
}

/** What an answer means that is not what was asked for. A page in place of a stream may never end: only refusals are read. @param {Response} response */
export const unexpected = async (response) => errorOf(response, response.ok ? '' : await response.text());

/** @param {Response} response @param {(answer: any) => boolean} ours tells the relay's answer from a page */
export async function readJSON(response, ours) {
  const text = await response.text();
  const answer = response.ok ? parse(text) : null;
  if (answer && ours(answer)) return answer;
  throw errorOf(response, text);
}

// How large a body the network lets through, found by trying: proxies refuse bodies over 64 to 256 KiB, some far less.

const LARGEST = 7 << 17; // a segment; the relay takes 1 MiB
const SMALLEST = 4 << 10;
const PIECE = 'snug piece';
const PIECE_FOR = 86_400_000; // ms; a laptop is in another network by then

/** The largest piece worth trying. Starts at 1 MiB or what this browser found last, quarters when one is refused, stops at 4 KiB. */
export class PieceSize {
  #limit = lastPiece();
  #passed = 0; // the largest that got through

  /** @param {boolean} asText base64url makes three bytes four */
  size(asText) {
    return asText ? Math.floor((this.#limit * 3) / 4) : this.#limit;
  }

  /** @param {number} size */
  passed(size) {
    this.#passed = Math.max(this.#passed, size);
  }

  /**
   * Takes in a failed try and tells whether a smaller piece may get through.
   * @param {number} size @param {unknown} error @param {boolean} asText
   */
  refused(size, error, asText) {
    const limit = this.size(asText);
    if (size > limit) return tooBig(error); // of an older, larger cut: already known
    if (!tooBig(error) || size <= SMALLEST || (size <= this.#passed && !is413(error))) return false;
    this.#limit = Math.max(SMALLEST, Math.floor(this.#limit / 4));
    try {
      globalThis.localStorage?.setItem(PIECE, JSON.stringify({ limit: this.#limit, at: Date.now() }));
    } catch (error) {
      console.debug('snug: the size of pieces is not remembered', error);
    }
    return true;
  }
}

function lastPiece() {
  try {
    const { limit, at } = JSON.parse(globalThis.localStorage?.getItem(PIECE) ?? '{}');
    return Number.isInteger(limit) && at > Date.now() - PIECE_FOR ? Math.min(LARGEST, Math.max(SMALLEST, limit)) : LARGEST;
  } catch {
    return LARGEST; // switched off, or not ours: it is found out anew
  }
}

/** @param {unknown} error */
const is413 = (error) => (error instanceof BlockedError && error.status === 413) || (error instanceof RelayError && error.code === 'too_large');

/** A 403 and a time-out are what scanners say to a body they do not like, and on a slow line the relay gives a large one up (408). @param {unknown} error */
const tooBig = (error) => is413(error) || (error instanceof RelayError && error.http === 408) || (error instanceof BlockedError && error.status === 403) || (error instanceof NetworkError && error.timeout);

// The rung that worked on this origin, remembered for the ladder: a network that holds streams back today does so tomorrow morning.

const KEY = 'snug ladder';

/** @type {import('./transport.js').Store} A browser that stores nothing for us remembers nothing, and the ladder finds out anew. */
export const remembered = {
  load() {
    try {
      return JSON.parse(globalThis.localStorage?.getItem(KEY) ?? 'null');
    } catch {
      return null; // switched off, or not ours: as good as nothing
    }
  },
  save(memory) {
    try {
      globalThis.localStorage?.setItem(KEY, JSON.stringify(memory));
    } catch (error) {
      console.debug('snug: the rung is not remembered', error);
    }
  },
};

const NARROW = 'snug narrow';
const NARROW_FOR = 3_600_000; // ms; then it is tried again, which costs four seconds

/** Whether the network was found to let so few requests go on at a time that this browser's rooms must do with one. */
export const narrow = {
  get on() {
    try {
      return Number(globalThis.localStorage?.getItem(NARROW)) > Date.now();
    } catch {
      return false; // switched off: it is found out anew
    }
  },
  begin() {
    try {
      globalThis.localStorage?.setItem(NARROW, String(Date.now() + NARROW_FOR));
    } catch (error) {
      console.debug('snug: the narrow network is not remembered', error);
    }
  },
};

// The relay's HTTP interface (docs/HTTP.md) as methods of one room. GET and POST only, no custom header, everything in URL and body.

/**
 * @typedef {import('./types.js').JoinRequest} JoinRequest
 * @typedef {import('./types.js').Joined} Joined
 * @typedef {import('./types.js').Posted} Posted
 * @typedef {import('./types.js').Polled} Polled
 * @typedef {import('./types.js').KnockRequest} KnockRequest
 * @typedef {import('./types.js').KnockAnswers} KnockAnswers
 * @typedef {Uint8Array<ArrayBuffer>} Bytes
 * @typedef {{signal?: AbortSignal}} Options
 * @typedef {Record<string, string | number | null | undefined>} Query
 */

const TIMEOUT = 20_000; // a post of a message over a slow and scanning proxy; a lost one is sent again under its id
const STUCK = 10_000; // without a byte more of a chunk that has begun to come
const MAX_KNOWN = 256; // members that a relay takes with a join
const SLOWEST = 8 << 10; // bytes a second that a big body may take before it counts as lost
const BIG_ANSWER = 48 << 10; // that gets through where large ones get stuck: squid 5 behind a scanner stalls above 64 KiB (its bug 5352)

/**
 * All requests of one member to one room, but streams are read by Transport. Every method rejects with RelayError, BlockedError or
 * NetworkError, or with the signal's reason if the caller's signal ended it. Safe for concurrent use; holds no session.
 */
export class Api {
  #base;
  #room;
  #fetch;
  #timeout;
  #stuck;
  /** Posts go as text/plain base64url once the network has refused the binary form and taken this one. */
  #asText = false;
  /** The same for what is fetched. */
  #textAnswers = false;
  /** Chunks are fetched in parts since the network has stopped in the middle of one. */
  #inParts = false;
  #latency = 0;

  /** How big a body the network lets through; shared by all files of the room. */
  pieces = new PieceSize();

  /**
   * @param {{base?: string, room: string, fetch?: typeof fetch, timeout?: number, stuck?: number}} options base: the relay's origin, '' for the page's own
   */
  constructor({ base = '', room, fetch: fetcher = (...args) => globalThis.fetch(...args), timeout = TIMEOUT, stuck = STUCK }) {
    this.#base = base.replace(/\/+$/, '');
    this.#room = room;
    this.#fetch = fetcher;
    this.#timeout = timeout;
    this.#stuck = stuck;
  }

  /** Milliseconds that a short request takes there and back, smoothed; 0 before the first. */
  get latency() {
    return Math.round(this.#latency);
  }

  /** Whether posts go as text because the network refuses binary bodies. */
  get asText() {
    return this.#asText;
  }

  /**
   * Of a room larger than a relay takes names of, each who joins gives others.
   * @param {JoinRequest} body @param {Options} [options] @returns {Promise<Joined>}
   */
  join(body, options) {
    const known = body.known ?? [];
    if (known.length > MAX_KNOWN) {
      const from = Math.floor(Math.random() * known.length);
      body = { ...body, known: [...known.slice(from), ...known.slice(0, from)].slice(0, MAX_KNOWN) };
    }
    return this.#postJSON('join', {}, body, (a) => typeof a.session === 'string', options);
  }

  /**
   * Posts a message. Repeating it under the same id is safe. Rejects with RelayError roster_stale, which has `roster`, if the list is older than the room's.
   * @param {string} s @param {string} id @param {Bytes} frame
   * @param {{roster?: number | null, signal?: AbortSignal}} [options]
   * @returns {Promise<Posted>}
   */
  post(s, id, frame, { roster, signal } = {}) {
    return this.#postBytes('messages', { s, id, roster }, frame, (a) => typeof a.cursor === 'string', { signal });
  }

  /**
   * @param {string} s @param {string} through
   * @param {{got?: string[], skip?: string[], skipAll?: boolean, signal?: AbortSignal}} [options] chunks that are here, files that are not wanted: these, or all that have begun
   */
  async ack(s, through, { got, skip, skipAll, signal } = {}) {
    const body = got?.length || skip?.length || skipAll ? { got, skip, skip_all: skipAll } : undefined;
    await this.#postJSON('ack', { s, through }, body, isOK, { signal });
  }

  /** @param {string} s @param {Bytes} card @param {Options} [options] */
  async card(s, card, options) {
    await this.#postBytes('card', { s }, card, isOK, options);
  }

  /**
   * Leaves the room. While the page goes away only a beacon is sure to be sent, and nobody can wait for its answer.
   * @param {string} s @param {{unloading?: boolean, signal?: AbortSignal}} [options]
   */
  async leave(s, { unloading = false, signal } = {}) {
    if (!unloading) return void (await this.#postJSON('leave', { s }, undefined, isOK, { signal }));
    const url = this.url('leave', { s });
    if (globalThis.navigator?.sendBeacon?.(url)) return;
    await this.#fetch(url, { method: 'POST', keepalive: true, body: '' }).catch(() => {}); // the page is gone; the relay lets the member go by time
  }

  /** The list of members, with what each has acked. @param {string} s @param {Options} [options] @returns {Promise<Roster>} */
  members(s, options) {
    return this.#json(this.url('members', { s }), {}, (a) => Array.isArray(a.members), options);
  }

  /** Knocks as a stranger. @param {KnockRequest} body @param {Options} [options] */
  async knock(body, options) {
    await this.#postJSON('knock', {}, body, isOK, options);
  }

  /** The members' notes to the stranger. @param {KnockRequest} body @param {Options} [options] @returns {Promise<KnockAnswers>} */
  knockPoll(body, options) {
    const timeout = this.#timeout + 1000 * (body.hold ?? 0);
    return this.#postJSON('knock/poll', {}, body, (a) => Array.isArray(a.notes), { timeout, ...options });
  }

  /** A member's note to the stranger. @param {string} s @param {string} id @param {Bytes} note @param {Options} [options] */
  async knockAnswer(s, id, note, options) {
    await this.#postBytes(`knock/${id}`, { s }, note, isOK, options);
  }

  /**
   * Puts a chunk. Answers `{ok: true}`, or `{ok: false, size}` when a box in between refuses a body of this size: cut the file into pieces of at
   * most `size` bytes and put those. Below the smallest size, and for the relay's own refusals, it rejects as the others do.
   * @param {string} s @param {string} id FILE.N @param {Bytes} bytes @param {Options} [options]
   * @returns {Promise<{ok: true} | {ok: false, size: number}>}
   */
  async putChunk(s, id, bytes, { signal } = {}) {
    const timeout = this.#timeout + (1000 * bytes.length) / SLOWEST;
    try {
      await this.#postBytes('chunks', { s, id }, bytes, isOK, { signal, timeout, priority: 'low' });
    } catch (error) {
      if (signal?.aborted || !this.pieces.refused(bytes.length, error, this.#asText)) throw error;
      return { ok: false, size: this.pieces.size(this.#asText) };
    }
    this.pieces.passed(bytes.length);
    return { ok: true };
  }

  /** The largest chunk that is worth trying, in bytes, before base64url if that is in use. */
  get pieceSize() {
    return this.pieces.size(this.#asText);
  }

  /**
   * Gets a chunk of `size` bytes, in parts once the network was seen to stop in the middle. `hold`: seconds that the relay may wait for it to come.
   * @param {string} s @param {string} id FILE.N @param {number} size @param {{hold?: number, signal?: AbortSignal}} [options] @returns {Promise<Bytes>}
   */
  async chunk(s, id, size, options) {
    if (!this.#inParts) {
      try {
        return await this.#part(s, id, { from: 0, size }, options);
      } catch (error) {
        if (!(error instanceof NetworkError) || !error.timeout || size <= BIG_ANSWER) throw error;
        this.#inParts = true; // if it was something else, that costs some requests more and nothing else
      }
    }
    const parts = /** @type {Bytes[]} */ ([]);
    for (let from = 0; from < size; ) {
      const most = this.#textAnswers ? (BIG_ANSWER * 3) / 4 : BIG_ANSWER;
      const bytes = await this.#part(s, id, { from, size: Math.min(size - from, most) }, options);
      if (bytes.length === 0) break; // shorter than was said, which the caller sees
      parts.push(bytes);
      from += bytes.length;
    }
    return concat(...parts);
  }

  /**
   * Gets a part of a chunk, as text if the network refuses the binary form.
   * @param {string} s @param {string} id @param {{from: number, size: number}} part @param {{hold?: number, signal?: AbortSignal}} [options] @returns {Promise<Bytes>}
   */
  async #part(s, id, part, { hold = 0, signal } = {}) {
    const first = this.#textAnswers;
    const request = { timeout: this.#timeout + 1000 * hold, signal, priority: /** @type {const} */ ('low') };
    const get = (/** @type {boolean} */ asText) =>
      again(() => {
        const url = this.url(`chunks/${id}`, { s, ...part, hold: hold || undefined, as: asText ? 'text' : undefined });
        return send(this.#fetch, url, request, (response, more) => readChunk(response, asText, part.size, () => more(this.#stuck)));
      });
    try {
      return await get(first);
    } catch (error) {
      if (!(error instanceof BlockedError) || !mayBeTheForm(error)) throw error;
      const bytes = await get(!first).catch((second) => {
        throw second instanceof RelayError ? second : error;
      });
      this.#textAnswers = !first;
      return bytes;
    }
  }

  /** Resolves when nothing of a transfer is held any more, or after `hold` seconds. @param {string} s @param {string} file @param {number} hold @param {AbortSignal} signal */
  async collected(s, file, hold, signal) {
    const request = { timeout: this.#timeout + 1000 * hold, signal, priority: /** @type {const} */ ('low') };
    await send(this.#fetch, this.url(`files/${file}`, { s, hold }), request, (r) => readJSON(r, (a) => typeof a.chunks === 'number'));
  }

  /**
   * One long poll; a hold of 0 answers at once. Not repeated here: what a failure means is the ladder's matter.
   * @param {{s: string, after: string, hold: number}} query hold in seconds
   * @param {Options} [options]
   * @returns {Promise<Polled>}
   */
  async poll({ s, after, hold }, { signal } = {}) {
    const request = { method: 'POST', body: '', type: 'text/plain', timeout: 0, signal };
    const began = performance.now();
    const answer = await send(this.#fetch, this.url('poll', { s, after, hold }), request, (r) => readJSON(r, (a) => Array.isArray(a.events)));
    if (hold === 0) this.#measured(performance.now() - began);
    return answer;
  }

  /**
   * Opens a stream or a batch and returns the answer when it is one: the right status and exactly the asked type. Its body is the caller's to read.
   * @param {{s: string, after: string, mode: 'stream' | 'batch', octets: boolean, hb?: number, life?: number, hold?: number}} query seconds; 0: the relay's choice
   * @param {AbortSignal} signal ends the answer too
   * @returns {Promise<Response>}
   */
  async stream({ s, after, mode, octets, hb, life, hold }, signal) {
    const url = this.url('stream', { s, after, mode, as: octets ? 'octet-stream' : 'event-stream', hb: hb || undefined, life: life || undefined, hold });
    const type = octets ? 'application/octet-stream' : 'text/event-stream';
    return send(this.#fetch, url, { accept: type, timeout: 0, signal }, async (response) => {
      if (response.ok && typeOf(response) === type && response.body) return response;
      throw await unexpected(response);
    });
  }

  /**
   * The URL of a path below the room. The nonce keeps caches, and proxies that merge equal requests, from answering for the relay.
   * @param {string} path @param {Query} query
   */
  url(path, query) {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null) params.set(name, String(value));
    params.set('n', b64u(random(9)));
    return `${this.#base}/r/${this.#room}/${path}?${params}`;
  }

  /**
   * @param {string} path @param {Query} query @param {unknown} body @param {(answer: any) => boolean} ours
   * @param {{signal?: AbortSignal, timeout?: number}} [options]
   */
  #postJSON(path, query, body, ours, options) {
    const request = { method: 'POST', body: body === undefined ? '' : JSON.stringify(body), type: body === undefined ? 'text/plain' : 'application/json' };
    return this.#json(this.url(path, query), request, ours, options);
  }

  /**
   * Posts bytes, as text if the network refuses the binary form. Whichever form gets through is kept.
   * @param {string} path @param {Query} query @param {Bytes} bytes @param {(answer: any) => boolean} ours
   * @param {{signal?: AbortSignal, timeout?: number, priority?: 'low'}} [options]
   */
  async #postBytes(path, query, bytes, ours, options) {
    const first = this.#asText;
    const post = (/** @type {boolean} */ asText) => {
      const form = asText ? { body: b64u(bytes), type: 'text/plain' } : { body: bytes, type: 'application/octet-stream' };
      return this.#json(this.url(path, query), { method: 'POST', ...form }, ours, options);
    };
    try {
      return await post(first);
    } catch (error) {
      if (!(error instanceof BlockedError) || !mayBeTheForm(error)) throw error;
      const answer = await post(!first).catch((second) => {
        // Had the relay itself refused the second form, or a box only its size, the form got through and that word counts.
        const through = second instanceof RelayError || (second instanceof BlockedError && second.status === 413);
        if (through) this.#asText = !first;
        throw through ? second : error;
      });
      this.#asText = !first;
      return answer;
    }
  }

  /**
   * @param {string} url @param {Request} request @param {(answer: any) => boolean} ours
   * @param {{signal?: AbortSignal, timeout?: number, priority?: 'low'}} [options]
   */
  #json(url, request, ours, options) {
    return again(async () => {
      const began = performance.now();
      const answer = await send(this.#fetch, url, { timeout: this.#timeout, ...request, ...options }, (response) => readJSON(response, ours));
      if (typeof request.body !== 'object' && !options?.timeout) this.#measured(performance.now() - began);
      return answer;
    });
  }

  /** @param {number} ms */
  #measured(ms) {
    this.#latency = this.#latency ? 0.7 * this.#latency + 0.3 * ms : ms;
  }
}

/** @param {any} answer */
const isOK = (answer) => answer.ok === true;

/** @param {Response} response @param {boolean} asText @param {number} size at most @param {() => void} moves @returns {Promise<Bytes>} */
async function readChunk(response, asText, size, moves) {
  if (!response.ok || typeOf(response) !== (asText ? 'text/plain' : 'application/octet-stream')) throw await unexpected(response);
  try {
    const bytes = await readAll(response, asText ? Math.ceil((size * 4) / 3) : size, moves);
    return asText ? unb64u(new TextDecoder().decode(bytes)) : bytes;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BlockedError({ status: response.status, hint: 'something in between changed the answer' });
  }
}

/** Throws RangeError for more than was asked. @param {Response} response @param {number} size at most @param {() => void} moves told of each piece @returns {Promise<Bytes>} */
async function readAll(response, size, moves) {
  const bytes = new Uint8Array(size); // once: fresh memory is what costs
  let length = 0;
  for (const reader = response.body?.getReader(); reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes.set(value, length);
    length += value.length;
    moves();
  }
  return bytes.subarray(0, length);
}

/** A login, a redirect or a broken way says nothing about the form of the body. @param {BlockedError} error */
const mayBeTheForm = ({ status }) => status >= 200 && status !== 407 && status !== 413 && status !== 511 && (status < 300 || status >= 400) && ![502, 503, 504].includes(status);
