// @ts-check
/**
 * Where a member stands, told to the browser's other tabs and written to this device: by one hand and in order, so that an older state never
 * lands on a newer one, nor on a wipe.
 */
import * as vault from './vault.js';

/** @typedef {import('./vault.js').Kept} Kept */

export class Keeper {
  #roomId;
  #make;
  #share;
  #keep;
  /** What is being written. */
  #last = /** @type {Promise<unknown>} */ (Promise.resolve());
  /** What will be written after that, for all who asked meanwhile. @type {Promise<void> | null} */ #next = null;
  #over = false;

  /**
   * @param {object} options
   * @param {string} options.roomId
   * @param {() => Promise<Kept>} options.make the state as it is now
   * @param {(state: Kept) => void} [options.share]
   * @param {boolean} options.keep on this device
   */
  constructor({ roomId, make, share, keep }) {
    this.#roomId = roomId;
    this.#make = make;
    this.#share = share;
    this.#keep = keep;
  }

  /**
   * When this resolves, everything that was so when it was called is told and on disk.
   * @returns {Promise<void>}
   */
  save() {
    if (this.#over || !(this.#keep || this.#share)) return Promise.resolve();
    if (this.#next) return this.#next;
    const next = this.#last.then(() => {
      this.#next = null;
      return this.#write();
    });
    this.#next = next;
    this.#last = next.catch(() => undefined); // whoever asked has the error
    return next;
  }

  async #write() {
    if (this.#over) return;
    const state = await this.#make();
    this.#share?.(state);
    if (this.#keep && !this.#over) await vault.keep(state);
  }

  /** The room is another one now. @param {string} roomId */
  async moveTo(roomId) {
    const old = this.#roomId;
    this.#roomId = roomId;
    await this.save();
    if (this.#keep) await vault.forget(old);
  }

  /** Resolves when nothing is written any more. @param {boolean} wipe forget the room on this device */
  async close(wipe) {
    this.#over = true;
    await this.#last;
    if (wipe && this.#keep) await vault.forget(this.#roomId);
  }
}
