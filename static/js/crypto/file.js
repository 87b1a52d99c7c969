// @ts-check
/**
 * Sealed files: Tink's AES256_GCM_HKDF streaming format over WebCrypto (docs/PROTOCOL.md, "Files"). The sealer makes any stretch of the sealed
 * file from its Blob, so that a transfer can go on anywhere; the opener takes the sealed file in order and gives out whole segments that were proved.
 * Both hold a few segments and never the file.
 */
import { concat, equal, random, utf8 } from '../lib/bytes.js';
import { aesKey, hkdf, subtle } from './suite.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {{size: number, segment: number}} Lengths size: bytes of the file; segment: bytes of a sealed segment */

export const SEGMENT = 7 << 17; // as much as a piece: browsers map memory anew for each buffer of 1 MiB (docs/PERFORMANCE.md, "Files")
export const MAX_SEGMENT = 1 << 20; // its tag is nothing, and a phone holds a few of them
export const MAX_FILE = 2 ** 40;
const TAG = 16;
const HEADER = 40; // its own length, salt(32), prefix(7)
const LEAST = HEADER + TAG + 1; // the first segment must hold a byte
const AAD = utf8('snug/1 file');
const AHEAD = 4; // segments kept sealed: what is under way, and the one that a piece begins in

/** What is not the file that its descriptor promises: cut short, altered, or of another key. */
export class Damaged extends Error {
  /** @override */
  name = 'Damaged';

  constructor() {
    super('It was damaged on its way.');
  }
}

/** The file on this device is another one than when it was sent: sealed again it would give away what both hold. */
export class FileChanged extends Error {
  /** @override */
  name = 'FileChanged';

  constructor() {
    super('The file on this device was changed, moved or deleted.');
  }
}

/** Where everything lies in a file and in its sealed form. Throws RangeError for lengths that no file has. */
export class Shape {
  /** @param {Lengths} lengths */
  constructor({ size, segment }) {
    const body = segment - TAG;
    this.size = size;
    this.segment = segment;
    this.segments = Math.max(1, Math.ceil((size + HEADER) / body));
    const whole = Number.isSafeInteger(size) && Number.isInteger(segment);
    if (!whole || size < 0 || size > MAX_FILE || segment < LEAST || segment > MAX_SEGMENT || this.segments > 2 ** 32) {
      throw new RangeError('no file has this size or is cut like this');
    }
    /** Length of the sealed file. */
    this.sealed = HEADER + size + TAG * this.segments;
  }

  /** Where segment i lies in the file. @param {number} i */
  plain(i) {
    const body = this.segment - TAG;
    return { from: Math.max(0, i * body - HEADER), to: Math.min((i + 1) * body - HEADER, this.size) };
  }

  /** Where segment i lies in the sealed file. @param {number} i */
  at(i) {
    const { from, to } = this.plain(i);
    return { from: Math.max(HEADER, i * this.segment), length: to - from + TAG };
  }
}

/** @param {Bytes} key @param {Bytes} header @param {Shape} shape */
async function cipherOf(key, header, shape) {
  if (header.length !== HEADER || header[0] !== HEADER) throw new Damaged();
  const aes = await aesKey(await hkdf(key, header.slice(1, 33), AAD, 32));
  /** @param {number} i */
  const at = (i) => {
    const iv = new Uint8Array(12);
    iv.set(header.subarray(33));
    new DataView(iv.buffer).setUint32(7, i);
    iv[11] = i === shape.segments - 1 ? 1 : 0;
    return { name: 'AES-GCM', iv };
  };
  return {
    seal: async (/** @type {number} */ i, /** @type {Bytes} */ plain) => new Uint8Array(await subtle().encrypt(at(i), aes, plain)),
    open: async (/** @type {number} */ i, /** @type {Bytes} */ sealed) => new Uint8Array(await subtle().decrypt(at(i), aes, sealed)),
  };
}

/**
 * What makes the sealed file the same again: for another tab to go on with it. Secrets.
 * @typedef {{key: Bytes, header: Bytes, tags: Map<number, Bytes>}} Sealing
 */

/** Reads stretches of a Blob one after the other. One stream serves those that follow each other: to begin one costs as much as to read a stretch. */
class Stretches {
  #blob;
  #reader = /** @type {ReadableStreamDefaultReader<Bytes> | null} */ (null);
  #at = 0;
  #rest = new Uint8Array(); // of what the reader gave
  #turn = /** @type {Promise<unknown>} */ (Promise.resolve());

  /** @param {Blob} blob */
  constructor(blob) {
    this.#blob = blob;
  }

  /** Gives fewer bytes where the Blob ends. @param {number} from @param {number} to @returns {Promise<Bytes>} */
  read(from, to) {
    const stretch = this.#turn.then(() => this.#read(from, to));
    this.#turn = stretch.catch(() => this.#close());
    return stretch;
  }

  /** @param {number} from @param {number} to */
  async #read(from, to) {
    if (!this.#reader || this.#at !== from) {
      this.#close();
      this.#reader = this.#blob.slice(from).stream().getReader();
    }
    const stretch = new Uint8Array(to - from);
    let length = 0;
    while (length < stretch.length) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, stretch.length - length);
      stretch.set(part, length);
      length += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    this.#at = from + length;
    if (this.#at >= this.#blob.size) this.#close();
    return stretch.subarray(0, length);
  }

  /** Lets go of the stream once what was asked for is read; the next stretch begins another. */
  release() {
    this.#turn = this.#turn.then(() => this.#close());
  }

  #close() {
    void this.#reader?.cancel().catch(() => undefined); // it failed already, which its read has said
    this.#reader = null;
    this.#rest = new Uint8Array();
  }
}

