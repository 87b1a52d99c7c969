import assert from 'node:assert/strict';
import test from 'node:test';
import { concat } from '../../static/js/lib/bytes.js';
import { FileChanged, FileOpener, FileSealer } from '../../static/js/crypto/file.js';

const SIZE = 10_000;
const plain = crypto.getRandomValues(new Uint8Array(SIZE));
const segment = 1000;

test('stretches read at once and out of order are those of the file', async () => {
  const sealer = await FileSealer.create(new Blob([plain]), { segment });
  const { sealed } = sealer.shape;
  const at = [...Array(Math.ceil(sealed / 700)).keys()].map((n) => n * 700).sort(() => Math.random() - 0.5);
  const parts = await Promise.all(at.map(async (from) => ({ from, bytes: await sealer.read(from, from + 700) })));
  const whole = concat(...parts.sort((a, b) => a.from - b.from).map(({ bytes }) => bytes));
  const opener = new FileOpener({ size: SIZE, segment, key: sealer.sealing.key });
  assert.deepEqual(concat(...(await opener.push(whole))), plain);
});

/** A Blob as a browser has it of a file on the disk: reading fails while the file is away. */
class OnDisk extends Blob {
  away = false;

  slice(from) {
    const transform = (bytes, controller) => {
      if (this.away) throw new DOMException('the file was moved', 'NotReadableError');
      controller.enqueue(bytes);
    };
    return { stream: () => super.slice(from).stream().pipeThrough(new TransformStream({ transform })) };
  }
}

test('a file that is away fails the stretch and nothing after it', async () => {
  const blob = new OnDisk([plain]);
  const sealer = await FileSealer.create(blob, { segment });
  const first = await sealer.read(0, 3000);
  blob.away = true;
  await assert.rejects(sealer.read(8000, 9000), FileChanged);
  blob.away = false;
  const again = await sealer.read(0, sealer.shape.sealed);
  assert.deepEqual(again.slice(0, 3000), first);
  const opener = new FileOpener({ size: SIZE, segment, key: sealer.sealing.key });
  assert.deepEqual(concat(...(await opener.push(again))), plain);
});

test('who stops in the middle lets go of the file, and may go on', async () => {
  const blob = new Counted(plain);
  const sealer = await FileSealer.create(blob, { segment });
  const first = sealer.read(0, 2500);
  sealer.release();
  const begun = await first;
  await blob.released;
  const whole = concat(begun, await sealer.read(2500, sealer.shape.sealed));
  const opener = new FileOpener({ size: SIZE, segment, key: sealer.sealing.key });
  assert.deepEqual(concat(...(await opener.push(whole))), plain);
});

/** A Blob that tells when its first stream is let go of. */
class Counted extends Blob {
  constructor(bytes) {
    super([bytes]);
    this.bytes = bytes;
    this.released = new Promise((done) => (this.done = done));
  }

  slice(from) {
    let at = from;
    const pull = (controller) => (at < this.bytes.length ? controller.enqueue(this.bytes.slice(at, (at += 700))) : controller.close());
    return { stream: () => new ReadableStream({ pull, cancel: this.done }) };
  }
}
