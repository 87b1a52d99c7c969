// @ts-check
// Which rung carries the room: the heart of the ladder. Three things may run at a time. `live` is the stream that carries the room. `probe` is a
// stream that has yet to show that it gets through: the first one, or a shadow beside polls or beside an older stream. `pull` is requests that end
// with their answer: batches and polls. Whatever is untried is tried beside something that works, and a poll is the control: silence counts
// against a rung only if a poll got through meanwhile; otherwise the network is down, and the rung is tried again when it is back.

import { Board } from './board.js';
import { Pull, backoff } from './pull.js';
import { Streams } from './streams.js';
import { Climb, MAX_WAIT, gateway, waitOf } from './waits.js';

/** @import { Action, How, Input, Memory, Rung, State, Stream } from './moves.js' */

const BRIDGE = 2000; // without a stream for this long, polls begin
const STEADY = 60_000; // a stream of this age has proved its network
const SHAKEN = 5000; // a death this soon after a change of network teaches nothing
const NEVER = Infinity;

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
    if (i.in === 'bye') this.#bye(s, i);
  }

  /** @param {Stream} s @param {Input} i */
  #onProbe(s, i) {
    if (i.in === 'hello') {
      this.#streams.hello(s, this.now, i.hb);
      if (!s.trial) this.#promote(s);
    } else if (i.in === 'hb' || i.in === 'event') {
      s.last = this.now;
      if (i.in === 'hb' && s.hello) this.#promote(s);
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
    if (why === 'shutdown') this.board.down = { state: 'connecting', reason: 'the relay starts anew' };
    const least = why === 'life' || why === 'shutdown' ? 0 : backoff(this.#streams.curt, this.r);
    this.#streamAt = this.now + Math.max(least, Math.min(delay, MAX_WAIT));
    this.#bridgeAt = this.#streamAt + BRIDGE; // not before: the relay spreads its clients
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
