// @ts-check
import { b64u, part, random, unb64u } from '../lib/bytes.js';
import { Group } from '../crypto/group.js';
import { linkFragment, newMemberSecret, roomKeys } from '../crypto/keys.js';
import { Connection, epochOf, Outbox, seqOf } from './connection.js';

/**
 * The timeline of a room: what happened, in the order in which it was learnt. It holds what the page shows and nothing that opens
 * anything; it lives as long as the page.
 */

/** @typedef {import('./types.js').Item} Item */
/** @typedef {import('./types.js').Reaction} Reaction */
/** @typedef {import('./types.js').Happening} Happening */

// A page that is open for weeks must not grow for ever. What falls out is the oldest.
const MOST = 20_000;
const REMOVED = 2000; // keys of vanished items that are remembered, so that none comes again when its sender seals it anew

export class Timeline {
  items;
  #told;
  #removed = /** @type {Set<string>} */ (new Set());

  /**
   * @param {(name: 'item' | 'update' | 'gone', detail: any) => void} told gone: a list of keys
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
    if (this.#removed.has(made.key)) return made;
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

  /** Takes items away without a trace. @param {string[]} keys */
  remove(keys) {
    const out = new Set(keys);
    const left = this.items.filter(({ key }) => !out.has(key));
    if (left.length === this.items.length) return;
    this.items.splice(0, Infinity, ...left);
    for (const key of out) this.#removed.add(key);
    for (const key of this.#removed) if (this.#removed.size > REMOVED) this.#removed.delete(key);
    this.#told('gone', keys);
  }

  /** @param {string} key */
  find(key) {
    return this.items.findLast((item) => item.key === key);
  }
}

/**
 * Where a member stands, told to the browser's other tabs and written to this device: by one hand and in order, so that an older state never
 * lands on a newer one, nor on a wipe.
 */

/** @typedef {import('./vault.js').Kept} Kept */

const vault = () => part(() => import('./vault.js'));

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
   * @param {() => Promise<Kept | null>} options.make the state as it is now; null if it ended between two
   * @param {(state: Kept) => Promise<void>} [options.share]
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
    if (!state) return;
    await this.#share?.(state);
    if (this.#keep && !this.#over) await (await vault()).keep(state);
  }

