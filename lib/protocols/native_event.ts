/** Reads native events: where their members lie in the text, and what is wrong with them. */

import { Buffer } from "node:buffer";
import type { EventProblem } from "../errors.ts";
import { FORBIDDEN_IN_FIELDS } from "../event.ts";
import { toUtc } from "../timestamp.ts";
import { PROBLEMS_LISTED_MAX } from "./dead_letters.ts";
import { byteAt, MALFORMED, skipSpace, skipString, skipValue, utf8Slice } from "./json_bytes.ts";

/** Deepest nesting an event may have, itself included. */
export const DEPTH_MAX = 64;
const POINTER_LENGTH_MAX = 256;
const ID_LENGTH_MAX = 255;

/** Which event of a request: its index in an array from 0, or its line from 1. */
export interface Place {
  /** Index in a JSON array. */
  readonly index?: number;
  /** Line of an NDJSON body. */
  readonly line?: number;
}

/** The place of the only event of a request. */
export const NOWHERE: Place = {};
const NO_PROBLEMS: readonly EventProblem[] = [];

/** Reads the events of one body, collecting their fields and what is wrong with them. */
export class EventReader {
  /** The fields of the valid events, see `Submission.fields`: four each once one has an id. */
  fields: string[] = [];
  /** The body, a character a byte. */
  readonly text: string;
  /** The first problems found. */
  problems: readonly EventProblem[] = NO_PROBLEMS;
  /** How many problems were found in all. */
  problemsTotal = 0;
  /** Where the event that was read ends, or `MALFORMED` or `TOO_DEEP` of `json_bytes.ts`. */
  at = 0;
  /** Which event is being read. */
  place: Place = NOWHERE;
  /** JSON Pointer of the event in its document. */
  pointer = "";
  /** How many valid events were read. */
  count = 0;
  /** The body, or as much of it as may be read now. */
  body: Uint8Array;
  readonly #isAscii: boolean;
  #hasIds = false;

  /** `body` is JSON, or lines of it, in ASCII or UTF-8. */
  constructor(body: Uint8Array, isAscii: boolean) {
    this.body = body;
    this.#isAscii = isAscii;
    this.text = latin1Slice.call(body, 0, body.length);
  }

  /** Reads the event that starts at `start`: its fields are added, or problems, or `at` is below 0. */
  read(start: number): void {
    const bytes = this.body;
    if (byteAt(bytes, start) !== 123) return this.#notAnObject(start);
    const before = this.problemsTotal;
    let userId = -1, userIdEnd = 0, timestamp = -1, timestampEnd = 0;
    let metadata = -1, metadataEnd = 0, id = -1, idEnd = 0;
    let at = skipSpace(bytes, start + 1);
    let more = byteAt(bytes, at) !== 125;
    while (more) {
      const key = at;
      const keyEnd = skipString(bytes, key);
      if (keyEnd < 0) return this.#unreadable(MALFORMED);
      at = skipSpace(bytes, keyEnd);
      if (byteAt(bytes, at) !== 58) return this.#unreadable(MALFORMED);
      const from = skipSpace(bytes, at + 1);
      const to = skipValue(bytes, from, DEPTH_MAX - 1);
      if (to < 0) return this.#unreadable(to);
      const member = this.#memberName(key, keyEnd);
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
      } else if (member === "id") {
        if (id >= 0) this.#duplicate(member);
        id = from;
        idEnd = to;
      } else this.#unknown(member);
      at = skipSpace(bytes, to);
      const c = byteAt(bytes, at);
      more = c === 44;
      if (more) at = skipSpace(bytes, at + 1);
      else if (c !== 125) return this.#unreadable(MALFORMED);
    }
    this.at = at + 1;

