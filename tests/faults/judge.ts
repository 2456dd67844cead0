/** What every test of a fault that the collector outlives ends with. */

import type { CollectorProcess } from "../e2e/collector_process.ts";
import { query } from "../e2e/rows.ts";
import { checkDatabase, type EventLog } from "./oracle.ts";
import { settled, stop } from "./process.ts";
import { residuals } from "./watch.ts";

/** Lets it settle, stops it, and gives every violation. */
export async function finish(collector: CollectorProcess, log: EventLog): Promise<string[]> {
  const violations = residuals(await settled(collector));
  const code = await stop(collector);
  if (code !== 0) violations.push(`the stop ended with ${code}: ${collector.output}`);
  return [...violations, ...checkDatabase(collector.database, log)];
}

/** Rows that are not in the order in which their client sent them, one request after the other. */
export function outOfOrder(database: string): string[] {
  const newest = new Map<number, number>();
  const violations: string[] = [];
  const rows = query<{ metadata: string }>(database, "SELECT metadata FROM events ORDER BY id");
  for (const { metadata } of rows) {
    const { client, sequence } = JSON.parse(metadata);
    const before = newest.get(client) ?? -1;
    if (sequence <= before) violations.push(`${client}/${sequence} is stored after ${before}`);
    newest.set(client, sequence);
  }
  return violations;
}
