// @ts-check
/**
 * QR codes (ISO/IEC 18004), model 2, in byte mode: the squares that a phone's camera reads a link from. Versions 1 to 20, which hold 382 bytes at
 * the strongest level and 858 at the weakest; the longest link of a room is far below that. Pure: bytes in, a square of modules out.
 */

/** @typedef {'L' | 'M' | 'Q' | 'H'} Level how much may be dirty or covered: 7, 15, 25 or 30 percent */
/** @typedef {{version: number, level: Level, mask: number, size: number, dark: (x: number, y: number) => boolean}} Code */

const MOST = 20; // versions
const MODES = { bytes: 0b0100 };
const LEVELS = /** @type {const} */ ({ L: 0b01, M: 0b00, Q: 0b11, H: 0b10 }); // as the format bits have them

// Table 9 of the standard, versions 1 to 20: check codewords of a block, and blocks.
const CHECKS = {
  L: [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28],
  M: [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26],
  Q: [13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30],
  H: [17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28],
};
const BLOCKS = {
  L: [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8],
  M: [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16],
  Q: [1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20],
  H: [1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25],
};

/** The eight masks: which modules of the data change colour. @type {((x: number, y: number) => boolean)[]} */
const MASKS = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => ((x / 3 | 0) + (y >> 1)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/**
 * The smallest code that holds the text at a level, made stronger where that costs no larger square.
 * @param {string} text
 * @param {{level?: Level, version?: number, mask?: number}} [options] the least level and version; mask: this one and no other
 * @returns {Code}
 */
export function encode(text, { level = 'M', version: least = 1, mask } = {}) {
  const bytes = new TextEncoder().encode(text);
  let version = least;
  while (version <= MOST && room(version, level) < bytes.length) version++;
  if (version > MOST) throw new RangeError('this text is too long for a QR code');
  for (const stronger of /** @type {Level[]} */ (['M', 'Q', 'H'])) {
    if (CHECKS[stronger][version - 1] * BLOCKS[stronger][version - 1] > CHECKS[level][version - 1] * BLOCKS[level][version - 1] && room(version, stronger) >= bytes.length) level = stronger;
  }
  return draw(version, level, codewords(bytes, version, level), mask);
}

/** Bytes that a code holds. @param {number} version @param {Level} level */
const room = (version, level) => dataWords(version, level) - (version < 10 ? 2 : 3); // mode and length: 12 or 20 bits, and never a whole byte less

/** @param {number} version @param {Level} level */
const dataWords = (version, level) => allWords(version) - CHECKS[level][version - 1] * BLOCKS[level][version - 1];

/** Codewords of a version: what is left of the square without its patterns. @param {number} version */
function allWords(version) {
  const size = 17 + 4 * version;
  let bits = size * size - 3 * 64 - 2 * (size - 16) - 31; // finders, timing, format
  if (version > 1) {
    const n = places(version).length;
    bits -= 25 * (n * n - 3) - 5 * 2 * (n - 2); // alignment, which lies on the timing in two rows
  }
  if (version > 6) bits -= 36;
  return bits >> 3;
}

/** Where the alignment patterns' middles are, in both directions. @param {number} version @returns {number[]} */
function places(version) {
  if (version === 1) return [];
  const count = (version / 7 | 0) + 2;
  const last = 10 + 4 * version;
  const step = Math.ceil((last - 6) / (count - 1) / 2) * 2;
  return [6, ...Array.from({ length: count - 1 }, (_, i) => last - step * (count - 2 - i))];
}

/** The data with its checks, in the order in which it is drawn. @param {Uint8Array} bytes @param {number} version @param {Level} level */
function codewords(bytes, version, level) {
  const data = segment(bytes, version, dataWords(version, level));
  const count = BLOCKS[level][version - 1];
  const short = Math.floor(data.length / count);
  const longer = data.length % count; // so many blocks have one more, the last ones
  const blocks = Array.from({ length: count }, (_, i) => {
    const from = i * short + Math.max(0, i - (count - longer));
    return data.subarray(from, from + short + (i >= count - longer ? 1 : 0));
  });
  const checks = blocks.map((block) => remainder(block, CHECKS[level][version - 1]));
  return [...interleaved(blocks), ...interleaved(checks)];
}

/** @param {Uint8Array[]} blocks */
function interleaved(blocks) {
  const out = [];
  for (let i = 0; i < Math.max(...blocks.map(({ length }) => length)); i++) for (const block of blocks) if (i < block.length) out.push(block[i]);
  return out;
}

/** Mode, length, bytes, end, and padding up to what there is room for. @param {Uint8Array} bytes @param {number} version @param {number} words */
function segment(bytes, version, words) {
  const out = new Uint8Array(words);
  let at = 0;
  const put = (/** @type {number} */ value, /** @type {number} */ bits) => {
    for (let i = bits - 1; i >= 0; i--, at++) out[at >> 3] |= ((value >> i) & 1) << (7 - (at & 7));
  };
  put(MODES.bytes, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of bytes) put(byte, 8);
  at = Math.ceil((at + Math.min(4, words * 8 - at)) / 8) * 8; // the end is up to four zeros
  for (let pad = 0xec; at < words * 8; pad ^= 0xec ^ 0x11) put(pad, 8);
  return out;
}

// Arithmetic in GF(2^8) over x^8 + x^4 + x^3 + x^2 + 1, by logarithms to the base 2.
const POWER = new Uint8Array(510);
const LOG = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i++, x = (x << 1) ^ (x & 0x80 ? 0x11d : 0)) {
  POWER[i] = POWER[i + 255] = x;
  LOG[x] = i;
}

