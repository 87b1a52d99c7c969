// @ts-check
/** How the bytes of one file come in, whatever transfers its sender starts. */
import { RelayError } from '../net/relay.js';
import { FileOpener } from '../crypto/file.js';
import { insist, isTight, LANES, Lanes, pause, tighten } from './lanes.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./lanes.js').Line} Line */
/** @typedef {import('./lanes.js').Put} Put */
/** @typedef {{write: (bytes: Bytes) => Promise<void> | void, close: () => Promise<Blob>, abort: () => Promise<void>}} Sink */

const HOLD = 10; // seconds that the relay may hold a request for a chunk that is not there yet
const SUSPECT = 1000; // ms that a request is held until we look whether another one gets through beside it
const TIGHT = 2500; // ms that this other one may take
const SOON = 300; // ms between two looks for a chunk where no request can be held
const ASK_AGAIN = 20_000; // ms without a byte until the sender is asked again

const into = new Lanes();
let probing = false;

/** A sealed file on its way in. It follows whatever transfers its sender starts and asks for another when they have ended before the file has. */
export class Download {
  #stop = new AbortController();
  #line;
  #want;
  #here;
  #told;
  #sink;
  #opener;
  #puts = /** @type {Put[]} */ ([]);
  #wake = () => {};
  #lost = new AbortController();
  #newest = new AbortController(); // ends when there is another transfer
  #got = /** @type {string[]} */ ([]);
  #skip = /** @type {string[]} */ ([]);
  #telling = /** @type {Promise<void> | null} */ (null);
  #asked = 0;
  #heard = 0; // when the last byte came
  #writes = /** @type {Promise<unknown>} */ (Promise.resolve());

  /**
   * @param {object} options
   * @param {() => Line} options.line
   * @param {{size: number, segment: number, key: Bytes}} options.file
   * @param {Sink} options.sink
   * @param {(from: number) => void} options.want asks the sender for the sealed file from there on
   * @param {() => boolean} options.here whether its sender is in the room; who is not puts nothing more into it
   * @param {(at: number, sealed: number) => void} options.told
   */
  constructor({ line, file, sink, want, here, told }) {
    this.#line = line;
    this.#sink = sink;
    this.#want = want;
    this.#here = here;
    this.#told = told;
    this.#opener = new FileOpener(file);
  }

  /** The sender has begun a transfer. @param {Put} put */
  begins(put) {
    this.#puts.push(put);
    if (this.#opener.whole) this.#leave(put); // for others, while we put the last of it away; unanswered it would hold them up
    this.look();
  }

  /** Looks at once for what it waits for: there is another transfer, or its sender has left. */
  look() {
    this.#newest.abort();
    this.#newest = new AbortController();
    this.#wake();
  }

  /** The relay has forgotten everything. */
  forgotten() {
    this.#puts = [];
    this.#lost.abort();
    this.#lost = new AbortController();
    this.#asked = 0;
    this.#wake();
  }

  stop() {
    this.#stop.abort(new DOMException('the transfer ended', 'AbortError'));
    this.#wake();
  }

  /** Resolves with the file when it is here. @returns {Promise<Blob>} */
  async run() {
    const { signal } = this.#stop;
    try {
      while (!this.#opener.whole) {
        signal.throwIfAborted();
        const put = this.#best();
        if (put) await this.#follow(put);
        else await this.#ask();
      }
      await this.#writes;
      await this.#tell(true);
      signal.throwIfAborted();
      return await this.#sink.close();
    } catch (error) {
      this.stop();
      await this.#writes.catch(() => undefined); // it is what we fail with
      await this.#sink.abort();
      throw error;
    }
  }

  /** The transfer that goes on where we are: of several the newest, since an older one may have ended. */
  #best() {
    return this.#puts.findLast(({ from }) => from <= this.#opener.taken);
  }

