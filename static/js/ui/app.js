// @ts-check
import { unb64u } from '../lib/bytes.js';
import { aliasIn, fill, h, icon, keepField, nameField, problem, rememberAlias, screen, site, submit, t } from './parts.js';

/** The start screen and the other screens outside a room: every way in, and the words when there is none. */

/**
 * The root in a fragment, or null.
 * @param {string} fragment
 */
export function rootOf(fragment) {
  try {
    const root = unb64u(fragment);
    return root.length === 32 ? root : null;
  } catch {
    return null;
  }
}

/**
 * @param {App} app
 * @param {string} [error]
 * @returns {View}
 */
export function home(app, error) {
  const name = nameField();
  const keep = keepField();
  const rooms = h('div', { class: 'kept' });
  const open = async () => (await import('../crypto/keys.js')).newLinkRoot();
  const go = submit(() => {
    const alias = aliasIn(name.input);
    if (alias) app.enter({ root: open, alias, keep: keep.input.checked, back: (why) => home(app, why) });
  });
  /** @param {string} drawing @param {string} text @param {() => View | Promise<View>} view */
  const way = (drawing, text, view) =>
    h('button', { type: 'button', class: 'way', onclick: () => app.turn(view) }, icon(drawing), h('span', null, text), icon('next'));
  showKept(app, rooms);
  return {
    element: screen(
      h('header', { class: 'brand' }, h('h1', null, 'snug'), h('p', null, t.tagline)),
      problem(error),
      rooms,
      h('form', { class: 'card', onsubmit: go, novalidate: true }, name.element, h('button', { class: 'main' }, t.newRoom), keep.element),
      h('nav', { class: 'ways' },
        way('key', t.withPassphrase, async () => (await import('./passphrase.js')).passphrase(app)),
        way('link', t.withLink, async () => (await import('./link.js')).pasteLink(app))),
      h('p', { class: 'promise' }, t.promise),
    ),
  };
}

/** @param {App} app @param {HTMLElement} place */
async function showKept(app, place) {
  const stores = await globalThis.indexedDB?.databases?.().catch(() => null);
  if (stores && !stores.some(({ name }) => name === 'snug')) return; // nothing was ever kept here
  const { forget, keptRooms } = await import('../room/vault.js');
  const rooms = await keptRooms().catch(() => []);
  if (rooms.length === 0) return;
  const list = h('ul', { class: 'rooms' }, rooms.map((room) => keptRow(app, room, async () => {
    await forget(room.roomId);
    await showKept(app, place);
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
  gone.addEventListener('click', () => {
    if (gone.dataset.sure !== undefined) return void forget().then(() => gone.closest('li')?.remove());
    gone.dataset.sure = '';
    fill(gone, t.forgetSure);
    gone.addEventListener('blur', () => (delete gone.dataset.sure, fill(gone, t.forget)), { once: true });
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

/** @returns {View} No WebCrypto here: plain http from another host. */
export function insecure() {
  const { hostname, port, pathname, hash, origin } = location;
  const local = port || '80';
  /** @param {string} title @param {string} text @param {...string} lines */
  const way = (title, text, ...lines) =>
    h('li', null, h('h2', null, title), h('p', null, text), h('pre', { tabindex: 0, 'aria-label': title }, lines.join('\n')));
  return {
    element: screen(
      h('header', null, h('h1', null, t.plainTitle), h('p', null, t.plainText)),
      h('ol', { class: 'card outs' },
        way(t.plainHttps, t.plainHttpsText, 'snug --tls-self-signed'),
        way(t.plainTunnel, t.plainTunnelText, `ssh -L 8080:localhost:${local} ${hostname}`, `http://localhost:8080${pathname}${hash}`),
        way(t.plainLocal, t.plainLocalText, `snug ui ${origin}`)),
    ),
  };
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
 * @property {(error?: string) => View} back the screen to return to
 */

const SOON = 300; // ms; the start screen has been drawn by then
const TOUCH = matchMedia('(pointer: coarse)');

class App {
  #host;
  /** @type {View | null} */
  #view = null;
  #at = '';
  /** Counts screens, so that a slow way in does not open over a newer one. */
  #turn = 0;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.#host = host;
    addEventListener('popstate', () => this.route());
  }

  /** Shows what the address asks for. */
  route() {
    if (this.#view && place() === this.#at) return;
    const fragment = location.hash.slice(1);
    if (!globalThis.crypto?.subtle) this.show(insecure());
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

  /** @param {string} [error] */
  home(error) {
    this.show(home(this, error));
  }

  /** @param {View} view */
  show(view) {
    this.#turn++;
    this.#view?.close?.();
    this.#view = view;
    this.#at = place();
    document.title = t.title(null, 0);
    fill(this.#host, view.element);
    // On a phone the keyboard would cover what there is to read; there the reader starts at the heading.
    const first = /** @type {HTMLElement | null} */ (!TOUCH.matches && view.element.querySelector('[autofocus]')) || view.element.querySelector('h1');
    if (first?.tagName === 'H1') first.tabIndex = -1;
    first?.focus({ preventScroll: true });
  }

  /** @param {string} fragment */
  #invited(fragment) {
    const root = rootOf(fragment);
    if (!root) return this.home(t.linkBroken);
    /** @param {string} [error] @returns {View} */
    const back = (error) => invited(this, root, error);
    const inside = history.state?.inside; // a reload of a room
    if (inside) return void this.enter({ root: async () => root, ...inside, link: true, back });
    this.show(back());
  }

  /** @param {string} roomId */
  #knock(roomId) {
    void this.turn(async () => new (await import('./knock.js')).Knock(this, roomId));
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
      const [{ SharedSession }, { Room }, root] = await Promise.all([import('../room/shared.js'), import('./room.js'), door.root()]);
      waiting.opening();
      const session = await SharedSession.open({ site, root, alias: door.alias, keep: door.keep, name: door.name });
      if (turn !== this.#turn) return session.close();
      this.#remember(door, session);
      this.show(new Room(this, session, door));
    } catch (error) {
      console.warn('snug:', error);
      if (turn === this.#turn) this.show(door.back(words(error)));
    }
  }

  /** Keeps the address true, so that a reload comes back. @param {Door} door @param {Session} session */
  #remember(door, session) {
    const state = session.link ? { inside: { alias: door.alias, keep: door.keep } } : { room: true };
    const url = session.link ? new URL(session.link).hash : location.pathname;
    if (location.hash === url || history.state?.room) history.replaceState(state, '', url);
    else history.pushState(state, '', url);
  }

  /** The room has a new link. @param {string} link @param {Door} door */
  moved(link, { alias, keep }) {
    history.replaceState({ inside: { alias, keep } }, '', new URL(link).hash);
    this.#at = place();
  }

  /** Out of the room, to the start. */
  out() {
    history.pushState(null, '', location.pathname);
    this.home();
  }
}

/** What the address stands for. A passphrase room has none of its own, only its place in the history. */
const place = () => (history.state?.room ? '!' : location.hash);

/** @param {unknown} error */
function words(error) {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'NotSupportedError' || /unrecognized|not supported/i.test(error.message)) return t.oldBrowser;
  if (error instanceof TypeError && /import|module|fetch/i.test(error.message)) return t.notLoaded;
  return error.message;
}

new App(/** @type {HTMLElement} */ (document.getElementById('app'))).route();

/** @typedef {App} AppType */