/** A file as it goes out. Safe for concurrent use. */
export class FileSealer {
  #plain;
  #cipher;
  #sealed = /** @type {Map<number, Promise<Bytes>>} */ (new Map());

  /**
   * Draws the keys of a file, or takes those that it was sealed with before.
   * @param {Blob} blob
   * @param {Partial<Sealing> & {segment?: number}} [options]
   */
  static async create(blob, { segment = SEGMENT, key = random(32), header = concat(Uint8Array.of(HEADER), random(39)), tags = new Map() } = {}) {
    const shape = new Shape({ size: blob.size, segment });
    return new FileSealer(blob, shape, { key, header, tags }, await cipherOf(key, header, shape));
  }

  /** Use create. @param {Blob} blob @param {Shape} shape @param {Sealing} sealing @param {Awaited<ReturnType<typeof cipherOf>>} cipher */
  constructor(blob, shape, sealing, cipher) {
    this.#plain = new Stretches(blob);
    this.shape = shape;
    this.sealing = sealing;
    this.#cipher = cipher;
  }

  /**
   * A stretch of the sealed file. Rejects with FileChanged if the file is not there any more as it was.
   * @param {number} from
   * @param {number} to
   * @returns {Promise<Bytes>}
   */
  async read(from, to) {
    const end = Math.min(to, this.shape.sealed);
    const parts = [];
    for (let at = from; at < end; ) {
      if (at < HEADER) {
        parts.push(this.sealing.header.subarray(at, end));
        at = Math.min(HEADER, end);
        continue;
      }
      const i = Math.min(Math.floor(at / this.shape.segment), this.shape.segments - 1);
      const begin = this.shape.at(i).from;
      const segment = await this.#segment(i);
      parts.push(segment.subarray(at - begin, end - begin));
      at = Math.min(begin + segment.length, end);
    }
    return parts.length === 1 && parts[0].length === parts[0].buffer.byteLength ? /** @type {Bytes} */ (parts[0]) : concat(...parts);
  }

  /** Lets go of the file. It may be read on. */
  release() {
    this.#plain.release();
  }

  /** @param {number} i */
  #segment(i) {
    const had = this.#sealed.get(i);
    if (had) return had;
    const made = this.#seal(i);
    this.#sealed.set(i, made);
    made.catch(() => this.#sealed.delete(i)); // whoever asked has the error
    if (this.#sealed.size > AHEAD) this.#sealed.delete(/** @type {number} */ (this.#sealed.keys().next().value));
    return made;
  }

  /** @param {number} i */
  async #seal(i) {
    const { from, to } = this.shape.plain(i);
    const plain = await this.#plain.read(from, to).catch(() => null); // moved, deleted or written to meanwhile
    if (plain?.length !== to - from) throw new FileChanged();
    const sealed = await this.#cipher.seal(i, plain);
    const tag = sealed.slice(-TAG);
    const before = this.sealing.tags.get(i);
    if (before && !equal(before, tag)) throw new FileChanged();
    this.sealing.tags.set(i, tag);
    return sealed;
  }
}

/** Opens a sealed file that comes in order, in pieces of any size. */
export class FileOpener {
  #key;
  #cipher = /** @type {ReturnType<typeof cipherOf> | null} */ (null);
  #held = /** @type {Bytes[]} */ ([]);
  #length = 0; // of what is held
  #next = 0;

  /** How much of the sealed file was taken. */
  taken = 0;

  /** @param {Lengths & {key: Bytes}} file */
  constructor({ key, ...lengths }) {
    this.#key = key;
    this.shape = new Shape(lengths);
  }

  /** Whether all of it was taken. */
  get whole() {
    return this.#cipher !== null && this.#next === this.shape.segments;
  }

  /**
   * Takes what comes next and gives the segments that it completes, opened. May be called again before the promise settles. Rejects with
   * Damaged, and then the file is lost.
   * @param {Bytes} bytes
   * @returns {Promise<Bytes[]>}
   */
  async push(bytes) {
    const opened = [];
    for (let at = 0; at < bytes.length; ) {
      if (this.whole) {
        opened.push(Promise.reject(new Damaged()));
        break;
      }
      const want = this.#cipher ? this.shape.at(this.#next).length : HEADER;
      const part = bytes.subarray(at, at + want - this.#length);
      this.#held.push(part);
      this.#length += part.length;
      this.taken += part.length;
      at += part.length;
      if (this.#length < want) break;
      const whole = this.#held.length === 1 ? this.#held[0] : concat(...this.#held);
      this.#held = [];
      this.#length = 0;
      if (this.#cipher) opened.push(this.#open(this.#cipher, this.#next++, whole));
      else this.#cipher = cipherOf(this.#key, whole.slice(), this.shape);
    }
    const results = await Promise.allSettled(opened);
    await this.#cipher; // of a damaged header
    for (const { status } of results) if (status === 'rejected') throw new Damaged();
    return results.map((result) => /** @type {PromiseFulfilledResult<Bytes>} */ (result).value);
  }

  /** @param {ReturnType<typeof cipherOf>} cipher @param {number} i @param {Bytes} sealed */
  async #open(cipher, i, sealed) {
    return (await cipher).open(i, sealed);
  }
}
