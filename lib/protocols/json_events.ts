/** Events that come in one JSON document: what the protocols that send them so have in common. */

import type { EventProblem, Refusal } from "../errors.ts";
import type { ProtocolLimits } from "../protocol.ts";
import { type ClientClock, correctedUtc } from "./client_clock.ts";
import { type EventFields, type EventRows, isEventId } from "./event_rows.ts";
import { TOO_DEEP } from "./json_bytes.ts";
import { DEPTH_MAX, JsonDocument, type Span } from "./json_document.ts";

/** The members of an object, by name. */
export type Members = ReadonlyMap<string, Span>;

/** A body that is JSON. */
export interface OpenedJson {
  /** Its text. */
  readonly document: JsonDocument;
  /** The one value in it. */
  readonly root: Span;
}

/** An event that is an object, not looked into yet. */
export interface JsonEvent {
  /** Where it stands. */
  readonly document: JsonDocument;
  /** Its members. */
  readonly members: Members;
  /** The text of it that is kept. */
  readonly metadata: string;
}

/** How the events of a document are read. */
export interface Reading {
  /** Where they stand. */
  readonly document: JsonDocument;
  /** Most bytes an event. */
  readonly maxEventBytes: number;
  /** What each takes of that beside its own bytes. */
  readonly sharedBytes: number;
  /** The text of an event that is kept. */
  readonly textOf: (event: Span) => string;
  /** Reads one that is an object. */
  readonly read: (event: JsonEvent) => EventFields | EventProblem;
}

/** The JSON of a body, or why it is none. */
export function openJson(body: Uint8Array): OpenedJson | Refusal {
  const document = new JsonDocument(body);
  if (document.isEmpty) {
    return { code: "empty-body", detail: "Expected at least one event, got none." };
  }
  const root = document.root();
  if (typeof root !== "number") return { document, root };
  return root === TOO_DEEP
    ? {
      code: "too-deep",
      detail: `Expected at most ${DEPTH_MAX} objects and arrays inside one another.`,
    }
    : { code: "malformed-json", detail: "Expected the body to be JSON (RFC 8259)." };
}

/** The events in an array that was checked; refused at the first too many. */
export function eventsIn(
  document: JsonDocument,
  array: Span,
  { maxRequestEvents }: ProtocolLimits,
): readonly Span[] | Refusal {
  const events: Span[] = [], last = array.end - 1;
  for (let at = document.skipSpace(array.start + 1); at < last;) {
    const event = document.valueAt(at);
    if (typeof event === "number") break; // it was checked
    events.push(event);
    if (events.length > maxRequestEvents) {
      const detail = `Expected at most ${maxRequestEvents} events a request.`;
      return { code: "too-many-events", detail, events: events.length };
    }
    const comma = document.skipSpace(event.end);
    at = comma === last ? last : document.skipSpace(comma + 1);
  }
  return events;
}

/** The rows of a request, and where its events stand. */
export interface Gathering {
  /** Take the events. */
  readonly rows: EventRows;
  /** JSON Pointer of the array of them; null if the body is the one event. */
  readonly pointer: string | null;
}

/** Adds each event to the rows, or sets it aside. */
export function gatherEvents(
  events: readonly Span[],
  reading: Reading,
  { rows, pointer }: Gathering,
): void {
  events.forEach((event, index) => {
    const outcome = readEvent(event, reading);
    if (!isProblem(outcome)) return rows.add(outcome);
    const place = pointer === null
      ? {}
      : { index, pointer: `${pointer}/${index}${outcome.pointer}` };
    rows.setAside(reading.textOf(event), { ...outcome, ...place });
  });
}

/** Reads an event, or says what is wrong with it. */
export function readEvent(event: Span, reading: Reading): EventFields | EventProblem {
  const { document, maxEventBytes, sharedBytes } = reading;
  if (event.end - event.start + sharedBytes > maxEventBytes) {
    return problemOf("", "event-too-large", `Expected events of at most ${maxEventBytes} bytes.`);
  }
  if (document.kind(event) !== "object") return problemOf("", "type", "Expected an object.");
  const members = document.members(event);
  return reading.read({ document, members, metadata: reading.textOf(event) });
}

/** Tells what is wrong with an event from the event. */
export function isProblem(outcome: EventFields | EventProblem): outcome is EventProblem {
  return "code" in outcome;
}

/** What is wrong with an event, and where in it. */
export function problemOf(pointer: string, code: string, detail: string): EventProblem {
  return { pointer, code, detail };
}

/** The refusal of a request for what is wrong with its only event. */
export function refusalFor(problem: EventProblem): Refusal {
  const { code, pointer, detail } = problem;
  return {
    code: code === "event-too-large" ? code : "invalid-event",
    detail: pointer === "" ? detail : `${pointer}: ${detail}`,
    errors: [problem],
    errorsTotal: 1,
    events: 1,
  };
}

/** A member that is there, and is not null. */
export function present(document: JsonDocument, span: Span | undefined): Span | null {
  const isThere = span !== undefined &&
    (document.kind(span) !== "literal" || document.raw(span) !== "null");
  return isThere ? span : null;
}

/** The id of a user or thing: a string, or the digits of a number; empty if it is none of them. */
export function idText(document: JsonDocument, span: Span | undefined): string {
  if (span === undefined) return "";
  return document.kind(span) === "number" ? document.raw(span) : document.string(span) ?? "";
}

/** The producer's id of an event; empty if it gave none, null if it can be none. */
export function eventIdText(document: JsonDocument, span: Span | undefined): string | null {
  const there = present(document, span);
  if (there === null) return "";
  const id = document.string(there);
  return id === "" || id !== null && isEventId(id) ? id : null;
}

/** A time by the sender's clock, corrected; null if it is none. */
export function timeText(document: JsonDocument, span: Span, clock: ClientClock): string | null {
  const text = document.string(span);
  return text === null ? null : correctedUtc(text, clock);
}

/** What is wrong with an id that {@linkcode eventIdText} can not read. */
export function badEventId(member: string): EventProblem {
  const detail = "Expected a string of at most 1024 characters, none of them a control character.";
  return problemOf(`/${member}`, "id", detail);
}

/** What is wrong with a time that {@linkcode timeText} can not read. */
export function badTime(member: string): EventProblem {
  const detail =
    "Expected an RFC 3339 date and time that exists, such as 2026-11-24T11:03:40.123Z.";
  return problemOf(`/${member}`, "timestamp", detail);
}
