/** Origins of web pages (RFC 6454): which pages may send with a token, or without one. */

/** In a list of origins: any, but for pages that have none (`null`, as sandboxed frames send). */
export const ANY_ORIGIN = "*";

/** Longest origin in a list, in characters. */
const LENGTH_MAX = 256;

/** Whether a text is an origin as browsers send it, or {@linkcode ANY_ORIGIN}. */
export function isOrigin(text: string): boolean {
  if (text === ANY_ORIGIN) return true;
  if (text.length > LENGTH_MAX || !/^[a-z][a-z\d+.-]*:\/\/[^\sA-Z/?#@,*"\\]+$/.test(text)) {
    return false;
  }
  // Of other schemes, such as chrome-extension:, URL knows no origin.
  return !/^https?:/.test(text) || URL.parse(text)?.origin === text;
}

/** What {@linkcode isOrigin} expects, in words. */
export const ORIGIN_EXPECTED: string =
  "origins separated by commas, such as https://app.example: lower case, without a path and " +
  "without the scheme's own port, or *";

/** Whether a page of an origin is one of those listed. */
export function includesOrigin(listed: ReadonlySet<string>, origin: string): boolean {
  return origin !== "null" && (listed.has(origin) || listed.has(ANY_ORIGIN));
}
