// @ts-check
/**
 * State: what a Group is made of, and the order in which its calls take effect. Only the group's own modules see it.
 */
import { b64u, equal } from '../lib/bytes.js';
import { isAlias, parseCard, signCard } from './card.js';
import { CARD, FrameSealer, openFrame } from './frame.js';
import { Roster } from './roster.js';
import { Sender } from './sender.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./card.js').Card} Card */
/** @typedef {import('./identity.js').Identity} Identity */
/** @typedef {import('./root.js').RoomKeys} RoomKeys */
/** @typedef {import('./roster.js').Member} Member */
/** @typedef {{id: string, raw: Bytes}} Self */

/**
 * What people see of a member. For a changed one, newAlias and newFingerprint are what it claims to be now.
 * @typedef {object} MemberView
 * @property {string} id
 * @property {string} alias
 * @property {string} fingerprint
 * @property {'self' | 'here' | 'changed' | 'left'} status
 * @property {string} [newAlias]
 * @property {string} [newFingerprint]
 */

/** @typedef {{status: 'new' | 'same' | 'updated' | 'changed' | 'bad', member?: MemberView, reason?: string}} Learning */

/**
 * @typedef {object} Options
 * @property {RoomKeys} keys
 * @property {Self} member
 * @property {Identity} identity
 * @property {string} words fingerprint of the identity
 * @property {string} alias
 * @property {() => number} [clock] ms since 1970
 * @property {Roster} [roster]
 * @property {number} [last] number of the last chain sent on before
 */

export class State {
  /** @type {Promise<Bytes> | null} */
  #card = null;
  /** @type {Promise<unknown>} the call before */
  #turn = Promise.resolve();
  closed = false;

  /** @param {Options} options */
  constructor({ keys, member, identity, words, alias, clock = Date.now, roster = new Roster(), last }) {
    this.keys = keys;
    this.self = member;
    this.identity = identity;
    this.words = words;
    this.alias = checkedAlias(alias);
    this.clock = clock;
    this.roster = roster;
    this.place = Object.freeze({ room: keys.room, from: member.raw });
    this.frames = new FrameSealer(keys);
    this.sender = new Sender(identity, this.place, last);
  }

  /**
   * Does work after all that was asked for before.
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  inTurn(work) {
    const turn = this.#turn.then(() => {
      if (this.closed) throw new Error('This room is closed.');
      return work();
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** One's own card as a frame; the same one until it is replaced. */
  card() {
    return (this.#card ??= this.#makeCard());
  }

  async #makeCard() {
    const { room, from: member } = this.place;
    const inner = await signCard(this.identity, { room, member, alias: this.alias, created: this.clock() });
    return this.frames.seal(CARD, inner);
  }

  /** A card with a new HPKE key, and another name if one is given. @param {string} [alias] */
  async replaceCard(alias = this.alias) {
    this.alias = checkedAlias(alias);
    await this.identity.rotate(this.clock());
    this.#card = null;
    return this.card();
  }

  /**
   * The card in a frame, if it is this member's; otherwise a sentence that says what is wrong with it.
   * @param {string} id
   * @param {Uint8Array} bytes
   * @returns {Promise<Card | string>}
   */
  async readCard(id, bytes) {
    try {
      const { type, inner } = await openFrame(this.keys, bytes);
      if (type !== CARD) return 'this frame is no card';
      const card = await parseCard(inner, this.keys.room);
      if (b64u(card.member) !== id) return 'this card is of another member';
      return equal(card.member, this.self.raw) ? 'this card is of oneself' : card;
    } catch (error) {
      return sentence(error);
    }
  }

  /**
   * Learns a card that was read. Call it in turn.
   * @param {Card | string} card
   * @returns {Promise<Learning>}
   */
  async takeCard(card) {
    if (typeof card === 'string') return { status: 'bad', reason: card };
    try {
      const trusted = this.roster.isTrusted(b64u(card.member));
      const { status, member } = await this.roster.learn(card);
      // A changed member may hold the chain; it was sealed to somebody else.
      if (status === 'changed' && trusted) this.sender.end();
      return { status, member: view(member) };
    } catch (error) {
      return { status: 'bad', reason: sentence(error) };
    }
  }

  /** @returns {MemberView[]} everybody known, oneself first */
  members() {
    const self = { id: this.self.id, alias: this.alias, fingerprint: this.words, status: /** @type {const} */ ('self') };
    return [self, ...this.roster.all().map(view)];
  }

  /** Erases keys whose time is over. */
  sweep() {
    const now = this.clock();
    this.identity.sweep(now);
    for (const { chains } of this.roster.all()) chains.sweep(now);
  }
}

/** @param {string} alias */
function checkedAlias(alias) {
  if (!isAlias(alias)) throw new TypeError('A name has 1 to 64 bytes and no control characters.');
  return alias;
}

/** WebCrypto's own errors say nothing, on purpose. @param {unknown} error */
function sentence(error) {
  const ours = error instanceof RangeError || error instanceof TypeError;
  return ours && error.message ? error.message : 'this card was altered on its way, or is of another room';
}

/** @param {Member} member @returns {MemberView} */
function view({ id, card, fingerprint, pending, pendingFingerprint, present }) {
  const known = { id, alias: card.alias, fingerprint };
  if (!pending || !present) return { ...known, status: present ? 'here' : 'left' };
  return { ...known, status: 'changed', newAlias: pending.alias, newFingerprint: pendingFingerprint };
}
