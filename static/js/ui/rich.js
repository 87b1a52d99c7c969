// @ts-check
/** Rows with more than plain text: what they answer, Markdown, reactions, the marks of an edit and a timer; and comings, goings and new names folded into a line. */
import { MARKS, parse, shownAs } from '../lib/markdown.js';
import { copyButton, fill, gist, h, icon, listed, mark, named, t, toneOf } from './parts.js';

/** @typedef {import('../room/session.js').Item} Item */
/** @typedef {import('./room.js').Surroundings} Surroundings */
/** @typedef {import('./room.js').TimelineView} TimelineView */

const FOLD = 4; // comings, goings and new names in a row that become one line; as FOLDABLE in room.js
const FOLDS = new Set(['joined', 'left', 'renamed']);

/**
 * Draws what a message has beyond its text into its row.
 * @param {HTMLElement} row
 * @param {Item} item
 * @param {Surroundings} room
 * @param {TimelineView} view
 */
export function dress(row, item, room, view) {
  const place = row.querySelector('.body'); // a file may have no text
  const text = item.body ?? '';
  if (place && item.kind === 'text' && MARKS.test(text)) write(/** @type {HTMLElement} */ (place), text);
  if (item.me) place?.prepend(h('b', null, named(item.alias)), ' ');
  if (item.re) row.querySelector('snug-file, .body')?.before(quote(item.re, room, view));
  const meta = /** @type {HTMLElement} */ (row.querySelector('.meta'));
  if (item.ttl) meta.prepend(h('span', { class: 'fuse', title: t.vanishes(item.ttl) }, icon('queued'), h('span', { class: 'spoken' }, t.vanishes(item.ttl))));
  if (item.edited) meta.prepend(h('span', null, t.edited));
  if (item.reactions?.length) row.append(reactions(item, room));
}

/** What a message answers, to be gone to. @param {string} key @param {Surroundings} room @param {TimelineView} view */
function quote(key, room, view) {
  const item = room.items().findLast((each) => each.key === key);
  const who = item && h('b', null, item.own ? t.you : named(item.alias));
  const says = item ? gist(item).slice(0, 300) : t.notHere;
  return h('button', { type: 'button', class: 'quote', disabled: !item, data: { tone: item?.from && !item.own && toneOf(item.from) }, onclick: () => view.jump(key) }, who, h('span', { dir: 'auto' }, says));
}

/** @param {Item} item @param {Surroundings} room */
const reactions = (item, room) =>
  h('div', { class: 'reactions' }, item.reactions?.map(({ emoji, by }) => {
    const mine = by.some(({ id }) => id === room.self());
    const says = listed(by.map(({ id, alias }) => (id === room.self() ? t.you : alias)));
    return h('button', { type: 'button', 'aria-pressed': String(mine), 'aria-label': `${emoji} ${says}`, title: says, onclick: () => room.react(item.key, emoji, !mine) }, emoji, by.length > 1 && h('span', null, by.length));
  }) ?? []);

/**
 * Makes many who come, go or take another name in a row one line.
 * @param {HTMLElement} list of rows
 * @param {Set<string>} unfolded keys of first lines that the reader wants to see with all others
 * @param {(key: string) => void} again draws a row as it was
 */
export function fold(list, unfolded, again) {
  let run = /** @type {HTMLElement[]} */ ([]);
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll(':scope > *'))) {
    if (FOLDS.has(row.dataset.event ?? '')) {
      run.push(row);
      continue;
    }
    foldRun(run, unfolded, again);
    run = [];
  }
  foldRun(run, unfolded, again);
}

/** @param {HTMLElement[]} run @param {Set<string>} unfolded @param {(key: string) => void} again */
function foldRun(run, unfolded, again) {
  const [first, ...rest] = run;
  if (run.length < FOLD || unfolded.has(first.dataset.key ?? '') || first.dataset.folded === String(rest.length)) return;
  const says = first.dataset.says ?? first.textContent ?? '';
  mark(first, { folded: rest.length, says });
  first.hidden = false; // the one before may have fallen out
  for (const row of rest) row.hidden = true;
  const unfold = () => {
    unfolded.add(first.dataset.key ?? '');
    for (const row of rest) row.hidden = false;
    again(first.dataset.key ?? '');
  };
  fill(first, h('button', { type: 'button', class: 'unfold', 'aria-expanded': 'false', onclick: unfold }, t.andMore(says, rest.length), icon('fold')));
}

/** @typedef {import('../lib/markdown.js').Block} Block */
/** @typedef {import('../lib/markdown.js').Inline} Inline */

/**
 * Writes a message into its place.
 * @param {HTMLElement} place
 * @param {string} text
 */
function write(place, text) {
  const blocks = parse(text);
  if (blocks.length === 1 && blocks[0].t === 'p') return fill(place, spans(blocks[0].c));
  place.dataset.blocks = '';
  fill(place, blocks.map(block));
}

/** @param {Block} b @returns {HTMLElement} */
function block(b) {
  switch (b.t) {
    case 'p': return h('p', null, spans(b.c));
    case 'quote': return h('blockquote', null, b.c.map(block));
    case 'pre': return h('div', { class: 'code' }, h('pre', { dir: 'ltr', tabindex: 0, 'aria-label': t.code(b.lang) }, h('code', null, b.text)), copyButton(() => b.text, t.copyCode, 'round'));
    case 'list': {
      const items = b.items.map(({ depth, number, c }) => h('li', { value: number, data: { depth: depth || null } }, spans(c)));
      return b.start === null ? h('ul', null, items) : h('ol', { start: b.start }, items);
    }
  }
}

const TAGS = /** @type {const} */ ({ b: 'strong', i: 'em', s: 's' });

/** @param {Inline[]} inline @returns {import('./parts.js').Child[]} */
function spans(inline) {
  return inline.map((node) => {
    if (typeof node === 'string') return node;
    if (node.t === 'code') return h('code', null, node.text);
    if (node.t === 'a') return link(node.url, node.text);
    if (node.t === 'spoiler') return spoiler(node.c);
    return h(TAGS[node.t], null, spans(node.c));
  });
}

/** An address, and always the one it leads to. @param {string} url @param {string} text */
function link(url, text) {
  const typed = /^(?:https?:\/\/|mailto:)/i.test(text);
  const shown = typed ? shownAs(url, text) : text;
  const to = h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, h('bdi', null, shown));
  // Words may promise another place than they lead to.
  return typed && sameHost(url, text) ? to : h('span', null, to, h('small', { class: 'url' }, ` (${url})`));
}

/** @param {string} url @param {string} typed */
const sameHost = (url, typed) => {
  try {
    return new URL(typed).host === new URL(url).host;
  } catch {
    return false;
  }
};

/** Hidden until asked for. @param {Inline[]} c */
function spoiler(c) {
  const inside = h('span', { class: 'inside', hidden: true }, spans(c));
  const button = h('button', { type: 'button', 'aria-expanded': 'false', onclick: () => (inside.hidden = false, button.remove()) }, t.spoiler);
  return h('span', { class: 'spoiler' }, button, inside);
}
