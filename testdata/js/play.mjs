// Plays a transcript (testdata/vectors/README.md): every member takes the steps that it sees and must find what is said there.
import assert from 'node:assert/strict';
import { Identity, memberId, roomKeys } from '../../static/js/crypto/keys.js';
import { dhPair, signPair } from '../../static/js/crypto/suite.js';
import { Group } from '../../static/js/crypto/group.js';
import { hex, unhex } from './helpers.mjs';

export async function playTranscript({ name, root, room, members, steps }) {
  const keys = await roomKeys(unhex(root));
  assert.equal(keys.roomId, room);
  const clock = { now: 0 };
  const groups = new Map();
  for (const [who, member] of Object.entries(members)) groups.set(who, await receiverOf(keys, member, () => clock.now));
  for (const [i, step] of steps.entries()) {
    clock.now = step.at;
    for (const [who, want] of Object.entries(step.sees ?? {})) {
      const got = await take(groups.get(who), step);
      assert.deepEqual(got, wanted(want), `${name}: step ${i} (${step.do}, ${step.note}) as ${who} sees it`);
    }
  }
}

/** A member with all the HPKE keys that it will have. */
async function receiverOf(keys, { id, secret, seed, alias, hpke }, clock) {
  const member = await memberId(unhex(secret));
  assert.equal(member.id, id);
  const pairs = hpke.map(async ({ rotation, private: key, until }) => ({ ...(await dhPair(unhex(key))), rotation, until: until || Infinity }));
  const identity = new Identity(await signPair(unhex(seed)), await Promise.all(pairs), 0);
  return new Group({ keys, member, identity, alias, clock });
}

async function take(group, { do: what, from, frame = '' }) {
  switch (what) {
    case 'card':
      return { kind: 'card', status: (await group.learn(from, unhex(frame))).status };
    case 'ahead':
      return { kind: 'card', status: (await group.learn(from, unhex(frame), true)).status };
    case 'lock':
      return lockOf(group);
    case 'left':
      await group.left(from);
      return { kind: 'left' };
    case 'accept':
      return { kind: (await group.accept(from)) ? 'accept' : 'nothing to accept' };
    case 'safety':
      return { kind: 'safety', code: await group.safetyCode() };
    case 'frame':
      return seen(await group.open(from, unhex(frame)));
    default:
      throw new Error(`nobody knows how to do ${what}`);
  }
}

/** What open found, in the form of the vectors: only what says something. */
export function seen({ kind, ...found }) {
  const picked = {
    content: ({ content, e, n, news }) => ({ content, e, n, ...(news ? { news } : {}) }),
    held: ({ content, e, n }) => ({ content, e, n }),
    waiting: ({ ids, by }) => ({ by, ...(ids.length ? { waiting: ids } : {}) }),
    keys: ({ forYou }) => (forYou ? { forYou } : {}),
    failed: ({ reason, need }) => (need ? { reason, need } : { reason }),
    move: ({ by, removed, root }) => ({ by, ...(removed.length ? { removed } : {}), ...(root ? { root: hex(root) } : {}) }),
    card: ({ status }) => ({ status }),
    repeat: () => ({}),
  };
  return { kind, ...picked[kind](found) };
}

/** What a member knows of the lock. */
export function lockOf(group) {
  const waiting = group.members().filter(({ status }) => status === 'waiting').map(({ id }) => id).sort();
  return { kind: 'lock', status: group.locked ? 'locked' : 'open', ...(waiting.length ? { waiting } : {}), ...(group.waits ? { waits: true } : {}) };
}

/** Content is compared as what it says, not as it is spelt. */
const wanted = (want) => (want.content === undefined ? want : { ...want, content: JSON.parse(want.content) });
