/** Events as the API sends them, read without losing a digit. */

import { elements, members } from "./json_text.js";

/**
 * @typedef {{
 *   readonly id: number,
 *   readonly user: string | null,
 *   readonly user_id: string | null,
 *   readonly actor: string | null,
 *   readonly timestamp: string,
 *   readonly received_at: string,
 *   readonly source: string,
 *   readonly type: string | null,
 *   readonly event_id: string | null,
 *   readonly metadata: string,
 *   readonly text: string,
 * }} StoredEvent `metadata` and `text` are JSON as it came; `user` is the one of the two that is there.
 */

/**
 * Reads one event.
 * @param {string} text
 * @returns {StoredEvent}
 */
export function readEvent(text) {
  const raw = new Map(members(text));
  const of = (/** @type {string} */ name) => JSON.parse(raw.get(name) ?? "null");
  const number = raw.get("user_id") ?? "null", user_id = number === "null" ? null : number;
  const actor = of("actor");
  return {
    id: of("id"),
    user: actor ?? user_id,
    user_id,
    actor,
    timestamp: of("timestamp"),
    received_at: of("received_at"),
    source: of("source"),
    type: of("type"),
    event_id: of("event_id"),
    metadata: raw.get("metadata") ?? "",
    text,
  };
}

/**
 * Reads a page of events.
 * @param {string} text
 * @returns {{ events: StoredEvent[], next: string | null, complete: boolean }}
 */
export function readEvents(text) {
  const raw = new Map(members(text));
  return {
    events: [...elements(raw.get("events") ?? "[]")].map(readEvent),
    next: JSON.parse(raw.get("next") ?? "null"),
    complete: JSON.parse(raw.get("complete") ?? "true"),
  };
}
