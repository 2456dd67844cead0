/** A stored event as JSON on one line: what pages, tails and NDJSON exports give. */

import type { StoredEvent } from "../query.ts";
import { isoTime } from "./iso_time.ts";

/**
 * The event as a JSON object without a line break in it: `user_id` as a number, exact over int64,
 * `metadata` as it was sent, on one line.
 */
export function eventJson(event: StoredEvent): string {
  return `{"id":${event.id},"user_id":${event.userId},"actor":${JSON.stringify(event.actor)}` +
    `,"timestamp":${JSON.stringify(event.timestamp)},"received_at":"${isoTime(event.receivedAt)}"` +
    `,"source":${JSON.stringify(event.source)},"type":${JSON.stringify(event.type)}` +
    `,"event_id":${JSON.stringify(event.eventId)},"metadata":${onOneLine(event.metadata)}}`;
}

/**
 * JSON text with a space for each line feed and carriage return: they can only stand between tokens,
 * so it means the same.
 */
export function onOneLine(json: string): string {
  // Looking first is faster than to replace what is seldom there.
  return json.includes("\n") || json.includes("\r") ? json.replaceAll(/[\n\r]/g, " ") : json;
}
