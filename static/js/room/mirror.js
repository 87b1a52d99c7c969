// @ts-check
/**
 * A room as a tab has it that does not lead: what the leader told, and what this tab has asked of it.
 */
import { b64u, part, random } from '../lib/bytes.js';
import { newKey } from './session.js';

/** @typedef {import('./session.js').Item} Item */
/** @typedef {import('./vault.js').Kept} Kept */
/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./session.js').Options} Options */
/** @typedef {Pick<Session, 'roomId' | 'self' | 'kind' | 'name' | 'link' | 'alias' | 'members' | 'status' | 'knocks' | 'locked' | 'waits' | 'typing' | 'timer'> & {shell: ReturnType<Session['shell']>}} View */

/**
 * What tabs say to each other. hello, bye and call come from those who follow, the rest from the leader.
 * @typedef {{t: 'hello', tab: string} | {t: 'bye', tab: string} | {t: 'call', id: string, method: string, args: unknown[]}
 *   | {t: 'leader'} | {t: 'all', tab: string, view: View, items: Item[], state: Kept, files: FileRecord[]} | {t: 'file', record: FileRecord} | {t: 'state', state: Kept} | {t: 'mark', mark: string}
 *   | {t: 'view', name: string, view: View} | {t: 'item', item: Item} | {t: 'update', item: Item} | {t: 'gone', keys: string[]}
 *   | {t: 'event', name: string, detail: any} | {t: 'answer', id: string, value?: unknown, error?: string}} Note
 */

/** @typedef {import('./files.js').FileRecord} FileRecord */
/** @typedef {{method: string, args: unknown[], resolve: (value: any) => void, reject: (error: Error) => void}} Call */

export class Mirror {
  items = /** @type {Item[]} */ ([]);
  #tab;
  #say;
  #tell;
  /** @type {View | null} */ #view = null;
  /** @type {Kept | null} */ #state = null;
  #calls = /** @type {Map<string, Call>} */ (new Map());
  #files = /** @type {Map<string, FileRecord>} */ (new Map());
  #fuse = /** @type {Promise<import('./talk.js').Fuse> | null} */ (null);
  #ended = new AbortController();
  #first = /** @type {() => void} */ (() => undefined);
  #gone = /** @type {(error: Error) => void} */ (() => undefined);

  /** Resolves when the leader has told all. */
  ready = /** @type {Promise<void>} */ (new Promise((resolve, reject) => {
    this.#first = resolve;
    this.#gone = reject;
  }));

  /** @param {{tab: string, options: Options, say: (note: Note) => void, tell: (name: string, detail?: unknown) => void}} options */
  constructor({ tab, say, tell }) {
    this.#tab = tab;
    this.#say = say;
    this.#tell = tell;
    this.ready.catch(() => undefined); // whoever waits hears it; nobody may
    this.#say({ t: 'hello', tab });
  }

  get #seen() {
    if (!this.#view) throw new Error('The room is not open yet.');
    return this.#view;
  }

