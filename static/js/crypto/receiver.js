// @ts-check
/**
 * Receiver: what a frame from another member turns out to be. Nothing is believed before the sender's signature held, and nothing
 * is dropped without saying why.
 */
import { b64u, fromUtf8 } from '../lib/bytes.js';
import { verify } from './curve.js';
import { CARD, KEYS, MESSAGE, MOVE, NewerFrame, openFrame } from './frame.js';
import { parseKeys, parseMessage, parseMove } from './sealed.js';

/** @typedef {import('../lib/bytes.js').Bytes} Bytes */
/** @typedef {import('./identity.js').Identity} Identity */
/** @typedef {import('./roster.js').Member} Member */
/** @typedef {import('./sealed.js').Place} Place */
/** @typedef {import('./state.js').State} State */

/**
 * Why a frame could not be opened:
 * - unknown-sender: no card of this member was seen; learn it and open the frame again
 * - before-you: sent before the sender knew this member, or its keys were missed
 * - bad-signature: not from the member the relay names
 * - changed: signed by the new, not accepted identity of a changed member
 * - expired: its key was erased, as keys are
 * - damaged: cut short or altered
 * - unknown-type: sent with a newer version
 * @typedef {'unknown-sender' | 'before-you' | 'bad-signature' | 'changed' | 'expired' | 'damaged' | 'unknown-type'} Reason
 */

/** @typedef {{k: string} & Record<string, any>} Content */

/**
 * need: ask the sender for its keys; without them nothing that follows can be read either.
 * @typedef {{kind: 'failed', reason: Reason, need?: boolean, e?: number, n?: number}} Failed
 * @typedef {{kind: 'content', content: Content, e: number, n: number}} Said
 * @typedef {{kind: 'move', root: Bytes | null, removed: string[], by: string}} Moved root: null if this member was left out
 * @typedef {{kind: 'repeat'} | {kind: 'keys', forYou: boolean} | Failed | Said | Moved} Result
 * @typedef {Result | ({kind: 'card'} & import('./state.js').Learning)} Opened
 */

/** @param {Reason} reason @param {Partial<Failed>} [more] @returns {Failed} */
const failed = (reason, more) => ({ kind: 'failed', reason, ...more });

/** @param {Bytes} room @param {Member} member @returns {Place} */
const placeOf = (room, { raw }) => ({ room, from: raw });

/**
 * Whether the sender signed; if not, in what way not.
 * @param {Member} sender
 * @param {{name: string, signature: Bytes, body: Bytes}} signed
 * @returns {Promise<Failed | null>}
 */
async function unsigned({ card, pending }, { name, signature, body }) {
  if (await verify(card.verifyKey, name, signature, body)) return null;
  const fromNew = pending !== null && (await verify(pending.verifyKey, name, signature, body));
  return failed(fromNew ? 'changed' : 'bad-signature');
}

/** @typedef {{room: Bytes, self: Bytes, identity: Identity, now: number}} Context */

/** @type {Record<number, (sender: Member, inner: Bytes, context: Context) => Promise<{result: Result | Promise<Result>}>>} */
const openers = { [KEYS]: openKeys, [MESSAGE]: openMessage, [MOVE]: openMove };

/**
 * The frame in some bytes, or why there is none. Needs no turn.
 * @param {import('./root.js').RoomKeys} keys
 * @param {Uint8Array} bytes
 */
export async function readFrame(keys, bytes) {
  try {
    return await openFrame(keys, bytes);
  } catch (error) {
    return failed(error instanceof NewerFrame ? 'unknown-type' : 'damaged');
  }
}

/**
 * What a frame is that the relay says a member posted. Call it in turn; a result that is a promise is waited for out of turn, which
 * is why it comes wrapped.
 * @param {State} state
 * @param {string} from
 * @param {{type: number, inner: Bytes}} frame
 * @param {Uint8Array} bytes the frame as it came
 * @returns {Promise<{result: Opened | Promise<Opened>}>}
 */
