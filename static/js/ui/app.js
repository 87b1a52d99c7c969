// @ts-check
import { parseFragment, part } from '../lib/bytes.js';
import { aliasIn, choose, fill, h, icon, keepField, language, LANGUAGES, nameField, problem, rememberAlias, screen, site, stored, submit, t, told } from './parts.js';

/** The start screen and the other screens outside a room: every way in. */

/**
 * @param {App} app
 * @param {string} [error]
 * @param {Filled} [was]
 * @returns {View}
 */
export function home(app, error, was) {
  const name = nameField();
  const keep = keepField();
  if (was) [name.input.value, keep.input.checked] = [was.alias, was.keep];
  const rooms = h('div', { class: 'kept' });
  const inside = h('div', { class: 'kept' });
  const open = async () => (await part(() => import('../crypto/keys.js'))).newLinkRoot();
  const go = submit(() => {
    const alias = aliasIn(name.input);
    if (alias) app.enter({ root: open, alias, keep: keep.input.checked, back: (why) => home(app, why) });
  });
  /** @param {string} drawing @param {string} text @param {() => View | Promise<View>} view */
  const way = (drawing, text, view) =>
    h('button', { type: 'button', class: 'way', onclick: () => app.aside(drawing, view) }, icon(drawing), h('span', null, text), icon('next'));
  showKept(app, rooms);
  if (app.rooms.length > 0) void app.listAt(inside);
  return {
    element: screen(
      h('header', { class: 'brand' }, h('h1', null, 'snug'), h('p', null, t.tagline)),
      problem(error),
      inside,
      rooms,
      h('form', { class: 'card', onsubmit: go, novalidate: true }, name.element, h('button', { class: 'main' }, t.newRoom), keep.element),
      h('nav', { class: 'ways' },
        way('key', t.withPassphrase, async () => (await part(() => import('./passphrase.js'))).passphrase(app)),
        way('link', t.withLink, async () => (await part(() => import('./link.js'))).pasteLink(app))),
      h('p', { class: 'promise' }, t.promise),
      h('nav', { class: 'languages', 'aria-label': t.languages }, Object.entries(LANGUAGES).map(([code, own]) => h('button', { type: 'button', class: 'plain', lang: code, 'aria-current': code === language && 'true', onclick: () => speak(app, /** @type {import('./parts.js').Language} */ (code), { alias: name.input.value, keep: keep.input.checked }) }, own))),
    ),
  };
}

/** @typedef {{alias: string, keep: boolean}} Filled what was filled in already */

/** @param {App} app @param {import('./parts.js').Language} code @param {Filled} was */
async function speak(app, code, was) {
  await choose(code);
  app.redraw(was);
  /** @type {HTMLElement | null} */ (document.querySelector('.languages [aria-current]'))?.focus();
}

/** What keeps rooms on this device; null if nothing was ever kept here. */
async function vault() {
  const stores = await globalThis.indexedDB?.databases?.().catch(() => null);
  return stores && !stores.some(({ name }) => name === 'snug') ? null : part(() => import('../room/vault.js'));
}

/** A room that is kept here is entered as the member that was kept, by whatever way: by its link that would be a second member, who misses what waits for the first. @param {string} roomId */
const isKept = async (roomId) => Boolean(await (await vault())?.kept(roomId).catch(() => null));

/** @param {App} app @param {HTMLElement} place */
async function showKept(app, place) {
  const keeper = await vault();
  if (!keeper) return;
  const { forget, keptRooms } = keeper;
  const rooms = (await keptRooms().catch(() => [])).filter(({ roomId }) => !app.rooms.some(({ session }) => session.roomId === roomId));
  if (rooms.length === 0) return fill(place);
  const list = h('ul', { class: 'rooms' }, rooms.map((room) => keptRow(app, room, async () => {
    await forget(room.roomId);
    await showKept(app, place);
    (place.querySelector('button') ?? document.querySelector('h1'))?.focus();
  })));
  fill(place, h('h2', null, t.keptTitle), list);
}

/**
 * @param {App} app
 * @param {import('../room/vault.js').Kept} room
 * @param {() => Promise<void>} forget
 */
function keptRow(app, room, forget) {
  const title = room.name ?? t.privateRoom;
  const { root, alias, name } = room;
  const enter = () => app.enter({ root: async () => root, alias, keep: true, name: name ?? undefined, back: (why) => home(app, why) });
  const gone = h('button', { type: 'button', class: 'plain', 'aria-label': t.forgetRoom(title) }, t.forget);
  gone.addEventListener('click', ({ detail }) => {
    if (detail > 1) return; // the second half of a double click is no answer
    if (gone.dataset.sure !== undefined) return void forget();
    gone.dataset.sure = '';
    fill(gone, (gone.ariaLabel = t.forgetSure));
    gone.addEventListener('blur', () => {
      delete gone.dataset.sure;
      fill(gone, t.forget);
      gone.ariaLabel = t.forgetRoom(title);
    }, { once: true });
  });
  return h('li', null,
    h('button', { type: 'button', class: 'way', onclick: enter }, h('span', null, title, h('small', null, alias)), icon('next')), gone);
}

