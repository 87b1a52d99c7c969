// @ts-check
/**
 * A room is one member in all tabs of a browser, so one tab leads: it holds a lock in the room's name.
 */

/** Rooms this page holds, with what lets go of each. @type {Map<string, () => void>} */
const held = new Map();

/**
 * Takes the room for this page. False if another tab has it.
 * @param {string} roomId
 * @returns {Promise<boolean>}
 */
export function claim(roomId) {
  return locked(roomId, { ifAvailable: true });
}

/**
 * Waits until this page has the room. Rejects with the signal's reason.
 * @param {string} roomId
 * @param {AbortSignal} signal
 */
export async function inherit(roomId, signal) {
  await locked(roomId, { signal });
}

/** @param {string} roomId @param {LockOptions} options @returns {Promise<boolean>} */
function locked(roomId, options) {
  if (!globalThis.navigator?.locks) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    const hold = (/** @type {Lock | null} */ lock) => {
      resolve(lock !== null);
      return lock && new Promise((free) => held.set(roomId, () => free(undefined)));
    };
    navigator.locks.request(`snug ${roomId}`, options, hold).catch(reject);
  });
}

/** Lets another tab have it. @param {string} roomId */
export function release(roomId) {
  held.get(roomId)?.();
  held.delete(roomId);
}
