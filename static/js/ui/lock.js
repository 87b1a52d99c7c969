// @ts-check
/** What a locked room shows above the place to write: who waits, to the members; that one waits, to whoever does. */
import { h, icon, named, t, tile } from './parts.js';

/** @typedef {import('../room/shared.js').SharedSession} Session */

/** What a button asked for that could not be done is tried again by hand. @param {Promise<unknown>} work */
const tried = (work) => work.catch((error) => console.warn('snug:', error));

/**
 * @param {Session} session
 * @param {(event: Event) => void} people opens the panel that has more of them
 * @returns {HTMLElement[]}
 */
export function gate(session, people) {
  if (session.waits) return [h('section', { class: 'gate' }, icon('lock'), h('div', null, h('h2', null, t.waitsTitle), h('p', null, t.waitsText)))];
  const waiting = session.members.filter((member) => member.waiting);
  if (waiting.length === 0) return [];
  if (waiting.length > 2) return [h('section', { class: 'gate' }, icon('lock'), h('h2', null, t.manyWait(waiting.length)), h('button', { type: 'button', class: 'quiet', onclick: people }, t.look))];
  return waiting.map((member) => h('section', { class: 'gate' }, tile(member),
    h('div', null, h('h2', null, t.oneWaits(named(member.alias))), h('p', null, t.oneWaitsText)),
    letIn(session, member, 'quiet')));
}

/**
 * @param {Session} session
 * @param {{id: string, alias: string}} member
 * @param {string} look class
 */
export const letIn = (session, { id, alias }, look) =>
  h('button', { type: 'button', class: look, data: { focus: `${id}-admit` }, 'aria-label': t.letInName(named(alias)), onclick: () => tried(session.admit(id)) }, t.letIn);
