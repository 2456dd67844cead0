/**
 * The events of the Splunk HTTP Event Collector, as objects (`/services/collector/event`) and as
 * lines of text (`/services/collector/raw`).
 */

import { Buffer } from "node:buffer";
import { type EventProblem, isRefusal, type Refusal } from "../errors.ts";
import type { DecodeContext, Decoded, ProtocolLimits } from "../protocol.ts";
import { utcOfMs, utcOfSeconds } from "../timestamp.ts";
import { type EventFields, EventRows } from "./event_rows.ts";
import { TOO_DEEP } from "./json_bytes.ts";
import { DEPTH_MAX, JsonDocument, type Span } from "./json_document.ts";
import { eventsIn, isProblem, type Members, present, problemOf } from "./json_events.ts";

/** Name of the protocol. */
export const SPLUNK_HEC = "splunk_hec";

/** From here on a time is in ms: as seconds it would be beyond the year 5100. */
const MS_MIN = 1e11;
/** What a request says once for all of its lines. */
const RAW_PARAMETERS = ["time", "host", "source", "sourcetype", "index"];
const PARAMETER_LENGTH_MAX = 256;

/** Decodes objects that follow one another, with or without space between, or arrays of them. */
export function decodeHecEvents(
  body: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  const document = new JsonDocument(body);
  const rows = new EventRows({ protocol: SPLUNK_HEC, context, bodyBytes: body.length });
  let index = 0, refusal: Refusal | null = null;
  for (let at = document.start; at < document.length;) {
    const value = document.valueAt(at);
    if (typeof value === "number") return unreadable(value, index);
    const events = eventsOf(document, value, limits);
    if (isRefusal(events)) return events;
    for (const event of events) {
      if (index === limits.maxRequestEvents) return tooMany(limits);
      const outcome = readHecEvent(document, event, { context, limits });
      if (!isProblem(outcome)) rows.add(outcome);
      else refusal ??= refusalAt(outcome, index);
      index++;
    }
    at = document.skipSpace(value.end);
  }
  if (refusal !== null) return { ...refusal, events: index };
  return index === 0 ? NO_DATA : rows.finish();
}

function eventsOf(
  document: JsonDocument,
  value: Span,
  limits: ProtocolLimits,
): readonly Span[] | Refusal {
  return document.kind(value) === "array" ? eventsIn(document, value, limits) : [value];
}

interface Reading {
  readonly context: DecodeContext;
  readonly limits: ProtocolLimits;
}

function readHecEvent(
  document: JsonDocument,
  event: Span,
  { context, limits: { maxEventBytes } }: Reading,
): EventFields | EventProblem {
  if (event.end - event.start > maxEventBytes) return tooLarge(maxEventBytes);
  if (document.kind(event) !== "object") return problemOf("", "type", "Expected an object.");
  const members = document.members(event);
  const content = present(document, members.get("event"));
  if (content === null) return problemOf("/event", "event-missing", "Expected this member.");
  if (document.string(content) === "") {
    return problemOf("/event", "event-blank", "Expected a string that is not empty.");
  }
  if (!areFlat(document, present(document, members.get("fields")))) return NESTED;
  const timestamp = timeOf(document, members, context.receivedAt);
  if (timestamp === null) return BAD_TIME;
  const type = document.string(members.get("sourcetype")) ??
    document.string(members.get("source")) ?? "";
  return { actor: "", timestamp, metadata: document.raw(event), type, eventId: "" };
}

/** Whether fields are what an index can hold: an object of plain values, or of lists of them. */
function areFlat(document: JsonDocument, fields: Span | null): boolean {
  if (fields === null) return true;
  if (document.kind(fields) !== "object") return false;
  const isPlain = (value: Span) => !["object", "array"].includes(document.kind(value));
  return [...document.members(fields).values()].every((value) =>
    isPlain(value) ||
    document.kind(value) === "array" && document.elements(value).every(isPlain)
  );
}

function timeOf(document: JsonDocument, members: Members, receivedAt: number): string | null {
  const time = present(document, members.get("time"));
  if (time === null) return utcOfMs(receivedAt);
  const isNumber = document.kind(time) === "number";
  return utcOfHecTime(isNumber ? document.raw(time) : document.string(time) ?? "");
}

/**
 * A time in seconds since the epoch, or in ms if it is too large for that, in UTC with the digits
 * of its fraction as sent; null if it is none.
 */
export function utcOfHecTime(text: string): string | null {
  const plain = /^[\d.]+e/i.test(text) ? String(Number(text)) : text.trim();
  const [, whole = "", fraction = ""] = /^(\d{1,15})(?:\.(\d{1,30}))?$/.exec(plain) ?? [];
  if (Number(whole) < MS_MIN) return utcOfSeconds(plain);
  return utcOfSeconds(`${whole.slice(0, -3)}.${whole.slice(-3)}${fraction}`);
}

