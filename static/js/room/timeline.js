// @ts-check
/**
 * The timeline of a room: what happened, in the order in which it was learnt. It holds what the page shows and nothing that opens
 * anything; it lives as long as the page.
 */

/** @typedef {'joined' | 'left' | 'removed' | 'changed' | 'renamed' | 'moved' | 'back'} Happening */

/**
 * @typedef {object} Item
 * @property {string} key stays the same while the item changes
 * @property {'text' | 'shell' | 'system' | 'failed' | 'gap'} kind
 * @property {number} at ms since 1970
 * @property {string} [from] member id
 * @property {string} [alias] as it was at the time
 * @property {boolean} [own]
 * @property {string} [body]
 * @property {import('./outbox.js').State} [state] of an own message
 * @property {string} [reason] for people
 * @property {Happening} [event]
 * @property {number} [count] of a gap; -1 if nobody knows
 * @property {number} [seq] of an own message: its place, once the relay has it
 */

// A page that is open for weeks must not grow for ever. What falls out is the oldest.
const MOST = 20_000;

export class Timeline {
  items = /** @type {Item[]} */ ([]);
  #next = 0;
  #told;

  /** @param {(name: 'item' | 'update', item: Item) => void} told */
  constructor(told) {
    this.#told = told;
  }

  /**
   * @param {Omit<Item, 'key' | 'at'> & {at?: number}} item
   * @returns {Item}
   */
  add(item) {
    const made = { at: Date.now(), ...item, key: `i${this.#next++}` };
    this.items.push(made);
    if (this.items.length > MOST) this.items.shift();
    this.#told('item', made);
    return made;
  }

  /** @param {Item} item @param {Partial<Item>} change */
  update(item, change) {
    Object.assign(item, change);
    this.#told('update', item);
  }
}
