// People in a room over the real relay, who do random things at once while the networks between them are held up and the relay is killed; and what
// must hold on every page at the end. Not a test itself: random.mjs plays it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { newLinkRoot } from '../../static/js/crypto/keys.js';
import { Session } from '../../static/js/room/session.js';
import { Person } from './relay.mjs';

const DAY = 86_400;
const STEPS = 40;
const PATHS = ['messages', 'stream', 'ack', 'card', 'poll', 'chunks', 'chunk'];
const EMOJI = ['👍', '❤️', '🎉'];

// The clock of all pages, which can be moved; and what they do every minute.
let moved = 0;
const { now } = Date;
Date.now = () => now() + moved;
export const chores = /** @type {(() => void)[]} */ ([]);
const { setInterval } = globalThis;
globalThis.setInterval = /** @type {any} */ ((does, ms, ...more) => {
  if (ms === 60_000) chores.push(does);
  return setInterval(does, ms, ...more);
});

/** Numbers from 0 to below n, the same for the same seed. @param {number} seed */
function dice(seed) {
  let a = seed * 0x9e3779b1;
  return (n) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * n) | 0;
  };
}

const hash = async (blob) => createHash('sha256').update(new Uint8Array(await blob.arrayBuffer())).digest('hex');
const turns = async (n) => {
  for (let i = 0; i < n; i++) await new Promise((go) => setImmediate(go));
};

/** Somebody in the room, and what the script knows of them. */
class Actor {
  held = new Map();
  gone = '';
  enters = 0; // number of what was said before
  stranger = false; // came when the room was, or may have been, locked
  kept;
  last = '';

