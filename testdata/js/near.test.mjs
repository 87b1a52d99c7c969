// What a member believes of the room's budget, on which it depends how soon it acks.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nearAfter } from '../../static/js/room/connection.js';

const after = (...events) => events.reduce((near, [event, data]) => nearAfter({ event, data }, near), false);

test('a room is near its budget from the event that says so to the one that does not', () => {
  for (const [event, yes, no] of [['hello', { limits: { near: true } }, { limits: {} }], ['hb', { near: true }, {}], ['polled', { near: true }, {}]]) {
    assert.equal(after([event, yes]), true, event);
    assert.equal(after([event, yes], ['msg', { body: '' }], ['acked', {}]), true, `${event}, then a message`);
    assert.equal(after([event, yes], [event, no]), false, `${event} twice`);
    assert.equal(after([event, yes], ['hb', {}]), false, `${event}, then a heartbeat`);
  }
});
