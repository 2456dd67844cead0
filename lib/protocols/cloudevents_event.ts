/**
 * One CloudEvent in the JSON format (specification 1.0.2, JSON event format §2 and §3): its
 * attributes, checked, and what is wrong with them.
 */

import { Buffer } from "node:buffer";
import type { EventProblem } from "../errors.ts";
import { toUtc, utcOfMs } from "../timestamp.ts";
import { EVENT_ID_LENGTH_MAX, type EventFields, isEventId } from "./event_rows.ts";
import type { JsonDocument, Span } from "./json_document.ts";
import { type Members, present, problemOf } from "./json_events.ts";

/** What is wrong with an event that can not be stored; at least one problem. */
export interface Unfit {
  /** With JSON Pointers into the event. */
  readonly problems: readonly EventProblem[];
}

/** The attributes that every event has. */
export const REQUIRED_ATTRIBUTES = ["specversion", "id", "source", "type"] as const;

const POINTER_LENGTH_MAX = 256;

/** Reads the event in a span that is an object, or says what is wrong with it. */
export function readCloudEvent(
  document: JsonDocument,
  event: Span,
  receivedAt: number,
): EventFields | Unfit {
  const members = membersOnce(document, event);
  if (members === null) {
    return { problems: [problemOf("", "duplicate-member", "Expected each member once.")] };
  }
  const problems: EventProblem[] = [];
  for (const [name, span] of members) {
    const problem = problemWith(document, name, span);
    if (problem !== null) problems.push(problem);
  }
  const text = (name: string) => document.string(members.get(name)) ?? "";
  for (const name of REQUIRED_ATTRIBUTES) {
    if (present(document, members.get(name)) !== null) continue;
    problems.push(problemOf(`/${name}`, "missing", "Expected this attribute."));
  }
  if (hasBoth(document, members)) problems.push(BOTH);
  const eventId = `${text("source")} ${text("id")}`; // no source has a space in it
  if (problems.length === 0 && !isEventId(eventId)) problems.push(LONG_ID);
  if (problems.length > 0) return { problems };
  const timestamp = toUtc(text("time")) ?? utcOfMs(receivedAt);
  return { actor: "", timestamp, metadata: document.raw(event), type: text("type"), eventId };
}

/** The members of an object by name; null if a name comes twice, which readers read differently. */
function membersOnce(document: JsonDocument, object: Span): Members | null {
  const members = new Map<string, Span>(), last = object.end - 1;
  for (let at = document.skipSpace(object.start + 1); at < last;) {
    const key = document.valueAt(at);
    if (typeof key === "number") break; // it was checked
    const value = document.valueAt(document.skipSpace(document.skipSpace(key.end) + 1));
    if (typeof value === "number") break;
    const name = document.string(key) ?? "";
    if (members.has(name)) return null;
    members.set(name, value);
    const comma = document.skipSpace(value.end);
    at = comma === last ? last : document.skipSpace(comma + 1);
  }
  return members;
}

function problemWith(document: JsonDocument, name: string, span: Span): EventProblem | null {
  if (name === "data") return null; // any JSON
  const value = present(document, span);
  if (name === "data_base64") return value === null ? null : problemWithBase64(document, value);
  if (!/^[a-z0-9]+$/.test(name)) {
    return problemOf(pointerTo(name), "attribute-name", "Expected lower-case letters and digits.");
  }
  if (value === null) return null; // as if it were not there (JSON event format §2.2)
  const rule = RULES.get(name);
  if (rule === undefined) return problemWithExtension(document, name, value);
  const text = document.string(value);
  if (text === null) return problemOf(`/${name}`, "type", "Expected a string.");
  const isGood = text !== "" && isAttributeText(text) && rule.isGood(text);
  return isGood ? null : problemOf(`/${name}`, rule.code, rule.expected);
}

/** What holds for the attributes of the specification, which are strings and not empty. */
interface Rule {
  readonly code: string;
  readonly expected: string;
  readonly isGood: (text: string) => boolean;
}

const ANY_TEXT: Rule = {
  code: "text",
  expected: "Expected a string that is not empty, without control characters.",
  isGood: () => true,
};

const RULES: ReadonlyMap<string, Rule> = new Map([
  ["specversion", {
    code: "specversion",
    expected: 'Expected "1.0".',
    isGood: (text) => text === "1.0",
  }],
  ["id", ANY_TEXT],
  ["source", { code: "uri", expected: "Expected a URI-reference (RFC 3986).", isGood: isUri }],
  ["type", ANY_TEXT],
  ["subject", ANY_TEXT],
  ["datacontenttype", {
    code: "media-type",
    expected: "Expected a media type (RFC 2046), such as application/json.",
    isGood: (text) => /^[\w!#$%&'*+\-.^`|~]+\/[\w!#$%&'*+\-.^`|~]+[ \t]*(?:;|$)/.test(text),
  }],
  ["dataschema", {
    code: "uri",
    expected: "Expected a URI with its scheme (RFC 3986).",
    isGood: (text) => /^[A-Za-z][\w+\-.]*:/.test(text) && isUri(text),
  }],
  ["time", {
    code: "timestamp",
    expected: "Expected an RFC 3339 date and time with its offset, such as 2026-11-24T11:03:40Z.",
    isGood: (text) => /(?:[Zz]|[+-]\d\d:\d\d)$/.test(text) && toUtc(text) !== null,
  }],
]);

function problemWithExtension(
  document: JsonDocument,
  name: string,
  value: Span,
): EventProblem | null {
  switch (document.kind(value)) {
    case "literal":
      return null; // true or false
    case "string":
      return isAttributeText(document.string(value) ?? "")
        ? null
        : problemOf(`/${name}`, "text", "Expected a string without control characters.");
    case "number":
      return isInteger(document.raw(value))
        ? null
        : problemOf(`/${name}`, "integer", "Expected an integer from -2^31 to 2^31-1.");
    default:
      return problemOf(`/${name}`, "type", "Expected a string, a boolean or an integer.");
  }
}

function problemWithBase64(document: JsonDocument, value: Span): EventProblem | null {
  const text = document.string(value);
  const isBase64 = text !== null && Buffer.from(text, "base64").toString("base64") === text;
  return isBase64 ? null : problemOf("/data_base64", "base64", "Expected base64 (RFC 4648 §4).");
}

function hasBoth(document: JsonDocument, members: Members): boolean {
  return present(document, members.get("data")) !== null &&
    present(document, members.get("data_base64")) !== null;
}

const BOTH = problemOf("/data_base64", "data", "Expected data or data_base64, not both.");
const LONG_ID = problemOf(
  "/id",
  "id",
  `Expected source and id of less than ${EVENT_ID_LENGTH_MAX} characters together.`,
);

/** Whether an attribute may have this text (specification, "Type System", String). */
function isAttributeText(text: string): boolean {
  return !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text);
}

/** By its characters alone: which URIs are well formed besides is for the producers to agree. */
function isUri(text: string): boolean {
  return !/[^\w\-.~:/?#[\]@!$&'()*+,;=%]|%(?![0-9A-Fa-f]{2})/.test(text);
}

function isInteger(token: string): boolean {
  return /^-?\d{1,10}$/.test(token) && Number(token) === (Number(token) | 0);
}

function pointerTo(name: string): string {
  const pointer = `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`; // RFC 6901 §3
  return pointer.slice(0, POINTER_LENGTH_MAX).toWellFormed();
}
