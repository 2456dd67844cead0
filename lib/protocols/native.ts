/**
 * The native protocol: `{"user_id": <int>, "timestamp": "<RFC 3339>", "metadata": {…}}`, one event,
 * a JSON array of them, or one a line (NDJSON). Pure: text in, a submission or a refusal out.
 *
 * The rows hold the sender's own text: `user_id` as the integer it wrote, `metadata` byte for byte.
 */

import type { Refusal } from "../errors.ts";
import { encodeHeader, type Submission } from "../event.ts";
import type { DecodeContext as Context, Routes } from "../protocol.ts";
import { skipSpace, skipValue } from "./json_text.ts";
import { EventReader } from "./native_event.ts";

/** What a request may hold. */
export interface NativeLimits {
  /** Most events a request. */
  readonly eventsMax: number;
  /** Most bytes an event, as UTF-8. */
  readonly eventBytesMax: number;
}

/** What the decoders are given beside the text. */
export interface NativeContext extends Context {
  readonly limits: NativeLimits;
}

/** What the events of this protocol carry as `source`. */
export const SOURCE = "native";
const BOM = 0xfeff;

/** `POST /event` takes one event, `POST /events` a JSON array or NDJSON. */
export function nativeRoutes(limits: NativeLimits): Routes {
  const lines = (text: string, context: Context) => decodeLines(text, { ...context, limits });
  return new Map([
    ["/event", {
      decoders: {
        "application/json": (text, context) => decodeEvent(text, { ...context, limits }),
      },
      accepted: () => '{"status":"accepted"}',
    }],
    ["/events", {
      decoders: {
        "application/json": (text, context) => decodeArray(text, { ...context, limits }),
        "application/x-ndjson": lines,
        "application/ndjson": lines,
        "application/jsonl": lines,
      },
      accepted: ({ events }) => `{"status":"accepted","accepted":${events}}`,
    }],
  ]);
}

/** Decodes a body that is one event. */
export function decodeEvent(body: string, context: NativeContext): Submission | Refusal {
  const value = parse(body);
  if (value === MALFORMED) return malformed(body, "The body");
  const reader = new EventReader(body, "");
  const row = reader.read(skipSpace(body, body.charCodeAt(0) === BOM ? 1 : 0), value);
  if (row === null) return invalid(reader, 1);
  if (body.length * 3 > context.limits.eventBytesMax) {
    const tooLarge = refuseTooLarge(body, context, {});
    if (tooLarge !== null) return tooLarge;
  }
  return submission(body, 1, encodeHeader(context.receivedAt, SOURCE) + row, splitOne, context);
}

/** Decodes a body that is a JSON array of events. */
export function decodeArray(body: string, context: NativeContext): Submission | Refusal {
  const value = parse(body);
  if (value === MALFORMED) return malformed(body, "The body");
  if (!Array.isArray(value)) {
    return shape("Expected a JSON array of events; one event goes to /event.", "");
  }
  if (value.length === 0) return shape("Expected at least one event in the array.", "");
  const { eventsMax } = context.limits;
  if (value.length > eventsMax) return tooMany(value.length, eventsMax);

  const reader = new EventReader(body, "");
  const rows = [encodeHeader(context.receivedAt, SOURCE)];
  reader.at = body.indexOf("[") + 1;
  for (let index = 0; index < value.length; index++) {
    reader.place = { index };
    reader.pointer = `/${index}`;
    const start = skipSpace(body, reader.at);
    const row = reader.read(start, value[index]);
    const raw = body.slice(start, reader.at);
    const tooLarge = refuseTooLarge(raw, context, { index });
    if (tooLarge !== null) return tooLarge;
    if (row !== null) rows.push(row);
    reader.at = skipSpace(body, reader.at) + 1; // the comma, or the end
  }
  if (reader.problemsTotal > 0) return invalid(reader, value.length);
  return submission(body, value.length, rows.join(""), splitArray, context);
}

