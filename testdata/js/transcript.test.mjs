import assert from 'node:assert/strict';
import test from 'node:test';
import { playTranscript } from './play.mjs';
import { transcripts } from './transcript.mjs';

test('the transcripts that are made for Go hold here too', async () => {
  const { transcript } = await transcripts();
  assert.ok(transcript.length >= 5);
  for (const scene of transcript) await playTranscript(scene);
});

test('what members see in them is what the scenes mean', async () => {
  const { transcript: [talk, rotation, forgery, changed, move, lock] } = await transcripts();
  const sees = ({ steps }, note) => steps.filter((step) => step.note === note).map((step) => step.sees);
  assert.equal(sees(talk, 'from before dan came')[0].dan.reason, 'before-you');
  assert.equal(sees(talk, 'message of ann').at(-2).cid.reason, 'before-you');
  assert.equal(sees(talk, 'its key is erased')[0].cid.reason, 'expired');
  assert.ok(rotation.members.bob.hpke.length === 2 && rotation.steps.at(-1).sees.bob.kind === 'content');
  const forged = forgery.steps.filter(({ note }) => /changed|another|stranger|future/.test(note));
  assert.ok(forged.length >= 13 && forged.every(({ sees: s }) => Object.values(s).every(({ kind, status }) => (status ?? kind) === (status ? 'bad' : 'failed'))));
  assert.deepEqual(changed.steps.map(({ sees: { ann } }) => ann?.status ?? ann?.reason).filter(Boolean), ['new', 'changed', 'changed', 'changed', 'bad-signature']);
  assert.deepEqual(move.steps.at(-1).sees.eve.root, undefined);
  assert.match(move.steps.at(-1).sees.bob.root, /^[0-9a-f]{64}$/);
  const seenBy = (who) => lock.steps.filter((step) => step.do === 'lock' && step.sees[who]).map(({ sees: s }) => s[who]);
  const [eve, mal] = [lock.members.eve.id, lock.members.mal.id];
  assert.deepEqual(seenBy('cid').map(({ status, waiting = [] }) => [status, ...waiting]), [['locked', eve], ['locked', ...[eve, mal].sort()], ['locked', mal], ['open']]);
  assert.deepEqual(seenBy('eve').map(({ status, waiting = [], waits = false }) => [status, waits, ...waiting]), [['open', true], ['locked', false, mal], ['open', false]]);
});
