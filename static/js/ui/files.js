// @ts-check
/**
 * Files in the conversation: <snug-file> shows one, in whatever state it is, and looks after the addresses that its content has on this page. Only
 * types that a browser shows without running anything get an address of their own type; all others can be saved and nothing else.
 */
import { fill, h, icon, iconButton, mark, t, told } from './parts.js';

/** @typedef {import('../room/session.js').Item} Item */
/** @typedef {import('../room/shared.js').SharedSession} Session */

/** What is shown, and as what. SVG and HTML run scripts, so they are not in here. @type {Record<string, 'picture' | 'video' | 'audio' | 'pdf'>} */
const LOOKS = {
  'image/jpeg': 'picture', 'image/png': 'picture', 'image/gif': 'picture', 'image/webp': 'picture', 'image/avif': 'picture',
  'video/mp4': 'video', 'video/webm': 'video', 'video/x-matroska': 'video', 'video/quicktime': 'video',
  'audio/mpeg': 'audio', 'audio/ogg': 'audio', 'audio/mp4': 'audio', 'audio/webm': 'audio', 'audio/wav': 'audio', 'audio/x-wav': 'audio', 'audio/flac': 'audio', 'audio/aac': 'audio',
  'video/ogg': 'video', 'application/pdf': 'pdf',
};
const ASK = 8 << 20; // bytes; what is larger is fetched when somebody says so
const LINGER = 2000; // ms: a row that is drawn anew keeps what it shows

/** What is shown of an item now, so that a row drawn anew goes on with it. @type {Map<string, {element: HTMLElement, url: string}>} */
const shown = new Map();
/** How far files are. @type {Map<string, {done: number, total: number, rate: number}>} */
const progress = new Map();

/** @param {string} type */
export const lookOf = (type) => LOOKS[type];

/** One file in the conversation. Whoever makes one gives it `given` before it is shown: {item, session}. */
class FileView extends HTMLElement {
  #stop = new AbortController();

  connectedCallback() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.session.addEventListener('progress', (event) => this.#progress(/** @type {CustomEvent} */ (event).detail), { signal });
    this.#draw();
  }

  disconnectedCallback() {
    this.#stop.abort();
    const { key } = this.item;
    setTimeout(() => {
      const had = shown.get(key);
      if (!had || had.element.isConnected) return;
      shown.delete(key);
      URL.revokeObjectURL(had.url);
    }, LINGER);
  }

