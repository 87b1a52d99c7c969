// @ts-check
/**
 * Rooms kept on this device, by choice only. Each record is sealed with AES-256-GCM under a key that no script can read out, kept in the
 * same IndexedDB. That keeps secrets out of dumps of the store, no more: Chromium writes the bytes of such a key into the profile, so whoever
 * can copy its files, or use this browser as you, has the rooms (docs/THREAT-MODEL.md). The disk's own encryption is what protects them.
 */
import { newDeviceKey, unwrap, wrap } from '../crypto/keep.js';

/**
 * @typedef {object} Kept what it takes to come back as the same member
 * @property {string} roomId
 * @property {Uint8Array} root
 * @property {Uint8Array} secret
 * @property {'link' | 'passphrase'} kind
 * @property {string | null} name
 * @property {string} alias
 * @property {object} group of Group.export()
 * @property {string | null} cursor
 * @property {{id: string, card: string}[]} [cards] of the others, for a relay that has forgotten them
 * @property {import('./connection.js').OutboxState} outbox
 * @property {[string, string][]} [verified] members whose fingerprint was compared, and the key that it is of
 * @property {import('./lock.js').Kept} [gate] of a room that was locked
 * @property {number | null} [timer] of the room, in seconds
 * @property {boolean} [timerIsOwn] this member set it
 * @property {{keys: string[], late: string[]}} [crossing] what was said before a move, and who has not followed it yet
 */

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @returns {Promise<IDBDatabase>} */
function database() {
  const request = indexedDB.open('snug', 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('keys');
    request.result.createObjectStore('rooms');
  };
  return done(request);
}

/**
 * Runs one transaction and resolves when it is on disk.
 * @template T
 * @param {'keys' | 'rooms'} store
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} work
 * @returns {Promise<T>}
 */
async function transact(store, mode, work) {
  const db = await database();
  try {
    const transaction = db.transaction(store, mode, { durability: 'strict' });
    const result = done(work(transaction.objectStore(store)));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new Error('The browser refused to keep this room: its storage is full or switched off.'));
    });
    return await result;
  } finally {
    db.close();
  }
}

/** @returns {Promise<CryptoKey>} */
async function wrappingKey() {
  const kept = await transact('keys', 'readonly', (store) => store.get('wrap'));
  if (kept) return kept;
  const made = await newDeviceKey();
  // add, not put: when two tabs make one at the same time, the first stays.
  try {
    await transact('keys', 'readwrite', (store) => store.add(made, 'wrap'));
    return made;
  } catch (error) {
    const theirs = await transact('keys', 'readonly', (store) => store.get('wrap'));
    if (theirs) return theirs;
    throw error;
  }
}

/**
 * Writes the record; when this resolves it will survive the browser's end.
 * @param {Kept} kept
 */
export async function keep(kept) {
  const sealed = await wrap(await wrappingKey(), kept.roomId, kept);
  await transact('rooms', 'readwrite', (store) => store.put(sealed, kept.roomId));
}

/**
 * @param {string} roomId
 * @returns {Promise<Kept | null>} null if the room is not kept here, or its record cannot be opened any more
 */
export async function kept(roomId) {
  const record = await transact('rooms', 'readonly', (store) => store.get(roomId));
  if (!record) return null;
  try {
    return /** @type {Kept} */ (await unwrap(await wrappingKey(), roomId, record));
  } catch (error) {
    console.warn('snug: a room kept on this device could not be opened and is forgotten', error);
    await forget(roomId);
    return null;
  }
}

/** Removes the room from this device. @param {string} roomId */
export async function forget(roomId) {
  await transact('rooms', 'readwrite', (store) => store.delete(roomId));
}

/**
 * The rooms kept on this device.
 * @returns {Promise<Kept[]>}
 */
export async function keptRooms() {
  const ids = await transact('rooms', 'readonly', (store) => store.getAllKeys());
  const records = await Promise.all(ids.map((id) => kept(String(id))));
  return records.filter((record) => record !== null);
}
