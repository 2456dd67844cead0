/**
 * Decodes the bodies of the native protocol. The rows hold the sender's own text: `user_id` as the
 * integer it wrote, `metadata` byte for byte.
 *
 * A request is refused whole if one of its events is bad, unless it prefers to be handled leniently:
 * then the bad ones become dead letters.
 */

import type { Refusal } from "../errors.ts";
import { LETTER_FIELDS } from "../event.ts";
import type { DecodeContext, Decoded, ProtocolLimits } from "../protocol.ts";
import { DeadLetters } from "./dead_letters.ts";
import { byteAt, isSpace, skipSpace, skipValue, TOO_DEEP, utf8Slice } from "./json_bytes.ts";
import { isLenient } from "./native_answer.ts";
import { DEPTH_MAX, EventReader, NOWHERE, type Place } from "./native_event.ts";

/** Its name. */
export const NATIVE = "native";
/** Memory an event takes beside the bytes of its body: the strings cut out of it and their places. */
const EVENT_OVERHEAD_BYTES = 200;

/** Decodes a body that is one event. */
export function decodeEvent(
  body: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  const start = skipSpace(body, afterBom(body));
  if (start === body.length) return EMPTY;
  const tooLarge = refuseTooLarge(body.length, limits, NOWHERE);
  if (tooLarge !== null) return tooLarge;
  const reader = new EventReader(body, context.isAscii);
  reader.read(start);
  if (reader.at === TOO_DEEP) return tooDeep(reader, 1);
  if (!endsAt(reader.at, body)) return MALFORMED_BODY;
  return finish({ events: 1, bad: null }, reader, splitOne, context);
}

/** Decodes a body that is a JSON array of events. */
export function decodeArray(
  body: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  const start = skipSpace(body, afterBom(body));
  if (start === body.length) return EMPTY;
  const reader = new EventReader(body, context.isAscii);
  if (byteAt(body, start) !== 91) {
    const end = skipValue(body, start, DEPTH_MAX);
    if (end === TOO_DEEP) return tooDeep(reader, 0);
    return endsAt(end, body) ? NOT_AN_ARRAY : MALFORMED_BODY;
  }
  const bad = isLenient(context.head) ? new BadEvents() : null;
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
    const refusal = refuseTooLarge(reader.at - at, limits, reader.place);
    if (bad === null) tooLarge ??= refusal;
    else setAside(bad, reader, { refusal, start: at, end: reader.at, index: events - 1 });
    at = skipSpace(body, reader.at);
    more = byteAt(body, at) === 44;
    if (more) at = skipSpace(body, at + 1);
    else if (byteAt(body, at) !== 93) return MALFORMED_BODY;
  }
  if (skipSpace(body, at + 1) !== body.length) return MALFORMED_BODY;
  if (tooLarge !== null) return { ...tooLarge, events };
  return events === 0 ? NO_EVENTS : finish({ events, bad }, reader, splitArray, context);
}

/** Decodes a body with one event a line; empty lines are skipped. */
export function decodeLines(
  body: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  const reader = new EventReader(body, context.isAscii);
  const bad = isLenient(context.head) ? new BadEvents() : null;
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
    if (tooLarge !== null) continue;
    // An event that goes on in the next line is read no further: each of many lines might.
    if (bad !== null) reader.body = body.subarray(0, end);
    const refusal = refuseTooLarge(end - from, limits, reader.place) ??
      readLine(reader, { start: from, end, line, events });
    if (bad !== null) {
      const read = { refusal, start: from, end: beforeSpace(body, from, end), index: events - 1 };
      setAside(bad, reader, read);
    } else if (refusal?.code === "too-deep") return refusal;
    else if (refusal?.code === "malformed-json") malformed = refusal;
    else tooLarge = refusal;
  }
  if (events === 0) return EMPTY;
  const refusal = malformed ?? tooLarge;
  if (refusal !== null) return { ...refusal, events };
  return finish({ events, bad }, reader, splitLines, context);
}

/** Reads the event that a line must be; why it is none if it is not even JSON. */
function readLine(reader: EventReader, at: Line): Refusal | null {
  reader.read(at.start);
  if (reader.at === TOO_DEEP) return tooDeep(reader, at.events);
  // The reader knows of no lines: an event that goes on in the next one is malformed too.
  const isWhole = reader.at >= 0 && reader.at <= at.end &&
    skipSpaceTo(reader.body, reader.at, at.end) === at.end;
  return isWhole ? null : malformedLine(at.line);
}

