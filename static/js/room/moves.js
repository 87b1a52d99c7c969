// @ts-check
/** What few pages ever do: remove a member, and leave a relay that has forgotten us. */
import { b64u } from '../lib/bytes.js';

/**
 * Posts a move. Resolves when it is in the log and all before it was read.
 * @param {import('./session.js').Stay} stay
 * @param {import('./session.js').OwnMove} own
 */
export function postMove({ group, outbox, connection }, own) {
  return new Promise((resolve, reject) => {
    const make = async () => {
      const { frame, root } = await group.remove([own.removed]);
      own.root = root;
      return frame;
    };
    const tell = (/** @type {string} */ state, /** @type {string} */ reason, /** @type {{cursor: string} | undefined} */ posted) => {
      if (state === 'failed') reject(new Error(reason));
      if (!posted) return;
      own.at = posted.cursor;
      // If the relay was restarted meanwhile, the outbox posts the move again and we hear of it again.
      connection.catchUp(posted.cursor).then((/** @type {boolean} */ done) => done && resolve(undefined), reject);
    };
    outbox.add({ key: '', make, tell });
  });
}

/**
 * Leaves a relay that was restarted: others would bring us back into the room, or have done so. They are named, lest the room is over when we leave,
 * and with it that we did.
 * @param {import('../net/relay.js').Api} api
 * @param {import('../crypto/keys.js').RoomKeys} keys
 * @param {{secret: Uint8Array, card: string, known: {id: string, card: string}[]}} own card: the one shown last
 */
export async function leaveAnew(api, keys, { secret, card, known }) {
  const { session } = await api.join({ access: b64u(keys.access), secret: b64u(secret), card, known });
  await api.leave(session);
}