  get roomId() { return this.#seen.roomId; }
  get self() { return this.#seen.self; }
  get kind() { return this.#seen.kind; }
  get name() { return this.#seen.name; }
  get link() { return this.#seen.link; }
  get alias() { return this.#seen.alias; }
  get members() { return this.#seen.members; }
  get status() { return this.#seen.status; }
  get knocks() { return this.#seen.knocks; }
  get locked() { return this.#seen.locked; }
  get waits() { return this.#seen.waits; }
  get typing() { return this.#seen.typing; }
  get timer() { return this.#seen.timer; }

  /** What a new leader starts from; undefined if nobody told. */
  get handed() {
    return this.#state ? { state: this.#state, items: this.items, files: [...this.#files.values()] } : undefined;
  }

  shell() { return this.#seen.shell; }
  /** @returns {Promise<string>} */
  safetyCode() { return this.#call('safetyCode'); }
  /** @param {string} alias */
  setAlias(alias) { return this.#call('setAlias', alias); }
  /** @param {string} id */
  accept(id) { return this.#call('accept', id); }
  /** @param {string} id @param {boolean} on @returns {Promise<void>} */
  verify(id, on) { return this.#call('verify', id, on); }
  /** @param {boolean} on @returns {Promise<void>} */
  lock(on) { return this.#call('lock', on); }
  /** @param {string} id @returns {Promise<void>} */
  admit(id) { return this.#call('admit', id); }
  /** @param {string} id */
  remove(id) { return this.#call('remove', id); }
  /** @param {{wipe?: boolean}} [options] */
  leave(options) { return this.#call('leave', options); }
  /** @param {string} id */
  answer(id) { return this.#call('answer', id); }
  /** @param {string} id */
  approve(id) { return this.#call('approve', id); }
  /** @param {string} id */
  refuse(id) { return this.#call('refuse', id); }

  /** @param {import('./files.js').Parcel} parcel */
  sendFile(parcel) { return this.#call('sendFile', parcel, `${this.self} ${b64u(random(16))}`); }
  /** @param {string} key @param {FileSystemFileHandle} [handle] */
  getFile(key, handle) { return this.#call('getFile', key, handle); }
  /** @param {string} key */
  dropFile(key) { return this.#call('dropFile', key); }
  /** @param {string} key */
  fileOf(key) { return this.#files.get(key)?.blob; }
  /** @param {string} key @param {string} body */
  edit(key, body) { return this.#call('edit', key, body); }
  /** @param {string} key */
  erase(key) { return this.#call('erase', key); }
  /** @param {string} key @param {string} emoji @param {boolean} on */
  react(key, emoji, on) { return this.#call('react', key, emoji, on); }
  /** @param {number} ttl */
  setTimer(ttl) { return this.#call('setTimer', ttl); }
  /** @param {boolean} on */
  types(on) { return this.#call('types', on); }
  /** @param {string[]} keys */
  read(keys) { return this.#call('read', keys); }
  clear() { return this.#call('clear'); }
  /** @param {string} key @returns {Promise<string[] | null>} */
  missing(key) { return this.#call('missing', key); }

  /**
   * Shown at once, queued; the leader sends it under the same key, and whoever leads next does if this one ends.
   * @param {string} body
   * @param {{re?: string, me?: boolean}} [how]
   */
  send(body, how = {}) {
    const key = newKey(this.self);
    /** @type {Item} */
    const item = { key, kind: 'text', own: true, from: this.self, alias: this.alias, at: Date.now(), body, state: 'queued', reason: '', ...how, ttl: this.timer || undefined };
    this.#add(item);
    this.#call('send', body, { ...how, key }).catch((error) => this.#update({ ...item, state: 'failed', reason: error.message }));
    return item;
  }

  /** @param {Note} note */
  hear(note) {
    switch (note.t) {
      case 'leader': return this.#newLeader();
      case 'all': return this.#all(note);
      case 'state': return void (this.#state = note.state);
      case 'view': return this.#see(note.view, note.name);
      case 'file': return void (note.record.forgotten ? this.#files.delete(note.record.key) : this.#files.set(note.record.key, note.record));
      case 'item': return this.#add(note.item);
      case 'update': return this.#update(note.item);
      case 'gone': return this.#remove(note.keys);
      case 'event': return this.#tell(note.name, note.detail);
      case 'answer': return this.#answered(note);
    }
  }

  /** This tab leads now: it does itself what it had asked for. @param {Session} session */
  handOver(session) {
    this.#first(); // the leader we waited for may have ended without a word
    this.#ended.abort();
    for (const [id, { method, args, resolve, reject }] of this.#calls) {
      this.#calls.delete(id);
      Promise.resolve(/** @type {any} */ (session)[method](...args)).then(resolve, reject);
    }
  }

  /** @param {Error} [why] */
  close(why = new Error('This room was closed.')) {
    this.#gone(why);
    for (const { reject } of this.#calls.values()) reject(why);
    this.#calls.clear();
    this.#ended.abort();
  }

  #newLeader() {
    this.#say({ t: 'hello', tab: this.#tab });
    for (const [id, { method, args }] of this.#calls) this.#say({ t: 'call', id, method, args });
  }

  /** @param {Extract<Note, {t: 'all'}>} note */
  #all({ tab, view, items, state, files }) {
    if (tab !== this.#tab) return;
    for (const record of files) this.#files.set(record.key, record);
    this.#state = state;
    this.#view = view;
    for (const item of items) this.#has(item.key) ? this.#update(item) : this.#add(item);
    this.#first();
    for (const name of ['members', 'status', 'knocks']) this.#tell(name);
  }

  /** @param {View} view @param {string} name */
  #see(view, name) {
    this.#view = view;
    this.#tell(name);
  }

  /** @param {string} key */
  #has(key) {
    return this.items.some((item) => item.key === key);
  }

  /** @param {Item} item */
  #add(item) {
    if (this.#has(item.key)) return this.#update(item);
    this.items.push(item);
    this.#tell('item', item);
    if (item.until) void this.#watch();
  }

  /** @param {Item} item */
  #update(item) {
    const mine = this.items.findLast(({ key }) => key === item.key);
    if (!mine) return;
    this.#tell('update', replaced(mine, item));
    if (mine.until) void this.#watch();
  }

  /** @param {string[]} keys */
  #remove(keys) {
    const out = new Set(keys);
    const left = this.items.filter(({ key }) => !out.has(key));
    if (left.length === this.items.length) return;
    this.items.splice(0, Infinity, ...left);
    this.#tell('gone', keys);
  }

  /** The leader may be asleep when something has to vanish here. */
  async #watch() {
    this.#fuse ??= part(() => import('./talk.js')).then(({ Fuse }) => new Fuse(() => this.items, (keys) => this.#remove(keys), this.#ended.signal));
    (await this.#fuse).look();
  }

  /** @param {string} method @param {unknown[]} args @returns {Promise<any>} */
  #call(method, ...args) {
    const id = b64u(random(9));
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { method, args, resolve, reject });
      this.#say({ t: 'call', id, method, args });
    });
  }

  /** @param {Extract<Note, {t: 'answer'}>} note */
  #answered({ id, value, error }) {
    const call = this.#calls.get(id);
    if (!call) return;
    this.#calls.delete(id);
    if (error === undefined) call.resolve(value);
    else call.reject(new Error(error));
  }
}

/** An item as the leader has it now: also without what it has no longer. @param {Item} mine @param {Item} item */
function replaced(mine, item) {
  for (const name of /** @type {(keyof Item)[]} */ (Object.keys(mine))) if (!(name in item)) delete mine[name];
  return Object.assign(mine, item);
}
