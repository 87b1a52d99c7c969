// The transport with real requests, against a relay and networks that behave as told, on a clock that the test moves.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, test as nodeTest } from 'node:test';
import { Api } from '../../static/js/net/relay.js';
import { Transport } from '../../static/js/net/transport.js';
import { Clock, FakeRelay, HB, HELLO, cursor, msg, refusal } from './net-relay.mjs';

const test = (name, run) => nodeTest(name, { timeout: 20_000 }, run);
const POLLED = { cursor: cursor(0), events: [], away: [], acked: { through: cursor(0) } };

/** What a session does with the transport: keeps the cursor, drops what it has, and lets the test wait for things to happen. */
class Line {
  s = 'S1';
  seq = 0;
  handled = [];
  events = [];
  log = [];
  errors = [];
  saved = [];
  rejoins = 0;
  clock = new Clock();
  signals = new EventTarget();
  changed = new EventTarget();
  handle = async () => {};
  rejoin = async () => {};

  constructor(base, options = {}) {
    this.api = new Api({ base, room: 'ROOM' });
    this.transport = new Transport({
      api: this.api,
      getSession: () => ({ s: this.s, after: () => cursor(this.seq) }),
      onEvents: (events) => this.#take(events),
      onStatus: (status) => this.#note(() => this.log.push(status)),
      onRejoin: () => (this.#note(() => this.rejoins++), this.rejoin()),
      onError: (error) => this.#note(() => this.errors.push(error)),
      memory: { load: () => options.memory ?? null, save: (memory) => this.saved.push(memory) },
      signals: this.signals,
      clock: this.clock,
      random: () => 0.5,
    });
    this.transport.start();
  }

  async #take(events) {
    await this.handle(events);
    for (const event of events) {
      this.events.push(event.event);
      const seq = Number(event.id.split('.')[1] ?? 0);
      if (event.event !== 'msg' || seq <= this.seq) continue;
      this.seq = seq;
      this.handled.push(seq);
    }
    this.#note(() => {});
  }

  #note(what) {
    what();
    this.changed.dispatchEvent(new Event('changed'));
  }

  get state() {
    const { state, rung } = this.transport.status;
    return `${state} ${rung}`;
  }

  /** Waits until something is so. @param {() => boolean} so */
  async until(so) {
    while (!so()) await once(this.changed, 'changed');
  }
}

let relay;
let line;
beforeEach(async () => {
  relay = await new FakeRelay().listen();
});
afterEach(async () => {
  line.transport.close();
  assert.equal(line.clock.pending, 0, 'a timer is left');
  await relay.close();
});

/** Lets what was sent arrive: one more answer over the same loopback has come. */
const settle = async () => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};

async function live() {
  line = new Line(relay.base);
  const stream = await relay.next('stream');
  stream.head().write(HELLO);
  await line.until(() => line.state === 'live 0');
  return stream;
}

test('a stream: the request, the events however cut, the status and what is remembered', async () => {
  line = new Line(relay.base);
  const stream = await relay.next('stream');
  const { n, ...query } = stream.query;
  assert.deepEqual(query, { s: 'S1', after: cursor(0), mode: 'stream', as: 'event-stream' });
  assert.ok(n);
  assert.equal(stream.req.headers.accept, 'text/event-stream');
  const bytes = Buffer.from(`:${' '.repeat(2048)}\nretry: 1000\n${HELLO}${msg(1)}${HB}${msg(2)}`);
  stream.head();
  for (let at = 0; at < bytes.length; at += 7) stream.write(bytes.subarray(at, at + 7));
  await line.until(() => line.handled.length === 2);
  assert.deepEqual(line.events, ['hello', 'msg', 'hb', 'msg']);
  assert.equal(line.state, 'live 0');
  assert.deepEqual(line.saved.map(({ rung }) => rung), ['0']);
});

test('no hello: polls after 2 s, octet-stream after 4, and the held stream is given up', async () => {
  line = new Line(relay.base);
  const held = await relay.next('stream');
  held.head(); // 200 and headers prove nothing
  line.clock.advance(2000);
  const poll = await relay.next('poll');
  assert.deepEqual([poll.method, poll.query.hold, poll.query.after], ['POST', '0', cursor(0)]);
  poll.json({ ...POLLED, cursor: cursor(1), events: [{ event: 'msg', id: cursor(1), data: { id: 'm1' } }] });
  await line.until(() => line.state === 'polling 3');
  assert.deepEqual(line.events, ['msg', 'polled']);
  line.clock.advance(1000);
  (await relay.next('poll')).json(POLLED);
  await line.until(() => line.events.length === 3);
  line.clock.advance(1000);
  await held.gone;
  const octets = await relay.next('stream');
  assert.equal(octets.query.as, 'octet-stream');
  assert.equal(octets.query.after, cursor(1));
  assert.equal(octets.req.headers.accept, 'application/octet-stream');
  octets.head('application/octet-stream').write(HELLO + msg(2));
  await line.until(() => line.handled.length === 2);
  assert.equal(line.state, 'live 0b');
});

