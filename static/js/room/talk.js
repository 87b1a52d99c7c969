// @ts-check
/**
 * What members do to what was said: edits, deletes, reactions, the room's timer, typing. Fetched with the first of them, so that a room
 * of plain text never asks for it.
 */
import { secondsOf } from './session.js';

/** @typedef {import('./session.js').Item} Item */
/** @typedef {import('./session.js').Timeline} Timeline */
/** @typedef {{key: string, from: string, alias: string, at: number, place?: string}} Head of a message: who says it, when, and where in the log */
/** @typedef {{k: string} & Record<string, any>} Content */

const TYPES = 8000; // ms that somebody types after saying so
const LATE = 60_000; // ms: who typed longer ago than this has stopped; clocks may differ by as much
const WAITING = 500; // originals that are waited for; the oldest fall out
const EACH = 64; // changes that wait for one original
const EMOJI = 24; // different ones at one message
const OF_ONE = 6; // different ones at one message by a member who adds another, so that nobody alone fills it

/** One emoji, whatever it is made of; no letters, spaces or turns of direction. @param {unknown} text */
export const isEmoji = (text) =>
  typeof text === 'string' && text.length <= 32 && /\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u.test(text) &&
  !/[\p{L}\p{Z}\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u.test(text);

export class Talk {
  /** Who types: member id to the end of it. @type {Map<string, number>} */
  #typing = new Map();
  /** Changes whose original is not here, or not yet. @type {Map<string, {head: Head, content: Content}[]>} */
  #waiting = new Map();
  #timeline;
  #typed;
  #timed;

  /**
   * @param {object} room
   * @param {Timeline} room.timeline
   * @param {() => void} room.typed somebody began or stopped
   * @param {(ttl: number, head: Head) => void} room.timed somebody set the room's timer
   */
  constructor({ timeline, typed, timed }) {
    this.#timeline = timeline;
    this.#typed = typed;
    this.#timed = timed;
  }

  /** Member ids, those who began first in front. */
  get typing() {
    const now = Date.now();
    return [...this.#typing].filter(([, until]) => until > now).map(([id]) => id);
  }

  /**
   * Takes in a change. One that its sender may not make, or that makes no sense, changes nothing.
   * @param {Head} head
   * @param {Content} content
   */
  hear(head, content) {
    if (content.k === 'typing') return this.#types(head, content.on === true);
    if (content.k === 'timer') {
      const ttl = secondsOf(content.ttl);
      return ttl === null ? undefined : this.#timed(ttl, head);
    }
    const { of } = content;
    if (typeof of !== 'string' || of.length > 64) return;
    if (content.k !== 'react' && !of.startsWith(`${head.from} `)) return; // only its author
    const item = this.#timeline.find(of);
    if (item) this.#apply(item, head, content);
    else this.#wait(of, { head, content });
  }

  /** Whether a member can put this emoji under an item. @param {string} key @param {string} from @param {string} emoji */
  takes(key, from, emoji) {
    return takes(this.#timeline.find(key)?.reactions ?? [], from, emoji);
  }

  /** An item came: what waited for it is done to it before anybody sees it. @param {Item} item */
  settle(item) {
    if (item.from) this.#types(/** @type {Head} */ (item), false);
    const waiting = this.#waiting.get(item.key) ?? [];
    this.#waiting.delete(item.key);
    for (const { head, content } of waiting) Object.assign(item, change(item, head, content));
  }

  /** @param {Item} item @param {Head} head @param {Content} content */
  #apply(item, head, content) {
    const done = change(item, head, content);
    if (done) this.#timeline.update(item.key, done);
  }

  /** @param {string} of @param {{head: Head, content: Content}} what */
  #wait(of, what) {
    const list = this.#waiting.get(of) ?? [];
    if (list.length === EACH) list.shift();
    list.push(what);
    this.#waiting.set(of, list);
    if (this.#waiting.size > WAITING) this.#waiting.delete([...this.#waiting.keys()][0]);
  }

  /** @param {Pick<Head, 'from' | 'at'>} head @param {boolean} on */
  #types({ from, at }, on) {
    const did = this.#typing.delete(from);
    if (!on && !did) return;
    if (on && Date.now() - at < LATE) {
      this.#typing.set(from, Date.now() + TYPES);
      setTimeout(() => this.#typed(), TYPES + 50);
    }
    this.#typed();
  }
}

/** Another emoji needs a place; one that is there takes everybody. @param {import('./session.js').Reaction[]} reactions @param {string} from @param {unknown} emoji */
function takes(reactions, from, emoji) {
  const of = reactions.filter(({ by }) => by.some(({ id }) => id === from));
  return reactions.some((each) => each.emoji === emoji) || (reactions.length < EMOJI && of.length < OF_ONE);
}

/**
 * What a change makes of an item; null if nothing.
 * @param {Item} item
 * @param {Head} head
 * @param {Content} content
 * @returns {Partial<Item> | null}
 */
function change(item, { from, alias }, { k, body, emoji, on }) {
  if (item.gone || !(item.kind === 'text' || item.kind === 'file')) return null;
  if (k === 'edit') return typeof body === 'string' && body !== item.body ? { body, edited: true } : null;
  if (k === 'delete') return { gone: true, body: '', reactions: undefined, re: undefined, file: undefined };
  if (k !== 'react' || !isEmoji(emoji)) return null;
  const before = item.reactions ?? [];
  const had = before.find((each) => each.emoji === emoji);
  if (had?.by.some(({ id }) => id === from) === (on === true)) return null;
  if (!had) return on === true && takes(before, from, emoji) ? { reactions: [...before, { emoji, by: [{ id: from, alias }] }] } : null;
  const by = on === true ? [...had.by, { id: from, alias }] : had.by.filter(({ id }) => id !== from);
  return { reactions: before.map((each) => (each === had ? { emoji, by } : each)).filter((each) => each.by.length > 0) };
}

const LONGEST_WAIT = 2 ** 31 - 1; // ms that setTimeout can wait

/** Makes items vanish when their time is over, also when the page slept over it. */
export class Fuse {
  #items;
  #burn;
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);

  /**
   * @param {() => Item[]} items
   * @param {(keys: string[]) => void} burn
   * @param {AbortSignal} signal
   */
  constructor(items, burn, signal) {
    this.#items = items;
    this.#burn = burn;
    signal.addEventListener('abort', () => clearTimeout(this.#timer));
    globalThis.document?.addEventListener('visibilitychange', () => this.look(), { signal });
  }

  /** An item has an end now, or one may have come. */
  look() {
    clearTimeout(this.#timer);
    const now = Date.now();
    const ends = this.#items().filter(({ until }) => until);
    const over = ends.filter(({ until }) => Number(until) <= now).map(({ key }) => key);
    const next = Math.min(...ends.map(({ until }) => Number(until)).filter((until) => until > now));
    if (over.length > 0) this.#burn(over);
    if (next < Infinity) this.#timer = setTimeout(() => this.look(), Math.min(next - now, LONGEST_WAIT));
  }
}
