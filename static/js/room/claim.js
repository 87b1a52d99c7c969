// @ts-check
/**
 * A room kept on this device is one member, so one tab of the browser has it at a time.
 */

/** Rooms this page holds, with what lets go of each. @type {Map<string, () => void>} */
const held = new Map();

/**
 * Takes the room for this page. False if another tab has it.
 * @param {string} roomId
 * @returns {Promise<boolean>}
 */
export function claim(roomId) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    const hold = (/** @type {Lock | null} */ lock) => {
      resolve(lock !== null);
      return lock && new Promise((free) => held.set(roomId, () => free(undefined)));
    };
    navigator.locks.request(`snug ${roomId}`, { ifAvailable: true }, hold).catch(reject);
  });
}

/** Lets another tab have it. @param {string} roomId */
export function release(roomId) {
  held.get(roomId)?.();
  held.delete(roomId);
}
