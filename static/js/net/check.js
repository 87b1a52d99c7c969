// @ts-check
// What the network between this page and the relay does. client/check.go makes the same report out of the same probes.

import { b64u, random } from '../lib/bytes.js';
import { readJSON, send, typeOf, unexpected } from './relay.js';
import { EventStreamParser } from './transport.js';

/**
 * Times in milliseconds, sizes in bytes. held: about how much is held back, -1 all until the end. watch: seconds, 0 for not cut.
 * @typedef {{live: boolean, pieces: number, late: number, held: number, why: string}} Pieces
 * @typedef {{ok: boolean, ms: number, why: string}} Try
 * @typedef {object} Report
 * @property {Try & {via: string}} reach
 * @property {Pieces} stream
 * @property {Pieces} octets
 * @property {Try} batch
 * @property {Try} poll
 * @property {{octets: number, text: number}} posts
 * @property {string[]} lost
 * @property {string[]} added
 * @property {boolean} cached
 * @property {boolean} altered
 * @property {{seconds: number, cut: number, idle: number} | null} watch
 */

const LIVE = 1000; // a piece later than this came with others
const PATIENCE = 12_000;
export const MAX_POST = 1 << 20;
const PROBES = ['Authorization', 'Last-Event-Id', 'X-Snug-Check'];
const TELLING = ['Via', 'Forwarded', 'X-Forwarded-For', 'X-Bluecoat-Via', 'X-Proxy-Id', 'X-Icap-Version'];

/** @returns {Report} */
const blank = () => {
  const pieces = () => ({ live: false, pieces: 0, late: 0, held: 0, why: '' });
  const one = () => ({ ok: false, ms: 0, why: '' });
  return {
    reach: { ...one(), via: '' }, stream: pieces(), octets: pieces(), batch: one(), poll: one(), posts: { octets: 0, text: 0 },
    lost: [], added: [], cached: false, altered: false, watch: null,
  };
};

/** One check of the network. Probes never reject: what went wrong is in the report. */
export class NetworkCheck {
  #fetch;
  #signal;
  report = blank();

  /** @param {{signal: AbortSignal, fetch?: typeof fetch}} options signal ends the check */
  constructor({ signal, fetch: fetcher = (...args) => globalThis.fetch(...args) }) {
    this.#signal = signal;
    this.#fetch = fetcher;
  }

