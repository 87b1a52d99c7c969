// @ts-check
/** Why a frame could not be opened, in words. @type {Record<string, string>} */
export const REASONS = {
  'unknown-sender': 'It is from somebody this room has no card of.',
  'before-you': 'It was sent before its sender knew that you are here.',
  'bad-signature': 'Its signature is wrong: it is not from the member it names, or was changed on its way.',
  changed: 'It is signed with a new identity that nobody has accepted yet.',
  expired: 'The keys to it are erased, as they are after a while.',
  damaged: 'It was damaged or cut short.',
  waiting: 'It is from somebody who is not let in yet, and only members can do what it asks for.',
  'unknown-type': 'It was sent with a newer version of snug. Reload the page to get it.',
};
