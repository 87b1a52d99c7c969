// @ts-check
/** Small parts that several screens share. */
import { fill, h, icon } from '../lib/dom.js';
import { t } from './lang.js';

/**
 * A screen outside a room: the lamp over what there is to do.
 * @param {...import('../lib/dom.js').Child} children
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
 * A member's tile: the first letter on their tone.
 * @param {{id: string, alias: string}} member
 */
export const tile = ({ id, alias }) =>
  h('span', { class: 'tile', 'aria-hidden': 'true', data: { tone: toneOf(id) } }, [...alias][0]?.toUpperCase() ?? '?');

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
