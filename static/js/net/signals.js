// @ts-check
// What the browser knows about the network and the page, as the transport wants it. The document itself is not touched.

/** Events of the window that the transport listens to; a test or a program without a window passes an EventTarget of its own. */
export const SIGNALS = Object.freeze(['online', 'offline', 'pageshow', 'visibilitychange', 'change']);

/**
 * The window's signals, and `change` when the connection becomes another one (where the browser tells). Null without a window.
 * @param {AbortSignal} signal ends the listening
 * @returns {EventTarget | null}
 */
export function browserSignals(signal) {
  if (typeof globalThis.window === 'undefined') return null;
  const signals = new EventTarget();
  const pass = (/** @type {Event} */ event) => {
    const page = /** @type {any} */ (event.target);
    if (event.type === 'visibilitychange' && page?.visibilityState === 'hidden') return;
    signals.dispatchEvent(new Event(event.type));
  };
  for (const name of ['online', 'offline', 'pageshow', 'visibilitychange']) globalThis.addEventListener(name, pass, { signal });
  const { connection } = /** @type {any} */ (globalThis.navigator);
  connection?.addEventListener?.('change', pass, { signal });
  return signals;
}
