// @ts-check
// How large a body the network lets through, found by trying: proxies refuse bodies over 64 to 256 KiB, some far less.

import { BlockedError, NetworkError, RelayError } from './errors.js';

const LARGEST = 256 << 10;
const SMALLEST = 4 << 10;

/** The largest piece worth trying. Starts at 256 KiB, quarters when one is refused, stops at 4 KiB. */
export class PieceSize {
  #limit = LARGEST;
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
    return true;
  }
}

/** @param {unknown} error */
const is413 = (error) => (error instanceof BlockedError && error.status === 413) || (error instanceof RelayError && error.code === 'too_large');

/** A 403 and a time-out are what scanners say to a body they do not like. @param {unknown} error */
const tooBig = (error) => is413(error) || (error instanceof BlockedError && error.status === 403) || (error instanceof NetworkError && error.timeout);
