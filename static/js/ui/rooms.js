// @ts-check
/** The rooms that this page is in: a list beside the one in front where there is space, a drawer over it where there is not. */
import { fill, h, icon, iconButton, mark, named, t } from './parts.js';

/** @typedef {import('./app.js').AppType} App */
/** @typedef {import('./room.js').Room} Room */

export class Switcher {
  #app;
  #host;
  #drawn = '';
  #aside = h('nav', { class: 'roomlist', 'aria-label': t.roomsTitle });
  #inside = h('div', { class: 'roomlist' });
  #drawer;
  /** For the start screen. */
  start = h('div', { class: 'kept' });

  /** @param {App} app @param {HTMLElement} host */
  constructor(app, host) {
    this.#app = app;
    this.#host = host;
    const top = h('div', { class: 'sheet-top' }, h('h2', null, t.roomsTitle), iconButton('close', t.close, { onclick: () => this.#drawer.close() }));
    this.#drawer = h('dialog', { class: 'drawer', 'aria-label': t.roomsTitle, onclick: (/** @type {Event} */ event) => event.target === this.#drawer && this.#drawer.close() }, top, this.#inside);
    document.body.append(this.#drawer);
  }

  close() {
    for (const element of [this.#aside, this.#drawer, this.start]) element.remove();
  }

  /** Draws what is true now. A list is beside a room only, and only if there are two to choose from. */
  draw() {
    const { rooms } = this.#app;
    const beside = rooms.length > 1 && rooms.some((room) => this.#app.isFront(room));
    mark(this.#host, { rooms: beside });
    if (beside && this.#aside.parentElement !== this.#host) this.#host.prepend(this.#aside);
    if (!beside) this.#aside.remove();
    const now = JSON.stringify(rooms.map((room) => [room.place, room.name, room.unread, room.session.status.state, Boolean(room.over), this.#app.isFront(room)]));
    if (now === this.#drawn) return; // a button must not change under a finger for nothing
    this.#drawn = now;
    fill(this.start, rooms.length > 0 && h('h2', null, t.roomsTitle), rooms.length > 0 && h('div', { class: 'rooms' }, this.#list()));
    for (const list of [this.#aside, this.#inside]) {
      const at = [...list.querySelectorAll('button')].indexOf(/** @type {any} */ (document.activeElement));
      fill(list, list === this.#aside && h('h2', null, t.roomsTitle), this.#list(), this.#another(), h('p', { class: 'hint' }, t.roomsKeys));
      if (at >= 0) list.querySelectorAll('button')[at]?.focus();
    }
  }

  open() {
    this.draw();
    this.#drawer.showModal();
    /** @type {HTMLElement | null} */ (this.#drawer.querySelector('[aria-current=true]'))?.focus();
  }

  #list() {
    return h('ul', null, this.#app.rooms.map((room) => h('li', null, row(room, this.#app.isFront(room), () => this.#go(() => this.#app.front(room))))));
  }

  #another() {
    return h('button', { type: 'button', class: 'way', onclick: () => this.#go(() => this.#app.start()) }, icon('add'), h('span', null, t.otherRoom));
  }

  /** @param {() => void} where */
  #go(where) {
    this.#drawer.close();
    where();
  }
}

/**
 * One room: its lamp, its name, who one is there, and how much came while nobody looked.
 * @param {Room} room @param {boolean} front @param {() => void} go
 */
export function row(room, front, go) {
  const state = room.over ? 'closed' : /** @type {keyof typeof t.status} */ (room.session.status.state);
  const { unread } = room;
  const others = room.session.members.filter(({ self }) => !self).map(({ alias }) => named(alias)).join(', ');
  return h('button', { type: 'button', class: 'way', title: room.name, 'aria-current': front && 'true', onclick: go },
    h('span', { class: 'lamp', title: t.status[state], data: { state } }, icon('lamp'), h('span', { class: 'spoken' }, `${t.status[state]}. `)),
    h('span', null, room.name, h('small', null, others || room.session.alias)),
    unread > 0 && h('b', { class: 'badge' }, h('span', { 'aria-hidden': 'true' }, unread > 99 ? '99+' : unread), h('span', { class: 'spoken' }, ` ${t.unread(unread)}`)));
}
