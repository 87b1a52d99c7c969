// @ts-check
/** What can be done with a message: by a bar on hover, a menu on long-press or key, and who lacks it on hover, long-press or focus. */
import { part } from '../lib/bytes.js';
import { confirm, fill, h, icon, iconButton, listed, mark, named, t, told } from './parts.js';

/** @typedef {import('../room/session.js').Item} Item */
/** @typedef {import('../room/shared.js').SharedSession} Session */
/** @typedef {import('./room.js').TimelineView} TimelineView */

const QUICK = ['👍', '❤️', '😂', '🎉', '😮', '😢'];
const PRESS = 450; // ms of a finger that means the menu
const SLIP = 10; // px that a finger may move meanwhile
const LINGER = 350; // ms over a tick before it says more

export class Actions {
  #session;
  #timeline;
  #reply;
  #edit;
  #out;
  #bar;
  #menu = h('div', { class: 'menu', role: 'menu', popover: 'auto', 'aria-label': t.messageMenu });
  #tip = h('div', { class: 'tip', role: 'status', popover: 'manual' });
  /** @type {Item | null} what the menu is of */ #item = null;
  /** @type {HTMLElement | null} where the focus goes back to */ #from = null;
  /** The finger that opened the menu is still down. */
  #held = false;
  #press = /** @type {{timer: number, x: number, y: number} | null} */ (null);
  #linger = 0;
  #asked = '';