interface Line {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly events: number;
}

/** An event that was read, and where it lies. */
interface ReadEvent extends Omit<Line, "line" | "events"> {
  /** What is wrong with it as a whole. */
  readonly refusal: Refusal | null;
  /** Which of the request it is. */
  readonly index: number;
}

/** The bad events of a request of which the good ones are stored. */
class BadEvents {
  readonly letters = new DeadLetters();
  /** Which of the request's events they are. */
  readonly indexes = new Set<number>();
}

/** Sets the event that was read last aside, if it is bad. */
function setAside({ letters, indexes }: BadEvents, reader: EventReader, read: ReadEvent): void {
  const { refusal, start, end, index } = read;
  const isAdded = reader.count + letters.count > index;
  const invalid = reader.takeProblem(), problem = refusal?.errors?.[0] ?? invalid;
  if (problem === null) return;
  if (isAdded) reader.dropLast();
  indexes.add(index);
  letters.add(utf8Slice(reader.body, start, end), problem);
}

/** The submission or refusal for a body that was read to its end. */
function finish(
  { events, bad }: { readonly events: number; readonly bad: BadEvents | null },
  reader: EventReader,
  splitBody: (body: Uint8Array) => readonly string[],
  { receivedAt, isAscii, source }: DecodeContext,
): Decoded | Refusal {
  if (reader.problemsTotal > 0) return invalid(reader, events);
  const { text: body, fields } = reader;
  // Slices of ASCII share the body; other fields are strings of their own, of up to 2 bytes a char.
  const bytes = body.length * (isAscii ? 1 : 3) + events * EVENT_OVERHEAD_BYTES;
  const all = { events, bytes, receivedAt, source, protocol: NATIVE, fields, body, splitBody };
  if (bad === null || bad.indexes.size === 0) return { submission: all };
  const { letters, indexes } = bad, { count, problems } = letters;
  const aside = {
    ...all,
    events: count,
    bytes: lettersBytes(letters.fields, isAscii),
    fields: letters.fields,
    body: "",
    splitBody: noText,
  };
  if (count === events) return { submission: null, aside, problems };
  const submission = {
    ...all,
    events: events - count,
    bytes: bytes - count * EVENT_OVERHEAD_BYTES,
    splitBody: (bytes: Uint8Array) => splitBody(bytes).filter((_, index) => !indexes.has(index)),
  };
  return { submission, aside, problems };
}

/** Memory that dead letters take: their texts are copies, with escapes longer than the body. */
function lettersBytes(fields: readonly string[], isAscii: boolean): number {
  const characters = fields.reduce((sum, { length }) => sum + length, 0);
  return characters * (isAscii ? 1 : 2) + (fields.length / LETTER_FIELDS) * EVENT_OVERHEAD_BYTES;
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
function tooMany(events: number, { maxRequestEvents }: ProtocolLimits): Refusal {
  const detail = `Expected at most ${maxRequestEvents} events a request.`;
  return { code: "too-many-events", detail, events };
}

function refuseTooLarge(
  bytes: number,
  { maxEventBytes }: ProtocolLimits,
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

/** The end of a line without the JSON whitespace that it ends with. */
function beforeSpace(bytes: Uint8Array, from: number, end: number): number {
  while (end > from && isSpace(bytes[end - 1] as number)) end--;
  return end;
}

/** Whether a body is a JSON array, if it is JSON. */
export function startsArray(body: Uint8Array): boolean {
  return byteAt(body, skipSpace(body, afterBom(body))) === 91;
}

/** Where the text starts after a byte order mark (RFC 8259 §8.1 lets a reader ignore it). */
function afterBom(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

function noText(): readonly string[] {
  return [];
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
  const raw: string[] = [];
  for (let start = afterBom(body), end; start < body.length; start = end + 1) {
    end = body.indexOf(10, start);
    if (end < 0) end = body.length;
    const from = skipSpaceTo(body, start, end);
    if (from < end) raw.push(utf8Slice(body, from, beforeSpace(body, from, end)));
  }
  return raw;
}
