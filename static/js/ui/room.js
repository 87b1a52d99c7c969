// @ts-check
/** The room screen: header, timeline, composer, and whoever knocks. It shows what the session says and holds no truth of its own. */
import { fill, h, icon, iconButton, mark } from '../lib/dom.js';
import { ended, rootOf } from './start.js';
import { t } from './lang.js';
import { copyButton, digits, shareButton, tile } from './parts.js';
import { TimelineView } from './timeline.js';

/** @typedef {import('./app.js').AppType} App */
/** @typedef {import('../room/shared.js').SharedSession} Session */

const FACES = 3; // tiles in the header; more would push the name away

export class Room {
  #app;
  #session;
  #door;
  #timeline;
  #stop = new AbortController();
  #unread = 0;
  #drawn = '';
  /** @type {import('./panels.js').Panel | null} */
  #panel = null;

  #status = h('button', { type: 'button', class: 'status', popovertarget: 'status' });
  #statusCard = h('div', { id: 'status', class: 'statuscard', popover: 'auto' });
  #notice = h('p', { class: 'notice', role: 'status', hidden: true });
  #people = h('button', { type: 'button', class: 'people', 'aria-haspopup': 'dialog', onclick: () => this.#open('people') });
  #knocks = h('div', { class: 'knocks', 'aria-live': 'assertive' });
  #alone = h('div', { class: 'alone' });
  #title = h('h1');
  #input = h('textarea', { rows: 1, 'aria-label': t.write, placeholder: t.write, enterkeyhint: 'send', autocomplete: 'off', maxlength: 60_000, autofocus: true });
  #sendButton = iconButton('send', t.send, { type: 'submit', class: 'round send' });
  #composer = h('form', { class: 'composer' }, h('div', { class: 'pen' }, this.#input, this.#sendButton));

