/**
 * Timestamps by grammar. `Date` accepts February 30 and 24:00 and reads a missing offset as local
 * time, so nothing here asks `Date` whether a text is valid.
 */

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const LENGTH_MAX = 64;

/**
 * Reads an RFC 3339 date-time (`2026-11-24T11:03:40.123+01:00`; `t`, `z` and a space for `T` as the
 * RFC allows; without an offset it is taken as UTC) and gives it in UTC, ending in `Z`, with the
 * sub-second digits as sent. Gives null for anything else: impossible dates, 24:00, a leap second
 * anywhere but 23:59:60 UTC on June 30 or December 31, a year outside 0000–9999 after conversion,
 * more than 64 characters.
 */
export function toUtc(text: string): string | null {
  const length = text.length;
  if (length < 19 || length > LENGTH_MAX) return null;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5), day = twoDigits(text, 8);
  const hour = twoDigits(text, 11), minute = twoDigits(text, 14), second = twoDigits(text, 17);
  const separator = text.charCodeAt(10);
  if (
    text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45 ||
    text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58 ||
    !(separator === 84 || separator === 116 || separator === 32) ||
    !(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)) ||
    !(hour <= 23 && minute <= 59 && second <= 60)
  ) return null;

  const end = fractionEnd(text);
  if (end < 0) return null;
  const offset = offsetMinutes(text, end);
  if (offset === null) return null;

  if (offset === 0) {
    if (second === 60 && !leapSecondAt(month, day, hour, minute)) return null;
    if (separator === 84 && end === length - 1 && text.charCodeAt(end) === 90) return text;
    return `${text.slice(0, 10)}T${text.slice(11, end)}Z`;
  }
  const utc = new Date(0);
  utc.setUTCFullYear(year, month - 1, day);
  utc.setUTCHours(hour, minute - offset);
  const utcYear = utc.getUTCFullYear();
  if (utcYear < 0 || utcYear > 9999) return null;
  const leap = leapSecondAt(
    utc.getUTCMonth() + 1,
    utc.getUTCDate(),
    utc.getUTCHours(),
    utc.getUTCMinutes(),
  );
  if (second === 60 && !leap) return null;
  return utc.toISOString().slice(0, 17) + text.slice(17, end) + "Z";
}

/** The number in the two digits at `at`; NaN, which compares false with all, if one is not a digit. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48, ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

/** Where the seconds and their fraction end, or -1 if a point has no digits after it. */
function fractionEnd(text: string): number {
  if (text.charCodeAt(19) !== 46) return 19;
  let end = 20;
  while (isDigit(text.charCodeAt(end))) end++;
  return end === 20 ? -1 : end;
}

/** Minutes east of UTC written from `at` on, or null if what is there is not an offset. */
function offsetMinutes(text: string, at: number): number | null {
  const sign = text.charCodeAt(at);
  if (at === text.length) return 0;
  if (sign === 90 || sign === 122) return at + 1 === text.length ? 0 : null;
  if ((sign !== 43 && sign !== 45) || at + 6 !== text.length || text.charCodeAt(at + 3) !== 58) {
    return null;
  }
  const hours = twoDigits(text, at + 1), minutes = twoDigits(text, at + 4);
  if (!(hours <= 23 && minutes <= 59)) return null;
  return (sign === 45 ? -1 : 1) * (hours * 60 + minutes);
}

function daysIn(year: number, month: number): number {
  const leapYear = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 && leapYear ? 29 : DAYS[month - 1] as number;
}

function leapSecondAt(month: number, day: number, hour: number, minute: number): boolean {
  return hour === 23 && minute === 59 &&
    ((month === 6 && day === 30) || (month === 12 && day === 31));
}

/** The last instant of the year 9999, Unix epoch in s. */
const EPOCH_SECONDS_MAX = 253_402_300_799;

/** An instant, Unix epoch in ms within the years 1970 to 9999, in UTC. */
export function utcOfMs(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * An instant in decimal digits, Unix epoch in s, in UTC with the digits of its fraction (at most 9)
 * as sent: `1426279439.123` is `2015-03-13T20:43:59.123Z`. Null if it is none, or beyond the years
 * 1970 to 9999.
 */
export function utcOfSeconds(text: string): string | null {
  const [, whole = "", fraction = ""] = /^(\d{1,12})(?:\.(\d{1,30}))?$/.exec(text) ?? [];
  if (whole === "" || Number(whole) > EPOCH_SECONDS_MAX) return null;
  const date = new Date(Number(whole) * 1000).toISOString().slice(0, 19);
  return fraction === "" ? `${date}Z` : `${date}.${fraction.slice(0, 9)}Z`;
}

/** An instant, Unix epoch in ns, in UTC; null if it is beyond the years 1970 to 9999. */
export function utcOfNanoseconds(ns: bigint): string | null {
  if (ns < 0n) return null;
  return utcOfSeconds(`${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, "0")}`);
}
