// @ts-check
/** Something shared from another app: which room is it for? It goes into the room's composer; the person sends it. */
import { h, icon, problem, screen, t } from './parts.js';
import { shared } from './offline.js';

/** @typedef {import('./app.js').AppType} App */
/** @typedef {{text: string, files: File[]}} Gift */

/** The screen. @param {App} app @returns {Promise<import('./app.js').View>} */
export async function sharedScreen(app) {
  const what = await shared();
  if (!what) return { element: screen(h('header', null, h('h1', null, t.sharedTitle)), problem(t.sharedLost), leave(app, t.toStart)) };
  const { title, url, files } = what;
  // Some apps put the address into the text, some into both.
  const text = [title, what.text, what.text.includes(url) ? '' : url].filter((part, i, all) => part && all.indexOf(part) === i).join('\n');
  app.gift = { text, files };
  return {
    element: screen(
      h('header', null, h('h1', null, t.sharedTitle), h('p', null, t.sharedText)),
      h('section', { class: 'card shared' },
        text && h('p', { class: 'what', dir: 'auto' }, text),
        files.map((file) => h('p', { class: 'hint' }, `${file.name} · ${t.size(file.size)}`))),
      await app.choices(),
      h('nav', { class: 'ways' }, h('button', { type: 'button', class: 'way', onclick: () => app.start() }, icon('add'), h('span', null, t.otherRoom), icon('next'))),
      leave(app, t.cancel)),
  };
}

/** @param {App} app @param {string} label */
const leave = (app, label) => h('button', { type: 'button', class: 'plain', onclick: () => ((app.gift = null), app.start()) }, label);