export async function received(state, from, { type, inner }, bytes) {
  const { keys, self, identity, roster, clock } = state;
  if (from === self.id) return { result: { kind: 'repeat' } };
  if (type === CARD) return { result: { kind: 'card', ...(await state.takeCard(await state.readCard(from, bytes))) } };
  const open = openers[type];
  if (!open) return { result: failed('unknown-type') };
  const sender = roster.get(from);
  if (!sender) return { result: failed('unknown-sender') };
  try {
    return await open(sender, inner, { room: keys.room, self: self.raw, identity, now: clock() });
  } catch {
    return { result: failed('damaged') };
  }
}

/** @param {Member} sender @param {Bytes} inner @param {Context} context @returns {Promise<{result: Result | Promise<Result>}>} */
async function openMessage(sender, inner, { room, now }) {
  const [message, place] = [parseMessage(inner), placeOf(room, sender)];
  const { e, n } = message;
  const checking = unsigned(sender, message.signed(place));
  // Walking a chain ahead is work that a forged number must not cause; the usual next message needs no walk and no wait.
  if (!sender.chains.expects(e, n)) {
    const forged = await checking;
    if (forged) return { result: { ...forged, e, n } };
  }
  const claim = await sender.chains.claim(e, n, now);
  const forged = await checking;
  if (typeof claim === 'string') return { result: forged ?? refused(claim, sender, e, n) };
  if (forged) claim.discard();
  else claim.commit();
  return { result: forged ? { ...forged, e, n } : reveal(message.open(claim.key, place), e, n) };
}

/** @param {import('./chain.js').Refusal} why @param {Member} sender @param {number} e @param {number} n @returns {Result} */
function refused(why, { chains }, e, n) {
  if (why === 'repeat') return { kind: 'repeat' };
  return failed(why, { need: why !== 'damaged' && chains.lacks(e), e, n });
}

/** @param {Promise<Bytes>} opening @param {number} e @param {number} n @returns {Promise<Result>} */
async function reveal(opening, e, n) {
  try {
    const content = JSON.parse(fromUtf8(await opening));
    if (typeof content?.k !== 'string') return failed('damaged', { e, n });
    return { kind: 'content', content, e, n };
  } catch {
    return failed('damaged', { e, n });
  }
}

/** @param {Member} sender @param {Bytes} inner @param {Context} context @returns {Promise<{result: Result}>} */
async function openKeys(sender, inner, { room, self, identity, now }) {
  const [keys, place] = [parseKeys(inner), placeOf(room, sender)];
  const forged = await unsigned(sender, keys.signed(place));
  if (forged) return { result: forged };
  const entry = keys.entry(self);
  if (!entry) return { result: { kind: 'keys', forYou: false } };
  const key = identity.hpkeKey(entry.rotation, now);
  if (!key) return { result: failed('expired', { need: sender.chains.lacks(keys.e) }) };
  const ck = await keys.open(key, place, entry);
  return { result: sender.chains.start(keys.e, keys.n, ck, now) ? { kind: 'keys', forYou: true } : { kind: 'repeat' } };
}

/** @param {Member} sender @param {Bytes} inner @param {Context} context @returns {Promise<{result: Result}>} */
async function openMove(sender, inner, { room, self, identity, now }) {
  const [move, place] = [parseMove(inner), placeOf(room, sender)];
  const forged = await unsigned(sender, move.signed(place));
  if (forged) return { result: forged };
  if (sender.pending) return { result: failed('changed') };
  const entry = move.entry(self);
  const key = entry && identity.hpkeKey(entry.rotation, now);
  if (entry && !key) return { result: failed('expired') };
  const root = entry && key && (await move.open(key, place, entry));
  return { result: { kind: 'move', root, removed: move.removed.map(b64u), by: sender.id } };
}
