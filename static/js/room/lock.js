// @ts-check
/**
 * A locked room, as its members and those who wait live in it: what strangers say is held until they are let in, they are told that they wait,
 * and every word of it stands in the timeline. Who may read what is crypto/group.js's matter.
 */
import { b64u, random } from '../lib/bytes.js';
import { REASONS } from './reasons.js';

/** @typedef {import('../crypto/chains.js').Content} Content */
/** @typedef {{key: string, from: string, at: number}} Head */
/** @typedef {{item: string, lost: number, said: {head: Head, content: Content}[]}} Held what one stranger has said; lost: what is not kept */
/** @typedef {{held: [string, Held][], expected: [string, string][]}} Kept what those have said who wait; who was let in before they came, and by whom */

/**
 * @typedef {object} Room what the gatekeeper may do to the stay
 * @property {import('../crypto/group.js').Group} group
 * @property {import('./session.js').Timeline} timeline
 * @property {(id: string) => string} aliasOf
 * @property {(id: string) => boolean} isAway
 * @property {(letter: import('./connection.js').Letter) => void} send
 * @property {(head: Head, content: Content) => unknown} show what was said, once it may be
 */

const MOST = 50; // messages of strangers that are kept, what they can make us hold in memory, at 64 KB each; and who is let in and does not come
const UNSAID = new Set(['need', 'typing', 'receipt']); // is of no use later

export class Gatekeeper {
  #room;
  /** @type {Map<string, Held>} */ #held;
  /** Who was told that they wait, by anybody. */
  #told = /** @type {Set<string>} */ (new Set());
  /** Who was let in before they came, and by whom. @type {Map<string, string>} */
  #expected;
  /** @type {{item: string, count: number} | null} */ #unread = null;

  /** @param {Room} room @param {Kept} [kept] */
  constructor(room, { held, expected } = { held: [], expected: [] }) {
    this.#room = room;
    this.#held = new Map(held);
    this.#expected = new Map(expected);
  }

