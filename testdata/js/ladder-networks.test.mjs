// The ladder against models of the networks that were measured (docs/ARCHITECTURE.md), on a clock of its own: within 10 s of the start something
// works, messages keep coming, and when the obstacle is gone a stream is back within 90 s.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ladder } from '../../static/js/net/ladder.js';

const S = 1000;
const SLOW_BACK = 680 * S; // where streams cost too much to be tried every minute, and nothing else tells
const FREE = { rtt: 40, stream: 'live', octets: 'live', batch: 'ok', poll: 'ok', idle: Infinity, life: Infinity, mute: false, answer: Infinity };

/**
 * What lies between. stream, octets: live | held | a refused status | error; batch, poll: ok | refused status | error;
 * idle, life: ms after which a connection is cut (mute: nobody is told); answer: the longest a batch or poll may take.
 */
const NETWORKS = {
  plain: {},
  'slow mobile': { rtt: 1200 },
  'haproxy without no-delay': { rtt: 210 },
  'held: gzip, lighttpd, mitmproxy, nginx-ignore': { stream: 'held', octets: 'held' },
  'held but octet-stream: privoxy, e2guardian': { stream: 'held' },
  'held, with an idle limit: privoxy-idle, mitm-strict': { stream: 'held', octets: 'held', answer: 5 * S },
  'held, with a short limit and no word': { stream: 'held', octets: 'held', answer: 7 * S, mute: true },
  'held and no batches': { stream: 'held', octets: 'held', batch: 403, back: SLOW_BACK },
  'held, no batches, polls of a second': { stream: 'held', octets: 'held', batch: 403, answer: 1.5 * S, slow: 12 * S, back: SLOW_BACK },
  'refused: squid-mime, block-es-octet': { stream: 403, octets: 403, batch: 403 },
  'refused but octet-stream: block-es': { stream: 403, batch: 403 },
  'block page with 200: block200': { stream: 200, batch: 200 },
  'refused by a gateway': { stream: 502, octets: 502, batch: 502 },
  'reset: no headers ever': { stream: 'error', octets: 'error', batch: 'error' },
  'idle limit 5 s: apache-idle, nginx-idle, squid-idle': { idle: 5 * S, answer: 5 * S, back: SLOW_BACK },
  'idle limit 8 s': { idle: 8 * S, answer: 8 * S },
  'idle limit 30 s': { idle: 30 * S, answer: 30 * S },
  'life 8 s: squid-life, mean-life': { life: 8 * S, answer: 8 * S },
  'life 60 s': { life: 60 * S },
  'black hole after 7 s: mean-blackhole': { life: 7 * S, answer: 7 * S, mute: true, back: SLOW_BACK },
  'black hole after 60 s': { life: 60 * S, mute: true },
};
const OUT = { rtt: 5, stream: 'error', octets: 'error', batch: 'error', poll: 'error' };
const PORTAL = { stream: 200, octets: 200, batch: 200, poll: 200 };

/** A relay behind a network, and a ladder before it. */
class Lab {
  now = 0;
  net = { ...FREE };
  log = []; // {t, state, rung}
  got = new Map(); // message -> when
  posted = [];
  memory = null;
  #queue = [];
  #order = 0;
  #open = new Map();
  #seed;
  constructor(seed = 1, ladder = new Ladder()) {
    this.#seed = seed;
    this.ladder = ladder;
  }

  random() {
    this.#seed = (this.#seed * 1103515245 + 12345) % 2 ** 31;
    return this.#seed / 2 ** 31;
  }

  at(t, run) {
    this.#queue.push({ t, order: this.#order++, run });
  }

