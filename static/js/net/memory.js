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

const NARROW = 'snug narrow';
const NARROW_FOR = 3_600_000; // ms; then it is tried again, which costs four seconds

/** Whether the network was found to let so few requests go on at a time that this browser's rooms must do with one. */
export const narrow = {
  get on() {
    try {
      return Number(globalThis.localStorage?.getItem(NARROW)) > Date.now();
    } catch {
      return false; // switched off: it is found out anew
    }
  },
  begin() {
    try {
      globalThis.localStorage?.setItem(NARROW, String(Date.now() + NARROW_FOR));
    } catch (error) {
      console.debug('snug: the narrow network is not remembered', error);
    }
  },
};
