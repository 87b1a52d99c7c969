// @ts-check

/**
 * DOM without HTML strings: the page's policy allows no innerHTML and no inline script or style, so this is the only way anything is drawn.
 */
import { part } from '../lib/bytes.js';

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Record<string, any>} Props attributes; on… adds a listener, data sets data- attributes, a false, null or undefined value leaves the attribute out */

/**
 * Makes an element: h('button', { class: 'quiet', onclick: close }, 'Close').
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) assign(element, key, value);
  element.append(...nodes(children));
  return element;
}

/** @param {HTMLElement} element @param {string} key @param {any} value */
function assign(element, key, value) {
  if (value === false || value === null || value === undefined) return;
  if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
  else if (key === 'data') mark(element, value);
  else if (key === 'value') /** @type {HTMLInputElement} */ (element).value = value;
  else element.setAttribute(key, value === true ? '' : String(value));
}

/**
 * Sets data- attributes; null, undefined and false remove one.
 * @param {HTMLElement} element
 * @param {Record<string, string | number | boolean | null | undefined>} values
 */
export function mark(element, values) {
  for (const [key, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === false) delete element.dataset[key];
    else element.dataset[key] = value === true ? '' : String(value);
  }
}

/**
 * @param {(Child | Child[])[]} children
 * @returns {(Node | string)[]}
 */
function nodes(children) {
  /** @type {(Node | string)[]} */
  const out = [];
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false || child === '') continue;
    out.push(child instanceof Node ? child : String(child));
  }
  return out;
}

/**
 * Puts new children in place of the old ones.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/**
 * Draws a place anew; the focus stays on what has the same name (data-focus), or goes to what is given for it.
 * @param {Element} place
 * @param {() => HTMLElement | null} otherwise
 * @param {...(Child | Child[])} children
 */
export function redraw(place, otherwise, ...children) {
  const had = place.contains(document.activeElement);
  const name = document.activeElement?.closest('[data-focus]')?.getAttribute('data-focus');
  fill(place, ...children);
  if (had) (/** @type {HTMLElement | null} */ (name ? place.querySelector(`[data-focus="${CSS.escape(name)}"]`) : null) ?? otherwise())?.focus();
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * A drawing from the page's sheet of symbols (index.html). It says nothing to a screen reader: its button has the name.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * A button with a drawing and a name that is spoken and shown on hover.
 * @param {string} drawing
 * @param {string} name
 * @param {Props} props
 * @param {...Child} children
 */
export const iconButton = (drawing, name, props, ...children) =>
  h('button', { type: 'button', class: 'round', 'aria-label': name, title: name, ...props }, icon(drawing), ...children);

/** The words of the page in the reader's language, one file each. Only the one that is spoken is fetched. */

/** @typedef {typeof import('./lang/en.js').default} Text */

/** The languages that there are, each by its own name. */
export const LANGUAGES = /** @type {const} */ ({ en: 'English', de: 'Deutsch', zh: '中文', ja: '日本語' });
/** @typedef {keyof typeof LANGUAGES} Language */

const CHOSEN = 'snug.language';

/** @param {string | null | undefined} tag @returns {tag is Language} */
const isOurs = (tag) => tag !== null && tag !== undefined && Object.hasOwn(LANGUAGES, tag);

/** The language that was chosen on this device, or the first of the browser's that we have. @returns {Language} */
function preferred() {
  const chosen = stored(CHOSEN);
  return isOurs(chosen) ? chosen : (navigator.languages.map((tag) => tag.toLowerCase().split('-')[0]).find(isOurs) ?? 'en');
}

/** @type {Text} */
export let t;
/** @type {Language} */
export let language;
/** @type {Intl.DateTimeFormat} */
let clock;
/** @type {Intl.DateTimeFormat} */
let weekday;
/** @type {Intl.DateTimeFormat} */
let full;

/** Speaks a language from now on; what stands on the page already has to be drawn again. @param {Language} next */
async function speak(next) {
  t = (await part(() => import(`./lang/${next}.js`))).default;
  language = next;
  document.documentElement.lang = next === 'zh' ? 'zh-Hans' : next;
  document.documentElement.dir = t.dir;
  // The reader's own region where it speaks the page's language: it knows how clocks and dates are written there.
  const region = navigator.languages.find((tag) => tag.toLowerCase().startsWith(next)) ?? next;
  clock = new Intl.DateTimeFormat(region, { hour: 'numeric', minute: '2-digit' });
  weekday = new Intl.DateTimeFormat(region, { weekday: 'long', day: 'numeric', month: 'long' });
  full = new Intl.DateTimeFormat(region, { dateStyle: 'full', timeStyle: 'medium' });
}
await speak(preferred());

/** The person chooses a language for this device. @param {Language} next */
export async function choose(next) {
  await speak(next);
  store(CHOSEN, next);
}

/**
 * What a layer below says, in the reader's language: as a whole, or the part before a colon and the part behind it. What no table knows stays as it is.
 * @param {string} reason
 * @returns {string}
 */
export function told(reason) {
  const numbers = reason.match(/\d+/g) ?? [];
  const says = t.reasons[reason.replace(/\d+/g, '#')];
  if (says !== undefined) return says.replace(/#/g, () => numbers.shift() ?? '');
  const [head, ...tail] = reason.split(': ');
  return tail.length > 0 && t.reasons[head] !== undefined ? `${t.reasons[head]}${t.colon}${told(tail.join(': '))}` : reason;
}

/** Letters that are written from right to left: Hebrew, Arabic and their like. */
const LEFTWARD = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** A name for a sentence, set off where it would turn what stands beside it. @param {string} [name] */
export const named = (name = t.someone) => (LEFTWARD.test(name) ? `\u2068${name}\u2069` : name);

/** Names in a sentence. @param {string[]} names */
export const listed = (names) => new Intl.ListFormat(language).format(names.map((name) => named(name)));

/**
 * A text with what it hides hidden. Code may have the signs in it: where there is some, everything from the first to the last of them is hidden.
 * Nothing behind the last end of something hidden is looked at: each sign there would search all of it.
 * @param {string} text
 */
const veiled = (text) => text.replace(/^.*\S\|\|/s, (closed) => closed.replace(text.includes('`') ? /\|\|\S.*\|\|$/s : /\|\|\S(?:.*?\S)??\|\|/gs, t.spoiler));

/** What an item says, in a line of text: for whoever hears it, answers it, or sees it outside the room. @param {import('../room/session.js').Item} item */
export const gist = ({ gone, body, file }) => (gone ? t.deleted : veiled(body || (file?.name ?? '')));

/** @param {number} at */
export const timeOf = (at) => clock.format(at);

/** @param {number} at */
export const momentOf = (at) => full.format(at);

/**
 * Two moments on one day give the same text.
 * @param {number} at
 */
export function dayOf(at) {
  const day = new Date(at).toDateString();
  if (day === new Date().toDateString()) return t.today;
  if (day === new Date(Date.now() - 86_400_000).toDateString()) return t.yesterday;
  return weekday.format(at);
}

/** Storage may be switched off; the page works without. @param {string} key */
export function stored(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
export function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // It is forgotten with the page.
  }
}

/** Where others reach the relay. On localhost the page came from `snug ui` or through a tunnel: whoever serves it knows, and links must not say localhost. */

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const PATIENCE = 2000; // ms; the answer comes from this machine

async function ask() {
  if (!LOCAL.test(location.hostname)) return location.origin;
  const { origin } = await (await fetch('/origin.json', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) })).json();
  return new URL(origin).origin;
}

