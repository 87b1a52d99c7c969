// @ts-check
import { b64u, breath, part, random } from '../lib/bytes.js';
import { KEYS, MESSAGE } from '../crypto/suite.js';
import { Api, BlockedError, NetworkError, RelayError, remembered } from '../net/relay.js';
import { Receiver, Transport } from '../net/transport.js';

/**
 * When to tell the relay what was handled: soon after a lone message, whose sender looks at the ticks, and the later the more
 * there are, so that a flow of any pace costs about an ack in five seconds and no pace costs many more. Pure: the session says
 * what happened and when, and asks when the next ack is due. testdata/acks.json has the cases, which the Go client passes too.
 */

const LONE = 300; // ms: one more message of the same thought still fits in, and the sender sees ✓✓ at once
const MORE = 500; // ms later for each other message of the last SPAN: a POST costs the relay about as much as two deliveries
const SPAN = 5000; // ms
const MOST = 10; // messages of SPAN that count, so an ack is never later than 4.8 s
const IDLE = 20_000; // ms: two may be lost before the relay counts a member as away, after 45 s
const UNHEARD = 3000; // ms until an ack that did not arrive is sent again

export class Acks {
  #recent = /** @type {number[]} */ ([]);
  #owed = false;
  #due = 0;
  #last = 0;

  /** @param {number} now */
  constructor(now) {
    this.#last = now;
  }

