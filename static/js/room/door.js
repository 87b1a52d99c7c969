// @ts-check
/**
 * The door from inside: strangers who knock, and the member who answers one. Notes are JSON in the relay's mailbox:
 * {commit} · {answer} · {reveal, answer, as} · {sealed} or {refused: true, answer} · {gone: true} of a stranger who does not wait any more. The stranger's reveal names the answer it took, so that of several
 * members who answered only one shows digits; a refusal names the answer it takes back, if there was one.
 */
import { fromUtf8, unb64u, utf8 } from '../lib/bytes.js';
import { RelayError } from '../net/relay.js';

/** @typedef {{id: string, state: 'asking' | 'answered' | 'code' | 'approved' | 'refused', code?: string}} KnockRow */
/** @typedef {import('../crypto/knock.js').KnockHost} KnockHost */

const TRIES = 3; // knocks that came to nothing before this page shows no more of them for a while
const PAUSE = 10 * 60_000; // ms of that while

export class Doorkeeper {
  rows = /** @type {KnockRow[]} */ ([]);
  /** Whom the person here talks to, at most one. @type {Map<string, {host: KnockHost, answer: string}>} */ #hosts = new Map();
  #commits = /** @type {Map<string, string>} */ (new Map());
  /** Last notes that did not get through yet. @type {Map<string, object>} */ #unsent = new Map();
  #failed = /** @type {number[]} */ ([]);
  #host;
  #send;
  #changed;
  #expect;

  /**
   * @param {object} options
   * @param {(commit: string) => Promise<KnockHost>} options.host
   * @param {(id: string, note: Uint8Array) => Promise<void>} options.send
   * @param {() => void} options.changed
   * @param {(arrival: import('../crypto/knock.js').Arrival) => Promise<void>} options.expect lets in who will come; before it has the secret
   */
  constructor({ host, send, changed, expect }) {
    this.#host = host;
    this.#expect = expect;
    this.#send = send;
    this.#changed = changed;
  }

  /** A stranger's note; each may come again with every new stream. @param {{id: string, body: string}} knock */
  async heard({ id, body }) {
    const note = parseNote(body);
    if (typeof note?.commit === 'string') return this.#asks(id, note.commit);
    const row = this.rows.find((each) => each.id === id);
    if (note?.gone && row && row.state !== 'approved') return this.#over(id, 'refused');
    if (typeof note?.reveal !== 'string' || (row?.state !== 'asking' && row?.state !== 'answered')) return;
    const open = this.#hosts.get(id);
    if (!open || note.answer !== open.answer) return this.#over(id, 'refused'); // it took another member's answer
    try {
      this.#set(id, { state: 'code', code: await open.host.revealed(note.reveal, typeof note.as === 'string' ? note.as : undefined) });
    } catch (error) {
      // Only somebody in between can make a reveal that does not fit its commitment.
      console.warn('snug: a knock was tampered with', error);
      await this.refuse(id).catch(() => undefined); // the stranger waits in vain, and is told after a while
    }
  }

  /** @param {string} id @param {string} commit */
  #asks(id, commit) {
    const now = Date.now();
    this.#failed = this.#failed.filter((at) => now - at < PAUSE);
    if (this.rows.some((row) => row.id === id) || this.#failed.length >= TRIES) return;
    this.#commits.set(id, commit);
    this.rows = [...this.rows, { id, state: 'asking' }];
    this.#changed();
  }

  /** The person here goes to the door. One knock at a time. @param {string} id */
  async answer(id) {
    const commit = this.#commits.get(id);
    if (!commit || this.#hosts.size > 0) return;
    const host = await this.#host(commit).catch(() => null);
    if (!host) return this.#over(id, 'refused'); // no commitment, so no knock of ours
    if (this.#hosts.size > 0) return host.close();
    const { answer } = host;
    this.#hosts.set(id, { host, answer });
    this.#set(id, { state: 'answered' });
    try {
      await this.#note(id, { answer });
    } catch (error) {
      // The stranger can have seen nothing of it: the person here may go to the door again.
      host.close();
      this.#hosts.delete(id);
      this.#set(id, { state: isGone(error) ? 'refused' : 'asking' });
      if (!isGone(error)) throw error;
    }
  }

  /** The digits are the same, which is all that is to be decided, in a locked room too. May be repeated when it fails for the network. @param {string} id */
  async approve(id) {
    const open = this.#hosts.get(id);
    if (!open) return;
    if (open.host.arrival && !this.#unsent.has(id)) await this.#expect(open.host.arrival);
    const note = this.#unsent.get(id) ?? { sealed: await open.host.approve() };
    this.#unsent.set(id, note);
    try {
      await this.#note(id, note);
    } catch (error) {
      if (!isGone(error)) throw error;
      return this.#over(id, 'refused');
    }
    this.#over(id, 'approved');
  }

  /** Sends the stranger away. @param {string} id */
  async refuse(id) {
    const answer = this.#hosts.get(id)?.answer;
    this.#failed.push(Date.now());
    this.#over(id, 'refused');
    await this.#note(id, { refused: true, answer }).catch((error) => {
      if (!isGone(error)) throw error;
    });
  }

  close() {
    for (const { host } of this.#hosts.values()) host.close();
    this.#hosts.clear();
  }

  /** @param {string} id @param {'approved' | 'refused'} state */
  #over(id, state) {
    this.#hosts.get(id)?.host.close();
    this.#hosts.delete(id);
    this.#commits.delete(id);
    this.#unsent.delete(id);
    this.#set(id, { state, code: undefined });
  }

  /** @param {string} id @param {Partial<KnockRow>} change */
  #set(id, change) {
    this.rows = this.rows.map((row) => (row.id === id ? { ...row, ...change } : row));
    this.#changed();
  }

  /** @param {string} id @param {object} note */
  #note(id, note) {
    return this.#send(id, utf8(JSON.stringify(note)));
  }
}

/** The stranger has gone, or has waited for too long. @param {unknown} error */
const isGone = (error) => error instanceof RelayError && error.code === 'no_knock';

/** What a note says; null if it is none. @param {string} text base64url @returns {Record<string, unknown> | null} */
export function parseNote(text) {
  try {
    const note = JSON.parse(fromUtf8(unb64u(text)));
    return note !== null && typeof note === 'object' ? note : null;
  } catch {
    return null; // a stranger can write anything; what is no note says nothing
  }
}
