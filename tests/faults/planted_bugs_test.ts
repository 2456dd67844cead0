/** G10: each harness goes red when the program has the bug it is there for. */

import { ok } from "node:assert/strict";
import {
  ACKNOWLEDGED_TOO_EARLY,
  APPLIED_AGAIN,
  DATABASE_NOT_FLUSHED,
  JOURNAL_NOT_FLUSHED,
  KEYS_NOT_KNOWN,
  REMOVED_TOO_EARLY,
  REPEATS_NOT_KNOWN,
} from "./bugs.ts";
import { faultRun, killedWithJournal } from "./fault_run.ts";
import { type Bug, PlantedBug } from "./planted.ts";
import { cutPower, type PowerCutOptions } from "./power_cut.ts";
import { TempFolder } from "./process.ts";
import { killedAgainAndAgain, whileSending } from "./supervised.ts";
import { STRACE_MISSING } from "./strace.ts";
import { POWER_CUT_MISSING } from "./volume.ts";

const KILL = "signal=SIGKILL";

planted("synchronous=OFF: the power cut finds it", [DATABASE_NOT_FLUSHED], {
  missing: POWER_CUT_MISSING,
  harness: powerCut("database"),
  expected: /^O1: .* is missing/,
});

planted("a journal that is not flushed: the power cut finds it", [JOURNAL_NOT_FLUSHED], {
  missing: POWER_CUT_MISSING,
  harness: powerCut("journal"),
  expected: /^O1: .* is missing/,
});

planted("an answer before the flush: kill -9 at a write finds it", ACKNOWLEDGED_TOO_EARLY, {
  missing: STRACE_MISSING,
  harness: async (program) => {
    const found: string[] = [];
    for (let when = 10; when <= 160 && found.length === 0; when += 10) {
      const point = { file: "events.db-wal", call: "pwrite64", when, effect: KILL } as const;
      found.push(...(await faultRun(point, { program })).violations);
    }
    return found;
  },
  expected: /^O1: .* is missing/,
});

planted("records applied again: kill -9 at the removal of a journal finds it", APPLIED_AGAIN, {
  missing: STRACE_MISSING,
  harness: async (program) => {
    const point = { file: "events.db.journal.000001", call: "unlink", when: 1 } as const;
    return (await faultRun({ ...point, effect: KILL }, { program })).violations;
  },
  expected: /^O3: .* is there twice/,
});

planted("records removed before they are applied: kill -9 at a start finds it", [
  REMOVED_TOO_EARLY,
], {
  missing: STRACE_MISSING,
  harness: async (program) => {
    await using folder = new TempFolder();
    const from = { folder: folder.path, log: await killedWithJournal(folder.path) };
    const found: string[] = [];
    for (let when = 1; when <= 40 && found.length === 0; when += 3) {
      const point = { file: "events.db-wal", call: "pwrite64", when, effect: KILL } as const;
      found.push(...(await faultRun(point, { program, from })).violations);
    }
    return found;
  },
  expected: /^O1: .* is missing/,
});

planted("repeats that are not known: clients that repeat find it", [REPEATS_NOT_KNOWN], {
  missing: null,
  harness: underKills,
  expected: /^O3: .* is there twice/,
});

planted("keys that are not known: clients that repeat find it", [KEYS_NOT_KNOWN], {
  missing: null,
  harness: underKills,
  expected: /^O3: .* is there twice/,
});

interface Planted {
  /** Why the harness can not be run here. */
  readonly missing: string | null;
  /** Gives the violations. */
  readonly harness: (program: string) => Promise<readonly string[]>;
  /** One of them at least must be so. */
  readonly expected: RegExp;
}

function planted(
  name: string,
  bugs: readonly Bug[],
  { missing, harness, expected }: Planted,
): void {
  const skipped = missing === null ? "" : ` (skipped: ${missing})`;
  const fn = async () => {
    await using bug = await PlantedBug.plant(bugs);
    const violations = await harness(bug.program);
    const shown = violations.slice(0, 5).join("\n");
    ok(violations.some((violation) => expected.test(violation)), `not found; found was:\n${shown}`);
  };
  Deno.test({ name: `planted bug: ${name}${skipped}`, ignore: missing !== null, fn });
}

function underKills(program: string): Promise<string[]> {
  return killedAgainAndAgain({ program, kills: 2, clients: 8, pause: whileSending(300) });
}

function powerCut(path: PowerCutOptions["path"]): Planted["harness"] {
  return async (program) => (await cutPower({ path, program })).violations;
}
