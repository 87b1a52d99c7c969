// A relay for tests of static/js/net, which answers each request as the test says and when it says so. Not a test itself.
import { once } from 'node:events';
import { createServer } from 'node:http';

export const EPOCH = 'AAAAAAAAAAA';
/** @param {number} seq */
export const cursor = (seq) => `${EPOCH}.${seq}`;
export const HELLO = `event: hello\ndata: ${JSON.stringify({ cursor: cursor(0), head: cursor(0), hb: 10, life: 280, away: [] })}\n\n`;
export const HB = 'event: hb\ndata: {}\n\n';
/** @param {number} seq */
export const msg = (seq) => `event: msg\ndata: {"id":"m${seq}","body":"äöü"}\nid: ${cursor(seq)}\n\n`;
export const refusal = (http, code, more = {}) => ({ status: http, type: 'application/json', body: JSON.stringify({ code, http, error: `no: ${code}`, link: '/help', ...more }) });

/** One request that has arrived: answer it with reply, or in pieces with head, write and end; destroy cuts the connection. */
class Arrived {
  constructor(req, res, body) {
    const url = new URL(req.url, 'http://relay');
    Object.assign(this, { req, res, body, method: req.method, path: url.pathname, query: Object.fromEntries(url.searchParams) });
    this.gone = new Promise((resolve) => res.on('close', resolve));
  }

  head(type = 'text/event-stream', status = 200, headers = {}) {
    this.res.writeHead(status, { 'Content-Type': type, ...headers });
    this.res.flushHeaders();
    return this;
  }

  write(bytes) {
    this.res.write(bytes);
    return this;
  }

  end(bytes) {
    this.res.end(bytes);
    return this.gone;
  }

  destroy() {
    this.res.destroy();
    return this.gone;
  }

  reply({ status = 200, type = 'application/json', body = '', headers = {} }) {
    this.res.writeHead(status, { 'Content-Type': type, ...headers });
    this.res.end(body);
    return this.gone;
  }

  json(value) {
    return this.reply({ body: JSON.stringify(value) });
  }

  page(status = 200) {
    return this.reply({ status, type: 'text/html', body: '<h1>Access denied</h1>' });
  }
}

export class FakeRelay {
  #server = createServer((req, res) => {
    const parts = [];
    req.on('data', (part) => parts.push(part));
    req.on('end', () => this.#arrived(new Arrived(req, res, Buffer.concat(parts))));
  });
  #queue = [];
  #waiting = [];

  async listen() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve(undefined)));
    this.base = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  /** The next request for this last part of the path; those for others wait for their turn. */
  async next(what) {
    const fits = (request) => request.path.endsWith(`/${what}`);
    const at = this.#queue.findIndex(fits);
    if (at >= 0) return this.#queue.splice(at, 1)[0];
    return new Promise((resolve) => this.#waiting.push({ fits, resolve }));
  }

  /** Requests that nobody has asked for. */
  get left() {
    return this.#queue.length;
  }

  close() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #arrived(request) {
    const at = this.#waiting.findIndex(({ fits }) => fits(request));
    if (at >= 0) this.#waiting.splice(at, 1)[0].resolve(request);
    else this.#queue.push(request);
  }
}

/** A clock that stands still until the test moves it. What is due at once runs at once. */
export class Clock {
  #now = 1000;
  #timers = new Set();
  #armed = new EventTarget();
  now = () => this.#now;
  set = (run, ms) => {
    const timer = { run, at: this.#now + ms };
    this.#timers.add(timer);
    if (ms <= 0) setImmediate(() => this.#timers.delete(timer) && run());
    else this.#armed.dispatchEvent(new Event('armed'));
    return timer;
  };
  clear = (timer) => this.#timers.delete(timer);

  advance(ms) {
    const until = this.#now + ms;
    for (;;) {
      const [first] = [...this.#timers].sort((a, b) => a.at - b.at);
      if (!first || first.at > until) break;
      this.#now = Math.max(this.#now, first.at);
      this.#timers.delete(first);
      first.run();
    }
    this.#now = until;
  }

  /** Waits until a timer is due in so many milliseconds, then lets them pass. */
  async pass(ms) {
    while (![...this.#timers].some(({ at }) => at === this.#now + ms)) await once(this.#armed, 'armed');
    this.advance(ms);
  }

  get pending() {
    return this.#timers.size;
  }
}
