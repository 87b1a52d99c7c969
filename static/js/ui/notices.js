// @ts-check
/** Sound and notifications for what comes while nobody looks. Both are asked for on this device; what a notification says is hidden unless the person wants it otherwise. */
import { fill, gist, h, named, problem, t } from './parts.js';

/** @typedef {{sound?: boolean, show?: boolean, open?: boolean}} Wishes open: with name and text */
/** @typedef {import('./room.js').Room} Room */

const KEPT = 'snug.notices'; // app.js looks for it, to fetch this module only for whoever wants it
const PAUSE = 3000; // ms between two sounds, however much is said
const LONGEST = 200; // characters of a message in a notification

/** @returns {Wishes} */
function wishes() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? '{}');
  } catch {
    return {}; // storage is switched off, or holds something else
  }
}

/** @param {Wishes} now */
function keep(now) {
  try {
    if (now.sound || now.show) localStorage.setItem(KEPT, JSON.stringify(now));
    else localStorage.removeItem(KEPT);
  } catch {
    // They are forgotten with the page.
  }
}

/** @param {Room} room @param {import('../room/session.js').Item} item */
export async function notify(room, item) {
  const { sound, show, open } = wishes();
  if (sound) play();
  if (!show || !document.hidden || globalThis.Notification?.permission !== 'granted') return;
  const title = open ? room.name : t.noticeTitle;
  const body = item.kind === 'system' ? item.body : open ? `${named(item.alias ?? t.fromTerminal)}: ${gist(item).slice(0, LONGEST)}` : t.noticeHidden;
  const options = { body, tag: room.tag, icon: 'icons/snug-192.png', silent: true, data: { page: await page(), room: room.tag } };
  const worker = await navigator.serviceWorker?.getRegistration();
  if (worker) return worker.showNotification(title, options);
  const notice = new Notification(title, options);
  notice.onclick = () => (focus(), room.front(), notice.close());
}

/** This page as the worker knows it, so that a click leads back to the tab that has the room. @returns {Promise<string | null>} */
function page() {
  const worker = navigator.serviceWorker?.controller;
  if (!worker) return Promise.resolve(null);
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    worker.postMessage('who', [port2]);
  });
}

/** @type {AudioContext | null} */
let audio = null;
let played = -PAUSE;

/** Two soft tones, a fifth apart, as from a glass. */
export function play() {
  if (performance.now() - played < PAUSE) return;
  played = performance.now();
  audio ??= new AudioContext();
  void audio.resume();
  for (const [pitch, wait] of [[587.33, 0], [880, 0.11]]) {
    const tone = new OscillatorNode(audio, { type: 'sine', frequency: pitch });
    const volume = new GainNode(audio, { gain: 0 });
    const at = audio.currentTime + wait;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.09, at + 0.012);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.7);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.75);
  }
}

/** What the panel shows to choose from. */
export function choices() {
  const now = wishes();
  const says = h('div', { role: 'status' });
  /** @param {keyof Wishes} wish @param {string} label @param {string} [hint] */
  const choice = (wish, label, hint) => {
    const input = h('input', { type: 'checkbox', name: wish, onchange: () => change(wish, input) });
    input.checked = Boolean(now[wish]);
    return { input, element: h('label', { class: 'check' }, input, h('span', null, label, hint && h('small', null, hint))) };
  };
  /** @param {keyof Wishes} wish @param {HTMLInputElement} input */
  async function change(wish, input) {
    fill(says);
    if (wish === 'show' && input.checked && (await globalThis.Notification?.requestPermission()) !== 'granted') {
      input.checked = false;
      fill(says, problem(t.noticeRefused));
    }
    now[wish] = input.checked;
    open.element.hidden = !now.show;
    keep(now);
    if (wish === 'sound' && input.checked) play();
  }
  const sound = choice('sound', t.sound);
  const show = choice('show', t.notice);
  const open = choice('open', t.noticeOpen, t.noticeOpenHint);
  open.element.classList.add('sub');
  open.element.hidden = !now.show;
  return [sound.element, show.element, open.element, says];
}
