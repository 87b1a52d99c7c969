// What the encryption costs:    node testdata/js/bench.mjs
// A page can import this too: bench() takes the modules' address from its own and prints nothing.
import { Group } from '../../static/js/crypto/group.js';
import { newLinkRoot, newMemberSecret, roomKeys } from '../../static/js/crypto/keys.js';

const cpu = globalThis.process?.cpuUsage ? () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; } : () => performance.now();

async function timed(work) {
  const [wall, used] = [performance.now(), cpu()];
  const result = await work();
  return { result, wall: performance.now() - wall, cpu: cpu() - used };
}

/** Makes a room of so many, and a function by which one more joins: it reads their cards, seals its chain to all, opens the chains of all. */
export async function newcomer(members) {
  const keys = await roomKeys(newLinkRoot());
  const others = await Promise.all(Array.from({ length: members }, (_, i) => Group.create({ keys, secret: newMemberSecret(), alias: `m${i}` })));
  const cards = await Promise.all(others.map((other) => other.card()));
  const self = await Group.create({ keys, secret: newMemberSecret(), alias: 'newcomer' });
  const card = await self.card();
  const chains = [];
  for (const other of others) {
    await other.learn(self.id, card);
    chains.push(await other.sealKeysIfNeeded());
  }
  return async () => {
    const verify = await timed(() => Promise.all(others.map((other, i) => self.learn(other.id, cards[i]))));
    const seal = await timed(() => self.sealKeysIfNeeded());
    const open = await timed(() => Promise.all(others.map((other, i) => self.open(other.id, chains[i].bytes))));
    if (seal.result.to.length !== members || !open.result.every(({ forYou }) => forYou)) throw new Error('the benchmark is broken');
    return { verify, seal, open };
  };
}

export async function join(members) {
  return (await newcomer(members))();
}

/** Messages sealed, and opened, a second; `at once` is how many are under way together. */
export async function talk(messages, atOnce) {
  const keys = await roomKeys(newLinkRoot());
  const [a, b] = await Promise.all(['a', 'b'].map((alias) => Group.create({ keys, secret: newMemberSecret(), alias })));
  await a.learn(b.id, await b.card());
  await b.learn(a.id, await a.card());
  const content = { k: 'text', id: 'AAAAAAAAAAAAAAAAAAAAAA', body: 'x'.repeat(80) };
  const frames = [];
  const batches = Math.ceil(messages / atOnce);
  const sealing = await timed(async () => {
    for (let i = 0; i < batches; i++) {
      const sealed = await Promise.all(Array.from({ length: atOnce }, () => a.seal(content)));
      for (const { frames: list } of sealed) frames.push(...list);
    }
  });
  const opening = await timed(async () => {
    for (let i = 0; i < frames.length; i += atOnce) {
      const opened = await Promise.all(frames.slice(i, i + atOnce).map(({ bytes }) => b.open(a.id, bytes)));
      if (opened.some(({ kind }) => kind === 'failed')) throw new Error('the benchmark is broken');
    }
  });
  const count = batches * atOnce;
  return { sealed: (count / sealing.wall) * 1000, opened: (count / opening.wall) * 1000, sealCpu: sealing.cpu / count, openCpu: opening.cpu / count };
}

export async function bench({ members = 100, messages = 1000 } = {}) {
  await join(5); // warms up
  await talk(100, 10);
  const { verify, seal, open } = await join(members);
  const [single, many] = [await talk(messages, 1), await talk(messages, 32)];
  return {
    members,
    joinCpuMs: verify.cpu + seal.cpu + open.cpu,
    joinWallMs: verify.wall + seal.wall + open.wall,
    parts: { verifyCards: verify.wall, sealKeys: seal.wall, openKeys: open.wall },
    oneByOne: single,
    pipelined: many,
  };
}

if (globalThis.process?.argv?.[1]?.endsWith('bench.mjs')) {
  const round = (_, value) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value);
  console.log(JSON.stringify(await bench(), round, 2));
}
