/** F5 and F6: a write, flush or removal fails, once or for good, and the collector goes on. */

import { ok } from "node:assert/strict";
import { runLoad } from "./load.ts";
import { EventLog, expectNone } from "./oracle.ts";
import { FULL, recover, start, TempFolder } from "./process.ts";
import { failFlushesFrom, STRACE_MISSING } from "./strace.ts";
import { sweep } from "./sweep.ts";

const skipped = STRACE_MISSING === null ? "" : ` (skipped: ${STRACE_MISSING})`;
const ignore = STRACE_MISSING !== null;

Deno.test({
  name: `[G7] an I/O error of any call loses nothing durable and stores nothing refused${skipped}`,
  ignore,
  fn: () => sweep({ effect: "error=EIO", pointsInPart: 50 }),
});

Deno.test({
  name:
    `[G6] "no space left" of any call loses nothing durable and stores nothing refused${skipped}`,
  ignore,
  fn: () => sweep({ effect: "error=ENOSPC", pointsInPart: 30 }),
});

Deno.test({
  name:
    `[G7] a disk that flushes nothing any more: nothing is acknowledged, nothing refused is stored` +
    skipped,
  ignore,
  fn: async () => {
    const froms = Array.from({ length: FULL ? 30 : 4 }, (_, i) => 20 + i * 3);
    for (const from of froms) await flushesFail(from);
  },
});

/** The flush of that number and all after it fail, in the database and in the journal. */
async function flushesFail(from: number): Promise<void> {
  await using folder = new TempFolder();
  const log = new EventLog();
  {
    const args = ["--ack-timeout-ms", "300"];
    await using collector = await start({
      folder: folder.path,
      under: failFlushesFrom(from),
      args,
    });
    const load = { url: () => collector.url, log, delivery: "once", ids: "some" } as const;
    await runLoad({ ...load, clients: 1, firstClient: 1, requests: from });
    await runLoad({ ...load, clients: 6, firstClient: 11, requests: 6 });
    await collector.stop("SIGKILL"); // it could not end by itself: nothing can be stored
  }
  const counts = [log.events("durable"), log.events("refused"), log.events("unknown")]
    .map((events) => events.length);
  ok(counts.every((count) => count > 0), `no proof: durable, refused, unknown: ${counts}`);
  expectNone(await recover(folder.path, { log, resendUnknown: true }), `flushes fail from ${from}`);
}
