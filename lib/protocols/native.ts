/**
 * The native protocol: `{"user_id": <int>, "timestamp": "<RFC 3339>", "metadata": {…}}` and, if the
 * sender may send it again, `"id": "<string>"`; one event, a JSON array of them, or one a line
 * (NDJSON). Pure: bytes in, a submission or a refusal out.
 *
 * The rows hold the sender's own text: `user_id` as the integer it wrote, `metadata` byte for byte.
 */

import type { Refusal } from "../errors.ts";
import type { Submission } from "../event.ts";
import type { Decode, DecodeContext, Routes } from "../protocol.ts";
import { byteAt, isSpace, skipSpace, skipValue, TOO_DEEP } from "./json_bytes.ts";
import { DEPTH_MAX, EventReader, NOWHERE, type Place, utf8Slice } from "./native_event.ts";

/** What a request may hold. */
export interface NativeLimits {
  /** Most events a request. */
  readonly maxRequestEvents: number;
  /** Most bytes an event, as UTF-8. */
  readonly maxEventBytes: number;
}

/** What the events of this protocol carry as `source`. */
export const SOURCE = "native";
/** Memory an event takes beside the bytes of its body: the strings cut out of it and their places. */
const EVENT_OVERHEAD_BYTES = 200;

/** `POST /event` takes one event, `POST /events` a JSON array or NDJSON. */
export function nativeRoutes(limits: NativeLimits): Routes {
  const event: Decode = (body, context) => decodeEvent(body, context, limits);
  const array: Decode = (body, context) => decodeArray(body, context, limits);
  const lines: Decode = (body, context) => decodeLines(body, context, limits);
  return new Map([
    ["/event", {
      decoders: new Map([["application/json", event]]),
      accepted: ({ duplicates }, level) =>
        `{"status":"accepted","stored":"${level}"${duplicatesMember(duplicates)}}`,
    }],
    ["/events", {
      decoders: new Map([
        ["application/json", array],
        ["application/x-ndjson", lines],
        ["application/ndjson", lines],
        ["application/jsonl", lines],
      ]),
      accepted: ({ accepted, duplicates }, level) =>
        `{"status":"accepted","accepted":${accepted},"stored":"${level}"` +
        `${duplicatesMember(duplicates)}}`,
    }],
  ]);
}

function duplicatesMember(duplicates: number): string {
  return duplicates === 0 ? "" : `,"duplicates":${duplicates}`;
}

/** Decodes a body that is one event. */
export function decodeEvent(
  body: Uint8Array,
  context: DecodeContext,
  limits: NativeLimits,
): Submission | Refusal {
  const start = skipSpace(body, afterBom(body));
  if (start === body.length) return EMPTY;
  const tooLarge = refuseTooLarge(body.length, limits, NOWHERE);
  if (tooLarge !== null) return tooLarge;
  const reader = new EventReader(body, context.isAscii);
  reader.read(start);
  if (reader.at === TOO_DEEP) return tooDeep(reader, 1);
  if (!endsAt(reader.at, body)) return MALFORMED_BODY;
  return finish(1, reader, splitOne, context);
}

/** Decodes a body that is a JSON array of events. */
export function decodeArray(
  body: Uint8Array,
  context: DecodeContext,
  limits: NativeLimits,
): Submission | Refusal {
  const start = skipSpace(body, afterBom(body));
  if (start === body.length) return EMPTY;
  const reader = new EventReader(body, context.isAscii);
  if (byteAt(body, start) !== 91) {
    const end = skipValue(body, start, DEPTH_MAX);
    if (end === TOO_DEEP) return tooDeep(reader, 0);
    return endsAt(end, body) ? NOT_AN_ARRAY : MALFORMED_BODY;
  }
  let events = 0, tooLarge: Refusal | null = null;
  let at = skipSpace(body, start + 1);
  let more = byteAt(body, at) !== 93;
  while (more) {
    reader.place = { index: events };
    reader.pointer = `/${events}`;
    reader.read(at);
    events++;
    if (reader.at === TOO_DEEP) return tooDeep(reader, events);
    if (reader.at < 0) return MALFORMED_BODY;
    if (events > limits.maxRequestEvents) return tooMany(events, limits);
    tooLarge ??= refuseTooLarge(reader.at - at, limits, reader.place);
    at = skipSpace(body, reader.at);
    more = byteAt(body, at) === 44;
    if (more) at = skipSpace(body, at + 1);
    else if (byteAt(body, at) !== 93) return MALFORMED_BODY;
  }
  if (skipSpace(body, at + 1) !== body.length) return MALFORMED_BODY;
  if (tooLarge !== null) return { ...tooLarge, events };
  return events === 0 ? NO_EVENTS : finish(events, reader, splitArray, context);
}