/** Decodes a body with one event a line; empty lines are skipped. */
export function decodeLines(body: string, context: NativeContext): Submission | Refusal {
  const reader = new EventReader(body, "");
  const rows = [encodeHeader(context.receivedAt, SOURCE)];
  let events = 0;
  let firstMalformed: Refusal | null = null;
  for (let start = 0, line = 1, end; start < body.length; start = end + 1, line++) {
    end = body.indexOf("\n", start);
    if (end < 0) end = body.length;
    const from = skipSpace(body, start === 0 && body.charCodeAt(0) === BOM ? 1 : start);
    if (!(from < end)) continue;
    events++;
    const text = body.slice(from, end);
    const value = parse(text);
    if (value === MALFORMED) {
      firstMalformed ??= malformed(text, `Line ${line}`, line);
      continue;
    }
    reader.place = { line };
    const row = reader.read(from, value);
    const tooLarge = refuseTooLarge(text, context, { line });
    if (tooLarge !== null) return tooLarge;
    if (row !== null) rows.push(row);
  }
  const { eventsMax } = context.limits;
  if (firstMalformed !== null) return { ...firstMalformed, events };
  if (events > eventsMax) return tooMany(events, eventsMax);
  if (events === 0) {
    return { code: "empty-body", detail: "Expected at least one line with an event." };
  }
  if (reader.problemsTotal > 0) return invalid(reader, events);
  return submission(body, events, rows.join(""), splitLines, context);
}

const MALFORMED = Symbol("malformed");

function parse(text: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === BOM ? text.slice(1) : text);
  } catch {
    return MALFORMED;
  }
}

function malformed(text: string, what: string, line?: number): Refusal {
  const blank = text.trim() === "";
  return {
    code: blank ? "empty-body" : "malformed-json",
    detail: blank ? "Expected JSON, got an empty body." : `${what} is not JSON (RFC 8259).`,
    ...line !== undefined &&
      { errors: [{ line, pointer: "", code: "malformed-json", detail: "Expected JSON." }] },
  };
}

function shape(detail: string, pointer: string): Refusal {
  const errors = [{ pointer, code: "type", detail }];
  return { code: "invalid-event", detail, errors, errorsTotal: 1 };
}

function invalid(reader: EventReader, events: number): Refusal {
  const total = reader.problemsTotal;
  const detail = events === 1
    ? `The event has ${total} problem(s); nothing was stored.`
    : `Of ${events} events some have problems, ${total} in all; nothing was stored.`;
  return { code: "invalid-event", detail, errors: reader.problems, errorsTotal: total, events };
}

function tooMany(events: number, eventsMax: number): Refusal {
  const detail = `Expected at most ${eventsMax} events a request, got ${events}.`;
  return { code: "too-many-events", detail, events };
}

function refuseTooLarge(
  text: string,
  context: NativeContext,
  place: { readonly index?: number; readonly line?: number },
): Refusal | null {
  const { eventBytesMax } = context.limits;
  if (text.length * 3 <= eventBytesMax) return null; // a UTF-16 unit is at most 3 bytes
  const bytes = context.bytesPerChar === 1 ? text.length : new TextEncoder().encode(text).length;
  if (bytes <= eventBytesMax) return null;
  const detail = `Expected events of at most ${eventBytesMax} bytes, got one of ${bytes}.`;
  const errors = [{ ...place, pointer: "", code: "event-too-large", detail }];
  return { code: "event-too-large", detail, errors, errorsTotal: 1 };
}

function submission(
  body: string,
  events: number,
  rows: string,
  splitBody: (body: string) => readonly string[],
  context: NativeContext,
): Submission {
  const bytes = (body.length + rows.length) * context.bytesPerChar;
  return { events, bytes, receivedAt: context.receivedAt, source: SOURCE, rows, body, splitBody };
}

function splitOne(body: string): readonly string[] {
  return [body];
}

function splitArray(body: string): readonly string[] {
  const raw: string[] = [];
  let at = skipSpace(body, body.indexOf("[") + 1);
  while (at < body.length && body.charCodeAt(at) !== 93) {
    const end = skipValue(body, at, Infinity);
    raw.push(body.slice(at, end));
    at = skipSpace(body, end);
    if (body.charCodeAt(at) === 44) at = skipSpace(body, at + 1);
  }
  return raw;
}

function splitLines(body: string): readonly string[] {
  return body.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}
