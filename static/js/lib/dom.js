// @ts-check
/**
 * DOM without HTML strings: the page's policy allows no innerHTML and no inline script or style, so this is the only way anything is drawn.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Record<string, any>} Props attributes; on… adds a listener, data sets data- attributes, a false, null or undefined value leaves the attribute out */

/**
 * Makes an element: h('button', { class: 'quiet', onclick: close }, 'Close').
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) assign(element, key, value);
  element.append(...nodes(children));
  return element;
}

/** @param {HTMLElement} element @param {string} key @param {any} value */
function assign(element, key, value) {
  if (value === false || value === null || value === undefined) return;
  if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
  else if (key === 'data') mark(element, value);
  else if (key === 'value') /** @type {HTMLInputElement} */ (element).value = value;
  else element.setAttribute(key, value === true ? '' : String(value));
}

/**
 * Sets data- attributes; null, undefined and false remove one.
 * @param {HTMLElement} element
 * @param {Record<string, string | number | boolean | null | undefined>} values
 */
export function mark(element, values) {
  for (const [key, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === false) delete element.dataset[key];
    else element.dataset[key] = value === true ? '' : String(value);
  }
}

/**
 * @param {(Child | Child[])[]} children
 * @returns {(Node | string)[]}
 */
function nodes(children) {
  /** @type {(Node | string)[]} */
  const out = [];
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false || child === '') continue;
    out.push(child instanceof Node ? child : String(child));
  }
  return out;
}

/**
 * Puts new children in place of the old ones.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * A drawing from the page's sheet of symbols (index.html). It says nothing to a screen reader: its button has the name.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * A button with a drawing and a name that is spoken and shown on hover.
 * @param {string} drawing
 * @param {string} name
 * @param {Props} props
 * @param {...Child} children
 */
export const iconButton = (drawing, name, props, ...children) =>
  h('button', { type: 'button', class: 'round', 'aria-label': name, title: name, ...props }, icon(drawing), ...children);
