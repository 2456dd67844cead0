/** What the document says of receipts. */

import { answers, OPEN } from "./answers.ts";
import { count, jsonAnswer, objectOf, type Part, schemaRef } from "./spec.ts";

/** What the document says of receipts. */
export const RECEIPTS: Part = {
  tag: {
    name: "Receipts",
    description:
      "The `Location` of an answer to `Prefer`: how far the events of a request have got. " +
      "A receipt is good for as long as the database exists, also after a crash.",
  },
  schemas: {
    Receipt: objectOf({
      status: {
        enum: ["pending", "committed", "dead_lettered"],
        description: "`pending` may still become one of the others.",
      },
      events: count("How many it is for."),
      dead_lettered: count("How many of them the database refused."),
    }),
  },
  paths: {
    "/receipts/{id}": {
      get: {
        operationId: "getReceipt",
        tags: ["Receipts"],
        summary: "Ask how far events have got",
        description:
          "No token is needed: the id holds a random number. 404 means that the events " +
          "are not stored and will not be: send them again.",
        security: OPEN,
        parameters: [{
          name: "id",
          in: "path",
          required: true,
          description: "As in `Location`.",
          schema: { type: "string" },
          example: "0123456789abcdef-17-1",
        }],
        responses: answers(
          {
            "200": jsonAnswer("How far.", schemaRef("Receipt"), {
              status: "committed",
              events: 1,
              dead_lettered: 0,
            }),
          },
          ["unknown-receipt"],
        ),
      },
    },
  },
};
