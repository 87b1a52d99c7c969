// @ts-check
/** Words for people: passphrases to tell each other, fingerprints to compare. Fetched when somebody looks, with the list of words. */
import { random } from '../lib/bytes.js';
import { WORDS } from '../lib/words.js';
import { fiveDigits } from './keys.js';
import { H } from './suite.js';

const BITS_PER_WORD = 10;

/**
 * A passphrase of random words. 1,024 words are 10 bits each, so masking a random number is fair.
 * @param {number} [count] at least 7: 70 bits, which a million rounds of PBKDF2 make out of reach
 */
export function generatePassphrase(count = 7) {
  if (!(count >= 7)) throw new RangeError('A passphrase needs at least 7 words.');
  const draws = new DataView(random(2 * count).buffer);
  return Array.from({ length: count }, (_, i) => WORDS[draws.getUint16(2 * i) & (2 ** BITS_PER_WORD - 1)]).join(' ');
}

/**
 * The fingerprint of an identity key: four words and ten digits.
 * @param {Uint8Array} ed25519
 */
export async function fingerprint(ed25519) {
  const h = await H('fingerprint', ed25519);
  const bits = new DataView(h.buffer).getBigUint64(0) >> 24n;
  const words = [30n, 20n, 10n, 0n].map((shift) => WORDS[Number((bits >> shift) & 1023n)]);
  return [...words, fiveDigits(h, 5), fiveDigits(h, 10)].join(' ');
}