/** Scheme, host and port of the relay, as links have it. */
export const site = await ask().catch(() => location.origin);

/** Small parts that several screens share. */

/**
 * A screen outside a room: the lamp over what there is to do.
 * @param {...Child} children
 */
export const screen = (...children) =>
  h('div', { class: 'door' }, h('div', { class: 'pendant', 'aria-hidden': 'true' }, icon('pendant')), h('div', { class: 'sill' }, ...children));

/** Six digits in two groups, spoken one by one. @param {string} code */
export const digits = (code) => {
  const shown = [code.slice(0, 3), code.slice(3)].map((group) => h('span', { 'aria-hidden': 'true' }, group));
  return h('p', { class: 'digits' }, h('span', { class: 'spoken' }, [...code].join(' ')), shown);
};

/**
 * A button that copies a text and says so.
 * @param {() => string} text
 * @param {string} label
 * @param {string} [look] class
 */
export function copyButton(text, label, look = 'quiet') {
  const says = h('span', { 'aria-live': 'polite', class: look === 'round' && 'spoken' }, label);
  const copy = async () => {
    const done = await navigator.clipboard.writeText(text()).then(() => true, () => false);
    fill(says, done ? t.copied : t.copyFailed);
    fill(drawing, icon(done ? 'sent' : 'warn'));
    setTimeout(() => (fill(says, label), fill(drawing, icon('copy'))), 2500);
  };
  const drawing = h('span', { class: 'drawing' }, icon('copy'));
  return h('button', { type: 'button', class: look, title: look === 'round' && label, onclick: copy }, drawing, says);
}

/**
 * Hands an address to the device's own share sheet, where there is one.
 * @param {string} url
 * @param {string} look class
 */
export const shareButton = (url, look) =>
  'share' in navigator && h('button', { type: 'button', class: look, onclick: () => navigator.share({ url }).catch(() => {}) }, icon('share'), t.share);

/**
 * One of eight tones for a member, the same on every screen.
 * @param {string} id
 */
export const toneOf = (id) => [...id].reduce((mix, c) => Math.imul(mix ^ c.charCodeAt(0), 0x01000193), 0x811c9dc5) >>> 29; // FNV-1a, its top bits

