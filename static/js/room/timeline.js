// @ts-check
/**
 * The timeline of a room: what happened, in the order in which it was learnt. It holds what the page shows and nothing that opens
 * anything; it lives as long as the page.
 */
import { b64u, random } from '../lib/bytes.js';

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
  items;
  #told;

  /**
   * @param {(name: 'item' | 'update', item: Item) => void} told
   * @param {Item[]} [items] that another tab had
   */
  constructor(told, items = []) {
    this.#told = told;
    this.items = items;
  }

  /**
   * Adds an item, once: what is read again after a change of tabs has the key that it had.
   * @param {Omit<Item, 'key' | 'at'> & {at?: number, key?: string}} item
   * @returns {Item}
   */
  add(item) {
    const had = item.key && this.find(item.key);
    if (had) return had;
    const made = { at: Date.now(), key: b64u(random(9)), ...item };
    this.items.push(made);
    if (this.items.length > MOST) this.items.shift();
    this.#told('item', made);
    return made;
  }

  /** Changes an item; nothing if it has fallen out. @param {string} key @param {Partial<Item>} change */
  update(key, change) {
    const item = this.find(key);
    if (item) this.#told('update', Object.assign(item, change));
  }

  /** @param {string} key */
  find(key) {
    return this.items.findLast((item) => item.key === key);
  }
}