  /**
   * A message was handled.
   * @param {number} now
   * @param {boolean} [urgent] the room is near its budget, or nobody is looking at the page any more
   */
  handled(now, urgent = false) {
    this.#recent = [...this.#recent.filter((at) => now - at < SPAN), now].slice(-MOST);
    const due = urgent ? now : now + LONE + (this.#recent.length - 1) * MORE;
    this.#due = this.#owed ? Math.min(this.#due, due) : due;
    this.#owed = true;
  }

  /** An ack was sent, or a poll or join that acks as well. @param {number} now */
  sent(now) {
    this.#owed = false;
    this.#last = now;
  }

  /** The last one did not arrive. @param {number} now */
  failed(now) {
    this.#owed = true;
    this.#due = now + UNHEARD;
  }

  /** Makes what is owed due at once: the page is being hidden. @param {number} now */
  hurry(now) {
    if (this.#owed) this.#due = now;
  }

  /** When the next ack is due, in ms of the session's clock. There is always one, since an idle member acks to show that it is here. */
  get due() {
    const idle = this.#last + IDLE;
    return this.#owed ? Math.min(this.#due, idle) : idle;
  }
}

/**
 * The member's line to the relay: joins, rejoins for ever, reads events in order and once, posts, and acks what was handled. It knows
 * cursors and sessions; what the events mean is the handler's matter.
 */

/** @typedef {import('../net/types.js').RelayEvent} RelayEvent */
/** @typedef {import('../net/types.js').Joined} Joined */

const BREATH = 30; // ms of events before the page may draw and hear its person, who does not notice so little
const PLACED = 100; // ms: whether a stream's place is free is known within a few
const RETRY = [1000, 2000, 4000, 8000, 15_000, 30_000]; // ms between attempts to join

/**
 * Whether the room is near its budget after an event. The relay leaves `near` out where it is false.
 * @param {RelayEvent} event
 * @param {boolean} before
 */
export function nearAfter({ event, data }, before) {
  if (event === 'hello') return Boolean(data.limits?.near);
  return event === 'hb' || event === 'polled' ? Boolean(data.near) : before;
}

export class Connection {
  #origin;
  #api;
  #keys;
  #secret;
  #handler;
  #session = '';
  #card = ''; // the one we joined with
  #cursor;
  #saved;
  #acks = new Acks(Date.now());
  #near = false;
  #breathed = 0;
  #ackTimer = 0;
  #queue = /** @type {Promise<unknown>} */ (Promise.resolve());
  #taking = /** @type {Promise<unknown> | null} */ (null);
  #rejoining = /** @type {Promise<void> | null} */ (null);
  #transport = /** @type {Transport | null} */ (null);
  #ended = new AbortController();
  #over = new Promise((resolve) => this.#ended.signal.addEventListener('abort', resolve, { once: true }));
  #wakers = /** @type {Set<() => void>} */ (new Set());

  /** Sequence number of the newest change of the roster that was handled. */
  roster = 0;

  /**
   * @param {object} options
   * @param {string} options.origin
   * @param {import('../crypto/keys.js').RoomKeys} options.keys
   * @param {Uint8Array} options.secret
   * @param {string | null} options.cursor where an earlier stay ended
   * @param {import('./types.js').Handler} options.handler
   */
  constructor({ origin, keys, secret, cursor, handler }) {
    this.#origin = origin;
    this.#api = new Api({ base: origin, room: keys.roomId });
    this.#keys = keys;
    this.#secret = secret;
    this.#cursor = this.#saved = cursor;
    this.#handler = handler;
  }

  get cursor() {
    return this.#cursor;
  }

  get latency() {
    return this.#api.latency;
  }

  /**
   * Joins and begins to read. Resolves when the relay has taken us in, or when the network does not let us through for now:
   * then it goes on trying. Rejects only if the relay refuses.
   */
  async start() {
    if (await this.#join()) await this.#begin();
    else void this.rejoin().then(() => this.#begin());
  }

  async #begin() {
    const { signal } = this.#ended;
    const receiver = new Receiver({ api: this.#api, base: this.#origin, room: this.#keys.roomId, signal, placed: () => this.#transport?.poke() });
    await Promise.race([receiver.place, this.#pause(PLACED)]);
    if (signal.aborted) return;
    this.#transport = new Transport({
      api: receiver,
      memory: remembered,
      getSession: () => ({ s: this.#session, after: () => this.#saved ?? '' }),
      onEvents: (events) => this.#enqueue(events),
      onStatus: (status) => this.#handler.status(status),
      onRejoin: () => this.rejoin(),
    });
    this.#transport.start();
    this.#schedule();
  }

  /** A new session for the same member: the old one is unknown, most often because the relay was restarted. */
  rejoin() {
    this.#rejoining ??= this.#insist().finally(() => (this.#rejoining = null));
    return this.#rejoining;
  }

  /** Joins until it works. */
  async #insist() {
    for (let tries = 0; !this.#ended.signal.aborted; tries++) {
      try {
        if (await this.#join()) return;
      } catch (error) {
        this.#handler.status({ state: 'blocked', reason: error instanceof Error ? error.message : String(error), rung: '0' });
      }
      await this.#pause(RETRY[Math.min(tries, RETRY.length - 1)]);
    }
  }

  /** One attempt. False if the network did not let it through. */
  async #join() {
    const card = b64u(await this.#handler.card());
    this.#card = card;
    const known = this.#handler.known();
    const [access, secret] = [b64u(this.#keys.access), b64u(this.#secret)];
    try {
      const joined = await this.#api.join({ access, secret, card, cursor: this.#saved ?? undefined, known }, { signal: this.#ended.signal });
      await this.inTurn(() => this.#joined(joined));
      return true;
    } catch (error) {
      if (this.#ended.signal.aborted) return false;
      const refused = error instanceof RelayError && error.http !== 429 && error.http < 500;
      if (refused) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      this.#handler.status({ state: error instanceof BlockedError || error instanceof RelayError ? 'blocked' : 'offline', reason, rung: '0' });
      return false;
    }
  }

  /** @param {Joined} joined */
  async #joined(joined) {
    if (this.#ended.signal.aborted) return;
    const anew = this.#cursor !== null && epochOf(this.#cursor) !== epochOf(joined.cursor);
    this.#session = joined.session;
    // In the same life of the room we may have read on while the join was under way.
    if (anew || this.#cursor === null || this.#isNext(joined.cursor)) this.#cursor = joined.cursor;
    this.roster = joined.roster;
    await this.#handler.joined(joined, anew);
    await this.#handler.saved();
    this.#saved = this.#cursor;
    this.#acks.sent(Date.now());
    this.#handler.acked(seqOf(joined.acked.through), joined.acked.expired ?? []);
  }

  /** @param {RelayEvent[]} events */
  #enqueue(events) {
    return this.inTurn(() => this.#handle(events));
  }

  /**
   * Joins and events are handled one after the other, as the relay has ordered them.
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  inTurn(work) {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch((error) => this.#ended.signal.aborted || console.error('snug: an event could not be handled', error));
    return turn;
  }

  /** @param {RelayEvent[]} events */
  async #handle(events) {
    let handled = false;
    for (const event of events) {
      if (this.#ended.signal.aborted) return;
      if (event.id && !this.#isNext(event.id)) continue; // a change of transport reads some twice
      if (performance.now() - this.#breathed > BREATH) {
        await breath();
        this.#breathed = performance.now();
      }
      const taking = this.#step(event);
      this.#taking = taking;
      const step = await taking.finally(() => (this.#taking = null));
      if (this.#ended.signal.aborted) return; // the event was the end of our stay
      handled ||= step;
    }
    if (!handled) return;
    await this.#handler.saved();
    this.#saved = this.#cursor;
    this.#acks.handled(Date.now(), this.#near || globalThis.document?.hidden);
    this.#schedule();
  }

  /** Handles an event and stands behind it. False if it has no place. @param {RelayEvent} event */
  async #step(event) {
    const place = await this.#take(event);
    if (place && !this.#ended.signal.aborted) this.#cursor = place;
    return Boolean(place);
  }

  /** Whether an event is half handled. */
  get busy() {
    return this.#taking !== null;
  }

  /** Resolves when the event that is half handled is handled; false if the end of the stay came first. */
  async settled() {
    await Promise.race([this.#taking?.catch(() => undefined), this.#over]);
    return !(this.#taking && this.#ended.signal.aborted);
  }

  /** @param {string} id */
  #isNext(id) {
    return this.#cursor !== null && epochOf(id) === epochOf(this.#cursor) && seqOf(id) > seqOf(this.#cursor);
  }

  /** Handles an event. Gives the place behind it, if it has one. @param {RelayEvent} event */
  async #take(event) {
    const { data } = event;
    this.#near = nearAfter(event, this.#near);
    if (Array.isArray(data.away)) this.#handler.away(data.away);
    const acked = event.event === 'acked' ? data : data.acked;
    if (acked?.through) this.#handler.acked(seqOf(acked.through), acked.expired ?? []);
    await this.#handler.event(event);
    // Only now: what is sealed from here on is sealed for them.
    if (['joined', 'left', 'card'].includes(event.event)) this.roster = Math.max(this.roster, seqOf(event.id));
    // A poll tells where the reader stands after skipping its own messages.
    return event.event === 'polled' && this.#isNext(data.cursor) ? data.cursor : event.id;
  }

  /** Who we are to the relay. Throws NetworkError until it has taken us in. */
  get #id() {
    if (!this.#session) throw new NetworkError('the room is not open yet');
    return this.#session;
  }

  /** @param {string} id @param {Uint8Array} frame @param {number | null} roster */
  async post(id, frame, roster) {
    return this.#api.post(this.#id, id, exact(frame), { roster, signal: this.#ended.signal });
  }

  /** @param {Uint8Array} card */
  async card(card) {
    await this.#api.card(this.#id, exact(card), { signal: this.#ended.signal });
  }

  /** The largest piece of a file that is worth trying. */
  get pieceSize() {
    return this.#api.pieceSize;
  }

  /** @param {string} id @param {Uint8Array<ArrayBuffer>} bytes @param {AbortSignal} signal */
  async putChunk(id, bytes, signal) {
    return this.#api.putChunk(this.#id, id, bytes, { signal: AbortSignal.any([this.#ended.signal, signal]) });
  }

  /** @param {string} id @param {number} size @param {number} hold seconds @param {AbortSignal} signal */
  async chunk(id, size, hold, signal) {
    return this.#api.chunk(this.#id, id, size, { hold, signal: AbortSignal.any([this.#ended.signal, signal]) });
  }

  /** Resolves when others have fetched all that is out of a transfer, or after `hold` seconds. @param {string} file @param {number} hold @param {AbortSignal} signal */
  async collected(file, hold, signal) {
    return this.#api.collected(this.#id, file, hold, AbortSignal.any([this.#ended.signal, signal]));
  }

  /** Tells the relay which chunks are here, and of which transfers none is wanted. @param {string[]} got @param {string[]} skip @param {AbortSignal} signal */
  async tellChunks(got, skip, signal) {
    const through = this.#saved ?? '';
    await this.#api.ack(this.#id, through, { got, skip, signal: AbortSignal.any([this.#ended.signal, signal]) });
  }

  /** Tells the relay that no file is wanted that has begun. */
  async skipFiles() {
    await this.#api.ack(this.#id, this.#saved ?? '', { skipAll: true, signal: this.#ended.signal });
  }

  async members() {
    return this.#api.members(this.#id, { signal: this.#ended.signal });
  }

  /** @param {string} id @param {Uint8Array} note */
  async answerKnock(id, note) {
    return this.#api.knockAnswer(this.#id, id, exact(note), { signal: this.#ended.signal });
  }

  /**
   * Reads on until everything before a place of the log was handled, whatever the stream and the network do. False if there is no such
   * place any more: the relay was restarted, or we left; or that it was not reached.
   * @param {string} cursor
   * @param {number} [most] polls
   */
  async catchUp(cursor, most = Infinity) {
    const { signal } = this.#ended;
    for (let tries = 0; tries < most && !signal.aborted; tries++) {
      if (!this.#cursor || epochOf(cursor) !== epochOf(this.#cursor)) return false;
      try {
        const { events, ...rest } = await this.#api.poll({ s: this.#session, after: this.#saved ?? this.#cursor, hold: 0 }, { signal });
        await this.#enqueue([...events.map((each) => ({ id: '', ...each })), { event: 'polled', id: '', data: rest }]);
        if (!signal.aborted && seqOf(rest.cursor) >= seqOf(cursor)) return true;
      } catch (error) {
        if (signal.aborted) return false;
        if (error instanceof RelayError && error.rejoin) await this.rejoin();
        else await this.#pause(RETRY[Math.min(tries, RETRY.length - 1)]);
      }
    }
    return false;
  }

  /** The page is hidden or shown, or the network changed: tell what was handled, and look at the line. @param {boolean} hidden */
  look(hidden) {
    if (hidden) this.#acks.hurry(Date.now());
    this.#wake();
    this.#schedule();
  }

  /** We have just sent something: an answer may be near. */
  active() {
    this.#transport?.active();
  }

  /**
   * Leaves the room for good.
   * @param {boolean} unloading the page goes away and nobody can wait for the answer
   */
  async leave(unloading) {
    const session = this.#session;
    this.close();
    try {
      if (session) return await this.#api.leave(session, { unloading });
      if (unloading) return;
    } catch (error) {
      if (!(error instanceof RelayError && error.rejoin)) throw error;
    }
    // The relay was restarted, or has not answered yet: it may have us as a member all the same, or get us from the others.
    const { leaveAnew } = await part(() => import('./moves.js'));
    await leaveAnew(this.#api, this.#keys, { secret: this.#secret, card: this.#card, known: this.#handler.known() });
  }

  close() {
    this.#ended.abort(new DOMException('the room was left', 'AbortError'));
    clearTimeout(this.#ackTimer);
    this.#transport?.close();
    this.#wake();
  }

  /** Waits no longer for the network. */
  #wake() {
    for (const wake of this.#wakers) wake();
  }

  #schedule() {
    clearTimeout(this.#ackTimer);
    if (this.#ended.signal.aborted || !this.#saved) return;
    this.#ackTimer = setTimeout(() => void this.#ack(), Math.max(0, this.#acks.due - Date.now()));
  }

  async #ack() {
    const through = this.#saved;
    if (!through || this.#ended.signal.aborted) return;
    this.#acks.sent(Date.now());
    try {
      await this.#api.ack(this.#session, through, { signal: this.#ended.signal });
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      if (error instanceof RelayError && error.rejoin) await this.rejoin();
      // Anything else is the ladder's to notice; what was not acked is acked with the next.
      else this.#acks.failed(Date.now());
    }
    this.#schedule();
  }

  /** @param {number} ms */
  #pause(ms) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wakers.delete(wake);
        resolve(undefined);
      };
      const timer = setTimeout(wake, ms * (0.75 + Math.random() / 2));
      this.#wakers.add(wake);
    });
  }
}

/** Bytes on a buffer of their own, as fetch wants them. @param {Uint8Array} bytes */
const exact = (bytes) => new Uint8Array(bytes);

/** @param {string} cursor */
export const epochOf = (cursor) => cursor.slice(0, cursor.indexOf('.'));

/** @param {string} cursor */
export const seqOf = (cursor) => Number(cursor.slice(cursor.indexOf('.') + 1));

/**
 * What this member has posted and not everybody has yet. An entry stays, with its sealed bytes and its message ids, until the
 * relay says that every member acked it; after a restart of the relay it is posted again as it is, and receivers drop what they had.
 * Posting is one at a time and in order, and never waits for the stream.
 */

/** @typedef {{type: number, bytes: Uint8Array, to?: string[]}} Frame to: whom a keys frame is sealed to */
/** @typedef {'queued' | 'sent' | 'all' | 'expired' | 'failed'} State */

/**
 * @typedef {object} Letter one thing to send, sealed when its turn comes: content, or a frame of another kind
 * @property {object} [content]
 * @property {() => Promise<Frame>} [make] the frame; for whoever is in the room then
 * @property {string} key of its item in the timeline; '' for what is not shown
 * @property {number} [at] ms since 1970 when it was written
 * @property {(state: State, reason: string, posted?: import('../net/relay.js').Posted) => void} [tell] besides the session's
 */

/**
 * @typedef {object} Entry a sealed frame under its message id
 * @property {string} id
 * @property {Frame} frame
 * @property {Letter} letter
 * @property {number} seq 0 until the relay has it
 * @property {number | null} roster number of the list of members it was sealed for; null if it goes out whoever came since
 * @property {boolean} [had] the relay had it once, so somebody may have read it
 */

/**
 * What another tab needs to go on, or this one after a reload.
 * @typedef {{letters: Letter[], entries: Entry[]}} OutboxState
 */

/** @typedef {import('./types.js').Post} Post */

const REPOST = [500, 1000, 2000, 4000, 8000, 15_000, 30_000]; // ms; the stream's ladder finds out sooner when the network is back and wakes us
const UNSURE = 100; // messages that everybody has and that lie behind what was read
const STALE = 3; // posts refused for an old roster before it goes anyway; newcomers then see "sent before you were known"

export class Outbox {
  #session;
  #letters = /** @type {Letter[]} */ ([]);
  #entries = /** @type {Entry[]} */ ([]);
  #wake = () => {};
  #open = false;
  #held = false;
  #life = 0; // of the relay
  #running = false;
  #closed = false;
  /** @type {Letter | null} */ #sealing = null;
  #through = 0;
  /** @type {number[]} */ #expired = [];
  /** What all who are left have, behind what we have read: a move may lie before it. @type {{letter: Letter, seq: number}[]} */ #unsure = [];
  #fails = 0;
  #stale = 0;

  /** @param {Post} session */
  constructor(session) {
    this.#session = session;
  }

  /** How many letters not everybody has. */
  get size() {
    return this.#letters.length + this.#entries.filter((entry) => entry.frame.type === MESSAGE).length;
  }

  /** What to hand on; a move is for this page to finish. @returns {OutboxState} */
  export() {
    const plain = (/** @type {Letter} */ { tell, ...letter }) => letter;
    const waiting = this.#sealing ? [this.#sealing, ...this.#letters] : this.#letters;
    const letters = new Map([...waiting, ...this.#entries.map((entry) => entry.letter)].map((letter) => [letter, plain(letter)]));
    const of = (/** @type {Letter} */ letter) => /** @type {Letter} */ (letters.get(letter));
    const entries = this.#entries.filter(({ letter }) => letter.content).map((entry) => ({ ...entry, letter: of(entry.letter) }));
    return { letters: waiting.filter(({ content }) => content).map(of), entries };
  }

  /** Whether a letter is here, and not with everybody. @param {string} key */
  has(key) {
    const { letters, entries } = this.export();
    return [...letters, ...entries.map(({ letter }) => letter)].some((letter) => letter.key === key);
  }

  /** Goes on where another outbox was. @param {OutboxState} state */
  resume({ letters, entries }) {
    this.#letters.unshift(...letters);
    this.#entries.unshift(...entries.map((entry) => ({ ...entry, had: true }))); // the state may be from before the answer
  }

  /** @param {Letter} letter */
  add(letter) {
    this.#letters.push(letter);
    void this.#run();
  }

  /** We are in the room, or the network may be back: try now instead of at the end of the wait. */
  poke() {
    this.#open = true;
    this.#wake();
    void this.#run();
  }

  /**
   * What the relay says of our messages: all up to a place are waited for no more; some of them were freed by time first.
   * @param {number} through
   * @param {number[]} [expired]
   */
  acked(through, expired = []) {
    [this.#through, this.#expired] = [through, expired];
    const [over, open] = split(this.#entries, (entry) => entry.seq > 0 && entry.seq <= through);
    this.#entries = open;
    const read = this.#session.read();
    this.#unsure = [...this.#unsure, ...over.filter(({ frame }) => frame.type === MESSAGE)].filter(({ seq }) => seq > read).slice(-UNSURE);
    for (const { letter, frame, seq } of over) {
      if (frame.type !== MESSAGE) continue;
      const late = expired.includes(seq);
      this.#tell(letter, late ? 'expired' : 'all', late ? 'Not everybody collected it before the relay let it go.' : '');
    }
  }

  /** The relay has taken us in anew: nothing goes out before `goOn`, when it is known who is there and what the relay still has. */
  hold() {
    this.#held = true;
  }

  /** @param {boolean} anew the relay was restarted and has nothing: what not everybody has goes out again, under the same ids */
  goOn(anew) {
    this.#held = false;
    if (anew) {
      this.#life++;
      this.#through = 0;
      this.#unsure = [];
      // What nobody can have read is sealed for those who are here now; numbers of the old list mean nothing any more.
      for (const entry of this.#entries) Object.assign(entry, { seq: 0, roster: entry.had ? null : 0 });
    }
    this.poke();
  }

  /** Takes back what was not sealed yet. False if it is too late. @param {string} key of its item */
  withdraw(key) {
    const at = this.#letters.findIndex((letter) => letter.key === key);
    if (at >= 0) this.#letters.splice(at, 1);
    return at >= 0;
  }

  /** What the relay had is not posted again, whatever becomes of it there. @param {string} key of its item */
  async forget(key) {
    const [gone, open] = split(this.#entries, (entry) => entry.letter.key === key && (entry.seq > 0 || entry.had === true));
    this.#entries = open;
    this.#unsure = this.#unsure.filter(({ letter }) => letter.key !== key);
    await this.#unsealed(gone.map(({ frame }) => frame));
  }

  /** Posts nothing any more; what is under way may or may not arrive. */
  halt() {
    this.#closed = true;
    this.#wake();
  }

  /**
   * The room moved, at a place of its log: what goes out in the new room, sealed anew. That is also what was posted behind this place, where
   * nobody reads on; a reader drops what it has by the id in the content. What lies before is the old room's matter.
   * @param {number} place
   */
  left(place) {
    this.halt();
    const open = [...this.#unsure, ...this.#entries].filter(({ seq }) => seq === 0 || seq > place).map(({ letter }) => letter);
    return [...new Set([...open, ...(this.#sealing ? [this.#sealing] : []), ...this.#letters])].filter(({ content }) => content);
  }

  /** Keys of the items before a place that not everybody has. @param {number} place */
  unread(place) {
    return this.#entries.filter(({ seq, frame, letter }) => seq > 0 && seq <= place && frame.type === MESSAGE && letter.key).map(({ letter }) => letter.key);
  }

  close() {
    this.#unsure = [];
    for (const letter of this.left(Infinity)) this.#tell(letter, 'failed', 'The room was left before this was sent.');
  }

  /** The one loop that posts. It ends when there is nothing to post and is started again by add. */
  async #run() {
    if (this.#running || !this.#open) return;
    this.#running = true;
    for (let step; (step = this.#step()); ) {
      await step.catch((error) => {
        if (!this.#closed) console.error('snug: a message waits', error);
        return this.#pause(REPOST[0]);
      });
    }
    this.#running = false;
  }

  /** Posts the oldest that is not posted, or seals the next one. Null when there is nothing to do. */
  #step() {
    if (this.#closed || this.#held) return null;
    const entry = this.#entries.find(({ seq }) => seq === 0);
    if (entry) return this.#post(entry);
    const letter = this.#letters.shift();
    return letter ? this.#seal(letter) : null;
  }

  /** @param {Letter} letter */
  async #seal(letter) {
    const [roster, life] = [this.#session.roster(), this.#life]; // from before: who comes meanwhile was not sealed for
    this.#sealing = letter;
    try {
      const frames = letter.make ? [await letter.make()] : await this.#session.seal(letter.content ?? {});
      if (this.#closed) return;
      for (const frame of frames) this.#entries.push({ id: b64u(random(16)), frame, letter, seq: 0, roster: life === this.#life ? roster : 0 });
      this.#sealing = null;
      await this.#session.sealed(); // sealed, so that whoever goes on from there posts these very bytes
    } catch (error) {
      if (this.#closed) return;
      // A fault of ours, not of the network. The letter must not look as if it were still on its way.
      console.error('snug: a message could not be sent', error);
      await this.#give(letter, error instanceof Error && error.message ? error.message : 'This browser could not encrypt it.');
    } finally {
      if (!this.#closed) this.#sealing = null;
    }
  }

  /** Frames that will never be posted: whoever was to get keys by them has none. @param {Frame[]} frames */
  async #unsealed(frames) {
    const to = frames.flatMap((frame) => frame.to ?? []);
    if (to.length > 0) await this.#session.owe(to).catch(() => undefined); // the room is closed
  }

  /** @param {Entry} entry */
  async #post(entry) {
    // Only messages ask for the newest roster: keys go to whom they were sealed for, whoever came meanwhile.
    const careful = entry.frame.type !== KEYS && this.#stale < STALE;
    try {
      const posted = await this.#session.post(entry.id, entry.frame.bytes, careful ? entry.roster : null);
      const [epoch, seq] = posted.cursor.split('.');
      const { had } = entry;
      entry.had = true;
      if (this.#closed || epoch !== this.#session.epoch()) return; // an answer from before the relay was restarted: again
      entry.seq = Number(seq);
      this.#fails = 0;
      if (entry.frame.type === KEYS) return;
      this.#stale = 0;
      this.#tell(entry.letter, 'sent', '', posted);
      if (entry.letter.content && !had) this.#session.posted(entry.letter.content, posted.cursor);
      this.acked(this.#through, this.#expired); // that may have come before this answer
    } catch (error) {
      await this.#failed(entry, error);
    }
  }

  /** @param {Entry} entry @param {unknown} error */
  async #failed(entry, error) {
    if (this.#closed) return;
    if (error instanceof RelayError && error.code === 'roster_stale' && error.roster) {
      // Sealed for an older list: take it back, learn who is here, seal again. The relay has stored nothing of it.
      this.#stale++;
      await this.#session.learn(error.roster);
      this.#entries = this.#entries.filter((each) => each !== entry);
      this.#letters.unshift(entry.letter);
      return;
    }
    if (error instanceof RelayError && error.rejoin) return this.#session.rejoin();
    const ours = !(error instanceof RelayError || error instanceof BlockedError || error instanceof NetworkError);
    const refused = error instanceof RelayError && error.http < 500 && error.http !== 429 && error.http !== 408;
    if (ours || refused) {
      if (ours) console.error('snug: a message could not be sent', error);
      await this.#give(entry.letter, error instanceof Error ? error.message : String(error));
      return;
    }
    if (error instanceof BlockedError && error.status === 413) {
      // It will be as big next time, and what waits behind it may be small.
      const size = Math.ceil(entry.frame.bytes.length / 1024);
      await this.#give(entry.letter, `too big for this network, which refuses a message of ${size} KiB; send less at a time (413)`);
      return;
    }
    this.#tell(entry.letter, 'queued', error.message);
    const retryAfter = error instanceof RelayError ? error.retryAfter * 1000 : 0;
    await this.#pause(Math.max(retryAfter, REPOST[Math.min(this.#fails++, REPOST.length - 1)]));
  }

  /** Gives a letter up, with all its frames. @param {Letter} letter @param {string} reason */
  async #give(letter, reason) {
    const [gone, open] = split(this.#entries, (each) => each.letter === letter && each.seq === 0);
    this.#entries = open;
    await this.#unsealed(gone.map(({ frame }) => frame));
    this.#tell(letter, 'failed', reason);
  }

  /** @param {Letter} letter @param {State} state @param {string} reason @param {import('../net/relay.js').Posted} [posted] */
  #tell(letter, state, reason, posted) {
    letter.tell?.(state, reason, posted);
    if (letter.key) this.#session.tell(letter.key, state, reason, posted);
  }

  /** Waits, jittered so that a room does not come back all at once, until woken. @param {number} ms */
  #pause(ms) {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), ms * (0.75 + Math.random() / 2));
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve(undefined);
      };
    });
  }
}

/**
 * @template T
 * @param {T[]} list
 * @param {(each: T) => boolean} yes
 * @returns {[T[], T[]]}
 */
function split(list, yes) {
  return [list.filter(yes), list.filter((each) => !yes(each))];
}
