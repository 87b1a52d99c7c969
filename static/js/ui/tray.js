// @ts-check
/**
 * What is about to be sent: the files that were picked, dropped or pasted, above the field where their caption is written. Nothing leaves before
 * somebody says so; pictures lose what they tell besides, if that is left on.
 */
import { b64u } from '../lib/bytes.js';
import { strip, STRIPPED } from '../lib/metadata.js';
import { safeName } from '../room/descriptor.js';
import { PUSHED } from '../room/session.js';
import { lookOf, sizeOf } from './files.js';
import { fill, h, icon, iconButton, t } from './parts.js';

/** @typedef {import('../room/shared.js').SharedSession} Session */
/** @typedef {{file: File, type: string, url: string}} Staged */

const LARGEST = 2 ** 40;
const SIDE = 320; // px of a small picture; a bubble is hardly wider
const THUMB = 12 << 10; // bytes, so that it fits into a message that every proxy takes
const PATIENCE = 4000; // ms that a video may take to show its first picture
const STRIP_MOST = 64 << 20; // bytes of a picture that is read as a whole

/** Types of names, where the browser does not say. @type {Record<string, string>} */
const ENDS = { mkv: 'video/x-matroska', avif: 'image/avif', webp: 'image/webp', ogg: 'audio/ogg', oga: 'audio/ogg', ogv: 'video/ogg', opus: 'audio/ogg', mp3: 'audio/mpeg', flac: 'audio/flac', m4a: 'audio/mp4', webm: 'video/webm', mp4: 'video/mp4', pdf: 'application/pdf', jpg: 'image/jpeg', jpeg: 'image/jpeg', png: 'image/png', gif: 'image/gif' };

export class Tray {
  #session;
  #changed;
  #back;
  /** @type {Staged[]} */ #staged = [];
  #list = h('ul', { class: 'staged' });
  #hint = h('p', { class: 'hint' });
  #strip = h('input', { type: 'checkbox', role: 'switch', checked: true });
  #problem = h('p', { class: 'problem', role: 'alert', hidden: true });
  #switch = h('label', { class: 'check' }, this.#strip, h('span', null, t.files.strip, h('small', null, t.files.stripHint)));

