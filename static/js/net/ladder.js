// @ts-check

// The waits of the ladder that have a memory of their own: between climbs, and between attempts to join again. Milliseconds.

const FIRST = 60_000;
const MAX = 600_000;
const REST = 10_000; // between two climbs, however often the page is shown and hidden
const SOON = 5000; // a session that ends this soon after a join is no better than a failed join
/** @import { Action, How, Input, Memory, Rung, State, Status, Stream } from './moves.js' */

const NEVER = Infinity;

/** The longest wait that a Retry-After can ask for. */
export const MAX_WAIT = 600_000;

/** What a gateway answers whose way is broken: it says nothing about streams. @param {number} [status] */
export const gateway = (status) => status === 429 || status === 502 || status === 503 || status === 504;

/** @param {number} [seconds] of a Retry-After */
export const waitOf = (seconds = 0) => Math.min(MAX_WAIT, 1000 * seconds);

/** When to try for a stream again from below: after a minute, doubling to ten. */
export class Climb {
  at = NEVER;
  #delay = FIRST;
  #last = -NEVER;

  /** @param {number} now */
  begin(now) {
    this.#last = now;
    this.at = NEVER;
  }

  /** @param {number} now @param {number} [least] */
  later(now, least = 0) {
    this.at = now + Math.max(this.#delay, least);
  }

  /** Something speaks for trying at once; answers whether to. @param {number} now */
  soon(now) {
    if (now - this.#last >= REST) return true;
    this.at = Math.min(this.at, this.#last + REST);
    return false;
  }

  failed() {
    this.#delay = Math.min(MAX, 2 * this.#delay);
  }

  reset() {
    this.#delay = FIRST;
  }
}

/** Whether the session is to be joined again before anything else. */
export class Rejoin {
  at = NEVER; // of the next attempt while one waits
  /** @type {'' | 'asked' | 'waiting'} */ #state = '';
  #fails = 0;
  #done = -NEVER;

  /** Nothing else may run. */
  get on() {
    return this.#state !== '';
  }

  /** The session is gone. Answers whether to join now. @param {number} now @param {number} r */
  need(now, r) {
    if (this.on) return false;
    if (now - this.#done >= SOON) this.#fails = 0;
    else return this.#wait(now, r);
    return this.#ask();
  }

  /** The wait is over, or cut short. Answers whether to join now. */
  hurry() {
    return this.#state === 'waiting' && this.#ask();
  }

  /** A join has ended. Answers whether the rest may go on. @param {boolean} ok @param {number} now @param {number} r */
  done(ok, now, r) {
    if (this.#state !== 'asked') return false;
    if (!ok) return this.#wait(now, r);
    this.#state = '';
    this.#done = now;
    return true;
  }

  #ask() {
    this.#state = 'asked';
    this.at = NEVER;
    return true;
  }

  /** @param {number} now @param {number} r */
  #wait(now, r) {
    this.#state = 'waiting';
    this.at = now + backoff(++this.#fails, r);
    return false;
  }
}

// What the status says, and from which observations. Part of the ladder.

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

// What the network lets a stream be: how long it may live and how long it may be silent, learned from the streams that died.

const MIN_HEARTBEAT = 5; // seconds; the relay gives no less
const MIN_LIFE = 5; // seconds, likewise
const DEFAULT_LIFE = 280; // seconds; what the relay does unasked
const QUIET = 4000; // silence before a cut that an idle limit may explain
const YOUNG = 5000; // streams that die younger than this are no better than polls

/** Times in milliseconds, but hb and life, which are asked of the relay in seconds; 0 asks for nothing. The Go ladder has the same machine. */
export class Lifespan {
  hb = 0;
  life = 0;
  /** @type {{age: number, quiet: boolean} | null} */ #last = null;
  #young = 0;
  #ended = 0; // planned ends since the last death
  #enough = 4; // planned ends after which a longer life is tried
  #grown = false;

  /** Deaths under 5 s in a row; what the wait before the next try grows with. */
  get young() {
    return this.#young;
  }

  /** @param {number} hb @param {number} life what the last visit ended with */
  recall(hb, life) {
    this.hb = hb;
    this.life = life;
  }

  /** A stream reached its planned end. Lives that were shortened for a network that has since changed grow back. */
  ended() {
    this.#young = 0;
    this.#last = null;
    if (this.life === 0 || ++this.#ended < this.#enough) return;
    this.#ended = 0;
    this.#grown = true;
    this.life = this.life * 2 < DEFAULT_LIFE ? this.life * 2 : 0;
  }

  /**
   * A stream died after its hello, `silence` after its last event; `mute` if nobody said so and the watchdog found out.
   * Answers whether streams are still worth while.
   * @param {number} age @param {number} silence @param {boolean} mute
   */
  died(age, silence, mute) {
    const before = this.#last;
    const quiet = mute || silence >= QUIET;
    this.#last = { age, quiet };
    this.#ended = 0;
    this.#young = age < YOUNG ? this.#young + 1 : 0;
    if (this.#young >= 3) return this.#hopeless();
    if (quiet && before?.quiet) this.hb = MIN_HEARTBEAT;
    const twice = before !== null && Math.abs(age - before.age) <= 1000 + 0.2 * Math.max(age, before.age);
    const limit = Math.min(age, before?.age ?? age);
    if ((!twice && !this.#grown) || limit < YOUNG) return true; // three young ones settle it
    if (limit < (MIN_LIFE + 1) * 1000) return this.#hopeless(); // the relay adds a tenth to the life it is asked for
    if (this.#grown) this.#enough = Math.min(64, this.#enough * 2);
    this.#grown = false;
    this.#last = null;
    this.life = Math.max(MIN_LIFE, Math.floor((0.75 * limit) / 1000));
    return true;
  }

  /** Another network: nothing learned holds. */
  reset() {
    this.hb = this.life = this.#young = this.#ended = 0;
    this.#enough = 4;
    this.#last = null;
    this.#grown = false;
  }

  #hopeless() {
    this.reset();
    return false;
  }
}

// The streams of a ladder: the one that carries the room, the one being tried, and what their failures say. Part of the ladder.

const HELLO = 4000; // a stream that has not said hello by then is held back somewhere
const PATIENCE = 2.5; // heartbeats of silence
const UNREAD = 3000; // an event at least so old was not held back until the relay gave up, which takes it longer
const LATE = 5000; // a timer this late was asleep with the page; events may be waiting behind it
const GRACE = 2000; // for those
const BRIEF = 5000; // streams that the relay ends sooner are not to be opened again at once
const DEFAULT_HB = 10; // seconds
const TRIAL_HB = 5; // seconds; a shadow is to be proved soon

/** When a stream counts as lost. @param {Stream | null} s */
const due = (s) => (!s ? NEVER : s.hello ? s.last + PATIENCE * s.hb : s.opened + HELLO);

export class Streams {
  /** @type {Stream | null} the one that carries the room */ live = null;
  /** @type {Stream | null} one that has yet to show that it gets through */ probe = null;
  /** @type {Rung} of the stream in use or in want */ rung = '0';
  span = new Lifespan();
  /** Streams in a row that the relay ended soon after they began. */
  curt = 0;
  #series = -1; // since when streams of this rung have been tried without a hello, -1 for not
  /** @type {How | ''} how the first form of stream failed, '' while it has not */ #first = '';

  get due() {
    return Math.min(due(this.live), due(this.probe));
  }

  /** @param {number} now @param {number} ch @param {Rung} rung @param {boolean} trial @returns {Action} */
  open(now, ch, rung, trial) {
    if (!trial && (rung !== this.rung || this.#series < 0)) this.#series = now;
    this.rung = rung;
    this.probe = { ch, rung, trial, opened: now, last: now, event: now, hb: 1000 * DEFAULT_HB, hello: false };
    return { do: 'open', ch, rung, hb: trial ? TRIAL_HB : this.span.hb, life: this.span.life, shadow: trial || this.live !== null };
  }

  /** @param {Stream} s @param {number} now @param {number} [hb] seconds, as the relay says */
  hello(s, now, hb) {
    s.hello = true;
    s.hb = 1000 * (hb || DEFAULT_HB);
    s.last = now;
  }

  /** The stream that was tried carries the room from here on. @param {Stream} s */
  promote(s) {
    this.clear();
    this.live = s;
    this.descend();
  }

  clear() {
    this.live = this.probe = null;
  }

  /** Forgets what failed so far. */
  descend() {
    this.#series = -1;
    this.#first = '';
  }

  /** The probe's time is up. @param {number} now */
  held(now) {
    return due(this.probe) <= now ? this.probe : null;
  }

  /** The live stream has been silent for too long. @param {number} now */
  silent(now) {
    return due(this.live) <= now ? this.live : null;
  }

  /** The page was asleep: grants a moment to what may have come meanwhile. Answers whether it was. @param {Stream} s @param {number} now */
  overslept(s, now) {
    if (now - due(s) <= LATE) return false;
    s.last = now + GRACE - PATIENCE * s.hb;
    return true;
  }

  /**
   * A stream that was to carry the room failed before its hello. Answers what is next: a control poll, the other form of stream, or a rung below.
   * @param {Stream} s @param {How} how @param {number} heardAt when a poll last got through
   * @returns {'control' | Rung}
   */
  failed(s, how, heardAt) {
    if (how !== 'refused' && heardAt <= this.#series) return 'control';
    if (this.#first) return this.#first === 'held' ? '1' : '2';
    this.#first = how;
    return s.rung === '0' ? '0b' : '0';
  }

  /** The live stream has ended. Answers its age. @param {Stream} s @param {number} now */
  ended(s, now) {
    const age = now - s.opened;
    this.live = null;
    this.curt = age < BRIEF ? this.curt + 1 : 0;
    return age;
  }

  /** It died without a word. Answers whether streams are still worth while. @param {Stream} s @param {number} now @param {boolean} mute */
  died(s, now, mute) {
    return this.span.died((mute ? s.last : now) - s.opened, now - s.last, mute);
  }
}

// Receiving by requests that end with their answer: which kind, for how long the relay may hold it, when the next one is due. Part of the ladder.

const LONGEST = 25; // seconds a poll is held; below the 30 s idle limit
const SHORTEST = 3;
const OWN_TIMEOUT = 5000; // over the hold
const TIMEOUT_MAX = 20_000; // of a poll that is not held, on a slow network
const PACE = 1000; // short polls while something goes on
const PACE_MAX = 10_000; // and while nothing does
const ENOUGH = 10; // good answers before a longer hold is tried
const ENOUGH_MAX = 80; // when longer ones keep failing
const APART = 1000; // between hello and end of a batch that was not held back

/** @param {number} n failures in a row @param {number} r random in [0,1) */
export const backoff = (n, r) => Math.round(Math.min(30_000, 500 * 2 ** Math.max(0, n - 1)) * (0.5 + r / 2));

/** Times in milliseconds, holds in seconds. At most one request is under way. The Go ladder has the same machine. */
export class Pull {
  on = false;
  /** The request under way, 0 for none. */
  ch = 0;
  /** When it counts as lost; with none under way, when the next one is sent. */
  due = NEVER;
  /** @type {Rung} 1, 2 or 3 */ rung = '2';
  hold = LONGEST;
  /** Batches have yet to show that they get through. */
  trial = false;
  /** Failures in a row of requests that were not held, so that nothing but the way can be to blame. */
  fails = 0;
  /** The request under way, or the last one, was one of the rung, not a short one on the side. */
  full = false;

  /** A batch has just shown that answers are no longer held back. */
  flowing = false;

  #fresh = false; // nothing has come yet: the first request is short, so that we soon know
  #stumbles = 0; // held requests that failed, in a row
  #asked = 0; // hold of that request
  #since = 0;
  #helloAt = -1; // when the batch under way said hello, -1 for not yet
  #watch = false; // batches arrive in one piece: the first that does not is news
  #timeout = OWN_TIMEOUT;
  #pace = PACE;
  #goods = 0;
  #enough = ENOUGH;
  #grown = false;
  /** @type {'' | 'lost' | 'refused'} a held request failed: was it the hold, or is the network down? A short one will tell. */ #doubt = '';

  /** @param {number} now */
  begin(now) {
    if (this.on) return;
    this.on = true;
    this.fails = 0;
    this.due = now;
    this.#fresh = true;
  }

  stop() {
    this.on = false;
    this.ch = 0;
    this.due = NEVER;
    this.#doubt = '';
  }

  /** Takes up a rung from its beginning. @param {Rung} rung @param {number} now */
  settle(rung, now) {
    this.rung = rung;
    this.hold = LONGEST;
    this.trial = rung === '1';
    this.#watch = false;
    this.#goods = this.#stumbles = 0;
    this.#enough = ENOUGH;
    this.#grown = false;
    this.#doubt = '';
    this.begin(now);
    this.resume(now);
  }

  /** What the rung was like the last time. @param {number} hold */
  recall(hold) {
    this.trial = false;
    if (hold > 0) this.hold = Math.min(LONGEST, Math.max(SHORTEST, hold));
  }

  /** Nothing runs beside the polls any more. @param {number} now */
  resume(now) {
    if (this.on && !this.ch && this.fails === 0) this.due = now;
  }

  /** A stream is being tried: a held request makes way for short ones. Returns the request to close, 0 for none. @param {number} now */
  shorten(now) {
    const ch = this.#asked > 0 ? this.ch : 0;
    if (ch) {
      this.ch = 0;
      this.due = now;
    }
    return ch;
  }

  /** Waiting is over. @param {number} now @param {boolean} dropped the request under way is given up too */
  hurry(now, dropped) {
    if (dropped) this.ch = 0;
    this.fails = 0;
    this.#pace = PACE;
    if (this.on && !this.ch) this.due = now;
  }

  /** The user does something, so answers are near. @param {number} now */
  active(now) {
    this.#pace = PACE;
    if (this.on && !this.ch && this.fails === 0) this.due = Math.min(this.due, now + PACE);
  }

  /**
   * Sends the next request. @param {number} now @param {number} ch @param {boolean} full nothing runs beside it, so it may be held
   * @returns {Action}
   */
  send(now, ch, full) {
    this.full = full && !this.#fresh && this.#doubt === '';
    this.#asked = !this.full || this.rung === '3' ? 0 : this.trial ? 1 : this.hold;
    this.ch = ch;
    this.#since = now;
    this.#helloAt = -1;
    this.due = now + 1000 * this.#asked + (this.#asked > 0 ? OWN_TIMEOUT : this.#timeout);
    return { do: this.full && this.rung === '1' ? 'batch' : 'poll', ch, hold: this.#asked };
  }

  /** The request under way if its time is up, else 0. @param {number} now */
  late(now) {
    if (!this.ch || this.due > now) return 0;
    if (now - this.due > LATE) {
      this.due = now + GRACE;
      return 0;
    }
    if (this.#asked === 0) this.#timeout = Math.min(TIMEOUT_MAX, this.#timeout * 2);
    return this.ch;
  }

  /** The batch under way has begun to arrive. @param {number} now */
  hello(now) {
    this.#helloAt = now;
  }

  /** A good answer with n events. @param {number} now @param {number} n @param {boolean} full the next one may be held */
  good(now, n, full) {
    const whole = 2 * (now - this.#since) >= 1000 * this.#asked; // it was held for about as long as asked
    this.#look(now);
    this.ch = 0;
    this.fails = 0;
    this.#timeout = OWN_TIMEOUT;
    this.#pace = n > 0 ? PACE : Math.min(PACE_MAX, Math.floor(this.#pace * 1.5));
    this.due = now;
    this.#fresh = false;
    if (this.#doubt) this.#shrink();
    else if (!this.full) this.due = full ? now : now + PACE;
    else {
      this.trial = false;
      this.#stumbles = 0;
      if (whole && ++this.#goods >= this.#enough) this.#grow();
      if (this.rung === '3') this.due = now + this.#pace;
      else if (n === 0 && !whole) this.due = now + PACE; // an answer before its time must not become a busy loop
    }
  }

  /** @param {number} now @param {number} r @param {boolean} refused by an answer, not by silence @param {number} wait at least that long */
  failed(now, r, refused, wait) {
    this.ch = 0;
    if (this.#asked > 0) {
      this.#doubt = refused ? 'refused' : 'lost';
      this.due = now + Math.max(wait, Math.round(250 * r));
      return;
    }
    this.#doubt = '';
    this.due = now + Math.max(wait, backoff(++this.fails, r));
  }

  /** The relay itself asked to wait: the way is open. @param {number} now @param {number} wait */
  told(now, wait) {
    this.ch = 0;
    this.due = now + wait;
  }

  /** A batch says hello at once. A network that holds answers back lets us have that with the end only. @param {number} now */
  #look(now) {
    const early = this.#helloAt >= 0 && now - this.#helloAt >= APART;
    this.flowing = early && this.#watch;
    if (this.flowing) this.#watch = false;
    else if (this.#helloAt >= 0 && !early && now - this.#since >= 3 * APART) this.#watch = true;
  }

  #grow() {
    this.#goods = 0;
    if (this.rung === '3') {
      this.rung = '2';
      this.hold = SHORTEST;
    } else if (this.hold < LONGEST) this.hold = Math.min(LONGEST, Math.floor(this.hold * 1.5));
    else return;
    this.#grown = true;
  }

  #shrink() {
    this.#stumbles++;
    const refused = this.#doubt === 'refused';
    this.#doubt = '';
    this.#goods = 0;
    if (this.#grown) this.#enough = Math.min(ENOUGH_MAX, this.#enough * 2);
    this.#grown = false;
    if (this.rung === '1' && (this.trial || refused)) {
      this.rung = '2';
      this.hold = LONGEST;
    } else if (this.hold > SHORTEST) this.hold = Math.max(SHORTEST, Math.floor(this.hold / 2));
    else if (this.#stumbles < 2) return; // any connection may break once
    else if (this.rung === '1') {
      this.rung = '2';
      this.hold = 2 * SHORTEST;
    } else this.rung = '3';
    this.trial = false;
  }
}

// Which rung carries the room: the heart of the ladder. Three things may run at a time. `live` is the stream that carries the room. `probe` is a
// stream that has yet to show that it gets through: the first one, or a shadow beside polls or beside an older stream. `pull` is requests that end
// with their answer: batches and polls. Whatever is untried is tried beside something that works, and a poll is the control: silence counts
// against a rung only if a poll got through meanwhile; otherwise the network is down, and the rung is tried again when it is back.

const BRIDGE = 2000; // without a stream for this long, polls begin
const STEADY = 60_000; // a stream of this age has proved its network
const SHAKEN = 5000; // a death this soon after a change of network teaches nothing

/** The machine below Ladder, which has joining and remembering. It writes what to do to `out`; `now` and `r` are those of the input. */
export class Rungs {
  now = 0;
  r = 0;
  /** @type {Action[]} */ out = [];
  board = new Board();
  #ch = 0; // the newest request
  #streams = new Streams();
  #pull = new Pull();
  #climb = new Climb();
  #streamAt = NEVER; // when the next stream opens
  #bridgeAt = NEVER; // when polls begin unless a stream is there
  #control = false; // the stream opens again when a poll has got through
  #settled = false; // below the streams until a climb succeeds
  #shaken = -NEVER; // when the network last changed

  get deadline() {
    return Math.min(this.#streams.due, this.#streamAt, this.#bridgeAt, this.#climb.at, this.#pull.due);
  }

  /** Whether a request is under way and has not been closed. @param {number} ch */
  has(ch) {
    return ch === this.#streams.live?.ch || ch === this.#streams.probe?.ch || ch === this.#pull.ch;
  }

  /** @param {Memory} memory */
  start(memory) {
    this.#streams.span.recall(memory.hb ?? 0, memory.life ?? 0);
    if (memory.rung === '0' || memory.rung === '0b') return this.#open(memory.rung, false);
    this.#settle(memory.rung, 'as it was here before');
    this.#pull.recall(memory.hold ?? 0);
    this.#tryClimb(); // a page may wake up in another network
  }

  /** Goes on after stop, where it was. */
  resume() {
    if (!this.#settled) return this.#open(this.#streams.rung, false);
    this.#bridge();
    this.#climbSoon();
  }

  /** Ends whatever runs. */
  stop() {
    this.#drop(0);
  }

  /** News of a request that is under way. @param {Input} i */
  take(i) {
    const { live, probe } = this.#streams;
    if (live && live.ch === i.ch) this.#onLive(live, i);
    else if (probe && probe.ch === i.ch) this.#onProbe(probe, i);
    else this.#onPull(i);
  }

  active() {
    this.#pull.active(this.now);
  }

  timer() {
    const { now } = this;
    const held = this.#streams.held(now);
    if (held) this.#failed(held, 'held', 0, true);
    const silent = this.#streams.silent(now);
    if (silent && this.#streams.overslept(silent, now)) this.#shaken = now;
    else if (silent) this.#died(silent, true);
    if (this.#streamAt <= now) this.#open(this.#streams.rung, false);
    if (this.#bridgeAt <= now) this.#bridge();
    if (this.#climb.at <= now) this.#tryClimb();
    const late = this.#pull.late(now);
    if (late) this.#close(late);
    if (late) this.#pullFailed('offline', 'the relay does not answer', 0);
    if (!this.#pull.ch && this.#pull.due <= now) this.out.push(this.#pull.send(now, ++this.#ch, this.#settled && !this.#streams.probe));
  }

  /** The network may be another one. @param {boolean} gentle only the page came to the front */
  wake(gentle) {
    const { now } = this;
    const { live, probe, span } = this.#streams;
    if (!gentle) {
      this.#shaken = now;
      this.#climb.reset();
      span.reset();
      this.#close(this.#pull.ch);
    }
    this.#pull.hurry(now, !gentle);
    if (probe && gentle) return;
    if (probe) {
      this.#close(probe.ch);
      this.#open(probe.rung, probe.trial);
    } else if (live) {
      if (!gentle || now - live.last > 1.5 * live.hb) this.#open(live.rung, false);
    } else if (this.#settled) this.#climbSoon();
    else if (this.#streamAt !== NEVER) this.#streamAt = now;
  }

  /** The relay itself refuses a request and asks to wait: no fault of the way. @param {Input} i @param {number} wait */
  told(i, wait) {
    const { live, probe } = this.#streams;
    const own = probe?.ch === i.ch ? probe : null; // the stream was refused, not the poll
    if (own) this.#streams.probe = null;
    if (own?.trial) return this.#climbFailed(own, 'outage', wait);
    if (live) return;
    const patient = i.status === 429 || i.status === 503;
    this.board.down = { state: patient ? 'connecting' : 'blocked', reason: `the relay ${patient ? 'asks to wait' : 'refuses'}: ${i.code}` };
    if (!own) return this.#pull.told(this.now, wait);
    this.#streamAt = this.now + wait;
    if (!this.#pull.on) this.#bridgeAt = this.#streamAt + BRIDGE;
  }

  /** @param {Rung} rung @param {boolean} trial beside polls: it must show a heartbeat before it takes over */
  #open(rung, trial) {
    this.#streamAt = this.#climb.at = NEVER;
    this.#control = false;
    if (!this.#pull.on && !this.#streams.live) this.#bridgeAt = Math.min(this.#bridgeAt, this.now + BRIDGE);
    this.#close(this.#pull.shorten(this.now)); // a proxy may give us two connections, and sending needs one
    this.out.push(this.#streams.open(this.now, ++this.#ch, rung, trial));
  }

  #bridge() {
    this.#bridgeAt = NEVER;
    if (!this.#pull.on) this.board.unheard();
    this.#pull.begin(this.now);
  }

  #tryClimb() {
    this.#climb.begin(this.now);
    this.#open('0', true);
  }

  #climbSoon() {
    if (this.#climb.soon(this.now)) this.#tryClimb();
  }

  /** @param {Stream} s @param {Input} i */
  #onLive(s, i) {
    if (i.in === 'end') return this.#died(s, false);
    s.last = this.now;
    if (i.in === 'event') s.event = this.now;
    else if (i.in === 'bye') this.#bye(s, i);
  }

  /** @param {Stream} s @param {Input} i */
  #onProbe(s, i) {
    if (i.in === 'hello') {
      this.#streams.hello(s, this.now, i.hb);
      if (!s.trial) this.#promote(s);
    } else if (i.in === 'hb' || i.in === 'event') {
      s.last = this.now;
      if (i.in === 'event') s.event = this.now;
      else if (s.hello) this.#promote(s);
    } else if (i.in === 'refused') this.#failed(s, gateway(i.status) ? 'outage' : 'refused', waitOf(i.retryAfter), false);
    else this.#failed(s, i.in === 'error' ? 'outage' : 'held', 0, i.in === 'bye');
  }

  /** @param {Stream} s */
  #promote(s) {
    const shadow = s.trial || this.#streams.live !== null;
    this.#drop(s.ch);
    this.#streams.promote(s);
    this.#settled = false;
    this.board.down = null;
    if (shadow) this.out.push({ do: 'promote', ch: s.ch });
    this.out.push({ do: 'remember', rung: s.rung, hb: this.#streams.span.hb, life: this.#streams.span.life });
  }

  /** A stream failed before it carried anything. @param {Stream} s @param {How} how @param {number} wait @param {boolean} open it still is */
  #failed(s, how, wait, open) {
    const { live } = this.#streams;
    this.#streams.probe = null;
    if (open) this.#close(s.ch);
    if (s.trial) return this.#climbFailed(s, how, wait);
    if (live && live.last > s.opened) return; // the older stream is well: it goes on
    if (live) this.#close(live.ch);
    this.#streams.live = null;
    const next = this.#streams.failed(s, how, this.board.heardAt);
    if (next === 'control') this.#wait(wait);
    else if (next === '1') this.#settleFor('held');
    else if (next === '2') this.#settleFor('refused');
    else this.#open(next, false);
  }

  /** Until a poll gets through; then the stream is opened again. @param {number} least */
  #wait(least) {
    this.#control = true;
    this.#bridge();
    if (!least) return;
    this.#close(this.#pull.ch);
    this.#pull.told(this.now, least);
  }

  /** @param {Stream} s @param {How} how @param {number} wait */
  #climbFailed(s, how, wait) {
    const lost = how === 'outage' || this.board.heardAt <= s.opened; // nothing gets through, which is no fault of streams
    if (!this.#settled && lost) return this.#wait(wait);
    if (s.rung === '0' && !s.hello && how !== 'outage') return this.#open('0b', true);
    if (!this.#settled) {
      this.#settleFor(how);
      this.#climb.failed(); // see died
      return;
    }
    if (how === 'held') this.#climb.failed(); // a refusal is quick and costs little, an outage says nothing about streams
    this.#climb.later(this.now, wait);
    this.#pull.resume(this.now);
  }

  /** Goes below the streams for what was done to them. @param {How} how */
  #settleFor(how) {
    if (how === 'refused') this.#settle('2', 'the network refuses live answers');
    else this.#settle('1', 'the network holds live answers back');
  }

  /** @param {Rung} rung @param {string} why */
  #settle(rung, why) {
    this.#settled = true;
    this.board.why = why;
    this.#streams.descend();
    this.#streamAt = NEVER;
    this.#bridge();
    this.#pull.settle(rung, this.now);
    this.#climb.later(this.now);
  }

  /** The live stream died without a word. @param {Stream} s @param {boolean} mute nobody said so, the watchdog found out */
  #died(s, mute) {
    const now = this.now;
    const learn = !this.board.offline && now - this.#shaken > SHAKEN;
    const hopeful = !learn || this.#streams.died(s, now, mute);
    if (mute) this.#close(s.ch);
    this.#ended(s);
    if (this.#streams.probe) return; // its successor is on the way
    if (!hopeful) {
      this.#settle('1', 'the network cuts live answers off');
      this.#climb.failed(); // the first climb comes soon all the same; a stream that takes over and dies again is not to happen each minute
    } else if (mute || 2 * (now - s.last) > 3 * s.hb) { // a heartbeat was due, so it may have been held back before the end
      this.#bridge(); // a network that lets a hello through and keeps what follows is found out by a heartbeat only
      this.#open(s.rung, true);
    } else this.#streamAt = now + backoff(this.#streams.span.young, this.r);
  }

  /** The relay ended the live stream as planned. @param {Stream} s @param {Input} i */
  #bye(s, { why, delay = 0 }) {
    this.#close(s.ch);
    this.#ended(s);
    if (why === 'life') this.#streams.span.ended();
    if (this.#streams.probe) return;
    if (why === 'held') return this.#unread(s);
    if (why === 'shutdown') this.board.down = { state: 'connecting', reason: 'the relay starts anew' };
    const least = why === 'life' || why === 'shutdown' ? 0 : backoff(this.#streams.curt, this.r);
    this.#streamAt = this.now + Math.max(least, Math.min(delay, MAX_WAIT));
    this.#bridgeAt = this.#streamAt + BRIDGE; // not before: the relay spreads its clients
  }

  /** The relay has waited for the ack of an event. @param {Stream} s */
  #unread(s) {
    if (this.now - s.event >= UNREAD) return this.#open(s.rung, false); // only the ack is late, which the next stream need not suffer for
    this.#settleFor('held'); // it came with the end
    this.#climb.failed(); // see died
  }

  /** @param {Stream} s */
  #ended(s) {
    this.#bridgeAt = this.now + BRIDGE;
    if (this.#streams.ended(s, this.now) >= STEADY) this.#climb.reset();
  }

  /** @param {Input} i */
  #onPull(i) {
    if (i.in === 'good') this.#pullGood(i.n ?? 0);
    else if (i.in === 'refused') this.#pullFailed('blocked', i.hint ?? '', waitOf(i.retryAfter));
    else if (i.in === 'error') this.#pullFailed('offline', 'the relay cannot be reached', 0);
    else if (i.in === 'end') this.#pullFailed('offline', 'answers break off', 0);
    else if (i.in === 'hello') this.#pull.hello(this.now);
    else if (i.in === 'bye') {
      this.#close(i.ch);
      this.#pull.told(this.now, Math.min(MAX_WAIT, Math.max(backoff(1, this.r), i.delay ?? 0)));
    }
  }

  /** @param {number} n */
  #pullGood(n) {
    const news = this.board.heard(this.now);
    this.#pull.good(this.now, n, this.#settled && !this.#streams.probe);
    if (this.#control) return this.#open(this.#streams.rung, false);
    if (!this.#settled || this.#streams.probe) return;
    if (this.#pull.full) this.out.push({ do: 'remember', rung: this.#pull.rung, hold: this.#pull.hold });
    if (!news && !this.#pull.flowing) return;
    this.#climb.reset(); // the way was closed and is open again, or is wider: it may be another way
    this.#climbSoon();
  }

  /** @param {State} state @param {string} reason @param {number} wait */
  #pullFailed(state, reason, wait) {
    this.#pull.failed(this.now, this.r, state === 'blocked', wait);
    if (this.#pull.fails > (state === 'blocked' ? 0 : 1)) this.board.down = { state, reason };
  }

  /** Ends whatever runs but the one. @param {number} but */
  #drop(but) {
    for (const ch of [this.#streams.live?.ch, this.#streams.probe?.ch, this.#pull.ch]) if (ch !== but) this.#close(ch);
    this.#streams.clear();
    this.#pull.stop();
    this.#streamAt = this.#bridgeAt = this.#climb.at = NEVER;
    this.#control = false;
  }

  /** @param {number} [ch] */
  #close(ch) {
    if (ch) this.out.push({ do: 'close', ch });
  }

  /** The status, if it changed. @param {boolean} joining */
  show(joining) {
    const { live, rung } = this.#streams;
    const polling = this.#pull.on;
    const used = live?.rung ?? (this.#settled ? this.#pull.rung : polling ? '3' : rung);
    this.out.push(...this.board.show({ rung: used, joining, live: live !== null, polling, settled: this.#settled }));
  }
}

// The ladder of transports as a pure machine: it takes what happened and says what to do. No clock, no network, no randomness of its own.
// client/ladder.go is the same machine; testdata/ladder holds the cases that both pass.

const DAY = 86_400_000; // that long a memory holds

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
