// @ts-check
/** The panel of a room: people, inviting, the terminal, the room itself. A sheet on a phone, beside the conversation where there is room. */
import { part, unb64u } from '../lib/bytes.js';
import { letIn } from './lock.js';
import { aliasIn, confirm, copyButton, fill, h, icon, iconButton, mark, named, nameField, redraw, t, tile, told, typing } from './parts.js';

/** @typedef {import('../room/shared.js').SharedSession} Session */
/** @typedef {import('../room/shared.js').SharedSession['members'][number]} Member */
/** @typedef {'people' | 'invite' | 'terminal' | 'room'} Tab */

const TABS = /** @type {Tab[]} */ (['people', 'invite', 'terminal', 'room']);
const LONGEST = 2000; // ms for a goodbye
const TIMERS = [0, 60, 3600, 86_400, 604_800]; // s that a message stays once it was read
const WIDE = matchMedia('(min-width: 58rem)'); // as in app.css

export class Panel {
  #session;
  #kept;
  #out;
  /** @type {Tab} */
  #tab = 'people';
  /** @type {HTMLElement | null} */
  #opener = null;
  /** @type {Set<string>} members whose details are open */
  #unfolded = new Set();
  #renaming = false;
  #removing = ''; // a member's id
  #stop = new AbortController();
  #body = h('div', { class: 'panelbody' });
  #drawn = '';
  #tabs;