/**
 * @param {App} app
 * @param {Uint8Array} root
 * @param {string} [error]
 * @returns {View}
 */
export function invited(app, root, error) {
  const name = nameField(true);
  const keep = keepField();
  const go = submit(() => {
    const alias = aliasIn(name.input);
    if (alias) app.enter({ root: async () => root, alias, keep: keep.input.checked, back: (why) => invited(app, root, why) });
  });
  return {
    element: screen(
      h('header', null, h('h1', null, t.invitedTitle), h('p', null, t.invitedText)),
      problem(error),
      h('form', { class: 'card', onsubmit: go, novalidate: true }, name.element, h('button', { class: 'main' }, t.enter), keep.element),
    ),
  };
}

/**
 * The calm while a key is made and the room opens.
 * @param {{slow: boolean, cancel: () => void}} options
 */
export function entering({ slow, cancel }) {
  const title = h('h1', null, slow ? t.makingKey : t.opening);
  const note = h('p', null, slow ? t.makingKeyHint : '');
  const element = screen(
    h('header', { class: 'entering', role: 'status' }, title, h('div', { class: 'thread' }), note),
    h('button', { type: 'button', class: 'plain', onclick: cancel }, t.cancel));
  element.dataset.lit = '';
  let timer = 0;
  const opening = () => {
    fill(title, t.opening);
    fill(note);
    timer = window.setTimeout(() => fill(note, t.openingSlow), 5000); // by then the fast way has failed
  };
  if (!slow) opening();
  return { element, opening: () => (clearTimeout(timer), opening()), close: () => clearTimeout(timer) };
}

/**
 * The end of a stay: removed, or closed.
 * @param {App} app
 * @param {{title: string, text: string, again?: () => void}} end
 * @returns {View}
 */
export function ended(app, { title, text, again }) {
  return {
    element: screen(
      h('header', { role: 'alert' }, h('h1', null, title), h('p', null, text)),
      h('div', { class: 'row' },
        again && h('button', { type: 'button', class: 'main', onclick: again }, t.again),
        h('button', { type: 'button', class: 'quiet', onclick: () => app.out() }, t.toStart)),
    ),
  };
}

/**
 * The page: which screen stands for which address, and the way into a room and out of it.
 * `/` start · `/#ROOT` a link room · `/#k=ROOM` a door to knock at. The fragment never reaches a server.
 */

/** @typedef {import('../room/shared.js').SharedSession} Session */
/** @typedef {import('./room.js').Room} Room */

/**
 * A screen. Whoever puts it on the page closes it.
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {() => void} [close]
 */

/**
 * A way into a room.
 * @typedef {object} Door
 * @property {() => Promise<Uint8Array>} root makes or finds the room's root
 * @property {string} alias
 * @property {boolean} keep on this device
 * @property {string} [name] of a passphrase room
 * @property {() => import('../room/asker.js').Own | undefined} [as] the member that a knock has announced, once
 * @property {(error?: string) => View} back the screen to return to
 */

const SOON = 300; // ms; the start screen has been drawn by then
const LATER = 4000; // ms; by then the room is open, and what is for another time may be fetched
const TOUCH = matchMedia('(pointer: coarse)');

class App {
  #host;
  /** @type {View | null} */
  #view = null;
  #at = '';
  /** Counts screens, so that a slow way in does not open over a newer one. */
  #turn = 0;
  /** The list of rooms, from the second one on. @type {import('./rooms.js').Switcher | null} */
  #switcher = null;
  /** Rooms that this page is in, oldest first. Those that are not in front go on without a screen. @type {Room[]} */
  rooms = [];
  /** What another app has shared, until it has found its room. @type {import('./shared.js').Gift | null} */
  gift = null;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.#host = host;
    addEventListener('popstate', () => this.route());
    addEventListener('keydown', (event) => {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!by || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || this.rooms.length < 2) return;
      event.preventDefault();
      const at = this.rooms.indexOf(/** @type {Room} */ (this.#view));
      this.front(this.rooms[(at + by + this.rooms.length) % this.rooms.length]);
    });
  }

