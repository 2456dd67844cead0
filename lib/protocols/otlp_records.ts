/**
 * Finds the log records of an OTLP request in JSON, and what stands around each of them. In one
 * walk that checks the JSON as it goes: a request is five levels deep before its records begin, and
 * reading it level by level would be reading it five times.
 */

import type { Refusal } from "../errors.ts";
import {
  byteAt,
  MALFORMED,
  skipSpace,
  skipString,
  skipValue,
  TOO_DEEP,
  utf8Slice,
} from "./json_bytes.ts";
import { DEPTH_MAX, type JsonDocument, type Span } from "./json_document.ts";

/** Log records that share a resource and a scope. */
export interface Group {
  /** The object of the resource. */
  readonly resourceLogs: Span;
  /** The array in it that has the object of the scope. */
  readonly scopes: Span;
  /** The object of the scope. */
  readonly scopeLogs: Span;
  /** The array in it that has the records. */
  readonly list: Span;
  /** The records, at least one. */
  readonly records: readonly Span[];
  /** The resource; undefined if there is none. */
  readonly resource: Span | undefined;
}

/** The two texts that make a record of a group a `ResourceLogs` that holds nothing else. */
export function textsAround(document: JsonDocument, group: Group): [before: string, after: string] {
  const { resourceLogs, scopes, scopeLogs, list } = group;
  const before = (outer: Span, inner: Span) =>
    document.raw({ start: outer.start, end: inner.start });
  const after = (outer: Span, inner: Span) => document.raw({ start: inner.end, end: outer.end });
  return [
    `${before(resourceLogs, scopes)}[${before(scopeLogs, list)}[`,
    `]${after(scopeLogs, list)}]${after(resourceLogs, scopes)}`,
  ];
}

/** The bytes of both of {@linkcode textsAround}. */
export function bytesAround({ resourceLogs, scopes, scopeLogs, list }: Group): number {
  const brackets = 4;
  return length(resourceLogs) - length(scopes) + length(scopeLogs) - length(list) + brackets;
}

/** How many bytes a value takes. */
export function length({ start, end }: Span): number {
  return end - start;
}

/** A value is not what OTLP has in its place. Below 0 as `MALFORMED` and `TOO_DEEP` are. */
const INVALID = -3;
const OBJECT = 123, OBJECT_END = 125, ARRAY = 91, ARRAY_END = 93, COMMA = 44, COLON = 58, N = 110;

/** Names in the proto file, which OTLP/JSON forbids, and what it calls them. */
const FORBIDDEN: ReadonlyMap<string, string> = new Map([
  ["resource_logs", "resourceLogs"],
  ["scope_logs", "scopeLogs"],
  ["log_records", "logRecords"],
]);

/** The log records of a body. */
export interface Found {
  /** The groups that have any. */
  readonly groups: readonly Group[];
  /** How many they are, those included that are beyond the most that are kept. */
  readonly events: number;
  /** Bytes of all rows that they make. */
  readonly bytes: number;
}

/** What a body is. */
export type Root = "ExportLogsServiceRequest" | "ResourceLogs";

/** The log records of a body whose text begins at `start`; only the first `eventsMax` are kept. */
export function findRecords(
  bytes: Uint8Array,
  { start, root, eventsMax }: { start: number; root: Root; eventsMax: number },
): Found | Refusal {
  if (start === bytes.length) return EMPTY;
  const finder = new Finder(bytes, eventsMax);
  const end = root === "ResourceLogs" ? finder.resourceLogs(start) : finder.request(start);
  if (end === TOO_DEEP) return DEEP;
  if (end === INVALID) return { code: "invalid-event", detail: finder.problem };
  return end >= 0 && skipSpace(bytes, end) === bytes.length ? finder : MALFORMED_BODY;
}

/** Its methods give the end of what they read, or a number below 0. */
class Finder implements Found {
  readonly groups: Group[] = [];
  events = 0;
  bytes = 0;
  /** What is wrong, after `INVALID`. */
  problem = "";
  readonly #bytes: Uint8Array;
  readonly #eventsMax: number;
  #depth = 0;

  constructor(bytes: Uint8Array, eventsMax: number) {
    this.#bytes = bytes;
    this.#eventsMax = eventsMax;
  }