  /**
   * @param {App} app
   * @param {Session} session
   * @param {import('./app.js').Door} door
   */
  constructor(app, session, door) {
    this.#app = app;
    this.#session = session;
    this.#door = door;
    this.#timeline = new TimelineView(() => session.items, this.#alone);
    this.element = h('div', { class: 'room' },
      h('header', { class: 'bar' },
        h('div', { class: 'where' }, this.#title, this.#status), this.#statusCard,
        this.#people,
        iconButton('invite', t.invite, { onclick: () => this.#open('invite'), 'aria-haspopup': 'dialog' }),
        iconButton('more', t.more, { onclick: () => this.#open('room'), 'aria-haspopup': 'dialog' })),
      h('div', { class: 'floor' }, this.#knocks, this.#timeline.element, this.#notice, this.#composer));
    this.#listen();
    this.#drawName();
    this.#drawStatus();
    this.#drawPeople();
    this.#drawKnocks();
    this.#typed();
    if (matchMedia('(min-width: 68rem)').matches) void this.#open('people', true);
  }

  /** Leaves the screen, not the room: the session closes, the member is away. */
  close() {
    this.#stop.abort();
    this.#panel?.close();
    this.#timeline.close();
    this.#session.close();
  }

  #listen() {
    const session = this.#session;
    const { signal } = this.#stop;
    /** @param {string} name @param {(detail: any) => void} does */
    const on = (name, does) => session.addEventListener(name, (event) => does(/** @type {CustomEvent} */ (event).detail), { signal });
    on('item', (item) => this.#arrived(item));
    on('update', (item) => this.#timeline.update(item));
    on('status', () => this.#drawStatus());
    on('members', () => this.#drawPeople());
    on('knocks', () => this.#drawKnocks());
    on('moved', ({ link }) => this.#moved(link));
    on('removed', ({ by }) => this.#end(t.removedTitle, t.removedText(by ?? t.someone)));
    on('closed', ({ reason }) => this.#end(t.closedTitle, reason, () => this.#app.enter(this.#door)));

    document.addEventListener('visibilitychange', () => document.hidden || this.#seen(), { signal });
    addEventListener('beforeunload', (event) => session.items.some((item) => item.own && item.state === 'queued') && event.preventDefault(), { signal });
    // iOS lays its keyboard over the page; the visible part is what the room fills.
    globalThis.visualViewport?.addEventListener('resize', () => this.#fit(), { signal });

    this.#composer.addEventListener('submit', (event) => (event.preventDefault(), this.#send()));
    this.#input.addEventListener('input', () => this.#typed());
    this.#input.addEventListener('keydown', (event) => {
      // While an input method composes, Enter chooses a word; Safari says so only by the old key code.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#send();
    });
  }

  /** Everybody but the removed has gone to a new room, and this page with them. @param {string} link */
  #moved(link) {
    const root = /** @type {Uint8Array} */ (rootOf(new URL(link).hash.slice(1)));
    this.#door = { ...this.#door, root: async () => root, name: undefined };
    this.#app.moved(link, this.#door);
    this.#drawName();
    this.#drawPeople();
  }

  #send() {
    const text = this.#input.value.trim();
    if (!text) return;
    this.#session.send(text);
    this.#input.value = '';
    this.#typed();
    this.#input.focus();
  }

  #typed() {
    mark(this.#sendButton, { empty: this.#input.value.trim() === '' });
    if (CSS.supports('field-sizing', 'content')) return;
    this.#input.style.setProperty('block-size', 'auto');
    this.#input.style.setProperty('block-size', `${this.#input.scrollHeight}px`);
  }

  #fit() {
    const { height = 0, scale = 1 } = globalThis.visualViewport ?? {};
    if (scale !== 1) return; // the reader zooms
    this.element.style.setProperty('--seen', `${Math.round(height)}px`);
    scrollTo(0, 0);
  }

  /** @param {import('../room/timeline.js').Item} item */
  #arrived(item) {
    this.#timeline.add(item);
    this.#drawAlone();
    if (!document.hidden || item.own || item.kind === 'system') return;
    this.#unread++;
    this.#drawTitle();
  }

  #seen() {
    this.#unread = 0;
    this.#drawTitle();
  }

  #drawTitle() {
    document.title = t.title(this.#session.name ?? t.privateRoom, this.#unread);
  }

  #drawName() {
    fill(this.#title, this.#session.name ?? t.privateRoom);
    // The app names the page for the screen before; this comes after it.
    queueMicrotask(() => this.#stop.signal.aborted || this.#drawTitle());
  }

  #drawStatus() {
    const { reason, latency } = this.#session.status;
    const state = /** @type {keyof typeof t.status} */ (this.#session.status.state);
    const says = t.statusText[state];
    const speed = latency !== null && (state === 'live' || state === 'polling') ? t.latency(latency) : '';
    mark(this.#status, { state });
    this.#status.title = [says, reason, speed].filter(Boolean).join('\n');
    this.#status.ariaLabel = t.statusName(t.status[state]);
    fill(this.#status, icon('lamp'), t.status[state]);
    fill(this.#statusCard, h('b', null, t.status[state]), h('p', null, says), reason && h('p', null, reason), speed && h('p', null, speed),
      h('p', null, h('a', { href: '/check', target: '_blank', rel: 'noopener' }, t.checkTitle)));
    this.#notice.hidden = state !== 'offline' && state !== 'blocked';
    mark(this.#notice, { state });
    fill(this.#notice, icon(state === 'blocked' ? 'warn' : 'lamp'), h('span', null, says, state === 'blocked' && reason && ` (${reason})`));
  }

  #drawPeople() {
    const { members } = this.#session;
    this.#drawAlone();
    const drawn = JSON.stringify(members.map(({ id, alias, changed }) => [id, alias, changed]));
    if (this.#drawn === drawn) return; // a button must not change under a finger for nothing
    this.#drawn = drawn;
    const others = members.filter((member) => !member.self);
    this.#people.ariaLabel = this.#people.title = `${t.people}: ${members.length}`;
    mark(this.#people, { changed: members.some((member) => member.changed) });
    const faces = (others.length ? others : members).slice(0, FACES).map(tile);
    fill(this.#people, faces, h('span', { class: 'count' }, icon('people'), members.length));
  }

  /** The first thing to do in an empty room is to ask someone in. */
  #drawAlone() {
    const { members, items, link } = this.#session;
    this.#alone.hidden = members.length > 1 || items.some((item) => item.kind !== 'system');
    if (this.#alone.hidden || this.#alone.dataset.link === String(link)) return;
    this.#alone.dataset.link = String(link);
    fill(this.#alone, h('h2', null, t.aloneTitle), h('p', null, link ? t.aloneLink : t.aloneWords),
      h('div', { class: 'row' },
        link && copyButton(() => link, t.copyLink, 'main'),
        link && shareButton(link, 'quiet')));
  }

  #drawKnocks() {
    const session = this.#session;
    const open = session.knocks.filter(({ state }) => state !== 'approved' && state !== 'refused');
    const busy = open.some(({ state }) => state !== 'asking'); // one stranger at a time
    fill(this.#knocks, open.map(({ id, code, state }) =>
      h('section', { class: 'knock', data: { state } },
        state === 'asking' && [h('h2', null, t.knockAsking), h('p', null, t.knockAskingText)],
        state === 'answered' && [h('h2', null, t.knockAnswered), h('p', null, t.knockAnsweredText), h('div', { class: 'thread' })],
        code && [h('h2', null, t.knockCode), digits(code), h('p', null, t.knockCompare)],
        h('div', { class: 'row' },
          state === 'asking' && h('button', { type: 'button', class: 'main', disabled: busy, onclick: () => tried(session.answer(id)) }, t.answer),
          state === 'code' && h('button', { type: 'button', class: 'main', onclick: () => tried(session.approve(id)) }, t.letIn),
          h('button', { type: 'button', class: 'quiet', onclick: () => tried(session.refuse(id)) }, t.refuse)))));
  }

  /**
   * @param {import('./panels.js').Tab} tab
   * @param {boolean} [aside] beside the conversation, without taking the focus
   */
  async #open(tab, aside = false) {
    const { Panel } = await import('./panels.js');
    if (this.#stop.signal.aborted) return;
    if (!this.#panel) {
      this.#panel = new Panel({ session: this.#session, kept: this.#door.keep, out: () => this.#app.out() });
      this.element.append(this.#panel.element);
    }
    this.#panel.show(tab, aside);
  }

  /** @param {string} title @param {string} text @param {() => void} [again] */
  #end(title, text, again) {
    this.#app.show(ended(this.#app, { title, text, again }));
  }
}

/** What the network was in the way of stays on the screen, to be tried again. @param {Promise<void>} work */
const tried = (work) => work.catch((error) => console.warn('snug:', error));
