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
import { Connection } from './connection.js';
import { Doorkeeper } from './door.js';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
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
/** @typedef {{root: Uint8Array | null, removed: string[], by: string}} Move root: null if it was not sealed to this member */

const MINUTE = 60_000;

export class Session extends EventTarget {
  kind = /** @type {'link' | 'passphrase'} */ ('link');
  name = /** @type {string | null} */ (null);
  members = /** @type {MemberRow[]} */ ([]);
  status = { state: 'connecting', reason: '', latency: /** @type {number | null} */ (null) };
  #origin;
  #keep;
  #secret;
  #keys;
  #group;
  #connection;
  #outbox;
  /** @type {Inbox} */ #inbox;
  #door;
  #share;
  #timeline;
  #away = /** @type {Set<string>} */ (new Set());
  #moving = /** @type {{root: Uint8Array, removed: string[]} | null} */ (null);
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
    const alias = options.alias;
    const group = kept ? await Group.import(/** @type {any} */ (kept.group), { keys, secret }) : await Group.create({ keys, secret, alias });
    if (group.alias !== alias) await group.setAlias(alias);
    const session = new Session(options, { keys, secret, group, cursor: kept?.cursor ?? null, items: handed?.items });
    if (kept) session.#resume(kept.outbox);
    try {
      await session.#connection.start();
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  /**
   * Use open.
   * @param {Options} options
   * @param {{keys: Keys, secret: Bytes, group: Group, cursor: string | null, items?: Item[]}} own
   */
  constructor(options, { keys, secret, group, cursor, items }) {
    super();
    this.#origin = options.origin ?? '';
    this.#keep = options.keep ?? false;
    this.#share = options.share;
    this.#timeline = new Timeline((name, item) => this.#tell(name, item), items);
    this.kind = options.kind ?? (options.name ? 'passphrase' : 'link');
    this.name = options.name ?? null;
    this.#secret = secret;
    this.#keys = keys;
    this.#group = group;
    this.#outbox = this.#newOutbox();
    this.#inbox = this.#newInbox();
    this.#door = this.#newDoor();
    this.#connection = this.#newConnection(cursor);
    this.#watch();
    this.#drawMembers();
  }

  get roomId() {
    return this.#keys.roomId;
  }

  /** One's own member id. */
  get self() {
    return this.#group.id;
  }

  get alias() {
    return this.#group.alias;
  }

  /** The link that lets others in; null for a passphrase room. */
  get link() {
    return this.kind === 'link' ? `${this.#origin || location.origin}/${linkFragment(this.#keys.root)}` : null;
  }

  get items() {
    return this.#timeline.items;
  }

  get knocks() {
    return this.#door.rows;
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
    this.#outbox.add({ key, content: { k: 'text', id: b64u(random(16)), body } });
    this.#connection.active();
    return item;
  }

  /** @param {string} key @param {string} body */
  #own(key, body) {
    return this.#timeline.add({ key, kind: 'text', own: true, from: this.self, alias: this.alias, body, state: 'queued', reason: '' });
  }

  /** @param {string} alias */
  async setAlias(alias) {
    const card = await this.#group.setAlias(alias);
    await this.#connection.card(card);
    this.#drawMembers();
    await this.#save();
  }

  safetyCode() {
    return this.#group.safetyCode();
  }