/** Decodes a body with one event a line; empty lines are skipped. */
export function decodeLines(
  body: Uint8Array,
  context: DecodeContext,
  limits: NativeLimits,
): Submission | Refusal {
  const reader = new EventReader(body, context.isAscii);
  let events = 0, malformed: Refusal | null = null, tooLarge: Refusal | null = null;
  for (let start = afterBom(body), line = 1, end; start < body.length; start = end + 1, line++) {
    end = reader.text.indexOf("\n", start);
    if (end < 0) end = body.length;
    const from = skipSpaceTo(body, start, end);
    if (from === end) continue;
    events++;
    if (events > limits.maxRequestEvents) return tooMany(events, limits);
    if (malformed !== null) continue; // refused already: only counted
    reader.place = { line };
    tooLarge ??= refuseTooLarge(end - from, limits, reader.place);
    if (tooLarge !== null) continue;
    reader.read(from);
    if (reader.at === TOO_DEEP) return tooDeep(reader, events);
    // The reader knows of no lines: an event that goes on in the next one is malformed too.
    const isWhole = reader.at >= 0 && reader.at <= end && skipSpaceTo(body, reader.at, end) === end;
    if (!isWhole) malformed = malformedLine(line);
  }
  if (events === 0) return EMPTY;
  const refusal = malformed ?? tooLarge;
  if (refusal !== null) return { ...refusal, events };
  return finish(events, reader, splitLines, context);
}

/** The submission or refusal for a body that was read to its end. */
function finish(
  events: number,
  reader: EventReader,
  splitBody: (body: Uint8Array) => readonly string[],
  { receivedAt, isAscii }: DecodeContext,
): Submission | Refusal {
  if (reader.problemsTotal > 0) return invalid(reader, events);
  const { text: body, fields } = reader;
  // Slices of ASCII share the body; other fields are strings of their own, of up to 2 bytes a char.
  const bytes = body.length * (isAscii ? 1 : 3) + events * EVENT_OVERHEAD_BYTES;
  return { events, bytes, receivedAt, source: SOURCE, fields, body, splitBody };
}

const EMPTY: Refusal = { code: "empty-body", detail: "Expected at least one event, got none." };
const MALFORMED_BODY: Refusal = {
  code: "malformed-json",
  detail: "Expected the body to be JSON (RFC 8259).",
};
const NOT_AN_ARRAY = shape("Expected a JSON array of events; one event goes to POST /event.");
const NO_EVENTS = shape("Expected at least one event in the array.");

function shape(detail: string): Refusal {
  const errors = [{ pointer: "", code: "type", detail }];
  return { code: "invalid-event", detail, errors, errorsTotal: 1 };
}

function malformedLine(line: number): Refusal {
  const detail = `Expected each line to be JSON (RFC 8259); line ${line} is not.`;
  const errors = [{ line, pointer: "", code: "malformed-json", detail: "Expected JSON." }];
  return { code: "malformed-json", detail, errors, errorsTotal: 1 };
}

function invalid(reader: EventReader, events: number): Refusal {
  const total = reader.problemsTotal;
  const problems = `${total} problem${total === 1 ? "" : "s"}`;
  const detail = events === 1 ? `The event has ${problems}.` : `The events have ${problems}.`;
  return { code: "invalid-event", detail, errors: reader.problems, errorsTotal: total, events };
}

/** Told at the first such event: what follows is not read, nor whether it is JSON at all. */
function tooDeep(reader: EventReader, events: number): Refusal {
  const detail = `Expected at most ${DEPTH_MAX} objects and arrays inside one another.`;
  const errors = [{ ...reader.place, pointer: reader.pointer, code: "too-deep", detail }];
  return { code: "too-deep", detail, errors, errorsTotal: 1, events };
}

/** Told at the first event too many: what follows is not read. */
function tooMany(events: number, { maxRequestEvents }: NativeLimits): Refusal {
  const detail = `Expected at most ${maxRequestEvents} events a request.`;
  return { code: "too-many-events", detail, events };
}

function refuseTooLarge(
  bytes: number,
  { maxEventBytes }: NativeLimits,
  place: Place,
): Refusal | null {
  if (bytes <= maxEventBytes) return null;
  const detail = `Expected events of at most ${maxEventBytes} bytes, got one of ${bytes}.`;
  const errors = [{ ...place, pointer: "", code: "event-too-large", detail }];
  return { code: "event-too-large", detail, errors, errorsTotal: 1, events: 1 };
}

/** Whether what was skipped to `at` is all of the body. */
function endsAt(at: number, body: Uint8Array): boolean {
  return at >= 0 && skipSpace(body, at) === body.length;
}

/** The first byte of a line that is not JSON whitespace, or its end. */
function skipSpaceTo(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isSpace(bytes[at] as number)) at++;
  return at;
}

/** Where the text starts after a byte order mark (RFC 8259 §8.1 lets a reader ignore it). */
function afterBom(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

function splitOne(body: Uint8Array): readonly string[] {
  return [utf8Slice(body, 0, body.length)];
}

function splitArray(body: Uint8Array): readonly string[] {
  const raw: string[] = [];
  let at = skipSpace(body, body.indexOf(91) + 1);
  while (byteAt(body, at) !== 93) {
    const end = skipValue(body, at, DEPTH_MAX);
    raw.push(utf8Slice(body, at, end));
    at = skipSpace(body, end);
    if (byteAt(body, at) === 44) at = skipSpace(body, at + 1);
  }
  return raw;
}

function splitLines(body: Uint8Array): readonly string[] {
  const lines = utf8Slice(body, afterBom(body), body.length).split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "");
}
