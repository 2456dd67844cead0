/**
 * Tinybird's Events API: rows of a data source, one JSON object a line, or one object alone
 * (`format=json`).
 *
 * `metadata` of a row is its line as sent, `type` the name of the data source. Lines that are no
 * JSON object are set aside as dead letters, which Tinybird calls its quarantine.
 */

import { type EventProblem, isRefusal, type Refusal } from "../errors.ts";
import type {
  Answer,
  DecodeContext,
  Decoded,
  Format,
  IngestRoute,
  Outcome,
  Preference,
  Protocol,
  ProtocolLimits,
  RequestHead,
} from "../protocol.ts";
import { toUtc, utcOfMs } from "../timestamp.ts";
import { headersOf, jsonAnswer, type Statuses, statusOf } from "./answers.ts";
import { bearerToken, queryToken } from "./credentials.ts";
import { type EventFields, EventRows } from "./event_rows.ts";
import { isSpace, TOO_DEEP } from "./json_bytes.ts";
import { DEPTH_MAX, JsonDocument, type Span } from "./json_document.ts";
import { isProblem, openJson, problemOf, refusalFor } from "./json_events.ts";

const NAME = "tinybird";
const RETRY_SECONDS_MAX = 5;
/** How long `wait=true` waits. */
const WAIT_SECONDS = 10;

/**
 * The client sends again after 429 and 503, if it was set to. `unconfirmed` is 503: sent again, its
 * rows may be stored twice; dropped, they may be lost.
 */
const STATUSES: Statuses = {
  "invalid-event": 400,
  "queue-full": 429,
  "store-failing": 429,
  "too-many-bodies": 429,
  "token-missing": 403,
  "unauthorized": 403,
  "unconfirmed": 503,
};

/** Tinybird's Events API: see the head of this file. */
export function tinybirdProtocol(limits: ProtocolLimits): Protocol {
  const format: Format = {
    isText: true,
    decode: (body, context) => {
      const reading = { context, limits, name: parameter(context.head, "name") ?? "" };
      return parameter(context.head, "format") === "json"
        ? decodeObject(body, reading)
        : decodeLines(body, reading);
    },
    accepted,
    refused,
  };
  const route: IngestRoute = {
    protocol: NAME,
    formats: new Map(),
    otherwise: format,
    credential: (head) => bearerToken(head) ?? queryToken(head, "token"),
    preference: preferenceOf,
    refusesHead,
    refused,
  };
  return {
    name: NAME,
    routes: new Map([["/v0/events", route]]),
    replay: (raw, context, name) =>
      isDataSource(name) ? replayRow(raw, { context, limits, name }) : BAD_NAME,
  };
}

/** How rows are read. */
interface Reading {
  readonly context: DecodeContext;
  readonly limits: ProtocolLimits;
  /** Of the data source. */
  readonly name: string;
}

function decodeLines(body: Uint8Array, reading: Reading): Decoded | Refusal {
  const { limits: { maxRequestEvents } } = reading, rows = rowsFor(body, reading);
  for (let at = 0, line = 1, end; at < body.length; at = end) {
    for (; isSpace(body[at] ?? 0); at++) if (body[at] === 10) line++;
    end = body.indexOf(10, at);
    if (end < 0) end = body.length;
    const document = new JsonDocument(body.subarray(at, end));
    if (document.isEmpty) continue;
    if (rows.events === maxRequestEvents) {
      const detail = `Expected at most ${maxRequestEvents} events a request.`;
      return { code: "too-many-events", detail, events: maxRequestEvents + 1 };
    }
    const root = document.root();
    const outcome = typeof root === "number" ? unreadable(root) : readRow(document, root, reading);
    if (!isProblem(outcome)) rows.add(outcome);
    else rows.setAside(document.raw(lineSpan(document)), { ...outcome, line });
  }
  return rows.events === 0 ? EMPTY : rows.finish();
}

