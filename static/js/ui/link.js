// @ts-check
/** The way in by a link that came some other way: pasted, or read off another screen by the camera. */
import { backButton, complain, field, h, icon, screen, site, submit, t } from './parts.js';
import { canScan, scan } from './scan.js';

/** @typedef {import('./app.js').AppType} App */
/** @typedef {import('./app.js').View} View */

// A room's root has 43 characters; at a door to knock at, the room's id has 27. What stands before the # may be missing; people paste the whole
// message that a link came in.
const LINK = /(?:(https?:\/\/[^\s#]+)#|(?<!\S)#|^)((?:k=[\w-]{27})|[\w-]{43})(?![\w-])/;

/**
 * Goes to the room whose link this is. False if it is none.
 * @param {App} app
 * @param {string} text
 */
export function follow(app, text) {
  const found = text.trim().match(LINK);
  if (!found) return false;
  const url = new URL(`#${found[2]}`, found[1] ?? site);
  // A link of another relay: that relay's own page opens it.
  if (url.origin !== site && url.origin !== location.origin) location.assign(url);
  else app.go(url.hash);
  return true;
}

/** @param {App} app @returns {View} */
export function pasteLink(app) {
  const exact = { autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' };
  const input = h('input', { type: 'text', inputmode: 'url', enterkeyhint: 'go', autofocus: true, ...exact });
  const go = submit(() => follow(app, input.value) || complain(input, t.linkWrong));
  const camera = h('div', { class: 'ways' });
  const look = () => app.show(scan({ take: (text) => follow(app, text), cancel: () => app.show(pasteLink(app)) }));
  void canScan().then((can) => camera.append(can
    ? h('button', { type: 'button', class: 'way', onclick: look }, icon('scan'), h('span', null, t.scan), icon('next'))
    : h('p', { class: 'promise' }, t.scanNo)));
  return {
    element: screen(
      h('header', null, backButton(app), h('h1', null, t.linkTitle)),
      h('form', { class: 'card', onsubmit: go, novalidate: true }, field(input, t.link, t.linkHint), h('button', { class: 'main' }, t.enter)),
      camera,
    ),
  };
}
