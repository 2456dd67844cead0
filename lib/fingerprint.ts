/**
 * A 128-bit fingerprint of a text within a scope: how an event id is recognised within its source.
 *
 * It is MurmurHash3 x86_128 (Austin Appleby, public domain) of the text's UTF-16LE bytes, with all
 * four lanes started from a seed. The scope's own fingerprint is the seed of its texts:
 *
 * ```text
 *  database's seed ─► scope ─► 4 words, kept ─► text ─► 4 words, the fingerprint
 * ```
 *
 * So the scope costs nothing per text, and ("a", "bc") and ("ab", "c") start from unrelated words:
 * no separator is needed and neither string has a character it may not hold.
 *
 * Different texts meet by chance alone: among n of them with a probability of about n² / 2¹²⁹,
 * which is 1e-19 for 1e10. It is no cryptographic hash. A secret seed keeps an outsider from making
 * a text of one scope meet a text of another, but whoever knows MurmurHash3 can make two texts of
 * one scope that meet under every seed. That gains a sender nothing where a repeated text would be
 * refused anyway; do not use it where it would.
 */

/** Where the four lanes start: 4 words, each of any value. */
export type Seed = Uint32Array;

const C1 = 0x239b961b, C2 = 0xab0e9789, C3 = 0x38b34ae5, C4 = 0xa1e38b93;
const UNITS_PER_BLOCK = 8;

/** The seed for the texts of a scope. Make it once and keep it: the same arguments give the same. */
export function scopeSeed(scope: string, seed: Seed): Seed {
  const words = new Uint32Array(4);
  fingerprint(scope, seed, words, 0);
  return words;
}

/**
 * Writes the fingerprint of the text, 4 words, to `into[at]` … `into[at + 3]`, which must exist.
 * Every code unit counts: of two bytes, of one, and lone surrogates too. Allocates nothing.
 */
export function fingerprint(text: string, seed: Seed, into: Uint32Array, at: number): void {
  const blocksEnd = text.length - text.length % UNITS_PER_BLOCK;
  let a = seed[0] as number, b = seed[1] as number;
  let c = seed[2] as number, d = seed[3] as number;
  for (let i = 0; i < blocksEnd; i += UNITS_PER_BLOCK) {
    a ^= scramble(word(text, i), C1, 15, C2);
    a = (Math.imul(rotate(a, 19) + b, 5) + 0x561ccd1b) | 0;
    b ^= scramble(word(text, i + 2), C2, 16, C3);
    b = (Math.imul(rotate(b, 17) + c, 5) + 0x0bcaa747) | 0;
    c ^= scramble(word(text, i + 4), C3, 17, C4);
    c = (Math.imul(rotate(c, 15) + d, 5) + 0x96cd1c35) | 0;
    d ^= scramble(word(text, i + 6), C4, 18, C1);
    d = (Math.imul(rotate(d, 13) + a, 5) + 0x32ac3b17) | 0;
  }
  // What is missing in the last block is 0, and 0 scrambled changes nothing.
  a ^= scramble(lastWord(text, blocksEnd), C1, 15, C2);
  b ^= scramble(lastWord(text, blocksEnd + 2), C2, 16, C3);
  c ^= scramble(lastWord(text, blocksEnd + 4), C3, 17, C4);
  d ^= scramble(lastWord(text, blocksEnd + 6), C4, 18, C1);
  finish(a, b, c, d, text.length * 2, into, at);
}

/** Lets every bit of the lanes and of the length reach every bit of what is written. */
function finish(
  a: number,
  b: number,
  c: number,
  d: number,
  bytes: number,
  into: Uint32Array,
  at: number,
): void {
  b ^= bytes;
  c ^= bytes;
  d ^= bytes;
  a = ((a ^ bytes) + b + c + d) | 0;
  b = avalanche(b + a);
  c = avalanche(c + a);
  d = avalanche(d + a);
  a = (avalanche(a) + b + c + d) | 0;
  into[at] = a;
  into[at + 1] = b + a;
  into[at + 2] = c + a;
  into[at + 3] = d + a;
}

/** Two code units. Four of one byte would not do: "ab" and "\u6261" must stay different. */
function word(text: string, i: number): number {
  return text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16);
}

/** The same, where the text may have ended: reading beyond it would slow all reading down. */
function lastWord(text: string, i: number): number {
  if (i + 1 < text.length) return word(text, i);
  return i < text.length ? text.charCodeAt(i) : 0;
}

function scramble(k: number, before: number, bits: number, after: number): number {
  return Math.imul(rotate(Math.imul(k, before), bits), after);
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function avalanche(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
