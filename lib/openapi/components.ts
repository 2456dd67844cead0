/** What the parts of the document share. */

import type { RefusalCode } from "../errors.ts";
import { REFUSALS } from "../refusals.ts";
import { FILTER_PARAMETERS } from "./filters.ts";
import { ANYWHERE, problems } from "./refusals.ts";
import { objectOf, type OpenApiDocument, type Schema, schemaRef, text } from "./spec.ts";

/** Schemas that more than one part names. */
export const SHARED_SCHEMAS: Readonly<Record<string, Schema>> = {
  RefusalCode: {
    enum: Object.keys(REFUSALS) as RefusalCode[],
    description: "Why a request was refused; stable.",
  },
  EventProblem: objectOf({
    index: { type: "integer", minimum: 0, description: "Position in a JSON array." },
    line: { type: "integer", minimum: 1, description: "Line of an NDJSON body." },
    pointer: text("JSON Pointer (RFC 6901) into the event."),
    code: text("Name of the problem; stable."),
    detail: text("What was expected."),
  }, { optional: ["index", "line"] }),
  Problem: objectOf({
    type: text("Such as `/problems/queue-full`; can be followed."),
    title: text("In a few words, the same for every occurrence."),
    status: { type: "integer" },
    detail: text("What was wrong and what was expected."),
    instance: text("Such as `/requests/k7Qd2`: the `X-Request-Id`, which the log has too."),
    stored: {
      enum: ["none", "unknown"],
      description: "`none`: nothing of the request is or will be stored.",
    },
    retryable: { type: "boolean", description: "Whether the same may succeed later." },
    errors: {
      type: "array",
      items: schemaRef("EventProblem"),
      description: "What is wrong with the events: the first 20 problems.",
    },
    errors_total: { type: "integer", minimum: 0, description: "How many there are." },
  }, {
    optional: ["instance", "errors", "errors_total"],
    description: "A refusal (RFC 9457).",
  }),
};

/** All other components. */
export const COMPONENTS: Omit<OpenApiDocument["components"], "schemas"> = {
  responses: {
    Refused: {
      description: "A request to any path may be refused so: " +
        ANYWHERE.map((code) => `${REFUSALS[code].title} (${REFUSALS[code].status}, \`${code}\`)`)
          .join("; ") +
        ".",
      content: problems(["misdirected"])["421"]?.content ?? {},
    },
  },
  parameters: {
    ContentEncoding: {
      name: "Content-Encoding",
      in: "header",
      description: "How the body is compressed.",
      schema: { enum: ["gzip", "deflate", "br", "zstd"] },
    },
    Token: {
      name: "token",
      in: "query",
      description: "A token that may do no more than send, for `navigator.sendBeacon`.",
      schema: { type: "string" },
      example: "TOKEN",
    },
    ...FILTER_PARAMETERS,
  },
  headers: {
    "Accept-Encoding": {
      description: "Which compressions are understood, if it was one that is not.",
      schema: { type: "string" },
    },
    "Accept-Post": {
      description: "Which media types are understood, if it was one that is not.",
      schema: { type: "string" },
    },
    "Retry-After": {
      description: "After how many seconds to send it again.",
      schema: { type: "string", pattern: "^\\d+$" },
    },
    "WWW-Authenticate": { description: "How to send a token.", schema: { type: "string" } },
    "X-Request-Id": {
      description: "Names the request, here and in the log; as sent by the client, or made here.",
      schema: { type: "string" },
    },
  },
  securitySchemes: {
    bearer: { type: "http", scheme: "bearer", description: "A token of `firehouse token create`." },
    tokenInQuery: {
      type: "apiKey",
      in: "query",
      name: "token",
      description: "Only one that may do no more than send.",
    },
    segmentWriteKey: {
      type: "http",
      scheme: "basic",
      description: "The token as user, without a password.",
    },
    otlpApiKey: { type: "apiKey", in: "header", name: "x-api-key", description: "The token." },
    cloudEventsToken: {
      type: "apiKey",
      in: "query",
      name: "access_token",
      description: "Only a token that may do no more than send.",
    },
    splunkToken: {
      type: "apiKey",
      in: "header",
      name: "Authorization",
      description: "`Splunk TOKEN`.",
    },
    splunkBasic: {
      type: "http",
      scheme: "basic",
      description: "The token as password; any user.",
    },
  },
};