  async #ask() {
    const now = Date.now();
    if (!this.#here() || now - this.#asked >= ASK_AGAIN) {
      this.#asked = now;
      this.#want(this.#opener.taken);
      this.#stop.signal.throwIfAborted();
    }
    await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), this.#asked + ASK_AGAIN - now);
      this.#wake = () => (clearTimeout(timer), resolve(undefined));
    });
  }

  /** Follows a transfer to its end, or to where a newer one begins. @param {Put} put */
  async #follow(put) {
    const ender = new AbortController();
    const lost = this.#lost.signal; // another one after the next restart
    const signal = AbortSignal.any([this.#stop.signal, lost, ender.signal]);
    const { sealed } = this.#opener.shape;
    const count = Math.ceil((sealed - put.from) / put.piece);
    const first = Math.floor((this.#opener.taken - put.from) / put.piece);
    /** @type {Promise<Bytes | null>[]} */
    const ahead = [];
    let next = 0; // also what we have: nobody else can release it for us
    this.#heard = Date.now();
    try {
      for (let n = 0; n < count; n++) {
        while (next < count && next < n + LANES) {
          const chunk = this.#chunk(put, next++, first, signal);
          chunk.catch(() => undefined); // it is awaited in its turn
          ahead.push(chunk);
        }
        const bytes = await ahead.shift();
        this.#stop.signal.throwIfAborted();
        if (lost.aborted || !bytes) return this.#leave(put);
        if (bytes.length !== this.#size(put, n)) return this.#leave(put); // not what was announced
        await this.#take(bytes.subarray(Math.max(0, this.#opener.taken - put.from - n * put.piece)));
        if (this.#newer(put)) return this.#leave(put);
      }
      this.#leave(put);
    } catch (error) {
      if (this.#stop.signal.aborted || !lost.aborted) throw error;
    } finally {
      ender.abort();
    }
  }

  /** What a chunk of a transfer holds. @param {Put} put @param {number} n */
  #size(put, n) {
    return Math.min(put.piece, this.#opener.shape.sealed - put.from - n * put.piece);
  }

  /** @param {Bytes} bytes */
  async #take(bytes) {
    if (bytes.length === 0) return;
    const opened = this.#opener.push(bytes);
    opened.catch(() => undefined); // the write below has it
    await this.#writes; // so at most one piece is being opened while another is written
    this.#writes = opened.then(async (segments) => {
      for (const segment of segments) await this.#sink.write(segment);
    });
    this.#writes.catch(() => undefined); // the next take has it, or the end
    this.#told(this.#opener.taken, this.#opener.shape.sealed);
  }

  /** Whether a newer transfer goes on exactly here, since this one ended for its size. @param {Put} put */
  #newer(put) {
    const at = this.#puts.indexOf(put);
    return this.#puts.slice(at + 1).some(({ from }) => from === this.#opener.taken && from > put.from);
  }

  /** This transfer is of no more use. @param {Put} put */
  #leave(put) {
    this.#puts = this.#puts.filter((each) => each !== put);
    if (this.#opener.whole) for (const { id } of this.#puts.splice(0)) this.#skip.push(id);
    this.#skip.push(put.id);
    void this.#tell();
  }

  /**
   * A chunk; null if it will not come under this id any more.
   * @param {Put} put @param {number} n @param {number} first before this one is nothing new @param {AbortSignal} signal
   * @returns {Promise<Bytes | null>}
   */
  async #chunk(put, n, first, signal) {
    for (;;) {
      const began = Date.now();
      try {
        const bytes = await into.run(() => insist(this.#line, signal, (line) => this.#held(line, put, n, signal)));
        this.#heard = Date.now();
        this.#got.push(`${put.id}.${n}`); // already: a full room has a place for the next one
        void this.#tell();
        return bytes;
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        if (error.code === 'chunk_gone' && n < first) return new Uint8Array(put.piece);
        if (error.code !== 'no_chunk') return null;
        // The first one was out before we heard of the transfer: it is lost, and with it the rest.
        if (n === 0 || this.#isOld(put)) return null;
        if (!this.#here() || (Date.now() - this.#heard > ASK_AGAIN && Date.now() - this.#asked > ASK_AGAIN)) {
          this.#asked = Date.now();
          this.#want(this.#opener.taken);
        }
        if (Date.now() - began < SOON) await pause(SOON, signal);
      }
    }
  }

  /** Its sender has begun another since, and puts nothing more into this one. @param {Put} put */
  #isOld(put) {
    return this.#puts.indexOf(put) < this.#puts.length - 1;
  }

  /**
   * Asks for a chunk. While the request is held, another one must get through: some proxies let two go on at a time, and one is the room's stream.
   * @param {Line} line @param {Put} put @param {number} n @param {AbortSignal} signal
   */
  async #held(line, put, n, signal) {
    const [id, size] = [`${put.id}.${n}`, this.#size(put, n)];
    if (isTight() || this.#isOld(put)) return line.chunk(id, size, 0, signal);
    const ender = new AbortController();
    const inVain = AbortSignal.any([this.#newest.signal, ender.signal]);
    const look = setTimeout(() => void this.#probe(line, ender), SUSPECT);
    try {
      return await line.chunk(id, size, HOLD, AbortSignal.any([signal, inVain]));
    } catch (error) {
      if (inVain.aborted && !signal.aborted) return line.chunk(id, size, 0, signal);
      throw error;
    } finally {
      clearTimeout(look);
    }
  }

  /** @param {Line} line @param {AbortController} ender */
  async #probe(line, ender) {
    if (probing) return;
    probing = true;
    const late = AbortSignal.timeout(TIGHT);
    await line.tellChunks([], [], late).catch(() => undefined); // what else is wrong shows elsewhere
    probing = false;
    if (!late.aborted) return;
    tighten();
    ender.abort();
  }

  /** Tells the relay what we have, with what gathers meanwhile. @param {boolean} [all] wait until it knows */
  async #tell(all = false) {
    this.#telling ??= this.#flush().finally(() => (this.#telling = null));
    if (all) await this.#telling;
  }

  async #flush() {
    while (this.#got.length + this.#skip.length > 0) {
      const [got, skip] = [this.#got.splice(0), this.#skip.splice(0)];
      await insist(this.#line, this.#stop.signal, (line) => line.tellChunks(got, skip, this.#stop.signal)).catch((error) => {
        if (!this.#stop.signal.aborted) console.warn('snug: the relay did not take what we said of chunks', error);
      });
    }
  }
}
