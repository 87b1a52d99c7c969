// @ts-check
// The ladder of transports as a pure machine: it takes what happened and says what to do. No clock, no network, no randomness of its own.
// client/ladder.go is the same machine; testdata/ladder holds the cases that both pass.

import { backoff } from './pull.js';
import { Rungs } from './rungs.js';
import { Rejoin, waitOf } from './waits.js';

/** @import { Action, Input } from './moves.js' */

const DAY = 86_400_000; // that long a memory holds
const NEVER = Infinity;

/** One ladder per room. Not safe to step from within a step. */
export class Ladder {
  #running = false;
  #rungs = new Rungs();
  #rejoin = new Rejoin();
  #told = 0; // refusals of the relay in a row
  #remembered = '';

  /** Takes one input and returns what to do, in order. Before start and after stop nothing happens. @param {Input} input @returns {Action[]} */
  step(input) {
    const rungs = this.#rungs;
    rungs.now = input.t;
    rungs.r = input.r ?? 0.5;
    rungs.out = [];
    if (this.#running || input.in === 'start') this.#take(input);
    if (this.#running) rungs.show(this.#rejoin.on);
    return rungs.out.filter((action) => action.do !== 'remember' || this.#isNews(action));
  }

  get status() {
    return this.#rungs.board.status;
  }

  /** When the next timer input is due, Infinity for never. It may change with every step. */
  get deadline() {
    if (!this.#running) return NEVER;
    return this.#rejoin.on ? this.#rejoin.at : this.#rungs.deadline;
  }

  /** @param {Input} i */
  #take(i) {
    const rungs = this.#rungs;
    if (i.ch) return rungs.has(i.ch) ? this.#onRequest(i) : undefined;
    switch (i.in) {
      case 'start':
        if (!this.#running) rungs.start(i.memory && (i.age ?? 0) <= DAY ? i.memory : { rung: '0' });
        this.#running = true;
        break;
      case 'stop':
        rungs.stop();
        this.#running = false;
        break;
      case 'offline':
        rungs.board.offline = true;
        break;
      case 'active':
        rungs.active();
        break;
      case 'rejoined':
        if (this.#rejoin.done(i.ok === true, rungs.now, rungs.r)) rungs.resume();
        break;
      case 'timer':
        if (!this.#rejoin.on) rungs.timer();
        else if (this.#rejoin.at <= rungs.now) this.#hurry();
        break;
      default: // online, change, pageshow, visible
        rungs.board.offline = false;
        if (this.#rejoin.on) this.#hurry();
        else rungs.wake(i.in === 'visible');
    }
  }

  /** @param {Input} i */
  #onRequest(i) {
    const rungs = this.#rungs;
    if (i.in === 'relay') return this.#refused(i);
    if (i.in === 'bye' && i.why === 'session') return this.#join('no_session');
    if (i.in === 'hello' || i.in === 'event' || i.in === 'hb' || i.in === 'good') {
      rungs.board.offline = false; // whatever the browser says
      this.#told = 0;
    }
    rungs.take(i);
  }

  /** @param {Input} i */
  #refused(i) {
    const { code = '' } = i;
    const rungs = this.#rungs;
    if (i.rejoin || code === 'bad_cursor') return this.#join(code);
    rungs.out.push({ do: 'error', ch: i.ch, code });
    rungs.told(i, Math.max(waitOf(i.retryAfter), backoff(++this.#told, rungs.r)));
  }

  /** The session is gone: nothing else can go on. @param {string} code */
  #join(code) {
    const rungs = this.#rungs;
    rungs.stop();
    if (this.#rejoin.need(rungs.now, rungs.r)) rungs.out.push({ do: 'rejoin', code });
  }

  /** The wait for the next join is over. */
  #hurry() {
    if (this.#rejoin.hurry()) this.#rungs.out.push({ do: 'rejoin', code: 'no_session' });
  }

  /** @param {Action} memory */
  #isNews(memory) {
    const text = JSON.stringify(memory);
    const news = text !== this.#remembered;
    this.#remembered = text;
    return news;
  }
}