  /** What goes along to the next tab, or into a kept room. @returns {Kept} */
  export() {
    return { held: [...this.#held], expected: [...this.#expected] };
  }

  /** Locks the room or opens it, for this member at once. @param {boolean} on */
  async lock(on) {
    const { group, send } = this.#room;
    if (group.locked === on) return;
    const content = await group.lock(on);
    send({ key: this.#own(on ? 'locked' : 'opened'), content });
    if (!on) await this.#releaseAll();
  }

  /** @param {string} id */
  async admit(id) {
    const { group, send, aliasOf } = this.#room;
    const [admit, lock] = await group.admit(id);
    send({ key: this.#own('admitted', aliasOf(id)), content: admit });
    send({ key: '', content: lock });
    await this.#release(id);
  }

  /** Somebody who knocks is let in before it comes. Resolves when the relay has that, so that it stands before the coming. @param {{id: string, key: string}} arrival */
  async expect(arrival) {
    const { group, send } = this.#room;
    this.#expects(arrival.id, group.id);
    const content = await group.expect(arrival);
    await new Promise((done) => send({ key: '', content, tell: (state) => state === 'queued' || done(undefined) }));
  }

  /** @param {string} id @param {string} by */
  #expects(id, by) {
    this.#expected.set(id, by);
    if (this.#expected.size > MOST) this.#expected.delete([...this.#expected.keys()][0]); // so many come to nothing
  }

  /** @param {import('./session.js').Happening} event @param {string} [body] */
  #own(event, body) {
    const { group, timeline } = this.#room;
    return timeline.add({ kind: 'system', event, own: true, from: group.id, alias: group.alias, body }).key;
  }

  /** A member has locked or opened the room, or let somebody in. @param {Head} head @param {Content} content @param {boolean} [news] */
  async ruled(head, content, news) {
    const { group, timeline, aliasOf } = this.#room;
    if (content.k === 'admit' && !group.members().some(({ id }) => id === content.id)) this.#expects(content.id, head.from);
    if (!news) return;
    const item = { ...head, kind: /** @type {const} */ ('system'), alias: aliasOf(head.from) };
    if (content.k === 'lock') {
      timeline.add({ ...item, event: content.on ? 'locked' : 'opened' });
      if (content.on) this.look(); // it may name somebody who came before it was in the log
      else await this.#releaseAll();
      return;
    }
    const own = content.id === group.id;
    timeline.add({ ...item, event: own ? 'letin' : 'admitted', body: aliasOf(content.id) });
    if (own) this.#unread = null;
    else await this.#release(content.id);
  }

  /** Somebody who waits has said something. @param {Head} head @param {Content} content */
  hold(head, content) {
    if (UNSAID.has(content.k)) return;
    const { timeline, aliasOf } = this.#room;
    const { from } = head;
    const held = this.#held.get(from) ?? { item: b64u(random(9)), lost: 0, said: [] };
    this.#held.set(from, held);
    const kept = [...this.#held.values()].reduce((sum, { said }) => sum + said.length, 0);
    if (kept < MOST) held.said.push({ head, content });
    else held.lost++;
    const count = held.said.length + held.lost;
    timeline.add({ key: held.item, kind: 'system', event: 'held', from, alias: aliasOf(from), count });
    timeline.update(held.item, { count });
  }

  async #releaseAll() {
    for (const id of [...this.#held.keys()]) await this.#release(id);
  }

  /** What a member had said while it waited is shown. @param {string} id */
  async #release(id) {
    const held = this.#held.get(id);
    if (!held) return;
    this.#held.delete(id);
    const { timeline, show } = this.#room;
    timeline.update(held.item, { event: 'heldread', reason: held.lost ? `${held.lost} more could not be kept` : '' });
    for (const { head, content } of held.said) await show(head, content);
  }

  /** A member says who waits: maybe this one. @param {Head} head @param {{ids: string[], by: string}} said */
  waiting(head, { ids, by }) {
    const { group, timeline, aliasOf } = this.#room;
    for (const id of ids) this.#told.add(id);
    if (!ids.includes(group.id) || !group.waits) return;
    timeline.add({ key: 'waits', kind: 'system', event: 'waits', from: by, alias: aliasOf(by), at: head.at });
    this.#explain();
  }

  /** What could not be read before this one was told that it waits could not for that reason. */
  #explain() {
    const { timeline } = this.#room;
    const early = timeline.items.filter(({ kind, reason }) => kind === 'failed' && reason === REASONS['before-you']);
    timeline.remove(early.map(({ key }) => key));
    for (const { at } of early) this.passed(at);
  }

  /** Members talk, and this one may not read it yet. @param {number} at */
  passed(at) {
    const { timeline } = this.#room;
    this.#unread ??= { item: b64u(random(9)), count: 0 };
    const { item } = this.#unread;
    const count = ++this.#unread.count;
    timeline.add({ key: item, kind: 'system', event: 'passed', at, count });
    timeline.update(item, { count });
  }

  /**
   * Somebody came, or came again: it does not know that it waits, or that the room it was let into is locked. That is for who let it in to say, or,
   * without that one, for the first.
   * @param {string} id
   */
  came(id) {
    const { group, send } = this.#room;
    this.#told.delete(id);
    const by = this.#expected.get(id);
    const here = this.#here(id);
    if (this.#expected.delete(id) && !group.waits && (here.includes(String(by)) ? by : here[0]) === group.id) send({ key: '', content: group.lockWord() });
    this.look();
  }

  /** Those who wait can read nothing, so somebody has to tell them why: of the members who are here, the first by id. */
  look() {
    const { group, send } = this.#room;
    if (group.waits) return;
    const ids = group.members().filter(({ id, status }) => status === 'waiting' && !this.#told.has(id)).map(({ id }) => id);
    if (ids.length === 0 || this.#here()[0] !== group.id) return;
    for (const id of ids) this.#told.add(id);
    send({ key: '', make: () => group.tellWaiting(ids) });
  }

  /** Members who are here, by id. @param {string} [but] who has just come and knows nothing yet */
  #here(but) {
    const { group, isAway } = this.#room;
    const here = group.members().filter(({ id, status }) => status === 'self' || (status === 'here' && !isAway(id) && id !== but));
    return here.map(({ id }) => id).sort();
  }
}
