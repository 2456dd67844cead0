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
  /** See {@linkcode Submission.source}. */
  readonly source: string;
  /** See {@linkcode Submission.protocol}. */
  readonly protocol: string;
}

/** What one request puts on the channel: 1..n events, admitted whole or refused whole. */
export interface Submission {
  /** How many events it holds, at least 1. */
  readonly events: number;
  /** Memory it keeps alive while it waits, in bytes. */
  readonly bytes: number;
  /** Collector's clock when it was decoded, Unix epoch in ms. */
  readonly receivedAt: number;
  /** Name of the token they came with, of the protocol if they came without. */
  readonly source: string;
  /** Name of the protocol, behind a `/` what its decoder must know beside the raw text of an event. */
  readonly protocol: string;
  /**
   * The fields of the events one after the other, the same number of each: see
   * {@linkcode FieldsPerRow}.
   */
  readonly fields: readonly string[];
  /** The request body, a character a byte: for the raw text of an event that cannot be stored. */
  readonly body: string;
  /** Splits the body into the raw text of its events, in their order; none: it is the metadata. */
  readonly splitBody: (body: Uint8Array) => readonly string[];
  /** What is remembered of the request's Idempotency-Key, as `idempotency.ts` writes it. */
  readonly request?: string;
  /** Whether it is of the request of the one before it: one transaction has both. */
  readonly isJoined?: boolean;
}

/**
 * How many fields an event has, and which:
 *
 * - 2: why it can not be stored, and its raw text as a JSON string: it becomes a dead letter;
 * - 3: `userId`, `timestamp`, `metadata`, none of them empty;
 * - 4: these and `eventId`, which is null if empty;
 * - 6: these three, `actor`, `type` and `eventId`; an empty one of the last three or `userId` is null.
 */
export type FieldsPerRow = 2 | 3 | 4 | 6;

/** Fields of an event that becomes a dead letter. */
export const LETTER_FIELDS = 2;
/** Which of the fields of every other event is its metadata. */
export const METADATA_FIELD = 2;

/** Which of an event's fields is its id; -1 if none is. */
export const EVENT_ID_FIELD: Readonly<Record<FieldsPerRow, number>> = { 2: -1, 3: -1, 4: 3, 6: 5 };

/** How many fields each event of a submission has. */
export function fieldsPerRow({ fields, events }: Submission): FieldsPerRow {
  return fields.length / events as FieldsPerRow;
}

/** Rows that share the time they were received at and their source. */
export interface RowGroup {
  /** Collector's clock at admission, Unix epoch in ms. */
  readonly receivedAt: number;
  /** See {@linkcode Submission.source}. */
  readonly source: string;
  /** See {@linkcode Submission.protocol}. */
  readonly protocol: string;
  /** How many rows. */
  readonly rows: number;
  /** How many fields each row has. */
  readonly fieldsPerRow: FieldsPerRow;
  /** See {@linkcode Submission.request}; empty if there is none. */
  readonly request: string;
  /** Where the fields of the first row start in `fields`. */
  readonly start: number;
  /** The fields of the whole batch. */
  readonly fields: readonly string[];
}

// JSON text cannot hold this unescaped (RFC 8259 §7) and every other field is checked for it, so
// splitting is exact and needs no escaping.
const SEPARATOR = "\x1f";
const GROUP_HEAD_FIELDS = 5;
/** Stands between source and protocol; batches of before there were several have neither. */
const PROTOCOL_MARK = "\x1e";
const FIRST_PROTOCOL = "native";

/** The characters no field of a row may hold; decoders must refuse them in what they extract. */
// deno-lint-ignore no-control-regex -- these control characters are the subject
export const FORBIDDEN_IN_FIELDS: RegExp = /[\x00-\x1f\x7f]/;

/** The fields of one event, in the order {@linkcode Submission.fields} wants them. */
export function fieldsOf(event: EventRecord): string[] {
  const { userId, timestamp, metadata, actor, type, eventId } = event;
  return [userId ?? "", timestamp, metadata, actor ?? "", type ?? "", eventId ?? ""];
}

/**
 * Joins submissions into the one string that crosses to the store: a flat list of fields, in groups
 * that each start with what their rows share.
 *
 * ```text
 * receivedAt  source␞protocol  fieldsPerRow  rows  request  field field …  receivedAt  source␞protocol  …
 * ```
 */
export function encodeBatch(submissions: readonly Submission[]): string {
  const all: string[] = [];
  let group: Submission | null = null;
  let rows = 0, rowsAt = 0;
  for (const submission of submissions) {
    const { fields, events, receivedAt, source, protocol } = submission;
    const isSameGroup = group !== null && group.receivedAt === receivedAt &&
      group.source === source && group.protocol === protocol &&
      fieldsPerRow(group) === fieldsPerRow(submission);
    if (!isSameGroup) {
      group = submission;
      rows = 0;
      const from = source + PROTOCOL_MARK + protocol;
      all.push(String(receivedAt), from, String(fieldsPerRow(submission)), "", "");
      rowsAt = all.length - 2;
    }
    rows += events;
    all[rowsAt] = String(rows);
    for (const field of fields) all.push(field);
  }
  for (const { receivedAt, source, request } of submissions) {
    // In groups of their own, without rows: rows of several requests go in by one statement.
    if (request !== undefined) all.push(String(receivedAt), source, "3", "0", request);
  }
  return all.join(SEPARATOR);
}

/** The groups of an encoded batch. The inverse of {@linkcode encodeBatch}. */
export function decodeGroups(text: string): RowGroup[] {
  const fields = text.split(SEPARATOR);
  const groups: RowGroup[] = [];
  for (let at = 0; at < fields.length;) {
    const [receivedAt, from = "", fieldsPerRow, rows, request = ""] = fields.slice(
      at,
      at + GROUP_HEAD_FIELDS,
    );
    const [source = "", protocol = FIRST_PROTOCOL] = from.split(PROTOCOL_MARK);
    const group: RowGroup = {
      receivedAt: Number(receivedAt),
      source,
      protocol,
      rows: Number(rows),
      fieldsPerRow: Number(fieldsPerRow) as FieldsPerRow,
      request,
      start: at + GROUP_HEAD_FIELDS,
      fields,
    };
    groups.push(group);
    at = group.start + group.rows * group.fieldsPerRow;
  }
  return groups;
}

/** Visits each row of an encoded batch that is no dead letter, in order, with its position. */
export function decodeBatch(text: string, visit: (row: EventRow, index: number) => void): void {
  let index = 0;
  for (const group of decodeGroups(text)) {
    const { receivedAt, source, protocol, rows, fieldsPerRow, start, fields } = group;
    for (let row = 0, at = start; row < rows; row++, at += fieldsPerRow, index++) {
      if (fieldsPerRow === LETTER_FIELDS) continue;
      const hasAll = fieldsPerRow === 6;
      const eventId = EVENT_ID_FIELD[fieldsPerRow];
      const event = {
        userId: fields[at] || null,
        timestamp: fields[at + 1] as string,
        metadata: fields[at + 2] as string,
        actor: hasAll && fields[at + 3] || null,
        type: hasAll && fields[at + 4] || null,
        eventId: eventId >= 0 && fields[at + eventId] || null,
      };
      visit({ ...event, receivedAt, source, protocol }, index);
    }
  }
}
