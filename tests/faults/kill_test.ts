/** F1 and F2: killed at every instant at which a file changes, while it runs and while it recovers. */

import { ok } from "node:assert/strict";
import { killedWithJournal } from "./fault_run.ts";
import { TempFolder } from "./process.ts";
import { STRACE_MISSING } from "./strace.ts";
import { sweep } from "./sweep.ts";

const skipped = STRACE_MISSING === null ? "" : ` (skipped: ${STRACE_MISSING})`;
const ignore = STRACE_MISSING !== null;
const effect = "signal=SIGKILL";

Deno.test({
  name: `[G1] kill -9 at a write, flush or removal of a file loses nothing durable${skipped}`,
  ignore,
  fn: () => sweep({ effect, pointsInPart: 100 }),
});

Deno.test({
  name: `[G2] kill -9 at one while it recovers from a kill loses nothing durable${skipped}`,
  ignore,
  fn: async () => {
    await using folder = new TempFolder();
    const log = await killedWithJournal(folder.path);
    ok(log.events("durable").length > 40, "the killed run acknowledged too little");
    await sweep({ effect, pointsInPart: 50, from: { folder: folder.path, log } });
  },
});
