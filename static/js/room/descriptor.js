// @ts-check
/** What a message may say of a file: everything that comes from others is bounded here before anything is made of it. */
import { unb64u, utf8 } from '../lib/bytes.js';
import { MAX_SEGMENT, Shape } from '../crypto/file.js';

/** @typedef {import('./lanes.js').Put} Put */

/**
 * What everybody may see of a file.
 * @typedef {object} Picture
 * @property {string} name
 * @property {string} type
 * @property {number} size
 * @property {number} [width]
 * @property {number} [height]
 * @property {number} [duration] seconds
 * @property {string} [thumb] base64url of a small picture
 */

/** @typedef {Picture & {key: string, segment: number}} Descriptor with the key that opens it */

const NAME = 255; // bytes that file systems take
const THUMB = 17_000; // characters: 12 KiB as base64url, and a little

/** @param {unknown} id 16 bytes as base64url */
export const isId = (id) => typeof id === 'string' && /^[\w-]{21}[AQgw]$/.test(id);

/** @param {any} put @returns {put is Put} */
export const isPut = (put) =>
  isId(put?.id) && Number.isSafeInteger(put.from) && put.from >= 0 && Number.isInteger(put.piece) && put.piece >= 1024 && put.piece <= MAX_SEGMENT + 4096;

/** What a message says of a file, bounded; null if there is no such file. @param {any} said @returns {Descriptor | null} */
export function descriptor(said) {
  try {
    const { size, segment, key } = said;
    new Shape({ size, segment });
    if (unb64u(key).length !== 32) return null;
    const positive = (/** @type {unknown} */ n, /** @type {number} */ most) => (typeof n === 'number' && n > 0 && n <= most ? n : undefined);
    const thumb = typeof said.thumb === 'string' && said.thumb.length <= THUMB && /^[\w-]+$/.test(said.thumb) ? said.thumb : undefined;
    const type = typeof said.type === 'string' && /^[\w.+-]{1,80}\/[\w.+-]{1,80}$/.test(said.type) ? said.type.toLowerCase() : 'application/octet-stream';
    return { key, size, segment, name: safeName(said.name), type, width: positive(said.width, 65_535), height: positive(said.height, 65_535), duration: positive(said.duration, 1e7), thumb };
  } catch {
    return null; // whoever made it made it wrong; the item says so
  }
}

/** A name that is only a name: no path, nothing that is not seen, nothing that turns the reading direction. @param {unknown} name */
export function safeName(name) {
  const bare = String(typeof name === 'string' ? name : '').normalize('NFC').replace(/[\p{C}\u2028\u2029]+/gu, '').replace(/[/\\:*?"<>|]/g, '_').replace(/^[.\s]+|[.\s]+$/g, '');
  const length = (/** @type {string} */ text) => utf8(text).length;
  let [stem, end] = [bare, ''];
  const dot = bare.lastIndexOf('.');
  if (dot > 0 && bare.length - dot <= 16) [stem, end] = [bare.slice(0, dot), bare.slice(dot)];
  while (length(stem + end) > NAME) stem = [...stem].slice(0, -1).join('');
  return stem + end || 'file';
}
