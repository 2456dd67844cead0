/** What the document says of Tinybird's Events API. */

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

const ROW = { timestamp: "2026-11-24T11:03:40Z", page: "/" };

const SCHEMAS: Readonly<Record<string, Schema>> = {
  TinybirdAnswer: objectOf({
    successful_rows: count("How many are or will be stored."),
    quarantined_rows: count("How many became dead letters."),
  }),
  TinybirdRefusal: objectOf({ error: text("What was wrong and what was expected.") }),
};

const PARAMETERS: readonly Parameter[] = [
  {
    name: "name",
    in: "query",
    required: true,
    description: "The data source: the `type` of the stored events.",
    schema: { type: "string", pattern: "^[A-Za-z_]\\w{0,127}$" },
    example: "clicks",
  },
  {
    name: "format",
    in: "query",
    description: "One object a line, or one alone.",
    schema: { enum: ["ndjson", "json"], default: "ndjson" },
  },
  {
    name: "wait",
    in: "query",
    description: "`true`: 200 once the rows are committed, or 202 after 10 seconds.",
    schema: { enum: ["true", "false"], default: "false" },
  },
  {
    name: "token",
    in: "query",
    description: "A token that may do no more than send.",
    schema: { type: "string" },
    example: "TOKEN",
  },
];

const PATHS: Readonly<Record<string, PathText>> = {
  "/v0/events": {
    summary: "Send rows of a data source (Tinybird)",
    description: "A row's `timestamp` is kept if it is RFC 3339, otherwise it is the time of " +
      "receipt. All its columns are stored.",
    parameters: PARAMETERS,
    body: {
      "application/x-ndjson": {
        schema: text("One object a line."),
        example: `${JSON.stringify(ROW)}\n`,
      },
      "application/json": {
        schema: { type: "object", description: "With `format=json`." },
        example: ROW,
      },
    },
    accepted: {
      "200": jsonAnswer("Committed, as `wait=true` asked for.", schemaRef("TinybirdAnswer"), {
        successful_rows: 1,
        quarantined_rows: 0,
      }),
      "202": jsonAnswer("Accepted.", schemaRef("TinybirdAnswer"), {
        successful_rows: 1,
        quarantined_rows: 0,
      }),
    },
  },
};

/** What the document says of Tinybird's Events API. */
export const TINYBIRD_TEXT: ProtocolText = {
  tag: {
    name: "Tinybird",
    description: "The Events API of Tinybird. The media type is not looked at.",
  },
  security: [{ bearer: [] }, { tokenInQuery: [] }, {}],
  refuses: ["parameter", "empty-body", "malformed-json", "too-deep", "too-many-events"],
  refusals: { "application/json": schemaRef("TinybirdRefusal") },
  schemas: SCHEMAS,
  path: (path) => known(PATHS, path),
};
