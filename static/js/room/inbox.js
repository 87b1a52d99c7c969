// @ts-check
/**
 * What comes in: turns the relay's events into members, timeline items and answers. Everything that cannot be opened is shown with
 * its reason; nothing is dropped without a word, but what was handled before.
 */
import { unb64u } from '../lib/bytes.js';
import { seqOf } from './connection.js';

/** @typedef {import('../net/types.js').RelayEvent} RelayEvent */
/** @typedef {import('../crypto/group.js').Group} Group */
/** @typedef {import('./timeline.js').Timeline} Timeline */

/**
 * @typedef {object} Room what the inbox may do to the session
 * @property {Group} group
 * @property {Timeline} timeline
 * @property {(id: string) => string} aliasOf
 * @property {(content: {k: string} & Record<string, any>) => void} whisper sends something that is not a message to read
 * @property {() => Promise<import('../net/types.js').Roster>} refresh asks for the list of members again
 * @property {() => void} membersChanged
 * @property {(move: {root: import('../lib/bytes.js').Bytes | null, removed: string[], by: string}, at: string) => Promise<void>} moved at a place of the log
 * @property {(knock: {id: string, body: string}) => void} knock
 */

const ASK_AGAIN = 30_000; // ms between two requests for the same sender's keys; its answer is a whole keys frame
const LONGEST = 200_000; // characters of one message that are shown

/** Why a frame could not be opened, in words. @type {Record<string, string>} */
const REASONS = {
  'unknown-sender': 'It is from somebody this room has no card of.',
  'before-you': 'It was sent before its sender knew that you are here.',
  'bad-signature': 'Its signature is wrong: it is not from the member it names, or was changed on its way.',
  changed: 'It is signed with a new identity that nobody has accepted yet.',
  expired: 'The keys to it are erased, as they are after a while.',
  damaged: 'It was damaged or cut short.',
  'unknown-type': 'It was sent with a newer version of snug. Reload the page to get it.',
};

export class Inbox {
  #room;
  #cards;
  /** Cards of changed members, until somebody accepts them. @type {Map<string, string>} */ #pending = new Map();
  /** The newest list of members that was handed over as a whole, and its number. */
  #list = { number: 0, here: /** @type {Set<string>} */ (new Set()) };
  #asked = /** @type {Map<string, number>} */ (new Map());

  /** @param {Room} room @param {{id: string, card: string}[]} [known] of an earlier stay */
  constructor(room, known = []) {
    this.#room = room;
    this.#cards = new Map(known.map(({ id, card }) => [id, card]));
  }

  /** Everybody whose card is held: what a restarted relay is told. */
  known() {
    return [...this.#cards].map(([id, card]) => ({ id, card }));
  }

  /**
   * The list of members as the relay has it, at a join or later: who is not in it is not in the room.
   * @param {import('../net/types.js').Roster} roster
   */
  async roster({ roster: number, members }) {
    const { group } = this.#room;
    const here = new Set(members.map(({ id }) => id));
    this.#list = { number, here };
    for (const { id, status } of group.members()) if (status !== 'self' && status !== 'left' && !here.has(id)) await this.#left(id);
    for (const { id, card } of members) if (id !== group.id) await this.#learn(id, card, false);
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
    if (!before) this.#room.timeline.add({ key, kind: 'system', event: 'joined', from: id, alias: this.#room.aliasOf(id) });
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
   */
  async #learn(id, card, aloud) {
    const { group, timeline, aliasOf } = this.#room;
    if (!card) return group.returned(id);
    if (id === group.id) return true;
    const before = aliasOf(id);
    const wasChanged = this.#isChanged(id);
    const { status, reason, member } = await group.learn(id, bytes(card));
    if (status === 'bad') {
      timeline.add({ kind: 'failed', from: id, alias: before, reason: `A member's card cannot be trusted: ${reason}.` });
      return false;
    }
    if (status === 'changed') this.#cards.delete(id); // nobody is told of an identity that is in doubt
    const cards = status === 'changed' ? this.#pending : this.#cards;
    if (status !== 'same' || !cards.has(id)) cards.set(id, card);
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
    this.#room.timeline.add({ key, kind: 'system', event: 'left', from: id, alias, reason });
    if (old && here.has(id)) return;
    await this.#left(id);
    this.#room.membersChanged();
  }

  /** @param {string} id */
  async #left(id) {
    this.#cards.delete(id);
    await this.#room.group.left(id);
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
    if (opened.kind === 'content') return this.#content({ key, from, at }, opened.content);
    if (opened.kind === 'move') return this.#room.moved(opened, place);
    if (opened.kind !== 'failed') return;
    if (opened.need) this.#ask(from);
    this.#room.timeline.add({ key, kind: 'failed', from, alias: this.#room.aliasOf(from), at, reason: REASONS[opened.reason] ?? opened.reason });
  }

  /** @param {{key: string, from: string, at: number}} head @param {{k: string} & Record<string, any>} content */
  async #content(head, content) {
    const { group, timeline, aliasOf } = this.#room;
    const item = { ...head, alias: aliasOf(head.from) };
    if (content.k === 'need') return content.of === group.id ? group.owe(head.from) : undefined;
    if (content.k === 'text' && typeof content.body === 'string') {
      // Sealed anew for another room or another list of members it is another frame, but the same text.
      const key = typeof content.id === 'string' ? `${head.from} ${content.id}` : head.key;
      timeline.add({ ...item, key, kind: 'text', body: content.body.slice(0, LONGEST) });
      return;
    }
    timeline.add({ ...item, kind: 'failed', reason: REASONS['unknown-type'] });
  }

  /** Asks a sender to seal its chain to us again. @param {string} of */
  #ask(of) {
    const now = Date.now();
    if (now - (this.#asked.get(of) ?? -ASK_AGAIN) < ASK_AGAIN) return;
    this.#asked.set(of, now);
    this.#room.whisper({ k: 'need', of });
  }
}

/** What the relay says are bytes; none if it is not base64url, so that it counts as damaged. @param {string} text */
function bytes(text) {
  try {
    return unb64u(text);
  } catch {
    return new Uint8Array();
  }
}
