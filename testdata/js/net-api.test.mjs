// Requests against a relay, and boxes in between, that answer as told.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { b64u } from '../../static/js/lib/bytes.js';
import { Api, BlockedError, errorOf, NetworkError, PieceSize, RelayError } from '../../static/js/net/relay.js';
import { FakeRelay, cursor, refusal } from './net-relay.mjs';

let relay;
let api;
beforeEach(async () => {
  relay = await new FakeRelay().listen();
  api = new Api({ base: `${relay.base}/`, room: 'ROOM', timeout: 60_000 });
});
afterEach(() => relay.close());

const POSTED = { id: 'M', cursor: cursor(1), members: 2, online: 2 };
const FRAME = Uint8Array.of(1, 2, 3, 250);

test('no more members are named to a relay than it takes, and not always the same', async () => {
  const known = Array.from({ length: 300 }, (_, n) => ({ id: `m${n}`, card: 'C' }));
  const named = new Set();
  for (let n = 0; n < 8; n++) {
    const joining = api.join({ access: 'A', secret: 'S', card: 'C', known });
    const post = await relay.next('join');
    const got = JSON.parse(new TextDecoder().decode(post.body)).known.map(({ id }) => id);
    assert.equal(new Set(got).size, 256);
    for (const id of got) named.add(id);
    post.json({ session: 'S' });
    await joining;
  }
  assert.equal(named.size, 300); // by chance not: once in 80,000
});

test('a piece that the relay has waited too long for makes room for smaller ones', () => {
  const pieces = new PieceSize();
  const whole = pieces.size(false);
  const late = new RelayError({ code: 'body_late', http: 408, error: 'the body did not arrive in time', link: '' });
  assert.equal(pieces.refused(whole, late, false), true);
  assert.equal(pieces.size(false), whole / 4);
  pieces.passed(whole / 4);
  assert.equal(pieces.refused(whole / 4, late, false), false);
});

test('a post has everything in URL and body, and a nonce that changes', async () => {
  const first = api.post('S', 'M', FRAME, { roster: 7 });
  const one = await relay.next('messages');
  assert.equal(one.method, 'POST');
  assert.equal(one.path, '/r/ROOM/messages');
  assert.equal(one.req.headers['content-type'], 'application/octet-stream');
  assert.equal(one.req.headers['content-length'], '4');
  assert.deepEqual([...one.body], [...FRAME]);
  const { n, ...query } = one.query;
  assert.deepEqual(query, { s: 'S', id: 'M', roster: '7' });
  one.json(POSTED);
  assert.deepEqual(await first, POSTED);
  const second = api.post('S', 'M', FRAME, { roster: null });
  const two = await relay.next('messages');
  assert.equal(two.query.roster, undefined);
  assert.notEqual(two.query.n, n);
  two.json(POSTED);
  await second;
});

test('a network that refuses binary posts gets text, from then on at once', async () => {
  const first = api.post('S', 'M', FRAME);
  (await relay.next('messages')).page(403);
  const text = await relay.next('messages');
  assert.equal(text.req.headers['content-type'], 'text/plain');
  assert.equal(text.body.toString(), 'AQID-g');
  text.json(POSTED);
  await first;
  assert.equal(api.asText, true);
  const second = api.card('S', FRAME);
  const card = await relay.next('card');
  assert.equal(card.req.headers['content-type'], 'text/plain');
  card.json({ ok: true });
  await second;
});

test('a network that refuses both forms is reported as it answered first, and binary is kept', async () => {
  const post = api.post('S', 'M', FRAME);
  (await relay.next('messages')).page(403);
  (await relay.next('messages')).page(200);
  await assert.rejects(post, (error) => error instanceof BlockedError && error.status === 403 && error.contentType === 'text/html');
  assert.equal(api.asText, false);
});

