/** Times as the read side writes them: RFC 3339 in UTC with milliseconds. */

// A memory, not a state: what is given does not depend on it. Events come in the order they were
// received in, and a Date each would take half the time of writing an event.
let lastSecond = NaN;
let lastPrefix = "";

/**
 * The time as `2026-11-24T11:03:40.123Z`.
 *
 * @param ms Unix epoch in ms, an integer.
 * @throws {RangeError} if it is beyond what a `Date` can hold, ±8.64e15.
 */
export function isoTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastPrefix = new Date(second * 1000).toISOString().slice(0, -"000Z".length);
    lastSecond = second;
  }
  return `${lastPrefix}${String(ms - second * 1000).padStart(3, "0")}Z`;
}
