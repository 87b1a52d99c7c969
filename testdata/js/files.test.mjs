// Files through the real relay, from page to page: what arrives is what was sent, whatever happens on the way.
import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import test, { after, before } from 'node:test';
import { descriptor, safeName } from '../../static/js/room/descriptor.js';
import { Session } from '../../static/js/room/session.js';
import { missing, Person, Relay, room } from './relay.mjs';

const skip = missing;
let relay;
before(async () => {
  if (!missing) relay = await Relay.start('--room-chunk-bytes', '8MiB');
});
after(() => relay?.close());

/** Runs a test with people in a room, who all leave at its end. */
function scene(name, names, play) {
  test(name, { skip, timeout: 120_000 }, async () => {
    const { root, people } = await room(relay, ...names);
    const all = [...people];
    try {
      await play(people, { root, enter: async (alias) => all[all.push(await Person.enter(relay, alias, root)) - 1] });
    } finally {
      await Promise.all(all.map((person) => person.leave()));
    }
  });
}

const content = (size) => new Blob([randomFillSync(new Uint8Array(size))]);
const hash = async (blob) => createHash('sha256').update(new Uint8Array(await blob.arrayBuffer())).digest('hex');
const sends = (person, size, more = {}) => {
  const blob = content(size);
  void person.session.sendFile({ blob, name: 'a.bin', type: 'application/octet-stream', ...more });
  return blob;
};
const fileIn = (person) => person.session.items.findLast(({ kind }) => kind === 'file');
const comesTo = async (person, transfer) => {
  await person.until(`a file that is ${transfer}`, () => fileIn(person)?.transfer === transfer);
  return fileIn(person);
};
const has = async (person, blob) => {
  const { key } = await comesTo(person, 'done');
  assert.equal(await hash(person.session.fileOf(key)), await hash(blob));
};
/** Goes on as another tab would when this one ends. */
async function goesOn(person) {
  const old = person.session;
  const state = await old.state();
  await old.close({ handOver: true });
  const handed = structuredClone({ state, items: old.items, files: old.files });
  person.session = await Session.open({ root: handed.state.root, alias: handed.state.alias, origin: person.gate.origin }, handed);
}
const gets = async (person) => person.session.getFile((await comesTo(person, 'offered')).key);
/** Holds a sender up when so many pieces have gone out. Resolves with what lets it go on. */
async function middle(person, pieces, start) {
  const release = person.gate.hold('chunks', 'request', pieces);
  await start();
  await release.held;
  return release;
}

scene('small files are pushed to all, with what is said of them', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  for (const size of [0, 1, 3_000_000]) {
    const blob = sends(ann, size, { body: `of ${size}`, width: 3, height: 4 });
    await Promise.all([ben, cat].map((person) => person.until(`the file of ${size}`, () => fileIn(person)?.body === `of ${size}`)));
    await Promise.all([ben, cat].map((person) => has(person, blob)));
    const { name, file, key } = fileIn(ben);
    assert.deepEqual([name, file.name, file.size, file.width, 'key' in file], [undefined, 'a.bin', size, 3, false]);
    await ann.until('that all have it', () => fileIn(ann).state === 'all' && fileIn(ann).transfer === 'done');
    assert.equal(fileIn(ann).key, key);
  }
  assert.deepEqual([ann, ben, cat].flatMap(({ troubles }) => troubles), []);
});

scene('a large file waits until it is wanted; who does not want it holds nobody back', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  const blob = sends(ann, 10_000_000);
  await comesTo(cat, 'offered');
  await gets(ben);
  await has(ben, blob);
  assert.equal(fileIn(cat).transfer, 'offered');
  await gets(cat); // later, when nothing of it is on the way any more
  await has(cat, blob);
});

scene('two want it at different times', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  const blob = sends(ann, 14_000_000);
  await comesTo(cat, 'offered');
  const release = await middle(ann, 4, () => gets(ben));
  await gets(cat);
  release();
  await Promise.all([has(ben, blob), has(cat, blob)]);
});

scene('the sender takes it back in the middle', ['Ann', 'Ben'], async ([ann, ben]) => {
  sends(ann, 20_000_000);
  const release = await middle(ann, 5, () => gets(ben));
  await ann.session.dropFile(fileIn(ann).key);
  release();
  await comesTo(ben, 'stopped');
  await comesTo(ann, 'stopped');
  await ann.until('that all know', () => fileIn(ann).state === 'all');
  const small = sends(ann, 100_000); // nothing is stuck
  await has(ben, small);
});

scene('the tab that sends it ends in the middle; nobody waits for what that one would have sent', ['Ann', 'Ben'], async ([ann, ben], { root }) => {
  const blob = sends(ann, 14_000_000);
  await comesTo(ben, 'offered');
  ben.gate.endless = true;
  const release = await middle(ann, 4, () => gets(ben));
  const handed = { state: await ann.session.state(), items: ann.session.items, files: ann.session.files.map((record) => ({ ...record })) };
  await ann.session.close({ handOver: true });
  release();
  ann.session = await Session.open({ root, alias: 'Ann', origin: ann.gate.origin }, handed);
  await has(ben, blob);
});

