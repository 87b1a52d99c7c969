// testdata/vectors, which client/e2ee wrote: the same bytes in both languages. A file or function that nobody reads here fails, and
// so does an empty list. The README there says what the fields are.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import test from 'node:test';
import { b64u, concat, equal, parseFragment, unb64u, utf8 } from '../../static/js/lib/bytes.js';
import { FileOpener, FileSealer, Shape } from '../../static/js/crypto/file.js';
import { fingerprint } from '../../static/js/crypto/words.js';
import { Identity, linkFragment, memberId, parseCard, passphraseInputs, passphraseRoot, roomKeys, safetyCode, signCard } from '../../static/js/crypto/keys.js';
import { parseKeys, parseMessage, parseMove, ReceivingChains, sealMessage } from '../../static/js/crypto/chains.js';
import { aesFrom, dhPair, FrameSealer, gcmOpen, hkdf, hkdfKey, openFrame, padme, signPair, verify, verifyKey, X } from '../../static/js/crypto/suite.js';
import { cbcHs512, concatKdf, gcm, openJwe, sealJwe } from '../../static/js/crypto/jwe.js';
import { KnockAsker, KnockHost } from '../../static/js/crypto/knock.js';
import { hex, unhex } from './helpers.mjs';
import { playTranscript } from './play.mjs';

const identityOf = (seed) => Identity.create(0, { seed: unhex(seed) });

const root = {
  async roomKeys(c) {
    const secret = unhex(c.root);
    const keys = await roomKeys(secret);
    for (const name of ['access', 'post', 'room', 'dropPublic']) assert.equal(hex(keys[name]), c[name], name);
    assert.deepEqual([keys.roomId, linkFragment(secret)], [c.roomId, c.fragment]);
    for (const name of ['outer', 'drop']) assert.equal(hex(await X(secret, name)), c[name], name);
  },
  async memberId({ secret, raw, id }) {
    const member = await memberId(unhex(secret));
    assert.deepEqual([hex(member.raw), member.id], [raw, id]);
  },
  parseFragment: async (c) => assert.equal(hex(parseFragment(c.fragment) ?? []), c.root, c.fragment),
  async passphraseInputs({ passphrase, roomName, password, salt }) {
    const inputs = await passphraseInputs(passphrase, roomName);
    assert.deepEqual([hex(inputs.password), hex(inputs.salt)], [password, salt], `${passphrase} / ${roomName}`);
  },
  passphraseRoot: async (c) => assert.equal(hex(await passphraseRoot(c.passphrase, c.roomName)), c.root),
  passphraseRefused: async (c) => assert.rejects(passphraseRoot(c.passphrase, c.roomName), /is empty/),
};

const frame = {
  padme: async ({ length, padded }) => assert.equal(padme(length), padded),
  async sealFrame({ root: secret, type, sid, ctr, inner, frame: bytes }) {
    const keys = await roomKeys(unhex(secret));
    assert.equal(hex(await new FrameSealer(keys, { sid: unhex(sid), ctr }).seal(type, unhex(inner))), bytes);
    const opened = await openFrame(keys, unhex(bytes));
    assert.deepEqual([opened.type, hex(opened.sid), opened.ctr, hex(opened.inner)], [type, sid, BigInt(ctr), inner]);
  },
  refusedFrame: async (c) => assert.rejects(openFrame(await roomKeys(unhex(c.root)), unhex(c.frame)), undefined, c.why),
};

const card = {
  async signCard(c) {
    const identity = await Identity.create(0, { seed: unhex(c.seed), secret: unhex(c.private), rotation: c.rotation });
    const { raw } = await memberId(unhex(c.secret));
    const of = { room: unhex(c.room), member: raw, alias: c.alias, created: c.created };
    assert.equal(hex(await signCard(identity, of)), c.card);
    const { verifyKey: _, ...parsed } = await parseCard(unhex(c.card), of.room);
    const bytes = { member: unhex(c.member), x25519: unhex(c.x25519), ed25519: unhex(c.ed25519) };
    assert.deepEqual(parsed, { ...bytes, created: c.created, rotation: c.rotation, alias: c.alias });
  },
  refusedCard: async (c) => assert.rejects(parseCard(unhex(c.card), unhex(c.room)), undefined, c.why),
};

async function sealedTo(parsed, c, secret) {
  const place = { room: unhex(c.room), from: unhex(c.sender) };
  const { name, signature, body } = parsed.signed(place);
  assert.ok(await verify(await verifyKey(unhex(c.ed25519)), name, signature, body));
  for (const { member, rotation, private: key } of c.recipients) {
    const entry = parsed.entry(unhex(member));
    assert.equal(entry.rotation, rotation);
    assert.equal(hex(await parsed.open(await dhPair(unhex(key)), place, entry)), secret);
  }
}

