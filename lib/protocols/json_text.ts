/**
 * Checks JSON text (RFC 8259) and finds where its values lie, without building them: the sender's
 * own bytes are stored, so only their places are needed. Parsing and stringifying again would alter
 * 64-bit integers, `1e400`, `1.0`, key order and duplicate keys, and takes twice the time.
 *
 * Each function takes the position where something starts and gives the position after it, or
 * {@linkcode MALFORMED} or {@linkcode TOO_DEEP}, which are below 0.
 */

/** The text is not JSON there. */
export const MALFORMED: number = -1;
/** The text nests deeper than was allowed; whether it is JSON is not known. */
export const TOO_DEEP: number = -2;

const QUOTE = 34, COMMA = 44, COLON = 58, BACKSLASH = 92;
const ARRAY = 91, ARRAY_END = 93, OBJECT = 123, OBJECT_END = 125;

/** The position of the first character at or after `at` that is not JSON whitespace. */
export function skipSpace(text: string, at: number): number {
  for (;; at++) {
    const c = text.charCodeAt(at);
    if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return at;
  }
}

/**
 * Skips a value of any kind that may open `depthMax` (at most 64) objects and arrays inside one
 * another. One loop instead of functions that call each other: it is the hottest of all here.
 */
export function skipValue(text: string, at: number, depthMax: number): number {
  let depth = 0;
  let objectsLow = 0, objectsHigh = 0; // bit n: what was opened at depth n is an object
  for (;;) {
    const c = text.charCodeAt(at);
    if (c === OBJECT || c === ARRAY) {
      if (depth === depthMax) return TOO_DEEP;
      const bit = 1 << (depth & 31), set = c === OBJECT ? bit : 0;
      if (depth < 32) objectsLow = (objectsLow & ~bit) | set;
      else objectsHigh = (objectsHigh & ~bit) | set;
      depth++;
      at = skipSpace(text, at + 1);
      const isEmpty = text.charCodeAt(at) === (c === OBJECT ? OBJECT_END : ARRAY_END);
      if (!isEmpty) {
        if (c === OBJECT) at = skipName(text, at);
        if (at < 0) return MALFORMED;
        continue; // with the first value in it
      }
    } else {
      at = c === QUOTE ? skipString(text, at) : skipToken(text, at, c);
      if (at < 0) return MALFORMED;
      if (depth === 0) return at;
      at = skipSpace(text, at);
    }
    // A value or an empty container ended: close what closes here, go on after the comma.
    for (;;) {
      const inObject = ((depth <= 32 ? objectsLow : objectsHigh) >>> ((depth - 1) & 31)) & 1;
      const next = text.charCodeAt(at);
      if (next === COMMA) {
        at = skipSpace(text, at + 1);
        if (inObject === 1) at = skipName(text, at);
        if (at < 0) return MALFORMED;
        break;
      }
      if (next !== (inObject === 1 ? OBJECT_END : ARRAY_END)) return MALFORMED;
      at++;
      if (--depth === 0) return at;
      at = skipSpace(text, at);
    }
  }
}

/** Skips the name of a member, the colon and the space around it. */
function skipName(text: string, at: number): number {
  at = skipString(text, at);
  if (at < 0) return MALFORMED;
  at = skipSpace(text, at);
  return text.charCodeAt(at) === COLON ? skipSpace(text, at + 1) : MALFORMED;
}

/** Skips a number or a word, of which `first` is the first character. */
function skipToken(text: string, at: number, first: number): number {
  switch (first) {
    case 116: // t
      return text.startsWith("true", at) ? at + 4 : MALFORMED;
    case 102: // f
      return text.startsWith("false", at) ? at + 5 : MALFORMED;
    case 110: // n
      return text.startsWith("null", at) ? at + 4 : MALFORMED;
    default:
      return skipNumber(text, at);
  }
}

/** Skips a string, its quotes included. */
export function skipString(text: string, at: number): number {
  if (text.charCodeAt(at) !== QUOTE) return MALFORMED;
  for (at++; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === QUOTE) return at + 1;
    if (c < 32) return MALFORMED;
    if (c === BACKSLASH) {
      at = skipEscape(text, at + 1);
      if (at < 0) return MALFORMED;
    }
  }
  return MALFORMED;
}

/** The position of the last character of the escape whose letter is at `at`. */
function skipEscape(text: string, at: number): number {
  switch (text.charCodeAt(at)) {
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
      for (let i = 1; i <= 4; i++) if (!isHex(text.charCodeAt(at + i))) return MALFORMED;
      return at + 4;
    default:
      return MALFORMED;
  }
}

function skipNumber(text: string, at: number): number {
  if (text.charCodeAt(at) === 45) at++;
  if (text.charCodeAt(at) === 48) at++;
  else if ((at = skipDigits(text, at)) < 0) return MALFORMED;
  if (text.charCodeAt(at) === 46 && (at = skipDigits(text, at + 1)) < 0) return MALFORMED;
  const exponent = text.charCodeAt(at);
  if (exponent !== 101 && exponent !== 69) return at;
  const sign = text.charCodeAt(at + 1);
  return skipDigits(text, sign === 43 || sign === 45 ? at + 2 : at + 1);
}

/** Skips at least one digit. */
function skipDigits(text: string, at: number): number {
  const start = at;
  for (;; at++) {
    const c = text.charCodeAt(at);
    if (!(c >= 48 && c <= 57)) return at === start ? MALFORMED : at;
  }
}

function isHex(c: number): boolean {
  return (c >= 48 && c <= 57) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70);
}