  /** The room is another one now. @param {string} roomId */
  async moveTo(roomId) {
    const old = this.#roomId;
    this.#roomId = roomId;
    await this.save();
    if (this.#keep) await (await vault()).forget(old);
  }

  /** Resolves when nothing is written any more. @param {boolean} wipe forget the room on this device */
  async close(wipe) {
    this.#over = true;
    await this.#last;
    if (wipe && this.#keep) await (await vault()).forget(this.#roomId);
  }
}

/**
 * What comes in: turns the relay's events into members, timeline items and answers. Everything that cannot be opened is shown with
 * its reason; nothing is dropped without a word, but what was handled before.
 */

/** @typedef {import('../net/types.js').RelayEvent} RelayEvent */

const ASK_AGAIN = 30_000; // ms between two requests for the same sender's keys; its answer is a whole keys frame
const LONGEST = 200_000; // characters of one message that are shown
const LONGEST_TIMER = 366 * 86_400; // s
const CHANGES = new Set(['edit', 'delete', 'react', 'timer', 'typing']); // kinds of content that talk.js knows

const FILES = new Set(['file', 'put', 'want', 'stop']); // what files.js understands
export const PUSHED = 8 << 20; // bytes of a file; more is sent only when somebody asks for it

export class Inbox {
  #room;
  #cards;
  /** Cards of changed members, until somebody accepts them. @type {Map<string, string>} */ #pending = new Map();
  /** The newest list of members that was handed over as a whole, and its number. */
  #list = { number: 0, here: /** @type {Set<string>} */ (new Set()) };
  #asked = /** @type {Map<string, number>} */ (new Map());

  /** @param {import('./types.js').InboxRoom} room @param {{id: string, card: string}[]} [known] of an earlier stay */
  constructor(room, known = []) {
    this.#room = room;
    this.#cards = new Map(known.map(({ id, card }) => [id, card]));
  }

  /** Everybody whose card is held, or is yet to come after a move: what a new relay is told. */
  known() {
    return [...this.#cards].map(([id, card]) => ({ id, card }));
  }

  /**
   * The list of members as the relay has it, at a join or later: who is not in it is not in the room.
   * @param {import('../net/types.js').Roster} roster
   * @param {boolean} [first] nobody was known before: all in it were here before this member
   */
  async roster({ roster: number, members }, first = false) {
    const { group, cursor } = this.#room;
    const ahead = !first && number > seqOf(cursor() ?? '.0');
    const here = new Set(members.map(({ id }) => id));
    this.#list = { number, here };
    for (const { id, status } of group.members()) if (status !== 'self' && status !== 'left' && !here.has(id)) await this.#left(id);
    for (const { id, card } of members) if (id !== group.id) await this.#learn(id, card, false, ahead);
    this.#room.membersChanged();
  }

  /** Somebody trusts the new identity of a changed member. @param {string} id */
  accepted(id) {
    const card = this.#pending.get(id);
    if (card) this.#cards.set(id, card);
    this.#pending.delete(id);
    this.#ask(id); // what it sealed to us was not believed then
  }

  /** @param {RelayEvent} event */
  async handle({ event, id, data }) {
    switch (event) {
      case 'msg': return data.jwe ? this.#shell(data) : this.#message(data, id);
      case 'joined': return this.#joined(data, id);
      case 'card': return this.#renews(data, id);
      case 'left': return this.#leaves(data, id);
      case 'gap': return this.#gap(data, id);
      case 'knock': return this.#room.knock(data);
    }
  }

  /** @param {{id: string, card?: string}} member @param {string} key */
  async #joined({ id, card }, key) {
    if (id === this.#room.group.id) return;
    const before = this.#here(id);
    if (!(await this.#learn(id, card, true))) return;
    await this.#isGone(id, key);
    const event = this.#room.group.members().some((member) => member.id === id && member.status === 'waiting') ? 'stands' : 'joined';
    if (!before) this.#room.timeline.add({ key, kind: 'system', event, from: id, alias: this.#room.aliasOf(id) });
    if (this.#room.group.locked) await this.#room.gate((gate) => gate.came(id));
  }

  /** @param {{id: string, card?: string}} member @param {string} key */
  async #renews({ id, card }, key) {
    await this.#learn(id, card, true);
    await this.#isGone(id, key);
  }

  /**
   * We read of somebody who was here, and know from a newer list that they have left since: nothing more is sealed to them.
   * @param {string} id
   * @param {string} at
   */
  async #isGone(id, at) {
    const { number, here } = this.#list;
    if (id === this.#room.group.id || seqOf(at) > number || here.has(id)) return;
    await this.#left(id);
    this.#room.membersChanged();
  }

  /** @param {string} id */
  #here(id) {
    const known = this.#room.group.members().find((member) => member.id === id);
    return known !== undefined && known.status !== 'left';
  }

  /**
   * Takes in a card. False if it is not one to believe.
   * @param {string} id
   * @param {string | undefined} card
   * @param {boolean} aloud tell of a new name
   * @param {boolean} [ahead] of the log
   */
  async #learn(id, card, aloud, ahead) {
    const { group, timeline, aliasOf } = this.#room;
    if (!card) return group.returned(id);
    if (id === group.id) return true;
    const before = aliasOf(id);
    const wasChanged = this.#isChanged(id);
    const { status, reason, member } = await group.learn(id, bytes(card), ahead);
    if (status === 'bad') {
      timeline.add({ kind: 'failed', from: id, alias: before, reason: "A member's card cannot be trusted." });
      console.warn('snug: a card is not trusted:', reason);
      return false;
    }
    if (status === 'changed') this.#cards.delete(id); // nobody is told of an identity that is in doubt
    const cards = status === 'changed' ? this.#pending : this.#cards;
    if (status !== 'same' || !cards.get(id)) cards.set(id, card);
    this.#room.settled(id);
    if (status === 'changed' && !wasChanged) timeline.add({ kind: 'system', event: 'changed', from: id, alias: before });
    if (aloud && status === 'updated' && before && member && member.alias !== before) timeline.add({ kind: 'system', event: 'renamed', from: id, alias: before, body: member.alias });
    this.#room.membersChanged();
    return true;
  }

  /** @param {string} id */
  #isChanged(id) {
    return this.#room.group.members().some((member) => member.id === id && member.status === 'changed');
  }

  /** @param {{id: string, why: string}} left @param {string} key */
  async #leaves({ id, why }, key) {
    const { number, here } = this.#list;
    const old = seqOf(key) <= number; // a list that we have had since may say that they are back
    const alias = this.#room.aliasOf(id);
    if (id === this.#room.group.id || !alias || !(old || this.#here(id))) return;
    const reason = why === 'grace' ? 'away for too long' : why === 'full' ? 'the relay needed room' : '';
    if (this.#room.over()) return; // everybody leaves the old room
    this.#room.timeline.add({ key, kind: 'system', event: 'left', from: id, alias, reason });
    if (old && here.has(id)) return;
    await this.#left(id);
    this.#room.membersChanged();
  }

  /** @param {string} id */
  async #left(id) {
    this.#cards.delete(id);
    await this.#room.group.left(id);
    this.#room.settled(id);
  }

  /** @param {{messages: number}} gap @param {string} key */
  async #gap({ messages }, key) {
    await this.roster(await this.#room.refresh());
    if (messages !== 0) this.#room.timeline.add({ key, kind: 'gap', count: messages });
  }

  /** @param {{id: string, jwe: string, at: number}} post */
  async #shell({ id: key, jwe, at }) {
    const opened = await this.#room.group.openShell(jwe);
    if (opened.kind === 'shell') this.#room.timeline.add({ key, kind: 'shell', at, body: opened.text.slice(0, LONGEST) });
    if (opened.kind === 'failed') this.#room.timeline.add({ key, kind: 'failed', at, reason: 'A post from a terminal could not be opened: it was not sealed for this room.' });
  }

  /** @param {{id: string, from: string, body: string, at: number}} post @param {string} place */
  async #message({ id: key, from, body, at }, place) {
    const opened = await this.#room.group.open(from, bytes(body));
    const head = { key, from, at };
    if (opened.kind === 'content' && (opened.content.k === 'lock' || opened.content.k === 'admit')) return this.#ruled(head, opened);
    if (opened.kind === 'content') return this.#content(head, opened.content, place);
    if (opened.kind === 'move') return this.#room.moved(opened, place);
    if (opened.kind === 'held') return this.#room.gate((gate) => gate.hold(head, opened.content));
    if (opened.kind === 'waiting') return this.#waiting(head, opened);
    if (opened.kind !== 'failed') return;
    this.#room.unread();
    if (opened.reason === 'before-you' && this.#room.group.waits) return this.#room.gate((gate) => gate.passed(at));
    if (opened.need) this.#ask(from);
    this.#room.timeline.add({ key, kind: 'failed', from, alias: this.#room.aliasOf(from), at, reason: await inWords(opened.reason) });
  }

  /** @param {{key: string, from: string, at: number}} head @param {import('../crypto/chains.js').Said} said */
  async #ruled(head, { content, news }) {
    await this.#room.gate((gate) => gate.ruled(head, content, news));
    this.#room.membersChanged();
  }

  /** @param {{key: string, from: string, at: number}} head @param {import('../crypto/chains.js').Waiting} said */
  async #waiting(head, said) {
    await this.#room.gate((gate) => gate.waiting(head, said));
    this.#room.membersChanged();
  }

  /** What somebody had said who is let in now. @param {{key: string, from: string, at: number}} head @param {{k: string} & Record<string, any>} content */
  show(head, content) {
    return this.#content(head, content);
  }

  /** @param {{key: string, from: string, at: number}} head @param {{k: string} & Record<string, any>} content @param {string} [place] in the log */
  async #content(head, content, place) {
    const { group, timeline, aliasOf } = this.#room;
    const item = { ...head, alias: aliasOf(head.from) };
    if (content.k === 'need') return content.of === group.id ? group.owe(head.from) : undefined;
    if (FILES.has(content.k)) return this.#room.file(item, content);
    if (content.k === 'text' && typeof content.body === 'string') {
      // Sealed anew for another room or another list of members it is another frame, but the same text.
      const key = typeof content.id === 'string' ? `${head.from} ${content.id}` : head.key;
      timeline.add({ ...item, key, kind: 'text', body: content.body.slice(0, LONGEST), ...mannersOf(content) });
      return;
    }
    if (CHANGES.has(content.k)) return this.#room.change({ ...item, place }, { ...content, body: content.body?.slice?.(0, LONGEST) });
    timeline.add({ ...item, kind: 'failed', reason: await inWords('unknown-type') });
  }

  /** Asks a sender to seal its chain to us again. @param {string} of */
  #ask(of) {
    const now = Date.now();
    if (now - (this.#asked.get(of) ?? -ASK_AGAIN) < ASK_AGAIN) return;
    this.#asked.set(of, now);
    this.#room.whisper({ k: 'need', of });
  }
}

