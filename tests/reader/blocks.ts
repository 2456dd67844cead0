/** A database of some blocks, as various as a real one, and what a simple program finds in it. */

import { DatabaseSync } from "node:sqlite";
import type { EventFilter } from "../../lib/query.ts";
import { BLOCK_EVENTS } from "../../lib/reader/block.ts";
import { indexPath, OpenSource } from "../../lib/reader/open_source.ts";
import { MIGRATIONS } from "../../lib/store/schema.ts";

/** When the first event came, on the border of an hour. */
export const BEGIN_MS: number = Date.UTC(2026, 10, 24);
const EVENT_MS = 500;
/** Three whole blocks and a part of the fourth. */
export const EVENTS: number = 3 * BLOCK_EVENTS + 12_345;

/**
 * The first block has few values, the second a source of its own and a clock that steps back, the
 * third too many sources to be counted. Users are integers, texts, both, and texts like integers.
 */
const ROW = `
  CASE WHEN n % 10007 = 0 THEN 9223372036854775807 WHEN n % 3 = 0 THEN n * 7919 % 3000 - 20 END,
  CASE WHEN n % 12 = 0 THEN '17' WHEN n % 3 = 1 THEN 'u' || (n * 31 % 2000)
       WHEN n % 15 = 2 THEN CAST(n % 500 AS TEXT) END,
  '2026-11-24T00:00:00Z',
  '{"n":' || (n % 10) || ',"tag":"' || (n % 100) || '","at":[' || (n % 3) || ']}',
  ${BEGIN_MS} + n * ${EVENT_MS} - CASE WHEN n BETWEEN 100000 AND 120000 THEN 6 * 3600000 ELSE 0 END,
  CASE WHEN n <= ${BLOCK_EVENTS} THEN 'native' WHEN n <= ${2 * BLOCK_EVENTS} THEN 'mobile'
       WHEN n <= ${3 * BLOCK_EVENTS} THEN 's' || (n % 1500) ELSE 'native' END,
  CASE WHEN n % 40009 = 0 THEN 'rare' WHEN n % 7 = 0 THEN NULL
       WHEN n % 2 = 0 OR n <= ${BLOCK_EVENTS} THEN 'click' ELSE 'type' || (n % 30) END,
  CASE WHEN n % 1000 = 0 THEN 'again' WHEN n % 2 = 1 THEN 'e' || n END`;

/** What is looked at of a row. */
export interface Row {
  readonly id: number;
  readonly userId: string | null;
  readonly actor: string | null;
  readonly receivedAt: number;
  readonly source: string;
  readonly type: string | null;
  readonly eventId: string | null;
  readonly metadata: string;
}

/** Made once, since it takes its time: the folder of a database and its index. */
let made: string | undefined;

function template(): string {
  if (made !== undefined) return made;
  const folder = made = Deno.makeTempDirSync();
  addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const path = `${folder}/events.db`;
  {
    using database = new DatabaseSync(path);
    database.exec("PRAGMA journal_mode = wal; PRAGMA synchronous = 0; BEGIN");
    for (const sql of MIGRATIONS.flat()) database.exec(sql);
    database.exec("COMMIT");
  }
  append(path, EVENTS);
  const source = new OpenSource({ path, indexing: "on" });
  index(source);
  source.close();
  return folder;
}

/** See the head of this file. */
export class Blocks implements Disposable {
  readonly folder: string = Deno.makeTempDirSync();
  readonly path = `${this.folder}/events.db`;
  readonly #sources: OpenSource[] = [];

  constructor({ index }: { readonly index: "built" | "none" } = { index: "none" }) {
    Deno.copyFileSync(`${template()}/events.db`, this.path);
    if (index === "built") {
      Deno.copyFileSync(indexPath(`${template()}/events.db`), indexPath(this.path));
    }
  }

  /** A copy of it, without its index. */
  copy(name: string): string {
    const path = `${this.folder}/${name}.db`;
    Deno.copyFileSync(this.path, path);
    return path;
  }

  /** Opens one; it is closed in the end. */
  open(path: string, indexing: "on" | "off"): OpenSource {
    const source = new OpenSource({ path, indexing });
    this.#sources.push(source);
    return source;
  }

  [Symbol.dispose](): void {
    for (const source of this.#sources) source.close();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Adds so many events. */
export function append(path: string, events: number): void {
  using database = new DatabaseSync(path);
  database.exec("PRAGMA synchronous = 0");
  const { last } = database.prepare("SELECT coalesce(max(id), 0) AS last FROM events").get() as {
    last: number;
  };
  database.exec(
    `WITH RECURSIVE numbers(n) AS
       (SELECT ${last + 1} UNION ALL SELECT n + 1 FROM numbers WHERE n < ${last + events})
     INSERT INTO events SELECT n, ${ROW} FROM numbers`,
  );
}

/** Removes the events up to an id, as retention does. */
export function removeThrough(path: string, id: number): void {
  change(path, `DELETE FROM events WHERE id <= ${id}`);
}

/** Runs statements on a database. */
export function change(path: string, sql: string): void {
  using database = new DatabaseSync(path);
  database.exec(`PRAGMA synchronous = 0; ${sql}`);
}

/** Everything that is there. */
export function allRows(path: string): Row[] {
  using database = new DatabaseSync(path);
  const rows = database.prepare(
    `SELECT id, CAST(user_id AS TEXT) AS userId, actor, received_at AS receivedAt, source, type,
            event_id AS eventId, metadata FROM events ORDER BY id`,
  ).all();
  return rows as unknown as Row[];
}

/** Whether a row is meant, as plainly as it can be said. */
export function meets(row: Row, filter: EventFilter): boolean {
  const { from, to, userId, type, source, eventId, where } = filter;
  return (from === null || row.receivedAt >= from) && (to === null || row.receivedAt < to) &&
    (userId === null || row.userId === userId || row.actor === userId) &&
    (type === null || row.type === type) && (source === null || row.source === source) &&
    (eventId === null || row.eventId === eventId) &&
    (where.length === 0 || where.every(({ path, value }) => String(at(row, path)) === value));
}

function at(row: Row, path: readonly string[]): unknown {
  let value: unknown = JSON.parse(row.metadata);
  for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name];
  return value;
}

/** Indexes until there is nothing more to do, or so many blocks are there. */
export function index(source: OpenSource, blocks = Infinity): void {
  while ((source.get().index?.blocks.length ?? 0) < blocks && source.indexSome());
}
