// @ts-check
/**
 * One member's stay in one room: the model that the page shows. It joins, keeps the list of members and the timeline, sends and
 * receives. The page listens and calls; it holds no truth of its own.
 *
 * Events: members, status, knocks; item and update (detail: the item); moved (detail: {link}); removed (detail: {by}); closed (detail: {reason}).
 */
import { b64u, random } from '../lib/bytes.js';
import { linkFragment, newMemberSecret, roomKeys } from '../crypto/root.js';
import { Group } from '../crypto/group.js';
import { seqOf } from './connection.js';
import { Keeper } from './keeper.js';
import { Stay } from './stay.js';
import { Timeline } from './timeline.js';
import * as vault from './vault.js';

/** @typedef {import('./timeline.js').Item} Item */

/**
 * @typedef {object} Options
 * @property {Uint8Array} root
 * @property {string} alias
 * @property {'link' | 'passphrase'} [kind]
 * @property {string | null} [name] of a passphrase room; it stays here
 * @property {boolean} [keep] keep the room on this device
 * @property {string} [origin] of the relay
 * @property {string} [site] the relay's address in links, where it is not the page's
 * @property {(state: Kept) => void} [share] tells other tabs where we stand; called before anything is acked or posted
 */

/**
 * @typedef {object} MemberRow
 * @property {string} id
 * @property {string} alias
 * @property {boolean} self
 * @property {boolean} away
 * @property {boolean} changed
 * @property {string} fingerprint
 * @property {string} [newAlias]
 * @property {string} [newFingerprint]
 */

/** @typedef {import('./vault.js').Kept} Kept */
/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('../crypto/root.js').RoomKeys} Keys */

const MINUTE = 60_000;

export class Session extends EventTarget {
  kind = /** @type {'link' | 'passphrase'} */ ('link');
  name = /** @type {string | null} */ (null);
  members = /** @type {MemberRow[]} */ ([]);
  status = { state: 'connecting', reason: '', latency: /** @type {number | null} */ (null) };
  #origin;
  #site;
  #keep;
  #secret;
  #keeper;
  #stay;
  #timeline;
  #ended = new AbortController();

