/** Dead letters of events whose text as sent is no longer at hand. */

import { decodeBatch } from "../event.ts";
import type { DeadLetter, RejectedRow } from "../store.ts";

/**
 * Makes dead letters of rows that came from the journal, which keeps an event's fields and not its
 * text: `raw` is then the fields as one JSON object, `metadata` byte for byte as sent.
 */
export function rebuildRaw(rows: string, rejected: readonly RejectedRow[]): DeadLetter[] {
  const reasons = new Map(rejected.map(({ index, reason }) => [index, reason]));
  const deadLetters: DeadLetter[] = [];
  let index = 0;
  decodeBatch(rows, ({ receivedAt, source, metadata, userId, eventId, ...row }) => {
    const reason = reasons.get(index);
    if (reason !== undefined) {
      const text = (name: string, value: string | null) =>
        value === null ? [] : [`"${name}":${JSON.stringify(value)}`];
      const members = [
        ...text("id", eventId),
        ...userId === null ? [] : [`"user_id":${userId}`],
        ...text("actor", row.actor),
        ...text("type", row.type),
        ...text("timestamp", row.timestamp),
        `"metadata":${metadata}`,
      ];
      deadLetters.push({ receivedAt, source, reason, raw: `{${members.join()}}`, index });
    }
    index++;
  });
  return deadLetters;
}