  static async enter(relay, name, root) {
    const actor = new Actor();
    actor.name = name;
    actor.person = await Person.enter(relay, name, root, { share: (state) => actor.#keeps(state) });
    return actor;
  }

  async #keeps(state) {
    this.kept = structuredClone(state);
  }

  get session() {
    return this.person.session;
  }

  get id() {
    return this.person.id;
  }

  hold(path, what) {
    const key = `${what} ${path}`;
    if (!this.held.has(key)) this.held.set(key, this.person.gate.hold(path, what));
  }

  letGo() {
    for (const release of this.held.values()) release();
    this.held.clear();
  }

  /** Goes on as another tab would, with what this one had told. */
  async tab() {
    const old = this.session;
    await old.saved();
    await old.close({ handOver: true });
    const { kept: state } = this;
    const handed = structuredClone({ state, items: old.items, files: old.files });
    const { root, alias } = state;
    this.person.session = await Session.open({ root, alias, origin: this.person.gate.origin, share: (state) => this.#keeps(state) }, handed);
  }

  item(key) {
    return this.session.items.find((item) => item.key === key);
  }

  /** Whether another page shows this one as somebody who may read. */
  isIn(other) {
    return other.session.members.some(({ id, waiting, changed }) => id === this.id && !waiting && !changed);
  }
}

export class World {
  said = [];
  actors = [];
  down = false;
  killed = 0;
  calmed = 0; // how often it had been killed when all were last together
  everLocked = false;
  renames = 0;
  jumped = false;
  log = [];
  doing = [];

  constructor(relay, seed) {
    this.relay = relay;
    this.rnd = dice(seed);
  }

  get here() {
    return this.actors.filter(({ gone }) => !gone);
  }

  get inside() {
    return this.here.filter(({ stranger }) => !stranger);
  }

  pick(list) {
    return list[this.rnd(list.length)];
  }

  note(text) {
    this.log.push(text);
  }

  /** Does something that is not waited for. */
  start(what) {
    const doing = what.catch((error) => this.note(`! ${error.message}`));
    this.doing.push(doing);
  }

  async begin() {
    const names = ['Ann', 'Ben', 'Cat', 'Dan'].slice(0, 3 + this.rnd(2));
    const root = newLinkRoot();
    for (const name of names) this.actors.push(await Actor.enter(this.relay, name, root));
    await this.agree();
  }

  /** Resolves when all who are let go and here know the same members. */
  async agree() {
    await Promise.all(this.here.map((actor) => actor.person.until('all members', () => this.knows(actor))));
  }

  knows({ person }) {
    return person.names.join() === this.here.map(({ name }) => name).sort().join();
  }

  letAllGo() {
    for (const actor of this.here) actor.letGo();
  }

  /** What was said, and who must have it in the end if they stay. */
  heard(by, key, body, more = {}) {
    // Who comes while the room is being locked may read for some, and wait for others; who is first at a restarted relay speaks to nobody.
    const alone = by.late && this.calmed !== this.killed;
    const isIn = (other) => this.inside.every((each) => each === other || other.isIn(each));
    const must = this.here.filter((other) => other !== by && !alone && ((!other.stranger && !this.everLocked) || (isIn(other) && other.isIn(by))));
    this.said.push({ by, key, body, must, n: this.said.length, room: by.session.roomId, seen: new Map(), killed: this.killed, ...more });
  }

  own(actor, kinds = ['text']) {
    return this.said.filter(({ by, erased, kind = 'text' }) => by === actor && !erased && kinds.includes(kind));
  }

  steps = {
    say: [10, () => {
      const by = this.pick(this.here);
      const body = `m${this.said.length}`;
      this.note(`${by.name} says ${body}`);
      this.heard(by, by.session.send(body).key, body);
    }],
    reply: [2, () => {
      const by = this.pick(this.here);
      const of = this.pick(this.said.filter(({ key }) => by.item(key)));
      if (!of) return;
      const body = `m${this.said.length}`;
      this.note(`${by.name} says ${body} to ${of.body}`);
      this.heard(by, by.session.send(body, { re: of.key }).key, body, { re: of.key });
    }],
    edit: [3, () => {
      const by = this.pick(this.here);
      const of = this.pick(this.own(by));
      if (!of) return;
      of.body = `${of.body}+`;
      this.note(`${by.name} edits ${of.body}`);
      this.start(by.session.edit(of.key, of.body));
    }],
    erase: [1, () => {
      const by = this.pick(this.here);
      const of = this.pick(this.own(by));
      if (!of) return;
      of.erased = true;
      this.note(`${by.name} deletes ${of.body}`);
      this.start(by.session.erase(of.key));
    }],
    react: [4, () => {
      const by = this.pick(this.here);
      const of = this.pick(this.said.filter(({ key, erased }) => !erased && by.item(key) && !by.item(key).gone));
      if (!of) return;
      const emoji = this.pick(EMOJI);
      const on = !of.seen.get(`${by.id} ${emoji}`);
      of.seen.set(`${by.id} ${emoji}`, on);
      this.note(`${by.name} ${on ? 'puts' : 'takes'} ${emoji} ${on ? 'to' : 'from'} ${of.body}`);
      this.start(by.session.react(of.key, emoji, on));
    }],
    timer: [1, () => {
      const by = this.pick(this.inside);
      const days = 2 + this.rnd(50);
      this.note(`${by.name} sets the timer to ${days}`);
      this.start(by.session.setTimer(days * DAY));
    }],
    file: [1, () => {
      const by = this.pick(this.here);
      const bytes = new Uint8Array(this.rnd(5000)).map(() => this.rnd(256));
      const key = `${by.id} ${Buffer.from(Array.from({ length: 16 }, () => this.rnd(256))).toString('base64url')}`;
      const body = `m${this.said.length}`;
      this.note(`${by.name} sends file ${body}`);
      this.heard(by, key, body, { kind: 'file', blob: new Blob([bytes]) });
      this.start(by.session.sendFile({ blob: new Blob([bytes]), name: 'a.bin', type: 'a/b', body }, key));
    }],
    rename: [1, () => {
      const by = this.pick(this.here);
      by.name = `${by.name.slice(0, 3)}${++this.renames}`;
      this.note(`renamed to ${by.name}`);
      this.start(by.session.setAlias(by.name));
    }],
    hold: [4, () => {
      const actor = this.pick(this.here);
      const [path, what] = [this.pick(PATHS), this.pick(['request', 'answer'])];
      this.note(`${actor.name}'s ${path} ${what} is held`);
      actor.hold(path, what);
    }],
    letGo: [3, () => {
      const actor = this.pick(this.here);
      this.note(`${actor.name} is let go`);
      actor.letGo();
    }],
    wait: [3, async () => {
      await turns(this.rnd(2000));
    }],
    calm: [1, async () => {
      if (this.down) return;
      this.note('all is let go, and calm');
      await this.calm();
    }],
    tab: [2, async () => {
      const actor = this.pick(this.here);
      this.note(`${actor.name} goes on in another tab`);
      await actor.tab();
    }],
    enter: [1, async () => {
      if (this.down || this.here.length >= 5) return;
      const name = ['Eve', 'Fay', 'Gil', 'Hal', 'Ian', 'Joe', 'Kim', 'Lea'].find((each) => !this.actors.some((actor) => actor.name.startsWith(each)));
      if (!name) return;
      this.note(`${name} enters`);
      const actor = await Actor.enter(this.relay, name, this.rootOf(this.inside[0]));
      Object.assign(actor, { enters: this.said.length, stranger: this.everLocked, late: true, stood: this.everLocked });
      this.actors.push(actor);
    }],
    leave: [0.5, async () => {
      if (this.down || this.inside.length < 4) return;
      const actor = this.pick(this.inside);
      this.note(`${actor.name} leaves`);
      actor.letGo();
      await actor.session.leave();
      actor.gone = 'left';
    }],
    die: [1, async () => {
      if (this.down || !this.here.every((actor) => this.knows(actor))) return;
      this.note('the relay dies');
      this.killed++;
      await this.relay.kill();
      this.down = true;
    }],
    lives: [3, async () => {
      if (!this.down) return;
      this.note('the relay is back');
      await this.relay.restart();
      this.down = false;
    }],
    lock: [0.7, () => {
      const by = this.pick(this.inside.filter(({ late }) => !late || this.calmed === this.killed)); // to who is first at a restarted relay all others are strangers
      if (!by) return;
      const on = !by.session.locked;
      this.everLocked = true;
      this.note(`${by.name} ${on ? 'locks' : 'opens'}`);
      this.start(by.session.lock(on));
    }],
    admit: [2, () => {
      const by = this.pick(this.inside);
      const who = this.pick(by.session.members.filter(({ waiting }) => waiting));
      if (!who) return;
      this.note(`${by.name} lets ${who.alias} in`);
      this.start(by.session.admit(who.id));
    }],
    remove: [0.5, () => this.removes()],
    chores: [0.7, async () => {
      if (this.jumped || this.down) return;
      this.jumped = true;
      await this.calm();
      await this.everybodySpeaks(); // keys that were sealed before the hour are of no use after it
      for (const actor of this.here) await this.has(actor);
      moved += 61 * 60_000;
      this.note('an hour passes');
      for (const does of chores) if (this.rnd(4) > 0) does();
    }],
  };

  rootOf({ session }) {
    return new Uint8Array(Buffer.from(session.link.split('#')[1], 'base64url'));
  }

  /** Somebody is removed, maybe by two at once, or two are; then all are let go and go there. */
  async removes() {
    if (this.down || this.inside.length < 4) return;
    await this.calm();
    const [by, victim, other] = [...this.inside].sort(() => this.rnd(3) - 1);
    const pairs = [[by, victim], ...(this.rnd(3) === 0 ? [this.rnd(2) ? [other, victim] : [other, by]] : [])];
    const { roomId } = by.session;
    for (let i = this.rnd(4); i > 0; i--) this.steps.hold[1]();
    for (let i = this.rnd(4); i > 0; i--) this.steps.say[1]();
    for (const [who, whom] of pairs) {
      this.note(`${who.name} removes ${whom.name}`);
      this.start(who.session.remove(whom.id));
    }
    for (let i = this.rnd(5); i > 0; i--) {
      this.steps.say[1]();
      await turns(this.rnd(200));
    }
    this.letAllGo();
    const is = ({ session }) => session.items.some(({ event }) => event === 'removed');
    const candidates = pairs.map(([, whom]) => whom);
    await Promise.race(candidates.map((actor) => actor.person.until('that it was removed', () => is(actor))));
    for (const actor of this.here) {
      if (is(actor)) actor.gone = 'removed';
      else if (actor.stranger) actor.gone = 'behind';
    }
    for (const actor of this.here) await actor.person.until('another room', () => actor.session.roomId !== roomId);
    await this.agree();
    this.note('the room has moved');
  }

  /** All is let go, those who wait come in, and everybody knows everybody. */
  async calm() {
    this.letAllGo();
    if (this.down) await this.steps.lives[1]();
    const [first] = this.inside;
    await this.agree();
    await Promise.all(this.doing);
    await this.agreeOf('lock', ({ session }) => session.locked, this.inside.filter(({ session }) => !session.waits));
    const admitted = new Set();
    for (const { session } of this.inside) {
      for (const { id } of session.members.filter(({ id, waiting }) => waiting && !admitted.has(id))) {
        admitted.add(id);
        await session.admit(id);
      }
    }
    await Promise.all(this.here.map((actor) => actor.person.until('nobody who waits', () => !actor.session.waits && actor.session.members.every(({ waiting }) => !waiting))));
    await this.agreeOf('lock', ({ session }) => session.locked);
    for (const actor of this.here) actor.stranger = false;
    this.everLocked = first.session.locked;
    this.calmed = this.killed;
  }

  /** Resolves when something is the same on all pages. */
  async agreeOf(what, of, among = this.here) {
    const same = () => new Set(among.map(of)).size === 1;
    await Promise.any(among.map((actor) => actor.person.until(`the same ${what}`, same))).catch(({ errors: [first] }) => {
      throw new Error(`${this.here.map((each) => `${each.name}: ${of(each)}`)}; ${first.message}`);
    });
    for (const { session } of this.here) session.dispatchEvent(new CustomEvent('status')); // who had no news looks, too
  }

  async run() {
    const all = Object.entries(this.steps);
    const sum = all.reduce((total, [, [weight]]) => total + weight, 0);
    for (let i = 0; i < STEPS; i++) {
      let at = this.rnd(sum * 100) / 100;
      const [, [, does]] = all.find(([, [weight]]) => (at -= weight) < 0) ?? all[0];
      await does();
      await turns(this.rnd(30));
    }
    this.note('the end');
    await this.calm();
    await this.everybodySpeaks();
  }

  async everybodySpeaks() {
    for (const by of this.here) {
      const body = `m${this.said.length}`;
      this.heard(by, by.session.send(body).key, body);
    }
  }

  /** What must hold at the end. */
  async holds() {
    for (const actor of this.here) await this.has(actor);
    for (const actor of this.here) await this.ticks(actor);
    // What a restarted relay is told again lies elsewhere for whoever has not read it before.
    if (!this.killed) await this.agreeOf('timer', ({ session }) => session.timer ?? 0);
    await this.agreeOf('lock', ({ session }) => session.locked);
    for (const actor of this.actors) this.fits(actor);
    for (const { by, kind, blob, key, must, body } of this.said) {
      if (kind !== 'file' || by.gone) continue;
      for (const actor of must.filter(({ gone }) => !gone)) assert.equal(await hash(actor.session.fileOf(key)), await hash(blob), `${actor.name} has other bytes of ${body}`);
    }
  }

  reactionsOf(list, ids) {
    return list.filter(([id]) => ids.has(id)).map((each) => each.join(' ')).sort().join();
  }

  /** Whether a page shows what was said as it must be in the end. */
  shows(actor, { key, body, erased, kind, seen, re }) {
    const item = actor.item(key);
    if (erased) return !item || item.gone === true;
    if (!item || item.body !== body || item.re !== re || (kind === 'file' && item.transfer !== 'done')) return false;
    const ids = new Set(this.here.map(({ id }) => id));
    const shown = (item.reactions ?? []).flatMap(({ emoji, by }) => by.map(({ id }) => [id, emoji]));
    const wanted = [...seen].filter(([, on]) => on).map(([who]) => who.split(' '));
    return this.reactionsOf(shown, ids) === this.reactionsOf(wanted, ids);
  }

  async has(actor) {
    for (const each of this.said) {
      if (each.by.gone || !(each.by === actor || each.must.includes(actor))) continue;
      await actor.person.until(`${each.erased ? 'the end of ' : ''}${each.body} ${JSON.stringify([...each.seen])}`, () => this.shows(actor, each));
    }
  }

  async ticks(actor) {
    await actor.person.until('its ticks', () => actor.session.items.every(({ own, state, kind, gone }) => !own || gone || kind === 'system' || state === 'all'));
  }

  fits(actor) {
    const { session, name } = actor;
    const keys = session.items.map(({ key }) => key);
    assert.equal(new Set(keys).size, keys.length, `${name} sees something twice`);
    for (const by of this.actors) {
      const order = session.items.map(({ key }) => this.said.find((each) => each.key === key)).filter((each) => each?.by === by && !each.erased && each.kind !== 'file').map(({ n }) => n);
      assert.deepEqual(order, [...order].sort((a, b) => a - b), `${name} sees what ${by.name} said in another order`);
    }
    if (actor.gone === 'removed') {
      const { roomId } = session;
      const later = this.said.filter((each) => each.by !== actor && each.room !== roomId && actor.item(each.key) && each.n >= actor.enters && !each.must.includes(actor));
      assert.deepEqual(later.map(({ body }) => body), [], `${name} was removed and reads on`);
    }
    if (actor.gone) return;
    const troubles = actor.person.troubles.filter((trouble) => !(actor.late && (this.killed || actor.stood) && trouble.includes('before its sender knew')));
    assert.deepEqual(troubles, [], name);
  }

  async end() {
    for (const { session, person } of this.actors) {
      await session.close().catch(() => undefined);
      person.gate.close();
    }
  }
}