async function receive(chains, aad, { at, do: what, e, n, ck, ciphertext }) {
  if (what === 'start') return chains.start(e, n, unhex(ck), at) ? 'taken' : 'ignored';
  if (what === 'end') return chains.end(at);
  if (what === 'goOn') return chains.goOn();
  assert.equal(what, 'message');
  const claim = await chains.claim(e, n, at);
  if (typeof claim === 'string') return claim;
  claim.commit();
  return new TextDecoder().decode(await gcmOpen(claim.key, new Uint8Array(12), unhex(ciphertext), utf8(aad)));
}

const chain = {
  async ratchet({ ck, steps }) {
    let key = unhex(ck);
    for (const step of steps) {
      assert.equal(hex(await X(key, 'message')), step.mk);
      key = await X(key, 'chain');
      assert.equal(hex(key), step.ck);
    }
  },
  async message(c) {
    const place = { room: unhex(c.room), from: (await memberId(unhex(c.secret))).raw };
    const identity = await identityOf(c.seed);
    const key = await aesFrom(await hkdfKey(unhex(c.ck)), 'message');
    assert.equal(hex(await sealMessage(identity, place, { e: c.e, n: c.n, key }, utf8(c.content))), c.message);
    const parsed = parseMessage(unhex(c.message));
    const { name, signature, body } = parsed.signed(place);
    assert.ok(await verify(await verifyKey(identity.public), name, signature, body));
    assert.deepEqual([parsed.e, parsed.n, new TextDecoder().decode(await parsed.open(key, place))], [c.e, c.n, c.content]);
  },
  async keys(c) {
    const parsed = parseKeys(unhex(c.keys));
    assert.deepEqual([parsed.e, parsed.n], [c.e, c.n]);
    await sealedTo(parsed, c, c.ck);
  },
  async move(c) {
    const parsed = parseMove(unhex(c.move));
    assert.deepEqual(parsed.removed.map(hex), c.removed);
    await sealedTo(parsed, c, c.root);
  },
  async receive({ name, aad, steps }) {
    const chains = new ReceivingChains();
    for (const [i, step] of steps.entries()) {
      assert.equal(await receive(chains, aad, step), step.want, `${name}: step ${i}, ${step.do} ${step.e} ${step.n}`);
    }
  },
};

async function knockSides(c) {
  const keys = await roomKeys(unhex(c.root));
  const asker = await KnockAsker.create(unhex(c.room), null, { secret: unhex(c.private), nonce: unhex(c.nJ) });
  const host = new KnockHost({ ...keys, room: unhex(c.room) }, await identityOf(c.seed), asker.commit, { nonce: unhex(c.nM) });
  return { asker, host };
}

const note = (hexadecimal) => b64u(unhex(hexadecimal));

const knock = {
  async knock(c) {
    const { asker, host } = await knockSides(c);
    assert.deepEqual([asker.commit, host.answer], [note(c.commit), note(c.answer)]);
    assert.deepEqual(await asker.answered(note(c.answer)), { reveal: note(c.reveal), as: undefined, code: c.code });
    assert.equal(await host.revealed(note(c.reveal)), c.code);
    assert.equal(hex(await asker.opened(note(c.sealed))), c.root);
  },
  async arrivingKnock(c) {
    const { host: { answer } } = await knockSides(c);
    const [member, identity, salt] = [unhex(c.member), unhex(c.identity), unhex(c.nJ)];
    const asker = await KnockAsker.create(unhex(c.room), { member, identity }, { secret: unhex(c.private), salt });
    const keys = await roomKeys(unhex(c.root));
    const host = new KnockHost({ ...keys, room: unhex(c.room) }, await identityOf(c.seed), asker.commit, { nonce: unhex(c.nM) });
    assert.equal(host.answer, answer);
    assert.equal(asker.commit, note(c.commit));
    assert.deepEqual(await asker.answered(note(c.answer)), { reveal: note(c.reveal), as: note(c.as), code: c.code });
    assert.equal(await host.revealed(note(c.reveal), note(c.as)), c.code);
    assert.deepEqual(host.arrival, { id: note(c.member), key: note(c.identity) });
    assert.equal(hex(await asker.opened(note(c.sealed))), c.root);
  },
  async refusedKnock(c) {
    const { asker } = await knockSides(c);
    await asker.answered(note(c.answer));
    await assert.rejects(asker.opened(note(c.sealed)), undefined, c.why);
  },
};

const ENCRYPTIONS = { A256GCM: gcm, 'A256CBC-HS512': cbcHs512 };

