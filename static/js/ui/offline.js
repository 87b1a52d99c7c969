// @ts-check
/** What an installed app has more than a page: it opens without a network, takes what other apps share, and says when there is a newer version of itself. */
import { h, iconButton, t } from './parts.js';

const WORKER = '/sw.js';
const ASK = 10 * 60_000; // ms between two questions for a newer version; relays are seldom updated
const LOST = 3000; // ms; the worker answers from memory

/** The browser takes a worker's address only from this policy, and this policy gives only this one (handlers/page.go names it). */
const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('snug-worker', {
  createScriptURL: (/** @type {string} */ url) => {
    if (url !== WORKER) throw new TypeError('the page has one worker');
    return url;
  },
});

/**
 * Sets it up. The manifest comes only now: an app that is installed before the worker is there would send what is shared with it to the relay.
 * @param {(room: string) => void} look a notice of this room was clicked
 */
export async function install(look) {
  if (!('serviceWorker' in navigator)) return;
  await navigator.serviceWorker.register(policy?.createScriptURL(WORKER) ?? WORKER, { updateViaCache: 'none' });
  navigator.serviceWorker.addEventListener('message', ({ data }) => look(data.room));
  await navigator.serviceWorker.ready;
  document.head.append(h('link', { rel: 'manifest', href: 'manifest.webmanifest' }));
}

/** Asks now and then whether the relay has another page than this one, and offers it once. */
export async function watchVersion() {
  const mine = await version();
  let asked = Date.now();
  document.addEventListener('visibilitychange', async function look() {
    if (document.hidden || Date.now() - asked < ASK) return;
    asked = Date.now();
    const theirs = await version().catch(() => mine); // without a network there is nothing newer
    if (theirs === mine) return;
    document.removeEventListener('visibilitychange', look);
    offer();
  });
}

/** @returns {Promise<string>} */
const version = async () => (await (await fetch('/files.json', { cache: 'no-cache' })).json()).hash;

function offer() {
  const bar = h('div', { class: 'offer', role: 'status' }, h('span', null, t.newer),
    h('button', { type: 'button', class: 'main', onclick: () => location.reload() }, t.reload),
    iconButton('close', t.later, { onclick: () => bar.remove() }));
  document.body.append(bar);
}

/**
 * What another app has shared with this one.
 * @returns {Promise<{title: string, text: string, url: string, files: File[]} | null>} null if it was lost on the way
 */
export function shared() {
  const worker = navigator.serviceWorker?.controller;
  if (!worker) return Promise.resolve(null);
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    setTimeout(() => resolve(null), LOST);
    worker.postMessage('shared', [port2]);
  });
}