/** Reed-Solomon's check bytes. @param {Uint8Array} data @param {number} degree */
function remainder(data, degree) {
  const divisor = new Uint8Array(degree); // of the generator; its highest coefficient is 1 and left out
  divisor[degree - 1] = 1;
  for (let i = 0; i < degree; i++) {
    for (let j = 0; j < degree; j++) divisor[j] = (divisor[j] && POWER[LOG[divisor[j]] + i]) ^ (divisor[j + 1] ?? 0);
  }
  const rest = new Uint8Array(degree);
  for (const byte of data) {
    const factor = byte ^ rest[0];
    rest.copyWithin(0, 1);
    rest[degree - 1] = 0;
    if (factor) divisor.forEach((d, i) => d && (rest[i] ^= POWER[LOG[d] + LOG[factor]]));
  }
  return rest;
}

/** The check bits of a BCH code behind its value. @param {number} value @param {number} bits of check @param {number} generator */
function bch(value, bits, generator) {
  let rest = value << bits;
  for (let i = 31 - Math.clz32(rest); i >= bits; i--) if ((rest >> i) & 1) rest ^= generator << (i - bits);
  return (value << bits) | rest;
}

/**
 * The square: patterns, then the data in its zigzag, under the mask that leaves the least for a camera to stumble over.
 * @param {number} version @param {Level} level @param {number[]} words @param {number} [mask]
 * @returns {Code}
 */
function draw(version, level, words, mask) {
  const size = 17 + 4 * version;
  const cells = new Uint8Array(size * size);
  const taken = new Uint8Array(size * size);
  /** @param {number} x @param {number} y @param {boolean | number} dark */
  const set = (x, y, dark) => {
    cells[y * size + x] = Number(dark);
    taken[y * size + x] = 1;
  };
  patterns(version, size, set);
  format(size, level, 0, set); // takes the place; the true one follows
  const data = /** @type {number[]} */ ([]); // places, in the order of the bits
  for (const [x, y] of zigzag(size)) if (!taken[y * size + x]) data.push(y * size + x);
  data.forEach((at, i) => (cells[at] = i >> 3 < words.length ? (words[i >> 3] >> (7 - (i & 7))) & 1 : 0));

  /** @param {number} which */
  const masked = (which) => {
    for (const at of data) if (MASKS[which](at % size, (at / size) | 0)) cells[at] ^= 1;
    format(size, level, which, set);
  };
  let best = mask ?? 0;
  if (mask === undefined) {
    let least = Infinity;
    for (let which = 0; which < MASKS.length; which++) {
      masked(which);
      const cost = penalty(cells, size);
      if (cost < least) [least, best] = [cost, which];
      masked(which); // takes it off again
    }
  }
  masked(best);
  return { version, level, mask: best, size, dark: (x, y) => cells[y * size + x] === 1 };
}

