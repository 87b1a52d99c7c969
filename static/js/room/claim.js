// @ts-check
/**
 * A room kept on this device is one member, so one tab of the browser has it at a time.
 */

/** Rooms this page holds, with what lets go of each. @type {Map<string, () => void>} */
const held = new Map();

const PATIENCE = 1000; // ms: a page that is being closed, or left a moment ago, lets go within that

/**
 * Takes the room for this page. False if another tab has it.
 * @param {string} roomId
 * @returns {Promise<boolean>}
 */
export function claim(roomId) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve, reject) => {
    const hold = () => {
      resolve(true);
      return new Promise((free) => held.set(roomId, () => free(undefined)));
    };
    const late = (/** @type {Error} */ error) => (error.name === 'TimeoutError' ? resolve(false) : reject(error));
    navigator.locks.request(`snug ${roomId}`, { signal: AbortSignal.timeout(PATIENCE) }, hold).catch(late);
  });
}

/** Lets another tab have it. @param {string} roomId */
export function release(roomId) {
  held.get(roomId)?.();
  held.delete(roomId);
}