/**
 * How a message wants to be shown: what it answers, whether it says what its author does, how long it stays.
 * @param {Record<string, any>} content
 * @returns {Pick<Item, 're' | 'me' | 'ttl'>}
 */
export function mannersOf({ re, me, ttl }) {
  return {
    ...(typeof re === 'string' && re.length <= 64 && { re }),
    ...(me === true && { me }),
    ...(secondsOf(ttl) && { ttl }),
  };
}

/** Seconds of a timer, 0 for none; null if it is no such thing. @param {unknown} ttl */
export const secondsOf = (ttl) => (Number.isInteger(ttl) && Number(ttl) >= 0 && Number(ttl) <= LONGEST_TIMER ? Number(ttl) : null);

/** Why a frame could not be opened. @param {string} reason */
const inWords = (reason) => part(() => import('./reasons.js')).then(({ REASONS }) => REASONS[reason] ?? reason, () => reason);

/** What the relay says are bytes; none if it is not base64url, so that it counts as damaged. @param {string} text */
function bytes(text) {
  try {
    return unb64u(text);
  } catch {
    return new Uint8Array();
  }
}

/**
 * A member's time under one room id: its keys, its line to the relay, what it sends and what comes in. A session has one stay after the
 * other, since a move gives the room another id; what an old stay still hears never reaches the new one.
 */

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('../crypto/keys.js').RoomKeys} Keys */
/** @typedef {{root: Bytes | null, removed: string[], by: string, at: string}} Move root: null if it was not sealed to this member; at: its place */
/** @typedef {{removed: string, root: Bytes | null, at: string}} OwnMove a move of ours on its way; at: '' until the relay has it */

/**
 * @typedef {object} StayOptions
 * @property {string} origin
 * @property {Keys} keys
 * @property {Bytes} secret
 * @property {Group} group
 * @property {Timeline} timeline
 * @property {string | null} [cursor] where an earlier stay ended
 * @property {{id: string, card: string}[]} [known] the others it knew
 * @property {import('./lock.js').Kept} [gate] of a room that was locked
 */

const READ_ON = 3; // polls, before sealing, to reach a place that the relay has named; one is enough where the network is fair

export class Stay {
  keys;
  group;
  away = /** @type {Set<string>} */ (new Set());
  /** @type {import('./door.js').Doorkeeper | null} */ door = null;
  #host;
  #timeline;
  #gate = /** @type {Promise<import('./lock.js').Gatekeeper> | null} */ (null);
  #gated;
  #entered;
  #own = /** @type {OwnMove | null} */ (null);
  #rival = /** @type {Move | null} */ (null);
  #over = false;
  #unshown = false;
  /** @type {Bytes | null} a card */ #joinedAs = null;
  #gone = () => {};
  /** Resolves when this page is in the room of the move. */
  #follows = new Promise((resolve) => (this.#gone = () => resolve(undefined)));

  /** @param {StayOptions} options @param {import('./types.js').StayHost} host */
  constructor({ origin, keys, secret, group, timeline, cursor = null, known, gate }, host) {
    this.keys = keys;
    this.#gated = () => gate;
    this.#entered = cursor !== null;
    this.group = group;
    this.#host = host;
    this.#timeline = timeline;
    this.outbox = this.#newOutbox();
    this.inbox = this.#newInbox(known);
    this.connection = this.#newConnection({ origin, keys, secret, cursor });
  }

  /** @param {string} id */
  aliasOf(id) {
    return this.group.members().find((member) => member.id === id)?.alias ?? '';
  }