/** Finders, timing, alignment, version. @param {number} version @param {number} size @param {(x: number, y: number, dark: boolean | number) => void} set */
function patterns(version, size, set) {
  for (let i = 0; i < size; i++) {
    set(i, 6, i % 2 === 0);
    set(6, i, i % 2 === 0);
  }
  for (const [left, top] of [[0, 0], [size - 7, 0], [0, size - 7]]) {
    for (let y = -1; y <= 7; y++) for (let x = -1; x <= 7; x++) {
      const ring = Math.max(Math.abs(x - 3), Math.abs(y - 3));
      const inside = left + x >= 0 && left + x < size && top + y >= 0 && top + y < size;
      if (inside) set(left + x, top + y, ring !== 2 && ring !== 4);
    }
  }
  const middles = places(version);
  const last = middles.at(-1);
  for (const y of middles) for (const x of middles) {
    if ((x === 6 && y === 6) || (x === 6 && y === last) || (x === last && y === 6)) continue; // a finder is there
    for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) set(x + dx, y + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1);
  }
  if (version < 7) return;
  const bits = bch(version, 12, 0x1f25);
  for (let i = 0; i < 18; i++) {
    const [near, far] = [(i / 3) | 0, size - 11 + (i % 3)];
    set(near, far, (bits >> i) & 1);
    set(far, near, (bits >> i) & 1);
  }
}

/** Level and mask, twice. @param {number} size @param {Level} level @param {number} mask @param {(x: number, y: number, dark: boolean | number) => void} set */
function format(size, level, mask, set) {
  const bits = bch((LEVELS[level] << 3) | mask, 10, 0x537) ^ 0x5412;
  for (let i = 0; i < 15; i++) {
    const dark = (bits >> i) & 1;
    const near = i < 6 ? i : i < 8 ? i + 1 : 14 - i; // around the finder, without the timing's row
    if (i < 8) set(8, near, dark), set(size - 1 - i, 8, dark);
    else set(i === 8 ? 7 : near, 8, dark), set(8, size - 15 + i, dark);
  }
  set(8, size - 8, true);
}

/** The places of the square in the order of the data: two columns at a time, up and down, from the right. @param {number} size @returns {Generator<[number, number]>} */
function* zigzag(size) {
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right--; // the timing's column
    for (let i = 0; i < size; i++) for (const x of [right, right - 1]) yield [x, up ? size - 1 - i : i];
  }
}

/** How hard a square is to read: rows of one colour, blocks, what looks like a finder, and too much of one colour. @param {Uint8Array} cells @param {number} size */
function penalty(cells, size) {
  let cost = 0;
  let dark = 0;
  for (const [across, down] of [[1, size], [size, 1]]) {
    for (let line = 0; line < size; line++) {
      let run = 0;
      let seen = 0; // the last eleven modules
      for (let i = 0; i < size; i++) {
        const at = line * down + i * across;
        run = i > 0 && cells[at] === cells[at - across] ? run + 1 : 1;
        if (run === 5) cost += 3;
        else if (run > 5) cost++;
        seen = ((seen << 1) | cells[at]) & 0x7ff;
        if (i >= 10 && (seen === 0b10111010000 || seen === 0b00001011101)) cost += 40;
      }
    }
  }
  for (let at = 0; at < cells.length; at++) {
    dark += cells[at];
    const [x, y] = [at % size, (at / size) | 0];
    if (x < size - 1 && y < size - 1 && cells[at] === cells[at + 1] && cells[at] === cells[at + size] && cells[at] === cells[at + size + 1]) cost += 3;
  }
  return cost + 10 * Math.floor(Math.abs(dark * 20 - cells.length * 10) / cells.length);
}

/**
 * The outline of all dark modules for an SVG path, one unit a module, with the quiet zone of four around it: a square of size + 8.
 * @param {Code} code
 */
export function path({ size, dark }) {
  let d = '';
  for (let y = 0; y < size; y++) {
    for (let x = 0, run = 0; x < size; x += run || 1) {
      for (run = 0; x + run < size && dark(x + run, y); ) run++;
      if (run) d += `M${x + 4} ${y + 4}h${run}v1h-${run}z`;
    }
  }
  return d;
}
