// @ts-check
/**
 * Roster: whom a member knows in a room, and which identity key it trusts for each. Trust is on first sight and never moves by
 * itself: another identity key under a known id makes that member *changed* until a person accepts it.
 */
import { b64u, equal } from '../lib/bytes.js';
import { agree, dhPair, verifyKey } from './curve.js';
import { fingerprint } from './card.js';
import { ReceivingChains } from './chain.js';
import { recipient } from './hpke.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./card.js').Card} Card */
/** @typedef {import('./hpke.js').Recipient} Recipient */

/** @typedef {Omit<Card, 'verifyKey'>} CardState */
/** @typedef {{card: CardState, pending: CardState | null, present: boolean, chains: import('./chain.js').HeldState[]}} MemberState */

/**
 * @typedef {object} Member
 * @property {string} id
 * @property {Bytes} raw the id, 16 bytes
 * @property {Card} card the newest one under the trusted identity key
 * @property {Recipient} to the card's x25519, imported
 * @property {string} fingerprint
 * @property {Card | null} pending a card under another identity key, awaiting a person's word
 * @property {string} pendingFingerprint of that key
 * @property {boolean} present
 * @property {ReceivingChains} chains
 */

/** @typedef {'new' | 'same' | 'updated' | 'changed'} Learned */

// Far above what a relay admits; a member that invents members pushes out those who left, not memory.
const MAX_KNOWN = 2048;

export class Roster {
  /** @type {Map<string, Member>} */
  #members = new Map();

  /** @param {string} id */
  get(id) {
    return this.#members.get(id) ?? null;
  }

  /** @param {string} id */
  known(id) {
    const member = this.get(id);
    if (!member) throw new TypeError('There is no such member in this room.');
    return member;
  }

  all() {
    return [...this.#members.values()];
  }

  /** @param {string} id */
  isTrusted(id) {
    const member = this.get(id);
    return member !== null && member.present && !member.pending;
  }

  /** Members who may read what is sent now: in the room, and not changed. */
  trusted() {
    return this.all().filter(({ id }) => this.isTrusted(id));
  }

  /**
   * Takes in a card whose signature holds.
   * @param {Card} card
   * @returns {Promise<{status: Learned, member: Member}>}
   */
  async learn(card) {
    const to = await usable(card.x25519);
    const known = this.get(b64u(card.member));
    if (!known) return { status: 'new', member: await this.#add(card, to) };
    comeBack(known);
    if (!equal(known.card.ed25519, card.ed25519)) {
      await change(known, card);
      return { status: 'changed', member: known };
    }
    // The trusted identity itself spoke: whatever else claimed the id is forgotten.
    known.pending = null;
    if (!isNewer(card, known.card)) return { status: 'same', member: known };
    Object.assign(known, { card, to });
    return { status: 'updated', member: known };
  }

  /** @param {Card} card @param {Recipient} to */
  async #add(card, to) {
    const id = b64u(card.member);
    const member = { id, raw: card.member, card, to, fingerprint: await fingerprint(card.ed25519), pending: null };
    const added = { ...member, pendingFingerprint: '', present: true, chains: new ReceivingChains() };
    this.#prune();
    this.#members.set(id, added);
    return added;
  }

  #prune() {
    if (this.#members.size < MAX_KNOWN) return;
    const gone = this.all().find(({ present }) => !present);
    if (!gone) throw new RangeError('This room has more members than it can have.');
    this.forget(gone.id);
  }

  /**
   * Marks a member as in the room again, under the card that is held.
   * @param {string} id
   */
  returned(id) {
    const member = this.get(id);
    if (member) comeBack(member);
    return member !== null;
  }

  /**
   * @param {string} id
   * @param {number} now
   * @returns {boolean} whether it had been in the room
   */
  left(id, now) {
    const member = this.get(id);
    if (!member?.present) return false;
    member.present = false;
    member.chains.end(now);
    return true;
  }

  /**
   * A person vouches for a changed member: its new identity is trusted, and nothing of the old one is kept.
   * @param {string} id
   */
  async accept(id) {
    const member = this.get(id);
    if (!member?.pending) return false;
    const card = member.pending;
    const to = await recipient(card.x25519);
    member.chains.erase();
    const fresh = { fingerprint: member.pendingFingerprint, pending: null, pendingFingerprint: '', chains: new ReceivingChains() };
    Object.assign(member, { card, to, ...fresh });
    return true;
  }

  /** @param {string} id */
  forget(id) {
    this.get(id)?.chains.erase();
    this.#members.delete(id);
  }

  erase() {
    for (const id of [...this.#members.keys()]) this.forget(id);
  }

  /**
   * The identities trusted here, for another room with the same members. Nobody is in that room yet, and no chain goes along.
   * @param {(member: Member) => boolean} wanted
   */
  pins(wanted) {
    const roster = new Roster();
    for (const member of this.all().filter(wanted)) {
      roster.#members.set(member.id, { ...member, present: false, chains: new ReceivingChains() });
    }
    return roster;
  }

  /** @returns {MemberState[]} */
  export() {
    return this.all().map(({ card, pending, present, chains }) => {
      return { card: cardState(card), pending: pending && cardState(pending), present, chains: chains.export() };
    });
  }

  /** @param {MemberState[]} states */
  static async import(states) {
    const roster = new Roster();
    for (const { card, pending, present, chains } of states) {
      const full = { ...card, verifyKey: await verifyKey(card.ed25519) };
      const member = await roster.#add(full, await recipient(card.x25519));
      if (pending) await change(member, { ...pending, verifyKey: await verifyKey(pending.ed25519) });
      member.present = present;
      member.chains = ReceivingChains.import(chains);
    }
    return roster;
  }
}

/** Whom to seal to. @param {Member} member */
export const addressee = ({ raw, card: { rotation }, to }) => ({ raw, rotation, to });

/** @param {Card} card @returns {CardState} */
const cardState = ({ verifyKey: _, ...rest }) => rest;

/** @param {Card} a @param {Card} b */
const isNewer = (a, b) => a.rotation > b.rotation || (a.rotation === b.rotation && a.created > b.created);

/** @param {Member} member */
function comeBack(member) {
  if (!member.present) member.chains.goOn();
  member.present = true;
}

/** @param {Member} member @param {Card} card */
async function change(member, card) {
  const { pending } = member;
  if (pending && equal(pending.ed25519, card.ed25519) && !isNewer(card, pending)) return;
  Object.assign(member, { pending: card, pendingFingerprint: await fingerprint(card.ed25519) });
}

/** @type {Promise<CryptoKey> | undefined} */
let probe;

/**
 * A card's HPKE key, refused if nothing can be sealed to it: one such card must not keep a sender from sealing to everybody else.
 * @param {Bytes} x25519
 */
async function usable(x25519) {
  probe ??= dhPair().then(({ key }) => key);
  const to = await recipient(x25519);
  (await agree(await probe, to.key)).fill(0);
  return to;
}
