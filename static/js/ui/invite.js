// @ts-check
/** Ways to ask others in: the link, its code for a camera, the device's share sheet, and the door where strangers knock. */
import { copyButton, h, icon, shareButton, site, t } from './parts.js';
import { qrPicture } from './qr.js';

/** @typedef {import('../room/shared.js').SharedSession} Session */

/** What the invite panel shows. @param {Session} session */
export function invite({ link, name, roomId }) {
  const knock = `${site}/#k=${roomId}`;
  return [
    ...(link ? byLink(link) : byWords(name ?? '')),
    block(t.inviteKnock, t.inviteKnockText, address(knock, t.inviteKnock), ways(knock, t.copyKnock, 'quiet')),
  ];
}

/** @param {string} link */
const byLink = (link) => [
  block(t.inviteLink, t.inviteLinkText, address(link, t.inviteLink), ways(link, t.copyLink, 'main')),
  h('section', { class: 'block card byqr' }, qrPicture(link, t.qrName),
    h('div', null, h('h2', null, icon('phone'), t.ownPhone), h('p', null, t.ownPhoneText), h('p', { class: 'hint' }, t.qrHint))),
];

/** @param {string} name */
const byWords = (name) => [
  block(t.invitePass, t.invitePassText, address(`${site}/`, t.pageAddress), copyButton(() => `${site}/`, t.copyAddress), h('p', null, t.roomName, t.colon, h('b', { class: 'words' }, name))),
  block(t.ownPhone, t.ownPhonePass),
];

/** @param {string} title @param {string} text @param {...import('./parts.js').Child} rest */
const block = (title, text, ...rest) => h('section', { class: 'block' }, h('h2', null, title), h('p', null, text), ...rest);

/** @param {string} url @param {string} label */
const address = (url, label) => h('input', { class: 'link', readonly: true, value: url, 'aria-label': label, onfocus: select });

/** @param {string} url @param {string} label @param {string} look */
const ways = (url, label, look) => h('div', { class: 'row' }, copyButton(() => url, label, look), shareButton(url, 'plain'));

/** @param {Event} event */
const select = (event) => /** @type {HTMLInputElement} */ (event.target).select();
