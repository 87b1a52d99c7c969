// @ts-check
import { b64u, part, random } from '../lib/bytes.js';
import { roomKeys } from '../crypto/keys.js';
import { Session } from './session.js';

/**
 * A room is one member in all tabs of a browser, so one tab leads: it holds a lock in the room's name.
 */

/** Rooms this page holds, with what lets go of each. @type {Map<string, () => void>} */
const held = new Map();

/**
 * Takes the room for this page. False if another tab has it.
 * @param {string} roomId
 * @returns {Promise<boolean>}
 */
export function claim(roomId) {
  return locked(roomId, { ifAvailable: true });
}

/**
 * Waits until this page has the room. Rejects with the signal's reason.
 * @param {string} roomId
 * @param {AbortSignal} signal
 */
export async function inherit(roomId, signal) {
  await locked(roomId, { signal });
}

/** @param {string} roomId @param {LockOptions} options @returns {Promise<boolean>} */
function locked(roomId, options) {
  if (!globalThis.navigator?.locks) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    const hold = (/** @type {Lock | null} */ lock) => {
      resolve(lock !== null);
      return lock && new Promise((free) => held.set(roomId, () => free(undefined)));
    };
    navigator.locks.request(`snug ${roomId}`, options, hold).catch(reject);
  });
}

/** Lets another tab have it. @param {string} roomId */
export function release(roomId) {
  held.get(roomId)?.();
  held.delete(roomId);
}

/**
 * One member for all tabs of a browser. One tab, the leader, holds the session, the keys and the line to the relay; the others mirror it
 * over a BroadcastChannel and send through it. When the leader's tab ends, the next in line goes on from the last state it was told, as the same
 * member: nothing is lost, since the leader tells its state before it acks or posts, and nothing is shown twice, since items have keys.
 */

/** @typedef {import('./session.js').Options} Options */
/** @typedef {import('./mirror.js').Note} Note */
/** @typedef {import('./mirror.js').Mirror} Mirror */
/** @typedef {import('./mirror.js').View} View */
/** @typedef {import('./session.js').Item} Item */

/** What other tabs see of the room. */
export const VIEW = /** @type {const} */ (['roomId', 'self', 'kind', 'name', 'link', 'alias', 'members', 'status', 'knocks', 'locked', 'waits', 'typing', 'timer']);
const NEWS = ['members', 'status', 'knocks', 'typing', 'timer'];

/** What other tabs may ask the leader to do. @type {Set<string>} */
const CALLS = new Set(['setAlias', 'safetyCode', 'accept', 'verify', 'lock', 'admit', 'remove', 'leave', 'answer', 'approve', 'refuse', 'send', 'edit', 'erase', 'react', 'setTimer', 'types', 'read', 'clear', 'missing', 'sendFile', 'getFile', 'dropFile']);
const ASKED = new Set(['safetyCode', 'missing']); // calls whose answer is more than that it is done
const SAID = new Set(['send', 'edit', 'erase', 'react', 'setTimer']); // calls that the others are to hear of

/** Events after which there is no room in this browser any more. */
const ENDS = new Set(['removed', 'closed']);

const ECHO = 2000; // ms that telling the other tabs may hold up an ack; it takes one or two

/** The same events and members as Session. */
export class SharedSession extends EventTarget {
  #options;
  #tab = b64u(random(9));
  #channel = /** @type {BroadcastChannel} */ (/** @type {unknown} */ (null));
  #roomId = '';
  #followers = /** @type {Set<string>} */ (new Set());
  /** @type {Session | null} */ #session = null;
  /** @type {Mirror | null} */ #mirror = null;
  #ended = new AbortController();

  /**
   * Enters the room, as the member that another tab already is if there is one. Rejects with a sentence for people.
   * @param {Options} options
   */
  static async open(options) {
    const shared = new SharedSession(options);
    try {
      await shared.#enter((await roomKeys(options.root)).roomId);
    } catch (error) {
      shared.close();
      throw error;
    }
    return shared;
  }

