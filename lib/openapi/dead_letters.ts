/** What the document says of dead letters. */

import type { RefusalCode } from "../errors.ts";
import { answersWithToken, WITH_TOKEN } from "./answers.ts";
import {
  count,
  instant,
  jsonAnswer,
  objectOf,
  type Operation,
  orNull,
  type Parameter,
  type Part,
  type Schema,
  schemaRef,
  text,
} from "./spec.ts";

const NAME = "Dead letters";

const SCHEMAS: Readonly<Record<string, Schema>> = {
  DeadLetter: objectOf({
    id: count("Its number."),
    received_at: instant("When it came."),
    source: text("Token or protocol it came through."),
    protocol: text("Which decoder reads it, perhaps with a parameter."),
    reason: text("Why it can not be stored."),
    raw: text("The event as it was sent."),
  }),
  DeadLetters: objectOf({
    dead_letters: { type: "array", items: schemaRef("DeadLetter") },
    next: orNull({
      type: "integer",
      description: "The `after` of the next page; null if this one is empty.",
    }),
  }),
  Removed: objectOf({ removed: count("How many.") }),
  Replayed: objectOf({
    status: {
      enum: ["replayed", "dead_lettered"],
      description: "`dead_lettered`: the database refused it again; another letter says why.",
    },
    stored: schemaRef("Level"),
    duplicates: count("1 if it was stored before."),
    removed: { type: "boolean", description: "Whether the letter is gone." },
  }),
};

const LETTER = {
  id: 7,
  received_at: "2026-11-24T11:03:40.123Z",
  source: "web",
  protocol: "segment",
  reason: "/event: Expected the name of the tracked event, a string.",
  raw: '{"type":"track","userId":"u1"}',
};
const ID: Parameter = {
  name: "id",
  in: "path",
  required: true,
  description: "Number of the letter.",
  schema: { type: "integer", minimum: 0 },
  example: 7,
};
const AFTER: Parameter = {
  name: "after",
  in: "query",
  description: "Those with a greater number.",
  schema: { type: "integer", minimum: 0, default: 0 },
};
const LIMIT: Parameter = {
  name: "limit",
  in: "query",
  description: "At most so many.",
  schema: { type: "integer", minimum: 1, maximum: 1000, default: 100 },
};

function operation(
  operationId: string,
  summary: string,
  rest: Pick<Operation, "description" | "parameters" | "requestBody"> & {
    readonly good: Parameters<typeof answersWithToken>[0];
    readonly refuses?: readonly RefusalCode[];
  },
): Operation {
  const { good, refuses = [], ...own } = rest;
  return {
    operationId,
    tags: [NAME],
    summary,
    ...own,
    security: WITH_TOKEN,
    responses: answersWithToken(good, ["store-failing", ...refuses]),
  };
}

const REPLAY_REFUSES: readonly RefusalCode[] = [
  "unknown-dead-letter",
  ...["body-incomplete", "body-timeout", "body-too-large", "too-many-bodies"] as const,
  ...["invalid-utf8", "empty-body", "malformed-json", "too-deep", "invalid-event"] as const,
  ...["event-too-large", "too-many-events", "parameter", "queue-full", "draining"] as const,
  "unconfirmed",
];

/** What the document says of dead letters. */
export const DEAD_LETTERS: Part = {
  tag: {
    name: NAME,
    description:
      "Events that can not be stored, with the reason and their text as sent. Looking at " +
      "them needs the scope `read`, everything else `admin`.",
  },
  schemas: SCHEMAS,
  paths: {
    "/dead-letters": {
      get: operation("getDeadLetters", "List dead letters", {
        description: "A page may be shorter than its limit; an empty one is the last.",
        parameters: [AFTER, LIMIT],
        good: {
          "200": jsonAnswer("The oldest first.", schemaRef("DeadLetters"), {
            dead_letters: [LETTER],
            next: 7,
          }),
        },
        refuses: ["parameter"],
      }),
      delete: operation("deleteDeadLetters", "Throw dead letters away", {
        parameters: [{
          name: "through",
          in: "query",
          required: true,
          description: "This one and all before it.",
          schema: { type: "integer", minimum: 0 },
        }],
        good: { "200": jsonAnswer("They are gone.", schemaRef("Removed"), { removed: 7 }) },
        refuses: ["parameter"],
      }),
    },
    "/dead-letters/export": {
      get: operation("exportDeadLetters", "Download all dead letters", {
        good: {
          "200": {
            description: "One a line. It breaks off if the database can not be asked on the way.",
            content: {
              "application/x-ndjson": {
                schema: text("Each line is a `DeadLetter`."),
                example: `${JSON.stringify(LETTER)}\n`,
              },
            },
          },
        },
      }),
    },
    "/dead-letters/{id}": {
      get: operation("getDeadLetter", "Look at a dead letter", {
        parameters: [ID],
        good: { "200": jsonAnswer("The letter.", schemaRef("DeadLetter"), LETTER) },
        refuses: ["unknown-dead-letter"],
      }),
      delete: operation("deleteDeadLetter", "Throw a dead letter away", {
        parameters: [ID],
        good: { "200": jsonAnswer("It is gone.", schemaRef("Removed"), { removed: 1 }) },
        refuses: ["unknown-dead-letter"],
      }),
    },
    "/dead-letters/{id}/replay": {
      post: operation("replayDeadLetter", "Send a dead letter again", {
        description: "As it was, or with the text in the body in its place. It is stored once, " +
          "however often it is tried within 24 hours.",
        parameters: [ID],
        requestBody: {
          required: false,
          description: "The mended text; none to send it as it was.",
          content: { "*/*": { schema: { type: "string" } } },
        },
        good: {
          "200": jsonAnswer("It was taken.", schemaRef("Replayed"), {
            status: "replayed",
            stored: "committed",
            duplicates: 0,
            removed: true,
          }),
        },
        refuses: REPLAY_REFUSES,
      }),
    },
  },
};
