/**
 * Events as CSV (RFC 4180), for spreadsheets and for tools alike:
 *
 * - Each event is one line, so that what was cut off can be told from what is whole: line breaks in
 *   `metadata`, which can only stand between tokens, become spaces as in NDJSON.
 * - Text is quoted, numbers and times are not; null is an empty cell, empty text is `""`.
 * - Text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, their
 *   full-width forms, a tab or another of the characters below) gets a `'` before it. Text that
 *   begins with `'` gets one more, so that there is one rule to undo it: take one `'` from the front
 *   of every quoted cell that has one. Numbers stay what they are.
 * - There is no byte order mark: `awk`, `cut`, Python's `csv` and everything else that reads plain
 *   UTF-8 would take it for a part of the first name. A spreadsheet asks for the encoding when the
 *   file is imported instead of opened.
 */

import type { ExportEncoder } from "../export_encoder.ts";
import type { StoredEvent } from "../query.ts";
import { onOneLine } from "./event_json.ts";
import { isoTime } from "./iso_time.ts";

const encoder = new TextEncoder();

const HEAD = "id,user_id,actor,timestamp,received_at,source,type,event_id,metadata\r\n";

// OWASP ASVS 5.0, 1.2.10, its full-width forms, and the quote that marks them.
const TAKEN_FOR_FORMULA = /^[=+\-@\0\t\n\r＝＋－＠']/;

/** Writes CSV in UTF-8. Holds nothing between calls. */
export const csvEncoder: ExportEncoder = {
  start: () => encoder.encode(HEAD),
  events: (events) => encoder.encode(events.map(row).join("")),
  end: () => new Uint8Array(0),
};

function row(event: StoredEvent): string {
  return `${event.id},${event.userId ?? ""},${text(event.actor)},${text(event.timestamp)}` +
    `,${isoTime(event.receivedAt)},${text(event.source)},${text(event.type)}` +
    `,${text(event.eventId)},${text(onOneLine(event.metadata))}\r\n`;
}

function text(value: string | null): string {
  if (value === null) return "";
  return `"${TAKEN_FOR_FORMULA.test(value) ? "'" : ""}${value.replaceAll('"', '""')}"`;
}
