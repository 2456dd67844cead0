/** What the document says of the native protocol. */

import { known, type PathText, type ProtocolText } from "./ingest.ts";
import {
  type Media,
  objectOf,
  type Parameter,
  parameterRef,
  type Schema,
  schemaRef,
  text,
} from "./spec.ts";

const EXAMPLE = {
  id: "o17",
  user_id: 42,
  timestamp: "2026-11-24T11:03:40.123Z",
  metadata: { path: "/checkout", total: 17.5 },
};

const EVENT: Schema = {
  ...objectOf({
    id: {
      type: "string",
      minLength: 1,
      maxLength: 255,
      description: "Yours, unique among your events: a repeat of one that is remembered is not " +
        "stored again. Needed only if the event may be sent again.",
    },
    user_id: {
      type: "integer",
      format: "int64",
      description: "-2^63 to 2^63-1, written without point or exponent. " +
        "Beyond 2^53 JavaScript's JSON.parse and JSON.stringify round it.",
    },
    timestamp: text(
      "RFC 3339; without an offset it is UTC. Stored in UTC with the digits that were sent.",
    ),
    metadata: {
      type: "object",
      description: "Any JSON object, nested at most 64 deep. Stored byte for byte as sent.",
    },
  }, { optional: ["id"] }),
  additionalProperties: false,
};

const ACCEPTED_MEMBERS = {
  status: { const: "accepted" },
  stored: schemaRef("Level"),
  duplicates: {
    type: "integer",
    minimum: 1,
    description: "How many were known already, by their id. Not there if none was.",
  },
};

const SCHEMAS: Readonly<Record<string, Schema>> = {
  NativeEvent: EVENT,
  Level: {
    enum: ["queued", "journaled", "committed"],
    description: "How far the events have got: in memory; on the disk, in the journal; on the " +
      "disk, in the database.",
  },
  AcceptedEvent: objectOf(ACCEPTED_MEMBERS, { optional: ["duplicates"] }),
  AcceptedEvents: objectOf({
    ...ACCEPTED_MEMBERS,
    accepted: { type: "integer", minimum: 0, description: "How many are or will be stored." },
    rejected: {
      type: "integer",
      minimum: 1,
      description: "With `handling=lenient`: how many became dead letters.",
    },
    errors: {
      type: "array",
      items: schemaRef("EventProblem"),
      description: "Why: the first 20 problems.",
    },
  }, { optional: ["duplicates", "rejected", "errors"] }),
};

const PREFER: Parameter = {
  name: "Prefer",
  in: "header",
  description: "When to answer (RFC 7240): `wait=5` once the events are committed, or after 5 " +
    "seconds, 60 at most; `respond-async` at once. On `/events` also `handling=lenient`: the " +
    "good events are stored though others are bad, which become dead letters.",
  schema: { type: "string", maxLength: 256 },
  example: "wait=5",
};
const KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  description: "The same key with the same body is answered like the first time, for 24 hours: " +
    "the request can be sent again without fear. 1 to 255 visible ASCII characters, with or " +
    "without double quotes.",
  schema: { type: "string", minLength: 1 },
  example: "order-17",
};

const HEADERS = {
  "Location": {
    description: "Where to ask how far the events have got; with `Prefer` only.",
    schema: { type: "string" },
  },
  "Preference-Applied": {
    description: "What was heeded of `Prefer`.",
    schema: { type: "string" },
  },
  "Idempotency-Replayed": {
    description: "Whether this is the answer to an earlier request with this key.",
    schema: { const: "true" },
  },
};

function accepted(schema: string, members: Readonly<Record<string, unknown>>) {
  const content = (stored: string): Readonly<Record<string, Media>> => ({
    "application/json": {
      schema: schemaRef(schema),
      example: { status: "accepted", ...members, stored },
    },
  });
  return {
    "200": {
      description: "Committed, as `Prefer: wait` asked for.",
      headers: HEADERS,
      content: content("committed"),
    },
    "202": {
      description: "Accepted. With `--durability disk` (the default) the events are on the disk.",
      headers: HEADERS,
      content: content("committed"),
    },
  };
}

const LINES: Media = {
  schema: text("One event a line; empty lines are skipped."),
  example: `${JSON.stringify(EXAMPLE)}\n${JSON.stringify({ ...EXAMPLE, id: "o18" })}\n`,
};
const ONE: Media = { schema: schemaRef("NativeEvent"), example: EXAMPLE };
const ONE_TEXT: Media = { schema: text("One event in JSON."), example: JSON.stringify(EXAMPLE) };
const MANY: Media = {
  schema: { type: "array", minItems: 1, items: schemaRef("NativeEvent") },
  example: [EXAMPLE, { ...EXAMPLE, id: "o18" }],
};
const PARAMETERS = [KEY, PREFER, parameterRef("Token")];

const PATHS: Readonly<Record<string, PathText>> = {
  "/event": {
    summary: "Send one event",
    description: "`text/plain` is what `navigator.sendBeacon` sends.",
    parameters: PARAMETERS,
    body: { "application/json": ONE, "text/plain": ONE_TEXT },
    accepted: accepted("AcceptedEvent", {}),
  },
  "/events": {
    summary: "Send many events",
    description:
      "As a JSON array, or one a line. The request is admitted whole or refused whole, " +
      "unless it says `Prefer: handling=lenient`.",
    parameters: PARAMETERS,
    body: {
      "application/json": MANY,
      "application/x-ndjson": LINES,
      "application/ndjson": LINES,
      "application/jsonl": LINES,
      "text/plain": { ...LINES, schema: text("Either of both.") },
    },
    accepted: accepted("AcceptedEvents", { accepted: 2 }),
  },
};

/** What the document says of the native protocol. */
export const NATIVE_TEXT: ProtocolText = {
  tag: {
    name: "Send events",
    description:
      "The collector's own protocol. An event is stored as it was sent: `metadata` byte " +
      "for byte, `user_id` over the whole int64 range.",
  },
  security: [{ bearer: [] }, { tokenInQuery: [] }, {}],
  refuses: [
    "empty-body",
    "malformed-json",
    "too-deep",
    "invalid-event",
    "event-too-large",
    "too-many-events",
  ],
  refusals: { "application/problem+json": schemaRef("Problem") },
  schemas: SCHEMAS,
  path: (path) => known(PATHS, path),
};
