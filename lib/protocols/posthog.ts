/**
 * PostHog's capture API: a batch of events (`POST /batch/`), one, or a bare array of them, as the
 * versions of its clients have it, on any of its paths.
 *
 * `metadata` of a row is the event as sent. Times by a clock that is 5 minutes wrong or more are
 * corrected. A bad event is set aside as a dead letter, alone too: browsers drop what is refused,
 * and nobody learns of it there.
 */

import { type EventProblem, isRefusal, type Refusal } from "../errors.ts";
import type {
  Answer,
  DecodeContext,
  Decoded,
  Format,
  IngestRoute,
  Protocol,
  ProtocolLimits,
  RequestHead,
} from "../protocol.ts";
import { headersOf, jsonAnswer, type Statuses, statusOf } from "./answers.ts";
import { clientClock, epochMs } from "./client_clock.ts";
import { bearerToken } from "./credentials.ts";
import { type EventFields, EventRows } from "./event_rows.ts";
import type { JsonDocument, Span } from "./json_document.ts";
import {
  eventsIn,
  gatherEvents,
  isProblem,
  type JsonEvent,
  type Members,
  openJson,
  readEvent,
  type Reading,
  refusalFor,
} from "./json_events.ts";
import { posthogJson } from "./posthog_body.ts";
import { readPosthogEvent, tokenAmong, tokenOf } from "./posthog_event.ts";

const NAME = "posthog";
const PATHS = ["/batch", "/capture", "/i/v0/e", "/e"];
/** The longest that posthog-js waits because it is told to. */
const RETRY_SECONDS_MAX = 30;

/** 413 is kept as it is: posthog-node halves its batches then. */
// posthog-js drops what is answered 429.
const STATUSES: Statuses = {
  "invalid-event": 400,
  "rate-limited": 503,
  "too-many-auth-failures": 503,
};

const OK: Answer = jsonAnswer(200, '{"status":"Ok"}');

/** PostHog's capture API: see the head of this file. */
export function posthogProtocol(limits: ProtocolLimits): Protocol {
  const format: Format = {
    isText: false, // may be gzip by itself
    decode: (body, context) => {
      const json = posthogJson(body, context);
      return isRefusal(json) ? json : decodeJson(json, context, limits);
    },
    accepted: () => OK,
    refused,
  };
  const route: IngestRoute = {
    protocol: NAME,
    formats: new Map([["application/json", format], ["text/plain", format]]),
    otherwise: format, // such as forms
    credential: bearerToken,
    hasBodyCredential: true,
    refused,
  };
  return {
    name: NAME,
    routes: new Map(PATHS.flatMap((path) => [[path, route], [`${path}/`, route]])),
    replay: (raw, context) => replayEvent(raw, context, limits),
  };
}

function decodeJson(
  body: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  const found = findEvents(body, limits);
  if (isRefusal(found)) return found;
  const { document, request, events, pointer } = found;
  const token = tokenAmong(document, request), tokens = new Set(token === "" ? [] : [token]);
  const rows = new EventRows({ protocol: NAME, context, bodyBytes: body.length });
  const clock = clientClock(sentAt(document, request, context.head), context.receivedAt);
  const reading = readingOf(document, limits, (event) => {
    if (token === "") tokens.add(tokenOf(event));
    return readPosthogEvent(event, clock);
  });
  gatherEvents(events, reading, { rows, pointer });
  tokens.delete("");
  if (tokens.size > 1) return { ...SEVERAL_TOKENS, events: events.length };
  const [credential] = tokens;
  return credential === undefined ? rows.finish() : { ...rows.finish(), credential };
}

/** Events of a request, and where they stand in it. */
interface Found {
  readonly document: JsonDocument;
  /** The members of the request, which may be those of its event. */
  readonly request: Members;
  readonly events: readonly Span[];
  /** Where the array of them is; null if the body is the event. */
  readonly pointer: string | null;
}

function findEvents(body: Uint8Array, limits: ProtocolLimits): Found | Refusal {
  const opened = openJson(body);
  if (isRefusal(opened)) return opened;
  const { document, root } = opened, kind = document.kind(root);
  if (kind === "array") {
    const events = eventsIn(document, root, limits);
    return isRefusal(events) ? events : { document, request: new Map(), events, pointer: "" };
  }
  if (kind !== "object") return NO_EVENTS;
  const request = document.members(root), batch = request.get("batch");
  if (batch === undefined) return { document, request, events: [root], pointer: null };
  if (document.kind(batch) !== "array") return NO_EVENTS;
  const events = eventsIn(document, batch, limits);
  return isRefusal(events) ? events : { document, request, events, pointer: "/batch" };
}

function replayEvent(
  raw: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  const opened = openJson(raw);
  if (isRefusal(opened)) return opened;
  const { document, root } = opened;
  const outcome = readEvent(
    root,
    readingOf(document, limits, (event) => {
      const sent = sentAt(document, event.members, context.head);
      return readPosthogEvent(event, clientClock(sent, context.receivedAt));
    }),
  );
  if (isProblem(outcome)) return refusalFor(outcome);
  const rows = new EventRows({ protocol: NAME, context, bodyBytes: raw.length });
  rows.add(outcome);
  return rows.finish();
}

function readingOf(
  document: JsonDocument,
  { maxEventBytes }: ProtocolLimits,
  read: (event: JsonEvent) => EventFields | EventProblem,
): Reading {
  return {
    document,
    maxEventBytes,
    sharedBytes: 0,
    textOf: (event) => document.raw(event),
    read,
  };
}

/** When the request was sent, by its sender's clock; NaN if it does not say. */
function sentAt(
  document: JsonDocument,
  request: Members,
  { query }: RequestHead,
): number {
  const text = document.string(request.get("sent_at"));
  if (text !== null || query === "") return epochMs(text);
  const parameters = new URLSearchParams(query);
  const ms = parameters.get("_") ?? parameters.get("sent_at") ?? "";
  return /^\d{13}$/.test(ms) ? Number(ms) : NaN;
}

const NO_EVENTS: Refusal = {
  code: "invalid-event",
  detail: "Expected an event, an array of them, or an object with them in the array `batch`.",
};
const SEVERAL_TOKENS: Refusal = {
  code: "unauthorized",
  detail: "Expected the same token in all events of a request.",
};

function refused(refusal: Refusal): Answer {
  const { code, detail } = refusal, status = statusOf(refusal, STATUSES);
  const body = JSON.stringify({ type: errorType(status), code, detail });
  return jsonAnswer(status, body, headersOf(refusal, RETRY_SECONDS_MAX));
}

function errorType(status: number): string {
  if (status >= 500) return "server_error";
  return status === 401 || status === 403 ? "authentication_error" : "validation_error";
}
