/**
 * Checks JSON (RFC 8259) and finds where its values lie, without building them: the sender's own
 * bytes are stored, so only their places are needed. Parsing and stringifying again would alter
 * 64-bit integers, `1e400`, `1.0`, key order and duplicate keys, and takes longer.
 *
 * Works on the bytes, not on a string of them: reading one costs a fraction. They must be UTF-8,
 * which is not checked here.
 *
 * Each function takes the position where something starts and gives the position after it, or
 * {@linkcode MALFORMED} or {@linkcode TOO_DEEP}, which are below 0.
 */

import { Buffer } from "node:buffer";

/** The bytes are not JSON there. */
export const MALFORMED: number = -1;
/** They nest deeper than was allowed; whether they are JSON is not known. */
export const TOO_DEEP: number = -2;

const QUOTE = 34, COMMA = 44, COLON = 58, BACKSLASH = 92;
/** What {@linkcode byteAt} gives past the end: no byte. */
const NONE = -1;
const ARRAY = 91, ARRAY_END = 93, OBJECT = 123, OBJECT_END = 125;

const [TRUE, FALSE, NULL] = ["true", "false", "null"].map((word) =>
  new TextEncoder().encode(word)
) as [Uint8Array, Uint8Array, Uint8Array];

/** The byte at a position, {@linkcode NONE} past the end. */
export function byteAt(bytes: Uint8Array, at: number): number {
  return at < bytes.length ? bytes[at] as number : NONE;
}

/** The position of the first byte at or after `at` that is not JSON whitespace, or the end. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  while (at < bytes.length && isSpace(bytes[at] as number)) at++;
  return at;
}

/** Whether a byte is JSON whitespace. */
export function isSpace(c: number): boolean {
  return c === 32 || c === 10 || c === 13 || c === 9;
}

/**
 * Skips a value of any kind that may open `depthMax` (at most 64) objects and arrays inside one
 * another. One loop instead of functions that call each other: it is the hottest of all here.
 */
export function skipValue(bytes: Uint8Array, at: number, depthMax: number): number {
  let depth = 0;
  let objectsLow = 0, objectsHigh = 0; // bit n: what was opened at depth n is an object
  for (;;) {
    const c = byteAt(bytes, at);
    if (c === OBJECT || c === ARRAY) {
      if (depth === depthMax) return TOO_DEEP;
      const bit = 1 << (depth & 31), set = c === OBJECT ? bit : 0;
      if (depth < 32) objectsLow = (objectsLow & ~bit) | set;
      else objectsHigh = (objectsHigh & ~bit) | set;
      depth++;
      at = skipSpace(bytes, at + 1);
      const isEmpty = byteAt(bytes, at) === (c === OBJECT ? OBJECT_END : ARRAY_END);
      if (!isEmpty) {
        if (c === OBJECT) at = skipName(bytes, at);
        if (at < 0) return MALFORMED;
        continue; // with the first value in it
      }
    } else {
      at = c === QUOTE ? skipString(bytes, at) : skipToken(bytes, at, c);
      if (at < 0) return MALFORMED;
      if (depth === 0) return at;
      at = skipSpace(bytes, at);
    }
    // A value or an empty container ended: close what closes here, go on after the comma.
    for (;;) {
      const inObject = ((depth <= 32 ? objectsLow : objectsHigh) >>> ((depth - 1) & 31)) & 1;
      const next = byteAt(bytes, at);
      if (next === COMMA) {
        at = skipSpace(bytes, at + 1);
        if (inObject === 1) at = skipName(bytes, at);
        if (at < 0) return MALFORMED;
        break;
      }
      if (next !== (inObject === 1 ? OBJECT_END : ARRAY_END)) return MALFORMED;
      at++;
      if (--depth === 0) return at;
      at = skipSpace(bytes, at);
    }
  }
}

/** Skips the name of a member, the colon and the space around it. */
function skipName(bytes: Uint8Array, at: number): number {
  at = skipString(bytes, at);
  if (at < 0) return MALFORMED;
  at = skipSpace(bytes, at);
  return byteAt(bytes, at) === COLON ? skipSpace(bytes, at + 1) : MALFORMED;
}

/** Skips a number or a word, of which `first` is the first byte. */
function skipToken(bytes: Uint8Array, at: number, first: number): number {
  switch (first) {
    case 116: // t
      return skipWord(bytes, at, TRUE);
    case 102: // f
      return skipWord(bytes, at, FALSE);
    case 110: // n
      return skipWord(bytes, at, NULL);
    default:
      return skipNumber(bytes, at);
  }
}

/** Skips a string, its quotes included. */
export function skipString(bytes: Uint8Array, at: number): number {
  if (byteAt(bytes, at) !== QUOTE) return MALFORMED;
  for (at++; at < bytes.length; at++) {
    const c = bytes[at] as number;
    if (c === QUOTE) return at + 1;
    if (c < 32) return MALFORMED;
    if (c === BACKSLASH) {
      at = skipEscape(bytes, at + 1);
      if (at < 0) return MALFORMED;
    }
  }
  return MALFORMED;
}

/** Skips one of the three words. */
function skipWord(bytes: Uint8Array, at: number, word: Uint8Array): number {
  for (let i = 0; i < word.length; i++) if (byteAt(bytes, at + i) !== word[i]) return MALFORMED;
  return at + word.length;
}

/** The position of the last byte of the escape whose letter is at `at`. */
function skipEscape(bytes: Uint8Array, at: number): number {
  switch (byteAt(bytes, at)) {
    case QUOTE:
    case BACKSLASH:
    case 47: // /
    case 98: // b
    case 102: // f
    case 110: // n
    case 114: // r
    case 116: // t
      return at;
    case 117: // u
      for (let i = 1; i <= 4; i++) if (!isHex(byteAt(bytes, at + i))) return MALFORMED;
      return at + 4;
    default:
      return MALFORMED;
  }
}

function skipNumber(bytes: Uint8Array, at: number): number {
  if (byteAt(bytes, at) === 45) at++;
  if (byteAt(bytes, at) === 48) at++;
  else if ((at = skipDigits(bytes, at)) < 0) return MALFORMED;
  if (byteAt(bytes, at) === 46 && (at = skipDigits(bytes, at + 1)) < 0) return MALFORMED;
  const exponent = byteAt(bytes, at);
  if (exponent !== 101 && exponent !== 69) return at;
  const sign = byteAt(bytes, at + 1);
  return skipDigits(bytes, sign === 43 || sign === 45 ? at + 2 : at + 1);
}

/** Skips at least one digit. */
function skipDigits(bytes: Uint8Array, at: number): number {
  const start = at;
  for (;; at++) {
    const c = byteAt(bytes, at);
    if (!(c >= 48 && c <= 57)) return at === start ? MALFORMED : at;
  }
}

function isHex(c: number): boolean {
  return (c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70);
}

/** A part of UTF-8 bytes as a string. */
export function utf8Slice(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}
