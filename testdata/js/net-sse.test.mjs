// The event stream parser: the examples of the standard, and every way to cut a stream.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventStreamParser, EventTooLarge } from '../../static/js/net/transport.js';

const bytes = (text) => new TextEncoder().encode(text);
const all = (text) => new EventStreamParser().push(bytes(text));
const event = (data, name = 'message', id = '') => ({ event: name, id, data });

const CASES = [
  ['data', 'data: a\n\n', [event('a')]],
  ['several data lines', 'data: YHOO\ndata: +2\ndata: 10\n\n', [event('YHOO\n+2\n10')]],
  ['one space is taken off, not two', 'data:a\n\ndata: b\n\ndata:  c\n\n', [event('a'), event('b'), event(' c')]],
  ['a field without a colon, and empty data', 'data\n\ndata\ndata\n\ndata:', [event(''), event('\n')]],
  ['an event without data is none, and its name is forgotten', 'event: x\n\ndata: a\n\n', [event('a')]],
  ['comments', ': nothing\n:\n:data: x\ndata: a\n: more\n\n', [event('a')]],
  ['name and id', 'event: msg\nid: e.7\ndata: {}\n\ndata: b\n\n', [event('{}', 'msg', 'e.7'), event('b')]],
  ['an id with NUL is ignored', 'id: a\0b\ndata: x\n\n', [event('x')]],
  ['unknown fields', 'foo: bar\ndata: a\nData: b\n\n', [event('a')]],
  ['CR and CRLF', 'data: a\r\rdata: b\r\n\r\ndata: c\n\n', [event('a'), event('b'), event('c')]],
  ['CR LF after CR CR', 'data: a\r\r\ndata: b\n\n', [event('a'), event('b')]],
  ['a byte order mark at the start only', '\ufeffdata: a\n\n\ufeffdata: b\n\n', [event('a')]],
  ['unfinished at the end', 'data: a\n\ndata: b\n', [event('a')]],
  ['colons in the value', 'data: a: b:c\n\n', [event('a: b:c')]],
  ['beyond the basic plane', 'data: 🦊ä€\n\n', [event('🦊ä€')]],
];

for (const [name, text, want] of CASES) {
  test(name, () => {
    assert.deepEqual(all(text), want);
    const single = new EventStreamParser();
    assert.deepEqual([...bytes(text)].flatMap((byte) => single.push(Uint8Array.of(byte))), want, 'byte by byte');
  });
}

test('id and retry of the stream', () => {
  const parser = new EventStreamParser();
  parser.push(bytes('retry: 1000\nid: 5\ndata: a\n\nretry: 10x\nretry: -1\ndata: b\n\nid\ndata: c\n\n'));
  assert.equal(parser.retry, 1000);
  assert.equal(parser.lastId, '');
});

test('however a stream is cut, it reads the same', () => {
  let seed = 42;
  const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  const pieces = ['data: ', 'data', 'event: msg', 'id: e.1', 'id', ':', ': ä', '\n', '\r', '\r\n', '\n\n', '\r\r', 'ö🦊', '\ufeff', '\0', 'retry: 5', ' ', 'x'];
  for (let round = 0; round < 3000; round++) {
    let text = '';
    for (let i = random(30); i >= 0; i--) text += pieces[random(pieces.length)];
    const whole = bytes(text);
    const want = all(text);
    const parser = new EventStreamParser();
    const got = [];
    for (let at = 0; at < whole.length; ) {
      const next = at + random(5);
      got.push(...parser.push(whole.subarray(at, next)));
      at = next;
    }
    assert.deepEqual(got, want, JSON.stringify(text));
  }
});

test('broken UTF-8 becomes a replacement character, never an exception', () => {
  const parser = new EventStreamParser();
  const [got] = parser.push(Uint8Array.of(0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0xc3, 0x0a, 0x0a));
  assert.equal(got.data, '\ufffd\ufffd');
});

for (const [name, text] of [['one line', `data: ${'x'.repeat(200)}`], ['many lines', 'data: xxxxxxxx\n'.repeat(20)], ['a comment without end', `:${'x'.repeat(200)}`], ['an id', `id: ${'x'.repeat(200)}\n\n`]]) {
  test(`an event that is too large is an error: ${name}`, () => {
    const parser = new EventStreamParser({ max: 100 });
    assert.throws(() => {
      for (const byte of bytes(text)) parser.push(Uint8Array.of(byte));
    }, EventTooLarge);
    assert.throws(() => new EventStreamParser({ max: 100 }).push(bytes(text)), EventTooLarge);
  });
}

test('many events and comments that are each within the bound are fine', () => {
  const parser = new EventStreamParser({ max: 100 });
  assert.equal(parser.push(bytes(`: ${'x'.repeat(90)}\n`.repeat(9) + 'data: a\n\n'.repeat(1000))).length, 1000);
});
