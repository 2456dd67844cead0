/** Dead letters that a batch carries as rows, or that its rows become. */

import { decodeBatch, type EventRow, LETTER_FIELDS, type RowGroup } from "../event.ts";
import type { DeadLetter, RejectedRow } from "../store.ts";

/** The dead letters that are in a batch already, as the decoder made them. */
export function lettersOf(groups: readonly RowGroup[]): DeadLetter[] {
  const letters: DeadLetter[] = [];
  let first = 0;
  for (const { receivedAt, source, protocol, rows, fieldsPerRow, start, fields } of groups) {
    for (let row = 0; fieldsPerRow === LETTER_FIELDS && row < rows; row++) {
      const at = start + row * LETTER_FIELDS;
      const reason = fields[at] as string, raw: string = JSON.parse(fields[at + 1] as string);
      const of = { receivedAt, source, protocol, reason, raw, isDecoded: false };
      letters.push({ ...of, index: first + row });
    }
    first += rows;
  }
  return letters;
}

/**
 * Makes dead letters of rows that came from the journal, which keeps an event's fields and not its
 * text: `raw` is then the metadata, which is the event as sent, or, for a native one, the fields as
 * one JSON object.
 */
export function rebuildRaw(rows: string, rejected: readonly RejectedRow[]): DeadLetter[] {
  const reasons = new Map(rejected.map(({ index, reason }) => [index, reason]));
  const deadLetters: DeadLetter[] = [];
  decodeBatch(rows, (row, index) => {
    const reason = reasons.get(index);
    if (reason === undefined) return;
    const { receivedAt, source, protocol, metadata } = row;
    const raw = protocol === NATIVE ? nativeText(row) : metadata;
    deadLetters.push({ receivedAt, source, protocol, reason, raw, isDecoded: true, index });
  });
  return deadLetters;
}

const NATIVE = "native";

function nativeText({ userId, timestamp, metadata, eventId }: EventRow): string {
  const text = (name: string, value: string | null) =>
    value === null ? [] : [`"${name}":${JSON.stringify(value)}`];
  const members = [
    ...text("id", eventId),
    ...userId === null ? [] : [`"user_id":${userId}`],
    ...text("timestamp", timestamp),
    `"metadata":${metadata}`,
  ];
  return `{${members.join()}}`;
}
