// The cases of testdata/ladder, which the Go ladder passes too.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Ladder } from '../../static/js/net/ladder.js';

const dir = new URL('../ladder/', import.meta.url);
const CASE = ['name', 'steps'];
const INPUT = ['t', 'in', 'r', 'ch', 'memory', 'age', 'hb', 'why', 'delay', 'n', 'status', 'hint', 'code', 'rejoin', 'retryAfter', 'ok'];
const STEP = [...INPUT, 'out', 'next'];
const ACTION = ['do', 'ch', 'rung', 'hb', 'life', 'hold', 'shadow', 'code', 'state', 'reason'];
const INPUTS =
  'start stop timer online offline change pageshow visible active rejoined hello event hb bye end good refused error relay'.split(' ');
const ACTIONS = 'open batch poll close promote rejoin error remember status'.split(' ');

/** @param {object} value @param {string[]} known */
function checkFields(value, known, where) {
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  assert.deepEqual(unknown, [], `unknown fields in ${where}`);
}

/** What an action says, without the fields that are empty. */
const bare = (action) => Object.fromEntries(Object.entries(action).filter(([, value]) => value !== undefined && value !== 0 && value !== false && value !== ''));

const used = { in: new Set(), do: new Set() };
const names = new Set();
for (const file of readdirSync(dir).sort()) {
  assert.match(file, /\.json$/, 'a file that nothing reads');
  for (const each of JSON.parse(readFileSync(new URL(file, dir), 'utf8'))) {
    checkFields(each, CASE, file);
    assert.ok(!names.has(each.name), `two cases are called ${each.name}`);
    names.add(each.name);
    test(`${file}: ${each.name}`, () => {
      const ladder = new Ladder();
      each.steps.forEach((step, i) => {
        const where = `step ${i}: ${JSON.stringify(step)}`;
        checkFields(step, STEP, where);
        const { out = [], next, ...input } = step;
        for (const action of out) checkFields(action, ACTION, where);
        assert.deepEqual(ladder.step({ r: 0.5, ...input }).map(bare), out, where);
        assert.equal(ladder.deadline, next ?? Infinity, `deadline after ${where}`);
        used.in.add(input.in);
        for (const action of out) used.do.add(action.do);
      });
    });
  }
}

test('the cases use every input and every action', () => {
  assert.deepEqual([...used.in].sort(), [...INPUTS].sort());
  assert.deepEqual([...used.do].sort(), [...ACTIONS].sort());
});
