// @ts-check
/** How the bytes of one file go out: each transfer is a run of chunks under one id. */
import { b64u, random } from '../lib/bytes.js';
import { RelayError } from '../net/relay.js';
import { insist, isTight, LANES, Lanes, pause } from './lanes.js';

/** @typedef {import('./lanes.js').Line} Line */
/** @typedef {import('./lanes.js').Put} Put */

const HELD = 4000; // ms of being held back after which others who wait for an earlier place come first

const out = new Lanes();

/** A sealed file on its way out, from one place to its end. */
export class Upload {
  #stop = new AbortController();
  #line;
  #sealer;
  #told;
  #yields;
  #flying = /** @type {Set<number>} */ (new Set());
  #full = false;
  #waiting = /** @type {(() => void)[]} */ ([]);
  /** The relay has everything before. */ at;

  /**
   * @param {object} options
   * @param {() => Line} options.line
   * @param {import('../crypto/file.js').FileSealer} options.sealer
   * @param {number} options.from
   * @param {(name: 'put' | 'moved', put: Put) => void} options.told put: a transfer has begun, its first chunk is out
   * @param {() => boolean} options.yields whether somebody waits for a place before this one
   */
  constructor({ line, sealer, from, told, yields }) {
    this.#line = line;
    this.#sealer = sealer;
    this.at = from;
    this.#told = told;
    this.#yields = yields;
  }

  stop() {
    this.#stop.abort(new DOMException('the transfer ended', 'AbortError'));
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Resolves when all is out or nobody wants more. Rejects with the signal's reason, or with what makes it impossible. */
  async run() {
    try {
      while (this.at < this.#sealer.shape.sealed && (await this.#transfer()));
    } catch (error) {
      if (!(error instanceof RelayError && error.code === 'nobody')) throw error;
    } finally {
      this.#sealer.release();
    }
  }

  /** One transfer, until it is done or a chunk is too big. False if it gave way to another. */
  async #transfer() {
    const { sealed } = this.#sealer.shape;
    /** @type {Put} */
    const put = { id: b64u(random(16)), from: this.at, piece: this.#line().pieceSize };
    if (!(await this.#piece(put, 0, this.#stop.signal))) return true; // again, smaller, under another id
    this.#passed(put, new Set([0]), 0);
    this.#told('put', put);
    const count = Math.ceil((sealed - put.from) / put.piece);
    const have = new Set([0]);
    const ender = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, ender.signal]);
    let next = 1;
    let gaveWay = false;
    let heldSince = 0;
    let failure = /** @type {{error: unknown} | null} */ (null);
    /** The others may wait for a turn that will not come. */
    const end = () => (ender.abort(), this.#landed(-1));
    const held = async (/** @type {Line} */ line, /** @type {number} */ seconds) => {
      this.#full = true;
      heldSince ||= Date.now();
      if (Date.now() - heldSince < HELD || !this.#yields()) return isTight() ? new Promise(() => undefined) : line.collected(put.id, Math.ceil(seconds), signal).catch(() => pause(seconds * 1000, signal));
      gaveWay = true;
      end();
    };
    const worker = async () => {
      while (next < count && !ender.signal.aborted) {
        const n = next++;
        this.#flying.add(n);
        try {
          if (!(await this.#piece(put, n, signal, held))) return end();
        } catch (error) {
          if (!ender.signal.aborted) failure = { error };
          return end();
        }
        heldSince = 0;
        have.add(n);
        this.#passed(put, have, n);
        this.#landed(n);
      }
    };
    await Promise.all(Array.from({ length: LANES }, worker));
    this.#flying.clear();
    this.#landed(0);
    this.#stop.signal.throwIfAborted();
    if (failure) throw failure.error;
    return !gaveWay;
  }

  /** @param {Put} put @param {Set<number>} have @param {number} n */
  #passed(put, have, n) {
    while (have.has(n) && this.at === Math.min(put.from + n * put.piece, this.#sealer.shape.sealed)) {
      have.delete(n++);
      this.at = Math.min(put.from + n * put.piece, this.#sealer.shape.sealed);
    }
    this.#told('moved', put);
  }

  /** Puts a chunk. False if it is too big for the network. @param {Put} put @param {number} n @param {AbortSignal} signal @param {(now: Line, seconds: number) => Promise<unknown>} [held] */
  async #piece({ id, from, piece }, n, signal, held) {
    const bytes = await this.#sealer.read(from + n * piece, from + (n + 1) * piece);
    const put = async (/** @type {Line} */ line) => {
      await this.#turn(n, signal);
      return out.run(() => line.putChunk(`${id}.${n}`, bytes, signal));
    };
    return (await insist(this.#line, signal, put, held)).ok;
  }

  /** In a full room the first that is missing goes first: were its place taken by a later one, nobody could go on. @param {number} n @param {AbortSignal} signal */
  async #turn(n, signal) {
    while (this.#full && n > Math.min(...this.#flying) && !signal.aborted) await new Promise((go) => this.#waiting.push(() => go(undefined)));
  }

  /** @param {number} n */
  #landed(n) {
    if (n <= Math.min(...this.#flying)) this.#full = false;
    this.#flying.delete(n);
    for (const go of this.#waiting.splice(0)) go();
  }
}