  /** Use open. @param {Options} options */
  constructor(options) {
    super();
    this.#options = options;
    globalThis.addEventListener?.('pagehide', (event) => event.persisted || this.close(), { signal: this.#ended.signal });
  }

  get #now() {
    const now = this.#session ?? this.#mirror;
    if (!now) throw new Error('The room is not open yet.');
    return now;
  }

  get roomId() { return this.#now.roomId; }
  get self() { return this.#now.self; }
  get kind() { return this.#now.kind; }
  get name() { return this.#now.name; }
  get link() { return this.#now.link; }
  get alias() { return this.#now.alias; }
  get members() { return this.#now.members; }
  get items() { return this.#now.items; }
  get status() { return this.#now.status; }
  get knocks() { return this.#now.knocks; }
  get locked() { return this.#now.locked; }
  get waits() { return this.#now.waits; }
  get typing() { return this.#now.typing; }
  get timer() { return this.#now.timer; }

  shell() { return this.#now.shell(); }
  safetyCode() { return this.#now.safetyCode(); }
  /** @param {string} body @param {{re?: string, me?: boolean}} [how] */
  send(body, how) { return this.#now.send(body, how); }
  /** @param {string} key @param {string} body */
  edit(key, body) { return this.#now.edit(key, body); }
  /** @param {string} key */
  erase(key) { return this.#now.erase(key); }
  /** @param {string} key @param {string} emoji @param {boolean} on */
  react(key, emoji, on) { return this.#now.react(key, emoji, on); }
  /** @param {number} ttl seconds */
  setTimer(ttl) { return this.#now.setTimer(ttl); }
  /** @param {boolean} on */
  types(on) { return this.#now.types(on); }
  /** @param {string[]} keys */
  read(keys) { return this.#now.read(keys); }
  clear() { return this.#now.clear(); }
  /** @param {string} key */
  missing(key) { return this.#now.missing(key); }
  /** @param {import('./files.js').Parcel} parcel */
  sendFile(parcel) { return this.#now.sendFile(parcel); }
  /** @param {string} key @param {FileSystemFileHandle} [handle] */
  getFile(key, handle) { return this.#now.getFile(key, handle); }
  /** @param {string} key */
  dropFile(key) { return this.#now.dropFile(key); }
  /** @param {string} key */
  fileOf(key) { return this.#now.fileOf(key); }
  /** @param {string} alias */
  setAlias(alias) { return this.#now.setAlias(alias); }
  /** @param {string} id */
  accept(id) { return this.#now.accept(id); }
  /** @param {string} id @param {boolean} on */
  verify(id, on) { return this.#now.verify(id, on); }
  /** @param {boolean} on */
  lock(on) { return this.#now.lock(on); }
  /** @param {string} id */
  admit(id) { return this.#now.admit(id); }
  /** @param {string} id */
  remove(id) { return this.#now.remove(id); }
  /** @param {string} id */
  answer(id) { return this.#now.answer(id); }
  /** @param {string} id */
  approve(id) { return this.#now.approve(id); }
  /** @param {string} id */
  refuse(id) { return this.#now.refuse(id); }

  /** Leaves for good, in all tabs. @param {{wipe?: boolean}} [options] */
  async leave(options) {
    const now = this.#now;
    if (this.#session) this.#say({ t: 'event', name: 'closed', detail: { reason: 'You left this room in another tab.' } });
    this.#stop();
    await now.leave(options);
    this.#channel.close();
  }

  /** Ends this tab's part. The member stays if another tab goes on, or if the room is kept. */
  close() {
    if (this.#ended.signal.aborted) return;
    this.#say({ t: 'bye', tab: this.#tab });
    const written = this.#session?.close({ handOver: this.#followers.size > 0 });
    this.#stop(written);
    this.#channel?.close();
  }

  /** @param {Promise<void>} [written] the room is free for another tab only when nothing is written any more */
  #stop(written = Promise.resolve()) {
    this.#ended.abort();
    this.#mirror?.close();
    const roomId = this.#roomId;
    void written.finally(() => release(roomId));
  }

  /** @param {string} roomId */
  async #enter(roomId) {
    this.#listen(roomId);
    if (await claim(roomId)) return this.#lead();
    const { Mirror } = await part(() => import('./mirror.js'));
    this.#mirror = new Mirror({ tab: this.#tab, options: this.#options, say: (note) => this.#say(note), tell: (name, detail) => this.#tell(name, detail) });
    void this.#wait(roomId);
    await this.#mirror.ready;
  }

  /** @param {string} roomId */
  #listen(roomId) {
    this.#channel?.close();
    this.#roomId = roomId;
    this.#channel = new BroadcastChannel(`snug ${roomId}`);
    this.#channel.onmessage = ({ data }) => void this.#hear(data);
  }

  /** Becomes the leader when there is none any more. @param {string} roomId */
  async #wait(roomId) {
    try {
      await inherit(roomId, this.#ended.signal);
    } catch (error) {
      if (!this.#ended.signal.aborted) console.error('snug: cannot wait for the room', error);
      return;
    }
    if (this.#ended.signal.aborted || roomId !== this.#roomId) return release(roomId);
    try {
      await this.#lead();
    } catch (error) {
      const why = error instanceof Error ? error : new Error(String(error));
      this.#mirror?.close(why);
      this.#tell('closed', { reason: why.message });
    }
  }

  async #lead() {
    const mirror = this.#mirror;
    const handed = mirror?.handed;
    const { root, kind, name, alias } = handed?.state ?? this.#options;
    const options = { ...this.#options, root, kind, name, alias, share: (/** @type {import('./vault.js').Kept} */ state) => this.#share(state), shareFile: (/** @type {import('./files.js').FileRecord} */ record) => this.#shareFile(record) };
    const session = await Session.open(options, handed);
    if (this.#ended.signal.aborted) return void session.close();
    this.#session = session;
    this.#mirror = null;
    this.#relay(session);
    for (const name of NEWS) this.#tell(name);
    mirror?.handOver(session);
    this.#say({ t: 'leader' });
  }

  /** What the session tells, this page and all other tabs hear. @param {Session} session */
  #relay(session) {
    for (const name of ['item', 'update']) {
      session.addEventListener(name, (event) => {
        const { detail } = /** @type {CustomEvent} */ (event);
        this.#tell(name, detail);
        this.#say({ t: /** @type {'item'} */ (name), item: detail });
      });
    }
    session.addEventListener('gone', (event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      this.#tell('gone', detail);
      this.#say({ t: 'gone', keys: detail });
    });
    for (const name of NEWS) {
      session.addEventListener(name, () => {
        this.#tell(name);
        this.#say({ t: 'view', name, view: this.#view() });
      });
    }
    session.addEventListener('progress', (event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      this.#tell('progress', detail);
      if (this.#followers.size > 0) this.#say({ t: 'event', name: 'progress', detail });
    });
    for (const name of ['removed', 'closed', 'moved']) {
      session.addEventListener(name, (event) => {
        const { detail } = /** @type {CustomEvent} */ (event);
        this.#say({ t: 'view', name: 'members', view: this.#view() });
        this.#say({ t: 'event', name, detail });
        if (name === 'moved') void this.#follow(session.roomId, detail.root);
        else this.#stop();
        this.#tell(name, detail);
      });
    }
  }

  /** The leader's room is another one: new tabs will look for it there. @param {string} roomId @param {Uint8Array} root */
  async #follow(roomId, root) {
    release(this.#roomId);
    this.#moveTo(root);
    this.#listen(roomId);
    await claim(roomId);
    this.#say({ t: 'leader' });
  }

  /** @param {Uint8Array} root */
  #moveTo(root) {
    this.#options = { ...this.#options, root, kind: /** @type {const} */ ('link'), name: null };
  }

  /** @returns {View} */
  #view() {
    const now = /** @type {any} */ (this.#now);
    const view = /** @type {any} */ (Object.fromEntries(VIEW.map((name) => [name, now[name]])));
    return { ...view, shell: now.shell() };
  }

  /**
   * Resolves when the other tabs will hear the state whatever becomes of this one. A tab that crashes takes with it what it has said but the browser
   * has not taken yet, and an ack on its way to the relay may be faster: what was acked and not told would be lost.
   * @param {import('./vault.js').Kept} state
   */
  async #share(state) {
    if (this.#followers.size === 0) return;
    this.#say({ t: 'state', state });
    const mark = b64u(random(9));
    const echo = new BroadcastChannel(this.#channel.name); // a channel does not hear itself
    const { signal } = this.#ended;
    await new Promise((resolve) => {
      echo.onmessage = ({ data }) => data.t === 'mark' && data.mark === mark && resolve(undefined);
      signal.addEventListener('abort', resolve, { once: true, signal: AbortSignal.timeout(ECHO) });
      setTimeout(resolve, ECHO);
      this.#say({ t: 'mark', mark });
    });
    echo.close();
  }

  /** @param {import('./files.js').FileRecord} record */
  #shareFile(record) {
    if (this.#followers.size > 0) this.#say({ t: 'file', record });
  }

  /** @param {Note} note */
  async #hear(note) {
    if (this.#session) return this.#asked(note, this.#session);
    if (note.t === 'event' && note.name === 'moved') {
      // The others change rooms with the leader.
      this.#moveTo(note.detail.root);
      const { roomId } = await roomKeys(note.detail.root);
      this.#listen(roomId);
      void this.#wait(roomId);
    }
    this.#mirror?.hear(note);
    if (note.t === 'event' && ENDS.has(note.name)) this.#stop();
  }

  /** Another tab asks the leader. @param {Note} note @param {Session} session */
  async #asked(note, session) {
    if (note.t === 'bye') this.#followers.delete(note.tab);
    if (note.t === 'hello') {
      this.#followers.add(note.tab);
      this.#say({ t: 'all', tab: note.tab, view: this.#view(), items: session.items, state: await session.state(), files: session.files });
    }
    if (note.t !== 'call' || !CALLS.has(note.method)) return;
    try {
      if (note.method === 'leave') return await this.#leaveFor(note);
      const value = await /** @type {any} */ (session)[note.method](...note.args);
      if (SAID.has(note.method)) await session.saved(); // else it would be nobody's if this tab crashed now
      this.#say({ t: 'answer', id: note.id, value: ASKED.has(note.method) ? value : undefined });
    } catch (error) {
      this.#say({ t: 'answer', id: note.id, error: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Another tab leaves, so all do. @param {Extract<Note, {t: 'call'}>} note */
  async #leaveFor({ id, args }) {
    this.#say({ t: 'answer', id });
    await this.leave(/** @type {{wipe?: boolean}} */ (args[0]));
    this.#tell('closed', { reason: 'You left this room in another tab.' });
  }

  /** @param {Note} note */
  #say(note) {
    if (!this.#ended.signal.aborted || note.t === 'bye') this.#channel?.postMessage(note);
  }

  /** @param {string} name @param {unknown} [detail] */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
