/**
 * The native protocol: `{"user_id": <int>, "timestamp": "<RFC 3339>", "metadata": {…}}`, one event,
 * a JSON array of them, or one a line (NDJSON). Pure: text in, a submission or a refusal out.
 *
 * The rows hold the sender's own text: `user_id` as the integer it wrote, `metadata` byte for byte.
 */

import type { Refusal } from "../errors.ts";
import type { Submission } from "../event.ts";
import type { Decode, DecodeContext, Routes } from "../protocol.ts";
import { skipSpace, skipValue, TOO_DEEP } from "./json_text.ts";
import { DEPTH_MAX, EventReader, type Place } from "./native_event.ts";

/** What a request may hold. */
export interface NativeLimits {
  /** Most events a request. */
  readonly eventsMax: number;
  /** Most bytes an event, as UTF-8. */
  readonly eventBytesMax: number;
}

/** What the events of this protocol carry as `source`. */
export const SOURCE = "native";
const BOM = 0xfeff;

/** `POST /event` takes one event, `POST /events` a JSON array or NDJSON. */
export function nativeRoutes(limits: NativeLimits): Routes {
  const event: Decode = (text, context) => decodeEvent(text, context, limits);
  const array: Decode = (text, context) => decodeArray(text, context, limits);
  const lines: Decode = (text, context) => decodeLines(text, context, limits);
  return new Map([
    ["/event", {
      decoders: new Map([["application/json", event]]),
      accepted: () => '{"status":"accepted"}',
    }],
    ["/events", {
      decoders: new Map([
        ["application/json", array],
        ["application/x-ndjson", lines],
        ["application/ndjson", lines],
        ["application/jsonl", lines],
      ]),
      accepted: ({ events }: Submission) => `{"status":"accepted","accepted":${events}}`,
    }],
  ]);
}

/** Decodes a body that is one event. */
export function decodeEvent(
  body: string,
  context: DecodeContext,
  limits: NativeLimits,
): Submission | Refusal {
  const start = skipSpace(body, afterBom(body));
  if (start === body.length) return EMPTY;
  const reader = new EventReader(body);
  const row = reader.read(start);
  if (!isReadable(reader, body)) return MALFORMED_BODY;
  if (isLong(body, limits)) {
    const tooLarge = refuseTooLarge(body, context, limits, {});
    if (tooLarge !== null) return tooLarge;
  }
  return row === null ? invalid(reader, 1) : submission(body, 1, row, splitOne, context);
}

/** Decodes a body that is a JSON array of events. */
export function decodeArray(
  body: string,
  context: DecodeContext,
  limits: NativeLimits,
): Submission | Refusal {
  const start = skipSpace(body, afterBom(body));
  if (start === body.length) return EMPTY;
  if (body.charCodeAt(start) !== 91) return isJson(body) ? NOT_AN_ARRAY : MALFORMED_BODY;
  const reader = new EventReader(body);
  const rows: string[] = [];
  let events = 0, tooLarge: Refusal | null = null;
  let at = skipSpace(body, start + 1);
  let more = body.charCodeAt(at) !== 93;
  while (more) {
    reader.place = { index: events };
    reader.pointer = `/${events}`;
    const row = reader.read(at);
    if (reader.at < 0) {
      return isReadable(reader, body) ? invalid(reader, events + 1) : MALFORMED_BODY;
    }
    if (reader.at - at > limits.eventBytesMax / 3) {
      const raw = body.slice(at, reader.at);
      tooLarge ??= refuseTooLarge(raw, context, limits, { index: events });
    }
    if (row !== null) rows.push(row);
    events++;
    at = skipSpace(body, reader.at);
    more = body.charCodeAt(at) === 44;
    if (more) at = skipSpace(body, at + 1);
    else if (body.charCodeAt(at) !== 93) return MALFORMED_BODY;
  }
  if (skipSpace(body, at + 1) !== body.length) return MALFORMED_BODY;
  if (tooLarge !== null) return { ...tooLarge, events };
  return finish(body, events, rows, reader, splitArray, context, limits) ?? NO_EVENTS;
}