  // Not a field: the element may be older than this class, and a field would begin empty.
  get #given() {
    return /** @type {{item: Item, session: Session}} */ (/** @type {any} */ (this).given);
  }

  get item() {
    return this.#given.item;
  }

  get session() {
    return this.#given.session;
  }

  get #file() {
    return /** @type {import('../room/descriptor.js').Picture} */ (this.item.file);
  }

  #draw() {
    const { item, session } = this;
    const { type, size } = this.#file;
    const blob = session.fileOf(item.key);
    const look = LOOKS[type];
    const inline = blob && look && look !== 'pdf';
    mark(this, { look: inline ? look : look === 'picture' && this.#file.thumb ? 'thumb' : 'row', transfer: item.transfer });
    fill(this, inline ? this.#content(look, blob) : this.#plain(look, blob), this.#state(blob), inline && size > 0 && look !== 'picture' && this.#caption(blob));
  }

  /** @param {'picture' | 'video' | 'audio'} look @param {Blob} blob */
  #content(look, blob) {
    const had = shown.get(this.item.key);
    if (had) return had.element;
    const { name, type, width, height } = this.#file;
    const url = URL.createObjectURL(blob.slice(0, blob.size, type));
    const broken = () => {
      shown.delete(this.item.key);
      URL.revokeObjectURL(url);
      mark(this, { look: 'row' });
      fill(this, this.#plain(undefined, blob), this.#state(blob));
    };
    /** @type {HTMLElement} */
    let element;
    if (look === 'picture') {
      const picture = h('img', { src: url, alt: name, width, height, decoding: 'async', onerror: broken });
      element = h('button', { type: 'button', class: 'picture', 'aria-label': t.files.look(name), onclick: () => lightbox(this.session, this.item.key) }, picture);
    } else {
      const sized = look === 'video' ? { width, height, playsinline: true } : {};
      element = h(look, { src: url, controls: true, preload: 'metadata', 'aria-label': name, onerror: broken, ...sized });
    }
    shown.set(this.item.key, { element, url });
    return element;
  }

  /** Without its content: what it is, with a small picture if there is one. @param {string | undefined} look @param {Blob | undefined} blob */
  #plain(look, blob) {
    const { name, size, thumb, width, height } = this.#file;
    if (!blob && thumb && (look === 'picture' || look === 'video')) {
      return h('div', { class: 'thumb' }, h('img', { src: small(thumb), alt: name, width: width ?? 320, height: height ?? 240 }), h('span', { class: 'size' }, sizeOf(size)));
    }
    return h('div', { class: 'plain-file' },
      h('span', { class: 'sort', 'aria-hidden': 'true' }, icon('file'), h('small', null, endOf(name))),
      h('div', { class: 'what' }, h('b', { dir: 'auto' }, name), h('small', null, sizeOf(size))),
      blob && look === 'pdf' && iconButton('eye', t.files.open(name), { onclick: () => void this.#open(blob) }),
      blob && saveButton(this.#file, blob));
  }

  /** @param {Blob} blob */
  #caption(blob) {
    const { name, size } = this.#file;
    return h('div', { class: 'under' }, h('span', { dir: 'auto' }, name), h('small', null, sizeOf(size)), saveButton(this.#file, blob));
  }

  /** What is going on with it, and what can be done about that. @param {Blob | undefined} blob */
  #state(blob) {
    const { item } = this;
    const { own, transfer = 'done', why } = item;
    if (transfer === 'moving' || transfer === 'waiting') return this.#bar();
    if (transfer === 'offered' && own) return h('div', { class: 'transfer' }, h('span', null, t.files.offering), stopButton(() => this.#drop(), t.files.takeBack));
    if (transfer === 'offered' || transfer === 'skipped') {
      return h('div', { class: 'transfer' }, h('button', { type: 'button', class: 'quiet', onclick: () => void this.#get() }, icon('get'), t.files.get(sizeOf(this.#file.size))));
    }
    if (transfer === 'failed' && !own) {
      return h('div', { class: 'transfer' }, h('span', { class: 'why' }, t.files.failed, why && h('small', null, ` ${told(why)}`)), h('button', { type: 'button', class: 'quiet', onclick: () => void this.#get() }, t.files.again));
    }
    const says = { stopped: own ? t.files.tookBack : t.files.stopped, gone: t.files.gone, failed: t.files.failed, done: '' }[transfer];
    if (item.saved && !blob) return h('div', { class: 'transfer' }, t.files.saved);
    return says ? h('div', { class: 'transfer' }, h('span', { class: 'why' }, says, why && h('small', null, ` ${told(why)}`))) : null;
  }

  /** @param {Blob} blob */
  async #open(blob) {
    if (await openPdf(blob)) return;
    this.querySelector('.no-pdf')?.remove();
    this.append(h('p', { class: 'why no-pdf', role: 'alert' }, t.files.noPdf));
  }

  #bar() {
    const { item } = this;
    const { done, total, rate } = progress.get(item.key) ?? { done: 0, total: this.#file.size, rate: 0 };
    const bar = h('progress', { max: 1, value: total && done ? done / total : null, 'aria-label': item.own ? t.files.sending : t.files.fetching });
    if (done) bar.value = done / total;
    const says = h('span', { class: 'far' }, this.#far(done, total, rate));
    return h('div', { class: 'transfer', data: { moving: true } }, bar, says, stopButton(() => this.#drop(), item.own ? t.files.takeBack : t.files.stop));
  }

  /** @param {number} done @param {number} total @param {number} rate */
  #far(done, total, rate) {
    if (!done) return this.item.own ? t.files.waitsOwn : t.files.waits;
    return t.files.far(sizeOf(Math.min(done, this.#file.size)), sizeOf(Math.min(total, this.#file.size)), rate > 1 ? `${sizeOf(rate)}/s` : '');
  }

  /** @param {{key: string, done: number, total: number, rate: number}} now */
  #progress({ key, done, total, rate }) {
    if (key !== this.item.key) return;
    progress.set(key, { done, total, rate });
    const bar = this.querySelector('progress');
    const far = this.querySelector('.far');
    if (bar) bar.value = done / total;
    if (far) fill(far, this.#far(done, total, rate));
  }

  async #get() {
    const { name, size, type } = this.#file;
    /** @type {FileSystemFileHandle | undefined} */
    let handle;
    // What the page can show stays in the page; anything else goes straight to its place.
    const picker = /** @type {any} */ (globalThis).showSaveFilePicker;
    if (picker && size > ASK && !LOOKS[type]) {
      try {
        handle = await picker({ suggestedName: name });
      } catch (error) {
        if (error instanceof DOMException && error.name === 'AbortError') return; // thought better of it
        console.debug('snug: no place was chosen, so the page keeps the file', error);
      }
    }
    progress.delete(this.item.key);
    await tried(this.session.getFile(this.item.key, handle));
  }

  #drop() {
    void tried(this.session.dropFile(this.item.key));
  }
}

/** @param {() => void} stop @param {string} name */
const stopButton = (stop, name) => iconButton('close', name, { class: 'round stop', onclick: stop });

/** @param {Promise<void>} work */
const tried = (work) => work.catch((error) => console.warn('snug:', error));

/** @param {string} thumb base64url, which img does not read */
const small = (thumb) => `data:image/jpeg;base64,${thumb.replace(/-/g, '+').replace(/_/g, '/')}`;

/** @param {import('../room/descriptor.js').Picture} file @param {Blob} blob */
const saveButton = (file, blob) => iconButton('get', t.files.save(file.name), { onclick: () => save(file, blob) });

/** Hands the file to the browser's downloads, never as something to be shown. @param {import('../room/descriptor.js').Picture} file @param {Blob} blob */
function save({ name }, blob) {
  const url = URL.createObjectURL(blob.slice(0, blob.size, 'application/octet-stream'));
  const link = h('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // by then the browser has begun to read it
}

/** A PDF goes to the browser's own viewer, in a tab of its own. False if it is none. @param {Blob} blob */
async function openPdf(blob) {
  const tab = window.open('', '_blank'); // now, while the finger is on the button
  if ((await blob.slice(0, 5).text()) !== '%PDF-') return tab?.close() ?? false;
  if (!tab) return true; // the browser has said that it opens no tabs here
  const url = URL.createObjectURL(blob.slice(0, blob.size, 'application/pdf'));
  tab.opener = null;
  tab.location.replace(url);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return true;
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** @param {number} bytes */
export function sizeOf(bytes) {
  let unit = 0;
  let n = bytes;
  while (n >= 999.5 && unit < units.length - 1) (n /= 1000), unit++;
  return `${n.toLocaleString(document.documentElement.lang, { maximumFractionDigits: n < 10 && unit > 1 ? 1 : 0 })} ${units[unit]}`;
}

/** @param {string} name */
const endOf = (name) => (/\.([\p{L}\p{N}]{1,5})$/u.exec(name)?.[1] ?? '').toUpperCase();

/** All pictures of the room, one at a time and as large as the screen. @param {Session} session @param {string} key */
function lightbox(session, key) {
  const pictures = session.items.filter((item) => item.file && LOOKS[item.file.type] === 'picture' && session.fileOf(item.key));
  let at = Math.max(0, pictures.findIndex((item) => item.key === key));
  let url = '';
  const frame = h('div', { class: 'frame', onclick: () => dialog.close() });
  const title = h('b', { dir: 'auto' });
  const actions = h('span', { class: 'row' });
  const before = iconButton('back', t.files.before, { onclick: () => turn(-1) });
  const after = iconButton('next', t.files.after, { onclick: () => turn(1) });
  const dialog = h('dialog', { class: 'lightbox', 'aria-label': t.files.pictures },
    h('header', null, title, actions, iconButton('close', t.close, { onclick: () => dialog.close() })), frame, h('nav', null, before, after));
  const draw = () => {
    const { file, key: now } = pictures[at];
    const blob = session.fileOf(now);
    if (!file || !blob) return dialog.close();
    URL.revokeObjectURL(url);
    url = URL.createObjectURL(blob.slice(0, blob.size, file.type));
    fill(frame, h('img', { src: url, alt: file.name, onclick: (/** @type {Event} */ event) => event.stopPropagation() }));
    fill(title, file.name);
    fill(actions, saveButton(file, blob));
    before.disabled = at === 0;
    after.disabled = at === pictures.length - 1;
  };
  /** @param {number} by */
  const turn = (by) => {
    if (!pictures[at + by]) return;
    at += by;
    draw();
  };
  dialog.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowLeft') turn(-1);
    if (event.key === 'ArrowRight') turn(1);
  });
  // What is taken back, or vanishes, is not looked at any longer.
  const closed = new AbortController();
  const look = () => session.fileOf(pictures[at].key) || dialog.close();
  for (const name of ['update', 'gone']) session.addEventListener(name, look, { signal: closed.signal });
  dialog.addEventListener('close', () => {
    closed.abort();
    URL.revokeObjectURL(url);
    dialog.remove();
  });
  document.body.append(dialog);
  draw();
  dialog.showModal();
}

customElements.define('snug-file', FileView);
