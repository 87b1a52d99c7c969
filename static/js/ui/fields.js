// @ts-check
/** Fields and forms of the screens outside a room. */
import { fill, h, icon, iconButton } from '../lib/dom.js';
import { t } from './lang.js';

const ALIAS = 'snug.alias';
const MAX_ALIAS = 64; // bytes, docs/PROTOCOL.md "Cards"

/** Storage may be switched off; a name is not worth an error. */
const lastAlias = () => {
  try {
    return localStorage.getItem(ALIAS) ?? '';
  } catch {
    return '';
  }
};

/** @param {string} alias */
export function rememberAlias(alias) {
  try {
    localStorage.setItem(ALIAS, alias);
  } catch {
    // The page works without.
  }
}

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
  const before = note.textContent;
  fill(note, complaint);
  note.setAttribute('role', 'alert');
  input.setAttribute('aria-invalid', 'true');
  input.focus();
  input.addEventListener('input', () => {
    fill(note, before);
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
 * The name typed, or null after a complaint.
 * @param {HTMLInputElement} input
 */
export function aliasIn(input) {
  const alias = input.value.normalize('NFC').replace(/\p{C}+/gu, '').trim();
  if (!alias) complain(input, t.nameMissing);
  else if (new TextEncoder().encode(alias).length > MAX_ALIAS) complain(input, t.nameLong);
  else return alias;
  return null;
}

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
export const backButton = (app) => iconButton('back', t.back, { class: 'round back', onclick: () => app.home() });
