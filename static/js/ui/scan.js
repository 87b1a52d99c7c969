// @ts-check
/** Reading a room's QR code with the camera, where the browser can (BarcodeDetector). What the camera sees stays in this page. */
import { fill, h, problem, screen, t } from './parts.js';

/** @typedef {{detect: (source: HTMLVideoElement) => Promise<{rawValue: string}[]>}} Detector */

const LOOK = 200; // ms between two looks: a hand is not faster, and the phone stays cool

/** Whether this browser can. @returns {Promise<boolean>} */
export async function canScan() {
  const formats = await /** @type {any} */ (globalThis).BarcodeDetector?.getSupportedFormats().catch(() => []);
  return Boolean(navigator.mediaDevices && formats?.includes('qr_code'));
}

/**
 * The camera's picture until a code was read that is taken.
 * @param {object} options
 * @param {(text: string) => boolean} options.take false: that is no room, look on
 * @param {() => void} options.cancel
 * @returns {import('./app.js').View}
 */
export function scan({ take, cancel }) {
  const video = h('video', { class: 'camera', playsinline: true, muted: true, 'aria-label': t.scanTitle });
  video.muted = true; // the attribute alone does not count for an element that a script has made
  const says = h('div', { role: 'status' });
  const stop = new AbortController();
  const element = screen(
    h('header', null, h('h1', null, t.scanTitle), h('p', null, t.scanText)),
    video, says,
    h('button', { type: 'button', class: 'plain', onclick: cancel }, t.cancel));
  look(video, stop.signal, (text) => take(text) || (fill(says, problem(t.scanOther)), false)).catch((error) => {
    if (stop.signal.aborted) return;
    console.info('snug: no camera:', error.name);
    video.remove();
    fill(says, problem(error.name === 'NotAllowedError' || error.name === 'SecurityError' ? t.scanRefused : t.scanNone));
  });
  return { element, close: () => stop.abort() };
}

/** @param {HTMLVideoElement} video @param {AbortSignal} signal @param {(text: string) => boolean} take */
async function look(video, signal, take) {
  const camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  const off = () => camera.getTracks().forEach((track) => track.stop());
  if (signal.aborted) return off();
  signal.addEventListener('abort', off);
  video.srcObject = camera;
  await video.play();
  /** @type {Detector} */
  const detector = new /** @type {any} */ (globalThis).BarcodeDetector({ formats: ['qr_code'] });
  while (!signal.aborted) {
    const codes = await detector.detect(video);
    if (signal.aborted || codes.some(({ rawValue }) => take(rawValue))) return;
    await new Promise((done) => setTimeout(done, LOOK));
  }
}