  /** Shows what the address asks for. */
  route() {
    if (this.#view && place() === this.#at) return;
    const fragment = location.hash.slice(1);
    const inside = this.rooms.find((room) => room.isAt(place()));
    if (inside) this.#back(inside);
    else if (!globalThis.crypto?.subtle) void this.turn(async () => (await part(() => import('./insecure.js'))).insecure());
    else if (fragment === 'shared') void this.turn(async () => (await part(() => import('./shared.js'))).sharedScreen(this));
    else if (fragment.startsWith('k=')) this.#knock(fragment.slice(2));
    else if (fragment) this.#invited(fragment);
    else this.home();
    // While a name is typed the room is fetched, so that the door opens at once. What fails here fails again where it is told.
    if (globalThis.crypto?.subtle) setTimeout(() => Promise.all([import('../room/shared.js'), import('./room.js')]).catch(() => {}), SOON);
  }

  /** Goes to an address of this page. @param {string} hash */
  go(hash) {
    history.pushState(null, '', hash);
    this.route();
  }

  /** A screen beside the start: the browser's way back leads to the start. @param {string} way its name @param {() => View | Promise<View>} view */
  aside(way, view) {
    history.pushState({ way }, '', location.pathname);
    void this.turn(view);
  }

  /** From there. */
  back() {
    history.state?.way ? history.back() : this.home();
  }

  /** @param {string} [error] */
  home(error) {
    this.show(home(this, error));
  }

  /** Another language: the start screen is drawn again, and every room behind it gets a new screen. @param {Filled} was */
  redraw(was) {
    this.rooms = this.rooms.map((room) => room.redrawn());
    this.#switcher?.close();
    this.#switcher = null;
    this.show(home(this, undefined, was));
  }

  /** To the start, with all rooms going on. */
  start() {
    if (place() !== '') history.pushState(null, '', location.pathname);
    this.home();
  }

  /** @param {View} view */
  show(view) {
    this.#turn++;
    const before = this.#view;
    for (const question of document.querySelectorAll('dialog.confirm')) /** @type {HTMLDialogElement} */ (question).close(); // it is the other screen's
    this.#view = view;
    this.#at = place();
    if (before !== view) this.rooms.includes(/** @type {Room} */ (before)) ? /** @type {Room} */ (before).hide() : before?.close?.();
    if (before?.element.parentElement === this.#host) before.element.replaceWith(view.element);
    else fill(this.#host, view.element);
    this.changed();
    // On a phone the keyboard would cover what there is to read; there the reader starts at the heading.
    const first = /** @type {HTMLElement | null} */ (!TOUCH.matches && view.element.querySelector('[autofocus]')) || view.element.querySelector('h1');
    if (first?.tagName === 'H1') first.tabIndex = -1;
    first?.focus({ preventScroll: true });
  }

  /** Brings a room to the front, and its address. @param {Room} room */
  front(room) {
    if (room !== this.#view && room.place !== place()) history.pushState(...room.address());
    this.#bring(room);
  }

  /** The history has led back to a room, perhaps to where it was before it moved. @param {Room} room */
  #back(room) {
    history.replaceState(...room.address()); // the room may have moved since, or the reader taken another name
    this.#bring(room);
  }

  /** @param {Room} room */
  #bring(room) {
    const { over } = room;
    if (over) {
      this.#drop(room);
      return this.show(ended(this, over));
    }
    if (room !== this.#view) this.show(room);
    this.#give(room);
    room.seen();
  }

  /** What was shared goes into the composer of the room that was chosen. @param {Room} room */
  #give(room) {
    if (this.gift) room.take(this.gift);
    this.gift = null;
  }

  /** @param {Room} room */
  isFront(room) {
    return room === this.#view;
  }

  /** A room's name, status or unread count, or which rooms there are. */
  changed() {
    const front = this.rooms.find((room) => room === this.#view);
    const unread = this.rooms.reduce((sum, room) => sum + room.unread, 0);
    document.title = t.title(front ? front.name : null, unread);
    for (const room of this.rooms) room.others(unread - room.unread, this.rooms.length);
    if (this.rooms.length > 1 || this.#switcher) void this.#drawSwitcher();
  }

  async #drawSwitcher() {
    const { Switcher } = await part(() => import('./rooms.js'));
    this.#switcher ??= new Switcher(this, this.#host);
    this.#switcher.draw();
  }

  /** The list of rooms, as a part of the start screen. @param {HTMLElement} place */
  async listAt(place) {
    await this.#drawSwitcher();
    if (this.#switcher) place.append(this.#switcher.start);
  }

  /** The rooms to choose from: those that this page is in, and those kept on this device. */
  async choices() {
    const [inside, kept] = [h('div', { class: 'kept' }), h('div', { class: 'kept' })];
    await Promise.all([this.rooms.length > 0 && this.listAt(inside), showKept(this, kept)]);
    return h('div', { class: 'stack' }, inside, kept);
  }

  /** The list of rooms, over the page. */
  async openSwitcher() {
    await this.#drawSwitcher();
    this.#switcher?.open();
  }

  /** @param {string} fragment */
  #invited(fragment) {
    const root = parseFragment(fragment);
    if (!root) return this.home(t.linkBroken);
    /** @param {string} [error] @returns {View} */
    const back = (error) => invited(this, root, error);
    const inside = history.state?.inside; // a reload of a room
    if (inside) return void this.enter({ root: async () => root, ...inside, link: true, back });
    this.show(back());
  }

  /** @param {string} roomId */
  #knock(roomId) {
    void this.turn(async () => new (await part(() => import('./knock.js'))).Knock(this, roomId));
  }

  /**
   * Shows a screen whose code may have to be fetched first, unless another one was asked for meanwhile.
   * @param {() => View | Promise<View>} view
   */
  async turn(view) {
    const turn = ++this.#turn;
    try {
      const next = await view();
      if (turn === this.#turn) this.show(next);
      else next.close?.();
    } catch (error) {
      console.warn('snug:', error);
      if (turn === this.#turn) this.home(words(error));
    }
  }

  /**
   * Goes through a door; comes back to it with the reason if it does not open.
   * @param {Door} door
   */
  async enter(door) {
    rememberAlias(door.alias);
    const waiting = entering({ slow: door.name !== undefined, cancel: () => this.show(door.back()) });
    this.show(waiting);
    const turn = this.#turn;
    try {
      const [[{ SharedSession }, { Room }, { roomKeys }], root] = await Promise.all([part(() => Promise.all([import('../room/shared.js'), import('./room.js'), import('../crypto/keys.js')])), door.root()]);
      const { roomId } = await roomKeys(root);
      const had = this.rooms.find(({ session }) => session.roomId === roomId);
      if (turn !== this.#turn) return;
      if (had) return this.front(had);
      waiting.opening();
      door.keep ||= await isKept(roomId);
      const session = await SharedSession.open({ site, root, alias: door.alias, keep: door.keep, name: door.name, as: door.as });
      if (turn !== this.#turn) return session.close();
      const room = new Room(this, session, door);
      const same = location.hash === room.place || history.state?.room; // the address is this room's already, or that of its end
      history[same ? 'replaceState' : 'pushState'](...room.address());
      this.rooms.push(room);
      this.show(room);
      this.#give(room);
    } catch (error) {
      console.warn('snug:', error);
      if (turn === this.#turn) this.show(door.back(words(error)));
    }
  }

  /** To the room of a notice. @param {string} tag */
  look(tag) {
    const room = this.rooms.find((each) => each.tag === tag);
    if (room) this.front(room);
  }

  /** Something was said while nobody looked. @param {Room} room @param {import('../room/session.js').Item} item */
  heard(room, item) {
    this.changed();
    if (stored('snug.notices') !== null) void import('./notices.js').then(({ notify }) => notify(room, item));
  }

  /** The room has a new link, or the reader another name in it. @param {Room} room */
  moved(room) {
    if (room !== this.#view) return;
    history.replaceState(...room.address());
    this.#at = place();
  }

  /** A room has come to its end. Who looks at it is told now, others when they come back to it. @param {Room} room */
  ended(room) {
    if (room === this.#view) this.#bring(room);
    else this.changed();
  }

  /** Out of a room, to the next one or to the start. @param {Room} [room] */
  out(room) {
    if (room) this.#drop(room);
    const next = this.rooms.at(-1);
    if (room && next) return this.front(next);
    history.pushState(null, '', location.pathname);
    this.home();
  }

  /** @param {Room} room */
  #drop(room) {
    this.rooms = this.rooms.filter((each) => each !== room);
    if (room === this.#view) return; // closed by the screen that follows
    room.close();
  }
}

/** What the address stands for. A passphrase room has none of its own, only its place in the history. */
const place = () => history.state?.room ?? history.state?.way ?? location.hash;

/** @param {unknown} error */
function words(error) {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'NotSupportedError' || /unrecognized|not supported/i.test(error.message)) return t.oldBrowser;
  if (error instanceof TypeError && /import|module|fetch/i.test(error.message)) return t.notLoaded;
  return told(error.message);
}

const app = new App(/** @type {HTMLElement} */ (document.getElementById('app')));
app.route();

/** What can wait until the room is open; the page works without. */
async function later() {
  const { install, watchVersion } = await part(() => import('./offline.js'));
  await Promise.all([install((room) => app.look(room)), watchVersion()]);
}
setTimeout(() => later().catch((error) => console.info('snug: not for offline use:', error)), LATER);

/** @typedef {App} AppType */
