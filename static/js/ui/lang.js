// @ts-check
/** The words of the page in the reader's language, one file each. */

/** @typedef {typeof import('./lang/en.js').default} Text */

const HAVE = ['en'];
const code = navigator.languages.map((tag) => tag.toLowerCase().split('-')[0]).find((tag) => HAVE.includes(tag)) ?? 'en';

/** @type {Text} */
export const t = (await import(`./lang/${code}.js`)).default;

document.documentElement.lang = code;

// The reader's own region where it speaks the page's language: it knows how clocks and dates are written there.
const region = navigator.languages.find((tag) => tag.toLowerCase().startsWith(code)) ?? code;
const clock = new Intl.DateTimeFormat(region, { hour: 'numeric', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(region, { weekday: 'long', day: 'numeric', month: 'long' });
const full = new Intl.DateTimeFormat(region, { dateStyle: 'full', timeStyle: 'medium' });

/** @param {number} at */
export const timeOf = (at) => clock.format(at);

/** @param {number} at */
export const momentOf = (at) => full.format(at);

/**
 * Two moments on one day give the same text.
 * @param {number} at
 */
export function dayOf(at) {
  const day = new Date(at).toDateString();
  if (day === new Date().toDateString()) return t.today;
  if (day === new Date(Date.now() - 86_400_000).toDateString()) return t.yesterday;
  return weekday.format(at);
}
