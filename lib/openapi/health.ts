/** What the document says of the paths that watch the collector, but for the figures themselves. */

import { answers, answersWithToken, OPEN, WITH_TOKEN } from "./answers.ts";
import { jsonAnswer, objectOf, type Part, schemaRef, text } from "./spec.ts";
import { STATS_SCHEMAS } from "./stats.ts";

const NAME = "Watching";

/** What the document says of the paths that watch the collector. */
export const HEALTH: Part = {
  tag: { name: NAME, description: "Whether it lives, whether it takes events, and its figures." },
  schemas: {
    ...STATS_SCHEMAS,
    Alive: objectOf({ status: { const: "alive" } }),
    Readiness: objectOf({
      status: { enum: ["ready", "not ready"] },
      reason: text("Why not; `ok` if it is."),
    }),
  },
  paths: {
    "/livez": {
      get: {
        operationId: "getLivez",
        tags: [NAME],
        summary: "Ask whether the process answers",
        security: OPEN,
        responses: answers({
          "200": jsonAnswer("It does.", schemaRef("Alive"), { status: "alive" }),
        }),
      },
    },
    "/readyz": {
      get: {
        operationId: "getReadyz",
        tags: [NAME],
        summary: "Ask whether events are taken",
        security: OPEN,
        responses: answers({
          "200": jsonAnswer("They are.", schemaRef("Readiness"), { status: "ready", reason: "ok" }),
          "503": jsonAnswer("It is stopping, or nothing can be stored.", schemaRef("Readiness"), {
            status: "not ready",
            reason: "stopping",
          }),
        }),
      },
    },
    "/stats": {
      get: {
        operationId: "getStats",
        tags: [NAME],
        summary: "Get counters, queue, latencies and sizes",
        description: "At every instant `received = accepted + rejected + duplicates` and " +
          "`accepted + recovered = committed + dead_lettered + dropped + queued + in_flight + " +
          "journaled`; `residual` is what they are off by. Needs the scope `read`.",
        security: WITH_TOKEN,
        responses: answersWithToken({ "200": jsonAnswer("As of now.", schemaRef("Stats")) }),
      },
    },
    "/metrics": {
      get: {
        operationId: "getMetrics",
        tags: [NAME],
        summary: "Get the same for Prometheus",
        description: "Needs the scope `read`.",
        security: WITH_TOKEN,
        responses: answersWithToken({
          "200": {
            description: "Prometheus' text format.",
            content: { "text/plain": { schema: { type: "string" } } },
          },
        }),
      },
    },
  },
};
