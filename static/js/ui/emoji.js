// @ts-check
/** A small picker of emoji, drawn with the device's own font. */
import { put } from './actions.js';
import { fill, h, t } from './parts.js';

const GROUPS = /** @type {[keyof typeof t.emojiGroups, string][]} */ ([
  ['faces', '😀 😄 😁 😅 😂 🤣 🙂 🙃 😉 😊 😇 🥰 😍 😘 😋 😛 😜 🤪 🤗 🤭 🤫 🤔 🤨 😐 😶 😏 🙄 😬 😌 😴 🤤 😷 🤒 🤢 🥵 🥶 🤯 🤠 🥳 😎 🤓 🧐 😕 😟 🙁 😮 😲 😳 🥺 😨 😢 😭 😱 😖 😩 🥱 😤 😡 🤬 😈 💀 👻 👽 🤖 💩'],
  ['people', '👍 👎 👌 🤌 ✌️ 🤞 🤟 👈 👉 👆 👇 ☝️ ✋ 👋 🤙 💪 🙏 👏 🙌 👐 🤝 ✍️ 👀 🧠 🫶 🤷 🤦 🙋 💁 🙇 🏃 💃 👶 🧑 👵 👴 👨‍👩‍👧 🧑‍💻 🧑‍🍳 🧑‍🚀'],
  ['nature', '🐶 🐱 🐭 🐰 🦊 🐻 🐼 🐨 🦁 🐮 🐷 🐸 🐵 🐔 🐧 🦉 🦄 🐝 🦋 🐌 🐢 🐙 🐬 🐳 🌱 🌲 🌵 🍀 🍁 🌷 🌹 🌻 🌍 🌙 ⭐ ☀️ ⛅ 🌧️ ⛈️ ❄️ 🔥 🌈 🌊'],
  ['food', '🍎 🍐 🍊 🍋 🍌 🍉 🍇 🍓 🍒 🍑 🥝 🍅 🥑 🥕 🌽 🥔 🍞 🥐 🧀 🥚 🍳 🥞 🍔 🍟 🍕 🌮 🥗 🍝 🍜 🍣 🍙 🍰 🎂 🍪 🍫 🍿 ☕ 🍵 🍺 🍷 🥂 🧃'],
  ['things', '⚽ 🏀 🎾 🎲 🎮 🎸 🎧 🎬 🎨 🎁 🎉 🎈 🏆 🚗 🚲 🚆 ✈️ 🚀 ⛵ 🏠 🏢 ⏰ 📱 💻 🖨️ 📷 🔋 💡 🔧 🔑 🔒 📌 📎 ✏️ 📝 📅 📈 📦 ✉️ 💰 🛒 💊'],
  ['signs', '❤️ 🧡 💛 💚 💙 💜 🖤 🤍 💔 💯 💢 💥 💤 ✅ ☑️ ✔️ ❌ ❓ ❗ ⚠️ 🚫 ♻️ ➕ ➖ ➡️ ⬅️ ⬆️ ⬇️ 🔁 🆗 🆕 🔴 🟠 🟡 🟢 🔵 ⚪ ⚫ 🏁 🏳️‍🌈'],
]);

/**
 * Lets the reader choose. Resolves with the emoji, or null if none was wanted.
 * @param {Element} anchor what it opens beside
 * @returns {Promise<string | null>}
 */
export function pick(anchor) {
  const picker = h('div', { class: 'menu picker', popover: 'auto', role: 'dialog', 'aria-label': t.emoji });
  return new Promise((resolve) => {
    let chosen = /** @type {string | null} */ (null);
    const take = (/** @type {string} */ emoji) => {
      chosen = emoji;
      picker.hidePopover();
    };
    fill(picker, GROUPS.flatMap(([name, list]) => [
      h('h3', { id: `emoji-${name}` }, t.emojiGroups[name]),
      h('div', { class: 'grid', role: 'group', 'aria-labelledby': `emoji-${name}` }, list.split(' ').map((emoji) => h('button', { type: 'button', tabindex: -1, onclick: () => take(emoji) }, emoji))),
    ]));
    picker.addEventListener('keydown', (event) => walk(picker, event));
    picker.addEventListener('toggle', (event) => {
      if (/** @type {ToggleEvent} */ (event).newState !== 'closed') return;
      picker.remove();
      resolve(chosen);
    });
    document.body.append(picker);
    picker.showPopover();
    put(picker, anchor);
    const first = /** @type {HTMLElement} */ (picker.querySelector('button'));
    first.tabIndex = 0;
    first.focus({ preventScroll: true });
  });
}

/** From emoji to emoji; up and down goes to what lies nearest there. @param {HTMLElement} picker @param {KeyboardEvent} event */
function walk(picker, event) {
  const all = /** @type {HTMLElement[]} */ ([...picker.querySelectorAll('button')]);
  const here = /** @type {HTMLElement} */ (document.activeElement);
  const at = all.indexOf(here);
  const { left, top } = here.getBoundingClientRect();
  const same = (/** @type {HTMLElement} */ each) => Math.abs(each.getBoundingClientRect().left - left) < 4;
  const to = /** @type {Record<string, () => HTMLElement | undefined>} */ ({
    ArrowRight: () => all[at + 1],
    ArrowLeft: () => all[at - 1],
    ArrowDown: () => all.slice(at + 1).find((each) => same(each) && each.getBoundingClientRect().top > top),
    ArrowUp: () => all.slice(0, Math.max(0, at)).findLast((each) => same(each) && each.getBoundingClientRect().top < top),
    Home: () => all[0],
    End: () => all.at(-1),
  })[event.key]?.();
  if (!(event.key.startsWith('Arrow') || to)) return;
  event.preventDefault();
  to?.focus();
}