/** Decodes a body with one event a line; empty lines are skipped. */
export function decodeLines(
  body: string,
  context: DecodeContext,
  limits: NativeLimits,
): Submission | Refusal {
  const reader = new EventReader(body);
  const rows: string[] = [];
  let events = 0, malformed: Refusal | null = null, tooLarge: Refusal | null = null;
  for (let start = afterBom(body), line = 1, end; start < body.length; start = end + 1, line++) {
    end = body.indexOf("\n", start);
    if (end < 0) end = body.length;
    const from = skipSpaceTo(body, start, end);
    if (from === end) continue;
    events++;
    reader.place = { line };
    const row = reader.read(from);
    // The reader knows of no lines: an event that goes on in the next one is malformed too.
    const isWhole = reader.at >= 0
      ? reader.at <= end && skipSpace(body, reader.at) >= end
      : isReadable(reader, body.slice(from, end));
    if (!isWhole) malformed ??= malformedLine(line);
    if (end - from > limits.eventBytesMax / 3) {
      tooLarge ??= refuseTooLarge(body.slice(from, end), context, limits, { line });
    }
    if (row !== null) rows.push(row);
  }
  const refusal = malformed ?? tooLarge;
  if (refusal !== null) return { ...refusal, events };
  return finish(body, events, rows, reader, splitLines, context, limits) ?? EMPTY;
}

/** The submission or refusal for a body that was read to its end; null if it had no events. */
function finish(
  body: string,
  events: number,
  rows: readonly string[],
  reader: EventReader,
  splitBody: (body: string) => readonly string[],
  context: DecodeContext,
  { eventsMax }: NativeLimits,
): Submission | Refusal | null {
  if (events === 0) return null;
  if (events > eventsMax) {
    const detail = `Expected at most ${eventsMax} events a request, got ${events}.`;
    return { code: "too-many-events", detail, events };
  }
  if (reader.problemsTotal > 0) return invalid(reader, events);
  return submission(body, events, rows.join(""), splitBody, context);
}

function submission(
  body: string,
  events: number,
  rows: string,
  splitBody: (body: string) => readonly string[],
  { receivedAt, bytesPerChar }: DecodeContext,
): Submission {
  const bytes = (body.length + rows.length) * bytesPerChar;
  return { events, bytes, receivedAt, source: SOURCE, rows, body, splitBody };
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

function refuseTooLarge(
  text: string,
  context: DecodeContext,
  { eventBytesMax }: NativeLimits,
  place: Place,
): Refusal | null {
  const bytes = context.bytesPerChar === 1 ? text.length : new TextEncoder().encode(text).length;
  if (bytes <= eventBytesMax) return null;
  const detail = `Expected events of at most ${eventBytesMax} bytes, got one of ${bytes}.`;
  const errors = [{ ...place, pointer: "", code: "event-too-large", detail }];
  return { code: "event-too-large", detail, errors, errorsTotal: 1, events: 1 };
}

/** Whether the text could be over the limit: a UTF-16 unit takes at most 3 bytes of UTF-8. */
function isLong(text: string, { eventBytesMax }: NativeLimits): boolean {
  return text.length > eventBytesMax / 3;
}

/** Whether what was read is JSON: an event that nests too deep was not read to its end. */
function isReadable(reader: EventReader, text: string): boolean {
  return reader.at >= 0
    ? skipSpace(text, reader.at) === text.length
    : reader.at === TOO_DEEP && isJson(text);
}

/** Only for what is refused anyway: it builds what it parses. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text.slice(afterBom(text)));
    return true;
  } catch {
    return false;
  }
}

/** The first character of a line that is not JSON whitespace, or its end. */
function skipSpaceTo(text: string, at: number, end: number): number {
  while (at < end && " \r\t".includes(text.charAt(at))) at++;
  return at;
}

/** Where the text starts after a byte order mark (RFC 8259 §8.1 lets a reader ignore it). */
function afterBom(text: string): number {
  return text.charCodeAt(0) === BOM ? 1 : 0;
}

function splitOne(body: string): readonly string[] {
  return [body];
}

function splitArray(body: string): readonly string[] {
  const raw: string[] = [];
  let at = skipSpace(body, body.indexOf("[") + 1);
  while (body.charCodeAt(at) !== 93) {
    const end = skipValue(body, at, DEPTH_MAX);
    raw.push(body.slice(at, end));
    at = skipSpace(body, end);
    if (body.charCodeAt(at) === 44) at = skipSpace(body, at + 1);
  }
  return raw;
}

function splitLines(body: string): readonly string[] {
  return body.slice(afterBom(body)).split("\n").map((line) => line.trim()).filter((line) => line);
}
