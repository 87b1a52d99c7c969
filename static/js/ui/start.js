// @ts-check
/** The start screen and the other screens outside a room: every way in, and the words when there is none. */
import { unb64u } from '../lib/bytes.js';
import { fill, h, icon } from '../lib/dom.js';
import { aliasIn, backButton, complain, field, keepField, nameField, problem, submit } from './fields.js';
import { t } from './lang.js';
import { screen } from './parts.js';
import { site } from './site.js';

/** @typedef {import('./app.js').AppType} App */
/** @typedef {import('./app.js').View} View */

/**
 * The root in a fragment, or null.
 * @param {string} fragment
 */
export function rootOf(fragment) {
  try {
    const root = unb64u(fragment);
    return root.length === 32 ? root : null;
  } catch {
    return null;
  }
}

/**
 * @param {App} app
 * @param {string} [error]
 * @returns {View}
 */
export function home(app, error) {
  const name = nameField();
  const keep = keepField();
  const rooms = h('div', { class: 'kept' });
  const open = async () => (await import('../crypto/root.js')).newLinkRoot();
  const go = submit(() => {
    const alias = aliasIn(name.input);
    if (alias) app.enter({ root: open, alias, keep: keep.input.checked, back: (why) => home(app, why) });
  });
  /** @param {string} drawing @param {string} text @param {() => View | Promise<View>} view */
  const way = (drawing, text, view) =>
    h('button', { type: 'button', class: 'way', onclick: () => app.turn(view) }, icon(drawing), h('span', null, text), icon('next'));
  showKept(app, rooms);
  return {
    element: screen(
      h('header', { class: 'brand' }, h('h1', null, 'snug'), h('p', null, t.tagline)),
      problem(error),
      rooms,
      h('form', { class: 'card', onsubmit: go, novalidate: true }, name.element, h('button', { class: 'main' }, t.newRoom), keep.element),
      h('nav', { class: 'ways' },
        way('key', t.withPassphrase, async () => (await import('./passphrase.js')).passphrase(app)),
        way('link', t.withLink, () => pasteLink(app))),
      h('p', { class: 'promise' }, t.promise),
    ),
  };
}

/** @param {App} app @param {HTMLElement} place */
async function showKept(app, place) {
  const { forget, keptRooms } = await import('../room/vault.js');
  const rooms = await keptRooms().catch(() => []);
  if (rooms.length === 0) return;
  const list = h('ul', { class: 'rooms' }, rooms.map((room) => keptRow(app, room, async () => {
    await forget(room.roomId);
    await showKept(app, place);
  })));
  fill(place, h('h2', null, t.keptTitle), list);
}

/**
 * @param {App} app
 * @param {import('../room/vault.js').Kept} room
 * @param {() => Promise<void>} forget
 */
function keptRow(app, room, forget) {
  const title = room.name ?? t.privateRoom;
  const { root, alias, name } = room;
  const enter = () => app.enter({ root: async () => root, alias, keep: true, name: name ?? undefined, back: (why) => home(app, why) });
  const gone = h('button', { type: 'button', class: 'plain', 'aria-label': t.forgetRoom(title) }, t.forget);
  gone.addEventListener('click', () => {
    if (gone.dataset.sure !== undefined) return void forget().then(() => gone.closest('li')?.remove());
    gone.dataset.sure = '';
    fill(gone, t.forgetSure);
    gone.addEventListener('blur', () => (delete gone.dataset.sure, fill(gone, t.forget)), { once: true });
  });
  return h('li', null,
    h('button', { type: 'button', class: 'way', onclick: enter }, h('span', null, title, h('small', null, alias)), icon('next')), gone);
}

/**
 * @param {App} app
 * @param {Uint8Array} root
 * @param {string} [error]
 * @returns {View}
 */
