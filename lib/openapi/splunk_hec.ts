/** What the document says of the Splunk HTTP Event Collector. */

import { known, type PathText, type ProtocolText } from "./ingest.ts";
import { jsonAnswer, objectOf, type Parameter, type Schema, schemaRef, text } from "./spec.ts";

const EVENT = { time: 1795518220.123, sourcetype: "disk", event: { disk: "full" } };

const SCHEMAS: Readonly<Record<string, Schema>> = {
  HecEvent: objectOf({
    event: { description: "Any JSON but null and the empty string." },
    time: {
      type: ["number", "string"],
      description: "Seconds since 1970, or milliseconds. Without it, the time of receipt.",
    },
    sourcetype: text("The `type` of the stored event."),
    source: text("The same, if there is no `sourcetype`."),
    host: { type: "string" },
    index: { type: "string" },
    fields: { type: "object", description: "Strings, numbers and booleans, or arrays of them." },
  }, { optional: ["time", "sourcetype", "source", "host", "index", "fields"] }),
  HecAnswer: objectOf({
    text: { type: "string" },
    code: { type: "integer", description: "A code of Splunk's." },
    ackId: {
      type: "integer",
      minimum: 0,
      description: "The number to ask for at `/services/collector/ack`, if a channel was named.",
    },
    "invalid-event-number": { type: "integer", minimum: 0 },
    detail: text("What was wrong with it and what was expected."),
  }, { optional: ["ackId", "invalid-event-number", "detail"] }),
  HecAcksQuestion: objectOf({
    acks: { type: "array", maxItems: 100_000, items: { type: "integer", minimum: 0 } },
  }),
  HecAcks: objectOf({
    acks: {
      type: "object",
      additionalProperties: { type: "boolean" },
      description: "By number: whether the events are committed. One that was read as true is " +
        "forgotten, and reads false from then on.",
    },
  }),
};

const CHANNEL: Parameter = {
  name: "X-Splunk-Request-Channel",
  in: "header",
  description: "A name for acknowledgements; `channel` in the query does the same.",
  schema: { type: "string", pattern: "^[\\w-]{1,128}$" },
  example: "a17",
};
const RAW_PARAMETERS: readonly Parameter[] = ["time", "host", "source", "sourcetype", "index"].map(
  (name) => ({
    name,
    in: "query",
    description: "What all lines of the request share.",
    schema: { type: "string", maxLength: 256 },
  }),
);

const ACCEPTED: PathText["accepted"] = {
  "200": jsonAnswer("Accepted.", schemaRef("HecAnswer"), { text: "Success", code: 0 }),
};
const EVENTS: PathText = {
  summary: "Send events (Splunk HEC)",
  description:
    "Objects one after the other, with or without space between, or arrays of them. The " +
    "media type is not looked at. A request with a bad event is refused whole.",
  parameters: [CHANNEL],
  body: {
    "application/json": {
      schema: {
        anyOf: [schemaRef("HecEvent"), { type: "array", items: schemaRef("HecEvent") }],
      },
      example: EVENT,
    },
  },
  accepted: ACCEPTED,
};
const RAW: PathText = {
  summary: "Send lines of text (Splunk HEC)",
  description: "Each line is an event. The media type is not looked at.",
  parameters: [CHANNEL, ...RAW_PARAMETERS],
  body: { "text/plain": { schema: text("Lines."), example: "disk full\n" } },
  accepted: ACCEPTED,
};
const HEALTH: PathText = {
  summary: "Ask whether events are taken (Splunk HEC)",
  body: null,
  accepted: {
    "200": jsonAnswer("They are.", schemaRef("HecAnswer"), { text: "HEC is healthy", code: 17 }),
    "503": jsonAnswer("Not at present.", schemaRef("HecAnswer"), {
      text: "HEC is unhealthy, queues are full",
      code: 18,
    }),
  },
};

const PATHS: Readonly<Record<string, PathText>> = {
  "/services/collector": EVENTS,
  "/services/collector/event": EVENTS,
  "/services/collector/event/1.0": EVENTS,
  "/services/collector/raw": RAW,
  "/services/collector/raw/1.0": RAW,
  "/services/collector/health": HEALTH,
  "/services/collector/health/1.0": HEALTH,
  "/services/collector/ack": {
    summary: "Ask which requests are committed (Splunk HEC)",
    description: "Not with `--synchronous normal`.",
    parameters: [CHANNEL],
    body: {
      "application/json": { schema: schemaRef("HecAcksQuestion"), example: { acks: [0, 1] } },
    },
    accepted: {
      "200": jsonAnswer("By number.", schemaRef("HecAcks"), { acks: { 0: true, 1: false } }),
      "400": jsonAnswer(
        "No channel, or none that can be; a body that does not ask; acknowledgements are off.",
        schemaRef("HecAnswer"),
        { text: "Data channel is missing", code: 10 },
      ),
    },
  },
};

/** What the document says of the Splunk HTTP Event Collector. */
export const SPLUNK_HEC_TEXT: ProtocolText = {
  tag: {
    name: "Splunk HEC",
    description:
      "The Splunk HTTP Event Collector, which Fluent Bit, Vector and Docker's log driver " +
      "speak too. Every answer has one of Splunk's codes.",
  },
  security: [{ splunkToken: [] }, { bearer: [] }, { splunkBasic: [] }, { tokenInQuery: [] }, {}],
  refuses: [
    "parameter",
    "empty-body",
    "malformed-json",
    "too-deep",
    "invalid-event",
    "event-too-large",
    "too-many-events",
  ],
  refusals: { "application/json": schemaRef("HecAnswer") },
  schemas: SCHEMAS,
  path: (path) => known(PATHS, path),
};