test('refused, and a page in place of a stream: long polls', async () => {
  line = new Line(relay.base);
  (await relay.next('stream')).page(403);
  (await relay.next('stream')).page(200);
  (await relay.next('poll')).json(POLLED);
  await line.until(() => line.state === 'polling 2');
  const poll = await relay.next('poll');
  assert.equal(poll.query.hold, '25');
  poll.json({ ...POLLED, cursor: cursor(5), events: [5].map((n) => ({ event: 'msg', id: cursor(n), data: {} })) });
  await line.until(() => line.handled.length === 1);
  await settle();
  assert.equal((await relay.next('poll')).query.after, cursor(5), 'the next poll acks what was handled');
});

test('an event-stream of another type is not ours, with a charset it is', async () => {
  line = new Line(relay.base);
  (await relay.next('stream')).head('text/plain').write(HELLO);
  const second = await relay.next('stream');
  assert.equal(second.query.as, 'octet-stream');
  second.head('Application/Octet-Stream; charset=binary').write(HELLO);
  await line.until(() => line.state === 'live 0b');
});

test('a stream that is cut in the middle of an event goes on from what was handled', async () => {
  const stream = await live();
  stream.write(msg(1) + msg(2).slice(0, 25));
  await line.until(() => line.handled.length === 1);
  stream.destroy();
  await line.clock.pass(375);
  const next = await relay.next('stream');
  assert.equal(next.query.after, cursor(1));
  next.head().write(HELLO + msg(2));
  await line.until(() => line.handled.length === 2);
  assert.equal(line.log.filter(({ state }) => state !== 'live').length, 0, 'nobody needs to know');
});

test('silence: the watchdog opens the next stream', async () => {
  const stream = await live();
  line.clock.advance(25_000);
  await stream.gone;
  (await relay.next('stream')).head().write(HELLO);
  await line.until(() => line.events.length === 2);
});

test('an event that is damaged, or that the session cannot handle, comes again', async () => {
  const stream = await live();
  stream.write(msg(1) + msg(2).replace('{', '{<') + msg(3));
  await stream.gone;
  await line.clock.pass(375);
  const second = await relay.next('stream');
  assert.equal(second.query.after, cursor(0), 'nothing of the chunk with the damage was passed on');
  line.handle = async () => {
    line.handle = async () => {};
    throw new Error('out of memory');
  };
  second.head().write(HELLO + msg(1));
  await second.gone;
  await line.clock.pass(750);
  const third = await relay.next('stream');
  third.head().write(HELLO + msg(1) + msg(2));
  await line.until(() => line.handled.length === 2);
  assert.deepEqual(line.handled, [1, 2]);
});

test('events are handed over one batch after the other, from whatever rung', async () => {
  let running = 0;
  const stream = await live();
  line.handle = async () => {
    assert.equal(running++, 0, 'two at a time');
    await settle();
    running--;
  };
  line.transport.poke();
  const shadow = await relay.next('stream');
  for (let n = 1; n <= 20; n++) {
    stream.write(msg(n));
    if (n === 10) shadow.head().write(HELLO);
    if (n >= 10) shadow.write(msg(n));
  }
  await line.until(() => line.seq === 20);
  assert.equal(new Set(line.handled).size, line.handled.length);
});

test('401: the session joins again and the new one is used', async () => {
  line = new Line(relay.base);
  line.rejoin = async () => void (line.s = 'S2');
  (await relay.next('stream')).reply(refusal(401, 'no_session', { rejoin: true }));
  const stream = await relay.next('stream');
  assert.equal(stream.query.s, 'S2');
  assert.equal(line.rejoins, 1);
  stream.head().write(HELLO);
  await line.until(() => line.state === 'live 0');
  line.rejoin = async () => void (line.s = 'S3');
  line.clock.advance(6000);
  stream.write('event: bye\ndata: {"why":"session","in":0}\n\n');
  await stream.gone;
  assert.equal((await relay.next('stream')).query.s, 'S3');
});