  /** Publishes the newest card; if the network is in the way, with the next chance. */
  async showCard() {
    this.#unshown = true;
    const card = await this.group.card();
    try {
      await this.connection.card(card);
      this.#unshown = false;
    } catch (error) {
      if (!this.#over) console.warn('snug: the new card waits', error);
    }
  }

  /** Erases keys whose time is over and renews those that have served. */
  async chores() {
    const renewed = await this.group.rotateIfDue();
    if (renewed) await this.#host.saved();
    if (renewed || this.#unshown) await this.showCard();
  }

  /**
   * Removes a member: everybody else goes to a new room, whose root the removed one does not get. Resolves when this page is there; by
   * another member's move if that came first.
   * @param {string} id
   */
  async remove(id) {
    if (this.#own || this.#over) throw new Error('The room is moving already.');
    /** @type {OwnMove} */
    const own = { removed: id, root: null, at: '' };
    this.#own = own;
    try {
      const { postMove } = await part(() => import('./moves.js'));
      await Promise.race([postMove(this, own), this.#follows]);
    } catch (error) {
      this.#own = null;
      if (!this.#rival) throw error;
    }
    await this.#decide(own);
    await this.#follows;
  }

  /** What a locked room needs is fetched when there is one. @param {(gate: import('./lock.js').Gatekeeper) => unknown} does */
  async gate(does) {
    this.#gate ??= this.#newGate();
    const gate = await this.#gate;
    if (!this.#over) await does(gate);
  }

  async #newGate() {
    const { Gatekeeper } = await part(() => import('./lock.js'));
    const gate = new Gatekeeper({
      group: this.group,
      timeline: this.#timeline,
      aliasOf: (id) => this.aliasOf(id),
      isAway: (id) => this.away.has(id),
      send: (letter) => this.outbox.add(letter),
      show: (head, content) => this.inbox.show(head, content),
    }, this.#gated());
    this.#gated = () => gate.export();
    return gate;
  }

  /** What a locked room has besides; undefined if it never was. */
  get gated() {
    return this.#gated();
  }

  /** The relay no longer hears of us. What is under way may or may not arrive. @param {boolean} handOver another tab sends what is not sent */
  close(handOver) {
    this.#end();
    if (!handOver) this.outbox.close();
    this.door?.close();
    return this.group.close();
  }

  #end() {
    this.#over = true;
    this.outbox.halt();
    this.connection.close();
  }

  /** The first move in the room's order is the one that all follow. @param {OwnMove} own */
  async #decide({ root, removed, at }) {
    const rival = this.#rival;
    if (rival && !(at && isBefore(at, rival.at))) await this.#go(rival);
    else if (root && at) await this.#go({ root, removed: [removed], by: this.group.id, at });
  }

  /** Somebody moved the room. @param {Omit<Move, 'at'>} move @param {string} at */
  async #moved(move, at) {
    const own = this.#own;
    if (own?.at && isBefore(own.at, at)) return; // ours came first
    if (!own || own.at) return this.#go({ ...move, at });
    this.#rival ??= { ...move, at }; // ours may be in the log before this one; its answer will tell
  }

  /** @param {Move} move */
  async #go({ root, ...move }) {
    if (this.#over) return;
    this.#end();
    this.door?.close();
    if (root) await this.#host.moved({ root, ...move });
    else await this.#host.removed(move.by);
    this.#gone();
  }

  #newOutbox() {
    return new Outbox({
      post: (id, frame, roster) => this.connection.post(id, frame, roster),
      seal: async (content) => {
        await this.#readOn();
        return (await this.group.seal(/** @type {any} */ (content))).frames;
      },
      roster: () => this.connection.roster,
      read: () => this.#readTo(),
      epoch: () => epochOf(this.connection.cursor ?? ''),
      learn: (roster) => this.connection.inTurn(() => this.#learn(roster)),
      owe: (ids) => this.group.owe(...ids),
      rejoin: () => this.connection.rejoin(),
      tell: (key, state, reason, posted) => this.#host.told(key, state, reason, posted),
      posted: (content, place) => this.#host.posted(content, place),
      sealed: () => this.#host.saved(),
    });
  }

  /** The place up to which no move is in the log. */
  #readTo() {
    const { cursor } = this.connection;
    const places = [this.#own?.at, this.#rival?.at, cursor].filter((at) => at && epochOf(at) === epochOf(cursor ?? ''));
    return Math.min(...places.map((at) => seqOf(/** @type {string} */ (at))));
  }

  /** A list of members that is ahead of the log may have some who came behind a lock: first what is before them is read. */
  async #readOn() {
    const { cursor, roster } = this.connection;
    if (cursor && seqOf(cursor) < roster) await this.connection.catchUp(`${epochOf(cursor)}.${roster}`, READ_ON);
  }

  /** @param {import('../net/types.js').Roster} roster */
  async #learn(roster) {
    await this.inbox.roster(roster);
    this.connection.roster = Math.max(this.connection.roster, roster.roster);
    if (this.group.locked) void this.gate((gate) => gate.look());
  }

  /** @param {{id: string, card: string}[]} [known] @returns {Inbox} */
  #newInbox(known) {
    const room = {
      group: this.group,
      timeline: this.#timeline,
      aliasOf: (/** @type {string} */ id) => this.aliasOf(id),
      whisper: (/** @type {object} */ content) => this.outbox.add({ key: '', content }),
      gate: (/** @type {(gate: import('./lock.js').Gatekeeper) => unknown} */ does) => this.gate(does),
      cursor: () => this.connection.cursor,
      change: (/** @type {import('./talk.js').Head} */ head, /** @type {{k: string}} */ content) => this.#host.change(head, content),
      refresh: () => this.connection.members(),
      membersChanged: () => this.#tell(() => this.#host.members()),
      moved: (/** @type {Omit<Move, 'at'>} */ move, /** @type {string} */ at) => this.#moved(move, at),
      file: (/** @type {any} */ head, /** @type {any} */ content) => this.#host.file(head, content),
      unread: () => this.#host.unread(),
      over: () => this.#over,
      settled: (/** @type {string} */ id) => this.#tell(() => this.#host.settled(id)),
      knock: (/** @type {{id: string, body: string}} */ knock) => this.#knocked(knock).catch((error) => console.warn('snug: somebody knocks, and the door cannot be opened', error)),
    };
    return new Inbox(room, known);
  }

  /** The first knock fetches the door. @param {{id: string, body: string}} knock */
  async #knocked(knock) {
    const { Doorkeeper } = await part(() => import('./door.js'));
    if (this.#over) return;
    this.door ??= new Doorkeeper({
      host: (commit) => this.group.answerKnock(commit),
      send: (id, note) => this.connection.answerKnock(id, note),
      changed: () => this.#tell(() => this.#host.knocks()),
      expect: async (arrival) => void (this.group.locked && (await this.gate((gate) => gate.expect(arrival)))),
    });
    await this.door.heard(knock);
  }

  /** @param {{origin: string, keys: Keys, secret: Bytes, cursor: string | null}} options @returns {Connection} */
  #newConnection(options) {
    return new Connection({
      ...options,
      handler: {
        card: async () => (this.#joinedAs = await this.group.card()),
        known: () => this.inbox.known(),
        joined: (joined, anew) => this.#joined(joined, anew),
        event: async (event) => void (await this.inbox.handle(event)),
        acked: (through, expired) => this.outbox.acked(through, expired),
        away: (ids) => this.#setAway(ids),
        status: (status) => this.#setStatus(status),
        saved: () => this.#host.saved(),
      },
    });
  }

  /** @param {import('../net/types.js').Joined} joined @param {boolean} anew */
  async #joined({ roster, members, gap }, anew) {
    this.outbox.hold();
    await this.inbox.roster({ roster, members }, anew || !this.#entered);
    this.#entered = true;
    this.#unshown = false; // joining showed it
    if (this.#joinedAs !== (await this.group.card())) void this.showCard(); // which was changed on the way
    this.#setAway(members.filter(({ away }) => away).map(({ id }) => id));
    if (gap?.messages) this.#timeline.add({ kind: 'gap', count: gap.messages });
    if (anew) this.#tell(() => this.#host.anew());
    this.outbox.goOn(anew);
  }

  /** @param {string[]} ids */
  #setAway(ids) {
    this.away = new Set(ids);
    this.#tell(() => this.#host.members());
    if (this.group.locked) void this.gate((gate) => gate.look());
  }

  /** @param {import('../net/transport.js').Status} status */
  #setStatus(status) {
    const flows = status.state === 'live' || status.state === 'polling';
    if (flows) this.outbox.poke();
    if (flows && this.#unshown) void this.showCard();
    this.#tell(() => this.#host.status(status));
  }

  /** What an old stay hears is no news. @param {() => void} news */
  #tell(news) {
    if (!this.#over) news();
  }
}

/** The key of a new item of one's own. @param {string} self member id */
export const newKey = (self) => `${self} ${b64u(random(16))}`;

/** @param {string} a @param {string} b places; those of different lives of the room have no order */
const isBefore = (a, b) => epochOf(a) === epochOf(b) && seqOf(a) < seqOf(b);

/**
 * One member's stay in one room: the model that the page shows. It joins, keeps the list of members and the timeline, sends and
 * receives. The page listens and calls; it holds no truth of its own.
 *
 * Events: members, status, knocks, typing, timer; item and update (detail: the item); gone (detail: keys of items); progress (detail: {key, done, total, rate} of a file); moved (detail: {link}); removed (detail: {by}); closed (detail: {reason}).
 */

/**
 * @typedef {object} Options
 * @property {Uint8Array} root
 * @property {string} alias
 * @property {'link' | 'passphrase'} [kind]
 * @property {string | null} [name] of a passphrase room; it stays here
 * @property {boolean} [keep] keep the room on this device
 * @property {() => import('./asker.js').Own | undefined} [as] the member that a knock has announced, once
 * @property {string} [origin] of the relay
 * @property {string} [site] the relay's address in links, where it is not the page's
 * @property {(state: Kept) => Promise<void>} [share] tells other tabs where we stand; nothing is acked or posted before it is through
 * @property {(record: FileRecord) => void} [shareFile] tells other tabs of a file
 */

/** @typedef {import('./files.js').FileRecord} FileRecord */

/** @typedef {import('./types.js').MemberRow} MemberRow */

const MINUTE = 60_000;
const COMES = new Set(['joined', 'admitted', 'opened']); // somebody may read from here on
const UNREAD = 1000; // ms in which more may come that cannot be read

export class Session extends EventTarget {
  kind = /** @type {'link' | 'passphrase'} */ ('link');
  name = /** @type {string | null} */ (null);
  members = /** @type {MemberRow[]} */ ([]);
  status = { state: 'connecting', reason: '', latency: /** @type {number | null} */ (null) };
  /** Who was compared by voice, and under which key. @type {Map<string, string>} */ #verified;
  /** The room's timer: seconds that a message stays once it was read, 0 for ever, null as long as nobody has told. @type {number | null} */
  timer = null;
  #timerIsOwn = false;
  #timerAt = ''; // its place in the log
  /** What not everybody had when the room moved, and who is yet to come. */
  #crossing = { keys: /** @type {string[]} */ ([]), late: /** @type {Set<string>} */ (new Set()) };
  #talk = /** @type {Promise<import('./talk.js').Talk> | null} */ (null);
  #heard = /** @type {import('./talk.js').Talk | null} */ (null);
  #fuse = /** @type {import('./talk.js').Fuse | null} */ (null);
  #origin;
  #site;
  #keep;
  #secret;
  #keeper;
  #stay;
  #timeline;
  #shareFile;
  /** @type {import('./files.js').Files | null} */ #files = null;
  #knownFiles;
  #declining = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);
  #ended = new AbortController();