    const user = this.#userId(userId, userIdEnd);
    const instant = this.#timestamp(timestamp, timestampEnd);
    this.#checkMetadata(metadata);
    const eventId = id < 0 ? "" : this.#eventId(id, idEnd);
    if (user === null || instant === null || eventId === null || this.problemsTotal > before) {
      return;
    }
    this.count++;
    this.fields.push(user, instant, this.#slice(metadata, metadataEnd));
    if (eventId !== "" && !this.#hasIds) this.#makeRoomForIds();
    else if (this.#hasIds) this.fields.push("");
    if (eventId !== "") this.fields[this.fields.length - 1] = eventId;
  }

  /** Takes the last valid event back. */
  dropLast(): void {
    this.fields.length -= this.fields.length / this.count;
    this.count--;
  }

  /** The first problem since the last call, all others forgotten; null if there was none. */
  takeProblem(): EventProblem | null {
    const [first = null] = this.problems;
    this.problems = NO_PROBLEMS;
    this.problemsTotal = 0;
    return first;
  }

  /** From now on each event has a field for its id, those that were read before too. */
  #makeRoomForIds(): void {
    const without = this.fields;
    this.fields = [];
    for (let at = 0; at < without.length; at += 3) {
      this.fields.push(...without.slice(at, at + 3), "");
    }
    this.#hasIds = true;
  }

  #eventId(start: number, end: number): string | null {
    if (byteAt(this.body, start) !== 34) return this.#problem("/id", "type", "Expected a string.");
    const id = this.#string(start, end);
    const isGood = id !== "" && id.length <= ID_LENGTH_MAX && !FORBIDDEN_IN_FIELDS.test(id) &&
      id.isWellFormed();
    return isGood ? id : this.#problem(
      "/id",
      "id",
      `Expected 1 to ${ID_LENGTH_MAX} characters, none of them a control character.`,
    );
  }

  #userId(start: number, end: number): string | null {
    if (start < 0) return this.#problem("/user_id", "missing", "Expected this member.");
    const token = this.text.slice(start, end);
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
    if (byteAt(this.body, start) !== 34) {
      return this.#problem("/timestamp", "type", "Expected a string.");
    }
    return toUtc(this.#string(start, end)) ?? this.#problem(
      "/timestamp",
      "timestamp",
      "Expected an RFC 3339 date and time that exists, such as 2026-11-24T11:03:40.123Z.",
    );
  }

  #checkMetadata(start: number): void {
    if (start < 0) this.#problem("/metadata", "missing", "Expected this member.");
    else if (byteAt(this.body, start) !== 123) {
      this.#problem("/metadata", "type", "Expected an object.");
    }
  }

  #notAnObject(start: number): void {
    const end = skipValue(this.body, start, DEPTH_MAX);
    this.at = end;
    if (end >= 0) this.#problem("", "type", "Expected an object.");
  }

  /** The event can not be read to its end, so nothing more is said of it. */
  #unreadable(why: number): void {
    this.at = why;
  }

  #duplicate(member: string): null {
    return this.#problem(`/${member}`, "duplicate-member", "Expected this member once.");
  }

  #unknown(member: string): null {
    return this.#problem(
      `/${member.replaceAll("~", "~0").replaceAll("/", "~1")}`, // RFC 6901 §3
      "unknown-member",
      "Expected only id, user_id, timestamp and metadata; put everything else into metadata.",
    );
  }

  /** The name in the quotes from `start` to `end`. */
  #memberName(start: number, end: number): string {
    const { text } = this;
    switch (end - start) {
      case 4:
        if (text.startsWith("id", start + 1)) return "id";
        break;
      case 9:
        if (text.startsWith("user_id", start + 1)) return "user_id";
        break;
      case 10:
        if (text.startsWith("metadata", start + 1)) return "metadata";
        break;
      case 11:
        if (text.startsWith("timestamp", start + 1)) return "timestamp";
    }
    return this.#string(start, end); // escapes may spell a known name too
  }

  /** The value of the string in the quotes from `start` to `end`. */
  #string(start: number, end: number): string {
    const inside = this.#slice(start + 1, end - 1);
    return inside.includes("\\") ? JSON.parse(this.#slice(start, end)) : inside;
  }

  /** A part of the body as it was sent. */
  #slice(start: number, end: number): string {
    return this.#isAscii ? this.text.slice(start, end) : utf8Slice(this.body, start, end);
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

function isInt64(digits: string): boolean {
  if (digits.length > 20) return false;
  const value = BigInt(digits);
  return BigInt.asIntN(64, value) === value;
}

/** What `Buffer.toString("latin1")` calls in the end; half of its time goes into getting there. */
const { latin1Slice } = Buffer.prototype as unknown as {
  readonly latin1Slice: (this: Uint8Array, start: number, end: number) => string;
};
