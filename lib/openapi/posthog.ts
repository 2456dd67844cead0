/** What the document says of PostHog's capture API. */

import { known, type PathText, type ProtocolText } from "./ingest.ts";
import { jsonAnswer, objectOf, type Schema, schemaRef, text } from "./spec.ts";

const EVENT = {
  event: "signed up",
  distinct_id: "u1",
  properties: { plan: "free" },
  uuid: "0193c0c0-7d1f-7c7a-9d51-2f1f7f3b9a10",
  timestamp: "2026-11-24T11:03:40.123Z",
};
const BATCH = { api_key: "TOKEN", sent_at: "2026-11-24T11:03:41.000Z", batch: [EVENT] };

const SCHEMAS: Readonly<Record<string, Schema>> = {
  PosthogEvent: objectOf({
    event: text("Name of what happened: the `type` of the stored event."),
    distinct_id: {
      type: ["string", "number"],
      description: "The `actor` of the stored event; it may be in the properties instead.",
    },
    properties: { type: "object" },
    uuid: { type: "string", maxLength: 1024, description: "The `event_id` of the stored event." },
    timestamp: text("RFC 3339; corrected by `sent_at`. Without it, the time of receipt."),
    api_key: text("A token."),
  }, { optional: ["distinct_id", "properties", "uuid", "timestamp", "api_key"] }),
  PosthogBatch: objectOf({
    api_key: text("A token."),
    batch: { type: "array", items: schemaRef("PosthogEvent") },
    sent_at: text("When it was sent, by the clock of the client."),
  }, { optional: ["api_key", "sent_at"] }),
  PosthogSuccess: objectOf({ status: { const: "Ok" } }),
  PosthogRefusal: objectOf({
    type: { enum: ["server_error", "authentication_error", "validation_error"] },
    code: schemaRef("RefusalCode"),
    detail: text("What was wrong and what was expected."),
  }),
};

const ANY: Schema = {
  anyOf: [
    schemaRef("PosthogBatch"),
    schemaRef("PosthogEvent"),
    { type: "array", items: schemaRef("PosthogEvent") },
  ],
};
const FORM: Schema = objectOf({ data: text("The JSON, or base64 of it.") });

function pathText(summary: string, example: unknown): PathText {
  const json = JSON.stringify(example);
  return {
    summary,
    body: {
      "application/json": { schema: ANY, example },
      "text/plain": { schema: text("The same, in JSON, also as gzip by itself."), example: json },
      "application/x-www-form-urlencoded": { schema: FORM, example: { data: json } },
    },
    accepted: {
      "200": jsonAnswer("Accepted; bad events became dead letters.", schemaRef("PosthogSuccess"), {
        status: "Ok",
      }),
    },
  };
}

const PATHS: Readonly<Record<string, PathText>> = {
  "/batch": pathText("Send a batch of events (PostHog)", BATCH),
  "/capture": pathText("Send one event, or many (PostHog)", { api_key: "TOKEN", ...EVENT }),
  "/e": pathText("Send events as posthog-js does", BATCH),
  "/i/v0/e": pathText("Send events as newer clients do (PostHog)", BATCH),
};

/** What the document says of PostHog's capture API. */
export const POSTHOG_TEXT: ProtocolText = {
  tag: {
    name: "PostHog",
    description: "The capture API of PostHog, events only. The project's key is a token: in the " +
      "body, as `api_key` or `token`, or as a bearer token. The media type is not looked at.",
  },
  security: [{ bearer: [] }, {}],
  refuses: ["empty-body", "malformed-json", "too-deep", "invalid-event", "too-many-events"],
  refusals: { "application/json": schemaRef("PosthogRefusal") },
  schemas: SCHEMAS,
  path: (path) => known(PATHS, path),
};
