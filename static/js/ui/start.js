// @ts-check
/** The start screen and the other screens outside a room: every way in, and the words when there is none. */
import { unb64u } from '../lib/bytes.js';
import { fill, h, icon, iconButton } from '../lib/dom.js';
import { t } from './lang.js';
import { copyButton, screen } from './parts.js';

/** @typedef {import('./app.js').AppType} App */
/** @typedef {import('./app.js').View} View */

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
  return h('div', { class: 'field' }, h('label', { for: id }, label), aside ? h('div', { class: 'row' }, input, aside) : input, note);
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
  const input = h('input', { type: 'text', name: 'nickname', autocomplete: 'nickname', spellcheck: 'false', maxlength: MAX_ALIAS, enterkeyhint: 'go', value: lastAlias(), autofocus: first });
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

function keepField() {
  const input = h('input', { type: 'checkbox', name: 'keep' });
  return { input, element: h('label', { class: 'check' }, input, h('span', null, t.keep, h('small', null, t.keepHint))) };
}

/** @param {string} [error] */
const problem = (error) => (error ? h('p', { class: 'problem', role: 'alert' }, icon('warn'), error) : null);

/** @param {(event: SubmitEvent) => void} go */
const submit = (go) => (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  go(event);
};

/** @param {App} app */
const backButton = (app) => iconButton('back', t.back, { class: 'round back', onclick: () => app.home() });

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
    if (alias) app.enter({ root: open, alias, keep: keep.input.checked, link: true, back: (why) => home(app, why) });
  });
  /** @param {string} drawing @param {string} text @param {() => View} view */
  const way = (drawing, text, view) => h('button', { type: 'button', class: 'way', onclick: () => app.show(view()) }, icon(drawing), h('span', null, text), icon('next'));
  showKept(app, rooms);
  return {
    element: screen(
      h('header', { class: 'brand' }, h('h1', null, 'snug'), h('p', null, t.tagline)),
      problem(error),
      rooms,
      h('form', { class: 'card', onsubmit: go, novalidate: true }, name.element, h('button', { class: 'main' }, t.newRoom), keep.element),
      h('nav', { class: 'ways' }, way('key', t.withPassphrase, () => passphrase(app)), way('link', t.withLink, () => pasteLink(app))),
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
  const enter = () => app.enter({ root: async () => room.root, alias: room.alias, keep: true, name: room.name ?? undefined, link: room.kind === 'link', back: (why) => home(app, why) });
  const gone = h('button', { type: 'button', class: 'plain', 'aria-label': t.forgetRoom(title) }, t.forget);
  gone.addEventListener('click', () => {
    if (gone.dataset.sure !== undefined) return void forget().then(() => gone.closest('li')?.remove());
    gone.dataset.sure = '';
    fill(gone, t.forgetSure);
    gone.addEventListener('blur', () => (delete gone.dataset.sure, fill(gone, t.forget)), { once: true });
  });
  return h('li', null, h('button', { type: 'button', class: 'way', onclick: enter }, h('span', null, title, h('small', null, room.alias)), icon('next')), gone);
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
    if (alias) app.enter({ root: async () => root, alias, keep: keep.input.checked, link: true, back: (why) => invited(app, root, why) });
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
  const input = h('input', { type: 'text', inputmode: 'url', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', enterkeyhint: 'go', autofocus: true });
  const go = submit(() => {
    const found = input.value.trim().match(/^(https?:\/\/[^\s#]+)?#?((?:k=[\w-]{27})|[\w-]{43})$/);
    if (!found) return complain(input, t.linkWrong);
    const here = new URL('.', location.href);
    const url = new URL(`#${found[2]}`, found[1] ?? here);
    // A link of another relay: that relay's own page opens it.
    if (url.origin !== here.origin) return location.assign(url);
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
 * Room name and passphrase. Words are offered first, since people choose badly.
 * @param {App} app
 * @param {{error?: string, room?: string, words?: string}} [was]
 * @returns {View}
 */
export function passphrase(app, was = {}) {
  const room = h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', maxlength: 200, enterkeyhint: 'next', value: was.room ?? '', autofocus: true });
  const words = h('input', { type: 'password', class: 'secret', autocomplete: 'off', autocapitalize: 'none', autocorrect: 'off', spellcheck: 'false', maxlength: 1000, enterkeyhint: 'next', value: was.words ?? '' });
  const name = nameField();
  const keep = keepField();
  const crypto = import('../crypto/root.js');
  const eye = iconButton('eye', t.show, { onclick: () => reveal(words.type === 'password') });
  /** @param {boolean} on */
  function reveal(on) {
    words.type = on ? 'text' : 'password';
    eye.ariaLabel = eye.title = on ? t.hide : t.show;
    fill(eye, icon(on ? 'eyeoff' : 'eye'));
  }
  const secret = field(words, t.passphrase, '', eye);
  const strength = /** @type {HTMLElement} */ (secret.querySelector('.hint'));
  strength.setAttribute('aria-live', 'polite');
  const offer = offered(crypto, () => words.value, (text) => {
    words.value = text;
    reveal(true);
    words.dispatchEvent(new Event('input'));
  });
  words.addEventListener('input', async () => {
    const { passphraseStrength } = await import('../crypto/strength.js');
    const { weak, why } = passphraseStrength(words.value);
    if (words.value === '') delete strength.dataset.level;
    else strength.dataset.level = weak ? 'weak' : 'strong';
    fill(strength, words.value === '' ? '' : h('b', null, weak ? t.weak : t.strong), words.value === '' ? '' : ` ${words.value === offer.taken() ? t.tellWords : why}`);
  });
  const go = submit(() => {
    if (!room.value.trim()) return complain(room, t.roomNameMissing);
    if (!words.value.trim()) return complain(words, t.passMissing);
    const alias = aliasIn(name.input);
    if (!alias) return;
    const [secretWords, roomName] = [words.value, room.value.trim()];
    const root = async () => (await crypto).passphraseRoot(secretWords, roomName);
    app.enter({ root, alias, keep: keep.input.checked, name: roomName, back: (error) => passphrase(app, { error, room: roomName, words: secretWords }) });
  });
  return {
    element: screen(
      h('header', null, backButton(app), h('h1', null, t.passTitle), h('p', null, t.passText)),
      problem(was.error),
      h('form', { class: 'card', onsubmit: go, novalidate: true, autocomplete: 'off' },
        field(room, t.roomName, t.roomNameHint), offer.element, secret, name.element, h('button', { class: 'main' }, t.enter), keep.element),
    ),
  };
}

/**
 * The slip with generated words.
 * @param {Promise<typeof import('../crypto/root.js')>} crypto
 * @param {() => string} current what stands in the field
 * @param {(words: string) => void} take
 */
function offered(crypto, current, take) {
  const text = h('p', { class: 'words', 'aria-live': 'polite' });
  let taken = '';
  const draw = async () => fill(text, (await crypto).generatePassphrase());
  const use = () => take((taken = text.textContent ?? ''));
  // Words already taken change along with the offer, words of one's own never.
  const again = () => draw().then(() => inUse() && use());
  const inUse = () => taken !== '' && current() === taken;
  void draw();
  const element = h('div', { class: 'slip' },
    h('p', { class: 'hint' }, t.offered), text,
    h('div', { class: 'row' },
      h('button', { type: 'button', class: 'quiet', onclick: use }, t.takeWords),
      iconButton('again', t.otherWords, { onclick: again }),
      copyButton(() => text.textContent ?? '', t.copy, 'round')));
  return { element, taken: () => taken };
}

/**
 * The calm while a key is made and the room opens.
 * @param {{slow: boolean, cancel: () => void}} options
 */
export function entering({ slow, cancel }) {
  const title = h('h1', null, slow ? t.makingKey : t.opening);
  const note = h('p', null, slow ? t.makingKeyHint : '');
  const element = screen(h('header', { class: 'entering', role: 'status' }, title, h('div', { class: 'thread' }), note), h('button', { type: 'button', class: 'plain', onclick: cancel }, t.cancel));
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
  const way = (title, text, ...lines) => h('li', null, h('h2', null, title), h('p', null, text), h('pre', null, lines.join('\n')));
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
