// @ts-check
/**
 * Knock: being let in without the secret. Two people compare six digits by voice; the stranger commits to its key before it sees
 * the member's, so a machine between them has one guess at the digits, not millions. Notes are base64url texts, sent in turn:
 *
 *     asker.commit → host;  host.answer → asker.answered() → host.revealed();  code compared;  host.approve() → asker.opened()
 *
 * Each step works once; a failed one ends the knock. Three tries, one at a time, is for the session to count.
 */
import { b64u, concat, equal, random, Reader, unb64u } from '../lib/bytes.js';
import { roomKeys } from './keys.js';
import * as hpke from './suite.js';
import { dhPair, H, label, SIG, verify, verifyKey } from './suite.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./suite.js').DhPair} DhPair */
/** @typedef {import('./keys.js').Identity} Identity */
/** @typedef {import('./keys.js').RoomKeys} RoomKeys */

const SEALED = hpke.OVERHEAD + 32;

/** The six digits of a transcript. @param {Bytes} transcript */
async function codeOf(transcript) {
  const h = await H('knock-code', transcript);
  const number = new DataView(h.buffer).getBigUint64(0) % 1_000_000n;
  return String(number).padStart(6, '0');
}

/** @param {string} note @param {number} length */
function parseNote(note, length) {
  const bytes = unb64u(note);
  if (bytes.length !== length) throw new RangeError('This knock was damaged on its way; knock again.');
  return bytes;
}

/** @typedef {{id: string, key: string}} Arrival as which member a stranger will come, and under which identity key (base64url) */

const ARRIVAL = 16 + 32 + 32;

/**
 * The stranger's nonce, made of who it will be inside, so that the code that two people compare vouches for that as well.
 * @param {Bytes} arrival member ‖ identity key ‖ 32 random bytes
 */
const nonceOf = (arrival) => H('knock-nonce', arrival);

const OVER = 'This knock is over; knock again.';

/** The stranger's side. */
export class KnockAsker {
  #room;
  /** @type {DhPair | null} */
  #pair;
  #nonce;
  #commit;
  #arrival;
  /** @type {{transcript: Bytes, member: Bytes} | null} */
  #heard = null;

  /**
   * Use create.
   * @param {Bytes} room
   * @param {DhPair} pair
   * @param {Bytes} nonce
   * @param {Bytes} commit
   * @param {Bytes} [arrival]
   */
  constructor(room, pair, nonce, commit, arrival) {
    this.#room = room;
    this.#pair = pair;
    this.#nonce = nonce;
    this.#commit = commit;
    this.#arrival = arrival;
  }

  /**
   * @param {Bytes} room the id of the room to be let into
   * @param {{member: Bytes, identity: Bytes} | null} [as] the member it will be inside, and the public identity key, so that whoever approves lets
   *   exactly that one in
   * @param {{secret?: Bytes, nonce?: Bytes, salt?: Bytes}} [fixed] for test vectors
   */
  static async create(room, as = null, { secret, nonce = random(32), salt = random(32) } = {}) {
    const pair = await dhPair(secret);
    const arrival = as ? concat(as.member, as.identity, salt) : undefined;
    const own = arrival ? await nonceOf(arrival) : nonce;
    return new KnockAsker(room, pair, own, await H('knock-commit', room, pair.public, own), arrival);
  }

