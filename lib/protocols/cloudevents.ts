/**
 * CloudEvents 1.0.2 over HTTP, in all three modes: binary (`ce-*` headers, the body is the data),
 * structured (one event in the JSON format) and batched (a JSON array of them).
 *
 * `metadata` of a row is the event in the JSON format: as sent, or put together from headers and
 * body. Its `event_id` is source and id with a space between, which is what tells events apart. A
 * request with a bad event is refused whole.
 */

import { type EventProblem, isRefusal, type Refusal } from "../errors.ts";
import { problemOfStatus } from "../problem.ts";
import type {
  Answer,
  DecodeContext,
  Decoded,
  Format,
  IngestRoute,
  Outcome,
  Protocol,
  ProtocolLimits,
  RequestHead,
} from "../protocol.ts";
import { headersOf, jsonAnswer, type Statuses, statusOf } from "./answers.ts";
import { composeCloudEvent, HEADER_PREFIX, isUtf8Name, mediaTypeOf } from "./cloudevents_binary.ts";
import { readCloudEvent, REQUIRED_ATTRIBUTES } from "./cloudevents_event.ts";
import { bearerToken, queryToken } from "./credentials.ts";
import { PROBLEMS_LISTED_MAX } from "./dead_letters.ts";
import { EventRows } from "./event_rows.ts";
import type { JsonDocument, Span } from "./json_document.ts";
import { eventsIn, openJson, problemOf } from "./json_events.ts";

const NAME = "cloudevents";
const RETRY_SECONDS_MAX = 5;
const STRUCTURED = "application/cloudevents", BATCHED = "application/cloudevents-batch";

/** 429 is what senders slow down for; it never goes without Retry-After (web hooks §2.2). */
const STATUSES: Statuses = {
  "invalid-event": 400,
  "queue-full": 429,
  "store-failing": 429,
  "too-many-bodies": 429,
};

/** CloudEvents over HTTP: see the head of this file. */
export function cloudEventsProtocol(limits: ProtocolLimits): Protocol {
  const structured = format((body, context) => decodeOne(body, context, limits));
  const batched = format((body, context) => decodeBatched(body, context, limits));
  const binary: Format = {
    ...format((body, context) => {
      const event = composeCloudEvent(context.head.headers, body);
      return isRefusal(event) ? event : decodeOne(event, context, limits);
    }),
    isText: false, // data of any kind
  };
  const route: IngestRoute = {
    protocol: NAME,
    formats: new Map([[`${STRUCTURED}+json`, structured], [`${BATCHED}+json`, batched]]),
    otherwise: null,
    formatOf: ({ headers }) => {
      const { essence, charset } = mediaTypeOf(headers.get("content-type") ?? "");
      if (!essence.startsWith(STRUCTURED)) {
        return REQUIRED_ATTRIBUTES.some((name) => headers.has(HEADER_PREFIX + name))
          ? binary
          : null;
      }
      if (!isUtf8Name(charset)) return null;
      if (essence === BATCHED || essence === `${BATCHED}+json`) return batched;
      return essence === STRUCTURED || essence === `${STRUCTURED}+json` ? structured : null;
    },
    credential: (head) => bearerToken(head) ?? queryToken(head, "access_token"),
    refused,
    options: handshake,
  };
  return {
    name: NAME,
    routes: new Map([["/cloudevents", route], ["/cloudevents/", route]]),
    replay: (raw, context) => decodeOne(raw, context, limits),
  };
}

function format(decode: Format["decode"]): Format {
  return { isText: true, decode, accepted, refused };
}

function decodeOne(
  body: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  const opened = openJson(body);
  if (isRefusal(opened)) return opened;
  const rows = new EventRows({ protocol: NAME, context, bodyBytes: body.length });
  const { document, root } = opened;
  const found = readEvents([root], { document, limits, context, rows, isBatch: false });
  return found.total === 0 ? rows.finish() : refuse(found, 1);
}

