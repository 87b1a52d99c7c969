// @ts-check
/**
 * The service worker: the page opens without a network, and takes what other apps share with it. It touches the files of the page and
 * nothing else; rooms, streams, posts and the network check go past it.
 *
 * Online, every file comes from the relay, so that nobody sees an older page than the relay has. Beside that it keeps one whole set of the files, each
 * compared with its hash in /files.json, and gives from it what the network does not. A set is used when it is complete, never in parts.
 */

/** @typedef {{hash: string, files: Record<string, string>}} Listing names with their SHA-256 in hex, and the hash of them all */

const worker = /** @type {any} */ (globalThis);
const LISTING = '/files.json';
const SETS = 'snug page '; // the name of a set in the browser's cache, with its hash behind
const PAGE = /^\/(?:js\/.+\.js|icons\/.+|[a-z]+\.(?:css|html|webmanifest)|check)?$/;
const DOCUMENTS = /** @type {Record<string, string>} */ ({ '/': '/index.html', '/check': '/check.html' });

worker.addEventListener('install', (/** @type {any} */ event) => {
  // What goes past this worker need not wake it either, nor be handed through it: the browsers that know routes send it straight to the network.
  for (const pathname of ['/r/*', '/poll', '/check/*']) {
    event.addRoutes?.({ condition: { urlPattern: new URLPattern({ pathname, baseURL: worker.location.origin }) }, source: 'network' });
  }
  event.waitUntil(refresh().then(() => worker.skipWaiting()));
});
worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== worker.location.origin) return;
  if (request.method === 'POST' && pathname === '/share') return event.respondWith(take(request));
  if (request.method !== 'GET' || !PAGE.test(pathname)) return;
  event.respondWith(give(request, pathname));
  if (request.mode === 'navigate') event.waitUntil(refresh().catch(() => undefined)); // offline, or something in between: the set we have stays
});

/** From the relay; from the set if the network gives nothing. What is not the relay's, like a page to log in at, is for the reader to see. @param {Request} request @param {string} path */
async function give(request, path) {
  try {
    return await fetch(request);
  } catch (error) {
    const cache = await (set ??= newest());
    const kept = await cache?.match(DOCUMENTS[path] ?? path);
    if (kept) return kept;
    throw error;
  }
}

/** The set in use, once it was looked for. @type {Promise<Cache | null> | null} */
let set = null;

/** The set that is complete: its listing is written last. @returns {Promise<Cache | null>} */
async function newest() {
  for (const name of await caches.keys()) {
    if (!name.startsWith(SETS)) continue;
    const cache = await caches.open(name);
    if (await cache.match(LISTING)) return cache;
  }
  return null;
}

/** @type {Promise<void> | null} */
let refreshing = null;

/** Fetches the relay's set if it is another than ours, and then forgets ours. */
function refresh() {
  refreshing ??= fetchSet().finally(() => (refreshing = null));
  return refreshing;
}

async function fetchSet() {
  const response = await fetch(LISTING, { cache: 'no-cache' });
  /** @type {Listing} */
  const { hash, files } = await response.clone().json();
  const name = SETS + hash;
  const cache = await caches.open(name);
  if (!(await cache.match(LISTING))) {
    // One after the other: some networks allow two connections, and people are talking.
    for (const [file, sum] of Object.entries(files)) await keep(cache, `/${file}`, sum);
    await cache.put(LISTING, response);
  }
  set = Promise.resolve(cache);
  for (const old of await caches.keys()) if (old.startsWith(SETS) && old !== name) await caches.delete(old);
}

/** @param {Cache} cache @param {string} path @param {string} sum */
async function keep(cache, path, sum) {
  if (await cache.match(path)) return; // from a try that was cut off
  const response = await fetch(path, { cache: 'no-cache' });
  const bytes = await response.clone().arrayBuffer();
  const digest = [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (!response.ok || digest !== sum) throw new Error(`${path} is not what the relay says it is`);
  await cache.put(path, response);
}

// What another app shares. It stays in memory until the page asks for it, and never goes to the relay.

/** @type {{title: string, text: string, url: string, files: File[]} | null} */
let shared = null;

/** @param {Request} request */
async function take(request) {
  const form = await request.formData();
  const text = (/** @type {string} */ name) => String(form.get(name) ?? '').trim();
  const files = form.getAll('files').filter((file) => file instanceof File && file.size > 0);
  shared = { title: text('title'), text: text('text'), url: text('url'), files: /** @type {File[]} */ (files) };
  return Response.redirect('/#shared', 303);
}

worker.addEventListener('message', (/** @type {any} */ event) => {
  if (event.data === 'who') event.ports[0].postMessage(event.source.id);
  if (event.data !== 'shared') return;
  event.ports[0].postMessage(shared);
  shared = null;
});

// A notice was clicked: the page that showed it comes to the front, with the room it was about.
worker.addEventListener('notificationclick', (/** @type {any} */ event) => {
  event.notification.close();
  const { page, room } = event.notification.data ?? {};
  event.waitUntil(worker.clients.get(page).then(async (/** @type {any} */ client) => {
    if (!client) return worker.clients.openWindow('/');
    client.postMessage({ room });
    await client.focus();
  }));
});