const jwe = {
  async sealJwe(c) {
    const parties = Object.fromEntries(['apu', 'apv'].filter((name) => c[name]).map((name) => [name, unhex(c[name])]));
    const options = { enc: c.enc, ephemeral: await dhPair(unhex(c.ephemeral)), iv: unhex(c.iv), parties };
    assert.equal(await sealJwe(unhex(c.dropPublic), c.text, options), c.jwe);
    assert.equal(await openJwe((await dhPair(unhex(c.drop))).key, c.jwe), c.text);
  },
  openJwe: async (c) => assert.equal(await openJwe((await dhPair(unhex(c.drop))).key, c.jwe), c.text, c.why),
  refusedJwe: async (c) => assert.rejects(dhPair(unhex(c.drop)).then(({ key }) => openJwe(key, c.jwe)), undefined, c.why),
  async concatKdf({ z, enc, apu, apv, size, key }) {
    assert.equal(hex(await concatKdf(unhex(z), enc, size, { apu: unhex(apu), apv: unhex(apv) })), key);
  },
  async content(c) {
    const [encryption, key, iv, aad] = [ENCRYPTIONS[c.enc], unhex(c.cek), unhex(c.iv), unhex(c.aad)];
    const box = await encryption.seal(key, iv, aad, unhex(c.text));
    assert.deepEqual([hex(box.ciphertext), hex(box.tag)], [c.ciphertext, c.tag]);
    assert.equal(hex(await encryption.open(key, iv, aad, box)), c.text);
  },
};

const prints = {
  fingerprint: async (c) => assert.equal(await fingerprint(unhex(c.identity)), c.fingerprint),
  safetyCode: async (c) => assert.equal(await safetyCode(unhex(c.room), c.identities.map(unhex)), c.code),
};

const file = {
  shape({ size, segment, segments, sealed }) {
    if (segments === 0) return assert.throws(() => new Shape({ size, segment }), RangeError);
    const shape = new Shape({ size, segment });
    assert.deepEqual([shape.segments, shape.sealed], [segments, sealed]);
  },
  async sealFile(c) {
    const plain = unhex(c.plain ?? '');
    const sealer = await FileSealer.create(new Blob([plain]), { segment: c.segment, key: unhex(c.key), header: unhex(`28${c.salt}${c.prefix}`) });
    assert.equal(hex(await sealer.read(0, sealer.shape.sealed)), c.sealed);
    for (const step of [1, 13, 64, 1000]) {
      const parts = [];
      for (let at = 0; at < sealer.shape.sealed; at += step) parts.push(hex(await sealer.read(at, at + step)));
      assert.equal(parts.join(''), c.sealed, `read by ${step}`);
      assert.equal(hex(await openFile(c, step)), c.plain ?? '', `opened by ${step}`);
    }
  },
  refusedFile: async (c) => assert.rejects(openFile(c, 100), undefined, c.why),
};
async function openFile(c, step) {
  const opener = new FileOpener({ size: c.size, segment: c.segment, key: unhex(c.key) });
  const sealed = unhex(c.sealed);
  const out = [];
  for (let at = 0; at < sealed.length; at += step) out.push(...(await opener.push(sealed.slice(at, at + step))));
  assert.ok(opener.whole, 'cut short');
  return concat(...out);
}

const READERS = {
  'root.json': root,
  'frame.json': frame,
  'card.json': card,
  'chain.json': chain,
  'group.json': { transcript: playTranscript },
  'knock.json': knock,
  'jwe.json': jwe,
  'fingerprint.json': prints,
  'file.json': file,
};

const folder = new URL('../vectors/', import.meta.url);
const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));

test('every file of vectors is read here, and every reader has its file', () => {
  assert.deepEqual(files.sort(), Object.keys(READERS).sort());
});

for (const name of files) {
  const file = JSON.parse(await readFile(new URL(name, folder), 'utf8'));
  test(`${name}: its functions are those that are read`, () => {
    assert.deepEqual(Object.keys(file).sort(), Object.keys(READERS[name] ?? {}).sort());
  });
  for (const [what, cases] of Object.entries(file)) {
    test(`${name}: ${what}`, async () => {
      assert.ok(Array.isArray(cases) && cases.length > 0, 'no cases');
      for (const each of cases) await READERS[name][what](each);
    });
  }
}

test('the reader itself notices a wrong byte', async () => {
  const { identities, room, code } = JSON.parse(await readFile(new URL('fingerprint.json', folder), 'utf8')).safetyCode[1];
  await assert.rejects(prints.safetyCode({ identities, room, code: code.replace(/\d$/, (d) => String((Number(d) + 1) % 10)) }));
  assert.ok(!equal(unb64u('AA'), unb64u('AQ')) && (await signPair(new Uint8Array(32))).public.length === 32);
});