  run(until) {
    for (;;) {
      this.#queue.sort((a, b) => a.t - b.t || a.order - b.order);
      const next = Math.min(this.#queue[0]?.t ?? Infinity, this.ladder.deadline);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      if (this.#queue[0]?.t === next) this.#queue.shift().run();
      else this.tell({ in: 'timer' });
    }
    this.now = until;
  }

  change(net) {
    this.net = { ...FREE, ...net };
    for (const c of [...this.#open.values()]) this.#end(c, 'end');
  }

  tell(news) {
    for (const a of this.ladder.step({ ...news, t: this.now, r: this.random() })) this.#act(a);
  }

  get status() {
    return this.ladder.status;
  }

  post() {
    const m = this.posted.push(this.now) - 1;
    for (const c of this.#open.values()) this.#feed(c, m);
  }

  #act(a) {
    if (a.do === 'status') this.log.push({ t: this.now, ...a });
    if (a.do === 'remember') this.memory = a;
    if (a.do === 'close') this.#open.delete(a.ch);
    if (a.do === 'open' || a.do === 'batch' || a.do === 'poll') this.#request(a);
  }

  #request(a) {
    const { net } = this;
    const c = { ch: a.ch, kind: a.do, since: this.now, net, n: 0, heard: this.now, buffered: [], reached: 0, hb: (a.hb || 10) * S, hold: a.hold };
    this.#open.set(c.ch, c);
    const how = a.do === 'open' ? (a.rung === '0' ? net.stream : net.octets) : a.do === 'batch' ? net.batch : net.poll;
    c.held = how === 'held' || (a.do === 'batch' && net.stream === 'held');
    if (how === 'error') return this.#later(c, net.rtt, () => this.#end(c, 'error'));
    if (typeof how === 'number') return this.#later(c, net.rtt, () => this.#end(c, 'refused', { status: how, hint: `refused ${how}` }));
    this.#later(c, net.rtt / 2, () => this.#serve(c, a));
    const limit = a.do === 'open' ? net.life : net.answer;
    if (limit < Infinity) this.#later(c, limit, () => (net.mute ? this.#mute(c) : this.#end(c, 'end')));
  }

  #later(c, ms, run) {
    this.at(this.now + ms, () => this.#open.get(c.ch) === c && !c.dead && run());
  }

  #serve(c, a) {
    c.reached = 1;
    this.#write(c, { in: 'hello', hb: c.hb / S });
    const missed = this.posted.map((_, m) => m).filter((m) => !this.got.has(m));
    for (const m of missed) this.#feed(c, m);
    if (c.kind === 'open') {
      this.#beat(c);
      this.#later(c, (a.life || 280) * S * (1 + this.random() / 10), () => {
        this.#write(c, { in: 'bye', why: 'life', delay: 0 });
        this.#later(c, this.net.rtt, () => this.#end(c, 'end'));
      });
      this.#idle(c);
    } else this.#later(c, c.n > 0 ? 0 : c.hold * S, () => this.#finish(c));
  }

  #beat(c) {
    this.#later(c, c.hb, () => {
      this.#write(c, { in: 'hb' });
      this.#beat(c);
    });
  }

  #idle(c) {
    if (c.net.idle === Infinity) return;
    const wrote = c.heard;
    this.#later(c, c.net.idle, () => {
      if (c.heard !== wrote) return;
      if (c.net.mute) this.#mute(c);
      else this.#end(c, 'end');
    });
  }

  #feed(c, m) {
    if (!c.reached || c.dead) return;
    this.#write(c, { in: 'event', m });
    if (c.kind !== 'open' && c.n++ === 0) this.#later(c, 0, () => this.#finish(c));
  }

  #write(c, news) {
    c.heard = this.now;
    this.#idle(c);
    if (c.held || c.kind === 'poll') c.buffered.push(news);
    else this.#later(c, c.net.rtt / 2, () => this.#arrive(c, news));
  }

  #arrive(c, { m, ...news }) {
    if (m !== undefined && !this.got.has(m)) this.got.set(m, this.now);
    this.tell({ ...news, ch: c.ch });
  }

  #finish(c) {
    this.#later(c, c.net.rtt / 2, () => {
      for (const news of c.buffered) if (news.in !== 'hello' || c.kind === 'batch') this.#arrive(c, news);
      this.#end(c, 'good', { n: c.n });
    });
  }

  #mute(c) {
    c.dead = true;
  }

  #end(c, how, more) {
    if (!this.#open.delete(c.ch) || c.dead) return;
    this.tell({ in: how, ch: c.ch, ...more });
  }
}

