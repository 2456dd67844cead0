/** What the document says of Segment's HTTP tracking API. */

import type { PathText, ProtocolText } from "./ingest.ts";
import { jsonAnswer, objectOf, type Schema, schemaRef, text } from "./spec.ts";

const CALL = {
  type: "track",
  userId: "u1",
  event: "Signed up",
  properties: { plan: "free" },
  messageId: "m-17",
  timestamp: "2026-11-24T11:03:40.123Z",
};

const CALL_SCHEMA: Schema = objectOf({
  type: {
    type: "string",
    description:
      "`track`, `identify`, `page`, `screen`, `group` or `alias`; each of a batch needs " +
      "it, a call alone only if its path does not say it.",
  },
  event: text("Name of what happened, for `track`: the `type` of the stored event."),
  properties: { type: "object", description: "Of what happened." },
  traits: { type: "object", description: "Of the user or the group, for `identify` and `group`." },
  userId: { type: ["string", "number"], description: "The `actor` of the stored event." },
  anonymousId: { type: ["string", "number"], description: "The same, if there is no `userId`." },
  messageId: {
    type: "string",
    maxLength: 1024,
    description: "The `event_id` of the stored event.",
  },
  timestamp: {
    type: "string",
    description: "RFC 3339. Corrected by `sentAt` if the client's clock is wrong by 5 minutes or " +
      "more. Without it, the time of receipt.",
  },
  sentAt: text("When it was sent, by the clock of the client."),
  writeKey: text("A token, where browsers can not send a header."),
}, {
  optional: [
    ...[
      "type",
      "event",
      "properties",
      "traits",
      "userId",
      "anonymousId",
      "messageId",
      "timestamp",
      "sentAt",
      "writeKey",
    ],
  ],
  description: "A call as Segment's clients send it; all its members are stored.",
});

const SCHEMAS: Readonly<Record<string, Schema>> = {
  SegmentCall: CALL_SCHEMA,
  SegmentBatch: objectOf({
    batch: { type: "array", items: schemaRef("SegmentCall") },
    context: { type: "object", description: "Stored with each call that lacks its members." },
    sentAt: text("When it was sent, by the clock of the client."),
    writeKey: text("A token, where browsers can not send a header."),
  }, { optional: ["context", "sentAt", "writeKey"] }),
  SegmentSuccess: objectOf({ success: { const: true } }),
  SegmentRefusal: objectOf({
    success: { const: false },
    error: text("What was wrong and what was expected."),
    code: schemaRef("RefusalCode"),
  }),
};

const ACCEPTED: PathText["accepted"] = {
  "200": jsonAnswer(
    "Accepted; bad calls of a batch became dead letters.",
    schemaRef("SegmentSuccess"),
    { success: true },
  ),
};

const LETTERS: Readonly<Record<string, string>> = {
  t: "track",
  i: "identify",
  p: "page",
  s: "screen",
  g: "group",
  a: "alias",
};

function pathText(path: string): PathText {
  const name = path.slice("/v1/".length);
  if (["batch", "b", "import"].includes(name)) {
    const media = { schema: schemaRef("SegmentBatch"), example: { batch: [CALL] } };
    return {
      summary: "Send a batch of calls (Segment)",
      body: { "application/json": media, "text/plain": textOf(media.example) },
      accepted: ACCEPTED,
    };
  }
  const call = LETTERS[name] ?? name;
  const example = call === "track" ? CALL : { userId: "u1", messageId: "m-17" };
  return {
    summary: `Send one ${call} call (Segment)`,
    body: {
      "application/json": { schema: schemaRef("SegmentCall"), example },
      "text/plain": textOf(example),
    },
    accepted: ACCEPTED,
  };
}

function textOf(example: unknown) {
  return { schema: text("The same, as browsers send it."), example: JSON.stringify(example) };
}

/** What the document says of Segment's HTTP tracking API. */
export const SEGMENT_TEXT: ProtocolText = {
  tag: {
    name: "Segment",
    description:
      "The HTTP tracking API of Segment, as its clients, RudderStack's and Jitsu's speak " +
      "it. The write key is a token. The media type is not looked at: bodies are JSON.",
  },
  security: [{ segmentWriteKey: [] }, { bearer: [] }, {}],
  refuses: [
    "empty-body",
    "malformed-json",
    "too-deep",
    "invalid-event",
    "event-too-large",
    "too-many-events",
  ],
  refusals: { "application/json": schemaRef("SegmentRefusal") },
  schemas: SCHEMAS,
  path: pathText,
};
