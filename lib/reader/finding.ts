/** Finds pages of events, one event, and what is new for a tail. */

import type { PageQuery } from "../query.ts";
import type { EventPage, TailNews, TailQuery } from "../reader.ts";
import type { Count } from "./counting.ts";
import { eventJson } from "./event_json.ts";
import { type EventSource, storedIds } from "./event_source.ts";
import { EVENT_COLUMNS, storedEvent } from "./stored_events.ts";
import { Walk } from "./walk.ts";

/** Characters of the events of a page after which it ends. */
const PAGE_CHARACTERS = 1024 * 1024;
/** Characters that are read at once, as far as they can be known. */
const STEP_CHARACTERS = 1024 * 1024;
/** Rows that are read at once: what is not known yet can be as large as a body may be, each. */
const STEP_ROWS = 16;
/** Characters of what a tail gets in one go. */
const TAIL_CHARACTERS = 1024 * 1024;
/** Ids that a tail looks at in one go. */
const TAIL_IDS_MAX = 50_000;

/** How many rows to read next, when those so far had so many characters. */
export function rowsAtOnce(rows: number, characters: number): number {
  if (rows === 0) return STEP_ROWS;
  return Math.max(1, Math.min(STEP_ROWS, Math.floor(STEP_CHARACTERS / (characters / rows))));
}

/** Finds a page. @throws {SqliteError} */
export function findPage(source: EventSource, query: PageQuery): Count<EventPage> {
  const { filter, order, after, limit } = query;
  const walk = new Walk(source, { filter, order, after, columns: EVENT_COLUMNS });
  const events: string[] = [];
  let characters = 0;
  const isFull = () => events.length >= limit || characters >= PAGE_CHARACTERS;
  return {
    get isDone() {
      return walk.isDone || isFull();
    },
    step() {
      const most = Math.min(limit - events.length, rowsAtOnce(events.length, characters));
      for (const json of walk.step(most).map(jsonOf)) {
        events.push(json);
        characters += json.length;
      }
    },
    result: () => ({
      events,
      next: walk.isDone ? null : walk.through,
      isComplete: walk.isDone || isFull(),
    }),
  };
}

/** One event as JSON; null if there is none. @throws {SqliteError} */
export function findEvent({ connection }: EventSource, id: number): string | null {
  const [row] = connection.prepare(`SELECT ${EVENT_COLUMNS} FROM events WHERE id = ?`).rows([id]);
  return row === undefined ? null : jsonOf(row);
}

/** What is new for a tail: of too many, the newest. @throws {SqliteError} */
export function findNews(source: EventSource, query: TailQuery): Count<TailNews> {
  const { filter, limit } = query;
  const last = Math.min(storedIds(source).last, query.throughId ?? Infinity);
  // This database may have replaced another, whose ids mean nothing here.
  const isOther = (query.database ?? source.database) !== source.database;
  const afterId = isOther || query.afterId > last ? 0 : query.afterId;
  const above = Math.min(last, Math.max(afterId, last - TAIL_IDS_MAX));
  const columns = EVENT_COLUMNS;
  const walk = new Walk(source, { filter, order: "desc", after: last + 1, above, columns });
  const events: { id: number; json: string }[] = [];
  let characters = 0;
  return {
    get isDone() {
      return walk.isDone || events.length >= limit || characters >= TAIL_CHARACTERS;
    },
    step() {
      const most = Math.min(limit - events.length, rowsAtOnce(events.length, characters));
      for (const row of walk.step(most)) {
        const json = jsonOf(row);
        events.push({ id: row[0] as number, json });
        characters += json.length;
      }
    },
    result: () => {
      const begin = walk.isDone ? above : walk.through - 1;
      const { database } = source;
      return { events: events.reverse(), skipped: begin - afterId, throughId: last, database };
    },
  };
}

function jsonOf(row: readonly unknown[]): string {
  return eventJson(storedEvent(row));
}
