// @ts-check
/** Lines that begin with a slash. */
import { aliasOf, fill, h, t } from './parts.js';

/**
 * What a command may do.
 * @typedef {object} Hands
 * @property {import('../room/shared.js').SharedSession} session
 * @property {(text: string, how: {me: boolean}) => void} say sends, and empties the field
 * @property {() => void} done empties the field
 * @property {(...content: import('./parts.js').Child[]) => void} show a word to the reader, above the field
 */

/**
 * Does what the line asks for. One that is not known says so, and stays in the field.
 * @param {string} line
 * @param {Hands} hands
 */
export function run(line, { session, say, done, show }) {
  const [, name, rest] = /** @type {RegExpExecArray} */ (/^\/(\S*)\s*(.*)$/s.exec(line));
  switch (name.toLowerCase()) {
    case 'help':
    case '':
    case '?':
      show(help());
      return done();
    case 'clear':
      done();
      return void session.clear();
    case 'me':
      return rest ? say(rest, { me: true }) : show(t.commandMe);
    case 'nick': {
      const { alias, complaint } = aliasOf(rest);
      if (!alias) return show(complaint);
      session.setAlias(alias).catch((/** @type {Error} */ error) => console.warn('snug:', error));
      show(t.commandNicked(alias));
      return done();
    }
    default:
      show(t.commandUnknown(name.slice(0, 40)));
  }
}

function help() {
  const place = h('div', { class: 'help' });
  /** @param {string} title @param {[string, string][]} rows */
  const table = (title, rows) => [h('h2', null, title), h('dl', null, rows.flatMap(([write, means]) => [h('dt', null, h('code', null, write)), h('dd', null, means)]))];
  const { commands: c, marks: m, keys: k } = t;
  fill(place,
    table(t.commandsTitle, [['/nick …', c.nick], ['/me …', c.me], ['/clear', c.clear], ['/help', c.help], ['//…', c.slash]]),
    table(t.marksTitle, [['**…**', m.bold], ['*…*', m.italic], ['~~…~~', m.struck], ['||…||', m.hidden], ['`…`', m.code], ['> …', m.quote], ['- …', m.list], ['[…](https://…)', m.link]]),
    table(t.keysTitle, [['Enter', k.send], ['Shift+Enter', k.line], ['↑', k.up], ['Esc', k.escape], ['Shift+Tab ↑ ↓', k.messages], ['Enter', k.menu]]));
  return place;
}
