// @ts-check
/**
 * Shells: posts that scripts sealed to the room's drop key. Each is shown once.
 */
import { b64u, utf8 } from '../lib/bytes.js';
import { sha256 } from './hash.js';
import { openJwe } from './jwe.js';

/** @typedef {import('./root.js').RoomKeys} RoomKeys */
/** @typedef {{kind: 'shell', text: string} | {kind: 'repeat'} | {kind: 'failed', reason: string}} ShellResult reason: a sentence */

// As many as a room holds by default, so nothing that the relay can still deliver is shown twice.
const REMEMBERED = 20_000;

export class Shells {
  #keys;
  #seen;

  /**
   * @param {RoomKeys} keys
   * @param {string[]} [seen] hashes of posts that were opened before
   */
  constructor(keys, seen = []) {
    this.#keys = keys;
    this.#seen = new Set(seen);
  }

  /**
   * Two calls must not overlap.
   * @param {string} jwe
   * @returns {Promise<ShellResult>}
   */
  async open(jwe) {
    const hash = b64u(await sha256(utf8(jwe)));
    if (this.#seen.has(hash)) return { kind: 'repeat' };
    try {
      const text = await openJwe(this.#keys.dropKey, jwe);
      this.#remember(hash);
      return { kind: 'shell', text };
    } catch (error) {
      const ours = error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError;
      return { kind: 'failed', reason: ours && error.message ? error.message : 'it was not sealed to this room, or was altered' };
    }
  }

  /** @param {string} hash */
  #remember(hash) {
    for (const oldest of this.#seen) {
      if (this.#seen.size < REMEMBERED) break;
      this.#seen.delete(oldest);
    }
    this.#seen.add(hash);
  }

  export() {
    return [...this.#seen];
  }
}
