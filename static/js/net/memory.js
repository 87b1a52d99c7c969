// @ts-check
// The rung that worked on this origin, remembered for the ladder: a network that holds streams back today does so tomorrow morning.

const KEY = 'snug ladder';

/** @type {import('./transport.js').Store} A browser that stores nothing for us remembers nothing, and the ladder finds out anew. */
export const remembered = {
  load() {
    try {
      return JSON.parse(globalThis.localStorage?.getItem(KEY) ?? 'null');
    } catch {
      return null; // switched off, or not ours: as good as nothing
    }
  },
  save(memory) {
    try {
      globalThis.localStorage?.setItem(KEY, JSON.stringify(memory));
    } catch (error) {
      console.debug('snug: the rung is not remembered', error);
    }
  },
};
