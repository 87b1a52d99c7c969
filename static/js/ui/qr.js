// @ts-check
/** QR codes on the page: always dark on white, whatever the colours around, since that is what cameras look for. */
import { encode, path } from '../lib/qr.js';
import { h } from './parts.js';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {string} text
 * @param {string} name what it is, for those who do not see it
 */
export function qrPicture(text, name) {
  const code = encode(text, { level: 'M' }); // a screen is clean; what it is read from is another one's tilted camera
  const svg = document.createElementNS(SVG, 'svg');
  const side = code.size + 8; // with the quiet zone
  for (const [key, value] of Object.entries({ viewBox: `0 0 ${side} ${side}`, role: 'img', 'aria-label': name })) svg.setAttribute(key, value);
  const drawn = document.createElementNS(SVG, 'path');
  drawn.setAttribute('d', path(code));
  svg.append(drawn);
  return h('div', { class: 'qr' }, svg);
}
