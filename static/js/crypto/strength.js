// @ts-check
/**
 * How hard a passphrase is to guess: a simple estimate that errs on the low side. Somebody who has the relay's data can try
 * guesses at home for years, so this asks for more than a login would.
 */
import { WORDS } from '../lib/words.js';

/** Below this a passphrase is called weak. A million rounds of PBKDF2 add about 20 bits of work to each guess. */
export const ENOUGH = 60;

const LIST = new Set(WORDS);
const COMMON =
  /^(pass(word|wort|phrase)?|qwert[yz]?|asdf\w*|letmein|welcome|admin|secret|iloveyou|dragon|monkey|football|snug|love|hello|test|abc)$/;

/** @param {string} text */
const isStep = (text) => [...text].every((c, i, all) => i === 0 || Math.abs(c.charCodeAt(0) - all[i - 1].charCodeAt(0)) <= 1);

/**
 * One run of letters, digits or signs. People choose words, years and sequences, so length counts for little after the start.
 * @param {string} run
 */
function runBits(run) {
  const lower = run.toLowerCase();
  if (COMMON.test(lower)) return 2;
  if (run.length > 2 && isStep(lower)) return 3;
  if (/^(19|20)\d\d$/.test(run)) return 6;
  if (/^\d+$/.test(run)) return Math.min(run.length * 3.3, 20);
  if (LIST.has(lower)) return 10;
  const capital = lower !== run ? 1 : 0;
  if (/^\p{L}+$/u.test(run)) return capital + Math.min(run.length * 4.7, 10 + Math.max(0, run.length - 4) * 1.5);
  return Math.min(run.length * 4, 12);
}

/**
 * @param {string} passphrase
 * @returns {{bits: number, weak: boolean, why: string}} why is a sentence for the person who chose it
 */
export function passphraseStrength(passphrase) {
  const runs = passphrase.normalize('NFKC').match(/\p{L}+|\p{N}+|[^\p{L}\p{N}\s\-_.,]+/gu) ?? [];
  const seen = new Set();
  let bits = 0;
  for (const run of runs) {
    // Saying a thing twice adds next to nothing.
    bits += seen.has(run.toLowerCase()) ? 1 : runBits(run);
    seen.add(run.toLowerCase());
  }
  bits = Math.floor(bits);
  return { bits, weak: bits < ENOUGH, why: reason(bits, runs.length) };
}

/** @param {number} bits @param {number} runs */
function reason(bits, runs) {
  if (runs === 0) return 'There is nothing in it yet.';
  if (bits < 30) return 'A computer guesses this in hours or days. Use seven random words.';
  if (bits < ENOUGH) return 'Somebody patient, with many computers, can guess this. Use seven random words.';
  return 'Strong, if it was chosen at random and is used nowhere else.';
}
