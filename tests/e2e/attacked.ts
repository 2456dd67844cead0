/** Attacks on the read API, and what must be so after each. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { type PageJson, readJson, send } from "./reading.ts";
import { storedEvents } from "./rows.ts";

/** Runs an attack on a collector with 20 events: they stay as they are, and it goes on. */
export async function attacked(
  attack: (collector: CollectorProcess) => Promise<void>,
): Promise<void> {
  await using collector = await CollectorProcess.start();
  await send(collector, Array.from({ length: 20 }, (_, mark) => event(mark)));
  const before = storedEvents(collector.database);
  await attack(collector);
  deepEqual(storedEvents(collector.database), before);
  await collector.until((stats) => (stats.tails as unknown as { open: number }).open === 0);
  equal((await readJson<PageJson>(collector, "/events")).events.length, 20);
  equal(await collector.stop(), 0);
  ok(!/error:|panic|Traceback/.test(collector.output), collector.output);
}