  /**
   * Enters a room. Resolves when the relay has taken us in, or when the network keeps us out for now: then status says why, and
   * the session goes on trying. Rejects with a sentence for people.
   * @param {Options} options
   * @param {{state: Kept, items: Item[], files: FileRecord[]}} [handed] by a tab that had this room before
   */
  static async open(options, handed) {
    const keys = await roomKeys(options.root);
    const kept = handed?.state ?? (options.keep ? await (await vault()).kept(keys.roomId) : null);
    const as = kept ? undefined : options.as?.();
    const secret = kept ? new Uint8Array(kept.secret) : (as?.secret ?? newMemberSecret());
    const { alias } = options;
    const group = kept ? await Group.import(/** @type {any} */ (kept.group), { keys, secret }) : await Group.create({ keys, secret, alias, identity: as?.identity });
    if (group.alias !== alias) await group.setAlias(alias);
    const session = new Session(options, { keys, secret, group, kept, items: handed?.items, files: handed?.files });
    if (kept) await session.#resume(kept.outbox);
    try {
      await session.#stay.connection.start();
    } catch (error) {
      await session.close();
      throw error;
    }
    if (handed?.files.length) void session.#withFiles(); // what was on its way goes on
    if (kept && !handed) session.#declineFiles(); // those that the page before was fetching
    return session;
  }

  /**
   * Use open.
   * @param {Options} options
   * @param {{keys: Keys, secret: Bytes, group: Group, kept: Kept | null, items?: Item[], files?: FileRecord[]}} own
   */
  constructor(options, { keys, secret, group, kept, items, files }) {
    super();
    this.#origin = options.origin ?? '';
    this.#site = options.site || this.#origin || globalThis.location?.origin;
    this.#keep = options.keep ?? false;
    this.kind = options.kind ?? (options.name ? 'passphrase' : 'link');
    this.name = options.name ?? null;
    this.#secret = secret;
    this.#verified = new Map(kept?.verified);
    this.#shareFile = options.shareFile;
    this.#knownFiles = files;
    this.timer = kept?.timer ?? null;
    this.#timerIsOwn = kept?.timerIsOwn ?? false;
    if (kept?.crossing) this.#crossing = { keys: kept.crossing.keys, late: new Set(kept.crossing.late) };
    this.#timeline = new Timeline((name, detail) => this.#happened(name, detail), items);
    this.#stay = this.#newStay(keys, group, kept);
    if (items?.some(({ until }) => until)) this.#watchFuse();
    this.#keeper = new Keeper({ roomId: keys.roomId, make: () => this.#state(), share: options.share, keep: this.#keep });
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
    return this.#stay.door?.rows ?? [];
  }

  /** Names of those who type. */
  get typing() {
    return this.#heard?.typing.filter((id) => id !== this.self).map((id) => this.#stay.aliasOf(id)).filter(Boolean) ?? [];
  }

