/** F1 by chance: killed under load at any instant, the database locked in some of the rounds. */

import { ok } from "node:assert/strict";
import { runLoad } from "./load.ts";
import { checkDatabase, EventLog, expectNone } from "./oracle.ts";
import { FULL, TempFolder } from "./process.ts";
import { killedAgainAndAgain, Supervised } from "./supervised.ts";

const KILLS = FULL ? 200 : 10;

Deno.test(`[G1] [G14] ${KILLS} random kills under load, clients that repeat by id or key: 0 missing, 0 twice`, async () => {
  expectNone(await killedAgainAndAgain({ kills: KILLS, clients: 8 }));
});

Deno.test("[G1] kill -9 in memory mode loses at most what the queue holds, and nothing stored is altered", async () => {
  await using folder = new TempFolder();
  const log = new EventLog(), queueCapacity = 200;
  await using collector = await Supervised.start({
    folder: folder.path,
    durability: "memory",
    args: ["--queue-capacity", String(queueCapacity), "--batch-size", "50"],
  });
  await collector.lock(); // so that something is queued when it is killed
  await runLoad({
    url: () => collector.url,
    log,
    clients: 4,
    firstClient: 1,
    requests: 30,
    delivery: "once",
  });
  await collector.killAndRestart();
  expectNone(await collector.finish(log, { acceptedLostMax: queueCapacity }));
  ok(log.events("refused").length > 0, "the queue was never full");
  const strict = checkDatabase(collector.database, log);
  ok(strict.some((violation) => violation.startsWith("O4")), "nothing was lost: no proof");
});