test('a session that has joined by itself meanwhile does not join twice', async () => {
  const stream = await live();
  line.s = 'S2'; // a post had met the 401 first
  stream.write('event: bye\ndata: {"why":"session","in":0}\n\n');
  await stream.gone;
  await line.clock.pass(375);
  assert.equal((await relay.next('stream')).query.s, 'S2');
  assert.equal(line.rejoins, 0);
});

test('a join that fails is asked for again', async () => {
  line = new Line(relay.base);
  line.rejoin = async () => {
    throw new Error('no network');
  };
  (await relay.next('stream')).reply(refusal(401, 'no_session', { rejoin: true }));
  await line.until(() => line.rejoins === 1);
  line.rejoin = async () => {};
  await line.clock.pass(375);
  await relay.next('stream');
  assert.equal(line.rejoins, 2);
});

test("the relay's other refusals go to the session, and Retry-After is kept", async () => {
  line = new Line(relay.base);
  (await relay.next('stream')).reply(refusal(429, 'slow_down', { retryAfter: 5 }));
  await line.until(() => line.errors.length === 1);
  assert.equal(line.errors[0].code, 'slow_down');
  assert.match(line.transport.status.reason, /asks to wait/);
  await line.clock.pass(5000);
  (await relay.next('stream')).head().write(HELLO);
  await line.until(() => line.state === 'live 0');
});

test('a shadow takes over after hello and one heartbeat, and the poll beside it ends', async () => {
  line = new Line(relay.base, { memory: { rung: '2', at: Date.now() } });
  const shadow = await relay.next('stream');
  assert.equal(shadow.query.hb, '5');
  const poll = await relay.next('poll');
  shadow.head().write(HELLO + msg(1));
  await line.until(() => line.handled.length === 1);
  assert.equal(line.state, 'connecting 2');
  shadow.write(HB);
  await line.until(() => line.state === 'live 0');
  await poll.gone;
});

test('batches: each is an answer of its own, ended by the relay', async () => {
  line = new Line(relay.base, { memory: { rung: '1', at: Date.now() } });
  (await relay.next('stream')).page(403);
  (await relay.next('stream')).page(403);
  (await relay.next('poll')).json(POLLED);
  await line.until(() => line.state === 'polling 1');
  await settle();
  const batch = await relay.next('stream');
  assert.deepEqual([batch.query.mode, batch.query.hold], ['batch', '25']);
  batch.head().write(HELLO + msg(1)).end();
  await line.until(() => line.handled.length === 1);
  await batch.gone;
  await settle();
  const second = await relay.next('stream');
  assert.equal(second.query.after, cursor(1));
  second.head().write(HELLO + 'event: bye\ndata: {"why":"shutdown","in":3000}\n\n');
  await second.gone;
  await line.clock.pass(3000);
  await relay.next('stream');
});

test('signals of the browser reach the ladder', async () => {
  await live();
  line.signals.dispatchEvent(new Event('offline'));
  assert.equal(line.state, 'offline 0');
  line.signals.dispatchEvent(new Event('online'));
  (await relay.next('stream')).head().write(HELLO);
  await line.until(() => line.events.length === 2);
  line.clock.advance(16_000);
  line.signals.dispatchEvent(new Event('visibilitychange'));
  await relay.next('stream');
});

test('nobody there: offline, and on from the same rung when the relay is back', async () => {
  line = new Line(relay.base);
  (await relay.next('stream')).destroy();
  (await relay.next('poll')).destroy();
  await line.clock.pass(375);
  (await relay.next('poll')).destroy();
  await line.until(() => line.state === 'offline 3');
  await line.clock.pass(750);
  (await relay.next('poll')).json(POLLED);
  (await relay.next('stream')).head().write(HELLO);
  await line.until(() => line.state === 'live 0');
});

test('close ends every request and every timer, and nothing is called afterwards', async () => {
  const stream = await live();
  line.transport.poke();
  const shadow = await relay.next('stream');
  const [statuses, events] = [line.log.length, line.events.length];
  stream.write(msg(1));
  line.transport.close();
  await Promise.all([stream.gone, shadow.gone]);
  line.transport.poke();
  line.transport.active();
  line.clock.advance(100_000);
  await settle();
  assert.deepEqual([line.log.length, line.events.length, relay.left], [statuses, events, 0]);
});
