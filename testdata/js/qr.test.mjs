import assert from 'node:assert/strict';
import test from 'node:test';
import { encode, path } from '../../static/js/lib/qr.js';

// e2e's TestQRCodes has every version, level and mask read by another implementation; here is what the standard prints.

/** The 15 bits beside the finder at the top left, highest first. */
const formatBits = ({ dark }) =>
  [[0, 8], [1, 8], [2, 8], [3, 8], [4, 8], [5, 8], [7, 8], [8, 8], [8, 7], [8, 5], [8, 4], [8, 3], [8, 2], [8, 1], [8, 0]].map(([x, y]) => Number(dark(x, y))).join('');

test('format bits are those of table C.1', () => {
  const table = { L0: '111011111000100', L7: '110100101110110', M0: '101010000010010', M5: '100000011001110', Q3: '011101000000110', H1: '001001110111110' };
  for (const [name, bits] of Object.entries(table)) {
    const level = /** @type {any} */ (name[0]);
    const text = { L: 'x'.repeat(17), M: 'x'.repeat(14), Q: 'x'.repeat(11), H: 'x' }[level]; // full, so that the level is not raised
    const code = encode(text, { level, mask: Number(name[1]) });
    assert.equal(code.level + code.mask, name);
    assert.equal(formatBits(code), bits, name);
  }
});

test('version bits are those of table D.1', () => {
  const table = { 7: '000111110010010100', 13: '001101100001000111', 20: '010100100110100110' };
  for (const [version, bits] of Object.entries(table)) {
    const { size, dark } = encode('x', { version: Number(version) });
    const read = Array.from({ length: 18 }, (_, i) => Number(dark((i / 3) | 0, size - 11 + (i % 3)))).reverse().join('');
    assert.equal(read, bits);
  }
});

test('a code is as small as can be, and holds what the standard says', () => {
  for (const [length, level, version] of /** @type {const} */ ([[17, 'L', 1], [18, 'L', 2], [14, 'M', 1], [15, 'M', 2], [180, 'M', 9], [213, 'M', 10], [7, 'H', 1], [382, 'H', 20], [858, 'L', 20]])) {
    assert.equal(encode('x'.repeat(length), { level }).version, version, `${length} at ${level}`);
  }
  assert.throws(() => encode('x'.repeat(859), { level: 'L' }), /too long/);
  assert.equal(encode('x', { level: 'L' }).level, 'H', 'a stronger code of the same size is taken');
  assert.equal(encode('ü'.repeat(9), { level: 'L' }).version, 2, 'bytes count, not letters');
});

test('the path draws each dark module once, inside its quiet zone', () => {
  const code = encode('https://snug.example/#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
  const drawn = new Set();
  for (const [, x, y, run, back] of path(code).matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)) {
    assert.equal(run, back);
    for (let i = 0; i < Number(run); i++) {
      const place = `${Number(x) + i} ${y}`;
      assert(!drawn.has(place));
      drawn.add(place);
    }
  }
  let dark = 0;
  for (let y = 0; y < code.size; y++) for (let x = 0; x < code.size; x++) {
    dark += Number(code.dark(x, y));
    assert.equal(drawn.has(`${x + 4} ${y + 4}`), code.dark(x, y), `${x} ${y}`);
  }
  assert.equal(drawn.size, dark);
});
