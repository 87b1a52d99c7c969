// Pictures without what they tell besides. The pictures are real ones, made by encoders, with real blocks of metadata put in.
import assert from 'node:assert/strict';
import test from 'node:test';
import { concat, utf8 } from '../../static/js/lib/bytes.js';
import { orientationOf, strip } from '../../static/js/lib/metadata.js';

const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'));
const has = (picture, text) => Buffer.from(picture).includes(text);

// Small ones as Chromium encodes them: JPEG, PNG, and WebP that is lossy, lossless, and with transparency; one WebP without the frame around.
const PICTURES = JSON.parse(await (await import('node:fs/promises')).readFile(new URL('pictures.json', import.meta.url), 'utf8'));
{
  const whole = bytes(PICTURES['webp-lossless']);
  const at = Buffer.from(whole).indexOf('VP8L');
  const only = concat(utf8('RIFF\0\0\0\0WEBP'), whole.subarray(at, at + 8 + new DataView(whole.buffer).getUint32(at + 4, true)));
  const even = concat(only, new Uint8Array(only.length & 1));
  new DataView(even.buffer).setUint32(4, even.length - 8, true);
  PICTURES['webp-simple'] = Buffer.from(even).toString('base64');
}
const SECRET = 'GPS 52.52 N 13.40 E';
/** An Exif block with a direction and a secret. */
const tiff = (orientation, little = false) => {
  const out = new Uint8Array(38 + SECRET.length);
  const view = new DataView(out.buffer);
  out.set(utf8(little ? 'II' : 'MM'));
  view.setUint16(2, 42, little);
  view.setUint32(4, 8, little);
  view.setUint16(8, 2, little);
  for (const [i, [tag, kind, count, value]] of [[0x010e, 2, SECRET.length, 38], [0x0112, 3, 1, orientation]].entries()) {
    view.setUint16(10 + 12 * i, tag, little);
    view.setUint16(12 + 12 * i, kind, little);
    view.setUint32(14 + 12 * i, count, little);
    if (kind === 3) view.setUint16(18 + 12 * i, value, little);
    else view.setUint32(18 + 12 * i, value, little);
  }
  out.set(utf8(SECRET), 38);
  return out;
};
const segment = (marker, ...parts) => {
  const body = concat(...parts);
  return concat(Uint8Array.of(0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255), body);
};
const chunk = (name, body) => {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, body.length);
  head.set(utf8(name), 4);
  return concat(head, body, new Uint8Array(4)); // nobody looks at the check of what is taken out
};
const riff = (name, body) => {
  const head = new Uint8Array(8);
  head.set(utf8(name));
  new DataView(head.buffer).setUint32(4, body.length, true);
  return concat(head, body, new Uint8Array(body.length & 1));
};

for (const [name, picture] of Object.entries(PICTURES).filter(([name]) => name.startsWith('jpeg'))) {
  test(`${name}: nothing but the picture is left, as it was`, () => {
    const plain = bytes(picture);
    assert.deepEqual([...strip(plain, 'image/jpeg')], [...plain]);
    for (const orientation of [1, 6]) {
      const told = concat(plain.subarray(0, 20), segment(0xe1, utf8('Exif\0\0'), tiff(orientation)), segment(0xe1, utf8(`http://ns.adobe.com/xap/1.0/\0${SECRET}`)), segment(0xe2, utf8(`MPF\0${SECRET}`)), segment(0xed, utf8(SECRET)), segment(0xfe, utf8(SECRET)), plain.subarray(20), utf8(SECRET));
      const clean = strip(told, 'image/jpeg');
      assert.ok(has(told, SECRET) && !has(clean, SECRET));
      if (orientation === 1) assert.deepEqual([...clean], [...plain]);
      else assert.equal(orientationOf(clean.slice(Buffer.from(clean).indexOf('Exif') + 6)), 6);
      assert.deepEqual([...strip(clean, 'image/jpeg')], [...clean], 'once is enough');
    }
    const profile = segment(0xe2, utf8('ICC_PROFILE\0\x01\x01colours'));
    assert.ok(has(strip(concat(plain.subarray(0, 20), profile, plain.subarray(20)), 'image/jpeg'), 'colours'));
  });
}

test('png: nothing but the picture is left, as it was', () => {
  const plain = bytes(PICTURES.png);
  assert.deepEqual([...strip(plain, 'image/png')], [...plain]);
  for (const orientation of [1, 8]) {
    const told = concat(plain.subarray(0, 33), chunk('tEXt', utf8(`Author\0${SECRET}`)), chunk('iTXt', utf8(SECRET)), chunk('eXIf', tiff(orientation, true)), chunk('tIME', utf8(SECRET)), plain.subarray(33), utf8(SECRET));
    const clean = strip(told, 'image/png');
    assert.ok(has(told, SECRET) && !has(clean, SECRET));
    if (orientation === 1) assert.deepEqual([...clean], [...plain]);
    else assert.equal(orientationOf(clean.slice(Buffer.from(clean).indexOf('eXIf') + 4)), 8);
    assert.deepEqual([...strip(clean, 'image/png')], [...clean]);
  }
});

for (const [name, picture] of Object.entries(PICTURES).filter(([name]) => name.startsWith('webp'))) {
  test(`${name}: nothing but the picture is left, as it was`, () => {
    const plain = bytes(picture);
    assert.deepEqual([...strip(plain, 'image/webp')], [...plain]);
    const extended = has(plain, 'VP8X');
    for (const orientation of [1, 3]) {
      const told = concat(plain, riff('EXIF', tiff(orientation)), riff('XMP ', utf8(SECRET)), riff('what', utf8(SECRET)));
      new DataView(told.buffer).setUint32(4, told.length - 8, true);
      if (extended) told[20] |= 0x0c;
      const clean = strip(told, 'image/webp');
      assert.ok(!has(clean, SECRET));
      if (orientation === 1 || !extended) assert.deepEqual([...clean], [...plain]);
      else assert.deepEqual([clean[20] & 0x0c, orientationOf(clean.slice(Buffer.from(clean).indexOf('EXIF') + 8))], [8, 3]);
    }
  });
}

test('what is no picture is refused, wherever it is cut', () => {
  for (const [name, picture] of Object.entries(PICTURES)) {
    const type = `image/${name.split('-')[0]}`;
    const whole = bytes(picture);
    for (let length = 0; length < whole.length; length++) assert.throws(() => strip(whole.slice(0, length), type), RangeError, `${name} of ${length}`);
    for (let i = 0; i < 3000; i++) {
      const odd = whole.slice();
      for (let k = 0; k < 3; k++) odd[Math.floor(Math.random() * odd.length)] = Math.floor(Math.random() * 256);
      try {
        strip(odd, type);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }
  }
  assert.throws(() => strip(new Uint8Array(9), 'image/gif'), RangeError);
});
