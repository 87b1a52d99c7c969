// @ts-check
/**
 * The chains of one sender as a receiver holds them. The key of a message that was read cannot be computed from anything that is
 * still held. Chain keys are arrays so that they can be overwritten; a message key lives inside WebCrypto, or as an array while it
 * waits for a message that was overtaken. One's own chain is in sender.js.
 */
import { aesFrom, aesKey, hkdfKey, X } from './hash.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */

const HOUR = 60 * 60 * 1000;
const MAX_SKIPPED = 2000;
// A sender starts a chain per leave, so more than one can be superseded within the hour; no honest one needs more than a few.
const MAX_CHAINS = 8;
// Chains remembered without any key, to tell a repeat from a message whose key is erased.
const MAX_RECORDS = 256;

/** @typedef {{n: number, key: Bytes, until: number}} Skipped */

/**
 * One chain of a sender as a receiver holds it. first and next bound the messages it was good for; of those, the ones still
 * awaited are in skipped, or in lost once their key was erased unread. ck is null when the chain is past its hour.
 * @typedef {object} Held
 * @property {number} e
 * @property {number} first
 * @property {number} next
 * @property {Bytes | null} ck
 * @property {number} until when ck is erased, ms since 1970; Infinity for the current chain
 * @property {Map<number, Skipped>} skipped
 * @property {Set<number>} lost
 */

/** @typedef {'repeat' | 'before-you' | 'expired' | 'damaged'} Refusal */
/** @typedef {{e: number, first: number, next: number, ck: Bytes | null, until: number, skipped: Skipped[], lost: number[]}} HeldState */

/**
 * The key of one message, not yet taken: commit when the message proved genuine, discard otherwise.
 * @typedef {{key: CryptoKey, commit: () => void, discard: () => void}} Claim
 */

/** All chains of one sender. The caller sees to it that calls do not overlap. */
export class ReceivingChains {
  /** @type {Held[]} newest last */
  #held = [];

  get newest() {
    return this.#held.length ? this.#held[this.#held.length - 1].e : -1;
  }

  /**
   * Starts the sender's next chain. Owns ck from here on.
   * @param {number} e
   * @param {number} n
   * @param {Bytes} ck
   * @param {number} now
   * @returns {boolean} false if the sender was there already: chains are never turned back
   */
  start(e, n, ck, now) {
    this.sweep(now);
    if (e === this.newest && this.#resume(n, ck)) return true;
    if (e <= this.newest) {
      ck.fill(0);
      return false;
    }
    for (const chain of this.#held) chain.until = Math.min(chain.until, now + HOUR);
    this.#held.push({ e, first: n, next: n, ck, until: Infinity, skipped: new Map(), lost: new Set() });
    for (const chain of this.#held.slice(0, -MAX_CHAINS)) retire(chain);
    this.#held = this.#held.slice(-MAX_RECORDS);
    return true;
  }

  /**
   * Takes up the newest chain again after its key was erased (its sender had left, and is back): forward only.
   * @param {number} n
   * @param {Bytes} ck
   */
  #resume(n, ck) {
    const chain = this.#held[this.#held.length - 1];
    if (chain.ck || n < chain.next || n - chain.next > MAX_SKIPPED) return false;
    for (let missed = chain.next; missed < n; missed++) addLost(chain, missed);
    [chain.ck, chain.next, chain.until] = [ck, n, Infinity];
    return true;
  }

  /**
   * Whether chain e, or a later one, is still to come, so that it helps to ask the sender for its keys.
   * @param {number} e
   */
  lacks(e) {
    return e > this.newest || (e === this.newest && this.#held[this.#held.length - 1].ck === null);
  }

  /**
   * Whether (e, n) is the very next message of a chain, so that its key is had without walking over others.
   * @param {number} e
   * @param {number} n
   */
  expects(e, n) {
    return this.#held.some((chain) => chain.e === e && chain.next === n);
  }

  /**
   * The key of message (e, n), or why there is none.
   * @param {number} e
   * @param {number} n
   * @param {number} now
   * @returns {Promise<Claim | Refusal>}
   */
  async claim(e, n, now) {
    this.sweep(now);
    const chain = this.#held.find((held) => held.e === e);
    if (!chain) return e < (this.#held[0]?.e ?? 0) && this.#held.length === MAX_RECORDS ? 'expired' : 'before-you';
    if (n < chain.first) return 'before-you';
    if (n < chain.next) return claimSkipped(chain, n);
    if (!chain.ck) return 'expired';
    if (n - chain.next > MAX_SKIPPED) return 'damaged';
    return this.#claimAhead(chain, chain.ck, n, now);
  }

  /**
   * @param {Held} chain
   * @param {Bytes} ck
   * @param {number} n
   * @param {number} now
   * @returns {Promise<Claim>}
   */
  async #claimAhead(chain, ck, n, now) {
    const { keys, from, interim } = await skip(ck, n - chain.next);
    const [key, next] = await Promise.all([aesFrom(from, 'message'), X(from, 'chain')]);
    if (interim) interim.fill(0);
    const discard = () => [...keys, next].forEach((secret) => secret.fill(0));
    const commit = () => {
      ck.fill(0);
      keys.forEach((secret, i) => chain.skipped.set(chain.next + i, { n: chain.next + i, key: secret, until: now + HOUR }));
      [chain.ck, chain.next] = [next, n + 1];
      if (keys.length > 0) this.#bound();
    };
    return { key, commit, discard };
  }

  /** Keeps the skipped keys of a sender within their number: the oldest go first. */
  #bound() {
    let over = this.#held.reduce((sum, { skipped }) => sum + skipped.size, -MAX_SKIPPED);
    for (const chain of this.#held) {
      for (const skipped of chain.skipped.values()) if (over-- > 0) lose(chain, skipped);
    }
  }

  /**
   * Erases what is past its hour.
   * @param {number} now
   */
  sweep(now) {
    for (const chain of this.#held) {
      for (const skipped of chain.skipped.values()) if (skipped.until <= now) lose(chain, skipped);
      if (chain.until <= now) retire(chain);
    }
  }

  /**
   * The sender left: what is held serves messages still under way, for an hour.
   * @param {number} now
   */
  end(now) {
    for (const chain of this.#held) chain.until = Math.min(chain.until, now + HOUR);
  }

  /** The sender is back: its newest chain goes on, if it is still held. */
  goOn() {
    const newest = this.#held[this.#held.length - 1];
    if (newest?.ck) newest.until = Infinity;
  }

  /** @returns {HeldState[]} */
  export() {
    return this.#held.map((held) => ({
      ...held,
      ck: held.ck && held.ck.slice(),
      skipped: [...held.skipped.values()].map((skipped) => ({ ...skipped, key: skipped.key.slice() })),
      lost: [...held.lost],
    }));
  }