  /** @param {{session: Session, kept: boolean, out: () => void}} options */
  constructor({ session, kept, out }) {
    this.#session = session;
    this.#kept = kept;
    this.#out = out;
    const names = { people: t.people, invite: t.invite, terminal: t.terminal, room: t.room };
    this.#tabs = h('nav', { class: 'tabs' }, TABS.map((tab) => h('button', { type: 'button', data: { tab }, onclick: () => this.#turn(tab) }, names[tab])));
    const top = h('div', { class: 'sheet-top' }, this.#tabs, iconButton('close', t.close, { onclick: () => this.hide() }));
    this.element = h('dialog', { class: 'panel', 'aria-label': t.more }, top, this.#body);
    const { signal } = this.#stop;
    const again = () => this.element.open && !this.#renaming && this.#content() !== this.#drawn && this.#draw();
    session.addEventListener('members', again, { signal });
    session.addEventListener('moved', again, { signal });
    session.addEventListener('timer', again, { signal });
    this.element.addEventListener('close', () => this.#closed());
    this.element.addEventListener('click', (event) => event.target === this.element && this.hide());
    this.element.addEventListener('keydown', (event) => event.key === 'Escape' && WIDE.matches && this.hide());
    const turned = () => this.element.open && (this.element.close(), this.element.isConnected && this.show(this.#tab, true));
    WIDE.addEventListener('change', () => {
      const question = document.querySelector('dialog.confirm'); // stays in front until it is answered
      if (question) question.addEventListener('close', turned, { once: true, signal });
      else turned();
    }, { signal });
  }

  close() {
    this.#stop.abort();
    this.element.remove();
  }

  /**
   * @param {Tab} tab
   * @param {boolean} [aside] the page opens it, the reader did not: the focus stays
   * @param {HTMLElement | null} [opener] gets the focus when the panel closes
   */
  show(tab, aside = false, opener = null) {
    if (this.element.open && tab === this.#tab && !aside) return this.hide();
    this.#tab = tab;
    this.#renaming = false;
    if (opener) this.#opener = opener;
    this.#draw();
    if (this.element.open) {
      // only the tab changed
    } else if (WIDE.matches) {
      this.element.setAttribute('open', '');
      mark(/** @type {HTMLElement} */ (this.element.parentElement), { aside: true });
    } else {
      this.element.showModal();
    }
    if (!aside) this.#current?.focus();
  }

  hide() {
    if (this.element.open) this.element.close();
  }

  #closed() {
    if (this.element.open) return; // opened anew since, because the window has another width
    mark(/** @type {HTMLElement} */ (this.element.parentElement), { aside: false });
    this.#opener?.focus();
    this.#opener = null;
  }

  /** @param {Tab} tab */
  #turn(tab) {
    this.#tab = tab;
    this.#renaming = false;
    this.#draw();
    this.#current?.focus();
  }

  get #current() {
    return /** @type {HTMLElement | null} */ (this.#tabs.querySelector('[aria-current=true]'));
  }

  /** What the tab shows, as one text: a button must not be replaced under a finger when nothing has changed. */
  #content() {
    const { roomId, members, locked, waits, timer } = this.#session;
    return JSON.stringify([this.#tab, roomId, this.#tab === 'people' && members, locked, waits, this.#tab === 'room' && timer]);
  }

  #draw() {
    this.#drawn = this.#content();
    for (const button of this.#tabs.children) button.ariaCurrent = String(/** @type {HTMLElement} */ (button).dataset.tab === this.#tab);
    redraw(this.#body, () => this.#current, this[this.#tab]());
  }

  people() {
    const order = (/** @type {Member} */ a, /** @type {Member} */ b) => Number(b.self) - Number(a.self) || Number(a.away) - Number(b.away) || a.alias.localeCompare(b.alias);
    const all = [...this.#session.members].sort(order);
    const [members, waiting] = [all.filter((member) => !member.waiting), all.filter((member) => member.waiting)];
    const code = h('p', { class: 'safety' });
    this.#session.safetyCode().then((text) => fill(code, text.split(' ').map((group) => h('span', null, group))), () => {});
    return [
      waiting.length > 0 && h('section', { class: 'block' }, h('h2', null, t.waiting), h('p', null, t.waitingText),
        h('ul', { class: 'members' }, waiting.map((member) => this.#stranger(member)))),
      h('ul', { class: 'members' }, members.map((member) => (member.self && this.#renaming ? this.#rename() : this.#member(member)))),
      members.length > 1 && !this.#session.waits && h('section', { class: 'block' }, h('h2', null, t.safety), code, h('p', null, t.safetyText),
        h('details', { class: 'why' }, h('summary', null, t.safetyWhy), h('p', null, t.safetyWhyText))),
    ];
  }

  /** Somebody who waits to be let in. @param {Member} member */
  #stranger(member) {
    return h('li', { class: 'stranger', data: { away: member.away } }, tile(member), h('span', { class: 'name' }, named(member.alias)),
      letIn(this.#session, member, 'main'));
  }

  /** @param {Member} member */
  #member(member) {
    const { id, alias, self, away, changed, verified, key, newAlias, newKey } = member;
    const more = h('details', { open: this.#unfolded.has(id), ontoggle: () => (more.open ? this.#unfolded.add(id) : this.#unfolded.delete(id)) },
      h('summary', { data: { focus: id } },
        tile(member),
        h('span', { class: 'name' }, named(alias), self && h('small', null, t.self)),
        verified && h('small', { class: 'verified' }, icon('sent'), t.verified),
        away && h('small', { class: 'awayword' }, t.away),
        icon('fold')),
      h('div', { class: 'about' },
        h('h3', null, t.fingerprint), print(key), h('p', { class: 'hint' }, self ? t.fingerprintOwn : t.fingerprintText(named(alias))),
        self
          ? h('button', { type: 'button', class: 'plain', data: { focus: 'rename' }, onclick: () => this.#startRename() }, t.rename)
          : [
            !changed && h('button', { type: 'button', class: verified ? 'plain' : 'quiet', data: { focus: `${id}-verify` }, onclick: () => this.#session.verify(id, !verified) }, verified ? t.unverify : t.verify),
            this.#removing === id ? h('p', { class: 'hint', role: 'status' }, t.removing) : h('button', { type: 'button', class: 'plain danger-text', data: { focus: `${id}-remove` }, onclick: () => this.#remove(member) }, t.remove),
          ]));
    return h('li', { data: { away, changed } },
      more,
      changed && h('div', { class: 'warning', role: 'alert' }, icon('warn'),
        h('div', null,
          h('b', null, t.changedTitle),
          h('p', null, t.changedText(named(alias)), newAlias && newAlias !== alias && ` ${t.changedName(named(newAlias))}`),
          print(newKey ?? key),
          h('button', { type: 'button', class: 'quiet', data: { focus: `${id}-accept` }, onclick: () => this.#session.accept(id) }, t.accept))));
  }

  #startRename() {
    this.#renaming = true;
    this.#draw();
    const input = this.#body.querySelector('input');
    input?.focus();
    input?.select();
  }

  #rename() {
    const name = nameField();
    name.input.value = this.#session.alias;
    const done = () => {
      this.#renaming = false;
      this.#draw();
      /** @type {HTMLElement | null} */ (this.#body.querySelector('[data-focus=rename]'))?.focus();
    };
    /** @param {SubmitEvent} event */
    const go = (event) => {
      event.preventDefault();
      const alias = aliasIn(name.input);
      if (!alias) return;
      if (alias !== this.#session.alias) void this.#session.setAlias(alias);
      done();
    };
    return h('li', null, h('form', { class: 'stack', onsubmit: go, novalidate: true }, name.element,
      h('div', { class: 'row' }, h('button', { class: 'main' }, t.save), h('button', { type: 'button', class: 'plain', onclick: done }, t.cancel))));
  }

  /** @param {Member} member */
  async #remove({ id, alias }) {
    const yes = await confirm({ title: t.removeTitle(named(alias)), text: [t.removeText(named(alias)), this.#session.kind === 'passphrase' && t.removePass], yes: t.removeDo });
    if (!yes) return;
    this.#removing = id;
    this.#draw();
    const failed = await this.#session.remove(id).then(() => null, (/** @type {Error} */ error) => error);
    this.#removing = '';
    if (!this.element.open) return;
    this.#draw();
    if (failed) this.#body.prepend(h('p', { class: 'problem', role: 'alert' }, icon('warn'), told(failed.message)));
  }

  invite() {
    const place = h('div', { class: 'blocks' });
    part(() => import('./invite.js')).then(({ invite }) => fill(place, invite(this.#session))).catch((error) => notLoaded(place, error));
    return place;
  }

  terminal() {
    const place = h('div', { class: 'block' }, h('h2', null, t.terminalTitle), h('p', null, t.terminalText));
    part(() => Promise.all([import('./terminal.js'), this.#session.shell()])).then(([{ recipe, EXAMPLE }, shell]) => {
      const text = recipe(shell);
      place.append(
        copyButton(() => text, t.copyShell, 'main'),
        h('pre', { class: 'recipe', tabindex: 0, 'aria-label': t.terminalTitle }, text),
        h('p', null, t.terminalUse), h('pre', null, EXAMPLE), h('p', { class: 'hint' }, t.terminalNote));
    }).catch((error) => notLoaded(place, error));
    return place;
  }

  room() {
    const pass = this.#session.kind === 'passphrase';
    return [
      !this.#session.waits && this.#lock(),
      this.#manners(),
      h('section', { class: 'block' }, h('h2', null, t.device), h('p', null, this.#kept ? t.keptHere : pass ? t.notKept : t.notKeptLink)),
      this.#notices(),
      h('section', { class: 'block' }, h('h2', null, t.leave), h('p', null, this.#way(false)),
        h('button', { type: 'button', class: 'quiet', onclick: () => this.#leave(false) }, t.leave)),
      this.#kept && h('section', { class: 'block' }, h('h2', null, t.leaveWipe), h('p', null, t.leaveWipeText),
        h('button', { type: 'button', class: 'quiet danger-text', onclick: () => this.#leave(true) }, t.leaveWipe)),
    ];
  }

  #notices() {
    const place = h('section', { class: 'block' }, h('h2', null, t.notices), h('p', null, t.noticesText));
    part(() => import('./notices.js')).then(({ choices }) => place.append(...choices())).catch((error) => notLoaded(place, error));
    return place;
  }

  /** The switch that keeps whoever comes waiting. */
  #lock() {
    const { locked } = this.#session;
    const turn = () => this.#session.lock(!this.#session.locked).catch((error) => console.warn('snug:', error));
    return h('section', { class: 'block' },
      h('button', { type: 'button', class: 'switch', role: 'switch', 'aria-checked': String(locked), data: { focus: 'lock' }, onclick: turn },
        icon('lock'), h('span', null, t.lock, h('small', null, locked ? t.lockedText : t.lockText)), h('span', { class: 'knob' })));
  }

  /** How people talk here: how long messages stay, and whether typing shows. */
  #manners() {
    const now = this.#session.timer ?? 0;
    const choices = TIMERS.includes(now) ? TIMERS : [...TIMERS, now];
    const select = h('select', { 'aria-label': t.timerTitle, data: { focus: 'timer' }, onchange: () => void this.#session.setTimer(Number(select.value)) },
      choices.map((ttl) => h('option', { value: ttl, selected: ttl === now }, ttl ? t.timerAfter(ttl) : t.timerOff)));
    const shows = h('input', { type: 'checkbox', name: 'typing', checked: typing.on, data: { focus: 'typing' }, onchange: () => (typing.on = shows.checked) });
    return h('div', { class: 'stack' },
      h('section', { class: 'block' }, h('h2', null, t.timerTitle), h('p', null, t.timerText), select),
      h('section', { class: 'block' }, h('h2', null, t.typingTitle), h('label', { class: 'check' }, shows, h('span', null, t.typingShow, h('small', null, t.typingHint)))));
  }

  /** How one comes back. @param {boolean} wipe */
  #way(wipe) {
    if (this.#kept && !wipe) return t.leaveTextKept;
    return this.#session.kind === 'passphrase' ? t.leaveTextPass : t.leaveText;
  }

  /** @param {boolean} wipe */
  async #leave(wipe) {
    const text = [wipe && t.wipeText, this.#way(wipe)];
    const yes = await confirm({ title: wipe ? t.wipeTitle : t.leaveTitle, text, yes: wipe ? t.leaveWipe : t.leave });
    if (!yes) return;
    fill(this.#body, h('p', { class: 'hint', role: 'status' }, t.leaving));
    // The others learn it by this; without a network they learn it by time, and nobody waits for that.
    const goodbye = this.#session.leave({ wipe }).catch((error) => console.warn('snug:', error));
    await Promise.race([goodbye, new Promise((done) => setTimeout(done, LONGEST))]);
    this.#out();
  }
}

/** @param {HTMLElement} place @param {unknown} error */
function notLoaded(place, error) {
  console.warn('snug: a part of the page is missing', error);
  place.append(h('p', { class: 'problem', role: 'alert' }, icon('warn'), t.notLoaded));
}

/** The words and digits of an identity key. @param {string} key */
function print(key) {
  const place = h('p', { class: 'print' });
  import('../crypto/words.js').then(async ({ fingerprint }) => fill(place, await fingerprint(unb64u(key))), (error) => fill(place, error.message));
  return place;
}