  /**
   * Sends a message. The item is in the timeline at once, queued, and tells how it goes on; this never waits for the network.
   * @param {string} body
   * @param {{key?: string, re?: string, me?: boolean}} [how] key: of its item, the same key is sent once; re: key of the item that it answers
   */
  send(body, { key = newKey(this.self), re, me } = {}) {
    const had = this.#timeline.find(key);
    if (had && (had.state !== 'queued' || this.#stay.outbox.has(key))) return had;
    const content = { k: 'text', id: key.slice(key.indexOf(' ') + 1), body, re, me, ttl: this.timer || undefined };
    const item = had ?? this.#own(key, content); // a tab that asked for it shows it already, whether or not a leader took it before it crashed
    this.#stay.outbox.add({ key, content, at: item.at }); // under the same id, should it be on its way after all
    this.#stay.connection.active();
    return item;
  }

  /** @param {string} key @param {{body: string} & Record<string, any>} content @param {number} [at] */
  #own(key, content, at = Date.now()) {
    const { body } = content;
    return this.#timeline.add({ key, at, kind: 'text', own: true, from: this.self, alias: this.alias, body, state: 'queued', reason: '', ...mannersOf(content) });
  }

  /** Says an own message anew. @param {string} key @param {string} body */
  async edit(key, body) {
    const item = this.#timeline.find(key);
    if (item?.own && !item.gone && item.body !== body) await this.#change({ k: 'edit', of: key, body });
  }

  /** Takes an own message back: from everybody who has it, without a trace from whom it has not left. @param {string} key */
  async erase(key) {
    const item = this.#timeline.find(key);
    if (!item?.own || item.gone) return;
    if (item.kind === 'file') await this.dropFile(key);
    if (this.#stay.outbox.withdraw(key) || item.state === 'failed') return this.#burn([key]);
    await this.#change({ k: 'delete', of: key });
    await this.#forget([key]);
  }

  /** @param {string} key @param {string} emoji @param {boolean} on */
  async react(key, emoji, on) {
    if (on && !(await this.#talking()).takes(key, this.self, emoji)) throw new Error('No more emoji fit under this message.');
    await this.#change({ k: 'react', of: key, emoji, on });
  }

  /** Sets how long messages of the room stay once they were read. @param {number} ttl seconds; 0 for ever */
  async setTimer(ttl) {
    if (ttl !== (this.timer ?? 0)) await this.#change({ k: 'timer', ttl });
  }

  /** Tells the others that this member types, or has stopped. Of no use later, so it never waits for the network. @param {boolean} on */
  types(on) {
    const { state } = this.status;
    if (state === 'live' || state === 'polling') this.#stay.outbox.add({ key: '', content: { k: 'typing', on } });
  }

  /** The reader has seen these: their timers start. @param {string[]} keys */
  read(keys) {
    for (const key of keys) {
      const item = this.#timeline.find(key);
      if (item && !item.own) this.#burns(item);
    }
  }

  /** Empties the timeline in this browser, but for what is on its way out. The others keep theirs. */
  clear() {
    const out = this.items.filter(({ own, state }) => !(own && state === 'queued'));
    this.#timeline.remove(out.map(({ key }) => key));
    for (const { key, own } of out) if (!own) this.#files?.forget(key); // own ones are still fetched
  }

  /**
   * Names of the members who do not have an own message yet; null if nobody can tell.
   * @param {string} key
   * @returns {Promise<string[] | null>}
   */
  async missing(key) {
    const { place = '' } = this.#timeline.find(key) ?? {};
    const { members } = await this.#stay.connection.members();
    if (!place || epochOf(place) !== epochOf(this.#stay.connection.cursor ?? '')) return null;
    const late = members.filter(({ id, acked }) => id !== this.self && acked && isBefore(acked, place));
    return late.map(({ id }) => this.#stay.aliasOf(id)).filter(Boolean);
  }

  /** Tells the others of a change, and makes it here. @param {{k: string} & Record<string, any>} content */
  async #change(content) {
    this.#stay.outbox.add({ key: '', content });
    this.#stay.connection.active();
    await this.#hear({ key: b64u(random(9)), from: this.self, alias: this.alias, at: Date.now() }, content);
  }

  /** @param {import('./talk.js').Head} head @param {{k: string} & Record<string, any>} content */
  async #hear(head, content) {
    (await this.#talking()).hear(head, content);
  }

  /** The first change fetches what knows them. */
  #talking() {
    this.#talk ??= part(() => import('./talk.js')).then(({ Talk, Fuse }) => {
      this.#fuse = new Fuse(() => this.items, (keys) => this.#burn(keys), this.#ended.signal);
      this.#heard = new Talk({ timeline: this.#timeline, typed: () => this.#tell('typing'), timed: (ttl, head) => this.#timed(ttl, head) });
      this.#fuse.look();
      return this.#heard;
    });
    this.#talk.catch(() => (this.#talk = null)); // the network was in the way; the next one tries again
    return this.#talk;
  }

  /** @param {'item' | 'update' | 'gone'} name @param {any} detail */
  #happened(name, detail) {
    if (name === 'item') {
      this.#heard?.settle(detail);
      this.#tellTimer(detail);
    }
    if (name === 'update' && detail.kind === 'file') this.#fileChanged(detail);
    this.#tell(name, detail);
  }

  /** Who comes later learns the timer from whoever set it, or from the next message. @param {Item} item */
  #tellTimer({ event, ttl, own }) {
    if (COMES.has(event ?? '') && this.#timerIsOwn && this.timer) this.#stay.outbox.add({ key: '', content: { k: 'timer', ttl: this.timer } });
    if (!ttl || own || this.timer !== null) return;
    this.timer = ttl;
    this.#tell('timer');
  }

  /** The latest in the log counts; an own one at once, and again when it has its place. @param {number} ttl @param {import('./talk.js').Head} head */
  #timed(ttl, { key, from, alias, at, place = '' }) {
    if (place && isBefore(place, this.#timerAt)) return;
    if (place) this.#timerAt = place;
    this.#timerIsOwn = from === this.self;
    if (ttl === (this.timer ?? 0)) return void (this.timer = ttl);
    this.timer = ttl;
    if (key) this.#timeline.add({ key, at, kind: 'system', event: 'timer', from, alias, own: this.#timerIsOwn, count: ttl });
    this.#tell('timer');
  }

  /** @param {Item} item of a file */
  #fileChanged(item) {
    if (item.gone) this.#files?.forget(item.key);
    else if (item.own && item.transfer === 'done') this.#burns(item);
  }

  /** An item was read, or an own one has gone out; a file's time begins when it is here, or out. @param {Item} item @param {number} [from] ms since 1970 */
  #burns({ key, ttl, until, own, transfer }, from = Date.now()) {
    if (!ttl || until || transfer === 'waiting' || transfer === 'moving' || (own && transfer === 'offered')) return;
    this.#timeline.update(key, { until: from + ttl * 1000 });
    this.#watchFuse();
  }

  #watchFuse() {
    this.#talking().then(() => this.#fuse?.look(), (error) => console.warn('snug: what should vanish stays', error));
  }

