// @ts-check
// The relay's HTTP interface (docs/HTTP.md) as methods of one room. GET and POST only, no custom header, everything in URL and body.

import { b64u, random } from '../lib/bytes.js';
import { BlockedError, NetworkError, RelayError, typeOf } from './errors.js';
import { PieceSize } from './pieces.js';
import { again, readJSON, send, unexpected } from './request.js';

export { BlockedError, NetworkError, RelayError };

/**
 * @typedef {import('./types.js').JoinRequest} JoinRequest
 * @typedef {import('./types.js').Joined} Joined
 * @typedef {import('./types.js').Posted} Posted
 * @typedef {import('./types.js').Polled} Polled
 * @typedef {import('./types.js').Roster} Roster
 * @typedef {import('./types.js').KnockRequest} KnockRequest
 * @typedef {import('./types.js').KnockAnswers} KnockAnswers
 * @typedef {Uint8Array<ArrayBuffer>} Bytes
 * @typedef {{signal?: AbortSignal}} Options
 * @typedef {Record<string, string | number | null | undefined>} Query
 * @typedef {import('./request.js').Request} Request
 */

const TIMEOUT = 20_000; // a post of a message over a slow and scanning proxy; a lost one is sent again under its id
const SLOWEST = 8 << 10; // bytes a second that a big body may take before it counts as lost

/**
 * All requests of one member to one room, but streams are read by Transport. Every method rejects with RelayError, BlockedError or
 * NetworkError, or with the signal's reason if the caller's signal ended it. Safe for concurrent use; holds no session.
 */
export class Api {
  #base;
  #room;
  #fetch;
  #timeout;
  /** Posts go as text/plain base64url once the network has refused the binary form and taken this one. */
  #asText = false;
  #latency = 0;

  /** How big a body the network lets through; shared by all files of the room. */
  pieces = new PieceSize();

  /**
   * @param {{base?: string, room: string, fetch?: typeof fetch, timeout?: number}} options base: the relay's origin, '' for the page's own
   */
  constructor({ base = '', room, fetch: fetcher = (...args) => globalThis.fetch(...args), timeout = TIMEOUT }) {
    this.#base = base.replace(/\/+$/, '');
    this.#room = room;
    this.#fetch = fetcher;
    this.#timeout = timeout;
  }

  /** Milliseconds that a short request takes there and back, smoothed; 0 before the first. */
  get latency() {
    return Math.round(this.#latency);
  }

  /** Whether posts go as text because the network refuses binary bodies. */
  get asText() {
    return this.#asText;
  }

  /** @param {JoinRequest} body @param {Options} [options] @returns {Promise<Joined>} */
  join(body, options) {
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
   * @param {{got?: string[], skip?: string[], signal?: AbortSignal}} [options] chunks that are here, files that are not wanted
   */
  async ack(s, through, { got, skip, signal } = {}) {
    const body = got?.length || skip?.length ? { got, skip } : undefined;
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
      await this.#postBytes('chunks', { s, id }, bytes, isOK, { signal, timeout });
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

  /** @param {string} s @param {string} id FILE.N @param {Options} [options] @returns {Promise<Bytes>} */
  async chunk(s, id, { signal } = {}) {
    const timeout = this.#timeout + (1000 * (256 << 10)) / SLOWEST;
    const read = async (/** @type {Response} */ response) => {
      if (!response.ok || typeOf(response) !== 'application/octet-stream') throw await unexpected(response);
      return new Uint8Array(await response.arrayBuffer());
    };
    return again(() => send(this.#fetch, this.url(`chunks/${id}`, { s }), { timeout, signal }, read));
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
   * @param {{signal?: AbortSignal, timeout?: number}} [options]
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
   * @param {{signal?: AbortSignal, timeout?: number}} [options]
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

/** A login, a redirect or a broken way says nothing about the form of the body. @param {BlockedError} error */
const mayBeTheForm = ({ status }) => status >= 200 && status !== 407 && status !== 413 && status !== 511 && (status < 300 || status >= 400) && ![502, 503, 504].includes(status);