function decodeObject(body: Uint8Array, reading: Reading): Decoded | Refusal {
  const opened = openJson(body);
  if (isRefusal(opened)) return opened;
  const { document, root } = opened, rows = rowsFor(body, reading);
  const outcome = readRow(document, root, reading);
  if (isProblem(outcome)) rows.setAside(document.raw(root), outcome);
  else rows.add(outcome);
  return rows.finish();
}

function replayRow(raw: Uint8Array, reading: Reading): Decoded | Refusal {
  const opened = openJson(raw);
  if (isRefusal(opened)) return opened;
  const outcome = readRow(opened.document, opened.root, reading);
  if (isProblem(outcome)) return refusalFor(outcome);
  const rows = rowsFor(raw, reading);
  rows.add(outcome);
  return rows.finish();
}

function rowsFor(body: Uint8Array, { context, name }: Reading): EventRows {
  return new EventRows({ protocol: `${NAME}/${name}`, context, bodyBytes: body.length });
}

function readRow(document: JsonDocument, row: Span, reading: Reading): EventFields | EventProblem {
  const { context, limits: { maxEventBytes }, name } = reading;
  if (row.end - row.start > maxEventBytes) {
    return problemOf("", "event-too-large", `Expected events of at most ${maxEventBytes} bytes.`);
  }
  if (document.kind(row) !== "object") return problemOf("", "type", "Expected an object.");
  // Columns are the sender's own: one called `timestamp` may hold anything.
  const time = document.string(document.members(row).get("timestamp"));
  const timestamp = toUtc(time ?? "") ?? utcOfMs(context.receivedAt);
  return { actor: "", timestamp, metadata: document.raw(row), type: name, eventId: "" };
}

function unreadable(why: number): EventProblem {
  return why === TOO_DEEP
    ? problemOf("", "too-deep", `Expected at most ${DEPTH_MAX} objects and arrays in one another.`)
    : problemOf("", "malformed-json", "Expected a JSON object (RFC 8259) on one line.");
}

/** All of a document but the space around it. */
function lineSpan(document: JsonDocument): Span {
  return { start: document.start, end: document.length };
}

function parameter({ query }: RequestHead, name: string): string | null {
  return new URLSearchParams(query).get(name);
}

function isDataSource(name: string): boolean {
  return /^[A-Za-z_]\w{0,127}$/.test(name);
}

function refusesHead(head: RequestHead): Refusal | null {
  if (!isDataSource(parameter(head, "name") ?? "")) return BAD_NAME;
  const format = parameter(head, "format") ?? "ndjson";
  return format === "ndjson" || format === "json" ? null : BAD_FORMAT;
}

function preferenceOf(head: RequestHead): Preference | null {
  return parameter(head, "wait") === "true" ? { kind: "wait", seconds: WAIT_SECONDS } : null;
}

const EMPTY: Refusal = { code: "empty-body", detail: "Expected at least one event, got none." };
const BAD_NAME: Refusal = {
  code: "parameter",
  detail: "Expected a data source in `name`: a letter or underscore, then letters, digits and " +
    "underscores, 128 at most.",
};
const BAD_FORMAT: Refusal = {
  code: "parameter",
  detail: "Expected `format` to be ndjson or json.",
};

function accepted({ decoded: { submission, aside }, level, preference }: Outcome): Answer {
  const stored = submission?.events ?? 0, quarantined = aside?.events ?? 0;
  return jsonAnswer(
    preference?.kind === "wait" && level === "committed" ? 200 : 202,
    `{"successful_rows":${stored},"quarantined_rows":${quarantined}}`,
  );
}

/** No rate is always good, so `X-RateLimit-Limit` is there only if the refusal brings one. */
function refused(refusal: Refusal): Answer {
  const status = statusOf(refusal, STATUSES), headers = headersOf(refusal, RETRY_SECONDS_MAX);
  if (status === 429) {
    const seconds = headers["retry-after"] ??= "1";
    headers["x-ratelimit-remaining"] ??= "0";
    headers["x-ratelimit-reset"] ??= seconds;
  }
  return jsonAnswer(status, JSON.stringify({ error: refusal.detail }), headers);
}