function decodeBatched(
  body: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  const opened = openJson(body);
  if (isRefusal(opened)) return opened;
  const { document, root } = opened;
  if (document.kind(root) !== "array") return NOT_AN_ARRAY;
  const events = eventsIn(document, root, limits);
  if (isRefusal(events)) return events;
  const rows = new EventRows({ protocol: NAME, context, bodyBytes: body.length });
  const found = readEvents(events, { document, limits, context, rows, isBatch: true });
  return found.total === 0 ? rows.finish() : refuse(found, events.length);
}

/** How events are read. */
interface Reading {
  readonly document: JsonDocument;
  readonly limits: ProtocolLimits;
  readonly context: DecodeContext;
  /** Where the good ones go. */
  readonly rows: EventRows;
  readonly isBatch: boolean;
}

/** What is wrong with the events of a request. */
interface Found {
  /** The first problems. */
  readonly problems: readonly EventProblem[];
  /** How many there are. */
  readonly total: number;
}

/** Reads all events; gives what is wrong with those that are bad. */
function readEvents(events: readonly Span[], reading: Reading): Found {
  const { document, limits: { maxEventBytes }, context, rows, isBatch } = reading;
  const problems: EventProblem[] = [];
  let total = 0;
  for (const [index, event] of events.entries()) {
    const report = (problem: EventProblem) => {
      if (++total > PROBLEMS_LISTED_MAX) return;
      const pointer = `/${index}${problem.pointer}`;
      problems.push(isBatch ? { ...problem, index, pointer } : problem);
    };
    if (event.end - event.start > maxEventBytes) {
      const detail = `Expected events of at most ${maxEventBytes} bytes.`;
      report(problemOf("", "event-too-large", detail));
    } else if (document.kind(event) !== "object") {
      report(problemOf("", "type", "Expected an object."));
    } else {
      const outcome = readCloudEvent(document, event, context.receivedAt);
      if ("problems" in outcome) outcome.problems.forEach(report);
      else rows.add(outcome);
    }
  }
  return { problems, total };
}

function refuse({ problems, total }: Found, events: number): Refusal {
  const tooLarge = problems.find(({ code }) => code === "event-too-large");
  const count = `${total} problem${total === 1 ? "" : "s"}`;
  return {
    code: tooLarge === undefined ? "invalid-event" : "event-too-large",
    detail: tooLarge?.detail ??
      (events === 1 ? `The event has ${count}.` : `The events have ${count}.`),
    errors: problems,
    errorsTotal: total,
    events,
  };
}

const NOT_AN_ARRAY: Refusal = {
  code: "invalid-event",
  detail: "Expected a JSON array of events.",
  errors: [problemOf("", "type", "Expected an array.")],
  errorsTotal: 1,
};

function accepted({ admission, level }: Outcome): Answer {
  const { accepted, duplicates } = admission;
  return jsonAnswer(
    202,
    `{"status":"accepted","stored":"${level}","accepted":${accepted},"duplicates":${duplicates}}`,
  );
}

/** A problem (RFC 9457), as clients that drop the status show nothing else. */
function refused(refusal: Refusal): Answer {
  const headers = headersOf(refusal, RETRY_SECONDS_MAX), status = statusOf(refusal, STATUSES);
  if (status === 429) headers["retry-after"] ??= "1";
  return { ...problemOfStatus(refusal, status), headers };
}

/** The consent to be sent events that web hooks ask for (§4); null if nobody asks. */
function handshake({ headers }: RequestHead): Answer | null {
  const origin = headers.get("webhook-request-origin");
  if (origin === null || !/^[\w.\-:/[\]]{1,255}$/.test(origin)) return null;
  const consent = {
    "allow": "POST",
    "webhook-allowed-origin": origin,
    "webhook-allowed-rate": "*",
  };
  return { status: 200, body: "", type: null, headers: consent };
}
