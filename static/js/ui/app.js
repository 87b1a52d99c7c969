// @ts-check
/**
 * The page: which screen stands for which address, and the way into a room and out of it.
 * `/` start · `/#ROOT` a link room · `/#k=ROOM` a door to knock at. The fragment never reaches a server.
 */
import { fill } from '../lib/dom.js';
import { rememberAlias } from './fields.js';
import { t } from './lang.js';
import { site } from './site.js';
import * as start from './start.js';

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
    if (!globalThis.crypto?.subtle) this.show(start.insecure());
    else if (fragment.startsWith('k=')) this.#knock(fragment.slice(2));
    else if (fragment) this.#invited(fragment);
    else this.home();
    // While a name is typed the room is fetched, so that the door opens at once. What fails here fails again where it is told.
    if (globalThis.crypto?.subtle) setTimeout(() => Promise.all([import('../room/shared.js'), import('./room.js')]).catch(() => {}), SOON);
  }

  /** @param {string} [error] */
  home(error) {
    this.show(start.home(this, error));
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
    const root = start.rootOf(fragment);
    if (!root) return this.home(t.linkBroken);
    /** @param {string} [error] @returns {View} */
    const back = (error) => start.invited(this, root, error);
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
    const waiting = start.entering({ slow: door.name !== undefined, cancel: () => this.show(door.back()) });
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
