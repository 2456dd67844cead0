import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { fingerprint, scopeSeed, type Seed } from "../lib/fingerprint.ts";

const ZERO: Seed = new Uint32Array(4);

function of(text: string, seed: Seed = ZERO): string {
  const words = new Uint32Array(4);
  fingerprint(text, seed, words, 0);
  return String(words);
}

/** Deterministic 32-bit numbers (xorshift), the same in each run. */
function numbers(state: number): () => number {
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const BITS_32 = (1n << 32n) - 1n;
const rotate = (x: bigint, bits: bigint) => ((x << bits) | (x >> (32n - bits))) & BITS_32;

function mixOfReference(x: bigint): bigint {
  x = ((x ^ (x >> 16n)) * 0x85ebca6bn) & BITS_32;
  x = ((x ^ (x >> 13n)) * 0xc2b2ae35n) & BITS_32;
  return x ^ (x >> 16n);
}

/** MurmurHash3 x86_128 of bytes, written for likeness to its description. */
function reference(bytes: Uint8Array, seed: Seed): Uint32Array {
  const C = [0x239b961bn, 0xab0e9789n, 0x38b34ae5n, 0xa1e38b93n] as const;
  const K_BITS = [15n, 16n, 17n, 18n], H_BITS = [19n, 17n, 15n, 13n];
  const ADDED = [0x561ccd1bn, 0x0bcaa747n, 0x96cd1c35n, 0x32ac3b17n];
  const at = <T>(all: ArrayLike<T>, i: number): T => all[i % 4] as T;
  const h = Array.from(seed, BigInt);
  for (let start = 0; start < bytes.length; start += 16) {
    const isWhole = start + 16 <= bytes.length;
    for (let lane = 0; lane < 4; lane++) {
      let k = 0n;
      for (let i = 3; i >= 0; i--) k = (k << 8n) | BigInt(bytes[start + lane * 4 + i] ?? 0);
      k = (k * at(C, lane)) & BITS_32;
      k = (rotate(k, at(K_BITS, lane)) * at(C, lane + 1)) & BITS_32;
      h[lane] = at(h, lane) ^ k;
      if (!isWhole) continue;
      const sum = rotate(at(h, lane), at(H_BITS, lane)) + at(h, lane + 1);
      h[lane] = (sum * 5n + at(ADDED, lane)) & BITS_32;
    }
  }
  const addUp = (lanes: bigint[]) => {
    const first = lanes.reduce((sum, lane) => sum + lane) & BITS_32;
    return lanes.map((lane, i) => i === 0 ? first : (lane + first) & BITS_32);
  };
  const mixed = addUp(h.map((lane) => lane ^ BigInt(bytes.length))).map(mixOfReference);
  return Uint32Array.from(addUp(mixed), Number);
}

function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2), view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), true);
  return bytes;
}

Deno.test("the reference is MurmurHash3 x86_128: SMHasher's verification value", () => {
  const key = Uint8Array.from({ length: 256 }, (_, i) => i);
  const digests = new Uint32Array(256 * 4);
  for (let length = 0; length < 256; length++) {
    digests.set(reference(key.subarray(0, length), ZERO.map(() => 256 - length)), length * 4);
  }
  equal(reference(new Uint8Array(digests.buffer), ZERO)[0], 0xb3ece62a);
});

Deno.test("a fingerprint is MurmurHash3 x86_128 of the text's UTF-16LE bytes", () => {
  const units = fc.array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff)), { maxLength: 40, size: "max" });
  const seeds = fc.uint32Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(units, seeds, (codes, seed) => {
      const text = String.fromCharCode(...codes);
      equal(of(text, seed), String(reference(utf16(text), seed)));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a fingerprint is written where told and nowhere else", () => {
  const into = new Uint32Array(8).fill(7);
  fingerprint("order-1", ZERO, into, 3);
  deepEqual([...into.subarray(0, 3), into[7]], [7, 7, 7, 7]);
  equal(String(into.subarray(3, 7)), of("order-1"));
});

Deno.test("each word of the seed changes the fingerprint, and the seed is left as it was", () => {
  for (const text of ["", "a", "user-1", "8 units!", "9bdf3c2e-4a1d-4c58-9a0e-0c6a3b1f7d42"]) {
    const seeds = [ZERO, ...[0, 1, 2, 3].map((lane) => ZERO.map((_, i) => i === lane ? 1 : 0))];
    equal(new Set(seeds.map((seed) => of(text, seed))).size, seeds.length, text);
  }
  equal(String(ZERO), "0,0,0,0");
});

