/** F4: a run whose power is cut, and the judgement of what the disk then holds. */

import { LockHolder } from "../e2e/lock_holder.ts";
import { runLoad } from "./load.ts";
import { EventLog } from "./oracle.ts";
import { recover, settled, start } from "./process.ts";
import { Volume } from "./volume.ts";

/** What is done to the power. */
export interface PowerCutOptions {
  /**
   * `database`: everything is committed at once; `journal`: the database is locked until after the
   * cut; `both`: it was locked for a while before.
   */
  readonly path: "database" | "journal" | "both";
  readonly program?: string;
}

/** What came of it. */
export interface PowerCutResult {
  readonly violations: readonly string[];
  /** How many events were durable at the cut. */
  readonly durable: number;
}

/** Runs a collector under load, cuts the power in the middle, and starts on what is left. */
export async function cutPower({ path, program }: PowerCutOptions): Promise<PowerCutResult> {
  await using volume = await Volume.create();
  const log = new EventLog();
  await using collector = await start({ folder: volume.folder, program });
  const load = { url: () => collector.url, log, delivery: "once", ids: "some" } as const;
  await runLoad({ ...load, clients: 2, firstClient: 1, requests: 10 });
  await settled(collector);

  await using lock = path === "database" ? null : await LockHolder.start(collector.database);
  await runLoad({ ...load, clients: 1, firstClient: 11, requests: 20 });
  if (path === "both") await lock?.[Symbol.asyncDispose]();
  const end = new AbortController();
  const loaded = runLoad({ ...load, clients: 8, firstClient: 21, signal: end.signal });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await using copy = await volume.cut(collector); // kills it, by which each client ends
  end.abort();
  await loaded;
  await lock?.[Symbol.asyncDispose]();

  const durable = log.events("durable").length;
  const violations = await recover(copy.folder, { log, program, resendUnknown: true });
  return { violations, durable };
}
