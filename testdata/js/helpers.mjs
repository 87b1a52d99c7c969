// Rooms of several members for the tests: no relay, only frames handed from one to the other.
import { Group } from '../../static/js/crypto/group.js';
import { newLinkRoot, newMemberSecret, roomKeys } from '../../static/js/crypto/keys.js';

export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const unhex = (text) => new Uint8Array(Buffer.from(text.replace(/\s+/g, ''), 'hex'));

/** A clock that stands still until told. */
export class Clock {
  ms = 1_800_000_000_000;
  read = () => this.ms;
  pass(ms) {
    this.ms += ms;
  }
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Some members in one room. Every test that needs an attacker takes one of them, or reads what passes as the relay would. */
export class Room {
  clock = new Clock();
  members = [];

  static async of(...names) {
    const room = new Room();
    room.keys = await roomKeys(newLinkRoot());
    for (const name of names) await room.join(name);
    return room;
  }

  async join(name, options = {}) {
    const secret = options.secret ?? newMemberSecret();
    const member = await Group.create({ keys: this.keys, alias: name, clock: this.clock.read, ...options, secret });
    member.secret = secret;
    for (const other of this.members) await introduce(other, member);
    this.members.push(member);
    return member;
  }

  async leave(member) {
    this.members = this.members.filter((other) => other !== member);
    for (const other of this.members) await other.left(member.id);
  }
}

export async function introduce(a, b) {
  const [cardA, cardB] = await Promise.all([a.card(), b.card()]);
  return Promise.all([a.learn(b.id, cardB), b.learn(a.id, cardA)]);
}

/** Hands all frames over; gives the last result. */
export async function deliver(from, to, frames) {
  let last;
  for (const { bytes } of frames) last = await to.open(from.id, bytes);
  return last;
}

export const text = (body) => ({ k: 'text', id: body, body });

/** Says something and lets one member read it. */
export async function say(from, to, body) {
  const { frames } = await from.seal(text(body));
  return deliver(from, to, frames);
}

export function flipped(bytes, at) {
  const copy = new Uint8Array(bytes);
  copy[at] ^= 1;
  return copy;
}
