/**
 * What travels from a decoder to the database: the event, the submission (what one request puts on
 * the channel) and their encoding as one string, which is what crosses to the store Worker.
 */

/** One event as it will be stored. Named so because `Event` is a DOM global. */
export interface EventRecord {
  /** Decimal integer within int64, or null where the protocol has no integer user. */
  readonly userId: string | null;
  /** RFC 3339 in UTC. */
  readonly timestamp: string;
  /** JSON text, byte for byte as sent. */
  readonly metadata: string;
  /** The user's id where a protocol's ids are strings. */
  readonly actor: string | null;
  /** Event name. */
  readonly type: string | null;
  /** The producer's id of the event. */
  readonly eventId: string | null;
}

/** An event with what all events of its submission share: a row of the `events` table. */
export interface EventRow extends EventRecord {
  /** Collector's clock at admission, Unix epoch in ms. */
  readonly receivedAt: number;
  /** Token or protocol it came through. */
  readonly source: string;
}

/** What one request puts on the channel: 1..n events, admitted whole or refused whole. */
export interface Submission {
  /** How many events it holds, at least 1. */
  readonly events: number;
  /** Memory it keeps alive while it waits, in bytes. */
  readonly bytes: number;
  /** Collector's clock when it was decoded, Unix epoch in ms. */
  readonly receivedAt: number;
  /** Token or protocol it came through. */
  readonly source: string;
  /**
   * The fields of the events one after the other: of each event `userId`, `timestamp`, `metadata`
   * and, where the protocol has them, `actor`, `type`, `eventId`. Empty for null.
   */
  readonly fields: readonly string[];
  /** The request body, a character a byte: for the raw text of an event that cannot be stored. */
  readonly body: string;
  /** Splits the body into the raw text of its events, in their order. */
  readonly splitBody: (body: Uint8Array) => readonly string[];
}

// JSON text cannot hold these unescaped (RFC 8259 §7) and every other field is checked for them, so
// splitting is exact and needs no escaping.
const GROUP = "\x1d";
const ROW = "\x1e";
const FIELD = "\x1f";

/** The characters no field of a row may hold; decoders must refuse them in what they extract. */
// deno-lint-ignore no-control-regex -- these control characters are the subject
export const FORBIDDEN_IN_FIELDS: RegExp = /[\x00-\x1f\x7f]/;

/** The fields of one event, in the order {@linkcode Submission.fields} wants them. */
export function fieldsOf(event: EventRecord): string[] {
  const { userId, timestamp, metadata, actor, type, eventId } = event;
  return [userId ?? "", timestamp, metadata, actor ?? "", type ?? "", eventId ?? ""];
}

/**
 * Joins submissions into the one string that crosses to the store: groups of rows that share the
 * time they were received at and their source, which are written once a group.
 */
export function encodeBatch(submissions: readonly Submission[]): string {
  const parts: string[] = [];
  let receivedAt = NaN, source = "";
  for (const submission of submissions) {
    if (submission.receivedAt !== receivedAt || submission.source !== source) {
      ({ receivedAt, source } = submission);
      parts.push(parts.length === 0 ? "" : GROUP, String(receivedAt), FIELD, source);
    }
    const { fields, events } = submission;
    const fieldsPerEvent = fields.length / events;
    for (let i = 0; i < fields.length; i++) {
      parts.push(i % fieldsPerEvent === 0 ? ROW : FIELD, fields[i] as string);
    }
  }
  return parts.join("");
}

/** Visits each row of an encoded batch, in order. The inverse of {@linkcode encodeBatch}. */
export function decodeBatch(text: string, visit: (row: EventRow) => void): void {
  for (const group of text.split(GROUP)) {
    const rows = group.split(ROW);
    const [at = "", source = ""] = (rows[0] ?? "").split(FIELD);
    const receivedAt = Number(at);
    for (let i = 1; i < rows.length; i++) {
      const field = (rows[i] as string).split(FIELD);
      visit({
        userId: field[0] || null,
        timestamp: field[1] as string,
        metadata: field[2] as string,
        actor: field[3] || null,
        type: field[4] || null,
        eventId: field[5] || null,
        receivedAt,
        source,
      });
    }
  }
}