  /**
   * Enters a room. Resolves when the relay has taken us in, or when the network keeps us out for now: then status says why, and
   * the session goes on trying. Rejects with a sentence for people.
   * @param {Options} options
   * @param {{state: Kept, items: Item[]}} [handed] by a tab that had this room before
   */
  static async open(options, handed) {
    const keys = await roomKeys(options.root);
    const kept = handed?.state ?? (options.keep ? await vault.kept(keys.roomId) : null);
    const secret = kept ? new Uint8Array(kept.secret) : newMemberSecret();
    const { alias } = options;
    const group = kept ? await Group.import(/** @type {any} */ (kept.group), { keys, secret }) : await Group.create({ keys, secret, alias });
    if (group.alias !== alias) await group.setAlias(alias);
    const session = new Session(options, { keys, secret, group, kept, items: handed?.items });
    if (kept) session.#resume(kept.outbox);
    try {
      await session.#stay.connection.start();
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  /**
   * Use open.
   * @param {Options} options
   * @param {{keys: Keys, secret: Bytes, group: Group, kept: Kept | null, items?: Item[]}} own
   */
  constructor(options, { keys, secret, group, kept, items }) {
    super();
    this.#origin = options.origin ?? '';
    this.#site = options.site || this.#origin || globalThis.location?.origin;
    this.#keep = options.keep ?? false;
    this.kind = options.kind ?? (options.name ? 'passphrase' : 'link');
    this.name = options.name ?? null;
    this.#secret = secret;
    this.#timeline = new Timeline((name, item) => this.#tell(name, item), items);
    this.#stay = this.#newStay(keys, group, kept);
    this.#keeper = new Keeper({ roomId: keys.roomId, make: () => this.state(), share: options.share, keep: this.#keep });
    this.#watch();
    this.#drawMembers();
  }

  get roomId() {
    return this.#stay.keys.roomId;
  }

  /** One's own member id. */
  get self() {
    return this.#stay.group.id;
  }

  get alias() {
    return this.#stay.group.alias;
  }

  /** The link that lets others in; null for a passphrase room. */
  get link() {
    return this.kind === 'link' ? `${this.#site}/${linkFragment(this.#stay.keys.root)}` : null;
  }

  get items() {
    return this.#timeline.items;
  }

  get knocks() {
    return this.#stay.door.rows;
  }

  /**
   * Sends a message. The item is in the timeline at once, queued, and tells how it goes on; this never waits for the network.
   * @param {string} body
   * @param {string} [key] of its item; the same key is sent once
   */
  send(body, key = b64u(random(9))) {
    const had = this.#timeline.find(key);
    if (had) return had;
    const item = this.#own(key, body);
    this.#stay.outbox.add({ key, content: { k: 'text', id: b64u(random(16)), body } });
    this.#stay.connection.active();
    return item;
  }

  /** @param {string} key @param {string} body */
  #own(key, body) {
    return this.#timeline.add({ key, kind: 'text', own: true, from: this.self, alias: this.alias, body, state: 'queued', reason: '' });
  }

  /** Takes another name. The others learn it when the network lets them. @param {string} alias */
  async setAlias(alias) {
    await this.#stay.group.setAlias(alias);
    await this.#keeper.save();
    this.#drawMembers();
    await this.#stay.showCard();
  }

  safetyCode() {
    return this.#stay.group.safetyCode();
  }

  /** Trusts the new identity of a changed member. @param {string} id */
  async accept(id) {
    const { group, inbox } = this.#stay;
    if (await group.accept(id)) {
      inbox.accepted(id);
      await this.#keeper.save();
    }
    this.#drawMembers();
  }

  /**
   * Removes a member: everybody else moves to a new room, whose root the removed one does not get. Resolves when this page is there.
   * @param {string} id
   */
  remove(id) {
    return this.#stay.remove(id);
  }

  /**
   * Leaves for good: nothing is kept for this member any more, and everybody else starts new keys.
   * @param {{wipe?: boolean}} [options] also forget the room on this device
   */
  async leave({ wipe = false } = {}) {
    await this.#end(wipe);
    await this.#stay.connection.leave(false);
  }

  /** What a terminal needs to send into this room: enough to send, not to read. */
  shell() {
    return {
      url: `${this.#site}/r/${this.roomId}`,
      token: b64u(this.#stay.keys.post),
      publicKey: [...this.#stay.keys.dropPublic].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    };
  }

  /** @param {string} id */
  answer(id) {
    return this.#stay.door.answer(id);
  }

  /** @param {string} id */
  approve(id) {
    return this.#stay.door.approve(id);
  }

  /** @param {string} id */
  refuse(id) {
    return this.#stay.door.refuse(id);
  }

  /**
   * Ends the session on this page. A kept room, or one that another tab goes on with, stays the same member; any other member leaves.
   * Resolves when nothing is written any more.
   * @param {{handOver?: boolean}} [options]
   */
  async close({ handOver = false } = {}) {
    if (this.#ended.signal.aborted) return;
    const { connection } = this.#stay;
    const written = this.#end(false);
    if (!this.#keep && !handOver) connection.leave(true).catch(() => undefined); // the relay lets us go by time
    await written;
  }

  /** Nothing is told or written after this. @param {boolean} wipe */
  async #end(wipe) {
    this.#ended.abort();
    void this.#stay.close();
    await this.#keeper.close(wipe);
  }

  /** What was on its way when the page before ended goes on, and is shown. @param {import('./outbox.js').OutboxState} state */
  #resume(state) {
    for (const { key, content } of [...state.entries.map(({ letter }) => letter), ...state.letters]) {
      const body = /** @type {{body?: string}} */ (content ?? {}).body;
      if (key && body !== undefined) this.#own(key, body);
    }
    this.#stay.outbox.resume(state);
  }

  /** @param {Keys} keys @param {Group} group @param {Kept | null} [kept] */
  #newStay(keys, group, kept) {
    const options = { origin: this.#origin, secret: this.#secret, timeline: this.#timeline, cursor: kept?.cursor, known: kept?.cards, keys, group };
    return new Stay(options, {
      told: (key, state, reason) => this.#timeline.update(key, { state, reason }),
      members: () => this.#drawMembers(),
      knocks: () => this.#tell('knocks'),
      status: (status) => this.#setStatus(status),
      saved: () => this.#keeper.save(),
      moved: (move) => this.#follow(move),
      removed: (by) => this.#removed(by),
    });
  }

  /** Goes to the new room as the same member, with the same people trusted. @param {import('./stay.js').Move & {root: Bytes}} move */
  async #follow({ root, removed, by, at }) {
    const old = this.#stay;
    const names = removed.map((id) => old.aliasOf(id) || '?').join(', ');
    const { group, keys } = await old.group.successor(root, removed);
    const next = this.#newStay(keys, group);
    for (const letter of old.outbox.left(seqOf(at))) next.outbox.add(letter);
    this.#stay = next;
    Object.assign(this, { kind: 'link', name: null });
    this.#timeline.add({ kind: 'system', event: 'moved', alias: old.aliasOf(by), body: names });
    await this.#keeper.moveTo(keys.roomId).catch((error) => console.warn('snug: the room is not kept any more', error));
    await next.connection.start().catch((/** @type {Error} */ error) => this.#setStatus({ state: 'blocked', reason: error.message }));
    void old.group.close();
    this.#tell('moved', { link: this.link, root });
    this.#tell('knocks');
    // Only now: in the old room we are owed nothing more, and the move itself stays there for those who sleep.
    void old.connection.leave(false).catch(() => undefined); // the relay lets us go by time
  }

  /** @param {string} by */
  async #removed(by) {
    const alias = this.#stay.aliasOf(by);
    this.#timeline.add({ kind: 'system', event: 'removed', from: by, alias });
    await this.#end(true);
    this.#tell('removed', { by: alias });
    await this.#stay.connection.leave(false).catch(() => undefined); // the relay lets us go by time
  }

  #watch() {
    const { signal } = this.#ended;
    const chores = setInterval(() => void this.#chores(), MINUTE);
    signal.addEventListener('abort', () => clearInterval(chores));
    const { document } = globalThis;
    document?.addEventListener('visibilitychange', () => this.#stay.connection.look(document.hidden), { signal });
    globalThis.addEventListener?.('online', () => this.#stay.outbox.poke(), { signal });
  }

  /** Keys have their time, too. */
  async #chores() {
    await this.#stay.chores().catch((error) => this.#ended.signal.aborted || console.warn('snug: the keys were not renewed', error));
  }

  #drawMembers() {
    const { group, away } = this.#stay;
    this.members = group.members().filter(({ status }) => status !== 'left').map(({ id, status, ...rest }) => ({
      ...rest,
      id,
      self: status === 'self',
      changed: status === 'changed',
      away: status !== 'self' && away.has(id),
    }));
    this.#tell('members');
  }

  /** @param {{state: string, reason: string}} status */
  #setStatus({ state, reason }) {
    this.status = { state, reason, latency: this.#stay.connection.latency || null };
    this.#tell('status');
  }

  /** Where this member stands. @returns {Promise<Kept>} */
  async state() {
    const { keys, connection, inbox, outbox } = this.#stay;
    const { roomId, kind, name, alias } = this;
    const cursor = connection.cursor; // from before: an event is rather read again than missed
    const group = await this.#stay.group.export();
    return { roomId, kind, name, alias, group, root: keys.root, secret: this.#secret, cursor, cards: inbox.known(), outbox: outbox.export() };
  }

  /** @param {string} name @param {unknown} [detail] */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
