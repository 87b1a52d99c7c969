// @ts-check
/**
 * Group: one member's end-to-end state of one room. It turns content into frames and frames into content; it knows no network and
 * no clock but the one it is given. Calls may overlap: they take effect in the order in which they were made.
 */
import { utf8 } from '../lib/bytes.js';
import { fingerprint, safetyCode } from './card.js';
import { KEYS, MESSAGE, MOVE } from './frame.js';
import { Identity } from './identity.js';
import { KnockHost } from './knock.js';
import { readFrame, received } from './receiver.js';
import { memberId, newLinkRoot, roomKeys } from './root.js';
import { addressee, Roster } from './roster.js';
import { sealMessage, sealMove } from './sealed.js';
import { Shells } from './shells.js';
import { State } from './state.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./root.js').RoomKeys} RoomKeys */
/** @typedef {import('./receiver.js').Opened} Opened */
/** @typedef {import('./state.js').Learning} Learning */
/** @typedef {import('./state.js').MemberView} MemberView */

/** @typedef {{type: number, bytes: Bytes, to?: string[]}} Frame to: whom a keys frame is sealed to */

/**
 * What "keep on this device" stores: structured-cloneable, all secrets. The sending chain is not in it, only its number: an old
 * copy that went on where it stood would use message keys a second time.
 * @typedef {object} GroupState
 * @property {1} v
 * @property {string} alias
 * @property {import('./identity.js').IdentityState} identity
 * @property {number} e
 * @property {import('./roster.js').MemberState[]} members
 * @property {string[]} shells
 */

export class Group {
  #state;
  #shells;
  #handedOn = false;

  /**
   * Use create or import. The group owns the identity: close erases it, unless a successor took it over. The keys stay the caller's.
   * @param {import('./state.js').Options & {shells?: Shells}} options
   */
  constructor({ shells, ...options }) {
    this.#state = new State(options);
    this.#shells = shells ?? new Shells(options.keys);
  }

  /**
   * A member that is new in its room.
   * @param {{keys: RoomKeys, secret: Bytes, alias: string, identity?: Identity, clock?: () => number}} options
   */
  static async create({ keys, secret, alias, clock = Date.now, identity }) {
    const [member, own] = await Promise.all([memberId(secret), identity ?? Identity.create(clock())]);
    return new Group({ keys, member, identity: own, words: await fingerprint(own.public), alias, clock });
  }

  get id() {
    return this.#state.self.id;
  }

  get alias() {
    return this.#state.alias;
  }

  /** One's own card as a frame; the same bytes until it is replaced. @returns {Promise<Bytes>} */
  card() {
    return this.#state.inTurn(() => this.#state.card());
  }

  /** Takes another name. Gives the card to publish. @param {string} alias @returns {Promise<Bytes>} */
  setAlias(alias) {
    return this.#state.inTurn(() => this.#state.replaceCard(alias));
  }

  /**
   * Erases keys whose time is over, and gives the card to publish when it is time for a new HPKE key. Call it every minute or so.
   * @returns {Promise<Bytes | null>}
   */
  rotateIfDue() {
    const state = this.#state;
    return state.inTurn(async () => {
      state.sweep();
      return state.identity.isDue(state.clock()) ? state.replaceCard() : null;
    });
  }

  /**
   * Takes in the card that the relay has for a member, who is in the room from now on.
   * @param {string} id
   * @param {Uint8Array} frame
   * @returns {Promise<Learning>}
   */
  learn(id, frame) {
    const reading = this.#state.readCard(id, frame);
    return this.#state.inTurn(async () => this.#state.takeCard(await reading));
  }