export function invited(app, root, error) {
  const name = nameField(true);
  const keep = keepField();
  const go = submit(() => {
    const alias = aliasIn(name.input);
    if (alias) app.enter({ root: async () => root, alias, keep: keep.input.checked, back: (why) => invited(app, root, why) });
  });
  return {
    element: screen(
      h('header', null, h('h1', null, t.invitedTitle), h('p', null, t.invitedText)),
      problem(error),
      h('form', { class: 'card', onsubmit: go, novalidate: true }, name.element, h('button', { class: 'main' }, t.enter), keep.element),
    ),
  };
}

/** @param {App} app @returns {View} */
function pasteLink(app) {
  const exact = { autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' };
  const input = h('input', { type: 'text', inputmode: 'url', enterkeyhint: 'go', autofocus: true, ...exact });
  const go = submit(() => {
    const found = input.value.trim().match(/^(https?:\/\/[^\s#]+)?#?((?:k=[\w-]{27})|[\w-]{43})$/);
    if (!found) return complain(input, t.linkWrong);
    const url = new URL(`#${found[2]}`, found[1] ?? site);
    // A link of another relay: that relay's own page opens it.
    if (url.origin !== site && url.origin !== location.origin) return location.assign(url);
    history.pushState(null, '', url.hash);
    app.route();
  });
  return {
    element: screen(
      h('header', null, backButton(app), h('h1', null, t.linkTitle)),
      h('form', { class: 'card', onsubmit: go, novalidate: true }, field(input, t.link, t.linkHint), h('button', { class: 'main' }, t.enter)),
    ),
  };
}

/**
 * The calm while a key is made and the room opens.
 * @param {{slow: boolean, cancel: () => void}} options
 */
export function entering({ slow, cancel }) {
  const title = h('h1', null, slow ? t.makingKey : t.opening);
  const note = h('p', null, slow ? t.makingKeyHint : '');
  const element = screen(
    h('header', { class: 'entering', role: 'status' }, title, h('div', { class: 'thread' }), note),
    h('button', { type: 'button', class: 'plain', onclick: cancel }, t.cancel));
  element.dataset.lit = '';
  let timer = 0;
  const opening = () => {
    fill(title, t.opening);
    fill(note);
    timer = window.setTimeout(() => fill(note, t.openingSlow), 5000); // by then the fast way has failed
  };
  if (!slow) opening();
  return { element, opening: () => (clearTimeout(timer), opening()), close: () => clearTimeout(timer) };
}

/** @returns {View} No WebCrypto here: plain http from another host. */
export function insecure() {
  const { hostname, port, pathname, hash, origin } = location;
  const local = port || '80';
  /** @param {string} title @param {string} text @param {...string} lines */
  const way = (title, text, ...lines) =>
    h('li', null, h('h2', null, title), h('p', null, text), h('pre', { tabindex: 0, 'aria-label': title }, lines.join('\n')));
  return {
    element: screen(
      h('header', null, h('h1', null, t.plainTitle), h('p', null, t.plainText)),
      h('ol', { class: 'card outs' },
        way(t.plainHttps, t.plainHttpsText, 'snug --tls-self-signed'),
        way(t.plainTunnel, t.plainTunnelText, `ssh -L 8080:localhost:${local} ${hostname}`, `http://localhost:8080${pathname}${hash}`),
        way(t.plainLocal, t.plainLocalText, `snug ui ${origin}`)),
    ),
  };
}

/**
 * The end of a stay: removed, or closed.
 * @param {App} app
 * @param {{title: string, text: string, again?: () => void}} end
 * @returns {View}
 */
export function ended(app, { title, text, again }) {
  return {
    element: screen(
      h('header', { role: 'alert' }, h('h1', null, title), h('p', null, text)),
      h('div', { class: 'row' },
        again && h('button', { type: 'button', class: 'main', onclick: again }, t.again),
        h('button', { type: 'button', class: 'quiet', onclick: () => app.out() }, t.toStart)),
    ),
  };
}
