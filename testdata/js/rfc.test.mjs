// The RFCs' own vectors: they tell that a construction is the published one, not only the same in two programs of ours.
import assert from 'node:assert/strict';
import test from 'node:test';
import { unb64u, utf8 } from '../../static/js/lib/bytes.js';
import { agree, dhPair, dhPublic, hkdf, signPair, verifyKey } from '../../static/js/crypto/suite.js';
import * as hpke from '../../static/js/crypto/suite.js';
import { cbcHs512, concatKdf, openJwe, sealJwe } from '../../static/js/crypto/jwe.js';
import { hex, unhex } from './helpers.mjs';

const range = (from, to) => Uint8Array.from({ length: to - from }, (_, i) => from + i);

test('RFC 5869 A.1 to A.3: HKDF-SHA256', async () => {
  const cases = [
    [new Uint8Array(22).fill(0x0b), range(0, 13), range(0xf0, 0xfa), 42,
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'],
    [range(0, 0x50), range(0x60, 0xb0), range(0xb0, 0x100), 82,
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87'],
    [new Uint8Array(22).fill(0x0b), new Uint8Array(0), new Uint8Array(0), 42,
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8'],
  ];
  for (const [ikm, salt, info, length, okm] of cases) assert.equal(hex(await hkdf(ikm, salt, info, length)), okm);
});

test('RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, base mode, message 0', async () => {
  // From the test-vectors.json that the RFC names (its appendix prints the other AEADs only): mode 0, kem 32, kdf 1, aead 2.
  const mine = await dhPair(unhex('497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d'));
  const ephemeral = await dhPair(unhex('179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11'));
  const [info, aad] = [utf8('Ode on a Grecian Urn'), utf8('Count-0')];
  const plain = utf8('Beauty is truth, truth beauty');
  const enc = '6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256';
  const ct = 'e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a';
  assert.equal(hex(mine.public), '430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c');
  const sealed = await hpke.seal(await hpke.recipient(mine.public), info, plain, { ephemeral, aad });
  assert.equal(hex(sealed), enc + ct);
  assert.deepEqual(await hpke.open(mine, info, sealed, { aad }), plain);
  await assert.rejects(hpke.open(mine, utf8('another info'), sealed, { aad }));
});

test('HPKE refuses low-order points, which would make a secret that everybody knows', async () => {
  const mine = await dhPair();
  for (const point of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31)),
    unhex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'), unhex('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')]) {
    await assert.rejects(hpke.recipient(point).then((to) => hpke.seal(to, utf8('i'), utf8('x'))));
    await assert.rejects(hpke.open(mine, utf8('i'), new Uint8Array([...point, ...new Uint8Array(48)])));
  }
});

test('RFC 8032 7.1: Ed25519', async () => {
  const cases = [
    ['9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', '',
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'],
    ['4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', '72',
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'],
  ];
  for (const [seed, key, message, signature] of cases) {
    const pair = await signPair(unhex(seed));
    assert.equal(hex(pair.public), key);
    assert.equal(hex(new Uint8Array(await crypto.subtle.sign('Ed25519', pair.key, unhex(message)))), signature);
    assert.ok(await crypto.subtle.verify('Ed25519', await verifyKey(pair.public), unhex(signature), unhex(message)));
  }
});

const ALICE = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a';
const BOB = '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb';
const Z = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';

test('RFC 7748 6.1: X25519', async () => {
  const [alice, bob] = [await dhPair(unhex(ALICE)), await dhPair(unhex(BOB))];
  assert.equal(hex(alice.public), '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
  assert.equal(hex(bob.public), 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
  assert.equal(hex(await agree(alice.key, await dhPublic(bob.public))), Z);
  assert.equal(hex(await agree(bob.key, await dhPublic(alice.public))), Z);
});

test('RFC 7518 B.3: A256CBC-HS512', async () => {
  const plain = utf8('A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience');
  const [key, iv, aad] = [range(0, 64), unhex('1af38c2dc2b96ffdd86694092341bc04'), utf8('The second principle of Auguste Kerckhoffs')];
  const box = await cbcHs512.seal(key, iv, aad, plain);
  assert.equal(hex(box.ciphertext), `
    4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b
    36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950b
    be2638d09dd7a4930930806d0703b1f6`.replace(/\s/g, ''));
  assert.equal(hex(box.tag), '4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5');
  assert.deepEqual(await cbcHs512.open(key, iv, aad, box), plain);
});

test('RFC 7518 C: Concat KDF', async () => {
  const z = Uint8Array.of(158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163, 218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196);
  const key = await concatKdf(z, 'A128GCM', 16, { apu: utf8('Alice'), apv: utf8('Bob') });
  assert.deepEqual(key, unb64u('VqqN6vgjbSBcIijNcacQGg'));
});

test('RFC 8037 A.6: a JWE under the ephemeral key of the RFC names the epk that the RFC prints', async () => {
  const [bob, ephemeral] = [await dhPair(unhex(BOB)), await dhPair(unhex(ALICE))];
  const jwe = await sealJwe(bob.public, 'hé', { ephemeral });
  const header = JSON.parse(Buffer.from(jwe.split('.')[0], 'base64url').toString());
  assert.deepEqual(header, { alg: 'ECDH-ES', enc: 'A256CBC-HS512', epk: { kty: 'OKP', crv: 'X25519', x: 'hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo' } });
  assert.equal(await openJwe(bob.key, jwe), 'hé');
});
