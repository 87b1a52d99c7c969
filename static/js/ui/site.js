// @ts-check
/** Where others reach the relay. On localhost the page came from `snug ui` or through a tunnel: whoever serves it knows, and links must not say localhost. */

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const PATIENCE = 2000; // ms; the answer comes from this machine

async function ask() {
  if (!LOCAL.test(location.hostname)) return location.origin;
  const { origin } = await (await fetch('/origin.json', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) })).json();
  return new URL(origin).origin;
}

/** Scheme, host and port of the relay, as links have it. */
export const site = await ask().catch(() => location.origin);
