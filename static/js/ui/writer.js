// @ts-check
/** What helps in writing more than plain text: replies, changes, commands, emoji, and who else is writing. Fetched with the first of them. */
import { part } from '../lib/bytes.js';
import { confirm, fill, gist, h, icon, iconButton, named, t, typing } from './parts.js';

/** @typedef {import('../room/session.js').Item} Item */
/** @typedef {import('../room/shared.js').SharedSession} Session */

const TYPES = 5000; // ms between two words that one types; the others believe one for 8 s

export class Writer {
  #session;
  #input;
  #button;
  #typed;
  #draft;
  #said;
  /** What is being answered or changed, or a word about a command. */
  #above = h('div', { class: 'above', hidden: true });
  #typists = h('p', { class: 'typists', hidden: true });
  /** @type {{re?: Item, edit?: Item}} */
  #about = {};
  #sent = '';
  #told = 0;

  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {HTMLTextAreaElement} options.input
   * @param {HTMLButtonElement} options.button sends
   * @param {Element} options.pen what this stands above
   * @param {() => void} options.typed the text of the field was changed by this
   * @param {() => string} options.draft what was not sent when a change of something else began
   * @param {() => void} options.said something new was sent
   * @param {AbortSignal} options.signal
   */
  constructor({ session, input, button, pen, typed, draft, said, signal }) {
    this.#session = session;
    this.#input = input;
    this.#button = button;
    this.#typed = typed;
    this.#draft = draft;
    this.#said = said;
    session.addEventListener('update', (event) => this.#changed(/** @type {CustomEvent} */ (event).detail), { signal });
    session.addEventListener('gone', (event) => /** @type {CustomEvent} */ (event).detail.includes(this.about?.key) && this.#lost(), { signal });
    pen.before(this.#typists, this.#above);
    input.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || event.isComposing || this.#above.hidden) return;
      event.preventDefault();
      this.turnTo({});
    });
  }

  /** Whether the field holds another text than the next message. */
  get changes() {
    return !!this.#about.edit;
  }

  /** What is being answered or changed. */
  get about() {
    return this.#about.re ?? this.#about.edit;
  }

  /** What turnTo was told. */
  get turn() {
    return this.#about;
  }

  /** The key of what the next message answers, which is answered with that. */
  answered() {
    const key = this.#about.re?.key;
    this.turnTo({});
    return key;
  }

  /** @param {Item} item */
  #changed(item) {
    if (item.key !== this.about?.key) return;
    if (item.gone) this.#lost();
    else if (this.#about.re) this.turnTo(this.#about);
  }

  /** What was answered or changed is there no more. What was typed is, as a message of its own. */
  #lost() {
    this.#about = {};
    this.#button.ariaLabel = this.#button.title = t.send;
    this.#show('word', t.aboutGone);
    this.#typed();
  }

  /** Sends what was written, as what it is. @param {string} text @param {string} typed the same with its blanks */
  send(text, typed) {
    this.#sent = typed;
    if (!text.startsWith('/') || this.#about.edit) this.#say(text);
    else if (text.startsWith('//')) this.#say(text.slice(1));
    else void this.#command(text);
  }

  /** @param {string} text @param {{me?: boolean}} [how] */
  #say(text, how) {
    const { re, edit } = this.#about;
    if (edit && !text) return void this.#erase(edit);
    if (edit) tried(this.#session.edit(edit.key, text));
    else {
      this.#session.send(text, { ...how, re: re?.key });
      this.#said();
    }
    this.#told = 0; // what was said tells that one has stopped
    this.#empty();
    this.turnTo({});
  }

  /** Nothing is left of what it says. @param {Item} item */
  async #erase(item) {
    if (!(await confirm({ title: t.eraseTitle, text: [t.eraseText], yes: t.erase }))) return this.#input.focus();
    this.turnTo({});
    tried(this.#session.erase(item.key));
  }

  /** What was typed on while a part of the page was fetched stays. */
  #empty() {
    const { value } = this.#input;
    this.#put(value.startsWith(this.#sent) ? value.slice(this.#sent.length) : '');
    this.#sent = '';
    this.#input.focus();
  }

  /** @param {string} text */
  #put(text) {
    this.#input.value = text;
    this.#typed();
  }

  /** @param {string} line */
  async #command(line) {
    const { run } = await part(() => import('./commands.js')).catch(() => ({ run: null }));
    if (!run) return this.#show('word', t.notLoaded);
    run(line, { session: this.#session, say: (text, how) => this.#say(text, how), done: () => this.#empty(), show: (...content) => (this.#about = {}, this.#show('word', ...content)) });
  }

  /** What the next message answers, or which one it changes. @param {{re?: Item, edit?: Item}} about */
  turnTo(about) {
    const { edit: before } = this.#about;
    this.#about = about;
    const item = about.re ?? about.edit;
    this.#button.ariaLabel = this.#button.title = about.edit ? t.save : t.send;
    this.#above.hidden = !item;
    if (item) {
      const title = about.edit ? t.editing : item.own ? t.replyToSelf : t.replyTo(named(item.alias));
      const kind = about.edit ? 'edit' : 'reply';
      this.#show(kind, icon(kind), h('div', { class: 'of' }, h('b', null, title), h('span', { dir: 'auto' }, gist(item).slice(0, 300))));
    }
    if (about.edit) this.#put(item?.body ?? '');
    else if (before) this.#put(this.#draft());
    this.#input.focus();
  }

  /** Shows something above the field, until it is closed. @param {'edit' | 'reply' | 'word'} kind @param {...import('./parts.js').Child} content */
  #show(kind, ...content) {
    const close = { edit: t.stopEdit, reply: t.stopReply, word: t.close }[kind];
    this.#above.setAttribute('role', kind === 'word' ? 'alert' : 'group');
    fill(this.#above, h('div', { class: 'says' }, ...content), iconButton('close', close, { onclick: () => this.turnTo({}) }));
    this.#above.hidden = false;
  }

  /** Changes the last message that can be changed. */
  changeLast() {
    const last = this.#session.items.findLast(({ own, kind, gone, state }) => own && kind === 'text' && !gone && state !== 'failed');
    if (last) this.turnTo({ edit: last });
  }

  /** @param {Element} anchor */
  async pickEmoji(anchor) {
    const { pick } = await part(() => import('./emoji.js'));
    const emoji = await pick(anchor);
    const { selectionStart, selectionEnd } = this.#input;
    if (emoji) this.#input.setRangeText(emoji, selectionStart, selectionEnd, 'end');
    this.#typed();
    this.#input.focus();
  }

  /** Tells the others that something is being written, if they may know. @param {string} text */
  typed(text) {
    const now = Date.now();
    if (!typing.on || this.#about.edit || (text.startsWith('/') && !text.startsWith('//'))) return;
    if (text ? now - this.#told < TYPES : !this.#told) return;
    this.#told = text ? now : 0;
    tried(this.#session.types(!!text));
  }

  /** Shows who else is writing. */
  drawTyping() {
    const who = this.#session.typing;
    this.#typists.hidden = who.length === 0;
    fill(this.#typists, who.length > 0 && t.typing(who.map((name) => named(name))));
  }
}

/** @param {Promise<void> | void} work */
const tried = (work) => void Promise.resolve(work).catch((error) => console.warn('snug:', error));