const works = ({ status }) => status.state === 'live' || status.state === 'polling';

/** @param {Lab} lab @param {number} until posts every 3 to 9 s */
function chat(lab, until) {
  for (let t = lab.now + 3 * S; t < until - 60 * S; t += 3 * S + 6 * S * lab.random()) lab.at(t, () => lab.post());
  lab.run(until);
}

for (const [name, net] of Object.entries(NETWORKS)) {
  for (const seed of [1, 2, 3]) {
    test(`${name} (${seed})`, () => {
      const lab = new Lab(seed);
      lab.change(net);
      lab.tell({ in: 'start' });
      lab.run(10 * S);
      assert.ok(works(lab), `after 10 s: ${JSON.stringify(lab.log)}`);
      chat(lab, 1200 * S);
      assert.ok(works(lab), `after 20 min: ${JSON.stringify(lab.log.slice(-5))}`);
      const bad = lab.log.filter(({ t, state }) => t > 10 * S && (state === 'offline' || state === 'blocked'));
      assert.deepEqual(bad, [], 'a way that works is never called blocked');
      const late = lab.posted.map((t, m) => (lab.got.get(m) ?? Infinity) - t).sort((a, b) => b - a);
      const limit = net.slow ?? (net.mute ? 45 * S : 6 * S);
      assert.ok(late[0] <= limit, `slowest messages ${late.slice(0, 5)} ms; ${JSON.stringify(lab.log.slice(-8))}`);
      lab.change({});
      const began = lab.now;
      lab.run(began + (net.back ?? 90 * S));
      assert.equal(lab.status.state, 'live', `90 s after the obstacle is gone: ${JSON.stringify(lab.log.slice(-5))}`);
    });
  }
}

for (const [name, net, state] of [['outage', OUT, 'offline'], ['captive portal', PORTAL, 'blocked'], ['relay down behind its gateway', { stream: 502, octets: 502, batch: 502, poll: 502 }, 'blocked']]) {
  for (const minutes of [0.1, 1, 30]) {
    test(`${name} of ${minutes} min`, () => {
      const lab = new Lab(7);
      lab.tell({ in: 'start' });
      lab.run(100 * S);
      assert.equal(lab.status.state, 'live');
      lab.change(net);
      lab.run(lab.now + minutes * 60 * S);
      assert.equal(lab.status.state, state);
      lab.change({});
      lab.run(lab.now + 45 * S); // 30 s of back-off, a poll, a shadow with its heartbeat
      assert.equal(lab.status.state, 'live', JSON.stringify(lab.log.slice(-6)));
    });
  }
}

test('a network that changes its mind every minute never stops the flow', () => {
  const lab = new Lab(11);
  lab.tell({ in: 'start' });
  const all = Object.values(NETWORKS).filter(({ mute }) => !mute);
  for (let i = 1; i < 60; i++) lab.at(i * 60 * S, () => lab.change(all[Math.floor(lab.random() * all.length)]));
  chat(lab, 3700 * S);
  const late = lab.posted.map((t, m) => (lab.got.get(m) ?? Infinity) - t).sort((a, b) => b - a);
  assert.ok(late[0] <= 30 * S, `slowest ${late.slice(0, 9)}`);
});

test('what was learned serves the next visit', () => {
  const lab = new Lab(5);
  lab.change(NETWORKS['held but octet-stream: privoxy, e2guardian']);
  lab.tell({ in: 'start' });
  lab.run(20 * S);
  const { do: _, ...memory } = lab.memory;
  const next = new Lab(6);
  next.change(NETWORKS['held but octet-stream: privoxy, e2guardian']);
  next.tell({ in: 'start', memory, age: 3600 * S });
  next.run(200);
  assert.equal(next.status.state, 'live');
});
