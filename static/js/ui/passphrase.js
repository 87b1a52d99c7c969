// @ts-check
/** The way in by room name and passphrase. */
import { passphraseRoot } from '../crypto/keys.js';
import { passphraseStrength } from '../crypto/strength.js';
import { generatePassphrase } from '../crypto/words.js';
import { aliasIn, backButton, complain, copyButton, field, fill, h, icon, iconButton, keepField, nameField, problem, screen, submit, t, told } from './parts.js';

/** @typedef {import('./app.js').AppType} App */
/** @typedef {import('./app.js').View} View */

/**
 * Room name and passphrase. Words are offered first, since people choose badly.
 * @param {App} app
 * @param {{error?: string, room?: string, words?: string}} [was]
 * @returns {View}
 */
export function passphrase(app, was = {}) {
  const exact = { autocomplete: 'off', autocapitalize: 'none', autocorrect: 'off', spellcheck: 'false', enterkeyhint: 'next' };
  const room = h('input', { type: 'text', ...exact, maxlength: 200, value: was.room ?? '', autofocus: true });
  const words = h('input', { type: 'password', class: 'secret', ...exact, maxlength: 1000, value: was.words ?? '' });
  const name = nameField();
  const keep = keepField();
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
  const offer = offered(() => words.value, (text) => {
    words.value = text;
    reveal(true);
    words.dispatchEvent(new Event('input'));
  });
  words.addEventListener('input', () => {
    const { weak, why } = passphraseStrength(words.value);
    if (words.value === '') delete strength.dataset.level;
    else strength.dataset.level = weak ? 'weak' : 'strong';
    const says = words.value === offer.taken() ? t.tellWords : told(why);
    fill(strength, words.value !== '' && [h('b', null, weak ? t.weak : t.strong), ` ${says}`]);
  });
  // The keys of a phone say "next"; iOS sends the form by them all the same.
  for (const [input, next] of [[room, words], [words, name.input]]) {
    input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing || !input.value.trim() || next.value) return;
      event.preventDefault();
      next.focus();
    });
  }
  const go = submit(() => {
    if (!room.value.trim()) return complain(room, t.roomNameMissing);
    if (!words.value.trim()) return complain(words, t.passMissing);
    const alias = aliasIn(name.input);
    if (!alias) return;
    const [secretWords, roomName] = [words.value, room.value.trim()];
    const root = async () => passphraseRoot(secretWords, roomName);
    const back = (/** @type {string | undefined} */ error) => passphrase(app, { error, room: roomName, words: secretWords });
    app.enter({ root, alias, keep: keep.input.checked, name: roomName, back });
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
 * @param {() => string} current what stands in the field
 * @param {(words: string) => void} take
 */
function offered(current, take) {
  const text = h('p', { class: 'words', 'aria-live': 'polite' });
  let taken = '';
  const draw = () => fill(text, generatePassphrase());
  const use = () => take((taken = text.textContent ?? ''));
  // Words already taken change along with the offer, words of one's own never.
  const again = () => (draw(), inUse() && use());
  const inUse = () => taken !== '' && current() === taken;
  draw();
  const element = h('div', { class: 'slip' },
    h('p', { class: 'hint' }, t.offered), text,
    h('div', { class: 'row' },
      h('button', { type: 'button', class: 'quiet', onclick: use }, t.takeWords),
      iconButton('again', t.otherWords, { onclick: again }),
      copyButton(() => text.textContent ?? '', t.copy, 'round')));
  return { element, taken: () => taken };
}
