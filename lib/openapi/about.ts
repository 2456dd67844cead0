/** What the document says of the paths that tell about the collector itself. */

import { answers, OPEN } from "./answers.ts";
import { jsonAnswer, objectOf, type Part, type Schema, schemaRef, text } from "./spec.ts";

const SCHEMAS: Readonly<Record<string, Schema>> = {
  Index: objectOf({
    name: { const: "Firehouse Collector" },
    send: {
      type: "object",
      additionalProperties: { type: "string" },
      description: "Where events may be sent, and as what.",
    },
    read: {
      type: "object",
      additionalProperties: { type: "string" },
      description: "What may be asked.",
    },
  }),
  ProblemKind: objectOf({
    type: text("Such as `/problems/queue-full`."),
    status: { type: "integer", description: "Its HTTP status; protocols may have another for it." },
    title: text("In a few words."),
    retryable: { type: "boolean", description: "Whether the same may succeed later." },
    advice: text("What the sender can do about it."),
  }),
};

/** What the document says of the paths that tell about the collector itself. */
export const ABOUT: Part = {
  tag: { name: "About", description: "What is served here, and what refusals mean." },
  schemas: SCHEMAS,
  paths: {
    "/": {
      get: {
        operationId: "getIndex",
        tags: ["About"],
        summary: "See what is served",
        description: "With `Accept: text/html`, as browsers send it, this is the dashboard.",
        security: OPEN,
        responses: answers({
          "200": {
            description: "Paths, or the dashboard.",
            content: {
              "application/json": { schema: schemaRef("Index") },
              "text/html": { schema: { type: "string" } },
            },
          },
        }),
      },
    },
    "/dashboard/{name}": {
      get: {
        operationId: "getDashboardFile",
        tags: ["About"],
        summary: "Get a file of the dashboard",
        description: "The files hold no data, so no token is needed.",
        security: OPEN,
        parameters: [{
          name: "name",
          in: "path",
          required: true,
          description: "Name of the file.",
          schema: { type: "string" },
          example: "app.js",
        }],
        responses: answers({
          "200": {
            description: "The file.",
            content: {
              "text/html": { schema: { type: "string" } },
              "text/javascript": { schema: { type: "string" } },
              "text/css": { schema: { type: "string" } },
              "image/svg+xml": { schema: { type: "string" } },
            },
          },
          "304": { description: "The file is as `If-None-Match` has it." },
        }, ["not-found"]),
      },
    },
    "/openapi.json": {
      get: {
        operationId: "getOpenApi",
        tags: ["About"],
        summary: "Get this document",
        security: OPEN,
        responses: answers({
          "200": jsonAnswer("OpenAPI 3.1.", { type: "object" }),
          "304": { description: "It is as `If-None-Match` has it." },
        }),
      },
    },
    "/reference": {
      get: {
        operationId: "getReference",
        tags: ["About"],
        summary: "Read this document as a page",
        security: OPEN,
        responses: answers({
          "200": { description: "HTML.", content: { "text/html": { schema: { type: "string" } } } },
          "304": { description: "It is as `If-None-Match` has it." },
        }),
      },
    },
    "/reference/style.css": {
      get: {
        operationId: "getReferenceStyle",
        tags: ["About"],
        summary: "Get the style of that page",
        security: OPEN,
        responses: answers({
          "200": { description: "CSS.", content: { "text/css": { schema: { type: "string" } } } },
          "304": { description: "It is as `If-None-Match` has it." },
        }),
      },
    },
    "/problems/{code}": {
      get: {
        operationId: "getProblem",
        tags: ["About"],
        summary: "Look up what a refusal means",
        security: OPEN,
        parameters: [{
          name: "code",
          in: "path",
          required: true,
          description: "The last part of the problem's `type`.",
          schema: schemaRef("RefusalCode"),
          example: "queue-full",
        }],
        responses: answers(
          { "200": jsonAnswer("What it means.", schemaRef("ProblemKind")) },
          ["not-found"],
        ),
      },
    },
  },
};