  /** Trusts the new identity of a changed member. @param {string} id */
  async accept(id) {
    if (await this.#group.accept(id)) await this.#save();
    this.#drawMembers();
  }

  /**
   * Removes a member: everybody else moves to a new room, whose root the removed one does not get.
   * @param {string} id
   */
  async remove(id) {
    if (this.#moving) throw new Error('The room is moving already.');
    const { frame, root } = await this.#group.remove([id]);
    this.#moving = { root, removed: [id] };
    const place = await new Promise((resolve, reject) => {
      const tell = (/** @type {string} */ state, /** @type {string} */ reason, /** @type {{cursor: string} | undefined} */ posted) => {
        if (posted) resolve(posted.cursor);
        else if (state === 'failed') reject(new Error(reason));
      };
      this.#outbox.add({ key: '', frame, tell });
    }).catch((error) => {
      this.#moving = null;
      throw error;
    });
    // Somebody else may have removed a member a moment before: the first move in the room's order is the one that all follow.
    await this.#connection.catchUp(place);
    if (this.#moving) await this.#follow({ ...this.#moving, by: this.self });
  }

  /**
   * Leaves for good: nothing is kept for this member any more, and everybody else starts new keys.
   * @param {{wipe?: boolean}} [options] also forget the room on this device
   */
  async leave({ wipe = false } = {}) {
    if (wipe || !this.#keep) await this.#forget();
    this.#end();
    await this.#connection.leave(false);
  }

  /** What a terminal needs to send into this room: enough to send, not to read. */
  shell() {
    return {
      url: `${this.#origin || location.origin}/r/${this.roomId}`,
      token: b64u(this.#keys.post),
      publicKey: [...this.#keys.dropPublic].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    };
  }

  /** @param {string} id */
  answer(id) {
    return this.#door.answer(id);
  }

  /** @param {string} id */
  approve(id) {
    return this.#door.approve(id);
  }

  /** @param {string} id */
  refuse(id) {
    return this.#door.refuse(id);
  }

  /**
   * Ends the session on this page. A kept room, or one that another tab goes on with, stays the same member; any other member leaves.
   * @param {{handOver?: boolean}} [options]
   */
  close({ handOver = false } = {}) {
    if (this.#ended.signal.aborted) return;
    this.#end();
    if (this.#keep || handOver) this.#connection.close();
    else this.#connection.leave(true).catch(() => undefined); // the relay lets us go by time
  }

  #end() {
    this.#ended.abort();
    this.#outbox.close();
    this.#door.close();
    void this.#group.close();
  }

  /** What was on its way when the page before ended goes on, and is shown. @param {import('./outbox.js').OutboxState} state */
  #resume(state) {
    for (const { key, content } of [...state.entries.map(({ letter }) => letter), ...state.letters]) {
      const body = /** @type {{body?: string}} */ (content ?? {}).body;
      if (key && body !== undefined) this.#own(key, body);
    }
    this.#outbox.resume(state);
  }

  #newOutbox() {
    return new Outbox({
      post: (id, frame, roster) => this.#connection.post(id, frame, roster),
      seal: async (content) => (await this.#group.seal(/** @type {any} */ (content))).frames,
      roster: () => this.#connection.roster,
      learn: async (roster) => {
        await this.#inbox.roster(roster.members, true);
        this.#connection.roster = Math.max(this.#connection.roster, roster.roster);
      },
      owe: (ids) => this.#group.owe(...ids),
      rejoin: () => this.#connection.rejoin(),
      tell: (key, state, reason) => this.#timeline.update(key, { state, reason }),
      sealed: () => this.#save(),
    });
  }

  #newInbox() {
    return new Inbox({
      group: this.#group,
      timeline: this.#timeline,
      aliasOf: (id) => this.#aliasOf(id),
      whisper: (content) => this.#outbox.add({ key: '', content }),
      refresh: async () => this.#inbox.roster((await this.#connection.members()).members, true),
      membersChanged: () => this.#drawMembers(),
      moved: (move) => this.#moved(move),
      knock: (knock) => void this.#door.heard(knock),
    });
  }

  #newDoor() {
    return new Doorkeeper({
      host: (commit) => this.#group.answerKnock(commit),
      send: (id, note) => this.#connection.answerKnock(id, note),
      changed: () => this.#tell('knocks'),
    });
  }

  /** @param {string | null} cursor */
  #newConnection(cursor) {
    return new Connection({
      origin: this.#origin,
      keys: this.#keys,
      secret: this.#secret,
      cursor,
      handler: {
        card: () => this.#group.card(),
        known: () => this.#inbox.known(),
        joined: (joined, anew) => this.#joined(joined, anew),
        event: async (event) => void (await this.#inbox.handle(event)),
        acked: (through, expired) => this.#outbox.acked(through, expired),
        away: (ids) => this.#setAway(ids),
        status: (status) => this.#setStatus(status),
        saved: () => this.#save(),
      },
    });
  }

  /** @param {import('../net/types.js').Joined} joined @param {boolean} anew */
  async #joined({ members, gap }, anew) {
    await this.#inbox.roster(members, true);
    this.#setAway(members.filter(({ away }) => away).map(({ id }) => id));
    if (gap?.messages) this.#timeline.add({ kind: 'gap', count: gap.messages });
    if (anew) this.#outbox.again();
    else this.#outbox.poke();
  }

  /** Somebody moved the room. @param {Move} move */
  async #moved(move) {
    if (!move.root) return this.#removed(move.by);
    this.#moving = null; // theirs came first
    await this.#follow({ ...move, root: move.root });
  }

  /**
   * Goes to the new room as the same member, with the same people trusted.
   * @param {{root: Uint8Array, removed: string[], by: string}} move
   */
  async #follow({ root, removed, by }) {
    const names = removed.map((id) => this.#aliasOf(id) || '?').join(', ');
    const by_ = by === this.self ? this.alias : this.#aliasOf(by);
    const [oldGroup, oldOutbox, oldConnection, oldRoom] = [this.#group, this.#outbox, this.#connection, this.roomId];
    const { group, keys } = await oldGroup.successor(root, removed);
    this.#moving = null;
    Object.assign(this, { kind: 'link', name: null });
    [this.#group, this.#keys] = [group, keys];
    this.#outbox = this.#newOutbox();
    this.#inbox = this.#newInbox();
    this.#door.close();
    this.#door = this.#newDoor();
    this.#connection = this.#newConnection(null);
    oldOutbox.handOver(this.#outbox);
    this.#timeline.add({ kind: 'system', event: 'moved', alias: by_, body: names });
    if (this.#keep) await this.#exchange(oldRoom);
    await this.#connection.start();
    void oldGroup.close();
    this.#tell('moved', { link: this.link, root: this.#keys.root });
    this.#tell('knocks');
    // Only now: in the old room we are owed nothing more, and the move itself stays there for those who sleep.
    await oldConnection.leave(false).catch(() => undefined); // the relay lets us go by time
  }

  /** @param {string} by */
  async #removed(by) {
    const alias = this.#aliasOf(by);
    this.#timeline.add({ kind: 'system', event: 'removed', from: by, alias });
    await this.#forget();
    this.#end();
    this.#tell('removed', { by: alias });
    await this.#connection.leave(false).catch(() => undefined); // the relay lets us go by time
  }

  #watch() {
    const { signal } = this.#ended;
    const chores = setInterval(() => void this.#chores(), MINUTE);
    signal.addEventListener('abort', () => clearInterval(chores));
    const { document } = globalThis;
    document?.addEventListener('visibilitychange', () => this.#connection.look(document.hidden), { signal });
    globalThis.addEventListener?.('online', () => this.#outbox.poke(), { signal });
  }

  /** Keys have their time, too. */
  async #chores() {
    const card = await this.#group.rotateIfDue();
    if (!card) return;
    await this.#save();
    // A card that does not arrive now goes with the next join; until then the old key serves.
    await this.#connection.card(card).catch((error) => console.warn('snug: the new card was not published', error));
  }

  /** @param {string} id */
  #aliasOf(id) {
    return this.#group.members().find((member) => member.id === id)?.alias ?? '';
  }

  #drawMembers() {
    this.members = this.#group.members().filter(({ status }) => status !== 'left').map(({ id, status, ...rest }) => ({
      ...rest,
      id,
      self: status === 'self',
      changed: status === 'changed',
      away: status !== 'self' && this.#away.has(id),
    }));
    this.#tell('members');
  }

  /** @param {string[]} ids */
  #setAway(ids) {
    this.#away = new Set(ids);
    this.#drawMembers();
  }

  /** @param {{state: string, reason: string}} status */
  #setStatus({ state, reason }) {
    this.status = { state, reason, latency: this.#connection?.latency || null };
    if (state === 'live' || state === 'polling') this.#outbox.poke();
    this.#tell('status');
  }

  /** Where this member stands. @returns {Promise<Kept>} */
  async state() {
    const { roomId, kind, name, alias } = this;
    const group = await this.#group.export();
    return { roomId, kind, name, alias, group, root: this.#keys.root, secret: this.#secret, cursor: this.#connection.cursor, outbox: this.#outbox.export() };
  }

  /** Keeps the place and the keys, where that is wanted; nothing is acked or posted before. */
  async #save() {
    if (this.#ended.signal.aborted || !(this.#keep || this.#share)) return;
    const state = await this.state();
    this.#share?.(state);
    if (this.#keep) await vault.keep(state);
  }

  /** The room kept on this device is another one now. @param {string} oldRoom */
  async #exchange(oldRoom) {
    await this.#save();
    await vault.forget(oldRoom);
  }

  async #forget() {
    if (!this.#keep) return;
    await vault.forget(this.roomId);
  }

  /** @param {string} name @param {unknown} [detail] */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
