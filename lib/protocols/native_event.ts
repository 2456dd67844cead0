/** Reads native events: where their members lie in the text, and what is wrong with them. */

import type { EventProblem } from "../errors.ts";
import { encodeNativeRow } from "../event.ts";
import { toUtc } from "../timestamp.ts";
import { MALFORMED, skipSpace, skipString, skipValue, TOO_DEEP } from "./json_text.ts";

/** Deepest nesting an event may have, itself included. */
export const DEPTH_MAX = 64;
/** How many problems a refusal lists; the rest are only counted. */
export const PROBLEMS_LISTED_MAX = 20;
const POINTER_LENGTH_MAX = 256;

/** Which event of a request: its index in an array from 0, or its line from 1. */
export interface Place {
  /** Index in a JSON array. */
  readonly index?: number;
  /** Line of an NDJSON body. */
  readonly line?: number;
}

const NOWHERE: Place = {};
const NO_PROBLEMS: readonly EventProblem[] = [];

/** Reads the events of one text, collecting what is wrong with them. */
export class EventReader {
  /** The first problems found. */
  problems: readonly EventProblem[] = NO_PROBLEMS;
  /** How many problems were found in all. */
  problemsTotal = 0;
  /** Where the event that was read ends, or `MALFORMED` or `TOO_DEEP` of `json_text.ts`. */
  at = 0;
  /** Which event is being read. */
  place: Place = NOWHERE;
  /** JSON Pointer of the event in its document. */
  pointer = "";
  readonly #text: string;

  /** `text` is JSON, or lines of it. */
  constructor(text: string) {
    this.#text = text;
  }

  /** The encoded row of the event that starts at `start`; null if it is not valid: see the fields. */
  read(start: number): string | null {
    const text = this.#text;
    if (text.charCodeAt(start) !== 123) return this.#notAnObject(start);
    const before = this.problemsTotal;
    let userId = -1, userIdEnd = 0, timestamp = -1, timestampEnd = 0;
    let metadata = -1, metadataEnd = 0;
    let at = skipSpace(text, start + 1);
    let more = text.charCodeAt(at) !== 125;
    while (more) {
      const key = at;
      const keyEnd = skipString(text, key);
      if (keyEnd < 0) return this.#unreadable(MALFORMED);
      at = skipSpace(text, keyEnd);
      if (text.charCodeAt(at) !== 58) return this.#unreadable(MALFORMED);
      const from = skipSpace(text, at + 1);
      const to = skipValue(text, from, DEPTH_MAX - 1);
      if (to < 0) return this.#unreadable(to);
      const member = memberName(text, key, keyEnd);
      if (member === "user_id") {
        if (userId >= 0) this.#duplicate(member);
        userId = from;
        userIdEnd = to;
      } else if (member === "timestamp") {
        if (timestamp >= 0) this.#duplicate(member);
        timestamp = from;
        timestampEnd = to;
      } else if (member === "metadata") {
        if (metadata >= 0) this.#duplicate(member);
        metadata = from;
        metadataEnd = to;
      } else this.#unknown(member);
      at = skipSpace(text, to);
      const c = text.charCodeAt(at);
      more = c === 44;
      if (more) at = skipSpace(text, at + 1);
      else if (c !== 125) return this.#unreadable(MALFORMED);
    }
    this.at = at + 1;

    const user = this.#userId(userId, userIdEnd);
    const instant = this.#timestamp(timestamp, timestampEnd);
    this.#checkMetadata(metadata);
    if (user === null || instant === null || this.problemsTotal > before) return null;
    return encodeNativeRow(user, instant, text.slice(metadata, metadataEnd));
  }

  #userId(start: number, end: number): string | null {
    if (start < 0) return this.#problem("/user_id", "missing", "Expected this member.");
    const token = this.#text.slice(start, end);
    const c = token.charCodeAt(0);
    if (c !== 45 && !(c >= 48 && c <= 57)) {
      return this.#problem("/user_id", "type", "Expected an integer.");
    }
    for (let i = 1; i < token.length; i++) {
      const digit = token.charCodeAt(i);
      if (digit < 48 || digit > 57) {
        return this.#problem(
          "/user_id",
          "integer",
          "Expected an integer written without a decimal point or an exponent.",
        );
      }
    }
    if (token.length > 18 && !isInt64(token)) { // 18 characters always fit
      return this.#problem("/user_id", "range", "Expected an integer from -2^63 to 2^63-1.");
    }
    return token;
  }

  #timestamp(start: number, end: number): string | null {
    if (start < 0) return this.#problem("/timestamp", "missing", "Expected this member.");
    if (this.#text.charCodeAt(start) !== 34) {
      return this.#problem("/timestamp", "type", "Expected a string.");
    }
    return toUtc(stringValue(this.#text, start, end)) ?? this.#problem(
      "/timestamp",
      "timestamp",
      "Expected an RFC 3339 date and time that exists, such as 2026-11-24T11:03:40.123Z.",
    );
  }

  #checkMetadata(start: number): void {
    if (start < 0) this.#problem("/metadata", "missing", "Expected this member.");
    else if (this.#text.charCodeAt(start) !== 123) {
      this.#problem("/metadata", "type", "Expected an object.");
    }
  }

  #notAnObject(start: number): null {
    const end = skipValue(this.#text, start, DEPTH_MAX);
    if (end < 0) return this.#unreadable(end);
    this.at = end;
    return this.#problem("", "type", "Expected an object.");
  }

  /** The event can not be read to its end; only its depth is a problem of the event's own. */
  #unreadable(why: number): null {
    this.at = why;
    if (why === TOO_DEEP) {
      this.#problem("", "too-deep", `Expected at most ${DEPTH_MAX} levels of nesting.`);
    }
    return null;
  }

  #duplicate(member: string): null {
    return this.#problem(`/${member}`, "duplicate-member", "Expected this member once.");
  }

  #unknown(member: string): null {
    return this.#problem(
      `/${member.replaceAll("~", "~0").replaceAll("/", "~1")}`, // RFC 6901 §3
      "unknown-member",
      "Expected only user_id, timestamp and metadata; put everything else into metadata.",
    );
  }

  #problem(pointer: string, code: string, detail: string): null {
    this.problemsTotal++;
    if (this.problems.length < PROBLEMS_LISTED_MAX) {
      const whole = (this.pointer + pointer).slice(0, POINTER_LENGTH_MAX);
      this.problems = [...this.problems, { ...this.place, pointer: whole, code, detail }];
    }
    return null;
  }
}

/** The name in the quotes that start at `start` and end before `end`. */
function memberName(text: string, start: number, end: number): string {
  switch (end - start) {
    case 9:
      if (text.startsWith("user_id", start + 1)) return "user_id";
      break;
    case 10:
      if (text.startsWith("metadata", start + 1)) return "metadata";
      break;
    case 11:
      if (text.startsWith("timestamp", start + 1)) return "timestamp";
  }
  return stringValue(text, start, end); // escapes may spell a known name too
}

/** The value of the string that lies from quote to quote. */
function stringValue(text: string, start: number, end: number): string {
  const inside = text.slice(start + 1, end - 1);
  return inside.includes("\\") ? JSON.parse(text.slice(start, end)) : inside;
}

function isInt64(digits: string): boolean {
  if (digits.length > 20) return false;
  const value = BigInt(digits);
  return BigInt.asIntN(64, value) === value;
}