  /**
   * Trusts the new identity of a changed member, by a person's word. False if there was nothing to accept.
   * @param {string} id
   */
  accept(id) {
    const { roster, sender } = this.#state;
    return this.#state.inTurn(async () => {
      const accepted = await roster.accept(id);
      if (accepted) sender.end();
      return accepted;
    });
  }

  /**
   * A member is no longer in the room: it reads nothing that is sealed after this.
   * @param {string} id
   */
  left(id) {
    const { roster, sender, clock } = this.#state;
    return this.#state.inTurn(async () => {
      if (roster.left(id, clock())) sender.end();
    });
  }

  /**
   * A member is in the room again, and the relay left out the card because it is the one already held. False if none is held.
   * @param {string} id
   */
  returned(id) {
    return this.#state.inTurn(async () => this.#state.roster.returned(id));
  }

  /**
   * Makes the next keys frame go to these members again: they asked for it (content of kind need), or a keys frame that named
   * them was not posted after all.
   * @param {...string} ids
   */
  owe(...ids) {
    return this.#state.inTurn(async () => ids.forEach((id) => this.#state.sender.owe(id)));
  }

  /** Everybody known, oneself first, as of now. @returns {MemberView[]} */
  members() {
    return this.#state.members();
  }

  /** Words and digits of a member, or of oneself; null for a stranger. @param {string} [id] */
  fingerprint(id = this.id) {
    return this.members().find((member) => member.id === id)?.fingerprint ?? null;
  }

  /** The room's safety code, over the trusted identities of those who are in the room. */
  safetyCode() {
    const { keys, identity, roster } = this.#state;
    const present = roster.all().filter((member) => member.present);
    return safetyCode(keys.room, [identity.public, ...present.map(({ card }) => card.ed25519)]);
  }

  /**
   * Seals content. Post the frames in this order; a keys frame is for the members in `to`, and if it is never posted, owe them.
   *
   * A sealed message stays readable for those who were members when it was sealed, whoever comes or goes: it may be posted again
   * as it is. If the relay says that the members changed meanwhile (409), learn them and either post it again, after
   * sealKeysIfNeeded, which lets newcomers read what follows; or seal the content once more, which lets them read it too.
   * @param {import('./receiver.js').Content} content
   * @returns {Promise<{frames: Frame[]}>}
   */
  async seal(content) {
    const { identity, place, frames, sender, clock } = this.#state;
    const body = utf8(JSON.stringify(content));
    const { keys, step } = await this.#state.inTurn(async () => {
      const keys = await this.#keysFrame();
      return { keys, step: await sender.next(clock()) };
    });
    const bytes = await frames.seal(MESSAGE, await sealMessage(identity, place, step, body));
    const message = { type: MESSAGE, bytes };
    return { frames: keys ? [keys, message] : [message] };
  }

  /**
   * The chain, sealed to those members who do not hold it: from the next message on they can read. Null if all hold it.
   * @returns {Promise<Frame | null>}
   */
  sealKeysIfNeeded() {
    return this.#state.inTurn(() => this.#keysFrame());
  }

  /** @returns {Promise<Frame | null>} */
  async #keysFrame() {
    const { sender, roster, clock, frames } = this.#state;
    const keys = await sender.keys(roster.trusted(), clock());
    return keys && { type: KEYS, bytes: await frames.seal(KEYS, keys.inner), to: keys.to };
  }

  /**
   * Opens what the relay says a member posted. Never rejects for what is in it.
   * @param {string} from
   * @param {Uint8Array} bytes
   * @returns {Promise<Opened>}
   */
  async open(from, bytes) {
    const state = this.#state;
    const opening = readFrame(state.keys, bytes);
    const { result } = await state.inTurn(async () => {
      const frame = await opening;
      return 'kind' in frame ? { result: frame } : received(state, from, frame, bytes);
    });
    return result;
  }

  /**
   * Opens a post from a shell. Whoever has the room's post token can make one: nobody's name is on it.
   * @param {string} jwe
   * @returns {Promise<import('./shells.js').ShellResult>}
   */
  openShell(jwe) {
    return this.#state.inTurn(() => this.#shells.open(jwe));
  }

  /**
   * Removes members: a new root, sealed to all who stay. Post the frame, then move to the root's room with successor. Changed
   * members stay behind too; accept them first if they are to come along.
   * @param {string[]} ids
   * @returns {Promise<{frame: Frame, root: Bytes}>}
   */
  remove(ids) {
    const { identity, place, frames, roster } = this.#state;
    return this.#state.inTurn(async () => {
      const root = newLinkRoot();
      const staying = roster.trusted().filter(({ id }) => !ids.includes(id));
      const inner = await sealMove(identity, place, ids.map((id) => roster.known(id).raw), staying.map(addressee), root);
      return { frame: { type: MOVE, bytes: await frames.seal(MOVE, inner) }, root };
    });
  }

  /**
   * The same member, with the identities it trusts, in the room of another root. Takes the identity over; close this group when
   * the old room needs no more reading.
   * @param {Uint8Array} root
   * @param {string[]} [removed]
   * @returns {Promise<{group: Group, keys: RoomKeys}>}
   */
  successor(root, removed = []) {
    const { self: member, identity, words, alias, clock, roster } = this.#state;
    return this.#state.inTurn(async () => {
      const keys = await roomKeys(root);
      const pins = roster.pins(({ id }) => !removed.includes(id));
      this.#handedOn = true;
      return { keys, group: new Group({ keys, member, identity, words, alias, clock, roster: pins }) };
    });
  }

  /**
   * Answers a stranger who knocks. Let one knock at a time be open.
   * @param {string} commit its first note
   * @returns {Promise<KnockHost>}
   */
  answerKnock(commit) {
    const { keys, identity } = this.#state;
    return this.#state.inTurn(async () => new KnockHost(keys, identity, commit));
  }

  /** For "keep this room on this device". @returns {Promise<GroupState>} */
  export() {
    const { alias, identity, sender, roster } = this.#state;
    return this.#state.inTurn(async () => {
      const members = roster.export();
      return { v: 1, alias, identity: identity.export(), e: sender.last, members, shells: this.#shells.export() };
    });
  }

  /**
   * Takes up an exported group. Publish its card: it has a new HPKE key. The next message starts a new chain.
   * @param {GroupState} state
   * @param {{keys: RoomKeys, secret: Bytes, clock?: () => number}} options
   */
  static async import({ v, alias, identity: stored, e, members, shells }, { keys, secret, clock = Date.now }) {
    if (v !== 1) throw new TypeError('This room was kept by a newer version of snug; reload the page.');
    const [member, identity, roster] = await Promise.all([
      memberId(secret),
      Identity.import(stored, clock()),
      Roster.import(members),
    ]);
    const words = await fingerprint(identity.public);
    return new Group({ keys, member, identity, words, alias, clock, roster, last: e, shells: new Shells(keys, shells) });
  }

  /** Erases all keys, after the calls before. The room's keys are their owner's: eraseRoomKeys. */
  close() {
    const { sender, roster, identity } = this.#state;
    return this.#state.inTurn(async () => {
      this.#state.closed = true;
      sender.end();
      roster.erase();
      if (!this.#handedOn) identity.erase();
    });
  }
}
