/** Reads one native event: where its members lie in the text, and what is wrong with them. */

import type { EventProblem } from "../errors.ts";
import { encodeNativeRow } from "../event.ts";
import { toUtc } from "../timestamp.ts";
import { DEPTH_MAX, skipSpace, skipString, skipValue } from "./json_text.ts";

/** How many problems a refusal lists; the rest are only counted. */
export const PROBLEMS_LISTED_MAX = 20;
const POINTER_LENGTH_MAX = 256;

/** Reads events out of one text, collecting what is wrong with them. */
export class EventReader {
  /** The first problems found. */
  readonly problems: EventProblem[] = [];
  /** How many problems were found in all. */
  problemsTotal = 0;
  /** Where the event that was read ends. */
  at = 0;
  /** Which event is being read. */
  place: { readonly index?: number; readonly line?: number } = {};
  /** JSON Pointer of the event in its document. */
  pointer: string;
  readonly #text: string;

  /** `text` is JSON, or lines of it; `pointer` leads to the first event. */
  constructor(text: string, pointer: string) {
    this.#text = text;
    this.pointer = pointer;
  }

  /** The encoded row of the event at `start`, which `JSON.parse` gave as `value`; null if invalid. */
  read(start: number, value: unknown): string | null {
    const text = this.#text;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.at = skipValue(text, start, Infinity);
      return this.#problem("", "type", "Expected an object.");
    }
    const before = this.problemsTotal;
    let userId = -1, userIdEnd = 0, timestamp = -1, metadata = -1, metadataEnd = 0;
    let at = start + 1;
    for (;;) {
      at = skipSpace(text, at);
      const c = text.charCodeAt(at);
      if (c === 125) break;
      if (c === 44) at = skipSpace(text, at + 1);
      const key = at;
      at = skipString(text, at);
      const member = memberName(text, key, at);
      const from = skipSpace(text, skipSpace(text, at) + 1); // past the colon
      at = skipValue(text, from, DEPTH_MAX - 1);
      if (at < 0) {
        at = skipValue(text, from, Infinity);
        this.#problem(`/${member}`, "too-deep", `Expected at most ${DEPTH_MAX} levels of nesting.`);
      }
      switch (member) {
        case "user_id":
          if (userId >= 0) this.#duplicate(member);
          userId = from;
          userIdEnd = at;
          break;
        case "timestamp":
          if (timestamp >= 0) this.#duplicate(member);
          timestamp = from;
          break;
        case "metadata":
          if (metadata >= 0) this.#duplicate(member);
          metadata = from;
          metadataEnd = at;
          break;
        default:
          this.#problem(
            `/${escapePointer(member)}`,
            "unknown-member",
            "Expected only user_id, timestamp and metadata; put everything else into metadata.",
          );
      }
    }
    this.at = at + 1;

    const user = userId < 0
      ? this.#missing("user_id")
      : this.#userId(text.slice(userId, userIdEnd));
    const instant = timestamp < 0
      ? this.#missing("timestamp")
      : this.#timestamp((value as { timestamp: unknown }).timestamp);
    if (metadata < 0) this.#missing("metadata");
    else if (text.charCodeAt(metadata) !== 123) {
      this.#problem("/metadata", "type", "Expected an object.");
    }
    if (user === null || instant === null || this.problemsTotal > before) return null;
    return encodeNativeRow(user, instant, text.slice(metadata, metadataEnd));
  }

  #userId(token: string): string | null {
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
    if (token.length > 18 && !isInt64(token)) {
      return this.#problem("/user_id", "range", "Expected an integer from -2^63 to 2^63-1.");
    }
    return token;
  }

  #timestamp(value: unknown): string | null {
    if (typeof value !== "string") return this.#problem("/timestamp", "type", "Expected a string.");
    return toUtc(value) ?? this.#problem(
      "/timestamp",
      "timestamp",
      "Expected an RFC 3339 date and time that exists, such as 2026-11-24T11:03:40.123Z.",
    );
  }

  #missing(member: string): null {
    return this.#problem(`/${member}`, "missing", "Expected this member.");
  }

  #duplicate(member: string): null {
    return this.#problem(`/${member}`, "duplicate-member", "Expected this member once.");
  }

  #problem(pointer: string, code: string, detail: string): null {
    this.problemsTotal++;
    if (this.problems.length < PROBLEMS_LISTED_MAX) {
      const whole = (this.pointer + pointer).slice(0, POINTER_LENGTH_MAX);
      this.problems.push({ ...this.place, pointer: whole, code, detail });
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
  return JSON.parse(text.slice(start, end)); // escapes may spell a known name too
}

/** RFC 6901 §3. */
function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function isInt64(digits: string): boolean {
  const value = BigInt(digits);
  return BigInt.asIntN(64, value) === value;
}