  /** The first note. */
  get commit() {
    return b64u(this.#commit);
  }

  /**
   * Takes the member's answer. Gives the third note, who will come if that was said, and the code to compare.
   * @param {string} answer
   */
  async answered(answer) {
    const pair = this.#pair;
    if (!pair || this.#heard) throw this.#over();
    const theirs = this.#guarded(() => parseNote(answer, 64));
    const reveal = concat(pair.public, this.#nonce);
    const transcript = concat(this.#room, this.#commit, theirs, reveal);
    this.#heard = { transcript, member: theirs.slice(0, 32) };
    return { reveal: b64u(reveal), as: this.#arrival && b64u(this.#arrival), code: await codeOf(transcript) };
  }

  /**
   * Takes the last note. Gives the root of the room that was knocked at; rejects any other, and any from somebody else than the
   * member whose code was shown.
   * @param {string} sealed
   * @returns {Promise<Bytes>}
   */
  async opened(sealed) {
    const [pair, heard] = [this.#pair, this.#heard];
    if (!pair || !heard) throw this.#over();
    this.#pair = null;
    try {
      return await openRoot(pair, heard, this.#room, sealed);
    } finally {
      pair.secret.fill(0);
    }
  }

  /** Ends the knock and throws its key away. */
  close() {
    this.#pair?.secret.fill(0);
    this.#pair = null;
  }

  #over() {
    this.close();
    return new Error(OVER);
  }

  /**
   * @template T
   * @param {() => T} step
   */
  #guarded(step) {
    try {
      return step();
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

/**
 * @param {DhPair} pair
 * @param {{transcript: Bytes, member: Bytes}} heard
 * @param {Bytes} room
 * @param {string} note
 */
async function openRoot(pair, { transcript, member }, room, note) {
  const reader = new Reader(parseNote(note, SEALED + SIG));
  const [sealed, signature] = [reader.take(SEALED), reader.take(SIG)];
  const genuine = await verify(await verifyKey(member), 'knock', signature, transcript, sealed);
  if (!genuine) throw new RangeError('This answer is not from the member whose code you compared. Do not try again over this network.');
  const root = await hpke.open(pair, label('knock', transcript), sealed);
  const { room: found } = await roomKeys(root);
  if (!equal(found, room)) throw new RangeError('The member let you into another room than the one you knocked at.');
  return root;
}

/** The member's side; Group.answerKnock makes it. */
export class KnockHost {
  /** Who will come, once revealed; null if the stranger did not say. @type {Arrival | null} */
  arrival = null;
  /** @type {{keys: RoomKeys, identity: Identity} | null} */
  #own;
  #commit;
  #nonce;
  /** @type {{transcript: Bytes, asker: Bytes} | null} */
  #heard = null;

  /**
   * @param {RoomKeys} keys
   * @param {Identity} identity
   * @param {string} commit the first note
   * @param {{nonce?: Bytes}} [fixed] for test vectors
   */
  constructor(keys, identity, commit, { nonce = random(32) } = {}) {
    this.#own = { keys, identity };
    this.#commit = parseNote(commit, 32);
    this.#nonce = nonce;
  }

  /** The second note. */
  get answer() {
    return b64u(this.#answer());
  }

  #answer() {
    if (!this.#own) throw new Error(OVER);
    return concat(this.#own.identity.public, this.#nonce);
  }

  /**
   * Takes the third note and holds it against the commitment, and who will come against the nonce in it. Gives the code to compare.
   * @param {string} reveal
   * @param {string} [as]
   */
  async revealed(reveal, as) {
    const own = this.#own;
    if (!own || this.#heard) throw this.#over();
    this.#own = null; // until the note proved good
    const note = parseNote(reveal, 64);
    const arrival = as === undefined ? null : parseNote(as, ARRIVAL);
    const { room } = own.keys;
    const genuine = equal(this.#commit, await H('knock-commit', room, note)) && (!arrival || equal(note.slice(32), await nonceOf(arrival)));
    if (!genuine) throw new RangeError('Somebody changed this knock on its way. Do not let it in.');
    this.arrival = arrival && { id: b64u(arrival.slice(0, 16)), key: b64u(arrival.slice(16, 48)) };
    this.#own = own;
    this.#heard = { transcript: concat(room, this.#commit, this.#answer(), note), asker: note.slice(0, 32) };
    return codeOf(this.#heard.transcript);
  }

  /** After the people compared the code: the last note, with the room's root. Ends the knock. */
  async approve() {
    const [own, heard] = [this.#own, this.#heard];
    if (!own || !heard) throw this.#over();
    this.close();
    const to = await hpke.recipient(heard.asker);
    const sealed = await hpke.seal(to, label('knock', heard.transcript), own.keys.root);
    return b64u(concat(sealed, await own.identity.sign('knock', heard.transcript, sealed)));
  }

  /** Ends the knock. */
  close() {
    this.#own = null;
  }

  #over() {
    this.close();
    return new Error(OVER);
  }
}