  /**
   * Tries one thing after the other, in about ten seconds where all is well.
   * @param {(step: 'relay' | 'streams' | 'answers' | 'posts') => void} progress is told what comes next; the report has what came before
   */
  async run(progress) {
    const r = this.report;
    progress('relay');
    await this.#reach();
    if (!r.reach.ok) return r;
    progress('streams');
    r.stream = await this.#stream('event-stream');
    r.octets = await this.#stream('octet-stream');
    progress('answers');
    let ended = 0;
    r.batch = await this.#timed(() => this.#pieces({ every: 1000, count: 1 }, PATIENCE, () => ended++));
    r.batch.ok &&= ended === 1;
    r.poll = await this.#timed(() => this.#post('poll', { hold: 2 }, '', 'text/plain', (a) => a.ok === true));
    progress('posts');
    r.posts.octets = await largest((n) => this.#passes(n, 'application/octet-stream'));
    r.posts.text = await largest((n) => this.#passes(n, 'text/plain'));
    return r;
  }

  /**
   * Watches two streams, one that speaks every 5 s and one that is silent for 30 s at a time.
   * @param {number} seconds
   * @param {(gone: number) => void} tick every second
   */
  async watch(seconds, tick) {
    const began = performance.now();
    const gone = () => Math.floor((performance.now() - began) / 1000);
    const timer = setInterval(() => tick(gone()), 1000);
    /** @param {number} every */
    const lasts = async (every) => {
      const { ms } = await this.#timed(() => this.#pieces({ every, count: Math.ceil((seconds * 1000) / every) + 1 }, seconds * 1000, () => {}));
      return this.#signal.aborted || ms >= seconds * 1000 - 50 ? 0 : Math.max(1, Math.floor(ms / 1000));
    };
    const [cut, idle] = await Promise.all([lasts(5000), lasts(30_000)]);
    clearInterval(timer);
    this.report.watch = { seconds: Math.min(seconds, gone()), cut, idle };
    return this.report;
  }

  async #reach() {
    const r = this.report;
    const same = url('echo', {});
    const echo = () => this.#echo(same, (a) => typeof a.answer === 'string');
    /** @type {any} */ let first;
    r.reach = { ...(await this.#timed(async () => (first = await echo()))), via: first?.via ?? '' };
    if (!r.reach.ok) return;
    r.lost = PROBES.filter((name) => !first.headers.includes(name));
    r.added = TELLING.filter((name) => first.headers.includes(name));
    r.cached = (await echo().catch(() => null))?.answer === first.answer;
    const page = await send(this.#fetch, url('page', {}), { timeout: PATIENCE, signal: this.#signal }, (response) => response.text()).catch(() => first.page);
    r.altered = page !== first.page;
  }

  /** @param {'event-stream' | 'octet-stream'} as @returns {Promise<Pieces>} */
  async #stream(as) {
    const s = { live: false, pieces: 0, late: 0, held: 0, why: '' };
    const done = await this.#timed(() => this.#pieces({ as, every: 250, count: 8 }, 2 * PATIENCE, (late) => {
      s.pieces++;
      s.late = Math.max(s.late, Math.round(late));
    }));
    s.why = done.why;
    s.live = s.pieces === 8 && s.late < LIVE;
    if (s.pieces === 0 || s.live) return s;
    s.held = -1;
    let first = true;
    await this.#timed(() => this.#pieces({ as, every: 50, count: 64, size: 4096 }, 2 * PATIENCE, (late) => {
      const sent = Math.floor(late / 50);
      if (first && sent < 60) s.held = (sent + 1) * 4096;
      first = false;
    }));
    return s;
  }

  /**
   * Reads a stream to its end. late: milliseconds between sending and arrival.
   * @param {{as?: string, every: number, count: number, size?: number}} query @param {number} patience @param {(late: number) => void} each
   */
  async #pieces(query, patience, each) {
    const type = query.as === 'octet-stream' ? 'application/octet-stream' : 'text/event-stream';
    const began = performance.now();
    await send(this.#fetch, url('stream', query), { accept: type, timeout: patience, signal: this.#signal }, async (response) => {
      if (!response.ok || typeOf(response) !== type || !response.body) throw await unexpected(response);
      const parser = new EventStreamParser();
      const reader = response.body.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        for (const { data } of parser.push(part.value)) each(performance.now() - began - JSON.parse(data).at);
      }
    });
  }

  /** @param {number} n @param {string} type */
  async #passes(n, type) {
    const answer = await this.#post('post', {}, body(n), type, (a) => typeof a.bytes === 'number').catch(() => null);
    return answer?.bytes === n && answer.intact;
  }

  /** @param {string} path @param {Record<string, any>} query @param {Uint8Array<ArrayBuffer> | string} bytes @param {string} type @param {(answer: any) => boolean} ours */
  #post(path, query, bytes, type, ours) {
    return send(this.#fetch, url(path, query), { method: 'POST', body: bytes, type, timeout: PATIENCE, signal: this.#signal }, (response) => readJSON(response, ours));
  }

  /** With headers that some networks strip. @param {string} at @param {(answer: any) => boolean} ours */
  #echo(at, ours) {
    /** @type {typeof fetch} */
    const probing = (input, init) => this.#fetch(input, {
      ...init, headers: { ...init?.headers, Authorization: 'Bearer check', 'Last-Event-ID': 'check', 'X-Snug-Check': '1' },
    });
    return send(probing, at, { timeout: PATIENCE, signal: this.#signal }, (response) => readJSON(response, ours));
  }

  /** @param {() => Promise<unknown>} probe @returns {Promise<Try>} */
  async #timed(probe) {
    const began = performance.now();
    const why = await probe().then(() => '', (error) => error.message || 'it failed');
    return { ok: why === '', ms: Math.round(performance.now() - began), why };
  }
}

/** 4 KiB, 16 KiB … 1 MiB until one fails, and then what lies between. @param {(n: number) => Promise<boolean>} passes */
async function largest(passes) {
  let most = 0;
  for (let n = 4 << 10; n <= MAX_POST; n *= 4) {
    if (!(await passes(n))) return most > 0 && (await passes(2 * most)) ? 2 * most : most;
    most = n;
  }
  return most;
}

/** What wire.CheckByte has at each place. @param {number} n */
const body = (n) => Uint8Array.from({ length: n }, (_, i) => 97 + ((i + (i >> 8)) % 26));

/** @param {string} path @param {Record<string, any>} query */
const url = (path, query) => `/check/${path}?${new URLSearchParams({ ...query, n: b64u(random(9)) })}`;