  /**
   * @param {object} options
   * @param {Session} options.session
   * @param {TimelineView} options.timeline
   * @param {HTMLElement} options.place for what floats
   * @param {(item: Item) => void} options.reply
   * @param {(item: Item) => void} options.edit
   * @param {() => void} options.out puts the reader back to writing
   * @param {AbortSignal} options.signal
   */
  constructor({ session, timeline, place, reply, edit, out, signal }) {
    this.#session = session;
    this.#timeline = timeline;
    this.#reply = reply;
    this.#edit = edit;
    this.#out = out;
    this.#bar = h('div', { class: 'rowbar' },
      iconButton('smile', t.react, { onclick: (/** @type {Event} */ event) => this.#pick(event) }),
      iconButton('reply', t.reply, { onclick: (/** @type {Event} */ event) => this.#do(event, reply) }),
      iconButton('more', t.messageMenu, { 'aria-haspopup': 'menu', onclick: (/** @type {Event} */ event) => this.#open(event.target, event.currentTarget) }));
    place.append(this.#menu, this.#tip);
    this.#menu.addEventListener('toggle', (event) => /** @type {ToggleEvent} */ (event).newState === 'closed' && this.#closed());
    this.#menu.addEventListener('keydown', (event) => this.#arrow(event));
    const { scroller } = timeline;
    scroller.addEventListener('pointermove', (event) => this.#moved(event), { signal, passive: true });
    for (const name of ['pointerup', 'pointercancel']) scroller.addEventListener(name, () => this.#lift(), { signal });
    // The end of a long press is no tap on what has opened under the finger.
    scroller.addEventListener('touchend', (event) => (this.#held && event.cancelable && event.preventDefault(), (this.#held = false)), { signal, passive: false });
    scroller.addEventListener('scroll', () => (this.#lift(), this.#hideTip()), { signal, passive: true });
    scroller.addEventListener('pointerleave', () => (this.#bar.remove(), this.#hideTip()), { signal });
    scroller.addEventListener('focusout', () => this.#hideTip(), { signal });
    session.addEventListener('gone', () => this.#item && !session.items.includes(this.#item) && this.#menu.hidePopover(), { signal });
    signal.addEventListener('abort', () => (clearTimeout(this.#linger), this.#lift()));
  }

  /** Something happened in the timeline. @param {Event} event */
  handle(event) {
    const item = this.#timeline.itemAt(event.target);
    if (event instanceof PointerEvent && event.type === 'pointerover') this.#over(event, item);
    if (!item || !isSaid(item)) return;
    if (event instanceof PointerEvent && event.type === 'pointerdown' && event.pointerType === 'touch') this.#touch(event);
    if (event.type === 'contextmenu') this.#context(/** @type {PointerEvent} */ (event));
    if (event.type === 'focusin' && event.target === this.#timeline.rowOf(item.key)) this.#tell(item, /** @type {Element} */ (event.target).querySelector('.tick'));
    if (event instanceof KeyboardEvent) this.#key(event, item);
  }

  /** @param {KeyboardEvent} event @param {Item} item */
  #key(event, item) {
    const row = this.#timeline.rowOf(item.key);
    if (event.target !== row) return;
    const menu = event.key === 'Enter' || event.key === ' ' || event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey);
    if (!menu) return;
    event.preventDefault();
    this.#open(row, row);
  }

  /** @param {PointerEvent} event */
  #context(event) {
    if (event.pointerType === 'mouse' && !this.#menu.matches(':popover-open')) return; // the browser's own has the selection and the links
    event.preventDefault();
  }

  /** @param {PointerEvent} event @param {Item | undefined} item */
  #over(event, item) {
    if (event.pointerType === 'touch') return;
    const { target } = event;
    const tick = target instanceof Element ? target.closest('.row[data-own] .tick') : null;
    clearTimeout(this.#linger);
    if (tick && item) this.#linger = window.setTimeout(() => this.#tell(item, tick), LINGER);
    else this.#hideTip();
    const row = item && isSaid(item) ? this.#timeline.rowOf(item.key) : null;
    if (!row) return this.#bar.remove();
    if (this.#bar.parentElement === row) return;
    mark(this.#bar, { shell: item?.kind === 'shell' });
    row.append(this.#bar);
  }

  /** @param {PointerEvent} event */
  #touch(event) {
    this.#lift();
    this.#held = false;
    const { target, clientX: x, clientY: y } = event;
    const timer = window.setTimeout(() => {
      this.#press = null;
      this.#held = true;
      navigator.vibrate?.(10);
      getSelection()?.removeAllRanges();
      this.#open(target, null);
    }, PRESS);
    this.#press = { timer, x, y };
  }

  /** @param {PointerEvent} event */
  #moved({ clientX, clientY }) {
    if (this.#press && Math.hypot(clientX - this.#press.x, clientY - this.#press.y) > SLIP) this.#lift();
  }

  #lift() {
    clearTimeout(this.#press?.timer);
    this.#press = null;
  }

  /** @param {Event} event @param {(item: Item) => void} what */
  #do(event, what) {
    const item = this.#timeline.itemAt(event.target);
    if (item) what(item);
  }

  /** @param {EventTarget | null} target in the row @param {EventTarget | null} at where the focus goes back to; null: nowhere */
  #open(target, at) {
    const item = this.#timeline.itemAt(target);
    const row = item && this.#timeline.rowOf(item.key);
    if (!item || !row) return;
    this.#hideTip();
    this.#item = item;
    this.#from = at instanceof HTMLElement ? row : null;
    fill(this.#menu, this.#entries(item));
    this.#menu.showPopover();
    const anchor = at instanceof HTMLElement && at !== row ? at : (row.querySelector('.bubble') ?? row);
    put(this.#menu, anchor);
    /** @type {HTMLElement | null} */ (this.#menu.querySelector('[role=menuitem]'))?.focus({ preventScroll: true });
  }

  /** @param {Item} item */
  #entries(item) {
    /** @param {string} drawing @param {string} text @param {(button: HTMLElement) => unknown} does @param {boolean} [stays] */
    const entry = (drawing, text, does, stays) => {
      const button = h('button', { type: 'button', role: 'menuitem', tabindex: -1, onclick: () => (stays || this.#menu.hidePopover(), does(button)) }, icon(drawing), h('span', null, text));
      return button;
    };
    const quick = QUICK.map((emoji) => {
      const mine = this.#mine(item, emoji);
      return h('button', { type: 'button', role: 'menuitem', tabindex: -1, 'aria-label': mine ? t.takeBack(emoji) : t.reactWith(emoji), data: { mine }, onclick: () => (this.#menu.hidePopover(), this.#react(item, emoji, !mine)) }, emoji);
    });
    const more = iconButton('smile', t.otherEmoji, { role: 'menuitem', tabindex: -1, onclick: () => (this.#menu.hidePopover(), this.#pickFor(item)) });
    const own = item.own && item.state !== undefined;
    const shell = item.kind === 'shell';
    return [
      !shell && h('div', { class: 'quick', role: 'group', 'aria-label': t.react }, ...quick, more),
      !!item.reactions?.length && h('p', { class: 'hint' }, item.reactions.map(({ emoji, by }) => `${emoji} ${listed(by.map(({ id, alias }) => (id === this.#session.self ? t.you : alias)))}`).join('\n')),
      !shell && entry('reply', t.reply, () => this.#reply(item)),
      !!item.body && entry('copy', t.copyText, () => void navigator.clipboard.writeText(item.body ?? '').catch((error) => console.warn('snug:', error))),
      own && item.state === 'sent' && entry('all', t.whoLacks, (button) => void this.#ask(item).then((text) => fill(button, icon('all'), h('span', { role: 'status' }, text))), true),
      own && (item.kind === 'text' || item.body) && item.state !== 'failed' && entry('edit', t.edit, () => this.#edit(item)),
      own && entry('trash', t.erase, () => void this.#erase(item)),
    ];
  }

  /** @param {KeyboardEvent} event */
  #arrow(event) {
    const entries = /** @type {HTMLElement[]} */ ([...this.#menu.querySelectorAll('[role=menuitem]')]);
    const at = entries.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const quick = (/** @type {Element | undefined} */ each) => !!each?.closest('.quick');
    let to = at;
    if (event.key === 'ArrowRight' || (event.key === 'ArrowDown' && !quick(entries[at]))) to = at + 1;
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowUp') to = at - 1;
    else if (event.key === 'ArrowDown') to = entries.findIndex((each) => !quick(each));
    else if (event.key === 'Home') to = 0;
    else if (event.key === 'End') to = -1;
    else if (event.key === 'Tab') return this.#menu.hidePopover();
    else return;
    event.preventDefault();
    entries.at(to % entries.length)?.focus();
  }

  #closed() {
    const within = this.#menu.contains(document.activeElement) || document.activeElement === document.body;
    if (within && this.#from?.isConnected) this.#from.focus({ preventScroll: true });
    this.#item = null;
  }

  /** @param {Item} item @param {string} emoji */
  #mine = (item, emoji) => !!item.reactions?.find((each) => each.emoji === emoji)?.by.some(({ id }) => id === this.#session.self);

  /** @param {Item} item @param {string} emoji @param {boolean} on */
  #react(item, emoji, on) {
    this.#session.react(item.key, emoji, on).catch((/** @type {Error} */ error) => {
      const row = this.#timeline.rowOf(item.key);
      if (row) this.#showTip(told(error.message), row.querySelector('.bubble') ?? row);
    });
  }

  /** @param {Event} event */
  #pick(event) {
    const item = this.#timeline.itemAt(event.target);
    if (item) void this.#pickFor(item, /** @type {Element} */ (event.currentTarget));
  }

  /** @param {Item} item @param {Element} [anchor] */
  async #pickFor(item, anchor) {
    const at = anchor ?? this.#timeline.rowOf(item.key)?.querySelector('.bubble');
    const { pick } = await part(() => import('./emoji.js'));
    const emoji = await pick(at ?? this.#timeline.scroller);
    if (emoji) this.#react(item, emoji, !this.#mine(item, emoji));
    if (emoji) this.#out();
  }

  /** @param {Item} item */
  async #erase(item) {
    const yes = item.state === 'failed' || (await confirm({ title: t.eraseTitle, text: [t.eraseText], yes: t.erase }));
    if (yes) await this.#session.erase(item.key);
    this.#out();
  }

  /** Says of an own message who lacks it. @param {Item} item @param {Element | null} tick */
  async #tell(item, tick) {
    if (!item.own || item.state !== 'sent' || !tick) return;
    this.#asked = item.key;
    const says = await this.#ask(item);
    if (this.#asked !== item.key) return; // looked away meanwhile
    this.#showTip(says, this.#timeline.rowOf(item.key)?.querySelector('.tick') ?? tick);
  }

  /** @param {string} says @param {Element} at */
  #showTip(says, at) {
    fill(this.#tip, says);
    this.#tip.showPopover();
    put(this.#tip, at);
  }

  #hideTip() {
    clearTimeout(this.#linger);
    this.#asked = '';
    if (this.#tip.matches(':popover-open')) this.#tip.hidePopover();
  }

  /** @param {Item} item */
  async #ask(item) {
    try {
      const names = await this.#session.missing(item.key);
      return names === null ? t.lacksUnknown : names.length > 0 ? t.lacks(names.map((name) => named(name))) : t.state.all;
    } catch {
      return t.lacksUnknown;
    }
  }
}

/** @param {Item} item */
const isSaid = (item) => !item.gone && !['system', 'gap', 'failed'].includes(item.kind);

/** Puts something that floats beside what it belongs to, inside the window. @param {HTMLElement} it @param {Element} anchor */
export function put(it, anchor) {
  const room = document.documentElement;
  const { top, bottom, left, right } = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = it;
  const x = getComputedStyle(anchor).direction === 'rtl' || right > room.clientWidth * 0.6 ? right - width : left;
  const y = bottom + 4 + height <= room.clientHeight ? bottom + 4 : top - 4 - height;
  it.style.setProperty('--x', `${Math.max(8, Math.min(x, room.clientWidth - width - 8))}px`);
  it.style.setProperty('--y', `${Math.max(8, Math.min(y, room.clientHeight - height - 8))}px`);
}