/**
 * A member's tile: the first letter on their tone, with a mark once somebody here has compared their fingerprint.
 * @param {{id: string, alias: string, verified?: boolean}} member
 */
export const tile = ({ id, alias, verified }) =>
  h('span', { class: 'tile', 'aria-hidden': 'true', data: { tone: toneOf(id), verified } }, [...alias][0]?.toUpperCase() ?? '?');

/**
 * Asks before something that cannot be undone.
 * @param {{title: string, text: (string | false)[], yes: string}} question
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, yes }) {
  const dialog = h('dialog', { class: 'confirm', 'aria-labelledby': 'confirm-title' },
    h('form', { method: 'dialog' },
      h('h2', { id: 'confirm-title' }, title),
      text.map((part) => part && h('p', null, part)),
      h('div', { class: 'row' }, h('button', { class: 'quiet', value: '' }, t.cancel), h('button', { class: 'danger', value: 'yes' }, yes))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}

/** Fields and forms of the screens outside a room. */

const ALIAS = 'snug.alias';
const MAX_ALIAS = 64; // bytes, docs/PROTOCOL.md "Cards"

const lastAlias = () => stored(ALIAS) ?? '';

/** @param {string} alias */
export const rememberAlias = (alias) => store(ALIAS, alias);

/**
 * A field with its label, hint and place for a complaint.
 * @param {HTMLInputElement} input
 * @param {string} label
 * @param {string} [hint]
 * @param {Node} [aside]
 */
export function field(input, label, hint, aside) {
  const id = (input.id ||= `f${++fields}`);
  const note = h('p', { class: 'hint', id: `${id}-hint` }, hint);
  input.setAttribute('aria-describedby', note.id);
  const line = aside ? h('div', { class: 'row' }, input, aside) : input;
  return h('div', { class: 'field' }, h('label', { for: id }, label), line, note);
}
let fields = 0;

/**
 * Shows a complaint under a field and puts the reader there.
 * @param {HTMLInputElement} input
 * @param {string} complaint
 */
export function complain(input, complaint) {
  const note = /** @type {HTMLElement} */ (document.getElementById(`${input.id}-hint`));
  const again = note.dataset.complaint !== undefined; // what is to come back is no complaint
  const before = note.textContent;
  fill(note, complaint);
  mark(note, { complaint });
  note.setAttribute('role', 'alert');
  input.setAttribute('aria-invalid', 'true');
  input.focus();
  if (again) return;
  input.addEventListener('input', () => {
    if (note.textContent === note.dataset.complaint) fill(note, before); // or something newer stands there
    mark(note, { complaint: null });
    note.removeAttribute('role');
    input.removeAttribute('aria-invalid');
  }, { once: true });
}

/** The field for the own name. @param {boolean} [first] */
export function nameField(first) {
  const kind = { type: 'text', name: 'nickname', autocomplete: 'nickname', spellcheck: 'false', maxlength: MAX_ALIAS };
  const input = h('input', { ...kind, enterkeyhint: 'go', value: lastAlias(), autofocus: first });
  return { input, element: field(input, t.yourName, t.nameHint) };
}

/**
 * The name in a text, or what is wrong with it.
 * @param {string} text
 */
export function aliasOf(text) {
  const alias = text.normalize('NFC').replace(/\p{C}+/gu, '').trim();
  if (!alias) return { alias: null, complaint: t.nameMissing };
  if (new TextEncoder().encode(alias).length > MAX_ALIAS) return { alias: null, complaint: t.nameLong };
  return { alias, complaint: '' };
}

/**
 * The name typed, or null after a complaint.
 * @param {HTMLInputElement} input
 */
export function aliasIn(input) {
  const { alias, complaint } = aliasOf(input.value);
  if (alias === null) complain(input, complaint);
  return alias;
}

const TYPING = 'snug.typing';

/** Whether the others may see that one types; not unless it was switched on. */
export const typing = {
  get on() {
    try {
      return localStorage.getItem(TYPING) === 'on';
    } catch {
      return false; // storage is switched off
    }
  },
  set on(on) {
    try {
      on ? localStorage.setItem(TYPING, 'on') : localStorage.removeItem(TYPING);
    } catch (error) {
      console.warn('snug: the choice lasts as long as the page', error);
    }
  },
};

/** The choice to keep the room on this device. */
export function keepField() {
  const input = h('input', { type: 'checkbox', name: 'keep' });
  return { input, element: h('label', { class: 'check' }, input, h('span', null, t.keep, h('small', null, t.keepHint))) };
}

/** What went wrong at the last try. @param {string} [error] */
export const problem = (error) => (error ? h('p', { class: 'problem', role: 'alert' }, icon('warn'), error) : null);

/** What a form does instead of going somewhere. @param {(event: SubmitEvent) => void} go */
export const submit = (go) => (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  go(event);
};

/** @param {import('./app.js').AppType} app */
export const backButton = (app) => iconButton('back', t.back, { class: 'round back', onclick: () => app.back() });
