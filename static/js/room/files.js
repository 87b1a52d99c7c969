// @ts-check
/**
 * The files of a room: what this member sends and what others offer, message by message (docs/PROTOCOL.md, "Content"). A small file is pushed,
 * a larger one goes out when somebody wants it. What is here is told to the browser's other tabs, so that they show it and the next leader goes on.
 */
import { b64u, unb64u } from '../lib/bytes.js';
import { FileChanged, FileSealer, SEGMENT, Shape } from '../crypto/file.js';
import { descriptor, isId, isPut } from './descriptor.js';
import { Download } from './download.js';
import { insist } from './lanes.js';
import { mannersOf, PUSHED } from './session.js';
import { Upload } from './upload.js';
import { holdPlace, placeFor, wipe } from './places.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./lanes.js').Put} Put */
/** @typedef {import('./session.js').Timeline} Timeline */
/** @typedef {import('./descriptor.js').Picture} Picture */
/** @typedef {import('./descriptor.js').Descriptor} Descriptor */

/**
 * offered: it comes when it is asked for · waiting: for the network or the other side · moving · done · stopped: by its sender · gone: its sender cannot
 * give it any more · skipped: not wanted here · failed
 * @typedef {'offered' | 'waiting' | 'moving' | 'done' | 'stopped' | 'gone' | 'skipped' | 'failed'} Transfer
 */

/**
 * What a person sends.
 * @typedef {{blob: Blob, name: string, type: string, body?: string, re?: string, ttl?: number, width?: number, height?: number, duration?: number, thumb?: string}} Parcel
 */

/**
 * A file as the tabs of this browser know it.
 * @typedef {object} FileRecord
 * @property {string} key of its item
 * @property {boolean} own
 * @property {string} from member id
 * @property {Descriptor} file
 * @property {Transfer} transfer
 * @property {Blob} [blob] the file, once it is here
 * @property {boolean} [saved] it is where the person wanted it, and nowhere else
 * @property {string} [body] of an own one
 * @property {string} [re]
 * @property {number} [ttl]
 * @property {boolean} [forgotten] nothing of it is kept
 * @property {import('../crypto/file.js').Sealing} [sealing] of an own one
 * @property {boolean} [told] the others know of it
 * @property {number} [at] how far an own one is out
 * @property {string[]} [puts] transfers of another's that were followed here, the newest
 */

/**
 * @typedef {object} Host
 * @property {() => string} self
 * @property {() => import('./lanes.js').Line} line
 * @property {() => string} roomId
 * @property {Timeline} timeline
 * @property {(content: {k: string} & Record<string, any>, key: string) => void} send
 * @property {(parcel: {key: string, body?: string, re?: string, ttl?: number}, file: Picture) => void} show an own file in the timeline
 * @property {(id: string) => boolean} here whether a member is in the room, away or not
 * @property {() => number} others how many they are, besides this one
 * @property {(record: FileRecord) => void} share with the other tabs
 * @property {(progress: {key: string, done: number, total: number, rate: number}) => void} progress
 */

const GATHER = 1000; // ms: others who want it, too, share the transfer
const PUTS = 16; // of a file at a time; a sender has one or two
const SAMPLE = 250; // ms between two words of how far it is

export class Files {
  #host;
  /** @type {Map<string, FileRecord>} */ #records = new Map();
  /** @type {Map<string, Upload>} */ #uploads = new Map();
  /** @type {Map<string, Download>} */ #downloads = new Map();
  /** @type {Map<string, FileSealer>} */ #sealers = new Map();
  /** Own files that somebody wants from a place on. @type {Map<string, number>} */ #wanted = new Map();
  #speeds = /** @type {Map<string, {at: number, done: number, rate: number}>} */ (new Map());
  #latest = /** @type {Map<string, Put>} */ (new Map());
  #places = /** @type {Map<string, import('./download.js').Sink>} */ (new Map());
  #untold = /** @type {Map<string, () => void>} */ (new Map());
  #ended = false;
  #folder;
  #free;

