// @ts-check
/**
 * The little Markdown that people type in a chat, read into a tree of plain objects. One pass over the text and a bounded depth, whatever
 * the text is; what is not closed stays as it was typed.
 *
 * `**bold**` `*italic*` `~~struck~~` `` `code` `` `||spoiler||` `[text](https://…)`, bare addresses, a `\` before one of these signs that is meant as such,
 * but not in paths: `C:\_old\*.txt` stays as it is;
 * lines: `> quote`, `- item`, `1. item`, fences of three backticks.
 */

/**
 * @typedef {{t: 'b' | 'i' | 's' | 'spoiler', c: Inline[]}} Span
 * @typedef {string | Span | {t: 'code', text: string} | {t: 'a', url: string, text: string}} Inline url: an address that is safe to open
 * @typedef {{t: 'p', c: Inline[]} | {t: 'pre', lang: string, text: string} | {t: 'quote', c: Block[]}
 *   | {t: 'list', start: number | null, items: {depth: number, number: number | null, c: Inline[]}[]}} Block start: null for a list without numbers
 */

const DEEPEST = 4; // quotes in quotes
const STACK = 8; // spans in spans
const LABEL = 300; // characters between [ and ]
const ADDRESS = 2048; // characters of one address

/** Whether there is anything but text in it, so that this module is worth fetching. Kept in ui/room.js, too, which must not import it. */
export const MARKS = /[*_~`|\\[]|^(?:>|[-+] |\d{1,9}[.)] )|\b(?:https?:\/\/|mailto:)/m;

const FENCE = /^```([\w+#.-]{0,20})[ \t]*$/;
const QUOTE = /^>[ \t]?/;
const ITEM = /^( {0,6})(?:[-+*]|(\d{1,9})[.)])[ \t]+(?=\S)/;

/**
 * @param {string} text
 * @returns {Block[]}
 */
export const parse = (text) => blocks(text.split('\n'), 0);

/** @param {string[]} lines @param {number} depth @returns {Block[]} */
function blocks(lines, depth) {
  /** @type {Block[]} */
  const out = [];
  /** @type {string[]} */
  let plain = [];
  const end = () => {
    while (plain.length > 0 && out.length > 0 && plain[0].trim() === '') plain.shift();
    while (plain.length > 0 && plain[plain.length - 1].trim() === '') plain.pop();
    if (plain.length > 0) out.push({ t: 'p', c: inline(plain.join('\n')) });
    plain = [];
  };
  let unclosed = false; // once a fence is not closed, no later one is
  for (let at = 0; at < lines.length; ) {
    const fence = unclosed ? null : FENCE.exec(lines[at]);
    const close = fence ? closed(lines, at) : -1;
    const begins = at;
    if (fence && close > 0) {
      end();
      out.push({ t: 'pre', lang: fence[1], text: lines.slice(at + 1, close).join('\n') });
      at = close + 1;
    } else if (depth < DEEPEST && QUOTE.test(lines[at])) {
      end();
      while (at < lines.length && QUOTE.test(lines[at])) at++;
      out.push({ t: 'quote', c: blocks(lines.slice(begins, at).map((line) => line.replace(QUOTE, '')), depth + 1) });
    } else if (ITEM.test(lines[at])) {
      end();
      while (at < lines.length && ITEM.test(lines[at])) at++;
      out.push(list(lines.slice(begins, at)));
    } else {
      if (fence) unclosed = true;
      plain.push(lines[at++]);
    }
  }
  end();
  return out;
}

/** The line that closes a fence; -1 if none does. @param {string[]} lines @param {number} at */
function closed(lines, at) {
  for (let i = at + 1; i < lines.length; i++) if (/^```[ \t]*$/.test(lines[i])) return i;
  return -1;
}

/** @param {string[]} lines @returns {Block} */
function list(lines) {
  const items = lines.map((line) => {
    const [mark, space, number] = /** @type {RegExpExecArray} */ (ITEM.exec(line));
    return { depth: space.length >> 1, number: number ? Number(number) : null, c: inline(line.slice(mark.length)) };
  });
  return { t: 'list', start: items[0].number, items };
}

const MARKERS = /** @type {[string, Span['t']][]} */ ([['**', 'b'], ['__', 'b'], ['~~', 's'], ['||', 'spoiler'], ['*', 'i'], ['_', 'i']]);
const WORD = /[\p{L}\p{N}]/u;
const SIGN = /[*_~`|[\]]/;
const PATH = /[\p{L}\p{N}:\\¯]/u; // before a backslash that is a part of the text, as in paths and ¯\_(ツ)_/¯
const TICKS = /`+/y;
const BARE = /(?:https?:\/\/|mailto:)[^\s<>"'`|]{1,2048}/iy; // ADDRESS

/**
 * @param {string} text
 * @returns {Inline[]}
 */
function inline(text) {
  /** Open spans, the outermost first; each has what was read since it began. @type {{mark: string, t: Span['t'], c: Inline[]}[]} */
  const open = [];
  const root = /** @type {Inline[]} */ ([]);
  const unclosed = new Set(); // runs of backticks that have no partner further on
  const escaped = /** @type {Set<string>} */ (new Set());
  const here = () => open.at(-1)?.c ?? root;
  /** @param {Inline} node */
  const add = (node) => {
    const c = here();
    if (typeof node === 'string' && typeof c.at(-1) === 'string') c[c.length - 1] += node;
    else if (node !== '') c.push(node);
  };
  /** The innermost span was none. */
  const drop = () => {
    const { mark, c } = /** @type {{mark: string, c: Inline[]}} */ (open.pop());
    add(mark);
    for (const node of c) add(node);
  };
  let from = 0; // plain text since
  let at = 0;
  /** @param {number} to */
  const flush = (to) => {
    add(text.slice(from, at));
    from = at = to;
  };
  while (at < text.length) {
    const c = text[at];
    if (c === '\\' && escapable(text, at)) {
      if (escapes(text, at, escaped)) flush(at + 1);
      else at++;
      at++; // the sign itself is plain
    } else if (c === '`') {
      const run = sticky(TICKS, text, at);
      const close = run.length > 3 || unclosed.has(run) ? -1 : closing(text, run, at + run.length);
      if (close < 0) {
        unclosed.add(run);
        at += run.length;
        continue;
      }
      const code = text.slice(at + run.length, close);
      flush(close + run.length);
      add({ t: 'code', text: /^ .*\S.* $/s.test(code) ? code.slice(1, -1) : code });
    } else if (c === '[') {
      const link = labelled(text, at);
      if (link) {
        flush(link.end);
        add({ t: 'a', url: link.url, text: link.text });
      } else {
        at++;
      }
    } else if ((c === 'h' || c === 'H' || c === 'm' || c === 'M') && !(at > 0 && WORD.test(text[at - 1]))) {
      const found = bare(text, at);
      if (found) {
        flush(at + found.text.length);
        add({ t: 'a', ...found });
      } else {
        at++;
      }
    } else {
      const marker = c === '*' || c === '_' || c === '~' || c === '|' ? MARKERS.find(([mark]) => text.startsWith(mark, at)) : undefined;
      if (marker) mark(marker);
      else at++;
    }
  }
  flush(at);
  while (open.length > 0) drop();
  return root;

  /** @param {[string, Span['t']]} marker */
  function mark([sign, t]) {
    const before = text[at - 1] ?? ' ';
    const after = text[at + sign.length] ?? ' ';
    const single = sign.length === 1 || sign === '__'; // within a word these are part of it
    const closes = /\S/.test(before) && !(single && WORD.test(after));
    const place = closes ? open.findLastIndex((each) => each.mark === sign) : -1;
    const opens = /\S/.test(after) && !(single && WORD.test(before)) && open.length < STACK;
    if (place >= 0 && (place < open.length - 1 || open[place].c.length > 0 || at > from)) {
      flush(at + sign.length);
      while (open.length > place + 1) drop();
      const { c } = /** @type {{c: Inline[]}} */ (open.pop());
      add({ t, c });
    } else if (opens) {
      flush(at + sign.length);
      open.push({ mark: sign, t, c: [] });
    } else {
      at += sign.length;
    }
  }
}

/** Whether a backslash stands before a sign that would mean something there. @param {string} text @param {number} at */
function escapable(text, at) {
  const sign = text[at + 1] ?? '';
  return SIGN.test(sign) || (/[-+>]/.test(sign) && (at === 0 || text[at - 1] === '\n'));
}

/**
 * Whether such a backslash is there for the sign alone. After a letter it is so only where it ends what an earlier one began, as in `\*so\*`.
 * @param {string} text @param {number} at @param {Set<string>} begun the signs of those
 */
function escapes(text, at, begun) {
  const sign = text[at + 1];
  const before = text[at - 1] ?? ' ';
  if (PATH.test(before)) return before !== ':' && before !== '\\' && begun.delete(sign);
  begun.add(sign === '[' ? ']' : sign);
  return true;
}

/** @param {RegExp} pattern @param {string} text @param {number} at */
function sticky(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

/** Where a run of backticks of just this length comes again; -1 if nowhere. @param {string} text @param {string} run @param {number} from */
function closing(text, run, from) {
  for (let at = text.indexOf('`', from); at >= 0; ) {
    const found = sticky(TICKS, text, at);
    if (found === run) return at;
    at = text.indexOf('`', at + found.length);
  }
  return -1;
}

/** `[text](address)` @param {string} text @param {number} at */
function labelled(text, at) {
  const label = text.slice(at + 1, at + LABEL).indexOf('](');
  if (label < 1) return null;
  const start = at + 1 + label + 2;
  const rest = text.slice(start, start + ADDRESS);
  const found = /^[^\s()]*(?:\([^\s()]*\)[^\s()]*){0,4}\)/.exec(rest)?.[0];
  const url = found && safe(found.slice(0, -1));
  const words = text.slice(at + 1, start - 2);
  return url && found && !words.includes('\n') ? { url, text: words, end: start + found.length } : null;
}

/** A bare address; a closing sign of the sentence around it stays outside. @param {string} text @param {number} at */
function bare(text, at) {
  let found = sticky(BARE, text, at);
  let extra = found.split(')').length - found.split('(').length; // closing ones that nothing in the address opened
  for (let last = found.at(-1) ?? ''; /[.,;:!?*_~\])}]/.test(last); last = found.at(-1) ?? '') {
    if (last === ')' && extra-- <= 0) break;
    found = found.slice(0, -1);
  }
  const url = found && safe(found);
  return url ? { url, text: found } : null;
}

const PROTOCOLS = new Set(['http:', 'https:', 'mailto:']);

/** The address as a browser opens it, with the host in ASCII; null if it is not one that is safe to open. @param {string} text */
function safe(text) {
  try {
    const url = new URL(text);
    if (!PROTOCOLS.has(url.protocol) || url.username || url.password) return null;
    return url.href;
  } catch {
    return null;
  }
}

/**
 * How an address is shown: as it was typed, unless that would look like another one.
 * @param {string} url
 * @param {string} typed
 */
export const shownAs = (url, typed) => (/^[!-~]+$/.test(typed) ? typed : /[^\P{C}]/u.test(typed) || /^[a-z]+:\/\/[^/?#]*[^!-~]/i.test(typed) ? url : typed);
