// @ts-check
import { parseFragment, part } from '../lib/bytes.js';
import { PUSHED } from '../room/session.js';
import { copyButton, dayOf, digits, fill, gist, h, icon, iconButton, mark, momentOf, named, redraw, rememberAlias, shareButton, t, tile, told, timeOf, toneOf, typing } from './parts.js';

/**
 * The timeline on the screen: a window of rows over session.items, so that a long conversation stays light. It stays where the
 * reader is: at the end it follows, elsewhere it counts what is new.
 */

/** @typedef {import('../room/session.js').Item} Item */

const WINDOW = 300; // rows at first; a phone lays these out in a few ms
const MOST = 600; // rows in the page at any time
const STEP = 100; // rows more when the reader comes near an edge
const NEAR = 400; // px from an edge
const GROUP = 5 * 60_000; // a pause this long starts a new group
const END = 48; // px from the end that still count as the end: less than one message
const SPOKEN = 5; // lines that a screen reader may still have to say
// Signs of Markdown or an address, as in lib/markdown.js: text without them needs no more than a text node.
const MARKS = /[*_~`|\\[]|^(?:>|[-+] |\d{1,9}[.)] )|\b(?:https?:\/\/|mailto:)/m;

const FOLDS = ':is([data-event="joined"], [data-event="left"], [data-event="renamed"])';
const FOLDABLE = `${FOLDS} + ${FOLDS} + ${FOLDS} + ${FOLDS}`;

/**
 * What the rows need to know beyond their item, and may do.
 * @typedef {object} Surroundings
 * @property {() => Item[]} items
 * @property {() => string} self member id
 * @property {(key: string, emoji: string, on: boolean) => void} react
 * @property {(keys: string[]) => void} read the reader has seen what vanishes some time after
 * @property {() => boolean} watched whether somebody looks at the room
 */

export class TimelineView {
  #room;
  #items;
  #file;
  #from = 0;
  #to = 0;
  #follows = true;
  #top = 0; // where the reader is; an element that leaves the page forgets it
  #unseen = 0;
  #busy = false;
  #midnight = 0; // a timer
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map();
  #list;
  #pill;
  #resize;
  #spoken = h('div', { class: 'spoken', 'aria-live': 'polite', 'aria-relevant': 'additions' });
  /** Rows whose timer starts when they are seen. */
  #watch;
  /** Key of the first item that came while nobody looked. */
  #news = '';
  /** What the reader has before the eyes: a row, and how far down it begins. @type {{key: string, top: number} | null} */
  #anchor = null;
  /** Comings and goings that the reader wants one by one: keys of the first. */
  #unfolded = /** @type {Set<string>} */ (new Set());

  /**
   * @param {Surroundings} room
   * @param {HTMLElement} empty shown while there is nothing to read
   * @param {(item: Item) => HTMLElement} file shows the file of an item
   */
  constructor(room, empty, file) {
    this.#room = room;
    this.#items = room.items;
    this.#file = file;
    this.#list = h('div', { class: 'rows' });
    this.#pill = h('button', { type: 'button', class: 'pill', hidden: true, onclick: () => this.toEnd() });
    // What is new is said by a line of its own: a row that is drawn again, for a tick or an edit, is no news.
    const spoken = { role: 'log', 'aria-live': 'off', 'aria-label': t.timeline, 'aria-description': t.timelineKeys };
    this.scroller = h('div', { class: 'timeline', tabindex: 0, ...spoken, onscroll: () => this.#scrolled(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) }, empty, this.#list);
    this.element = h('div', { class: 'talk' }, this.scroller, this.#pill, this.#spoken);
    // The keyboard of a phone opens, the composer grows, a row changes its height: the reader stays where the reader is.
    this.#resize = new ResizeObserver(() => this.#settle());
    this.#resize.observe(this.scroller);
    this.#resize.observe(this.#list);
    this.#watch = new IntersectionObserver((seen) => this.#saw(seen), { root: this.scroller, threshold: [0, 0.1, 0.25, 0.5] });
    this.days();
    this.toEnd();
  }

  close() {
    clearTimeout(this.#midnight);
    this.#resize.disconnect();
    this.#watch.disconnect();
  }

  /** Names the days as they are called now, and again when the next one begins; a timer does not wake a device that sleeps then. */
  days() {
    clearTimeout(this.#midnight);
    this.#midnight = window.setTimeout(() => this.days(), new Date().setHours(24, 0, 0, 0) - Date.now());
    for (const day of /** @type {NodeListOf<HTMLElement>} */ (this.#list.querySelectorAll('.day'))) fill(/** @type {Element} */ (day.firstElementChild), dayOf(Number(day.dataset.at)));
  }

  /** It is on the page again, where it was taken from. */
  shown() {
    if (this.#follows) this.#stick();
    else this.scroller.scrollTop = this.#top;
  }

  /** Shows the newest rows. */
  toEnd() {
    const items = this.#items();
    if (this.#to !== items.length || this.#from === this.#to) {
      this.#from = Math.max(0, items.length - WINDOW);
      this.#to = items.length;
      this.#draw();
    }
    this.#follows = true;
    this.#unseen = 0;
    this.#stick();
    this.#showPill();
  }

  /** @param {Item} item the newest */
  add(item) {
    const items = this.#items();
    const end = items.length - 1;
    // The oldest fell out of a full timeline: every place moved by one.
    if (this.#to > end) this.#shift();
    if (items[end] !== item) return this.#redraw();
    if (!this.#follows && !item.own) this.#unseen += item.kind === 'system' ? 0 : 1;
    if (!this.#room.watched() && !item.own && item.kind !== 'system') this.#news ||= item.key;
    if (item.own && item.kind !== 'system') this.#read();
    // Who reads further up gets the rest when they come near it.
    if (this.#to === end && (this.#follows || this.#to - this.#from < MOST)) {
      const before = this.#list.lastElementChild;
      const rows = this.#row(end);
      this.#list.append(...rows);
      this.#to++;
      if (before instanceof HTMLElement && rows[0].dataset.leads === undefined) mark(before, { ends: false });
      if (rows.at(-1)?.matches(FOLDS)) this.#fold();
    }
    this.#say(item);
    if (this.#follows && this.#to - this.#from > MOST) this.#trimTop();
    this.#showPill();
  }

  /** @param {Item} item */
  update(item) {
    this.#again(item.key);
    for (const row of this.#quoting([item.key])) this.#again(row.dataset.key ?? '');
  }

  /** Items are there no more. @param {string[]} keys */
  gone(keys) {
    const out = new Set(keys);
    if (this.#anchor && out.has(this.#anchor.key)) this.#mark(out);
    if (out.has(this.#news)) this.#read();
    const changed = [];
    for (const key of keys) {
      const row = this.#rows.get(key);
      const beside = /** @type {(HTMLElement | null | undefined)[]} */ ([row?.previousElementSibling, row?.nextElementSibling]);
      if (row && this.#drop(row)) for (const each of beside) if (each?.dataset.key) changed.push(each.dataset.key);
    }
    const first = /** @type {HTMLElement | null} */ (this.#list.querySelector('[data-key]'));
    if (!first) return this.#redraw();
    this.#from = this.#items().findIndex(({ key }) => key === first.dataset.key);
    this.#to = this.#from + this.#rows.size;
    for (const key of [...changed, ...this.#quoting(keys).map((row) => row.dataset.key ?? '')]) this.#again(key);
    this.#settle();
  }

  /** Key of the first item that came while nobody looked; empty if there is none. */
  get news() {
    return this.#news;
  }

  /** Goes on where another view of the same room was. @param {string} news */
  goOn(news) {
    this.#news = news;
    this.#redraw();
  }

  /** The reader looks at the page no more: what comes from now on is new. */
  away() {
    if (this.#follows) this.#read();
  }

  /** Goes to an item, and shows which it is. @param {string} key */
  jump(key) {
    const at = this.#items().findIndex((item) => item.key === key);
    if (at < 0) return;
    if (at < this.#from || at >= this.#to) {
      this.#from = Math.max(0, at - STEP);
      this.#to = Math.min(this.#items().length, this.#from + WINDOW);
      this.#draw();
    }
    const row = /** @type {HTMLElement} */ (this.#rows.get(key));
    this.#follows = false;
    row.scrollIntoView({ block: 'center' });
    this.#mark();
    row.focus({ preventScroll: true });
    mark(row, { found: true });
    row.addEventListener('animationend', () => mark(row, { found: false }), { once: true });
  }

  /** The item of a row, or of anything in it. @param {EventTarget | null} target */
  itemAt(target) {
    const row = target instanceof Element ? target.closest('[data-key]') : null;
    return row instanceof HTMLElement ? this.#items().findLast(({ key }) => key === row.dataset.key) : undefined;
  }

  /** @param {string} key */
  rowOf(key) {
    return this.#rows.get(key);
  }

  /** Draws a row again, as its item is now. @param {string} key */
  #again(key) {
    const row = this.#rows.get(key);
    const at = row ? this.#items().findLastIndex((item) => item.key === key) : -1;
    if (!row || at < 0) return;
    const focused = row.contains(document.activeElement);
    const fresh = /** @type {HTMLElement} */ (this.#row(at).at(-1));
    row.replaceWith(fresh);
    this.#watch.unobserve(row);
    if (focused) fresh.focus({ preventScroll: true });
    if (row.hidden) fresh.hidden = true;
  }

  /** Rows that quote one of these. @param {string[]} keys */
  #quoting(keys) {
    const out = new Set(keys);
    return [.../** @type {NodeListOf<HTMLElement>} */ (this.#list.querySelectorAll('[data-re]'))].filter(({ dataset }) => out.has(dataset.re ?? ''));
  }

  /** Everything new was read. */
  #read() {
    this.#news = '';
    this.#list.querySelector('.news')?.remove();
  }

  /** @param {Item} item a new one */
  #say(item) {
    if (item.own && item.kind !== 'system') return;
    this.#spoken.append(h('p', null, spokenOf(item)));
    while (this.#spoken.childElementCount > SPOKEN) this.#spoken.firstElementChild?.remove();
  }

  /** @param {IntersectionObserverEntry[]} seen */
  #saw(seen) {
    // Of what is longer than the view there is never half of it to be seen.
    const enough = seen.filter(({ intersectionRatio, intersectionRect, rootBounds }) => intersectionRatio >= 0.5 || intersectionRect.height >= (rootBounds?.height ?? Infinity) / 2);
    const rows = enough.map(({ target }) => /** @type {HTMLElement} */ (target));
    if (document.hidden) return document.addEventListener('visibilitychange', () => rows.forEach((row) => (this.#watch.unobserve(row), this.#watch.observe(row))), { once: true });
    for (const row of rows) this.#watch.unobserve(row);
    if (rows.length > 0) this.#room.read(rows.map(({ dataset }) => dataset.key ?? ''));
  }

  /** Remembers what the reader sees first. @param {Set<string>} [but] keys that will be gone */
  #mark(but) {
    const { top } = this.scroller.getBoundingClientRect();
    const rows = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    let [from, to] = [0, rows.length]; // rows lie one below the other
    while (from < to) {
      const half = (from + to) >> 1;
      if (rows[half].getBoundingClientRect().bottom > top) to = half;
      else from = half + 1;
    }
    while (from < rows.length && (!rows[from].dataset.key || rows[from].hidden || but?.has(rows[from].dataset.key ?? ''))) from++;
    const row = rows[from];
    this.#anchor = row ? { key: row.dataset.key ?? '', top: row.getBoundingClientRect().top - top } : null;
  }

  /** Something changed its height: puts what the reader saw where it was. */
  #settle() {
    if (this.#follows) return this.#stick();
    const row = this.#anchor && this.#rows.get(this.#anchor.key);
    if (!row || !this.#anchor) return;
    const moved = row.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top - this.#anchor.top;
    if (Math.abs(moved) >= 1) this.scroller.scrollTop += moved;
  }

  /** From row to row. @param {KeyboardEvent} event */
  #key(event) {
    const row = event.target instanceof Element ? event.target.closest('[data-key]') : null;
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== (row ?? this.scroller)) return;
    const rows = [.../** @type {NodeListOf<HTMLElement>} */ (this.#list.querySelectorAll('[data-key]:not([hidden])'))];
    const at = row ? rows.indexOf(/** @type {HTMLElement} */ (row)) : rows.length;
    const next = event.key === 'ArrowUp' ? rows[at - 1] : event.key === 'ArrowDown' && row ? rows[at + 1] : undefined;
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest' });
  }

  #shift() {
    this.#to = Math.max(0, this.#to - 1);
    if (this.#from > 0) this.#from--;
    else this.#drop(this.#list.querySelector('[data-key]'));
  }

  #redraw() {
    this.#to = this.#items().length;
    this.#from = Math.max(0, this.#to - WINDOW);
    this.#draw();
    if (this.#follows) this.#stick();
  }

  #draw() {
    this.#rows.clear();
    fill(this.#list, this.#range(this.#from, this.#to));
    this.#fold();
  }

  /** @param {number} from @param {number} to */
  #range(from, to) {
    const rows = [];
    for (let i = from; i < to; i++) rows.push(...this.#row(i));
    return rows;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (clientHeight === 0) return; // not on the page now
    const left = scrollHeight - clientHeight - scrollTop;
    const complete = this.#to === this.#items().length;
    // What has come since the page was laid out is below, and no reason not to follow: only who goes up does not.
    this.#follows = complete && (left < END || (this.#follows && scrollTop >= this.#top));
    this.#top = scrollTop;
    if (this.#follows) this.#unseen = 0;
    if (!this.#busy && scrollTop < NEAR && this.#from > 0) this.#older();
    else if (!this.#busy && left < NEAR && !complete) this.#newer();
    if (!this.#follows) this.#mark();
    this.#showPill();
  }

  #older() {
    this.#busy = true;
    const from = Math.max(0, this.#from - STEP);
    const anchor = this.scroller.scrollHeight - this.scroller.scrollTop;
    this.#list.prepend(...this.#range(from, this.#from));
    this.#from = from;
    this.#fold();
    this.scroller.scrollTop = this.scroller.scrollHeight - anchor;
    while (this.#to - this.#from > MOST && this.#drop(this.#list.lastElementChild)) this.#to--;
    this.#busy = false;
  }

  #newer() {
    this.#busy = true;
    const to = Math.min(this.#items().length, this.#to + STEP);
    this.#list.append(...this.#range(this.#to, to));
    this.#to = to;
    this.#fold();
    this.#trimTop();
    this.#busy = false;
  }

  #trimTop() {
    const trim = () => {
      while (this.#to - this.#from > MOST - STEP && this.#drop(this.#list.querySelector('[data-key]'))) this.#from++;
    };
    if (this.#follows) return trim();
    const { scrollHeight: before, scrollTop } = this.scroller; // both now: what shrinks may push the reader up
    trim();
    this.scroller.scrollTop = scrollTop - (before - this.scroller.scrollHeight);
  }

  /** Takes a row away, and what stands above it if nothing of that is left. @param {Element | null} row */
  #drop(row) {
    if (!(row instanceof HTMLElement)) return false;
    this.#rows.delete(row.dataset.key ?? '');
    this.#watch.unobserve(row);
    for (let above = row.previousElementSibling; above && !(/** @type {HTMLElement} */ (above).dataset.key) && (!row.nextElementSibling || row.nextElementSibling.matches('.day')); above = row.previousElementSibling) above.remove();
    row.remove();
    return true;
  }

  /** Many who come, go or take another name in a row are one line, until the reader wants to know. */
  #fold() {
    if (this.#list.querySelector(FOLDABLE)) dressing((rich) => rich.fold(this.#list, this.#unfolded, (key) => this.#again(key)));
  }

  #stick() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#top = this.scroller.scrollTop;
  }

  #showPill() {
    this.#pill.hidden = this.#follows;
    if (this.#pill.hidden) return;
    this.#pill.setAttribute('aria-label', this.#unseen ? t.newBelow(this.#unseen) : t.toNewest);
    mark(this.#pill, { unseen: this.#unseen > 0 });
    fill(this.#pill, this.#unseen ? t.newBelow(this.#unseen) : null, icon('down'));
  }

  /**
   * The row of one item, under a day when one begins. A row depends on itself and the one before; of what comes after only on whether there is more
   * of its group.
   * @param {number} at
   */
  #row(at) {
    const items = this.#items();
    const item = items[at];
    const before = at > 0 ? items[at - 1] : undefined;
    const after = /** @type {Item | undefined} */ (items[at + 1]);
    const newDay = !before || dayOf(before.at) !== dayOf(item.at);
    const row = draw(item, leads(before, item), this.#room, this, this.#file);
    mark(row, { ends: !after || leads(item, after) });
    row.dataset.key = item.key;
    row.tabIndex = -1;
    this.#rows.set(item.key, row);
    if (item.ttl && !item.until && !item.own) this.#watch.observe(row);
    const news = item.key === this.#news && !this.#list.querySelector('.news') && h('div', { class: 'news', role: 'separator', 'aria-label': t.news }, h('span', null, t.news));
    return [newDay && h('h2', { class: 'day', data: { at: item.at } }, h('span', null, dayOf(item.at))), news, row].filter((each) => each !== false);
  }
}

/** Begins a group of one member's messages. @param {Item | undefined} before @param {Item} item */
const leads = (before, item) => !before || dayOf(before.at) !== dayOf(item.at) || !joins(before, item);

/** @param {Item} before @param {Item} item */
const joins = (before, item) =>
  before.kind === item.kind && before.from === item.from && before.own === item.own && before.alias === item.alias && item.at - before.at < GROUP;

/**
 * @param {Item} item
 * @param {boolean} first of its group
 * @param {Surroundings} room
 * @param {TimelineView} view
 * @param {(item: Item) => HTMLElement} file
 */
function draw(item, first, room, view, file) {
  switch (item.kind) {
    case 'system':
      return line(item, item.event, item.event === 'changed' && icon('warn'), h('span', null, event(item), item.reason && h('small', null, ` ${told(item.reason)}`)));
    case 'gap':
      return line(item, 'gap', icon('expired'), t.gap(item.count ?? -1));
    case 'failed':
      return line(item, 'failed', icon('warn'), h('span', null, `${named(item.alias)}: ${t.failed}. `, h('small', null, told(item.reason ?? ''))));
    default:
      return message(item, first, room, view, file);
  }
}

/** An item as it is said aloud. @param {Item} item */
function spokenOf(item) {
  if (item.kind === 'system') return event(item);
  if (item.kind === 'gap') return t.gap(item.count ?? -1);
  if (item.kind === 'failed') return `${named(item.alias)}: ${t.failed}`;
  return `${item.kind === 'shell' ? t.fromTerminal : named(item.alias)}: ${gist(item)}`;
}

/** @param {Item} item @param {string | undefined} name @param {...import('./parts.js').Child} children */
const line = (item, name, ...children) => h('p', { class: 'line', data: { event: name }, title: momentOf(item.at) }, ...children);

/** @param {Item} item */
function event(item) {
  const who = item.own ? t.you : named(item.alias);
  return item.event ? t.event[item.event](who, named(item.body ?? ''), item.count ?? 0) : (item.body ?? '');
}

/**
 * @param {Item} item
 * @param {boolean} first of its group
 * @param {Surroundings} room
 * @param {TimelineView} view
 * @param {(item: Item) => HTMLElement} file
 */
function message(item, first, room, view, file) {
  const shell = item.kind === 'shell';
  const who = shell
    ? h('span', { class: 'who' }, icon('terminal'), t.fromTerminal, h('small', null, t.notVerified))
    : h('span', { class: first && !item.own ? 'who' : 'spoken' }, item.own ? t.you : named(item.alias));
  const face = first && !item.own && !shell && tile({ id: item.from ?? '', alias: item.alias ?? '?' });
  const tone = item.from && !item.own && toneOf(item.from);
  const data = { kind: item.kind, own: !!item.own, leads: first, state: item.state, tone, gone: !!item.gone, me: !!item.me && !item.gone, re: item.re };
  const row = h('div', { class: 'row', role: 'article', data },
    face,
    h('div', { class: 'bubble' },
      (first || !shell) && !item.me && who,
      item.kind === 'file' && !item.gone && file(item),
      (item.kind !== 'file' || !!item.body || item.gone) && body(item),
      h('span', { class: 'meta' }, time(item), item.own && !item.gone && tick(item)),
      item.own && item.state !== 'sent' && item.state !== 'all' && item.reason && h('span', { class: 'why' }, told(item.reason))));
  if (!isPlain(item)) dressing((rich) => rich.dress(row, item, room, view));
  return row;
}

/** @param {Item} item */
const isPlain = ({ kind, body = '', re, me, edited, ttl, reactions, gone }) =>
  gone || kind === 'shell' || !(re || me || edited || ttl || reactions?.length || MARKS.test(body));

/**
 * Does something with what knows more than plain text: at once, or when it is fetched. The text can be read already.
 * @param {(module: typeof import('./rich.js')) => void} then
 */
function dressing(then) {
  if (rich) then(rich);
  else import('./rich.js').then((module) => then((rich = module)), (error) => console.warn('snug: shown as it was typed', error));
}
/** @type {typeof import('./rich.js') | null} */
let rich = null;

/** @param {Item} item */
const body = ({ gone, body = '' }) => h('div', { class: 'body', dir: 'auto' }, gone ? t.deleted : body);

/** @param {Item} item */
const time = (item) => h('time', { datetime: new Date(item.at).toISOString(), title: momentOf(item.at) }, timeOf(item.at));

/** @param {Item} item */
function tick(item) {
  const offered = item.state === 'all' && (item.file?.size ?? 0) > PUSHED; // all have heard of it
  const state = offered ? 'sent' : (item.state ?? 'queued');
  const says = t.state[state];
  return h('span', { class: 'tick', title: item.reason ? `${says}. ${told(item.reason)}` : says }, icon(state === 'failed' ? 'warn' : state), h('span', { class: 'spoken' }, says));
}

/** Whether a word processor has put a picture of a text beside it. @param {DataTransfer | null} data @param {File[]} files */
const isText = (data, files) => !!data?.getData('text/plain').trim() && data.types.includes('text/html') && files.every(({ type }) => type.startsWith('image/'));

/** The room screen: header, timeline, composer, and whoever knocks. It shows what the session says and holds no truth of its own. */

/** @typedef {import('./app.js').AppType} App */
/** @typedef {import('../room/shared.js').SharedSession} Session */

const LIMIT = 60_000; // characters of one message; in UTF-8 they still fit into a frame
const WARN = 2000; // characters left that are worth a word
const POINTS = ['pointerover', 'pointerdown', 'contextmenu', 'keydown', 'focusin']; // what asks for what can be done with a message

/** What was not sent yet, room by room, as long as the page lives. @type {Map<string, string>} */
const drafts = new Map();

const FLOWS = new Set(['live', 'polling']); // states in which messages arrive
const FACES = 3; // tiles in the header; more would push the name away

export class Room {
  #app;
  #session;
  #door;
  /** Keys of what came while nobody looked. */
  #unread = /** @type {Set<string>} */ (new Set());
  /** How the room came to its end, for whoever comes back to it. @type {{title: string, text: string, again?: () => void} | null} */
  over = null;
  /** Places that this room had before it moved. @type {string[]} */
  #before = [];
  /** Its name among the notices of this page; the device keeps those, and shall not learn the room's id. */
  tag = crypto.randomUUID();
  #at;
  #alias;
  #timeline;
  #stop = new AbortController();
  #drawn = '';
  #callers = /** @type {string[]} */ ([]);
  /** @type {import('./panels.js').Panel | null} */
  #panel = null;

  #status = h('button', { type: 'button', class: 'status', popovertarget: 'status' });
  #statusCard = h('div', { id: 'status', class: 'statuscard', popover: 'auto' });
  #notice = h('p', { class: 'notice', role: 'status', hidden: true });
  #people = h('button', { type: 'button', class: 'people', 'aria-haspopup': 'dialog', onclick: (/** @type {Event} */ event) => this.#open('people', event) });
  #knocks = h('div', { class: 'knocks', 'aria-live': 'assertive' });
  #gate = h('div', { class: 'gates', 'aria-live': 'polite' });
  #gated = '';
  #alone = h('div', { class: 'alone' });
  #reached = false;
  #title = h('h1');
  #rooms = iconButton('rooms', t.rooms, { class: 'round rooms-button', 'aria-haspopup': 'dialog', onclick: () => this.#app.openSwitcher() }, h('b', { class: 'badge', hidden: true }));
  #input = h('textarea', { rows: 1, 'aria-label': t.write, placeholder: t.write, enterkeyhint: 'send', autocomplete: 'off', autofocus: true });
  #sendButton = iconButton('send', t.send, { type: 'submit', class: 'round send' });
  /** What is about to be sent, once there was something. @type {import('./tray.js').Tray | null} */
  #tray = null;
  #picked = /** @type {File[]} */ ([]);
  #attach = pickButton('attach', t.files.attach, { multiple: true }, (files) => void this.#stage(files));
  #camera = pickButton('camera', t.files.camera, { accept: 'image/*,video/*', capture: 'environment' }, (files) => void this.#stage(files));
  #emoji = iconButton('smile', t.emoji, { class: 'round emoji', 'aria-haspopup': 'dialog', onclick: () => this.#write((writer) => void writer.pickEmoji(this.#emoji)) });
  #left = h('p', { class: 'left', role: 'status', hidden: true });
  #pen = h('div', { class: 'pen' }, ...this.#attach, this.#input, ...this.#camera, this.#emoji, this.#sendButton);
  #composer = h('form', { class: 'composer' }, this.#pen, this.#left);
  /** @type {import('./writer.js').Writer | null} */
  #writer = null;
  /** @type {import('./actions.js').Actions | null} */
  #acting = null;

  /**
   * @param {App} app
   * @param {Session} session
   * @param {import('./app.js').Door} door
   */
  constructor(app, session, door) {
    this.#app = app;
    this.#session = session;
    this.#door = door;
    this.#at = this.place;
    this.#alias = session.alias;
    this.#timeline = new TimelineView({
      items: () => session.items,
      self: () => session.self,
      react: (key, emoji, on) => tried(session.react(key, emoji, on)),
      read: (keys) => tried(session.read(keys)),
      watched: () => !document.hidden && this.#app.isFront(this),
    }, this.#alone, (item) => fileBox(item, session));
    this.element = h('div', { class: 'room' },
      h('header', { class: 'bar' },
        this.#rooms,
        h('div', { class: 'where' }, this.#title, this.#status), this.#statusCard,
        this.#people,
        iconButton('invite', t.invite, { onclick: (/** @type {Event} */ event) => this.#open('invite', event), 'aria-haspopup': 'dialog' }),
        iconButton('more', t.more, { onclick: (/** @type {Event} */ event) => this.#open('room', event), 'aria-haspopup': 'dialog' })),
      h('div', { class: 'floor' }, this.#knocks, this.#timeline.element, this.#gate, this.#notice, this.#composer));
    this.#listen();
    this.#drawName();
    this.#drawStatus();
    this.#drawPeople();
    this.#drawKnocks();
    this.#hearDoor(true);
    this.#drawTimer();
    this.#input.value = drafts.get(session.roomId) ?? '';
    this.#typed();
    if (matchMedia('(min-width: 68rem)').matches) void this.#open('people');
  }

  get session() {
    return this.#session;
  }

  /** Whether this room is, or was before it moved, where the address says. @param {string} place */
  isAt(place) {
    return place === this.place || this.#before.includes(place);
  }

  /** How much came while nobody looked. */
  get unread() {
    return this.#unread.size;
  }

  get name() {
    return this.#session.name ?? t.privateRoom;
  }

  /** What the address says while this room is in front: a link's fragment, or its place in the history. */
  get place() {
    const { link, roomId } = this.#session;
    return link ? new URL(link).hash : roomId;
  }

  /** For the history, so that a reload comes back and the way back leads here. @returns {[object, string, string]} */
  address() {
    const { keep } = this.#door;
    const { alias } = this.#session;
    return this.#session.link ? [{ inside: { alias, keep } }, '', this.place] : [{ room: this.place }, '', location.pathname];
  }

  /** Brings it to the front. */
  front() {
    this.#app.front(this);
  }

  /** Another screen is in front; the room goes on. */
  hide() {
    if (this.#panel?.element.matches(':modal')) this.#panel.hide();
    this.#timeline.away();
  }

  /** Somebody looks at it. */
  seen() {
    this.#timeline.shown();
    this.#isNoNews(this.#unread);
  }

  /** It was seen, or is there no more. @param {Iterable<string>} keys */
  #isNoNews(keys) {
    const { unread } = this;
    for (const key of keys) this.#unread.delete(key);
    if (this.unread !== unread) this.#app.changed();
  }

  /** Something shared from another app, to be looked at and sent. @param {import('./shared.js').Gift} gift */
  take({ text, files }) {
    if (files.length > 0) void this.#stage(files);
    this.#input.value = [this.#input.value, text].filter(Boolean).join('\n');
    this.#typed();
    this.#input.focus();
  }

  /** The same room on a new screen, in the language of now. What was typed stays. */
  redrawn() {
    const files = this.#tray?.take() ?? [];
    const turn = this.#writer?.turn;
    this.#leave();
    const room = new Room(this.#app, this.#session, this.#door);
    room.#unread = this.#unread;
    room.over = this.over;
    room.#before = this.#before;
    room.#timeline.goOn(this.#timeline.news);
    if (files.length > 0) void room.#stage(files);
    if (turn?.re || turn?.edit) room.#write((writer) => (writer.turnTo(turn), room.#put(this.#input.value)));
    else room.#put(this.#input.value);
    return room;
  }

  /** @param {string} text */
  #put(text) {
    this.#input.value = text;
    this.#typed();
  }

  /** How it stands with the other rooms of this page. @param {number} unread @param {number} count */
  others(unread, count) {
    const badge = /** @type {HTMLElement} */ (this.#rooms.querySelector('.badge'));
    badge.hidden = unread === 0;
    fill(badge, unread > 99 ? '99+' : unread);
    this.#rooms.ariaLabel = this.#rooms.title = count > 1 ? t.roomsState(count, unread) : t.rooms;
  }

  /** Ends it on this page: the session closes, the member is away. */
  close() {
    this.#leave();
    this.#session.close();
  }

  #leave() {
    this.#stop.abort();
    this.#panel?.close();
    this.#tray?.clear();
    this.#timeline.close();
  }

  #listen() {
    const session = this.#session;
    const { signal } = this.#stop;
    /** @param {string} name @param {(detail: any) => void} does */
    const on = (name, does) => session.addEventListener(name, (event) => does(/** @type {CustomEvent} */ (event).detail), { signal });
    on('item', (item) => this.#arrived(item));
    on('update', (item) => (this.#timeline.update(item), item.gone && this.#isNoNews([item.key])));
    on('gone', (keys) => (this.#timeline.gone(keys), this.#isNoNews(keys), this.#drawAlone()));
    on('status', () => (this.#drawStatus(), this.#drawAlone(), this.#app.changed()));
    on('members', () => (this.#drawPeople(), this.#hearDoor()));
    on('knocks', () => (this.#drawKnocks(), this.#hearDoor()));
    on('typing', () => this.#write((writer) => writer.drawTyping()));
    on('timer', () => this.#drawTimer());
    on('moved', ({ link }) => this.#moved(link));
    on('removed', ({ by }) => this.#end(t.removedTitle, t.removedText(named(by))));
    on('closed', ({ reason }) => this.#end(t.closedTitle, told(reason), () => this.#app.enter(this.#door)));

    document.addEventListener('visibilitychange', () => (document.hidden ? this.#timeline.away() : (this.#timeline.days(), this.#app.isFront(this) && this.seen())), { signal });
    addEventListener('beforeunload', (event) => this.#isBusy() && event.preventDefault(), { signal });
    // iOS lays its keyboard over the page; the visible part is what the room fills.
    globalThis.visualViewport?.addEventListener('resize', () => this.#fit(), { signal });

    this.#takesFiles();
    this.#composer.addEventListener('submit', (event) => (event.preventDefault(), this.#send()));
    this.#input.addEventListener('input', () => this.#typed());
    this.#input.addEventListener('keydown', (event) => {
      // While an input method composes, Enter chooses a word; Safari says so only by the old key code.
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === 'Enter' && !event.shiftKey) this.#send();
      else if (event.key === 'ArrowUp' && !this.#input.value) this.#write((writer) => writer.changeLast());
      else return;
      event.preventDefault();
    });
    const { scroller } = this.#timeline;
    for (const name of POINTS) scroller.addEventListener(name, (event) => this.#acts(event), { signal });
    scroller.addEventListener('keydown', (event) => event.key === 'Escape' && this.#input.focus(), { signal });
  }

  /** Whether something would be lost with this page. */
  #isBusy() {
    const ends = (/** @type {Item} */ { own, state, transfer }) => (own && (state === 'queued' || transfer === 'offered')) || transfer === 'moving' || transfer === 'waiting';
    return !!this.#tray?.size || this.#session.items.some(ends);
  }

  /** The first hand on a message fetches what can be done with it. @param {Event} event */
  #acts(event) {
    if (this.#acting) return this.#acting.handle(event);
    const options = {
      session: this.#session,
      timeline: this.#timeline,
      place: this.element,
      /** @param {Item} item */
      reply: (item) => this.#write((writer) => writer.turnTo({ re: item })),
      /** @param {Item} item */
      edit: (item) => this.#write((writer) => writer.turnTo({ edit: item })),
      out: () => this.#input.focus(),
      signal: this.#stop.signal,
    };
    part(() => import('./actions.js')).then(({ Actions }) => (this.#acting ??= new Actions(options)).handle(event), (error) => console.warn('snug:', error));
  }

  /** The first thing beyond plain text fetches what helps in writing it. @param {(writer: import('./writer.js').Writer) => void} then */
  #write(then) {
    if (this.#writer) return then(this.#writer);
    const options = { session: this.#session, input: this.#input, button: this.#sendButton, pen: this.#pen, typed: () => this.#typed(), draft: () => drafts.get(this.#session.roomId) ?? '', said: () => this.#timeline.toEnd(), signal: this.#stop.signal };
    part(() => import('./writer.js')).then(({ Writer }) => then((this.#writer ??= new Writer(options))), (error) => this.#notLoaded(error));
  }

  /** Everybody but the removed has gone to a new room, and this page with them. @param {string} link */
  #moved(link) {
    this.#before.push(this.#at);
    this.#at = this.place;
    const root = /** @type {Uint8Array} */ (parseFragment(new URL(link).hash));
    this.#door = { ...this.#door, root: async () => root, name: undefined };
    this.#app.moved(this);
    this.#drawName();
    this.#drawPeople();
  }

  /** Files that are pasted or dropped anywhere in the room are put beside the field, to be looked at before they are sent. */
  #takesFiles() {
    const { signal } = this.#stop;
    const floor = /** @type {HTMLElement} */ (this.element.querySelector('.floor'));
    const carries = (/** @type {DragEvent} */ event) => this.#app.isFront(this) && event.dataTransfer?.types.includes('Files') && !document.querySelector('dialog:modal');
    addEventListener('paste', (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0 || !this.#app.isFront(this) || isText(event.clipboardData, files)) return;
      event.preventDefault();
      void this.#stage(files);
    }, { signal });
    addEventListener('dragover', (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      mark(floor, { over: t.files.drop });
    }, { signal });
    addEventListener('dragleave', (event) => event.relatedTarget === null && mark(floor, { over: null }), { signal });
    addEventListener('drop', (event) => {
      mark(floor, { over: null });
      if (!carries(event)) return;
      event.preventDefault();
      void this.#stage([...(event.dataTransfer?.files ?? [])]);
    }, { signal });
  }

  /** Those that came while what shows them could not be fetched go along. @param {File[]} files */
  async #stage(files) {
    this.#picked.push(...files);
    try {
      const { Tray } = await part(() => import('./tray.js'));
      if (this.#stop.signal.aborted) return;
      if (!this.#tray) {
        this.#tray = new Tray(this.#session, () => this.#typed(), (caption) => this.#put([this.#input.value, caption].filter(Boolean).join('\n')));
        this.#composer.prepend(this.#tray.element);
      }
      this.#tray.add(this.#picked.splice(0));
      this.#input.focus();
    } catch (error) {
      this.#notLoaded(error);
      addEventListener('online', () => void this.#stage([]), { once: true, signal: this.#stop.signal });
    }
  }

  /** @param {unknown} error */
  #notLoaded(error) {
    console.warn('snug: a part of the page is missing', error);
    this.#left.hidden = false;
    fill(this.#left, t.notLoaded);
  }

  #send() {
    const typed = this.#input.value;
    const text = typed.trim();
    const changes = this.#writer?.changes;
    const tray = this.#tray?.size && !changes ? this.#tray : null; // while something is changed the files wait
    if ((!text && !tray && !changes) || text.length > LIMIT) return;
    if (!tray && (this.#writer || text.startsWith('/'))) return this.#write((writer) => writer.send(text, typed));
    if (tray) tray.send(text, this.#writer?.answered());
    else this.#session.send(text);
    this.#put('');
    this.#timeline.toEnd();
    this.#input.focus();
  }

  #typed() {
    const text = this.#input.value;
    const left = LIMIT - text.length;
    mark(this.#sendButton, { empty: text.trim() === '' && !this.#tray?.size, over: left < 0 });
    this.#left.hidden = left > WARN;
    this.#drawTimer();
    mark(this.#left, { over: left < 0 });
    fill(this.#left, left > WARN ? '' : t.left(left));
    if (!this.#writer?.changes) text ? drafts.set(this.#session.roomId, text) : drafts.delete(this.#session.roomId);
    if (typing.on) this.#write((writer) => writer.typed(text));
    if (CSS.supports('field-sizing', 'content')) return;
    this.#input.style.setProperty('block-size', 'auto');
    this.#input.style.setProperty('block-size', `${this.#input.scrollHeight}px`);
  }

  #drawTimer() {
    const { timer } = this.#session;
    this.#input.placeholder = this.#tray?.size ? t.files.caption : timer ? t.writeTimed(timer) : t.write;
  }

  #fit() {
    const { height = 0, scale = 1 } = globalThis.visualViewport ?? {};
    if (scale !== 1) return; // the reader zooms
    this.element.style.setProperty('--seen', `${Math.round(height)}px`);
    scrollTo(0, 0);
  }

  /** @param {import('../room/session.js').Item} item */
  #arrived(item) {
    this.#timeline.add(item);
    this.#drawAlone();
    if (!item.own && item.kind !== 'system') this.#isNews(item);
  }

  #drawName() {
    fill(this.#title, (this.#title.title = this.name));
    this.#app.changed();
  }

  #drawStatus() {
    const { latency } = this.#session.status;
    const reason = told(this.#session.status.reason);
    const state = /** @type {keyof typeof t.status} */ (this.#session.status.state);
    const says = t.statusText[state];
    const speed = latency !== null && FLOWS.has(state) ? t.latency(latency) : '';
    mark(this.#status, { state });
    this.#status.title = [says, reason, speed].filter(Boolean).join('\n');
    this.#status.ariaLabel = t.statusName(t.status[state]);
    fill(this.#status, icon('lamp'), t.status[state]);
    fill(this.#statusCard, h('b', null, t.status[state]), h('p', null, says), reason && h('p', null, reason), speed && h('p', null, speed),
      h('p', null, h('a', { href: '/check', target: '_blank', rel: 'noopener' }, t.checkTitle)));
    this.#notice.hidden = state !== 'offline' && state !== 'blocked';
    mark(this.#notice, { state });
    fill(this.#notice, icon(state === 'blocked' ? 'warn' : 'lamp'), h('span', null, says, state === 'blocked' && reason && h('small', null, reason)));
  }

  #drawPeople() {
    const { members, alias } = this.#session;
    if (alias !== this.#alias) this.#renamed(alias);
    this.#drawAlone();
    void this.#drawGate();
    const drawn = JSON.stringify(members.map(({ id, alias, changed, waiting }) => [id, alias, changed, waiting]));
    if (this.#drawn === drawn) return; // a button must not change under a finger for nothing
    this.#drawn = drawn;
    const inside = members.filter((member) => !member.waiting);
    const others = inside.filter((member) => !member.self);
    const waiting = members.length - inside.length;
    this.#people.ariaLabel = this.#people.title = `${t.people}: ${inside.length}${waiting ? `. ${t.manyWait(waiting)}` : ''}`;
    mark(this.#people, { changed: members.some((member) => member.changed), waiting: waiting > 0 });
    const faces = (others.length ? others : inside).slice(0, FACES).map(tile);
    fill(this.#people, faces, h('span', { class: 'count' }, icon('people'), inside.length));
  }

  /** A reload, and the next room, shall know the new name. @param {string} alias */
  #renamed(alias) {
    this.#alias = alias;
    rememberAlias(alias);
    this.#door = { ...this.#door, alias };
    this.#app.moved(this);
  }

  /** Who waits to be let in, or that we do. */
  async #drawGate() {
    const { waits, members } = this.#session;
    const gated = JSON.stringify([waits, members.filter((member) => member.waiting).map(({ id, alias }) => [id, alias])]);
    if (this.#gated === gated || (!this.#gated && !waits && !members.some((member) => member.waiting))) return;
    this.#gated = gated;
    const { gate } = await part(() => import('./lock.js'));
    if (!this.#stop.signal.aborted) redraw(this.#gate, this.#toField, gate(this.#session, (event) => this.#open('people', event)));
  }

  /** Who stands at the door, or waits behind the lock, is news for whoever looks elsewhere. @param {boolean} [quiet] they were there before */
  #hearDoor(quiet) {
    const { knocks, members, waits } = this.#session;
    const now = new Map(knocks.filter(({ state }) => state === 'asking').map(({ id }) => [`knock ${id}`, t.knockAsking]));
    for (const { id, waiting } of members) if (waiting && !waits) now.set(`wait ${id}`, t.manyWait(1));
    this.#isNoNews(this.#callers.filter((key) => !now.has(key)));
    const fresh = [...now].filter(([key]) => !quiet && !this.#callers.includes(key));
    this.#callers = [...now.keys()];
    for (const [key, body] of fresh) this.#isNews({ key, kind: 'system', body, at: Date.now() });
  }

  /** It is counted, and heard, if nobody looks. @param {Item} item */
  #isNews(item) {
    if (!document.hidden && this.#app.isFront(this)) return;
    this.#unread.add(item.key);
    this.#app.heard(this, item);
  }

  /** The first thing to do in an empty room is to ask someone in. */
  #drawAlone() {
    const { members, items, link } = this.#session;
    this.#reached ||= FLOWS.has(this.#session.status.state); // before that nobody knows who is here
    this.#alone.hidden = !this.#reached || members.length > 1 || items.some((item) => item.kind !== 'system');
    if (this.#alone.hidden || this.#alone.dataset.link === String(link)) return;
    this.#alone.dataset.link = String(link);
    fill(this.#alone, h('h2', null, t.aloneTitle), h('p', null, link ? t.aloneLink : t.aloneWords), !link && h('p', null, t.aloneOther),
      h('div', { class: 'row' },
        link && copyButton(() => link, t.copyLink, 'main'),
        link && shareButton(link, 'quiet')));
  }

  /** Whoever has done away with what had the focus goes on by writing; on a phone that would bring up the keyboard. */
  #toField = () => (matchMedia('(pointer: coarse)').matches ? null : this.#input);

  #drawKnocks() {
    const session = this.#session;
    const open = session.knocks.filter(({ state }) => state !== 'approved' && state !== 'refused');
    const busy = open.some(({ state }) => state !== 'asking'); // one stranger at a time
    redraw(this.#knocks, this.#toField, open.map(({ id, code, state }) =>
      h('section', { class: 'knock', tabindex: -1, data: { state, focus: id } },
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
   * @param {Event} [event] of the button that was pressed, which gets the focus back: a finger, and some browsers, give it none. Without one
   *   the panel opens beside the conversation and takes no focus.
   */
  async #open(tab, event) {
    const opener = /** @type {HTMLElement | null} */ (event?.currentTarget ?? null);
    const { Panel } = await part(() => import('./panels.js')).catch((error) => (this.#notLoaded(error), { Panel: null }));
    if (!Panel || this.#stop.signal.aborted) return;
    if (!this.#panel) {
      this.#panel = new Panel({ session: this.#session, kept: this.#door.keep, out: () => this.#app.out(this) });
      this.element.append(this.#panel.element);
    }
    this.#panel.show(tab, !event, opener);
  }

  /** @param {string} title @param {string} text @param {() => void} [again] */
  #end(title, text, again) {
    this.over = { title, text, again };
    this.#app.ended(this);
  }
}

/** The file of an item; what shows it is fetched with the first. @param {Item} item @param {Session} session */
function fileBox(item, session) {
  part(() => import('./files.js')).catch((error) => console.warn('snug: files are not shown', error));
  return Object.assign(document.createElement('snug-file'), { given: { item, session } });
}

/**
 * A button that lets somebody choose files.
 * @param {string} drawing @param {string} name @param {import('./parts.js').Props} kind @param {(files: File[]) => void} picked
 */
function pickButton(drawing, name, kind, picked) {
  const input = h('input', { type: 'file', tabindex: -1, 'aria-hidden': 'true', ...kind });
  input.addEventListener('change', () => {
    picked([...(input.files ?? [])]);
    input.value = ''; // the same one can be chosen again
  });
  return [iconButton(drawing, name, { class: `round take-${drawing}`, onclick: () => input.click() }), input];
}

/** What the network was in the way of stays on the screen, to be tried again. @param {Promise<void> | void} work */
const tried = (work) => void Promise.resolve(work).catch((error) => console.warn('snug:', error));
