/** What the document says of the questions about stored events. */

import type { RefusalCode } from "../errors.ts";
import { answersWithToken, WITH_TOKEN } from "./answers.ts";
import { BY, EVENT, EVENT_SCHEMAS } from "./event_schemas.ts";
import { FILTERS } from "./filters.ts";
import {
  jsonAnswer,
  type Operation,
  type Parameter,
  type Part,
  type Ref,
  type ResponseSpec,
  type Schema,
  schemaRef,
  text,
} from "./spec.ts";

const NAME = "Read events";
function parameter(name: string, description: string, schema: Schema): Parameter {
  return { name, in: "query", description, schema };
}

function limit(max: number, byDefault: number): Parameter {
  const schema = { type: "integer", minimum: 1, maximum: max, default: byDefault };
  return parameter("limit", "At most so many.", schema);
}

interface Own {
  readonly description?: string;
  readonly parameters: readonly (Parameter | Ref)[];
  readonly good: Readonly<Record<string, ResponseSpec>>;
  readonly refuses?: readonly RefusalCode[];
}

function operation(operationId: string, summary: string, own: Own): Operation {
  const { description, parameters, good, refuses = [] } = own;
  return {
    operationId,
    tags: [NAME],
    summary,
    ...description === undefined ? {} : { description },
    parameters,
    security: WITH_TOKEN,
    responses: answersWithToken(good, ["parameter", "unreadable", "overloaded", ...refuses]),
  };
}

const EVENTS = operation("getEvents", "List events", {
  description: "Newest first, page by page. A page may be cut by the time budget (`complete` is " +
    "false): go on with `next`.",
  parameters: [
    ...FILTERS,
    parameter("after", "The `next` of the page before.", { type: "string" }),
    limit(1000, 100),
    parameter("order", "Newest or oldest first.", { enum: ["desc", "asc"], default: "desc" }),
    parameter("format", "`ndjson` as `Accept: application/x-ndjson`: one event a line.", {
      enum: ["json", "ndjson"],
      default: "json",
    }),
  ],
  good: {
    "200": {
      description: "A page.",
      headers: {
        "Link": {
          description: 'For NDJSON: the next page, `rel="next"`.',
          schema: { type: "string" },
        },
      },
      content: {
        "application/json": {
          schema: schemaRef("Events"),
          example: { events: [EVENT], next: null, complete: true },
        },
        "application/x-ndjson": {
          schema: text("Each line is an `Event`."),
          example: `${JSON.stringify(EVENT)}\n`,
        },
      },
    },
  },
});

const ONE = operation("getEvent", "Get one event", {
  parameters: [{
    name: "id",
    in: "path",
    required: true,
    description: "Its number.",
    schema: { type: "integer", minimum: 1 },
    example: 1,
  }],
  good: { "200": jsonAnswer("The event.", schemaRef("Event"), EVENT) },
  refuses: ["unknown-event"],
});

const SERIES = operation("getSeries", "Count events by time", {
  description:
    "Of the last hour, if `from` and `to` do not say otherwise; widened to whole intervals, " +
    "2,000 at most.",
  parameters: [
    ...FILTERS,
    parameter("interval", "Length of an interval; default: about 60 intervals.", {
      enum: ["1s", "10s", "1m", "5m", "15m", "1h", "6h", "1d"],
    }),
    parameter("by", "One line for each value; without it, one line.", BY),
    limit(50, 10),
  ],
  good: {
    "200": jsonAnswer("Counts.", schemaRef("Series"), {
      from: "2026-11-24T11:00:00.000Z",
      to: "2026-11-24T11:02:00.000Z",
      interval_ms: 60_000,
      starts: [1795518000000, 1795518060000],
      series: [{ value: "checkout", total: 5, counts: [2, 3] }],
      others: null,
      complete: true,
      counted_from: "2026-11-24T11:00:00.000Z",
    }),
  },
});

const TOP = operation("getTop", "Count events by value", {
  parameters: [
    parameter("by", "The values of what.", { ...BY, default: "type" }),
    limit(100, 10),
    ...FILTERS,
  ],
  good: {
    "200": jsonAnswer("The most frequent first.", schemaRef("Top"), {
      by: "type",
      values: [{ value: "checkout", count: 5 }],
      others: 0,
      complete: true,
      counted_from: null,
    }),
  },
});

const EXPORT = operation("exportEvents", "Download events", {
  description: "Oldest first, as an attachment of any size. To resume, give the id of the last " +
    "whole row you have as `after_id`.",
  parameters: [
    parameter("format", "How they are written.", {
      enum: ["ndjson", "csv", "parquet"],
      default: "ndjson",
    }),
    parameter("after_id", "Those with a greater id.", { type: "integer", minimum: 0 }),
    ...FILTERS,
  ],
  good: {
    "200": {
      description: "A stream. It breaks off if the database can not be read any more.",
      content: {
        "application/x-ndjson": { schema: text("Each line is an `Event`.") },
        "text/csv": { schema: { type: "string" } },
        "application/vnd.apache.parquet": { schema: {} },
      },
    },
  },
});

const TAIL = operation("tailEvents", "Follow events as they are committed", {
  description: "Server-sent events: unnamed ones with `id` and an `Event` as `data`; `gap` with " +
    '`{"skipped":n}` when more came than is shown, at most 1,000 a second; `end` with ' +
    '`{"reason":"…"}` before the collector closes it. A comment comes every 15 s.',
  parameters: [
    ...FILTERS,
    parameter("last", "Begin with the newest so many.", {
      type: "integer",
      minimum: 0,
      maximum: 1000,
    }),
    parameter("last_event_id", "Begin after this id.", { type: "integer", minimum: 0 }),
    {
      name: "Last-Event-ID",
      in: "header",
      description: "The same, as browsers send it.",
      schema: { type: "integer", minimum: 0 },
    },
  ],
  good: {
    "200": {
      description: "A stream without an end.",
      content: {
        "text/event-stream": {
          schema: { type: "string" },
          example: `id: 1\ndata: ${JSON.stringify(EVENT)}\n\n`,
        },
      },
    },
  },
  refuses: ["too-many-tails"],
});

/** What the document says of the questions about stored events. */
export const READ: Part = {
  tag: { name: NAME, description: "What was stored. Needs the scope `read`." },
  schemas: EVENT_SCHEMAS,
  paths: {
    "/events": { get: EVENTS },
    "/events/{id}": { get: ONE },
    "/series": { get: SERIES },
    "/top": { get: TOP },
    "/export": { get: EXPORT },
    "/tail": { get: TAIL },
  },
};
