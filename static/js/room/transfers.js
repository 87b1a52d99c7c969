// @ts-check
/**
 * How the bytes of one file go through the relay, out and in: each transfer is a run of chunks under one id. Neither knows messages; whoever starts
 * one is told how it goes and tells it what the other side says.
 */
import { b64u, random } from '../lib/bytes.js';
import { BlockedError, narrow, NetworkError, RelayError } from '../net/relay.js';
import { FileOpener } from '../crypto/file.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {Pick<import('./connection.js').Connection, 'pieceSize' | 'putChunk' | 'chunk' | 'tellChunks' | 'collected' | 'rejoin'>} Line */
/** @typedef {{id: string, from: number, piece: number}} Put a transfer: chunk n holds [from + n*piece, from + (n+1)*piece) of the sealed file */
/** @typedef {{write: (bytes: Bytes) => Promise<void> | void, close: () => Promise<Blob>, abort: () => Promise<void>}} Sink */

const LANES = 3; // chunks under way at once in each direction: with one stream that is a browser's six connections less one for messages
const HOLD = 10; // seconds that the relay may hold a request for a chunk that is not there yet
const SUSPECT = 1000; // ms that a request is held until we look whether another one gets through beside it
const TIGHT = 2500; // ms that this other one may take
const SOON = 300; // ms between two looks for a chunk where no request can be held
const ASK_AGAIN = 20_000; // ms without a byte until the sender is asked again
const RETRY = [500, 1000, 2000, 4000, 8000, 15_000]; // ms
const HELD = 4000; // ms of being held back after which others who wait for an earlier place come first

/** So many at a time, in order. */
class Lanes {
  #busy = 0;
  #waiting = /** @type {(() => void)[]} */ ([]);

  /** Runs work when there is a lane for it. @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  async run(work) {
    while (this.#busy >= (tight || narrow.on ? 1 : LANES)) await new Promise((go) => this.#waiting.push(() => go(undefined)));
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }
}

const out = new Lanes();
const into = new Lanes();
/** The network lets so few requests go on at a time that a held one stops everything else. */
let tight = false;

/** @param {number} ms @param {AbortSignal} signal */
const pause = (ms, signal) =>
  new Promise((resolve) => {
    const done = () => (clearTimeout(timer), signal.removeEventListener('abort', done), resolve(undefined));
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });

/**
 * Tries until it works or the relay has said no: a network that comes and goes is waited for.
 * @template T
 * @param {() => Line} line @param {AbortSignal} signal @param {(line: Line) => Promise<T>} attempt
 * @param {(now: Line, seconds: number) => Promise<unknown>} [held] waits while the relay holds us back
 * @returns {Promise<T>}
 */
async function insist(line, signal, attempt, held) {
  for (let fails = 0; ; ) {
    signal.throwIfAborted();
    const now = line();
    try {
      return await attempt(now);
    } catch (error) {
      signal.throwIfAborted();
      if (line() !== now) continue; // the room has moved
      if (error instanceof RelayError && error.rejoin) {
        await now.rejoin();
        continue;
      }
      if (isFinal(error)) throw error;
      const wanted = error instanceof RelayError || error instanceof BlockedError ? error.retryAfter * 1000 : 0;
      if (held && error instanceof RelayError && error.code === 'chunks_full') {
        await Promise.race([pause(wanted, signal), held(now, error.retryAfter)]);
        continue;
      }
      fails++;
      await pause(Math.max(wanted, RETRY[Math.min(fails - 1, RETRY.length - 1)]), signal);
    }
  }
}

/** @param {unknown} error */
function isFinal(error) {
  if (error instanceof RelayError) return error.http < 500 && error.http !== 429 && error.http !== 408;
  return !(error instanceof BlockedError || error instanceof NetworkError);
}

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
      if (Date.now() - heldSince < HELD || !this.#yields()) return tight || narrow.on ? new Promise(() => undefined) : line.collected(put.id, Math.ceil(seconds), signal).catch(() => pause(seconds * 1000, signal));
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

/** A sealed file on its way in. It follows whatever transfers its sender starts and asks for another when they have ended before the file has. */
export class Download {
  #stop = new AbortController();
  #line;
  #want;
  #told;
  #sink;
  #opener;
  #puts = /** @type {Put[]} */ ([]);
  #wake = () => {};
  #lost = new AbortController();
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
   * @param {(at: number, sealed: number) => void} options.told
   */
  constructor({ line, file, sink, want, told }) {
    this.#line = line;
    this.#sink = sink;
    this.#want = want;
    this.#told = told;
    this.#opener = new FileOpener(file);
  }

  /** The transfers it follows now. */
  get puts() {
    return this.#puts.map(({ id }) => id);
  }

  /** The sender has begun a transfer. @param {Put} put */
  begins(put) {
    this.#puts.push(put);
    if (this.#opener.whole) this.#leave(put); // for others, while we put the last of it away; unanswered it would hold them up
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
    if (now - this.#asked >= ASK_AGAIN) {
      this.#asked = now;
      this.#want(this.#opener.taken);
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
        const begin = put.from + n * put.piece;
        if (bytes.length !== Math.min(put.piece, sealed - begin)) return this.#leave(put); // not what was announced
        await this.#take(bytes.subarray(Math.max(0, this.#opener.taken - begin)));
        if (this.#newer(put)) return this.#leave(put);
      }
      this.#leave(put);
    } catch (error) {
      if (this.#stop.signal.aborted || !lost.aborted) throw error;
    } finally {
      ender.abort();
    }
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
        const bytes = await into.run(() => insist(this.#line, signal, (line) => this.#held(line, `${put.id}.${n}`, signal)));
        this.#heard = Date.now();
        this.#got.push(`${put.id}.${n}`); // already: a full room has a place for the next one
        void this.#tell();
        return bytes;
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        if (error.code === 'chunk_gone' && n < first) return new Uint8Array(put.piece);
        if (error.code !== 'no_chunk') return null;
        // The first one was out before we heard of the transfer: it is lost, and with it the rest.
        if (n === 0 || this.#puts.indexOf(put) < this.#puts.length - 1) return null;
        if (Date.now() - this.#heard > ASK_AGAIN && Date.now() - this.#asked > ASK_AGAIN) {
          this.#asked = Date.now();
          this.#want(this.#opener.taken);
        }
        if (Date.now() - began < SOON) await pause(SOON, signal);
      }
    }
  }

  /**
   * Asks for a chunk. While the request is held, another one must get through: some proxies let two go on at a time, and one is the room's stream.
   * @param {Line} line @param {string} id @param {AbortSignal} signal
   */
  async #held(line, id, signal) {
    if (tight || narrow.on) return line.chunk(id, 0, signal);
    const ender = new AbortController();
    const look = setTimeout(() => void this.#probe(line, ender), SUSPECT);
    try {
      return await line.chunk(id, HOLD, AbortSignal.any([signal, ender.signal]));
    } catch (error) {
      if (ender.signal.aborted && !signal.aborted) return line.chunk(id, 0, signal);
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
    tight = true;
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
let probing = false;
