import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import vm from 'node:vm';

const source = await readFile(new URL('../../static/sw.js', import.meta.url), 'utf8');

/** The worker in a world of its own. Gives what it does with a request: 'takes' or 'leaves'. */
function worker() {
  const heard = {};
  const world = { URL, Response, Promise, caches: { keys: async () => [] }, fetch: async () => { throw new TypeError('no network'); } };
  Object.assign(world, { addEventListener: (name, does) => (heard[name] = does), location: { origin: 'https://snug.example' }, clients: {} });
  vm.runInNewContext(source, world);
  return (method, url, mode = 'cors') => {
    let does = 'leaves';
    heard.fetch({ request: { method, url, mode, formData: async () => new FormData() }, respondWith: (answer) => (answer.catch(() => {}), (does = 'takes')), waitUntil: () => {} });
    return does;
  };
}

test('the worker takes the files of the page and what is shared, and leaves all else alone', () => {
  const request = worker();
  const own = 'https://snug.example';
  for (const path of ['/', '/?x=1', '/check', '/js/ui/app.js', '/js/ui/lang/en.js', '/app.css', '/icons/snug.svg', '/manifest.webmanifest']) assert.equal(request('GET', own + path), 'takes', path);
  assert.equal(request('POST', `${own}/share`, 'navigate'), 'takes');
  const room = 'r/AAAAAAAAAAAAAAAAAAAAAAAAAAA';
  for (const path of [`${room}/stream?s=x&after=`, `${room}/members?s=x`, `${room}/chunks/y?s=x`, room, 'check/stream', 'check/echo', 'help', 'healthz', 'readyz', 'metrics', 'openapi.json', 'origin.json', 'files.json', 'sw.js']) {
    assert.equal(request('GET', `${own}/${path}`), 'leaves', path);
    assert.equal(request('POST', `${own}/${path}`), 'leaves', path);
  }
  for (const path of ['/', '/js/ui/app.js', '/poll', `/${room}/join`, `/${room}/messages`]) assert.equal(request('POST', own + path), 'leaves', path);
  assert.equal(request('GET', 'https://elsewhere.example/js/ui/app.js'), 'leaves');
});
