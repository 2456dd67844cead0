/** What the document says of CloudEvents over HTTP. */

import { known, type PathText, type ProtocolText } from "./ingest.ts";
import {
  count,
  jsonAnswer,
  objectOf,
  type Parameter,
  type Schema,
  schemaRef,
  text,
} from "./spec.ts";

const EVENT = {
  specversion: "1.0",
  id: "a-17",
  source: "/shop",
  type: "order.paid",
  time: "2026-11-24T11:03:40.123Z",
  datacontenttype: "application/json",
  data: { total: 17.5 },
};

const SCHEMAS: Readonly<Record<string, Schema>> = {
  CloudEvent: objectOf({
    specversion: { const: "1.0" },
    id: { type: "string", minLength: 1, description: "With `source`, the `event_id`." },
    source: { type: "string", format: "uri-reference", minLength: 1 },
    type: { type: "string", minLength: 1, description: "The `type` of the stored event." },
    subject: { type: "string", minLength: 1 },
    time: { type: "string", format: "date-time", description: "Without it, the time of receipt." },
    datacontenttype: text("A media type (RFC 2046)."),
    dataschema: { type: "string", format: "uri" },
    data: { description: "Any JSON." },
    data_base64: {
      type: "string",
      contentEncoding: "base64",
      description: "Data that is not JSON; not together with `data`.",
    },
  }, {
    optional: [
      ...["subject", "time", "datacontenttype", "dataschema", "data", "data_base64"],
    ],
    description: "An event in the JSON format (specification 1.0.2). Extension attributes are " +
      "named by lower-case letters and digits.",
  }),
  CloudEventsAnswer: objectOf({
    status: { const: "accepted" },
    stored: schemaRef("Level"),
    accepted: count("How many are or will be stored."),
    duplicates: count("How many were known already, by source and id."),
  }),
};

/** Attributes of an event in binary mode. */
const ATTRIBUTES: readonly Parameter[] = ["specversion", "id", "source", "type", "time"].map(
  (name) => ({
    name: `ce-${name}`,
    in: "header",
    description: `The attribute \`${name}\` of an event in binary mode.`,
    schema: { type: "string" },
  }),
);

const PATHS: Readonly<Record<string, PathText>> = {
  "/cloudevents": {
    summary: "Send CloudEvents",
    description:
      "Structured, batched, or binary: with `ce-` headers the body is the data, of any " +
      "media type. A request with a bad event is refused whole. `OPTIONS` with " +
      "`WebHook-Request-Origin` is answered as web hooks ask.",
    parameters: [...ATTRIBUTES, {
      name: "access_token",
      in: "query",
      description: "A token that may do no more than send.",
      schema: { type: "string" },
      example: "TOKEN",
    }],
    body: {
      "application/cloudevents+json": { schema: schemaRef("CloudEvent"), example: EVENT },
      "application/cloudevents-batch+json": {
        schema: { type: "array", items: schemaRef("CloudEvent") },
        example: [EVENT],
      },
      "*/*": { schema: { description: "The data of an event in binary mode." } },
    },
    accepted: {
      "202": jsonAnswer("Accepted.", schemaRef("CloudEventsAnswer"), {
        status: "accepted",
        stored: "committed",
        accepted: 1,
        duplicates: 0,
      }),
    },
  },
};

/** What the document says of CloudEvents over HTTP. */
export const CLOUDEVENTS_TEXT: ProtocolText = {
  tag: { name: "CloudEvents", description: "CloudEvents 1.0.2 over HTTP, in all three modes." },
  security: [{ bearer: [] }, { cloudEventsToken: [] }, {}],
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