  /**
   * @param {Session} session
   * @param {() => void} changed
   * @param {(caption: string) => void} back a caption whose files could not be sent
   */
  constructor(session, changed, back) {
    this.#session = session;
    this.#changed = changed;
    this.#back = back;
    this.element = h('section', { class: 'tray', 'aria-label': t.files.tray, hidden: true }, this.#list, this.#problem, this.#switch, this.#hint);
  }

  get size() {
    return this.#staged.length;
  }

  /** @param {Iterable<File>} files */
  add(files) {
    this.#problem.hidden = true;
    for (const file of files) {
      if (file.size > LARGEST) {
        fill(this.#problem, icon('warn'), t.files.tooLarge(file.name));
        this.#problem.hidden = false;
        continue;
      }
      const type = typeOf(file);
      this.#staged.push({ file, type, url: lookOf(type) === 'picture' ? URL.createObjectURL(file) : '' });
    }
    this.#draw();
  }

  /** Gives the files away, and forgets them. */
  take() {
    const files = this.#staged.map(({ file }) => file);
    this.clear();
    return files;
  }

  clear() {
    for (const { url } of this.#staged.splice(0)) URL.revokeObjectURL(url);
    this.#draw();
  }

  /** Sends what is here, the caption with the first that can be sent. @param {string} caption @param {string} [re] */
  send(caption, re) {
    const staged = this.#staged.splice(0);
    const stripping = this.#strip.checked;
    let said = /** @type {{body?: string, re?: string}} */ ({ body: caption || undefined, re });
    this.#draw();
    // One after the other: they keep their order, and a phone has one picture in memory.
    const all = staged.reduce(async (before, each) => {
      await before;
      try {
        const parcel = { ...(await prepare(each, stripping)), ...said };
        said = {};
        await this.#session.sendFile(parcel);
      } catch (error) {
        console.warn('snug: a file was not sent', error);
        this.#staged.push({ ...each, url: '' });
        fill(this.#problem, icon('warn'), t.files.unreadable(each.file.name));
        this.#problem.hidden = false;
        this.#draw();
      } finally {
        URL.revokeObjectURL(each.url);
      }
    }, Promise.resolve());
    void all.then(() => said.body && this.#back(said.body));
  }

  #draw() {
    const staged = this.#staged;
    this.element.hidden = staged.length === 0;
    const pictures = staged.some(({ type }) => STRIPPED.has(type));
    const asIs = staged.filter(({ type }) => !STRIPPED.has(type));
    this.#switch.hidden = !pictures;
    fill(this.#list, staged.map((each) => {
      const { file, url } = each;
      const face = url ? h('img', { src: url, alt: '' }) : h('span', { class: 'sort' }, icon('file'));
      const remove = iconButton('close', t.files.remove(file.name), { onclick: () => this.#remove(each) });
      return h('li', null, face, h('span', { class: 'what' }, h('b', { dir: 'auto' }, file.name), h('small', null, sizeOf(file.size))), remove);
    }));
    const large = staged.some(({ file }) => file.size > PUSHED);
    fill(this.#hint, [asIs.length > 0 && t.files.asIs(asIs.length, staged.length), large ? t.files.large(sizeOf(PUSHED)) : t.files.limit(sizeOf(PUSHED))].filter(Boolean).join(' '));
    this.#changed();
  }

  /** @param {Staged} each */
  #remove(each) {
    URL.revokeObjectURL(each.url);
    this.#staged = this.#staged.filter((other) => other !== each);
    this.#draw();
  }
}

/** @param {File} file */
function typeOf({ type, name }) {
  const end = name.split('.').at(-1)?.toLowerCase() ?? '';
  return (type.split(';')[0].trim().toLowerCase() || ENDS[end]) ?? 'application/octet-stream';
}

/** @param {Staged} staged @param {boolean} stripping @returns {Promise<import('../room/files.js').Parcel>} */
async function prepare({ file, type }, stripping) {
  const name = safeName(file.name);
  const look = lookOf(type);
  if (look === 'picture') {
    const blob = stripping ? await stripped(file, type) : file;
    return { blob, name, type, ...(await picture(blob)) };
  }
  if (look === 'video' || look === 'audio') return { blob: file, name, type, ...(await media(file, look)) };
  return { blob: file, name, type };
}

/** @param {File} file @param {string} type @returns {Promise<Blob>} */
async function stripped(file, type) {
  if (!STRIPPED.has(type) || file.size > STRIP_MOST) return file;
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    return new Blob([strip(bytes, type)], { type });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // No picture, or one with damage that a browser may forgive: drawn anew it has nothing but what it shows.
    const drawn = await createImageBitmap(file).catch(() => null);
    if (!drawn) return file; // nobody can look at it either
    const canvas = new OffscreenCanvas(drawn.width, drawn.height);
    canvas.getContext('2d')?.drawImage(drawn, 0, 0);
    return canvas.convertToBlob({ type, quality: 0.92 });
  }
}

/** Its measures as it is looked at, and a small picture of it. @param {Blob} blob */
async function picture(blob) {
  const bitmap = await createImageBitmap(blob).catch(() => null);
  if (!bitmap) return {};
  const { width, height } = bitmap;
  const thumb = await thumbOf(bitmap, width, height);
  bitmap.close();
  return { width, height, thumb };
}

/** @param {CanvasImageSource} source @param {number} width @param {number} height */
async function thumbOf(source, width, height) {
  for (const [side, quality] of [[SIDE, 0.6], [SIDE, 0.35], [160, 0.5], [80, 0.4]]) {
    const scale = Math.min(1, side / Math.max(width, height));
    const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    const context = canvas.getContext('2d');
    if (!context) return undefined;
    context.fillStyle = '#fff'; // a JPEG has no see-through
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    const small = await canvas.convertToBlob({ type: 'image/jpeg', quality });
    if (small.size <= THUMB) return b64u(new Uint8Array(await small.arrayBuffer()));
  }
  return undefined;
}

/** @param {Blob} blob @param {'video' | 'audio'} look */
async function media(blob, look) {
  const url = URL.createObjectURL(blob);
  const player = h(look, { src: url, preload: 'auto', muted: true, playsinline: true });
  const event = (/** @type {string} */ name) => new Promise((resolve, reject) => {
    player.addEventListener(name, resolve, { once: true });
    player.addEventListener('error', reject, { once: true });
    setTimeout(reject, PATIENCE);
  });
  try {
    await event('loadedmetadata');
    const duration = Number.isFinite(player.duration) ? player.duration : undefined;
    if (!(player instanceof HTMLVideoElement) || !player.videoWidth) return { duration };
    const { videoWidth: width, videoHeight: height } = player;
    const seeked = event('seeked');
    player.currentTime = Math.min(1, (duration ?? 0) / 10);
    const thumb = await seeked.then(() => thumbOf(player, width, height), () => undefined);
    return { duration, width, height, thumb };
  } catch {
    return {}; // this browser cannot play it; others may
  } finally {
    player.removeAttribute('src');
    URL.revokeObjectURL(url);
  }
}
