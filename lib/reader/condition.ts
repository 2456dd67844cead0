/** The SQL of a filter. Every value is bound; only names of columns are in the text. */

import type { EventFilter, MemberFilter } from "../query.ts";
import type { SqlValue } from "../sqlite/driver.ts";

/** A condition on a row of `events`. */
export interface Condition {
  /** Follows `WHERE … AND`; `1` if every row meets it. */
  readonly sql: string;
  /** What it binds, in order. */
  readonly values: readonly SqlValue[];
}

/** The condition of a filter. */
export function conditionOf(filter: EventFilter): Condition {
  const parts = [
    compared("received_at >= ?", filter.from),
    compared("received_at < ?", filter.to),
    filter.userId === null ? null : userIs(filter.userId),
    compared("type = ?", filter.type),
    compared("source = ?", filter.source),
    compared("event_id = ?", filter.eventId),
    ...filter.where.map(memberIs),
  ].filter((part) => part !== null);
  if (parts.length === 0) return { sql: "1", values: [] };
  return {
    sql: parts.map(({ sql }) => sql).join(" AND "),
    values: parts.flatMap(({ values }) => values),
  };
}

function compared(sql: string, value: SqlValue): Condition | null {
  return value === null ? null : { sql, values: [value] };
}

/** Text bound to the INTEGER column is compared as the integer it spells, exact over int64. */
function userIs(userId: string): Condition {
  return isInt64(userId)
    ? { sql: "(user_id = CAST(? AS INTEGER) OR actor = ?)", values: [userId, userId] }
    : { sql: "actor = ?", values: [userId] };
}

/** Whether a text is an int64 as SQLite would spell it. */
function isInt64(text: string): boolean {
  return /^(?:0|-?[1-9]\d{0,18})$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/**
 * `->` gives a number as it is written, all digits of it; `->>` would round it. Most events do not
 * hold the text at all, and JSON without a backslash must hold it as it is: that is seen without
 * parsing them, in a tenth of the time.
 */
function memberIs({ path, value }: MemberFilter): Condition {
  const json = jsonPath(path);
  const sql = `(instr(metadata, ?) OR instr(metadata, '\\')) AND CASE json_type(metadata, ?) ` +
    `WHEN 'text' THEN metadata ->> ? WHEN 'array' THEN NULL WHEN 'object' THEN NULL ` +
    `ELSE metadata -> ? END = ?`;
  return { sql, values: [value, json, json, json, value] };
}

/** A path as SQLite writes it: `$."cart"."items"[0]`. */
function jsonPath(path: readonly string[]): string {
  return "$" + path.map((name) => /^\d{1,9}$/.test(name) ? `[${name}]` : `."${name}"`).join("");
}
