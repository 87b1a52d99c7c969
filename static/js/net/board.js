// @ts-check
// What the status says, and from which observations. Part of the ladder.

/** @import { Action, Rung, State, Status } from './moves.js' */

/** The status of a ladder and what it is made of. */
export class Board {
  /** The browser says that there is no network; anything that comes through proves it wrong. */
  offline = false;
  /** @type {{state: State, reason: string} | null} why nothing gets through */ down = null;
  /** Why there is no stream. */
  why = '';
  /** When a poll last got through, -1 for never. */
  heardAt = -1;
  #heard = false; // a poll got through since polls began
  /** @type {Status} */ #status = { state: 'connecting', rung: '0', reason: '' };

  get status() {
    return this.#status;
  }

  /** A poll got through. Answers whether that is news: nothing did before, and the relay had not asked for the wait. @param {number} now */
  heard(now) {
    const news = this.down !== null && this.down.state !== 'connecting';
    this.down = null;
    this.#heard = true;
    this.heardAt = now;
    return news;
  }

  /** Polls begin. */
  unheard() {
    this.#heard = false;
  }

  /**
   * The action that shows the status, if it changed. rung: in use or in want; live: a stream carries the room; polling: requests go;
   * settled: no stream is looked for just now.
   * @param {{rung: Rung, joining: boolean, live: boolean, polling: boolean, settled: boolean}} now
   * @returns {Action[]}
   */
  show(now) {
    const next = this.#next(now);
    const { state, rung, reason } = this.#status;
    if (next.state === state && next.rung === rung && next.reason === reason) return [];
    this.#status = next;
    return [{ do: 'status', ...next }];
  }

  /** @param {{rung: Rung, joining: boolean, live: boolean, polling: boolean, settled: boolean}} now @returns {Status} */
  #next({ rung, joining, live, polling, settled }) {
    if (joining) return { state: 'connecting', rung, reason: 'joining again' };
    if (this.offline) return { state: 'offline', rung, reason: 'no network' };
    if (live) return { state: 'live', rung, reason: rung === '0' ? '' : 'as plain bytes' };
    if (this.down) return { rung, ...this.down };
    if (polling && this.#heard) return { state: 'polling', rung, reason: settled ? this.why : 'looking for live answers' };
    if (this.#status.state === 'live' && !polling) return this.#status; // for two seconds nobody needs to know
    return { state: 'connecting', rung, reason: '' };
  }
}