scene('the receiver stops it, and wants it after all', ['Ann', 'Ben'], async ([ann, ben]) => {
  const blob = sends(ann, 20_000_000);
  const release = await middle(ann, 5, () => gets(ben));
  await ben.session.dropFile(fileIn(ben).key);
  release();
  await comesTo(ben, 'skipped');
  await comesTo(ann, 'done'); // nobody wants more
  await ben.session.getFile(fileIn(ben).key);
  await has(ben, blob);
});

scene('what is deleted is kept nowhere, here or on its way', ['Ann', 'Ben'], async ([ann, ben]) => {
  const blob = sends(ann, 100_000);
  await has(ben, blob);
  const { key } = fileIn(ann);
  await ann.session.erase(key);
  await ben.until('that it is gone', () => fileIn(ben).gone === true);
  assert.deepEqual([ann, ben].map(({ session }) => [session.fileOf(key), session.files.length]), [[undefined, 0], [undefined, 0]]);

  sends(ann, 20_000_000);
  await ben.until('the second', () => fileIn(ben)?.transfer === 'offered');
  const release = await middle(ann, 5, () => ben.session.getFile(fileIn(ben).key));
  const done = ann.session.erase(fileIn(ann).key);
  release();
  await done;
  await ben.until('that it is gone, too', () => fileIn(ben).gone === true);
  assert.deepEqual([ann, ben].map(({ session }) => session.files.length), [0, 0]);
  await has(ben, sends(ann, 100_000)); // nothing is stuck
  assert.deepEqual([...ann.troubles, ...ben.troubles], []);
});

scene('a file that disappears does so when it was here and read, and takes its bytes along', ['Ann', 'Ben'], async ([ann, ben]) => {
  await ann.session.setTimer(1);
  sends(ann, 20_000_000);
  const { key, ttl } = await comesTo(ben, 'offered');
  assert.equal(ttl, 1);
  ben.session.read([key]);
  assert.ok(fileIn(ben).until); // nobody wanted it yet: what is said of it vanishes like a text
  const release = await middle(ann, 5, () => ben.session.getFile(key));
  ben.session.read([key]);
  assert.deepEqual([fileIn(ben).until, fileIn(ann).until], [undefined, undefined], 'it is on its way');
  release();
  await comesTo(ben, 'done');
  ben.session.read([key]);
  for (const person of [ann, ben]) {
    await person.until('it to vanish', () => !fileIn(person));
    assert.deepEqual([person.session.fileOf(key), person.session.files.length], [undefined, 0]);
  }
});

scene('a cleared screen keeps serving its own files', ['Ann', 'Ben'], async ([ann, ben]) => {
  const own = sends(ann, 9_000_000);
  await comesTo(ben, 'offered');
  await has(ann, sends(ben, 1000));
  await ann.until('that its own is told', () => ann.session.items.every(({ own, state }) => !own || state === 'all'));
  ann.session.clear();
  assert.deepEqual(ann.session.files.map(({ own }) => own), [true]);
  const [offered] = ben.session.items.filter(({ kind, own: bens }) => kind === 'file' && !bens);
  await ben.session.getFile(offered.key);
  await ben.until('it to be here', () => offered.transfer === 'done');
  assert.equal(await hash(ben.session.fileOf(offered.key)), await hash(own));
});

scene('who waits in a locked room cannot read that there is a file, and holds nobody up', ['Ann', 'Ben'], async ([ann, ben], { enter }) => {
  await ann.session.lock(true);
  await ben.until('the lock', () => ben.session.locked);
  const cat = await enter('Cat');
  await cat.until('that it waits', () => cat.session.waits);
  const blob = sends(ann, 20_000_000);
  await gets(ben);
  await has(ben, blob);
  await ann.until('that Ben has it', () => fileIn(ann).transfer === 'done');
  await ann.session.lock(false);
});

scene('a network lets only small bodies pass, from the beginning and from the middle on', ['Ann', 'Ben'], async ([ann, ben]) => {
  const blob = sends(ann, 12_000_000);
  const release = await middle(ann, 4, () => gets(ben));
  ann.gate.most = 70_000;
  release();
  await has(ben, blob);
  const second = sends(ann, 500_000);
  await ben.until('the second', () => fileIn(ben)?.file.size === 500_000);
  await has(ben, second);
  assert.deepEqual([...ann.troubles, ...ben.troubles], []);
});

scene('the relay is killed in the middle and comes back empty', ['Ann', 'Ben', 'Cat'], async ([ann, ben, cat]) => {
  const blob = sends(ann, 16_000_000);
  const release = await middle(ann, 6, () => Promise.all([gets(ben), gets(cat)]));
  await relay.kill();
  await relay.restart();
  release();
  await Promise.all([has(ben, blob), has(cat, blob)]);
});

