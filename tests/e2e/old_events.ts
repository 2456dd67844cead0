/** Databases with events that were received long ago. */

import { verify } from "../../lib/store/verify.ts";
import { batchOf, openDatabase } from "../store/batches.ts";
import { meddle } from "./dead_letters.ts";
import type { CollectorProcess } from "./collector_process.ts";
import { query } from "./rows.ts";

const DAY_MS = 86_400_000;
const BATCH = 5000;

/** What such a database holds. */
export interface OldEvents {
  /** How many events. */
  readonly count: number;
  /** How many days ago they were received. */
  readonly ageDays: number;
  /** What each has in its metadata. */
  readonly mark: unknown;
}

/** Stores them in a database that no collector uses, making it if it is not there. */
export function storeOld(path: string, { count, ageDays, mark }: OldEvents): void {
  const database = openDatabase(path);
  const before = database.progress(RUN)?.lastBatch ?? 0;
  const batch = Array.from({ length: Math.min(count, BATCH) }, () => mark);
  for (let stored = 0, number = before; stored < count; stored += batch.length) {
    database.write(batchOf(++number, batch.slice(0, count - stored)));
    database.checkpointIfDue();
  }
  database.endRun();
  database.close();
  meddle(
    path,
    `UPDATE events SET received_at = ${Date.now() - ageDays * DAY_MS}
       WHERE id > (SELECT max(id) FROM events) - ${count}`,
  );
}

const RUN = "00000000000000aa";

/** Where retention stands, as `GET /stats` shows it. */
export interface RetentionJson {
  readonly oldest_id: number | null;
  readonly oldest_received_at: string | null;
  readonly removed: number;
  readonly removed_this_run: number;
  readonly held_by: string | null;
  readonly held_up: string | null;
  readonly free_bytes: number;
  readonly longest_step_ms: number;
}

/** Waits until retention is as wished. */
export async function untilRetention(
  collector: CollectorProcess,
  wish: (retention: RetentionJson) => boolean,
): Promise<RetentionJson> {
  const of = (stats: object) => (stats as { retention: RetentionJson | null }).retention;
  const stats = await collector.until((stats) => {
    const retention = of(stats);
    return retention !== null && wish(retention);
  });
  return of(stats) as RetentionJson;
}

/** Ids of the oldest and the newest event, and how many there are. */
export function idRange(path: string): number[] {
  const [row] = query<object>(path, "SELECT min(id), max(id), count(*) FROM events");
  return Object.values(row ?? {}).map(Number);
}

/** What an audit finds wrong. */
export function wrong(path: string): string[] {
  return verify(path).filter(({ isOk }) => !isOk).map(({ subject, detail }) =>
    `${subject}: ${detail}`
  );
}
