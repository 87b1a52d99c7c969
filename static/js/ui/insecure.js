// @ts-check
/** No WebCrypto here: plain http from another host. */
import { h, screen, t } from './parts.js';

/** The words when there is no way in, and the three ways out. @returns {import('./app.js').View} */
export function insecure() {
  const { hostname, port, pathname, hash, origin } = location;
  const local = port || '80';
  /** @param {string} title @param {string} text @param {...string} lines */
  const way = (title, text, ...lines) =>
    h('li', null, h('h2', null, title), h('p', null, text), h('pre', { tabindex: 0, 'aria-label': title }, lines.join('\n')));
  return {
    element: screen(
      h('header', null, h('h1', null, t.plainTitle), h('p', null, t.plainText)),
      h('ol', { class: 'card outs' },
        way(t.plainHttps, t.plainHttpsText, 'snug --tls-self-signed'),
        way(t.plainTunnel, t.plainTunnelText, `ssh -L 8080:localhost:${local} ${hostname}`, `http://localhost:8080${pathname}${hash}`),
        way(t.plainLocal, t.plainLocalText, `snug ui ${origin}`)),
    ),
  };
}
