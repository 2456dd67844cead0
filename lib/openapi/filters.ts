/** What the document says of the filters that all questions about events share. */

import { type Parameter, parameterRef, type Ref } from "./spec.ts";

const TIME = "RFC 3339, or a date, which is its midnight in UTC, or Unix epoch in ms.";

/** The filters, by the names under which they are kept. */
export const FILTER_PARAMETERS: Readonly<Record<string, Parameter>> = {
  From: {
    name: "from",
    in: "query",
    description: `Received then or later. ${TIME}`,
    schema: { type: "string" },
    example: "2026-11-24",
  },
  To: {
    name: "to",
    in: "query",
    description: `Received before. ${TIME}`,
    schema: { type: "string" },
    example: "2026-11-25T00:00:00Z",
  },
  UserId: {
    name: "user_id",
    in: "query",
    description: "The user: the integer of the native protocol, or the `actor` of another.",
    schema: { type: "string" },
    example: "42",
  },
  Type: {
    name: "type",
    in: "query",
    description: "Name of the event.",
    schema: { type: "string" },
    example: "checkout",
  },
  Source: {
    name: "source",
    in: "query",
    description: "Token or protocol it came through.",
    schema: { type: "string" },
    example: "web",
  },
  EventId: {
    name: "event_id",
    in: "query",
    description: "The producer's id.",
    schema: { type: "string" },
    example: "o17",
  },
  Where: {
    name: "where",
    in: "query",
    style: "deepObject",
    description:
      "Members of `metadata`, each as `where[a.b.0.c]=value`, at most 8: the names and " +
      "array positions on the way to it, and what it is.",
    schema: { type: "object", maxProperties: 8, additionalProperties: { type: "string" } },
    example: { "cart.items.0.sku": "A-17" },
  },
};

/** All of them, for an operation. */
export const FILTERS: readonly Ref[] = Object.keys(FILTER_PARAMETERS).map(parameterRef);
