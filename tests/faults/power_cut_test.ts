/** F4: the power is cut while the collector runs; only what was flushed is left. */

import { ok } from "node:assert/strict";
import { expectNone } from "./oracle.ts";
import { cutPower, type PowerCutOptions } from "./power_cut.ts";
import { FULL } from "./process.ts";
import { POWER_CUT_MISSING } from "./volume.ts";

const CUTS = FULL ? 20 : 2;
const skipped = POWER_CUT_MISSING === null ? "" : ` (skipped: ${POWER_CUT_MISSING})`;
const ignore = POWER_CUT_MISSING !== null;

Deno.test({
  name: `[G3] a power cut loses nothing that was committed${skipped}`,
  ignore,
  fn: () => cuts("database"),
});

Deno.test({
  name: `[G3] a power cut while the database is locked loses nothing that was journaled${skipped}`,
  ignore,
  fn: () => cuts("journal"),
});

Deno.test({
  name: `[G3] a power cut after the journal was applied loses nothing of it${skipped}`,
  ignore,
  fn: () => cuts("both"),
});

async function cuts(path: PowerCutOptions["path"]): Promise<void> {
  for (let cut = 1; cut <= CUTS; cut++) {
    const { violations, durable } = await cutPower({ path });
    expectNone(violations, `after power cut ${cut}`);
    ok(durable > 50, `only ${durable} events were durable: no proof`);
  }
}