  /** @param {string[]} keys */
  #burn(keys) {
    this.#timeline.remove(keys);
    this.#forget(keys).catch((error) => console.warn('snug: what vanished is still kept', error));
  }

  /** What has vanished here, or was taken back, is kept here no longer to be sent again. @param {string[]} keys */
  async #forget(keys) {
    for (const key of keys) this.#files?.forget(key);
    for (const key of keys) await this.#stay.outbox.forget(key);
    await this.#keeper.save();
  }

  /**
   * Sends a file. The item is in the timeline at once and tells how it goes on.
   * @param {import('./files.js').Parcel} parcel
   * @param {string} [key] of its item; the same key is sent once
   */
  async sendFile(parcel, key = `${this.self} ${b64u(random(16))}`) {
    await (await this.#withFiles()).send({ ...parcel, ttl: this.timer || undefined }, key);
    this.#stay.connection.active();
  }

  /** Fetches a file that was offered. @param {string} key of its item @param {FileSystemFileHandle} [handle] where it shall go */
  async getFile(key, handle) {
    if (this.#timeline.find(key)?.until) this.#timeline.update(key, { until: undefined }); // it is read when it is here
    await (await this.#withFiles()).get(key, handle);
  }

  /** Takes an own file back, or refuses another's. @param {string} key */
  async dropFile(key) {
    await (await this.#withFiles()).drop(key);
  }

  /** The file of an item, once it is here. @param {string} key */
  fileOf(key) {
    return this.#files?.record(key)?.blob;
  }

  /** Something could not be read, or was forgotten, and may have announced a file: unless one is on its way here, nobody shall be held up by us with any. */
  #declineFiles() {
    if (this.#declining || this.#files?.fetching) return;
    this.#declining = setTimeout(() => {
      this.#declining = undefined;
      if (this.#files?.fetching || this.#ended.signal.aborted) return;
      part(() => import('./lanes.js'))
        .then(({ insist }) => insist(() => this.#stay.connection, this.#ended.signal, (line) => line.skipFiles()))
        .catch((error) => this.#ended.signal.aborted || console.warn('snug: files are not refused', error));
    }, UNREAD);
  }

  /** All that is known of files, for the browser's other tabs. */
  get files() {
    return this.#files?.records ?? this.#knownFiles ?? [];
  }

  /** The first file fetches what files are made of. */
  async #withFiles() {
    const { Files } = await part(() => import('./files.js'));
    this.#files ??= new Files({
      self: () => this.self,
      line: () => this.#stay.connection,
      roomId: () => this.roomId,
      timeline: this.#timeline,
      send: (content, key) => this.#stay.outbox.add({ key, content }),
      show: ({ key, body, ...how }, file) => this.#timeline.add({ key, kind: 'file', own: true, from: this.self, alias: this.alias, body, ...mannersOf(how), file, transfer: 'waiting', state: 'queued', reason: '' }),
      here: (id) => this.#stay.group.members().some((member) => member.id === id && member.status !== 'left'),
      others: () => this.#stay.group.members().filter(({ status }) => status !== 'self' && status !== 'left').length,
      share: (record) => this.#shareFile?.(record),
      progress: (progress) => this.#tell('progress', progress),
    }, this.#knownFiles);
    return this.#files;
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

  /** Remembers that somebody here has compared a member's fingerprint, or no longer. @param {string} id @param {boolean} on */
  async verify(id, on) {
    const member = this.members.find((each) => each.id === id);
    if (!member || member.self || member.changed) return;
    if (on) this.#verified.set(id, member.key);
    else this.#verified.delete(id);
    await this.#keeper.save();
    this.#drawMembers();
  }

  /** Whether whoever comes now has to wait until a member lets them in. */
  get locked() {
    return this.#stay.group.locked;
  }

  /** Whether this member itself has to wait. */
  get waits() {
    return this.#stay.group.waits;
  }

  /** Locks the room or opens it, for those who come and those who wait. @param {boolean} on */
  async lock(on) {
    await this.#stay.gate((gate) => gate.lock(on));
    await this.#keeper.save();
    this.#drawMembers();
  }

  /** Lets a member in who waits. @param {string} id */
  async admit(id) {
    await this.#stay.gate((gate) => gate.admit(id));
    await this.#keeper.save();
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
  async answer(id) {
    await this.#stay.door?.answer(id);
  }

  /** @param {string} id */
  async approve(id) {
    await this.#stay.door?.approve(id);
  }

  /** @param {string} id */
  async refuse(id) {
    await this.#stay.door?.refuse(id);
  }

  /**
   * Ends the session on this page. A kept room, or one that another tab goes on with, stays the same member; any other member leaves.
   * Resolves when nothing is written any more.
   * @param {{handOver?: boolean}} [options]
   */
  async close({ handOver = false } = {}) {
    if (this.#ended.signal.aborted) return;
    const { connection } = this.#stay;
    const written = this.#end(false, handOver);
    if (!this.#keep && !handOver) connection.leave(true).catch(() => undefined); // the relay lets us go by time
    await written;
  }

  /** Nothing is told or written after this. @param {boolean} wipe @param {boolean} [handOver] */
  async #end(wipe, handOver = false) {
    this.#ended.abort();
    const emptied = this.#files?.close(handOver);
    void this.#stay.close(handOver);
    await this.#keeper.close(wipe);
    await emptied;
  }

  /** What was on its way when the page before ended goes on, and is shown. @param {import('./connection.js').OutboxState} state */
  async #resume(state) {
    this.#stay.outbox.resume(state);
    const sent = new Set(state.entries.filter(({ seq, had }) => seq > 0 || had).map(({ letter }) => letter.key));
    for (const { key, content, at = Date.now() } of new Set([...state.entries.map(({ letter }) => letter), ...state.letters])) {
      const { k, body, ...rest } = /** @type {{k: string} & Record<string, any>} */ (content ?? { k: '' });
      if (k === 'text' && key) {
        const item = this.#own(key, { body, ...rest }, at);
        if (sent.has(key)) this.#burns(item, at);
      }
      if (['edit', 'delete', 'react'].includes(k)) await this.#hear({ key: '', from: this.self, alias: this.alias, at }, { k, body, ...rest });
    }
  }

  /** @param {string} key @param {import('./connection.js').State} state @param {string} reason @param {import('../net/relay.js').Posted} [posted] */
  #toldOf(key, state, reason, posted) {
    this.#timeline.update(key, posted ? { state, reason, place: posted.cursor } : { state, reason });
    const item = this.#timeline.find(key);
    if (item?.gone && posted) this.#forget([key]).catch((error) => console.warn('snug: what was taken back is still kept', error));
    if (item && (state === 'sent' || state === 'all')) this.#burns(item);
  }

  /** @param {import('./talk.js').Head} head @param {{k: string} & Record<string, any>} content */
  async #changed(head, content) {
    // What cannot be understood for want of a module is no silence.
    await this.#hear(head, content).catch(({ message }) => this.#timeline.add({ ...head, kind: 'failed', reason: `Part of the page could not be loaded: ${message}.` }));
  }

  /** @param {Keys} keys @param {Group} group @param {Kept | null} [kept] @param {{id: string, card: string}[]} [known] the others who are to be there */
  #newStay(keys, group, kept, known = kept?.cards) {
    const options = { origin: this.#origin, secret: this.#secret, timeline: this.#timeline, cursor: kept?.cursor, known, gate: kept?.gate, keys, group };
    return new Stay(options, {
      told: (key, state, reason, posted) => this.#toldOf(key, state, reason, posted),
      change: (head, content) => this.#changed(head, content),
      members: () => (this.#files?.look(), this.#drawMembers()),
      knocks: () => this.#tell('knocks'),
      status: (status) => this.#setStatus(status),
      saved: () => this.#keeper.save(),
      moved: (move) => this.#follow(move),
      removed: (by) => this.#removed(by),
      file: async (head, content) => (await this.#withFiles()).hear(head, content),
      unread: () => this.#declineFiles(),
      settled: (id) => this.#crossed(id),
      posted: (content, place) => void (content.k === 'timer' && this.#timed(content.ttl, { key: '', from: this.self, alias: this.alias, at: 0, place })),
      anew: () => this.#files?.anew(),
    });
  }

  /** Goes to the new room as the same member, with the same people trusted. @param {Move & {root: Bytes}} move */
  async #follow({ root, removed, by, at }) {
    const old = this.#stay;
    const names = removed.map((id) => old.aliasOf(id) || '?').join(', ');
    const { group, keys } = await old.group.successor(root, removed);
    // Who reads the move late is a member there from the start, and loses nothing.
    const late = old.group.members().filter(({ id, status }) => status === 'here' && !removed.includes(id)).map(({ id }) => id);
    const next = this.#newStay(keys, group, null, late.map((id) => ({ id, card: '' })));
    this.#crossing = { keys: [...this.#crossing.keys, ...old.outbox.unread(seqOf(at))], late: new Set(late) };
    for (const letter of old.outbox.left(seqOf(at))) next.outbox.add(letter);
    this.#stay = next;
    this.#timerAt = '';
    this.#crossed('');
    this.#files?.anew();
    Object.assign(this, { kind: 'link', name: null });
    this.#timeline.add({ kind: 'system', event: 'moved', own: by === this.self, alias: old.aliasOf(by), body: names });
    await this.#keeper.moveTo(keys.roomId).catch((error) => console.warn('snug: the room is not kept any more', error));
    await next.connection.start().catch((/** @type {Error} */ error) => this.#setStatus({ state: 'blocked', reason: error.message }));
    void old.group.close();
    this.#tell('moved', { link: this.link, root });
    this.#tell('knocks');
    // Only now: in the old room we are owed nothing more, and the move itself stays there for those who sleep.
    void old.connection.leave(false).catch(() => undefined); // the relay lets us go by time
  }

  /** Whoever comes to the new room has read all that lies before the move. @param {string} id */
  #crossed(id) {
    const { keys, late } = this.#crossing;
    late.delete(id);
    if (late.size > 0) return;
    for (const key of keys.splice(0)) this.#toldOf(key, 'all', '');
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
      waiting: status === 'waiting',
      verified: this.#verified.get(id) === rest.key,
      away: status !== 'self' && away.has(id),
    }));
    this.#tell('members');
  }

  /** @param {{state: string, reason: string}} status */
  #setStatus({ state, reason }) {
    this.status = { state, reason, latency: this.#stay.connection.latency || null };
    this.#tell('status');
  }

  /** Resolves when everything up to here is told to the other tabs, and kept where it has to be. */
  saved() {
    return this.#keeper.save();
  }

  /** Where this member stands. @returns {Promise<Kept>} */
  async state() {
    const state = await this.#state();
    if (!state) throw new Error('This room is closed.');
    return state;
  }

  /** Between two events, for a message is opened only once. Null if the stay ended in the midst of one. */
  async #state() {
    // Asked again, since the next event may have begun before we go on; from here to the group's turn nothing can.
    while (this.#stay.connection.busy) if (!(await this.#stay.connection.settled())) return null;
    const { keys, connection, inbox, outbox, gated } = this.#stay;
    const { roomId, kind, name, alias } = this;
    const cursor = connection.cursor; // from before: an event is rather read again than missed
    const group = await this.#stay.group.export();
    const timer = { timer: this.timer, timerIsOwn: this.#timerIsOwn };
    const crossing = { keys: this.#crossing.keys, late: [...this.#crossing.late] };
    return { roomId, kind, name, alias, group, ...timer, crossing, root: keys.root, secret: this.#secret, cursor, cards: inbox.known(), outbox: outbox.export(), gate: gated, verified: [...this.#verified] };
  }

  /** @param {string} name @param {unknown} [detail] */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