/** Decodes lines of text; what they share comes in the query. */
export function decodeHecRaw(
  body: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  const shared = sharedOf(context);
  if (isRefusal(shared)) return shared;
  const { maxRequestEvents, maxEventBytes } = limits, { members, ...columns } = shared;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const metadata: string[] = [];
  let metadataBytes = 0, refusal: Refusal | null = null, events = 0;
  for (let at = skipBreaks(bytes, 0), end; at < bytes.length; at = skipBreaks(bytes, end)) {
    end = bytes.indexOf(10, at);
    if (end < 0) end = bytes.length;
    const line = bytes.toString("utf8", at, bytes[end - 1] === 13 ? end - 1 : end);
    if (line.trim() === "") continue;
    if (events === maxRequestEvents) return tooMany(limits);
    const text = `{"event":${JSON.stringify(line)}${members}}`, size = Buffer.byteLength(text);
    if (size > maxEventBytes) refusal ??= refusalAt(tooLarge(maxEventBytes), events);
    metadata.push(text);
    metadataBytes += size;
    events++;
  }
  if (refusal !== null) return { ...refusal, events };
  if (events === 0) return NO_DATA;
  const rows = new EventRows({ protocol: SPLUNK_HEC, context, bodyBytes: metadataBytes });
  for (const text of metadata) rows.add({ ...columns, metadata: text });
  return rows.finish();
}

/** The first position at or behind `at` that is no line break. */
function skipBreaks(bytes: Uint8Array, at: number): number {
  while (bytes[at] === 10 || bytes[at] === 13 && bytes[at + 1] === 10) at++;
  return at;
}

/** What the lines of a request share: columns, and members of their metadata. */
interface Shared extends Omit<EventFields, "metadata"> {
  readonly members: string;
}

function sharedOf({ head: { query }, receivedAt }: DecodeContext): Shared | Refusal {
  const parameters = new URLSearchParams(query);
  let members = "";
  for (const name of RAW_PARAMETERS) {
    const value = parameters.get(name) ?? "";
    if (value.length > PARAMETER_LENGTH_MAX) return badParameter(LONG_PARAMETER);
    if (value !== "") members += `,"${name}":${JSON.stringify(value)}`;
  }
  const time = parameters.get("time") ?? "";
  const timestamp = time === "" ? utcOfMs(receivedAt) : utcOfHecTime(time);
  if (timestamp === null) return badParameter(BAD_TIME);
  const type = parameters.get("sourcetype") || parameters.get("source") || "";
  return { members, actor: "", timestamp, type, eventId: "" };
}

const NO_DATA: Refusal = { code: "empty-body", detail: "Expected at least one event, got none." };
const NESTED = problemOf(
  "/fields",
  "fields",
  "Expected an object of strings, numbers and booleans, or arrays of them.",
);
const BAD_TIME = problemOf(
  "/time",
  "time",
  "Expected seconds since 1970 in digits, such as 1426279439.123, or milliseconds.",
);
const LONG_PARAMETER = problemOf(
  "",
  "parameter",
  `Expected parameters of at most ${PARAMETER_LENGTH_MAX} characters.`,
);

function tooLarge(maxEventBytes: number): EventProblem {
  return problemOf("", "event-too-large", `Expected events of at most ${maxEventBytes} bytes.`);
}

function tooMany({ maxRequestEvents }: ProtocolLimits): Refusal {
  const detail = `Expected at most ${maxRequestEvents} events a request.`;
  return { code: "too-many-events", detail, events: maxRequestEvents + 1 };
}

/** The refusal of a request for one of its events: Splunk tells of the first. */
function refusalAt(problem: EventProblem, index: number): Refusal {
  return {
    code: problem.code === "event-too-large" ? "event-too-large" : "invalid-event",
    detail: problem.detail,
    errors: [{ ...problem, index }],
    errorsTotal: 1,
  };
}

function unreadable(why: number, index: number): Refusal {
  const isTooDeep = why === TOO_DEEP, code = isTooDeep ? "too-deep" : "malformed-json";
  const detail = isTooDeep
    ? `Expected at most ${DEPTH_MAX} objects and arrays inside one another.`
    : "Expected JSON objects (RFC 8259), one after the other.";
  return { code, detail, errors: [{ index, pointer: "", code, detail }], errorsTotal: 1 };
}

function badParameter(problem: EventProblem): Refusal {
  return { code: "parameter", detail: problem.detail, errors: [problem], errorsTotal: 1 };
}
