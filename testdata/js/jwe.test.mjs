import assert from 'node:assert/strict';
import test from 'node:test';
import { b64u, utf8 } from '../../static/js/lib/bytes.js';
import { dhPair } from '../../static/js/crypto/suite.js';
import { openJwe, sealJwe } from '../../static/js/crypto/jwe.js';

const drop = await dhPair();

test('both encryptions, empty and long texts, and named parties', async () => {
  for (const enc of ['A256GCM', 'A256CBC-HS512']) {
    for (const text of ['', 'x', 'é'.repeat(40_000)]) assert.equal(await openJwe(drop.key, await sealJwe(drop.public, text, { enc })), text);
    const parties = { apu: utf8('Alice'), apv: utf8('Bob') };
    assert.equal(await openJwe(drop.key, await sealJwe(drop.public, 'x', { enc, parties })), 'x');
  }
  await assert.rejects(sealJwe(drop.public, 'x', { enc: 'A128GCM' }), TypeError);
});

test('every header that is not exactly ours is refused, with its name', async () => {
  const jwe = await sealJwe(drop.public, 'x');
  const header = JSON.parse(Buffer.from(jwe.split('.')[0], 'base64url').toString());
  const withHeader = (change) => [b64u(utf8(typeof change === 'string' ? change : JSON.stringify(change))), ...jwe.split('.').slice(1)].join('.');
  const cases = [
    [{ ...header, alg: 'ECDH-ES+A256KW' }, /"alg"/],
    [{ ...header, alg: 'none' }, /"alg"/],
    [{ ...header, alg: undefined }, /"alg"/],
    [{ ...header, enc: 'A128GCM' }, /"enc"/],
    [{ ...header, enc: ['A256GCM'] }, /"enc"/],
    [{ ...header, zip: 'DEF' }, /"zip"/],
    [{ ...header, crit: ['exp'] }, /"crit"/],
    [{ ...header, crit: null }, /"crit"/],
    [{ ...header, epk: undefined }, /"epk"/],
    [{ ...header, epk: null }, /"epk"/],
    [{ ...header, epk: { ...header.epk, crv: 'P-256' } }, /"epk"/],
    [{ ...header, epk: { ...header.epk, kty: 'EC' } }, /"epk"/],
    [{ ...header, epk: { ...header.epk, d: 'AA' } }, /"epk"/],
    [{ ...header, epk: { ...header.epk, x: b64u(new Uint8Array(31)) } }, /32 bytes/],
    [{ ...header, epk: { ...header.epk, x: `${header.epk.x}=` } }, /base64url/],
    [{ ...header, epk: { ...header.epk, x: b64u(new Uint8Array(32)) } }, /./],
    [{ ...header, apu: 7 }, /"apu"/],
    [{ ...header, apu: null }, /"apu"/],
    [{ ...header, apv: null }, /"apv"/],
    ['[]', /no object/], ['null', /no object/], ['{', /JSON/], ['{"alg":"ECDH-ES"', /JSON/],
  ];
  for (const [change, reason] of cases) await assert.rejects(openJwe(drop.key, withHeader(change)), reason, JSON.stringify(change));
  // A header that says the same in other bytes is another header: it is authenticated as it lies.
  await assert.rejects(openJwe(drop.key, withHeader({ ...header, typ: 'JWE' })));
});

test('parts: five, no encrypted key, whole iv and tag; any flipped character is refused', async () => {
  for (const enc of ['A256GCM', 'A256CBC-HS512']) {
    const jwe = await sealJwe(drop.public, 'hello', { enc });
    const parts = jwe.split('.');
    const changed = (at, value) => parts.with(at, value).join('.');
    for (const bad of ['', 'x', parts.slice(0, 4).join('.'), `${jwe}.`, changed(1, 'AA'), changed(2, 'AAAA'), changed(4, parts[4].slice(0, -4)), changed(3, '')]) {
      await assert.rejects(openJwe(drop.key, bad));
    }
    for (let at = 0; at < jwe.length; at++) {
      const other = jwe[at] === 'A' ? 'B' : 'A';
      await assert.rejects(openJwe(drop.key, jwe.slice(0, at) + other + jwe.slice(at + 1)), `character ${at}`);
    }
    await assert.rejects(openJwe((await dhPair()).key, jwe));
  }
});