  request(start: number): number {
    return this.#object(start, "The body", (name, at) => {
      if (name !== "resourceLogs") return this.#other(name, at);
      return this.#array(at, name, (each) => this.resourceLogs(each));
    });
  }

  resourceLogs(start: number): number {
    const found: Scope[] = [];
    const spans: { scopes: Span; resource: Span | undefined } = {
      scopes: NOWHERE,
      resource: undefined,
    };
    const end = this.#object(start, "ResourceLogs", (name, at) => {
      if (name === "scopeLogs") {
        found.length = 0; // of a name that comes twice the last counts
        const end = this.#array(at, name, (each) => this.#scopeLogs(each, found));
        spans.scopes = { start: at, end };
        return end;
      }
      if (name !== "resource") return this.#other(name, at);
      spans.resource = { start: at, end: this.#message(at, name) };
      return spans.resource.end;
    });
    if (end < 0) return end;
    for (const scope of found) {
      const group = { ...scope, ...spans, resourceLogs: { start, end } };
      this.groups.push(group);
      const around = bytesAround(group);
      for (const record of group.records) this.bytes += around + length(record);
    }
    return end;
  }

  /** Reads a `ScopeLogs`; it is `found` if it has records. */
  #scopeLogs(start: number, found: Scope[]): number {
    const records: Span[] = [];
    let list = NOWHERE;
    const end = this.#object(start, "ScopeLogs", (name, at) => {
      if (name === "scope") return this.#message(at, name);
      if (name !== "logRecords") return this.#other(name, at);
      records.length = 0;
      list = { start: at, end: this.#array(at, name, (each) => this.#record(each, records)) };
      return list.end;
    });
    if (end >= 0 && records.length > 0) found.push({ scopeLogs: { start, end }, list, records });
    return end;
  }

  #record(start: number, records: Span[]): number {
    const end = this.#skip(start);
    this.events++;
    if (this.events <= this.#eventsMax) records.push({ start, end });
    return end;
  }

  /** Reads an object member by member. */
  #object(start: number, what: string, visit: (name: string, start: number) => number): number {
    const bytes = this.#bytes;
    if (byteAt(bytes, start) !== OBJECT) return this.#instead(start, `${what} must be an object.`);
    this.#depth++;
    let at = skipSpace(bytes, start + 1);
    while (byteAt(bytes, at) !== OBJECT_END) {
      const nameEnd = skipString(bytes, at);
      if (nameEnd < 0) return MALFORMED;
      const colon = skipSpace(bytes, nameEnd);
      if (byteAt(bytes, colon) !== COLON) return MALFORMED;
      at = visit(nameOf(bytes, at, nameEnd), skipSpace(bytes, colon + 1));
      if (at >= 0) at = this.#next(at, OBJECT_END);
      if (at < 0) return at;
    }
    this.#depth--;
    return at + 1;
  }

  /** Reads an array element by element; null is an array too, an empty one. */
  #array(start: number, name: string, visit: (start: number) => number): number {
    const bytes = this.#bytes;
    if (byteAt(bytes, start) === N) return this.#skip(start);
    if (byteAt(bytes, start) !== ARRAY) {
      return this.#instead(start, `\`${name}\` must be an array.`);
    }
    this.#depth++;
    let at = skipSpace(bytes, start + 1);
    while (byteAt(bytes, at) !== ARRAY_END) {
      at = visit(at);
      if (at >= 0) at = this.#next(at, ARRAY_END);
      if (at < 0) return at;
    }
    this.#depth--;
    return at + 1;
  }

  /** Where the next member or element begins, or their end is. */
  #next(at: number, end: number): number {
    at = skipSpace(this.#bytes, at);
    if (byteAt(this.#bytes, at) === end) return at;
    if (byteAt(this.#bytes, at) !== COMMA) return MALFORMED;
    at = skipSpace(this.#bytes, at + 1);
    return byteAt(this.#bytes, at) === end ? MALFORMED : at;
  }

  /** Skips a message, or null, which is how proto3 JSON may write that there is none. */
  #message(start: number, name: string): number {
    const first = byteAt(this.#bytes, start);
    if (first === OBJECT || first === N) return this.#skip(start);
    return this.#instead(start, `\`${name}\` must be an object.`);
  }

  /** Skips a member that is of no interest. */
  #other(name: string, start: number): number {
    const right = FORBIDDEN.get(name);
    if (right === undefined) return this.#skip(start);
    // As an unknown name it could be passed over, but then all the records would be lost.
    return this.#instead(start, `\`${name}\` must be called \`${right}\`.`);
  }

  #instead(start: number, detail: string): number {
    const end = this.#skip(start);
    if (end < 0) return end;
    this.problem = detail;
    return INVALID;
  }

  #skip(start: number): number {
    return skipValue(this.#bytes, start, DEPTH_MAX - this.#depth);
  }
}

/** What is found of a `ScopeLogs`. */
type Scope = Pick<Group, "scopeLogs" | "list" | "records">;

const NOWHERE: Span = { start: 0, end: 0 };

/** The name in the quotes from `start` to `end`. */
function nameOf(bytes: Uint8Array, start: number, end: number): string {
  const inside = utf8Slice(bytes, start + 1, end - 1);
  return inside.includes("\\") ? JSON.parse(utf8Slice(bytes, start, end)) : inside;
}

const EMPTY: Refusal = {
  code: "empty-body",
  detail: "The body is empty; expected an ExportLogsServiceRequest.",
};
const MALFORMED_BODY: Refusal = {
  code: "malformed-json",
  detail: "The body is not JSON; expected an ExportLogsServiceRequest.",
};
const DEEP: Refusal = {
  code: "too-deep",
  detail: `Objects and arrays may nest at most ${DEPTH_MAX} deep, the request itself included.`,
};