Deno.test("where the scope ends and the text starts matters", () => {
  const pair = (scope: string, text: string) => of(text, scopeSeed(scope, ZERO));
  const pairs = ["abc", "source-1user-1", "0123456789abcdef", "\0\0\0"].flatMap((joined) =>
    Array.from({ length: joined.length + 1 }, (_, i) => pair(joined.slice(0, i), joined.slice(i)))
  );
  equal(new Set(pairs).size, pairs.length);
});

Deno.test("the seed of a scope depends on the scope and on the database's seed", () => {
  const seeds = [
    scopeSeed("a", ZERO),
    scopeSeed("b", ZERO),
    scopeSeed("a", ZERO.map(() => 1)),
    scopeSeed("", ZERO.map(() => 1)),
  ];
  equal(new Set(seeds.map(String)).size, seeds.length);
  deepEqual(scopeSeed("a", ZERO), scopeSeed("a", ZERO));
});

Deno.test("texts that differ in length, in a high byte or in a lone surrogate only are told apart", () => {
  const texts = [
    ...Array.from({ length: 20 }, (_, length) => "\0".repeat(length)),
    ...["ab", "\u6261", "\u6162", "a\0b", "ba"],
    ...["\ud800", "\udc00", "\ud800\udc00", "\udc00\ud800", "\ufffd", "\ufffd\ufffd"],
    ...["a", "\u0161", "\u6100", "\uff61"],
  ].flatMap((text) => [text, `eight...${text}`, `${text}eight...`]);
  const distinct = new Set(texts).size;
  equal(new Set(texts.map((text) => of(text))).size, distinct);
});

Deno.test("a text built from pieces has the fingerprint of the same text in one piece", () => {
  const pieces = ["9bdf3c2e-4a1d-4c58", "-9a0e-", "0c6a3b1f7d42"];
  equal(of(pieces.join("")), of(pieces.reduce((all, piece) => all + piece, "")));
  equal(of("user-1"), of("user-1\u20ac".slice(0, 6)), "stored in two bytes a character");
});

Deno.test("neither half of the fingerprints of a million similar ids repeats", () => {
  const COUNT = 1_000_000;
  const seed = scopeSeed("source", ZERO);
  const into = new Uint32Array(4 * COUNT);
  for (let i = 0; i < COUNT; i++) fingerprint(`user-${i + 1}`, seed, into, 4 * i);
  const halves = new BigUint64Array(into.buffer);
  for (const half of [0, 1]) {
    const sorted = halves.filter((_, i) => i % 2 === half).sort();
    ok(sorted.every((value, i) => i === 0 || value !== sorted[i - 1]), `half ${half}`);
  }
});

/** The least and the greatest share of samples in which an output bit flips with an input bit. */
function flipShares(units: number, samples: number): [number, number] {
  const next = numbers(units);
  const flips = new Uint32Array(units * 16 * 128);
  const before = new Uint32Array(4), after = new Uint32Array(4);
  for (let sample = 0; sample < samples; sample++) {
    const seed = Uint32Array.from({ length: 4 }, next);
    const codes = Array.from({ length: units }, () => next() & 0xffff);
    fingerprint(String.fromCharCode(...codes), seed, before, 0);
    for (let bit = 0; bit < units * 16; bit++) {
      const flipped = codes.with(bit >> 4, (codes[bit >> 4] ?? 0) ^ (1 << (bit & 15)));
      fingerprint(String.fromCharCode(...flipped), seed, after, 0);
      for (let out = 0; out < 128; out++) {
        const differs = ((before[out >> 5] ?? 0) ^ (after[out >> 5] ?? 0)) >>> (out & 31) & 1;
        flips[bit * 128 + out] = (flips[bit * 128 + out] ?? 0) + differs;
      }
    }
  }
  const shares = [...flips].map((count) => count / samples);
  return [
    shares.reduce((a, b) => Math.min(a, b)),
    shares.reduce((a, b) => Math.max(a, b)),
  ];
}

Deno.test("each bit of the text flips each bit of the fingerprint in about half of the texts", () => {
  for (const units of [1, 3, 8, 13]) {
    const [least, greatest] = flipShares(units, 1000);
    ok(least >= 0.4 && greatest <= 0.6, `${units} units: ${least} to ${greatest}`);
  }
});
