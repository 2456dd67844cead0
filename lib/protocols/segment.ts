/**
 * Segment's HTTP tracking API, as the clients of Segment, RudderStack and Jitsu speak it: one call
 * (`POST /v1/track`, or `/v1/t` as browsers do) or a batch of calls (`/v1/batch`).
 *
 * `metadata` of a row is the call as sent; `segment_shared.ts` says what is added to it in a batch
 * that has a `context` of its own. Times by a clock that is 5 minutes wrong or more are corrected;
 * a dead letter knows no more of that clock than the `sentAt` that some clients put into each call.
 *
 * A bad call in a batch is set aside as a dead letter: the others are stored, and the client, which
 * would drop the whole batch on a 4xx, is told of success. A bad call alone is refused by 400: there
 * is nothing else in the request that this could lose, and whoever sent it learns of it.
 */

import { isRefusal, type Refusal } from "../errors.ts";
import type {
  Answer,
  Credential,
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
import { basicToken, bearerToken } from "./credentials.ts";
import { EventRows } from "./event_rows.ts";
import {
  eventsIn,
  gatherEvents,
  isProblem,
  type JsonEvent,
  type Members,
  openJson,
  readEvent,
  refusalFor,
} from "./json_events.ts";
import type { JsonDocument } from "./json_document.ts";
import { CALLS, readSegmentEvent } from "./segment_event.ts";
import { sharedMembers, withShared } from "./segment_shared.ts";

const NAME = "segment";
/** Clients wait up to 300 s if told to, and keep what they hold in memory meanwhile. */
const RETRY_SECONDS_MAX = 5;
/** What a batch may grow to by the members that its events share: they are stored with each. */
const SHARED_BYTES_MAX = 8_388_608;

/** Backpressure is 429, the only status that all of these clients wait after as they are told. */
const STATUSES: Statuses = {
  "invalid-event": 400,
  "queue-full": 429,
  "too-many-bodies": 429,
};

const SUCCESS: Answer = jsonAnswer(200, '{"success":true}');

/** Segment's HTTP tracking API: see the head of this file. */
export function segmentProtocol(limits: ProtocolLimits): Protocol {
  const routes = new Map<string, IngestRoute>();
  const add = (path: string, decode: Format["decode"]) => {
    const route = routeOf({ isText: true, decode, accepted: () => SUCCESS, refused });
    routes.set(`/v1/${path}`, route).set(`/v1/${path}/`, route);
  };
  for (const path of ["batch", "b", "import"]) {
    add(path, (body, context) => decodeBatch(body, context, limits));
  }
  for (const [letter, call] of Object.entries(CALLS)) {
    const decode: Format["decode"] = (body, context) => decodeCall(body, context, { limits, call });
    add(call, decode);
    add(letter, decode);
  }
  return {
    name: NAME,
    routes,
    replay: (raw, context, call) => decodeCall(raw, context, { limits, call }),
  };
}

function routeOf(format: Format): IngestRoute {
  return {
    protocol: NAME,
    formats: new Map([["application/json", format], ["text/plain", format]]),
    otherwise: format, // RudderStack's Node client says it sends a form
    credential,
    hasBodyCredential: true,
    refused,
  };
}

/** The write key is the user of Basic, without a password. */
function credential(head: RequestHead): Credential | null {
  const credential = basicToken(head, "user") ?? bearerToken(head);
  return credential?.token === "" ? null : credential;
}

function decodeBatch(
  body: Uint8Array,
  context: DecodeContext,
  limits: ProtocolLimits,
): Decoded | Refusal {
  const opened = openJson(body);
  if (isRefusal(opened)) return opened;
  const { document, root } = opened;
  if (document.kind(root) !== "object") return NO_BATCH;
  const members = document.members(root), batch = members.get("batch");
  if (batch === undefined || document.kind(batch) !== "array") return NO_BATCH;
  const events = eventsIn(document, batch, limits);
  if (isRefusal(events)) return events;
  const shared = sharedMembers(document, members);
  const allShared = shared.bytes * events.length;
  if (allShared > SHARED_BYTES_MAX) return { ...TOO_MUCH_SHARED, events: events.length };
  const rows = new EventRows({ protocol: NAME, context, bodyBytes: body.length + allShared });
  const clock = clientClock(sentAt(document, members), context.receivedAt);
  gatherEvents(events, {
    document,
    maxEventBytes: limits.maxEventBytes,
    sharedBytes: shared.bytes,
    textOf: (event) => withShared(document, event, shared),
    read: (event) => readSegmentEvent(event, typeOf(event), clock),
  }, { rows, pointer: "/batch" });
  return { ...rows.finish(), ...writeKey(document, members) };
}

interface CallOptions {
  readonly limits: ProtocolLimits;
  /** Its type; empty if it says that itself. */
  readonly call: string;
}

function decodeCall(
  body: Uint8Array,
  context: DecodeContext,
  { limits, call }: CallOptions,
): Decoded | Refusal {
  const opened = openJson(body);
  if (isRefusal(opened)) return opened;
  const { document, root } = opened;
  let protocol = NAME, credential: Pick<Decoded, "credential"> = {};
  const outcome = readEvent(root, {
    document,
    maxEventBytes: limits.maxEventBytes,
    sharedBytes: 0,
    textOf: (event) => document.raw(event),
    read: (event) => {
      const { members } = event, own = typeOf(event);
      // The path is not kept: an event that needs it says so in its protocol, for the replay.
      if (call !== "" && call !== own) protocol = `${NAME}/${call}`;
      credential = writeKey(document, members);
      const clock = clientClock(sentAt(document, members), context.receivedAt);
      return readSegmentEvent(event, call || own, clock);
    },
  });
  if (isProblem(outcome)) return refusalFor(outcome);
  const rows = new EventRows({ protocol, context, bodyBytes: body.length });
  rows.add(outcome);
  return { ...rows.finish(), ...credential };
}

function typeOf({ document, members }: JsonEvent): string {
  return document.string(members.get("type")) ?? "";
}

function sentAt(document: JsonDocument, members: Members): number {
  return epochMs(document.string(members.get("sentAt")));
}

function writeKey(
  document: JsonDocument,
  members: Members,
): Pick<Decoded, "credential"> {
  const key = document.string(members.get("writeKey")) ?? "";
  return key === "" ? {} : { credential: key };
}

const NO_BATCH: Refusal = {
  code: "invalid-event",
  detail: "Expected an object with the events in the array `batch`.",
};
const TOO_MUCH_SHARED: Refusal = {
  code: "decoded-too-large",
  detail: "Expected less context, or fewer events: each is stored with what the batch shares.",
};

function refused(refusal: Refusal): Answer {
  const { code, detail } = refusal;
  const body = JSON.stringify({ success: false, error: detail, code });
  return jsonAnswer(statusOf(refusal, STATUSES), body, headersOf(refusal, RETRY_SECONDS_MAX));
}
