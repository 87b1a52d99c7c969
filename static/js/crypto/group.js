// @ts-check
import { b64u, equal, part, random, utf8 } from '../lib/bytes.js';
import { readFrame, received, ReceivingChains, sealKeys, sealMessage, sealMove, sealWaiting } from './chains.js';
import { Identity, isAlias, memberId, newLinkRoot, numberAfter, parseCard, roomKeys, safetyCode, shownAlias, signCard } from './keys.js';
import { aesFrom, agree, CARD, dhPair, FrameSealer, hkdfKey, KEYS, MESSAGE, MOVE, openFrame, recipient, sha256, verifyKey, WAITING, X } from './suite.js';

/**
 * Roster: whom a member knows in a room, and which identity key it trusts for each. Trust is on first sight and never moves by
 * itself: another identity key under a known id makes that member *changed* until a person accepts it.
 */

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./keys.js').Card} Card */
/** @typedef {import('./suite.js').Recipient} Recipient */

/** @typedef {Omit<Card, 'verifyKey'>} CardState */
/** @typedef {{card: CardState, pending: CardState | null, present: boolean, waiting?: boolean, chains: import('./chains.js').HeldState[]}} MemberState */

/**
 * @typedef {object} Member
 * @property {string} id
 * @property {Bytes} raw the id, 16 bytes
 * @property {Card} card the newest one under the trusted identity key
 * @property {Recipient} to the card's x25519, imported
 * @property {Card | null} pending a card under another identity key, awaiting a person's word
 * @property {boolean} present
 * @property {boolean} waiting came while the room was locked, and nobody has let it in
 * @property {boolean} ahead known from a list only: its place in the log is not read yet
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
    return member !== null && member.present && !member.pending && !member.waiting;
  }

  /** Members who may read what is sent now: in the room, let in, and not changed. */
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
      change(known, card);
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
    const member = { id, raw: card.member, card, to, pending: null, present: true, waiting: false, ahead: false, chains: new ReceivingChains() };
    this.#prune();
    this.#members.set(id, member);
    return member;
  }

  #prune() {
    if (this.#members.size < MAX_KNOWN) return;
    const away = this.all().filter(({ present }) => !present);
    const gone = away.find(({ waiting }) => waiting) ?? away[0]; // strangers must not push out whom people know
    if (!gone) throw new RangeError('This room has more members than it can have.');
    this.forget(gone.id);
  }

  /**
   * Marks a member as in the room again, under the card that is held.
   * @param {string} id
   */
  returned(id) {
    const member = this.get(id);
    if (!member) return false;
    comeBack(member);
    member.ahead = false;
    return true;
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
    Object.assign(member, { card, to, pending: null, chains: new ReceivingChains() });
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
      roster.#members.set(member.id, { ...member, present: false, ahead: false, chains: new ReceivingChains() });
    }
    return roster;
  }

  /** @returns {MemberState[]} */
  export() {
    return this.all().map(({ card, pending, present, waiting, chains }) => {
      return { card: cardState(card), pending: pending && cardState(pending), present, waiting, chains: chains.export() };
    });
  }

  /** @param {MemberState[]} states */
  static async import(states) {
    const roster = new Roster();
    for (const { card, pending, present, waiting = false, chains } of states) {
      const full = { ...card, verifyKey: await verifyKey(card.ed25519) };
      const member = await roster.#add(full, await recipient(card.x25519));
      if (pending) await change(member, { ...pending, verifyKey: await verifyKey(pending.ed25519) });
      Object.assign(member, { present, waiting, chains: ReceivingChains.import(chains) });
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
function change(member, card) {
  const { pending } = member;
  if (pending && equal(pending.ed25519, card.ed25519) && !isNewer(card, pending)) return;
  member.pending = card;
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

/**
 * Sender: one's own chain, who holds it, and when there must be a new one. Each message has its own key, and the key of a message
 * that was sent cannot be computed from the chain any more.
 */

/** @typedef {import('./chains.js').Place} Place */

const HOUR = 60 * 60 * 1000;
const MAX_MESSAGES = 100;

/** One's own chain. */
export class SendingChain {
  #ck;
  #n = 0;
  #e;
  #since;

  /**
   * @param {number} now
   * @param {{last?: number, e?: number, ck?: Bytes}} [options] last: number of the chain before; e and ck are for test vectors
   */
  constructor(now, { last, e = numberAfter(now, last), ck = random(32) } = {}) {
    this.#e = e;
    this.#ck = ck;
    this.#since = now;
  }

  get e() {
    return this.#e;
  }

  /** @param {number} now */
  isDue(now) {
    return this.#n >= MAX_MESSAGES || now - this.#since >= HOUR;
  }

  /** The key of the next message. Two calls must not overlap. */
  async next() {
    const from = await hkdfKey(this.#ck);
    const [key, ck] = await Promise.all([aesFrom(from, 'message'), X(from, 'chain')]);
    this.#ck.fill(0);
    this.#ck = ck;
    return { e: this.#e, n: this.#n++, key };
  }

  /** The chain as it is now, for those who may read from here on. The caller erases ck. */
  now() {
    return { e: this.#e, n: this.#n, ck: this.#ck.slice() };
  }

  erase() {
    this.#ck.fill(0);
  }
}

export class Sender {
  #identity;
  #place;
  #last;
  /** @type {SendingChain | null} */
  #chain = null;
  /** @type {Set<string>} ids of the members that the chain was sealed to */
  #holders = new Set();

  /**
   * @param {Identity} identity
   * @param {Place} place
   * @param {number} [last] number of the last chain of an earlier start
   */
  constructor(identity, place, last = -1) {
    this.#identity = identity;
    this.#place = place;
    this.#last = last;
  }

  /** The number of the newest chain: what must be kept so that no number is ever used twice. */
  get last() {
    return this.#last;
  }

  /** Ends the chain: somebody who holds it must not read on. */
  end() {
    this.#chain?.erase();
    this.#chain = null;
    this.#holders.clear();
  }

  /**
   * The chain is owed to a member again.
   * @param {string} id
   */
  owe(id) {
    this.#holders.delete(id);
  }

  /**
   * The inner of a keys frame for those of the members who hold no chain yet, and their ids; null if all do.
   * @param {Member[]} members who may read
   * @param {number} now
   */
  async keys(members, now) {
    const chain = this.#ready(now);
    const missing = members.filter(({ id }) => !this.#holders.has(id));
    if (missing.length === 0) return null;
    const inner = await sealKeys(this.#identity, this.#place, chain.now(), missing.map(addressee));
    const ids = missing.map(({ id }) => id);
    for (const id of ids) this.#holders.add(id);
    return { inner, to: ids };
  }

  /** @param {number} now */
  #ready(now) {
    if (this.#chain?.isDue(now)) this.end();
    if (this.#chain) return this.#chain;
    this.#chain = new SendingChain(now, { last: this.#last });
    this.#last = this.#chain.e;
    return this.#chain;
  }

  /**
   * The key of the next message; call keys first, so that all who may read it can.
   * @param {number} now
   */
  async next(now) {
    const chain = this.#chain ?? this.#ready(now);
    this.#identity.count();
    return chain.next();
  }
}

/**
 * Lock: whether whoever comes now waits to be let in. What members say of it may reach us in any order, twice or late, since the relay
 * carries it; so every word has a turn: the higher one counts, and of two with the same turn the one that locks. Whoever has heard the
 * same words agrees with all others, and an old word that is played again changes nothing.
 */

/** @typedef {{on: boolean, turn: number, wait?: string[]}} LockWord wait: members that its sender has not let in */
/** @typedef {{id: string, key: string}} AdmitWord */
/** @typedef {{on: boolean, turn: number, admitted: [string, string][]}} LockState */

const LAST_TURN = 2 ** 32 - 1;
const ID = /^[\w-]{21}[AQgw]$/;
const KEY = /^[\w-]{42}[AEIMQUYcgkosw048]$/;

export class Lock {
  on = false;
  turn = 0;
  /** Who was let in by name, under which identity key: the word may be here before the member is. @type {Map<string, string>} */
  #admitted;

  /** @param {LockState} [state] */
  constructor({ on = false, turn = 0, admitted = [] } = /** @type {any} */ ({})) {
    Object.assign(this, { on, turn });
    this.#admitted = new Map(admitted);
  }

  /** The next word. @param {boolean} on @returns {LockWord} */
  next(on) {
    return { on, turn: Math.min(this.turn + 1, LAST_TURN) };
  }

  /** Takes a word in. False if it is older than what is known. @param {LockWord} word */
  heed({ on, turn }) {
    if (turn < this.turn || (turn === this.turn && this.on && !on)) return false;
    Object.assign(this, { on, turn });
    return true;
  }

  /** @param {AdmitWord} word */
  admit({ id, key }) {
    this.#admitted.delete(id);
    this.#admitted.set(id, key);
    for (const oldest of this.#admitted.keys()) {
      if (this.#admitted.size <= MAX_KNOWN) break;
      this.#admitted.delete(oldest);
    }
  }

  /** @param {string} id @param {Bytes} key */
  isAdmitted(id, key) {
    return this.#admitted.get(id) === b64u(key);
  }

  /** @returns {LockState} */
  export() {
    return { on: this.on, turn: this.turn, admitted: [...this.#admitted] };
  }
}

/** @param {Record<string, any>} content */
function isLock({ on, turn, wait = [] }) {
  const inTurn = Number.isInteger(turn) && turn > 0 && turn <= LAST_TURN;
  return typeof on === 'boolean' && inTurn && Array.isArray(wait) && wait.length <= MAX_KNOWN && wait.every((id) => ID.test(id));
}

/** @param {Record<string, any>} content */
const isAdmit = ({ id, key }) => ID.test(id) && KEY.test(key);

/**
 * State: what a Group is made of, and the order in which its calls take effect. Only the group's own modules see it.
 */

/** @typedef {import('./keys.js').RoomKeys} RoomKeys */
/** @typedef {{id: string, raw: Bytes}} Self */

/**
 * What people see of a member. For a changed one, newAlias and newKey are what it claims to be now.
 * @typedef {object} MemberView
 * @property {string} id
 * @property {string} alias
 * @property {string} key its identity key, base64url; crypto/words.js makes a fingerprint of it
 * @property {'self' | 'here' | 'waiting' | 'changed' | 'left'} status
 * @property {string} [newAlias]
 * @property {string} [newKey]
 */

/** @typedef {{status: 'new' | 'same' | 'updated' | 'changed' | 'bad', member?: MemberView, reason?: string}} Learning */

/**
 * @typedef {object} Options
 * @property {RoomKeys} keys
 * @property {Self} member
 * @property {Identity} identity
 * @property {string} alias
 * @property {() => number} [clock] ms since 1970
 * @property {Roster} [roster]
 * @property {Lock} [lock]
 * @property {boolean} [waits] this member itself is not let in yet
 * @property {number} [last] number of the last chain sent on before
 */

export class State {
  /** @type {Promise<Bytes> | null} */
  #card = null;
  /** @type {Promise<unknown>} the call before */
  #turn = Promise.resolve();
  closed = false;

  /** @param {Options} options */
  constructor({ keys, member, identity, alias, clock = Date.now, roster = new Roster(), lock = new Lock(), waits = false, last }) {
    this.keys = keys;
    this.self = member;
    this.identity = identity;
    this.alias = checkedAlias(alias);
    this.clock = clock;
    this.roster = roster;
    this.lock = lock;
    this.waits = waits;
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
   * @param {boolean} [ahead] from a list; its place in the log is still to be read
   * @returns {Promise<Learning>}
   */
  async takeCard(card, ahead = false) {
    if (typeof card === 'string') return { status: 'bad', reason: card };
    try {
      const trusted = this.roster.isTrusted(b64u(card.member));
      const { status, member } = await this.roster.learn(card);
      // A changed member may hold the chain; it was sealed to somebody else.
      if (status === 'changed' && trusted) this.sender.end();
      if (status === 'new') member.waiting = this.lock.on && !this.lock.isAdmitted(member.id, member.card.ed25519);
      member.ahead = ahead && (member.ahead || status === 'new');
      return { status, member: view(member) };
    } catch (error) {
      return { status: 'bad', reason: sentence(error) };
    }
  }

  /**
   * A member locks the room or opens it. What lies behind its place in the log is held, and so is whom the word names, unless let in by name.
   * @param {LockWord} word
   * @returns {boolean} whether the room is another than before, or one's own place in it
   */
  heedLock(word) {
    const [before, waited] = [this.lock.on, this.waits];
    if (!this.lock.heed(word)) return false;
    const locks = word.on && !before;
    for (const member of this.roster.all()) {
      if (!word.on) member.waiting = false;
      else if (word.wait?.includes(member.id) || (locks && member.ahead)) this.#hold(member);
    }
    if (!word.on) this.waits = false;
    return before !== word.on || waited !== this.waits;
  }

  /** @param {Member} member */
  #hold(member) {
    if (this.lock.isAdmitted(member.id, member.card.ed25519)) return;
    if (this.roster.isTrusted(member.id)) this.sender.end(); // it may hold the chain
    member.waiting = true;
  }

  /**
   * A member lets another one in, under the key that it has seen.
   * @param {AdmitWord} word
   * @returns {boolean} whether that member, or oneself, had waited
   */
  heedAdmit({ id, key }) {
    this.lock.admit({ id, key });
    const own = id === this.self.id;
    if (own ? !this.lock.isAdmitted(id, this.identity.public) : !this.lock.isAdmitted(id, this.roster.get(id)?.card.ed25519 ?? new Uint8Array())) return false;
    const of = own ? { waiting: this.waits } : this.roster.known(id);
    const waited = of.waiting;
    of.waiting = false;
    if (own) this.waits = false;
    return waited;
  }

  /** Members who wait, as words name them. */
  waiting() {
    return this.roster.all().filter(({ waiting }) => waiting);
  }

  /** @returns {MemberView[]} everybody known, oneself first */
  members() {
    const self = { id: this.self.id, alias: this.alias, key: b64u(this.identity.public), status: /** @type {const} */ ('self') };
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
function view({ id, card, pending, present, waiting }) {
  const known = { id, alias: shownAlias(card.alias), key: b64u(card.ed25519) };
  if (!pending || !present) return { ...known, status: !present ? 'left' : waiting ? 'waiting' : 'here' };
  return { ...known, status: 'changed', newAlias: shownAlias(pending.alias), newKey: b64u(pending.ed25519) };
}

/**
 * Shells: posts that scripts sealed to the room's drop key. Each is shown once.
 */

/** @typedef {{kind: 'shell', text: string} | {kind: 'repeat'} | {kind: 'failed', reason: string}} ShellResult reason: a sentence */

// As many as a room holds by default, so nothing that the relay can still deliver is shown twice.
const REMEMBERED = 20_000;

export class Shells {
  #keys;
  #seen;

  /**
   * @param {RoomKeys} keys
   * @param {string[]} [seen] hashes of posts that were opened before
   */
  constructor(keys, seen = []) {
    this.#keys = keys;
    this.#seen = new Set(seen);
  }

  /**
   * Two calls must not overlap.
   * @param {string} jwe
   * @returns {Promise<ShellResult>}
   */
  async open(jwe) {
    const hash = b64u(await sha256(utf8(jwe)));
    if (this.#seen.has(hash)) return { kind: 'repeat' };
    try {
      const { openJwe } = await part(() => import('./jwe.js'));
      const text = await openJwe(this.#keys.dropKey, jwe);
      this.#remember(hash);
      return { kind: 'shell', text };
    } catch (error) {
      const ours = error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError;
      return { kind: 'failed', reason: ours && error.message ? error.message : 'it was not sealed to this room, or was altered' };
    }
  }

  /** @param {string} hash */
  #remember(hash) {
    for (const oldest of this.#seen) {
      if (this.#seen.size < REMEMBERED) break;
      this.#seen.delete(oldest);
    }
    this.#seen.add(hash);
  }

  export() {
    return [...this.#seen];
  }
}

/**
 * Group: one member's end-to-end state of one room. It turns content into frames and frames into content; it knows no network and
 * no clock but the one it is given. Calls may overlap: they take effect in the order in which they were made.
 */

/** @typedef {import('./chains.js').Opened} Opened */

/** @typedef {{type: number, bytes: Bytes, to?: string[]}} Frame to: whom a keys frame is sealed to */

/**
 * What "keep on this device" stores: structured-cloneable, all secrets. The sending chain is not in it, only its number: an old
 * copy that went on where it stood would use message keys a second time.
 * @typedef {object} GroupState
 * @property {1} v
 * @property {string} alias
 * @property {import('./keys.js').IdentityState} identity
 * @property {number} e
 * @property {MemberState[]} members
 * @property {LockState} [lock]
 * @property {boolean} [waits]
 * @property {string[]} shells
 */

export class Group {
  #state;
  #shells;
  #handedOn = false;

  /**
   * Use create or import. The group owns the identity: close erases it, unless a successor took it over. The keys stay the caller's.
   * @param {Options & {shells?: Shells}} options
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
    return new Group({ keys, member, identity: own, alias, clock });
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
   * @param {boolean} [ahead] a list that is newer than what was read of the log says so, not the log
   * @returns {Promise<Learning>}
   */
  learn(id, frame, ahead) {
    const reading = this.#state.readCard(id, frame);
    return this.#state.inTurn(async () => this.#state.takeCard(await reading, ahead));
  }

  /**
   * Trusts the new identity of a changed member, by a person's word. False if there was nothing to accept.
   * @param {string} id
   */
  accept(id) {
    const { roster, sender, lock } = this.#state;
    return this.#state.inTurn(async () => {
      const accepted = await roster.accept(id);
      if (!accepted) return false;
      const member = roster.known(id);
      member.waiting &&= !lock.isAdmitted(id, member.card.ed25519);
      sender.end();
      return true;
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

  /** Whether whoever comes now has to wait. */
  get locked() {
    return this.#state.lock.on;
  }

  /** Whether this member itself waits to be let in: somebody said so. */
  get waits() {
    return this.#state.waits;
  }

  /**
   * Locks the room, or opens it again for whoever comes and whoever waits; at once here, and for the others with the content to be sent.
   * @param {boolean} on
   * @returns {Promise<import('./chains.js').Content>}
   */
  lock(on) {
    const state = this.#state;
    return state.inTurn(async () => {
      const word = state.lock.next(on);
      state.heedLock(word);
      return { k: 'lock', ...word };
    });
  }

  /**
   * Lets a member in who waits. Send both contents in this order: the first is for the others, the second tells the one let in that the
   * room is locked, and who else waits.
   * @param {string} id
   * @returns {Promise<import('./chains.js').Content[]>}
   */
  admit(id) {
    const state = this.#state;
    return state.inTurn(async () => {
      const word = { id, key: b64u(state.roster.known(id).card.ed25519) };
      state.heedAdmit(word);
      return [{ k: 'admit', ...word }, this.lockWord()];
    });
  }

  /**
   * Lets somebody in who has not come yet, under this identity key and no other. Send the content; when that member has come, lockWord tells it.
   * @param {{id: string, key: string}} arrival
   * @returns {Promise<import('./chains.js').Content>}
   */
  expect({ id, key }) {
    const state = this.#state;
    return state.inTurn(async () => {
      state.heedAdmit({ id, key });
      return { k: 'admit', id, key };
    });
  }

  /** What tells whoever was let in that the room is locked. @returns {import('./chains.js').Content} */
  lockWord() {
    const { on, turn } = this.#state.lock;
    return { k: 'lock', on, turn };
  }

  /** A frame that says to those who wait that they do. @param {string[]} ids @returns {Promise<Frame>} */
  tellWaiting(ids) {
    const { identity, place, frames, roster, lock } = this.#state;
    return this.#state.inTurn(async () => {
      const inner = await sealWaiting(identity, place, lock.turn, ids.map((id) => roster.known(id).raw));
      return { type: WAITING, bytes: await frames.seal(WAITING, inner) };
    });
  }

  /** The room's safety code, over the trusted identities of those who are in the room and let in. */
  safetyCode() {
    const { keys, identity, roster } = this.#state;
    const present = roster.all().filter((member) => member.present && !member.waiting);
    return safetyCode(keys.room, [identity.public, ...present.map(({ card }) => card.ed25519)]);
  }

  /**
   * Seals content. Post the frames in this order; a keys frame is for the members in `to`, and if it is never posted, owe them.
   *
   * A sealed message stays readable for those who were members when it was sealed, whoever comes or goes: it may be posted again
   * as it is. If the relay says that the members changed meanwhile (409), learn them and either post it again, after
   * sealKeysIfNeeded, which lets newcomers read what follows; or seal the content once more, which lets them read it too.
   * @param {import('./chains.js').Content} content
   * @returns {Promise<{frames: Frame[]}>}
   */
  async seal(content) {
    const { identity, place, frames, sender, clock } = this.#state;
    const { keys, step, body } = await this.#state.inTurn(async () => {
      const keys = await this.#keysFrame();
      return { keys, step: await sender.next(clock()), body: utf8(JSON.stringify(this.#whole(content))) };
    });
    const bytes = await frames.seal(MESSAGE, await sealMessage(identity, place, step, body));
    const message = { type: MESSAGE, bytes };
    return { frames: keys ? [keys, message] : [message] };
  }

  /** A lock names those who wait as it is sealed, so that whoever hears of it holds them too. @param {import('./chains.js').Content} content */
  #whole(content) {
    return content?.k === 'lock' && content.on ? { ...content, wait: this.#state.waiting().map(({ id }) => id) } : content;
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
   * Opens what the relay says a member posted. Never rejects for what is in it. A lock or admit of a member takes effect; `news` says whether
   * it changed anything.
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
    const found = await result;
    if (found.kind === 'waiting') await state.inTurn(async () => this.#toldToWait(found));
    return found.kind === 'content' ? state.inTurn(async () => this.#heed(from, found)) : found;
  }

  /** What is told may come late, or again after a restart. @param {import('./chains.js').Waiting} told */
  #toldToWait({ ids, turn }) {
    const { self, lock, identity } = this.#state;
    if (ids.includes(self.id) && turn >= lock.turn && !lock.isAdmitted(self.id, identity.public)) this.#state.waits = true;
  }

  /**
   * What a member says is content; what one says who is not let in is held; and only members lock and let in.
   * @param {string} from
   * @param {import('./chains.js').Said} said
   * @returns {import('./chains.js').Result}
   */
  #heed(from, said) {
    const { content, e, n } = said;
    const { waiting, pending } = this.#state.roster.known(from);
    const rules = content.k === 'lock' || content.k === 'admit';
    if (waiting) return rules ? { kind: 'failed', reason: 'waiting', e, n } : { ...said, kind: 'held' };
    if (!rules) return said;
    if (!(content.k === 'lock' ? isLock(content) : isAdmit(content))) return { kind: 'failed', reason: 'damaged', e, n };
    if (pending) return { kind: 'failed', reason: 'changed', e, n };
    return { ...said, news: content.k === 'lock' ? this.#state.heedLock(/** @type {any} */ (content)) : this.#state.heedAdmit(/** @type {any} */ (content)) };
  }

  /**
   * Opens a post from a shell. Whoever has the room's post token can make one: nobody's name is on it.
   * @param {string} jwe
   * @returns {Promise<ShellResult>}
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
    const { self: member, identity, alias, clock, roster, lock } = this.#state;
    return this.#state.inTurn(async () => {
      const keys = await roomKeys(root);
      const pins = roster.pins(({ id }) => !removed.includes(id));
      this.#handedOn = true;
      return { keys, group: new Group({ keys, member, identity, alias, clock, roster: pins, lock: new Lock(lock.export()) }) };
    });
  }

  /**
   * Answers a stranger who knocks. Let one knock at a time be open.
   * @param {string} commit its first note
   * @returns {Promise<import('./knock.js').KnockHost>}
   */
  answerKnock(commit) {
    const { keys, identity } = this.#state;
    return this.#state.inTurn(async () => new (await part(() => import('./knock.js'))).KnockHost(keys, identity, commit));
  }

  /** For "keep this room on this device". @returns {Promise<GroupState>} */
  export() {
    const { alias, identity, sender, roster, lock } = this.#state;
    return this.#state.inTurn(async () => {
      const members = roster.export();
      const shells = this.#shells.export();
      return { v: 1, alias, identity: identity.export(), e: sender.last, members, lock: lock.export(), waits: this.waits, shells };
    });
  }

  /**
   * Takes up an exported group. Publish its card: it has a new HPKE key. The next message starts a new chain.
   * @param {GroupState} state
   * @param {{keys: RoomKeys, secret: Bytes, clock?: () => number}} options
   */
  static async import({ v, alias, identity: stored, e, members, lock, waits, shells }, { keys, secret, clock = Date.now }) {
    if (v !== 1) throw new TypeError('This room was kept by a newer version of snug; reload the page.');
    const [member, identity, roster] = await Promise.all([
      memberId(secret),
      Identity.import(stored, clock()),
      Roster.import(members),
    ]);
    return new Group({ keys, member, identity, alias, clock, roster, lock: new Lock(lock), waits, last: e, shells: new Shells(keys, shells) });
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
