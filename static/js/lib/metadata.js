// @ts-check
/**
 * Takes out of a picture what it tells besides what it shows: place, time, camera, names, comments, thumbnails of what was cropped. JPEG, PNG and WebP,
 * byte by byte and without loss: the picture's own data is copied as it is. Which way up it goes is kept, and so are its colours.
 */
import { concat, utf8 } from './bytes.js';

/** @typedef {import('./bytes.js').Bytes} Bytes */

/** Types that strip understands. */
export const STRIPPED = new Set(['image/jpeg', 'image/png', 'image/webp']);

/**
 * The picture without metadata. Throws RangeError for what is not a whole picture of its type.
 * @param {Bytes} bytes @param {string} type
 * @returns {Bytes}
 */
export function strip(bytes, type) {
  if (type === 'image/jpeg') return jpeg(bytes);
  if (type === 'image/png') return png(bytes);
  if (type === 'image/webp') return webp(bytes);
  throw new RangeError(`no picture of a known type: ${type}`);
}

const broken = () => new RangeError('this picture is damaged');

/** @param {Bytes} bytes @param {number} at @param {string} text */
const says = (bytes, at, text) => [...text].every((c, i) => bytes[at + i] === c.charCodeAt(0));

/** @param {Bytes} bytes */
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Which way up, 1 to 8, as an Exif block says; 1 if it does not.
 * @param {Bytes} tiff
 */
export function orientationOf(tiff) {
  const view = viewOf(tiff);
  const little = says(tiff, 0, 'II*\0');
  if (tiff.length < 10 || !(little || says(tiff, 0, 'MM\0*'))) return 1;
  const ifd = view.getUint32(4, little);
  if (ifd + 2 > tiff.length) return 1;
  const count = view.getUint16(ifd, little);
  for (let i = 0; i < count; i++) {
    const at = ifd + 2 + 12 * i;
    if (at + 12 > tiff.length) return 1;
    if (view.getUint16(at, little) !== 0x0112) continue;
    const value = view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** An Exif block that says which way up, and nothing else. @param {number} orientation */
const upright = (orientation) => Uint8Array.of(0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0);

const EXIF = 'Exif\0\0';

/** @param {Bytes} bytes */
function jpeg(bytes) {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw broken();
  const view = viewOf(bytes);
  const kept = [];
  let orientation = 1;
  let at = 2;
  for (;;) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++; // fill bytes
    if (at + 2 > bytes.length || bytes[at] !== 0xff) throw broken();
    const marker = bytes[at + 1];
    if (marker === 0xd9) break; // what lies behind the end is no picture
    const end = at + 2 + (at + 4 <= bytes.length ? view.getUint16(at + 2) : NaN);
    if (!(end <= bytes.length) || end < at + 4) throw broken();
    if (marker === 0xe1 && says(bytes, at + 4, EXIF)) orientation = orientationOf(bytes.slice(at + 10, end));
    const next = marker === 0xda ? scanEnd(bytes, end) : end;
    if (isPicture(bytes, at, marker)) kept.push(bytes.subarray(at, next));
    at = next;
  }
  const block = concat(utf8(EXIF), upright(orientation));
  const turn = orientation === 1 ? [] : [Uint8Array.of(0xff, 0xe1, 0, block.length + 2), block];
  const jfif = kept[0]?.[1] === 0xe0 ? kept.splice(0, 1) : []; // it comes first
  return concat(Uint8Array.of(0xff, 0xd8), ...jfif, ...turn, ...kept, Uint8Array.of(0xff, 0xd9));
}

/** Whether a segment is needed to show the picture as it was. @param {Bytes} bytes @param {number} at @param {number} marker */
function isPicture(bytes, at, marker) {
  if (marker === 0xe0) return says(bytes, at + 4, 'JFIF\0');
  if (marker === 0xe2) return says(bytes, at + 4, 'ICC_PROFILE\0');
  if (marker === 0xee) return says(bytes, at + 4, 'Adobe');
  return !(marker >= 0xe0 && marker <= 0xef) && marker !== 0xfe;
}

/** Where the coded data of a scan ends: at a marker that is no restart. @param {Bytes} bytes @param {number} from */
function scanEnd(bytes, from) {
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1];
    if (marker !== 0 && marker !== 0xff && (marker < 0xd0 || marker > 0xd7)) return at;
  }
  throw broken();
}

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
const PNG_KEPT = new Set('IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD pHYs hIST acTL fcTL fdAT'.split(' '));

/** @param {Bytes} bytes */
function png(bytes) {
  if (!PNG.every((byte, i) => bytes[i] === byte)) throw broken();
  const view = viewOf(bytes);
  /** @type {Uint8Array[]} */
  const kept = [PNG];
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) throw broken();
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 12 + length;
    if (end > bytes.length) throw broken();
    if (PNG_KEPT.has(name)) kept.push(bytes.subarray(at, end));
    if (name === 'eXIf') kept.push(...turned(orientationOf(bytes.slice(at + 8, at + 8 + length))));
    if (name === 'IEND') return concat(...kept);
    at = end;
  }
}

/** @param {number} orientation */
function turned(orientation) {
  if (orientation === 1) return [];
  const body = concat(utf8('eXIf'), upright(orientation));
  const ends = new Uint8Array(8);
  viewOf(ends).setUint32(0, body.length - 4);
  viewOf(ends).setUint32(4, crc32(body));
  return [ends.subarray(0, 4), body, ends.subarray(4)];
}

/** @param {Bytes} bytes */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const WEBP_KEPT = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'ICCP']);

/** @param {Bytes} bytes */
function webp(bytes) {
  if (!says(bytes, 0, 'RIFF') || !says(bytes, 8, 'WEBP')) throw broken();
  const view = viewOf(bytes);
  const whole = 8 + view.getUint32(4, true);
  if (whole > bytes.length) throw broken();
  /** @type {Uint8Array[]} */
  const kept = [];
  let orientation = 1;
  /** @type {Bytes | null} */
  let flags = null;
  for (let at = 12; at < whole; ) {
    if (at + 8 > whole) throw broken();
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    const end = at + 8 + length + (length & 1);
    if (at + 8 + length > whole) throw broken();
    const chunk = bytes.slice(at, Math.min(end, whole));
    if (name === 'VP8X') flags = chunk;
    if (name === 'EXIF') orientation = orientationOf(says(chunk, 8, EXIF) ? chunk.slice(14) : chunk.slice(8));
    if (WEBP_KEPT.has(name)) kept.push(chunk);
    at = end;
  }
  if (flags) flags[8] = (flags[8] & ~0x0c) | (orientation === 1 ? 0 : 0x08); // neither Exif nor XMP, but for the one
  if (flags && orientation !== 1) kept.push(utf8('EXIF'), Uint8Array.of(26, 0, 0, 0), upright(orientation));
  const body = concat(utf8('WEBP'), ...kept);
  const head = new Uint8Array(8);
  head.set(utf8('RIFF'));
  viewOf(head).setUint32(4, body.length, true);
  return concat(head, body);
}
