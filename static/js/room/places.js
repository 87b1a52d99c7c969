// @ts-check
/**
 * Where the bytes of a file go as they come: memory for small ones, the disk for large ones, so that a page never holds a large file. What lies on
 * the disk without the person having chosen the place lies in the browser's own storage for this page and is wiped with the room.
 */

/** @typedef {import('./download.js').Sink} Sink */
/** @typedef {import('../lib/bytes.js').Bytes} Bytes */

const IN_MEMORY = 32 << 20; // bytes
const FOLDER = 'snug files';

/**
 * @param {string} roomId
 * @param {{size: number, type: string}} file
 * @param {FileSystemFileHandle} [handle] a place that the person chose
 * @returns {Promise<Sink>}
 */
export async function placeFor(roomId, { size, type }, handle) {
  if (handle) return disk(handle, type);
  if (size <= IN_MEMORY) return memory(type);
  try {
    const folder = await folderOf(roomId);
    return await disk(await folder.getFileHandle(crypto.randomUUID(), { create: true }), type, folder);
  } catch (error) {
    console.debug('snug: no storage for a large file, so it stays in memory', error);
    return memory(type);
  }
}

/** @param {string} type @returns {Sink} */
function memory(type) {
  /** @type {Blob[]} */
  const parts = [];
  return {
    write: (bytes) => void parts.push(new Blob([bytes])), // which browsers may move to the disk
    close: async () => new Blob(parts, { type }),
    abort: async () => void parts.splice(0),
  };
}

/** @param {FileSystemFileHandle} handle @param {string} type @param {FileSystemDirectoryHandle} [folder] of ours, where an unfinished file is removed @returns {Promise<Sink>} */
async function disk(handle, type, folder) {
  const stream = await handle.createWritable();
  return {
    write: (bytes) => stream.write(bytes).catch(explained),
    close: async () => {
      await stream.close().catch(explained);
      const file = await handle.getFile();
      return file.slice(0, file.size, type);
    },
    abort: async () => {
      await stream.abort().catch(() => undefined); // closed already
      await folder?.removeEntry(handle.name).catch(() => undefined); // never written
    },
  };
}

/** Fails with a sentence for people where the browser has none. @param {unknown} error @returns {never} */
function explained(error) {
  if (error instanceof Error && error.name === 'QuotaExceededError') throw new Error('There is no room for it on this device.', { cause: error });
  throw error;
}

/** @param {string} roomId */
const lockOf = (roomId) => `snug files ${roomId}`;

/** Keeps other tabs from taking a room's files for forgotten ones. Returns what lets go. @param {string} roomId */
export function holdPlace(roomId) {
  let free = () => {};
  const held = new Promise((resolve) => (free = () => resolve(undefined)));
  void globalThis.navigator?.locks?.request(lockOf(roomId), () => held);
  return free;
}

/** @param {string} roomId */
async function folderOf(roomId) {
  const all = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
  await sweep(all, roomId);
  return all.getDirectoryHandle(roomId, { create: true });
}

/** Removes what pages left that ended without a word: what no tab holds. @param {any} all @param {string} roomId */
async function sweep(all, roomId) {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  const open = new Set(held.map(({ name }) => name));
  for await (const name of all.keys()) {
    if (name !== roomId && !open.has(lockOf(name))) await all.removeEntry(name, { recursive: true }).catch(() => undefined); // another tab was faster
  }
}

/** Removes what lies on the disk of a room. @param {string} roomId */
export async function wipe(roomId) {
  try {
    const all = await (await globalThis.navigator?.storage?.getDirectory?.())?.getDirectoryHandle(FOLDER);
    await all?.removeEntry(roomId, { recursive: true });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === 'NotFoundError')) console.warn('snug: files of this room may still be in the storage of this browser', error);
  }
}
