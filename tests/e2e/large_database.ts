/** A database of many varied events, made in seconds: what a collector finds when it starts. */

import { DatabaseSync } from "node:sqlite";
import { CollectorProcess } from "./collector_process.ts";

/** The first event was received here, Unix epoch in ms; the last one 30 days later. */
export const BEGIN_MS = Date.UTC(2026, 9, 1);
/** Over so many ms. */
export const SPAN_MS = 30 * 86_400_000;
const ROWS_AT_ONCE = 500_000;

/** Has a collector make the tables in a folder, and fills them with so many events. */
export async function growDatabase(folder: string, count: number): Promise<string> {
  const path = `${folder}/events.db`;
  {
    await using collector = await CollectorProcess.start({ folder });
    await collector.stop();
  }
  const database = new DatabaseSync(path);
  database.exec("PRAGMA synchronous = 0; PRAGMA journal_mode = wal");
  const insert = database.prepare(ROWS);
  for (let first = 1; first <= count; first += ROWS_AT_ONCE) {
    const last = Math.min(count, first + ROWS_AT_ONCE - 1);
    insert.run(...[first, last, BEGIN_MS, SPAN_MS, count].map(BigInt)); // a number would be a REAL
  }
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  return path;
}

/**
 * 100,000 users, a third of them with text for an id; 13 types, the first of half the events, and
 * none; 3 sources, one of which is only there on the tenth day; every other event has an id.
 */
const ROWS = `
  WITH RECURSIVE numbers (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?2),
  mixed AS (SELECT i, (i * 2654435761) % 4294967296 AS h FROM numbers)
  INSERT INTO events
  SELECT i,
         iif(h % 3 = 0, NULL, h % 100000 - 50000),
         iif(h % 3 = 0, 'user-' || (h % 100000), NULL),
         '2026-11-24T11:03:40Z',
         '{"n":' || i || ',"path":"/p' || (h % 97) || '","ok":' || iif(h % 5 = 0, 'true', 'false') || '}',
         ?3 + i * ?4 / ?5 + h % 1000,
         iif(i * 30 / ?5 = 9, 'tenth-day', iif(h % 7 < 3, 'web', 'native')),
         iif(h % 2 = 0, 'view', iif(h % 1000 = 1, NULL, 'type-' || (h % 24 / 2 % 12))),
         iif(i % 2 = 0, 'event-' || i, NULL)
    FROM mixed`;