test("the relay's refusal of the second form is its word, and shows that this form gets through", async () => {
  const post = api.post('S', 'M', FRAME);
  (await relay.next('messages')).page(403);
  (await relay.next('messages')).reply(refusal(409, 'roster_stale', { roster: { roster: 9, members: [] } }));
  await assert.rejects(post, (error) => error instanceof RelayError && error.code === 'roster_stale' && error.roster?.roster === 9);
  assert.equal(api.asText, true);
});

test("the relay's own refusals have code, rejoin and retryAfter", async () => {
  const ack = api.ack('S', cursor(3));
  const request = await relay.next('ack');
  assert.equal(request.query.through, cursor(3));
  assert.equal(request.body.length, 0);
  request.reply(refusal(401, 'no_session', { rejoin: true }));
  await assert.rejects(ack, (error) => error instanceof RelayError && error.rejoin && error.http === 401 && error.retryAfter === 0);
  const members = api.members('S');
  (await relay.next('members')).reply({ ...refusal(429, 'slow_down'), headers: { 'Retry-After': '12' } });
  await assert.rejects(members, (error) => error instanceof RelayError && error.retryAfter === 12);
});

const FOREIGN = [
  ['a captive portal', (r) => r.page(511), /login \(511\)/],
  ['a redirect', (r) => r.reply({ status: 302, headers: { Location: 'http://login.example/' } }), /another page/],
  ['a page with 200', (r) => r.page(200), /a page instead of the relay's answer/],
  ['a block page', (r) => r.page(451), /refuses this \(451\)/],
  ['a gateway without its relay', (r) => r.page(502), /broken \(502\)/],
  ['JSON of somebody else', (r) => r.reply({ status: 400, body: '{"error":"blocked"}' }), /not the relay's \(400\)/],
  ['JSON with 200 of somebody else', (r) => r.reply({ body: '{"session":5}' }), /not the relay's \(200\)/],
  ['an empty answer', (r) => r.reply({ status: 200, type: 'text/plain' }), /not the relay's \(200\)/],
  ['JSON that is no object', (r) => r.reply({ body: 'null' }), /not the relay's \(200\)/],
];
for (const [name, answer, hint] of FOREIGN) {
  test(`an answer that is not ours: ${name}`, async () => {
    const join = api.join({ access: 'A', secret: 'B', card: 'C' });
    answer(await relay.next('join'));
    await assert.rejects(join, (error) => error instanceof BlockedError && hint.test(error.hint) && error.message === error.hint);
  });
}

test('a login of the proxy, where a fetch shows it: most make a network error of it', () => {
  const error = errorOf(new Response('<p>log in', { status: 407 }), '<p>log in');
  assert.ok(error instanceof BlockedError && /login \(407\)/.test(error.hint));
});

test('a post on a connection that breaks is sent once more, and only once', async () => {
  const post = api.post('S', 'M', FRAME);
  (await relay.next('messages')).destroy();
  const again = await relay.next('messages');
  assert.equal(again.query.id, 'M');
  again.json({ ...POSTED, duplicate: true });
  assert.equal((await post).duplicate, true);
  const lost = api.post('S', 'M', FRAME);
  (await relay.next('messages')).destroy();
  (await relay.next('messages')).destroy();
  await assert.rejects(lost, (error) => error instanceof NetworkError && !error.timeout);
});

test('no answer in time is a time-out, not sent again; an end by the caller is the caller’s reason', async () => {
  const hasty = new Api({ base: relay.base, room: 'ROOM', timeout: 30 });
  await assert.rejects(hasty.members('S'), (error) => error instanceof NetworkError && error.timeout);
  await relay.next('members');
  assert.equal(relay.left, 0);
  const ender = new AbortController();
  const members = api.members('S', { signal: ender.signal });
  const request = await relay.next('members');
  ender.abort(new Error('left the room'));
  await assert.rejects(members, /left the room/);
  await request.gone;
  await assert.rejects(api.members('S', { signal: ender.signal }), /left the room/);
});

test('a body that is cut off is a broken connection', async () => {
  const members = api.members('S');
  for (let i = 0; i < 2; i++) (await relay.next('members')).head('application/json', 200, { 'Content-Length': '100' }).write('{"mem').destroy();
  await assert.rejects(members, NetworkError);
});

test('chunks: what a network calls too big is quartered, down to 4 KiB', async () => {
  assert.equal(api.pieceSize, 896 << 10);
  for (const size of [224 << 10, 56 << 10]) {
    const put = api.putChunk('S', 'F.0', new Uint8Array(api.pieceSize));
    (await relay.next('chunks')).page(413);
    assert.deepEqual(await put, { ok: false, size });
  }
  const good = api.putChunk('S', 'F.0', new Uint8Array(56 << 10));
  (await relay.next('chunks')).json({ ok: true });
  assert.deepEqual(await good, { ok: true });
  const refused = api.putChunk('S', 'F.1', new Uint8Array(56 << 10));
  (await relay.next('chunks')).page(403); // of a size that has passed: this is about something else
  (await relay.next('chunks')).page(403);
  await assert.rejects(refused, BlockedError);
  for (const size of [14 << 10, 4 << 10]) {
    const smaller = api.putChunk('S', 'F.2', new Uint8Array(api.pieceSize));
    (await relay.next('chunks')).page(413);
    assert.deepEqual(await smaller, { ok: false, size });
  }
  const last = api.putChunk('S', 'F.3', new Uint8Array(4 << 10));
  (await relay.next('chunks')).page(413);
  await assert.rejects(last, (error) => error instanceof BlockedError && error.status === 413);
  const full = api.putChunk('S', 'F.4', new Uint8Array(10));
  (await relay.next('chunks')).reply(refusal(429, 'chunks_full', { retryAfter: 2 }));
  await assert.rejects(full, (error) => error instanceof RelayError && error.code === 'chunks_full' && error.retryAfter === 2);
});

test('a chunk is bytes; a page in its place is an error', async () => {
  const good = api.chunk('S', 'F.0', 4);
  const request = await relay.next('F.0');
  assert.equal(request.method, 'GET');
  request.reply({ type: 'application/octet-stream', body: Buffer.from(FRAME) });
  assert.deepEqual([...(await good)], [...FRAME]);
  const page = api.chunk('S', 'F.0', 4);
  for (let i = 0; i < 2; i++) (await relay.next('F.0')).page(200); // as bytes and as text
  await assert.rejects(page, BlockedError);
  const longer = api.chunk('S', 'F.0', 4);
  for (let i = 0; i < 2; i++) (await relay.next('F.0')).reply({ type: 'application/octet-stream', body: Buffer.alloc(5) });
  await assert.rejects(longer, BlockedError);
  const shorter = api.chunk('S', 'F.0', 4); // which is for the caller to see
  (await relay.next('F.0')).reply({ type: 'application/octet-stream', body: Buffer.alloc(3) });
  assert.equal((await shorter).length, 3);
  const gone = api.chunk('S', 'F.0', 4);
  (await relay.next('F.0')).reply(refusal(410, 'chunk_gone'));
  await assert.rejects(gone, (error) => error instanceof RelayError && error.code === 'chunk_gone');
});

test('a chunk comes as text where bytes are refused, from then on at once', async () => {
  const first = api.chunk('S', 'F.0', 4, { hold: 9 });
  (await relay.next('F.0')).page(403);
  for (const chunk of [first, null]) {
    const asked = chunk ?? api.chunk('S', 'F.0', 4, { hold: 9 });
    const request = await relay.next('F.0');
    assert.deepEqual([request.query.as, request.query.hold], ['text', '9']);
    request.reply({ type: 'text/plain', body: b64u(FRAME) });
    assert.deepEqual([...(await asked)], [...FRAME]);
  }
  const odd = api.chunk('S', 'F.0', 4);
  (await relay.next('F.0')).reply({ type: 'text/plain', body: 'a page' });
  (await relay.next('F.0')).page(403);
  await assert.rejects(odd, BlockedError);
});

test('a chunk comes in parts where long answers stop in the middle, from then on at once', async () => {
  api = new Api({ base: relay.base, room: 'ROOM', timeout: 60_000, stuck: 50 });
  const bytes = new Uint8Array((100 << 10) + 5).map((_, i) => i * 7);
  const first = api.chunk('S', 'F.0', bytes.length, { hold: 9 });
  const whole = await relay.next('F.0');
  assert.deepEqual([whole.query.from, whole.query.size], ['0', String(bytes.length)]);
  whole.head('application/octet-stream').write(bytes.subarray(0, 64 << 10));
  await whole.gone;
  for (const chunk of [first, null]) {
    const asked = chunk ?? api.chunk('S', 'F.0', bytes.length, { hold: 9 });
    for (const [from, size] of [[0, 48 << 10], [48 << 10, 48 << 10], [96 << 10, (4 << 10) + 5]]) {
      const part = await relay.next('F.0');
      assert.deepEqual([part.query.from, part.query.size, part.query.hold], [String(from), String(size), '9']);
      part.reply({ type: 'application/octet-stream', body: Buffer.from(bytes.subarray(from, from + size)) });
    }
    assert.deepEqual(await asked, bytes);
  }
  const text = api.chunk('S', 'F.0', 40_000);
  (await relay.next('F.0')).page(403);
  (await relay.next('F.0')).reply({ type: 'text/plain', body: b64u(bytes.subarray(0, 30_000)) });
  const second = await relay.next('F.0');
  assert.deepEqual([second.query.as, second.query.from, second.query.size], ['text', '30000', '10000']);
  second.reply({ type: 'text/plain', body: '' }); // there is no more of it
  assert.equal((await text).length, 30_000);
});

test('an answer that stops is no reason to fetch in parts if it is short, nor one that only takes long', async () => {
  api = new Api({ base: relay.base, room: 'ROOM', timeout: 500, stuck: 50 });
  const short = api.chunk('S', 'F.0', 48 << 10);
  (await relay.next('F.0')).head('application/octet-stream').write(FRAME);
  await assert.rejects(short, (error) => error instanceof NetworkError && error.timeout);

  api = new Api({ base: relay.base, room: 'ROOM', timeout: 500, stuck: 60_000 });
  const long = api.chunk('S', 'F.0', 50_000);
  const request = await relay.next('F.0');
  assert.equal(request.query.size, '50000');
  request.head('application/octet-stream').write(new Uint8Array(40_000));
  await new Promise((next) => setTimeout(next, 600)); // past the time for an answer of which nothing comes
  request.end(new Uint8Array(10_000));
  assert.equal((await long).length, 50_000);
});

test('knocks, leave and acks of chunks', async () => {
  const knock = api.knock({ secret: 'X', body: 'Y' });
  const request = await relay.next('knock');
  assert.equal(request.req.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(request.body.toString()), { secret: 'X', body: 'Y' });
  request.json({ ok: true });
  await knock;
  const poll = api.knockPoll({ secret: 'X', after: 0, hold: 25 });
  (await relay.next('knock/poll')).json({ notes: ['AA'] });
  assert.deepEqual(await poll, { notes: ['AA'] });
  const answer = api.knockAnswer('S', 'K', FRAME);
  (await relay.next('knock/K')).json({ ok: true });
  await answer;
  const leave = api.leave('S');
  (await relay.next('leave')).json({ ok: true });
  await leave;
  const unloading = api.leave('S', { unloading: true });
  (await relay.next('leave')).json({ ok: true });
  await unloading;
  const ack = api.ack('S', cursor(1), { got: ['F.0'] });
  const body = JSON.parse((await relay.next('ack').then((r) => (r.json({ ok: true }), r))).body.toString());
  assert.deepEqual(body, { got: ['F.0'] });
  await ack;
  assert.ok(api.latency >= 0);
});
