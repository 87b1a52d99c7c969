// The cases of testdata/acks.json, which the Go client passes too.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Acks } from '../../static/js/room/connection.js';

const cases = JSON.parse(readFileSync(new URL('../acks.json', import.meta.url), 'utf8'));
assert.ok(cases.length > 0);
for (const { name, steps, ...other } of cases) {
  assert.deepEqual(other, {}, 'unknown fields');
  test(`acks: ${name}`, () => {
    const acks = new Acks(0);
    steps.forEach(({ t, do: what, urgent, due, ...more }, i) => {
      const where = `step ${i}: ${what} at ${t}`;
      assert.deepEqual(more, {}, `unknown fields in ${where}`);
      assert.match(what, /^(handled|sent|failed)$/, where);
      acks[what](t, urgent);
      assert.equal(acks.due, due, where);
    });
  });
}

test('acks: what is owed is sent at once when the page is hidden', () => {
  const acks = new Acks(0);
  acks.hurry(100);
  assert.equal(acks.due, 20_000);
  acks.handled(1000);
  acks.hurry(1050);
  assert.equal(acks.due, 1050);
});
