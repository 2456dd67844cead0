/**
 * Finds where values lie in JSON text, so that the sender's own bytes can be stored: parsing and
 * stringifying again would alter 64-bit integers, `1e400`, `1.0`, key order and duplicate keys.
 *
 * Everything here expects text that `JSON.parse` has accepted; on other text the positions mean
 * nothing.
 */

/** Deepest nesting an event may have, itself included. */
export const DEPTH_MAX = 64;

/** The position of the first character at or after `at` that is not JSON whitespace. */
export function skipSpace(text: string, at: number): number {
  for (;; at++) {
    const c = text.charCodeAt(at);
    if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return at;
  }
}

/** The position after the string that starts at the quote at `at`. */
export function skipString(text: string, at: number): number {
  let quote = at;
  for (;;) {
    quote = text.indexOf('"', quote + 1);
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 92) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

/**
 * The position after the value that starts at `at`, or -1 if it nests more than `depthMax` objects
 * and arrays into each other.
 */
export function skipValue(text: string, at: number, depthMax: number = DEPTH_MAX): number {
  const first = text.charCodeAt(at);
  if (first === 34) return skipString(text, at);
  if (first !== 123 && first !== 91) return skipToken(text, at);
  let depth = 0;
  for (;;) {
    const c = text.charCodeAt(at);
    if (c === 34) {
      at = skipString(text, at);
      continue;
    }
    at++;
    if (c === 123 || c === 91) {
      if (++depth > depthMax) return -1;
    } else if ((c === 125 || c === 93) && --depth === 0) return at;
  }
}

/** The position after the number, `true`, `false` or `null` that starts at `at`. */
function skipToken(text: string, at: number): number {
  for (; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === 44 || c === 125 || c === 93 || c <= 32) break;
  }
  return at;
}
