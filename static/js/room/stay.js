// @ts-check
/**
 * A member's time under one room id: its keys, its line to the relay, what it sends and what comes in. A session has one stay after the
 * other, since a move gives the room another id; what an old stay still hears never reaches the new one.
 */
import { Connection, epochOf, seqOf } from './connection.js';
import { Doorkeeper } from './door.js';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('../crypto/root.js').RoomKeys} Keys */
/** @typedef {import('../crypto/group.js').Group} Group */
/** @typedef {{root: Bytes | null, removed: string[], by: string, at: string}} Move root: null if it was not sealed to this member; at: its place */
/** @typedef {{removed: string, root: Bytes | null, at: string}} OwnMove a move of ours on its way; at: '' until the relay has it */

/**
 * @typedef {object} Host what a stay tells the session
 * @property {(key: string, state: import('./outbox.js').State, reason: string) => void} told how it goes on with a message
 * @property {() => void} members
 * @property {() => void} knocks
 * @property {(status: import('../net/transport.js').Status) => void} status
 * @property {() => Promise<void>} saved
 * @property {(move: Move & {root: Bytes}) => Promise<void>} moved the stay is over, the room goes on elsewhere
 * @property {(by: string) => Promise<void>} removed the stay is over
 */

/**
 * @typedef {object} Options
 * @property {string} origin
 * @property {Keys} keys
 * @property {Bytes} secret
 * @property {Group} group
 * @property {import('./timeline.js').Timeline} timeline
 * @property {string | null} [cursor] where an earlier stay ended
 * @property {{id: string, card: string}[]} [known] the others it knew
 */

export class Stay {
  keys;
  group;
  away = /** @type {Set<string>} */ (new Set());
  #host;
  #timeline;
  #own = /** @type {OwnMove | null} */ (null);
  #rival = /** @type {Move | null} */ (null);
  #over = false;
  #unshown = false;
  #gone = () => {};
  /** Resolves when this page is in the room of the move. */
  #follows = new Promise((resolve) => (this.#gone = () => resolve(undefined)));

  /** @param {Options} options @param {Host} host */
  constructor({ origin, keys, secret, group, timeline, cursor = null, known }, host) {
    this.keys = keys;
    this.group = group;
    this.#host = host;
    this.#timeline = timeline;
    this.outbox = this.#newOutbox();
    this.inbox = this.#newInbox(known);
    this.door = this.#newDoor();
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
      await Promise.race([this.#post(own), this.#follows]);
    } catch (error) {
      this.#own = null;
      if (!this.#rival) throw error;
    }
    await this.#decide(own);
    await this.#follows;
  }

  /** The relay no longer hears of us. What is under way may or may not arrive. */
  close() {
    this.#end();
    this.outbox.close();
    this.door.close();
    return this.group.close();
  }

  #end() {
    this.#over = true;
    this.outbox.halt();
    this.connection.close();
  }

  /** Resolves when the move is in the log and all before it was read. @param {OwnMove} own */
  #post(own) {
    return new Promise((resolve, reject) => {
      const make = async () => {
        const { frame, root } = await this.group.remove([own.removed]);
        own.root = root;
        return frame;
      };
      const tell = (/** @type {string} */ state, /** @type {string} */ reason, /** @type {{cursor: string} | undefined} */ posted) => {
        if (state === 'failed') reject(new Error(reason));
        if (!posted) return;
        own.at = posted.cursor;
        // If the relay was restarted meanwhile, the outbox posts the move again and we hear of it again.
        this.connection.catchUp(posted.cursor).then((/** @type {boolean} */ done) => done && resolve(undefined), reject);
      };
      this.outbox.add({ key: '', make, tell });
    });
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
    this.door.close();
    if (root) await this.#host.moved({ root, ...move });
    else await this.#host.removed(move.by);
    this.#gone();
  }

  #newOutbox() {
    return new Outbox({
      post: (id, frame, roster) => this.connection.post(id, frame, roster),
      seal: async (content) => (await this.group.seal(/** @type {any} */ (content))).frames,
      roster: () => this.connection.roster,
      epoch: () => epochOf(this.connection.cursor ?? ''),
      learn: (roster) => this.connection.inTurn(() => this.#learn(roster)),
      owe: (ids) => this.group.owe(...ids),
      rejoin: () => this.connection.rejoin(),
      tell: (key, state, reason) => this.#host.told(key, state, reason),
      sealed: () => this.#host.saved(),
    });
  }

  /** @param {import('../net/types.js').Roster} roster */
  async #learn(roster) {
    await this.inbox.roster(roster);
    this.connection.roster = Math.max(this.connection.roster, roster.roster);
  }

  /** @param {{id: string, card: string}[]} [known] @returns {Inbox} */
  #newInbox(known) {
    const room = {
      group: this.group,
      timeline: this.#timeline,
      aliasOf: (/** @type {string} */ id) => this.aliasOf(id),
      whisper: (/** @type {object} */ content) => this.outbox.add({ key: '', content }),
      refresh: () => this.connection.members(),
      membersChanged: () => this.#tell(() => this.#host.members()),
      moved: (/** @type {Omit<Move, 'at'>} */ move, /** @type {string} */ at) => this.#moved(move, at),
      knock: (/** @type {{id: string, body: string}} */ knock) => void this.door.heard(knock),
    };
    return new Inbox(room, known);
  }

  #newDoor() {
    return new Doorkeeper({
      host: (commit) => this.group.answerKnock(commit),
      send: (id, note) => this.connection.answerKnock(id, note),
      changed: () => this.#tell(() => this.#host.knocks()),
    });
  }

  /** @param {{origin: string, keys: Keys, secret: Bytes, cursor: string | null}} options @returns {Connection} */
  #newConnection(options) {
    return new Connection({
      ...options,
      handler: {
        card: () => this.group.card(),
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
    await this.inbox.roster({ roster, members });
    this.#unshown = false; // joining showed it
    this.#setAway(members.filter(({ away }) => away).map(({ id }) => id));
    if (gap?.messages) this.#timeline.add({ kind: 'gap', count: gap.messages });
    if (anew) this.outbox.again();
    else this.outbox.poke();
  }

  /** @param {string[]} ids */
  #setAway(ids) {
    this.away = new Set(ids);
    this.#tell(() => this.#host.members());
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

/** @param {string} a @param {string} b places; those of different lives of the room have no order */
const isBefore = (a, b) => epochOf(a) === epochOf(b) && seqOf(a) < seqOf(b);