  /** @param {HeldState[]} state */
  static import(state) {
    const chains = new ReceivingChains();
    chains.#held = state.map((held) => ({
      ...held,
      ck: held.ck && new Uint8Array(held.ck),
      skipped: new Map(held.skipped.map((skipped) => [skipped.n, { ...skipped, key: new Uint8Array(skipped.key) }])),
      lost: new Set(held.lost),
    }));
    return chains;
  }

  erase() {
    this.#held.forEach(retire);
  }
}

/**
 * Walks a chain over messages that have not come, keeping their keys.
 * @param {Bytes} ck
 * @param {number} count
 */
async function skip(ck, count) {
  /** @type {Bytes[]} */
  const keys = [];
  /** @type {Bytes | null} */
  let interim = null;
  let from = await hkdfKey(ck);
  for (let i = 0; i < count; i++) {
    const [key, next] = await Promise.all([X(from, 'message'), X(from, 'chain')]);
    keys.push(key);
    interim?.fill(0);
    interim = next;
    from = await hkdfKey(next);
  }
  return { keys, from, interim };
}

/**
 * @param {Held} chain
 * @param {number} n
 * @returns {Promise<Claim | Refusal>}
 */
async function claimSkipped(chain, n) {
  const skipped = chain.skipped.get(n);
  if (!skipped) return chain.lost.has(n) ? 'expired' : 'repeat';
  const commit = () => {
    skipped.key.fill(0);
    chain.skipped.delete(n);
  };
  return { key: await aesKey(skipped.key), commit, discard: () => undefined };
}

/** @param {Held} chain @param {Skipped} skipped */
function lose(chain, skipped) {
  skipped.key.fill(0);
  chain.skipped.delete(skipped.n);
  addLost(chain, skipped.n);
}

/**
 * Remembers a message that can no longer be read. Only a misbehaving sender gets past the limit.
 * @param {Held} chain
 * @param {number} n
 */
function addLost({ lost }, n) {
  if (lost.size >= MAX_SKIPPED) lost.delete(/** @type {number} */ (lost.values().next().value));
  lost.add(n);
}

/** @param {Held} chain */
function retire(chain) {
  for (const skipped of chain.skipped.values()) lose(chain, skipped);
  chain.ck?.fill(0);
  chain.ck = null;
}