  /** @param {Host} host @param {FileRecord[]} [known] by the tab that led before */
  constructor(host, known = []) {
    this.#host = host;
    this.#folder = host.roomId();
    this.#free = holdPlace(this.#folder);
    for (const record of known) this.#records.set(record.key, record);
    for (const record of known) this.#goOn(record);
  }

  /** All that this browser's tabs share. */
  get records() {
    return [...this.#records.values()];
  }

  /** Whether something is on its way here. */
  get fetching() {
    return this.#downloads.size > 0 || this.#latest.size > 0;
  }

  /** @param {string} key */
  record(key) {
    return this.#records.get(key);
  }

  /** Sends a file. Resolves when the others are told of it, or will not be. @param {Parcel} parcel @param {string} key of its item, "MEMBERID CONTENTID" */
  async send({ blob, body, re, ttl, ...picture }, key) {
    if (this.#records.has(key)) return;
    /** @type {FileRecord} */
    const record = { key, own: true, from: this.#host.self(), blob, body, re, ttl, file: { ...picture, size: blob.size, segment: SEGMENT, key: '' }, transfer: 'waiting', told: false, at: 0 };
    this.#records.set(key, record);
    const { key: _, segment: __, ...seen } = record.file;
    this.#host.show({ key, body, re, ttl }, seen);
    await this.#sealer(record);
    this.#change(record, {});
    if (blob.size > PUSHED) return this.#announce(record);
    const told = new Promise((resolve) => this.#untold.set(key, () => resolve(undefined)));
    await Promise.race([told, this.#upload(record, 0)]); // what is sent next comes after it
  }

  /** Somebody here wants it. @param {string} key @param {FileSystemFileHandle} [handle] where it shall go */
  get(key, handle) {
    const record = this.#records.get(key);
    if (!record || record.own || this.#downloads.has(key) || record.transfer === 'done') return;
    if (!this.#host.here(record.from)) return this.#change(record, { transfer: 'gone' });
    this.#change(record, { transfer: 'waiting' });
    void this.#download(record, handle);
  }

  /** An own file is taken back; another's is not wanted. @param {string} key */
  async drop(key) {
    const record = this.#records.get(key);
    if (!record || record.transfer === 'stopped') return;
    if (record.own) return this.#takeBack(record);
    const puts = this.#letGo(record);
    this.#change(record, { transfer: 'skipped' });
    await this.#skip(puts);
  }

  /** Its item is gone: nothing of it is kept, fetched or served any more. @param {string} key */
  forget(key) {
    const record = this.#records.get(key);
    if (!record) return;
    this.#records.delete(key);
    this.#uploads.get(key)?.stop();
    for (const each of [this.#sealers, this.#wanted, this.#speeds]) each.delete(key);
    void this.#skip(this.#letGo(record));
    void this.#places.get(key)?.abort();
    this.#places.delete(key);
    this.#host.share({ ...record, blob: undefined, forgotten: true });
  }

  /**
   * A message about files. Whether it is from whom it says was proved; nothing else was.
   * @param {{from: string, at: number, alias: string}} head
   * @param {{k: string} & Record<string, any>} content
   */
  hear(head, content) {
    switch (content.k) {
      case 'file': return this.#announced(head, content);
      case 'put': return this.#put(this.#of(head, content), content.put);
      case 'stop': return this.#stopped(this.#of(head, content));
      case 'want': return this.#asked(content);
    }
  }

  /** Somebody left: of their files comes what the relay has, and nothing more. */
  look() {
    for (const [key, download] of this.#downloads) if (!this.#host.here(this.#records.get(key)?.from ?? '')) download.look();
  }

  /** The relay has forgotten everything, or the room is another one: what is under way begins anew where it was. */
  anew() {
    for (const upload of this.#uploads.values()) upload.stop();
    for (const download of this.#downloads.values()) download.forgotten();
    this.#latest.clear();
  }

  /** @param {boolean} handOver another tab goes on */
  async close(handOver) {
    this.#ended = true;
    for (const each of [...this.#uploads.values(), ...this.#downloads.values()]) each.stop();
    if (!handOver) await wipe(this.#folder);
    this.#free();
  }

  /** @param {FileRecord} record @param {Partial<FileRecord>} change @param {string} [why] */
  #change(record, change, why) {
    if (this.#ended) return;
    Object.assign(record, change);
    if (!this.#records.has(record.key)) return;
    this.#host.share(record);
    this.#host.timeline.update(record.key, { transfer: record.transfer, saved: record.saved, ...(why === undefined ? {} : { why }) });
  }

  /** The tab that led is gone; this one has what it told. @param {FileRecord} record */
  #goOn(record) {
    const busy = record.transfer === 'waiting' || record.transfer === 'moving';
    if (record.own && (!record.told || busy)) {
      if (!record.told && record.file.size > PUSHED) this.#announce(record);
      else void this.#upload(record, record.told ? (record.at ?? 0) : 0);
    } else if (!record.own && busy) {
      void this.#skip(record.puts ?? []); // what is left of them would fill the room for nobody
      this.#change(record, { transfer: 'waiting', puts: [] }); // from its beginning: what had come is with the other tab
      void this.#download(record);
    }
  }

  // Out

  /** @param {FileRecord} record */
  async #sealer(record) {
    const had = this.#sealers.get(record.key);
    if (had) return had;
    const sealer = await FileSealer.create(/** @type {Blob} */ (record.blob), record.sealing);
    this.#sealers.set(record.key, sealer);
    record.sealing = sealer.sealing;
    record.file.key = b64u(sealer.sealing.key);
    return sealer;
  }

  /** @param {FileRecord} record @param {Put} [put] */
  #announce(record, put) {
    const { key, body, re, ttl, file } = record;
    record.told = true;
    this.#untold.get(key)?.();
    this.#untold.delete(key);
    this.#host.send({ k: 'file', id: idOf(key), body: body || undefined, re, ttl, file, put }, key);
    if (!put) this.#change(record, { transfer: 'offered' });
  }

  /** @param {FileRecord} record @param {number} from */
  async #upload(record, from) {
    const { key } = record;
    /** @type {Upload | undefined} */
    let upload;
    try {
      const sealer = await this.#sealer(record);
      if (this.#ended || this.#uploads.has(key) || record.transfer === 'stopped') return;
      upload = new Upload({
        line: this.#host.line,
        sealer,
        from,
        yields: () => this.#wanted.has(key),
        told: (name, put) => (name === 'put' ? this.#begun(record, put) : this.#moved(record, upload?.at ?? from, sealer.shape.sealed)),
      });
      this.#uploads.set(key, upload);
      await upload.run();
      if (!record.told) this.#announce(record); // nobody was there to send it to
      this.#change(record, { transfer: 'done' });
    } catch (error) {
      this.#failed(record, error);
    } finally {
      if (this.#uploads.get(key) === upload) this.#uploads.delete(key);
      if (this.#wanted.has(key) && !this.#ended) this.#serve(record);
    }
  }

  /** @param {FileRecord} record @param {Put} put */
  #begun(record, put) {
    if (!record.told) this.#announce(record, put);
    else this.#host.send({ k: 'put', of: record.key, put }, '');
    this.#change(record, { transfer: 'moving' });
  }

  /** @param {FileRecord} record @param {unknown} error */
  #failed(record, error) {
    if (this.#ended || record.transfer === 'stopped') return;
    // The relay was restarted: who lacks the rest asks for it.
    if (error instanceof DOMException && error.name === 'AbortError') return record.told ? this.#change(record, { transfer: 'done' }) : void this.#upload(record, 0);
    const why = error instanceof Error ? error.message : String(error);
    if (!(error instanceof FileChanged)) console.warn('snug: a file was not sent', error);
    if (record.told) this.#host.send({ k: 'stop', of: record.key }, '');
    this.#change(record, { transfer: 'failed' }, why);
    if (!record.told) this.#host.timeline.update(record.key, { state: 'failed', reason: why });
  }

  /** @param {FileRecord} record */
  #takeBack(record) {
    const { told, key } = record;
    this.#change(record, { transfer: 'stopped', blob: undefined, sealing: undefined });
    this.#uploads.get(key)?.stop();
    this.#wanted.delete(key);
    if (told) this.#host.send({ k: 'stop', of: key }, '');
    else this.#host.timeline.update(key, { state: 'failed', reason: '' });
  }

  /** Somebody wants one of our files. @param {Record<string, any>} content */
  #asked({ of, from }) {
    if (typeof of !== 'string' || !of.startsWith(`${this.#host.self()} `)) return;
    const record = this.#records.get(of);
    if (!record?.own || !record.told || record.transfer === 'stopped' || record.transfer === 'failed') {
      // Announced by a page of ours that has ended, and the file with it.
      if (isId(of.split(' ')[1])) this.#host.send({ k: 'stop', of }, '');
      return;
    }
    const { sealed } = new Shape(record.file);
    if (!Number.isSafeInteger(from) || from < 0 || from >= sealed) return;
    const upload = this.#uploads.get(of);
    if (upload && from >= upload.at) return; // it is on its way there
    const first = !this.#wanted.has(of);
    this.#wanted.set(of, Math.min(from, this.#wanted.get(of) ?? from));
    if (first && !upload) setTimeout(() => this.#serve(record), this.#host.others() > 1 ? GATHER : 0);
  }

  /** @param {FileRecord} record */
  #serve(record) {
    const from = this.#wanted.get(record.key);
    if (from === undefined || this.#ended || this.#uploads.has(record.key)) return;
    this.#wanted.delete(record.key);
    void this.#upload(record, from);
  }

  // In

  /** The record that a message of its sender is about. @param {{from: string}} head @param {Record<string, any>} content */
  #of({ from }, { of }) {
    const record = typeof of === 'string' ? this.#records.get(of) : undefined;
    return record && !record.own && record.from === from ? record : undefined;
  }

  /** @param {{from: string, at: number, alias: string}} head @param {Record<string, any>} content */
  #announced({ from, at, alias }, { id, body, re, ttl, file: said, put }) {
    if (!isId(id)) return;
    const key = `${from} ${id}`;
    const file = descriptor(said);
    if (!file) return void this.#host.timeline.add({ key, kind: 'failed', from, alias, at, reason: 'It announces a file that cannot be.' });
    const had = this.#records.get(key);
    if (had && had.file.key === file.key) return this.#put(had, put);
    if (had) void this.#skip(this.#letGo(had)); // announced anew under another key
    const wanted = file.size <= PUSHED && isPut(put) && !saving();
    /** @type {FileRecord} */
    const record = { key, own: false, from, file, transfer: wanted ? 'waiting' : 'offered', puts: wanted ? [put.id] : [] }; // what another tab goes on with, should this one end now
    this.#records.set(key, record);
    const { key: _, segment: __, ...seen } = file;
    const text = typeof body === 'string' ? body.slice(0, 200_000) : undefined;
    this.#host.timeline.add({ key, kind: 'file', from, alias, at, body: text, file: seen, transfer: 'offered', ...mannersOf({ re, ttl }) });
    this.#change(record, {});
    if (wanted) {
      this.#latest.set(key, put);
      void this.#download(record);
    } else this.#put(record, put);
  }

  /** Fetches it no longer. Returns the transfers of it, which nobody here wants now. @param {FileRecord} record */
  #letGo({ key, puts = [] }) {
    const download = this.#downloads.get(key);
    this.#downloads.delete(key);
    this.#latest.delete(key); // the download was only about to begin
    download?.stop();
    return puts;
  }

  /** @param {FileRecord | undefined} record @param {unknown} put */
  #put(record, put) {
    if (!isPut(put)) return;
    const download = record && this.#downloads.get(record.key);
    if (!record || !(download || record.transfer === 'waiting')) return void this.#skip([put.id]);
    this.#change(record, { puts: [...(record.puts ?? []), put.id].slice(-PUTS) });
    if (download) download.begins(put);
    else this.#latest.set(record.key, put);
  }

  /** @param {FileRecord | undefined} record */
  #stopped(record) {
    if (!record || record.transfer === 'done') return;
    const puts = this.#letGo(record);
    this.#change(record, { transfer: 'stopped' });
    void this.#skip(puts);
  }

  /** @param {FileRecord} record @param {FileSystemFileHandle} [handle] */
  async #download(record, handle) {
    const { key, file } = record;
    /** @type {Download | undefined} */
    let download;
    try {
      const place = await placeFor(this.#folder, file, handle);
      if (this.#ended || this.#downloads.has(key) || record.transfer !== 'waiting' || this.#records.get(key) !== record) return void (await place.abort());
      this.#places.set(key, place);
      download = new Download({
        line: this.#host.line,
        file: { size: file.size, segment: file.segment, key: unb64u(file.key) },
        sink: place,
        want: (from) => this.#wants(record, from),
        here: () => this.#host.here(record.from),
        told: (at, sealed) => (record.transfer === 'waiting' && this.#change(record, { transfer: 'moving' }), this.#moved(record, at, sealed)),
      });
      this.#downloads.set(key, download);
      const put = this.#latest.get(key);
      this.#latest.delete(key);
      if (put) download.begins(put);
      const blob = await download.run();
      if (this.#downloads.get(key) === download) this.#change(record, { transfer: 'done', blob, saved: handle !== undefined, puts: [] });
    } catch (error) {
      if (this.#ended || record.transfer === 'skipped' || record.transfer === 'stopped' || record.transfer === 'gone') return;
      console.warn('snug: a file did not come', error);
      this.#change(record, { transfer: 'failed' }, error instanceof Error ? error.message : String(error));
      void this.#skip(record.puts ?? []);
    } finally {
      if (this.#downloads.get(key) === download) this.#downloads.delete(key);
    }
  }

  /** @param {FileRecord} record @param {number} from */
  #wants(record, from) {
    if (this.#host.here(record.from)) return this.#host.send({ k: 'want', of: record.key, from }, '');
    const download = this.#downloads.get(record.key);
    this.#change(record, { transfer: 'gone' });
    download?.stop();
  }

  /** @param {string[]} puts */
  async #skip(puts) {
    if (puts.length === 0 || this.#ended) return;
    const late = AbortSignal.timeout(20_000);
    await insist(this.#host.line, late, (line) => line.tellChunks([], puts, late)).catch((/** @type {unknown} */ error) => console.debug('snug: a transfer is not refused yet', error));
  }

  /** @param {FileRecord} record @param {number} done @param {number} total */
  #moved(record, done, total) {
    const now = performance.now();
    const speed = this.#speeds.get(record.key) ?? { at: now - SAMPLE, done: record.own ? done : 0, rate: 0 };
    const passed = now - speed.at;
    if (passed < SAMPLE && done < total && this.#speeds.has(record.key)) return;
    const rate = Math.max(0, ((done - speed.done) / Math.max(passed, 1)) * 1000);
    this.#speeds.set(record.key, { at: now, done, rate: speed.rate ? speed.rate * 0.7 + rate * 0.3 : rate });
    if (record.own) {
      record.at = done;
      this.#host.share(record);
    }
    this.#host.progress({ key: record.key, done, total, rate: speed.rate || rate });
  }
}

/** @param {string} key */
const idOf = (key) => key.split(' ')[1];

/** Whether this device asks pages to fetch only what is asked for. */
const saving = () => /** @type {any} */ (globalThis.navigator)?.connection?.saveData === true;