scene('somebody who comes later is not shown it; a sender who is gone is told of', ['Ann', 'Ben'], async ([ann, ben], { enter }) => {
  sends(ann, 9_000_000);
  await comesTo(ben, 'offered');
  const cat = await enter('Cat');
  await cat.members('Ann', 'Ben', 'Cat');
  assert.equal(fileIn(cat), undefined);
  await ann.session.leave();
  await ben.members('Ben', 'Cat');
  await ben.session.getFile(fileIn(ben).key);
  await comesTo(ben, 'gone');
});

scene('what a sender who has left put by then still comes', ['Ann', 'Ben'], async ([ann, ben]) => {
  const release = ben.gate.hold('chunk', 'answer');
  const blob = sends(ann, 6_000_000);
  await release.held;
  await ann.until('that all of it is with the relay', () => fileIn(ann).transfer === 'done');
  await ann.session.leave();
  await ben.members('Ben');
  release();
  await has(ben, blob);
});

scene('a sender who leaves in the middle is told of at once', ['Ann', 'Ben'], async ([ann, ben]) => {
  sends(ann, 20_000_000);
  await comesTo(ben, 'offered');
  await middle(ann, 3, () => gets(ben));
  await ann.session.leave();
  await ben.members('Ben');
  const began = performance.now();
  await comesTo(ben, 'gone');
  assert.ok(performance.now() - began < 10_000, 'Ben waited for what cannot come, until the sender was asked again');
});

/** Another tab goes on while a file comes in. @param {number} size */
async function comesToTheNext([ann, ben], size) {
  let blob;
  const release = await middle(ann, 2, () => (blob = sends(ann, size)));
  await comesTo(ben, 'moving');
  await goesOn(ben);
  release();
  await has(ben, blob);
}

scene('a file that is on its way comes to the tab that goes on', ['Ann', 'Ben'], (people) => comesToTheNext(people, 7_000_000));

scene('who asks twice for a file gets it once', ['Ann', 'Ben'], async ([ann, ben]) => {
  const blob = sends(ann, 9_000_000);
  const { key } = await comesTo(ben, 'offered');
  await Promise.all([ben.session.getFile(key), ben.session.getFile(key)]);
  await has(ben, blob);
});

test('what a tab that is gone had not fetched does not fill the room', { skip, timeout: 120_000 }, async () => {
  const small = await Relay.start('--room-chunk-bytes', '2MiB');
  const { people } = await room(small, 'Ann', 'Ben');
  try {
    await comesToTheNext(people, 5_000_000);
  } finally {
    await Promise.all(people.map((person) => person.leave()));
    await small.close();
  }
});

scene('with nobody there it is an offer to nobody', ['Ann'], async ([ann]) => {
  sends(ann, 1000);
  await ann.until('that it went out', () => fileIn(ann)?.transfer === 'done' && fileIn(ann).state === 'all');
});

scene('somebody asks for a file that this page never sent', ['Ann', 'Ben'], async ([ann, ben]) => {
  const blob = sends(ann, 9_000_000);
  const { key } = await comesTo(ben, 'offered');
  await ann.session.dropFile(key);
  await comesTo(ben, 'stopped');
  assert.ok(blob.size);
  assert.deepEqual([...ann.troubles, ...ben.troubles], []);
});

test('nothing of a descriptor is believed', () => {
  const key = 'A'.repeat(43);
  const good = { key, size: 5, segment: 1 << 20, name: 'a.png', type: 'image/png' };
  assert.equal(descriptor(good)?.name, 'a.png');
  for (const wrong of [null, 1, {}, { ...good, key: 'A' }, { ...good, key: 1 }, { ...good, size: -1 }, { ...good, size: 2 ** 41 }, { ...good, size: 0.5 }, { ...good, segment: 2 ** 21 }, { ...good, segment: 1 }]) {
    assert.equal(descriptor(wrong), null, JSON.stringify(wrong));
  }
  const odd = descriptor({ ...good, type: 'text/html; x="', width: -1, height: 1e9, duration: NaN, thumb: '<' });
  assert.deepEqual([odd.type, odd.width, odd.height, odd.duration, odd.thumb], ['application/octet-stream', undefined, undefined, undefined, undefined]);
});

test('a name is only a name', () => {
  for (const [said, want] of [['a.txt', 'a.txt'], ['../../etc/passwd', '_.._etc_passwd'], ['a\u202Egnp.exe', 'agnp.exe'], ['', 'file'], [7, 'file'], ['..', 'file'], ['x\0y\n.txt', 'xy.txt'], ['C:\\x', 'C__x'], ['ä'.repeat(300) + '.jpeg', 'ä'.repeat(125) + '.jpeg']]) {
    assert.equal(safeName(said), want);
  }
});
