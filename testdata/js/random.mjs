// Plays world.mjs, by hand: `SNUG_SEED=100 SNUG_SEEDS=40 node --test testdata/js/random.mjs`. A seed makes the same choices each time, and what
// happens at the same time still differs; so a seed that failed may pass the next time, and is tried some times more. What fails is
// a fault of the page or of what is asked of it here: read the story that is printed.
import test, { after, before } from 'node:test';
import { missing, Relay } from './relay.mjs';
import { chores, World } from './world.mjs';

const FIRST = Number(process.env.SNUG_SEED ?? 1);
const RUNS = Number(process.env.SNUG_SEEDS ?? 4);

let relay;
before(async () => (relay = missing ? relay : await Relay.start()));
after(() => relay?.close());

/** What was done, and what each page shows in the end. @param {World} world @param {number} seed @param {Error} error */
function report(world, seed, error) {
  console.log(`SNUG_SEED=${seed}: ${String(error.message).split('\n')[0]}\n  ${world.log.join('\n  ')}`);
  for (const { person, name, gone, session } of world.actors) {
    const row = ({ kind, event, body, alias, gone, own, state, transfer }) =>
      [kind === 'text' ? '' : kind, event, alias, body, gone ? 'GONE' : '', transfer, own && kind !== 'system' && state !== 'all' ? state : ''].filter(Boolean).join(' ');
    console.log(`- ${name} ${gone} ${session.roomId.slice(0, 4)} ${session.status.state} [${person.names}] ${person.troubles.join('; ')} SHOWS ${session.items.map(row).join(' | ')}`);
  }
}

for (let seed = FIRST; seed < FIRST + RUNS; seed++) {
  test(`many things at once, seed ${seed}`, { skip: missing, timeout: 120_000 }, async () => {
    chores.splice(0);
    const world = new World(relay, seed);
    try {
      await world.begin();
      await world.run();
      await world.holds();
    } catch (error) {
      report(world, seed, error);
      throw error;
    } finally {
      if (world.down) await relay.restart();
      await world.end();
    }
  });
}
