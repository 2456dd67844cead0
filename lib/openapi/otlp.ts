/** What the document says of OTLP/HTTP for logs. */

import { known, type PathText, type ProtocolText } from "./ingest.ts";
import { objectOf, type Schema, schemaRef, text } from "./spec.ts";

const REQUEST = {
  resourceLogs: [{
    resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
    scopeLogs: [{
      scope: { name: "checkout" },
      logRecords: [{
        timeUnixNano: "1795518220123000000",
        severityText: "INFO",
        eventName: "order.paid",
        body: { stringValue: "order 17 was paid" },
        attributes: [{ key: "user.id", value: { stringValue: "u1" } }],
      }],
    }],
  }],
};

const NANOSECONDS: Schema = {
  type: ["string", "integer"],
  description: "Nanoseconds since the Unix epoch.",
};
const SCHEMAS: Readonly<Record<string, Schema>> = {
  OtlpLogsRequest: objectOf({
    resourceLogs: { type: "array", items: schemaRef("OtlpResourceLogs") },
  }, { optional: ["resourceLogs"], description: "An `ExportLogsServiceRequest` in JSON." }),
  OtlpResourceLogs: objectOf({
    resource: { type: "object" },
    scopeLogs: {
      type: "array",
      items: objectOf({
        scope: { type: "object" },
        logRecords: { type: "array", items: schemaRef("OtlpLogRecord") },
      }, { optional: ["scope", "logRecords"] }),
    },
  }, { optional: ["resource", "scopeLogs"] }),
  OtlpLogRecord: objectOf({
    timeUnixNano: NANOSECONDS,
    observedTimeUnixNano: NANOSECONDS,
    eventName: text("The `type` of the stored event."),
    severityText: { type: "string" },
    body: { type: "object" },
    attributes: {
      type: "array",
      items: { type: "object" },
      description: "`user.id` or `enduser.id` is the `actor` of the stored event, " +
        "`log.record.uid` its `event_id`.",
    },
    traceId: text("Hexadecimal digits."),
    spanId: text("Hexadecimal digits."),
  }, {
    optional: [
      ...["timeUnixNano", "observedTimeUnixNano", "eventName", "severityText", "body"],
      ...["attributes", "traceId", "spanId"],
    ],
  }),
  OtlpLogsAnswer: objectOf({
    partialSuccess: objectOf({
      rejectedLogRecords: text("How many became dead letters, in decimal."),
      errorMessage: text("Why the first did."),
    }),
  }, {
    optional: ["partialSuccess"],
    description: "An `ExportLogsServiceResponse` in JSON; empty if all records were accepted.",
  }),
  OtlpRefusal: objectOf({
    code: { type: "integer", description: "A code of gRPC." },
    message: text("What was wrong and what was expected."),
  }, { description: "A `google.rpc.Status` in JSON." }),
};

const PROTOBUF: Schema = { description: "The message of this name, in protobuf." };

const PATHS: Readonly<Record<string, PathText>> = {
  "/v1/logs": {
    summary: "Send log records (OpenTelemetry)",
    description:
      "Each log record is an event. It is stored with its resource and its scope, as a " +
      "`ResourceLogs` in JSON.",
    body: {
      "application/json": { schema: schemaRef("OtlpLogsRequest"), example: REQUEST },
      "application/x-protobuf": { schema: PROTOBUF },
    },
    accepted: {
      "200": {
        description: "Accepted; bad records became dead letters.",
        content: {
          "application/json": { schema: schemaRef("OtlpLogsAnswer"), example: {} },
          "application/x-protobuf": { schema: PROTOBUF },
        },
      },
    },
  },
};

/** What the document says of OTLP/HTTP for logs. */
export const OTLP_TEXT: ProtocolText = {
  tag: {
    name: "OpenTelemetry logs",
    description:
      "OTLP/HTTP for logs, in JSON and in protobuf; answers are in the encoding of the " +
      "request. No traces, no metrics.",
  },
  security: [{ bearer: [] }, { otlpApiKey: [] }, {}],
  refuses: ["empty-body", "malformed-json", "too-deep", "invalid-event", "too-many-events"],
  refusals: {
    "application/json": schemaRef("OtlpRefusal"),
    "application/x-protobuf": PROTOBUF,
  },
  schemas: SCHEMAS,
  path: (path) => known(PATHS, path),
};
