// @ts-check
/** A report of the network check in words: the verdict first, then the rows. client/check_verdict.go says the same. */
import { MAX_POST } from '../net/check.js';
import { site, t, told } from './parts.js';

/** @typedef {import('../net/check.js').Report} Report */

const says = t.checkVerdict;

/** What it means for snug, the most important first. @param {Report} r @returns {string[]} */
export function verdict(r) {
  if (!r.reach.ok) return [says.unreachable(told(r.reach.why))];
  const most = Math.max(r.posts.octets, r.posts.text);
  const { watch } = r;
  return [
    receiving(r),
    most === 0 && says.mute(),
    most > 0 && r.posts.octets === 0 && says.text(),
    most > 0 && most < MAX_POST && says.small(most >> 10),
    r.altered && says.altered(),
    r.cached && says.cached(),
    r.lost.length > 0 && says.lost(r.lost.join(', ')),
    watch && watch.cut > 0 && says.cut(watch.cut),
    watch && watch.cut === 0 && watch.idle > 0 && says.idle(watch.idle),
  ].filter((line) => typeof line === 'string');
}

/** @param {Report} r */
function receiving(r) {
  if (r.stream.live) return says.live();
  if (r.octets.live) return says.octets();
  if (r.batch.ok) return says.batch();
  return r.poll.ok ? says.poll() : says.deaf();
}

/** @param {Report} r @returns {[string, string][]} */
export function rows(r) {
  const name = t.checkRow;
  /** @param {string[]} list */
  const listed = (list) => list.join(', ') || t.checkNone;
  /** @type {[string, string][]} */
  const all = [
    [name.relay, r.reach.ok ? `${site}, ${r.reach.ms} ms` : t.checkFails(told(r.reach.why))],
    [name.stream, pieces(r.stream)],
    [name.octets, pieces(r.octets)],
    [name.batch, tried(r.batch, 1000)],
    [name.poll, tried(r.poll, 2000)],
    [name.posts, t.checkPosts(r.posts.octets, r.posts.text)],
    [name.lost, listed(r.lost)],
    [name.added, listed(r.added)],
  ];
  if (r.watch) all.push([name.watch, t.checkWatched(r.watch)]);
  return r.reach.ok ? all : all.slice(0, 1);
}

/** @param {import('../net/check.js').Pieces} s */
function pieces(s) {
  if (s.live) return t.checkLive(s.late);
  return s.pieces > 0 ? t.checkHeld(s.held) : told(s.why) || t.checkNothing;
}

/** @param {import('../net/check.js').Try} one @param {number} planned */
const tried = (one, planned) => (one.ok ? t.checkPasses(Math.max(0, one.ms - planned)) : t.checkFails(told(one.why) || t.checkNothing));
