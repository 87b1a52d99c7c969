// @ts-check
/** The door from outside: a stranger knocks, reads six digits to someone inside, and is let in. */
import { part } from '../lib/bytes.js';
import { aliasIn, digits, fill, h, icon, nameField, rememberAlias, screen, t, told } from './parts.js';

/** @typedef {import('./app.js').AppType} App */

export class Knock {
  #app;
  #roomId;
  /** @type {import('../room/asker.js').Asker | null} */
  #asker = null;
  #turn = 0; // of those that wait; what an older one learns is of no use
  #left = new AbortController();
  #inside = h('div', { class: 'stack' });

  /** @param {App} app @param {string} roomId */
  constructor(app, roomId) {
    this.#app = app;
    this.#roomId = roomId;
    this.element = screen(h('header', null, h('h1', null, t.knockTitle), h('p', null, t.knockText)), this.#inside);
    this.#form();
    addEventListener('pagehide', () => this.#stop(), { signal: this.#left.signal });
  }

  close() {
    this.#left.abort();
    this.#away();
  }

  #away() {
    this.#turn++;
    this.#asker?.cancel();
    this.#asker = null;
  }

  /** Waits no longer. */
  #stop() {
    if (this.element.dataset.lit === undefined) return;
    this.#away();
    this.#form();
  }

  /** @param {string} [error] */
  #form(error) {
    const name = nameField(true);
    /** @param {SubmitEvent} event */
    const go = (event) => {
      event.preventDefault();
      const alias = aliasIn(name.input);
      if (!alias) return;
      rememberAlias(alias); // it is there again at the next try
      void this.#ask(alias);
    };
    delete this.element.dataset.lit;
    fill(this.#inside, error && h('p', { class: 'problem', role: 'alert' }, icon('warn'), error),
      h('form', { class: 'card', onsubmit: go, novalidate: true }, name.element, h('button', { class: 'main' }, t.knock)));
    if (this.element.isConnected) /** @type {HTMLElement} */ (this.#inside.querySelector('.main')).focus();
  }

  /** @param {string} alias */
  async #ask(alias) {
    const say = h('div', { class: 'card center', role: 'status', tabindex: -1 }, h('p', null, t.knockWaiting), h('div', { class: 'thread' }));
    this.element.dataset.lit = '';
    fill(this.#inside, say, h('button', { type: 'button', class: 'plain', onclick: () => this.#stop() }, t.cancel));
    say.focus(); // not on the button, which a key that is held down would press
    const turn = ++this.#turn;
    try {
      const { Asker } = await part(() => import('../room/asker.js'));
      if (turn !== this.#turn) return;
      const asker = (this.#asker = new Asker({ roomId: this.#roomId }));
      asker.addEventListener('code', (event) => {
        const { code } = /** @type {CustomEvent} */ (event).detail;
        fill(say, h('p', null, t.knockYourCode), digits(code), h('p', { class: 'hint' }, t.knockYourCodeText), h('div', { class: 'thread' }));
      });
      const { root, own } = await asker.ask();
      if (turn !== this.#turn) return;
      this.#asker = null;
      const back = (/** @type {string | undefined} */ why) => new Knock(this.#app, this.#roomId).saying(why);
      const members = [own]; // a later visit through the same door is another member's
      void this.#app.enter({ root: async () => root, alias, keep: false, as: () => members.pop(), back });
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#asker = null;
      this.#form(error instanceof Error && error.message ? told(error.message) : t.knockRefused);
    }
  }

  /** @param {string} [error] */
  saying(error) {
    this.#form(error);
    return this;
  }
}
