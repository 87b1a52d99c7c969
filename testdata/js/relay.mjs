// The real relay as a child process, and people in rooms of it, for tests of static/js/room. Not a test itself.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newLinkRoot } from '../../static/js/crypto/keys.js';
import { Session } from '../../static/js/room/session.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PATIENCE = 30_000; // ms; never waited out when all is well

/** Why there is no relay here, or false. */
export const missing = spawnSync('go', ['version']).status === 0 ? false : 'no Go: install it from https://go.dev/dl to build the relay';

export class Relay {
  #dir = mkdtempSync(join(tmpdir(), 'snug-'));
  #port = 0;
  #child;

  #flags = /** @type {string[]} */ ([]);

  /** @param {...string} flags */
  static async start(...flags) {
    const relay = new Relay();
    relay.#flags = flags;
    execFileSync('go', ['build', '-o', relay.#exe, '.'], { cwd: ROOT, stdio: 'inherit' });
    await relay.restart();
    return relay;
  }

  get #exe() {
    return join(this.#dir, 'snug');
  }

  /** Starts an empty relay at the address of the one before. */
  async restart() {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SNUG_')));
    this.#child = spawn(this.#exe, ['--listen', `127.0.0.1:${this.#port}`, ...this.#flags], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = await once(this.#child.stdout, 'data');
    this.#port = Number(/:(\d+)/.exec(String(line).slice(String(line).indexOf('//')))[1]);
  }

  get port() {
    return this.#port;
  }

  async kill() {
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async close() {
    await this.kill();
    rmSync(this.#dir, { recursive: true });
  }
}

/** One person's way to the relay, which a test can hold up: requests, or their answers, by the last part of the path; chunk: a chunk that is fetched. */
class Gate {
  #server;
  #relay;
  #held = new Map();
  #agent;
  /** Bytes of the largest body that passes. */
  most = Infinity;
  /** Whether requests that the relay may hold are held without end, so that nobody is told that there is nothing yet. */
  endless = false;

  constructor(relay) {
    this.#relay = relay;
    this.#server = createServer((req, res) => void this.#pass(req, res));
  }

  async listen() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', () => resolve(undefined)));
    this.origin = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  /**
   * Holds what comes next until the function it returns is called. `held` of that function resolves when something waits.
   * @param {string} path like messages, or stream
   * @param {'request' | 'answer'} what
   * @param {number} after so many have gone by
   */
  hold(path, what, after = 0) {
    const open = Promise.withResolvers?.() ?? resolvers();
    const held = Promise.withResolvers?.() ?? resolvers();
    const key = `${what} ${path}`;
    this.#held.set(key, { open, held, after });
    const release = () => {
      this.#held.delete(key);
      open.resolve();
    };
    release.held = held.promise;
    return release;
  }

  async #waits(what, path) {
    const gate = this.#held.get(`${what} ${path}`);
    if (!gate || gate.after-- > 0) return;
    gate.held.resolve();
    await gate.open.promise;
  }

  async #pass(req, res) {
    const [above, last] = req.url.split('?')[0].split('/').slice(-2);
    const path = above === 'chunks' ? 'chunk' : last;
    const parts = [];
    for await (const part of req) parts.push(part);
    if (parts.reduce((sum, { length }) => sum + length, 0) > this.most) return void res.writeHead(413, { 'Content-Type': 'text/html', connection: 'close' }).end('<h1>Too large</h1>');
    await this.#waits('request', path);
    const out = request({ host: '127.0.0.1', port: this.#relay.port, path: req.url, method: req.method, headers: { ...req.headers, connection: 'close' } });
    res.on('close', () => out.destroy());
    out.on('error', () => res.destroy());
    out.on('response', async (answer) => {
      answer.on('error', () => res.destroy());
      if (this.endless && answer.statusCode === 404 && req.url.includes('hold=')) return;
      await this.#waits('answer', path);
      res.writeHead(answer.statusCode, { ...answer.headers, connection: 'close' });
      res.flushHeaders();
      try {
        for await (const part of answer) {
          await this.#waits('answer', path);
          res.write(part);
        }
        res.end();
      } catch {
        res.destroy();
      }
    });
    out.end(Buffer.concat(parts));
  }

  close() {
    for (const { open } of this.#held.values()) open.resolve();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function resolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

/** A session and what its page would show. */
export class Person {
  static async enter(relay, alias, root, more = {}) {
    const person = new Person();
    person.gate = await new Gate(relay).listen();
    person.session = await Session.open({ root, alias, origin: person.gate.origin, ...more });
    return person;
  }

  get id() {
    return this.session.self;
  }

  say(text) {
    return this.session.send(text);
  }

  get texts() {
    return this.session.items.filter(({ kind }) => kind === 'text').map(({ body }) => body);
  }

  get names() {
    return this.session.members.map(({ alias }) => alias).sort();
  }

  /** Items that are not to be in a conversation that goes well. */
  get troubles() {
    return this.session.items.filter(({ kind }) => kind === 'failed' || kind === 'gap').map(({ kind, alias, reason }) => `${kind} ${alias ?? ''} ${reason ?? ''}`);
  }

  /** Resolves when something is so. @param {string} what @param {() => boolean} so */
  async until(what, so) {
    const { session } = this;
    await new Promise((resolve, reject) => {
      const NAMES = ['members', 'status', 'knocks', 'item', 'update', 'gone', 'progress', 'typing', 'timer', 'moved', 'removed'];
      const done = (end) => {
        clearTimeout(late);
        for (const name of NAMES) session.removeEventListener(name, look);
        end();
      };
      const look = () => so() && done(resolve);
      const late = setTimeout(() => {
        const { alias, status, items } = session;
        done(() => reject(new Error(`${alias} never saw ${what}; ${JSON.stringify({ status, names: this.names, items }, null, 1)}`)));
      }, PATIENCE);
      for (const name of NAMES) session.addEventListener(name, look);
      look();
    });
  }

  sees(...texts) {
    return this.until(texts.join(', '), () => JSON.stringify(this.texts) === JSON.stringify(texts));
  }

  members(...names) {
    return this.until(`members ${names}`, () => JSON.stringify(this.names) === JSON.stringify(names.sort()));
  }

  live() {
    return this.until('a live line', () => this.session.status.state === 'live');
  }

  async leave() {
    await this.session.close();
    this.gate.close();
  }
}

/** People in a new room who all know each other. @param {Relay} relay @param {...string} names */
export async function room(relay, ...names) {
  const root = newLinkRoot();
  const people = [];
  for (const name of names) people.push(await Person.enter(relay, name, root));
  await Promise.all(people.map((person) => person.members(...names)));
  await Promise.all(people.map((person) => person.live()));
  return { root, people };
}
