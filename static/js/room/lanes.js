// @ts-check
/**
 * What both directions of a file's way through the relay have in common: how many requests go at once, and how long each is tried. Neither direction
 * knows messages; whoever starts one is told how it goes and tells it what the other side says.
 */
import { BlockedError, narrow, NetworkError, RelayError } from '../net/relay.js';

/** @typedef {Pick<import('./connection.js').Connection, 'pieceSize' | 'putChunk' | 'chunk' | 'tellChunks' | 'skipFiles' | 'collected' | 'rejoin'>} Line */
/** @typedef {{id: string, from: number, piece: number}} Put a transfer: a run of chunks under one id; chunk n holds [from + n*piece, from + (n+1)*piece) of the sealed file */

export const LANES = 3; // chunks under way at once in each direction: with one stream that is a browser's six connections less one for messages
const RETRY = [500, 1000, 2000, 4000, 8000, 15_000]; // ms

/** The network was found to let so few requests go on at a time that a held one stops everything else. */
let tight = false;
export const isTight = () => tight || narrow.on;
export const tighten = () => void (tight = true);

/** So many at a time, in order. */
export class Lanes {
  #busy = 0;
  #waiting = /** @type {(() => void)[]} */ ([]);

  /** Runs work when there is a lane for it. @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  async run(work) {
    while (this.#busy >= (isTight() ? 1 : LANES)) await new Promise((go) => this.#waiting.push(() => go(undefined)));
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }
}

/** @param {number} ms @param {AbortSignal} signal */
export const pause = (ms, signal) =>
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
export async function insist(line, signal, attempt, held) {
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
