// @ts-check
/** The page /check: what the network between this browser and the relay does, in words. */
import { NetworkCheck } from '../net/check.js';
import { copyButton, fill, h, screen, t } from './parts.js';
import { rows, verdict } from './verdict.js';

const WATCHED = 75; // seconds; idle limits of 60 s are the most common

class CheckPage {
  #stop = new AbortController();
  #title = h('h1', null, t.checkTitle);
  #verdict = h('div', { class: 'stack', role: 'status', 'aria-live': 'polite' });
  #progress = h('p', { class: 'hint' });
  #buttons = h('div', { class: 'row' });
  #details = h('table', { class: 'report' });
  element = screen(
    h('header', null, this.#title, h('p', null, t.checkText)),
    h('section', { class: 'card' }, this.#verdict, this.#progress, this.#buttons),
    this.#details);

  /** Runs the check, and then watches until it is stopped or over. */
  async run() {
    this.#stop = new AbortController();
    const check = new NetworkCheck({ signal: this.#stop.signal });
    fill(this.#verdict);
    fill(this.#details);
    fill(this.#buttons);
    const report = await check.run((step) => fill(this.#progress, `${t.checkStep[step]}…`));
    this.#draw(report);
    if (report.stream.live || report.octets.live) {
      fill(this.#buttons, this.#copy(report), h('button', { type: 'button', class: 'quiet', onclick: () => this.#stop.abort() }, t.checkStop));
      /** @param {number} gone */
      const watching = (gone) => fill(this.#progress, t.checkWatching(gone, WATCHED));
      watching(0);
      this.#draw(await check.watch(WATCHED, watching));
    }
    fill(this.#progress, t.checkDone);
    fill(this.#buttons, this.#copy(report), h('button', { type: 'button', class: 'quiet', onclick: () => this.run() }, t.checkAgain));
  }

  /** @param {import('../net/check.js').Report} report */
  #draw(report) {
    const [first, ...rest] = verdict(report);
    fill(this.#verdict, h('h2', null, first), rest.map((line) => h('p', null, line)));
    fill(this.#details, h('caption', null, t.checkDetails), rows(report).map(([name, value]) => h('tr', null, h('th', { scope: 'row' }, name), h('td', null, value))));
  }

  /** @param {import('../net/check.js').Report} report */
  #copy(report) {
    const text = () => [...verdict(report), '', ...rows(report).map(([name, value]) => `${name}: ${value}`), '', navigator.userAgent].join('\n');
    return copyButton(text, t.checkCopy, 'main');
  }
}

const page = new CheckPage();
fill(/** @type {HTMLElement} */ (document.getElementById('app')), page.element);
void page.run();
