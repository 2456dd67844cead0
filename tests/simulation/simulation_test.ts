/**
 * Seeded simulations of the collector on a machine that fails. A longer run:
 * `FIREHOUSE_SIM_RUNS=100000 FIREHOUSE_SIM_SEED=7 deno test … tests/simulation/`.
 */

import { ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import { type Bugs, NO_BUGS } from "./bugs.ts";
import { simulate } from "./simulation.ts";
import { type Step, step } from "./steps.ts";

const RUNS = Number(Deno.env.get("FIREHOUSE_SIM_RUNS") ?? 250);
const SEED = Number(Deno.env.get("FIREHOUSE_SIM_SEED") ?? 3);
/** A planted bug must be found within the runs of the usual test. */
const PLANTED_RUNS = 250, PLANTED_SEED = 3;

/** Simulations with such bugs. */
function property(bugs: Bugs) {
  const steps = fc.array(step, { maxLength: 60, size: "max" });
  return fc.asyncProperty(fc.nat(), steps, (seed, steps) => simulate(seed, steps, bugs));
}

Deno.test("[G1] [G2] [G3] [G7] [G12] whatever fails and ends, what was acknowledged is stored once, and the account closes", async () => {
  await fc.assert(property(NO_BUGS), { numRuns: RUNS, seed: SEED });
});

Deno.test("[G15] whatever the clocks say, nothing is lost or repeated", async () => {
  const clock = fc.constantFrom(-1_800_000, -60_000, -1, 1, 60_000, 1_800_000)
    .map((ms): Step => ({ kind: "clock", ms }));
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: step }, clock), {
    maxLength: 40,
    size: "max",
  });
  await fc.assert(
    fc.asyncProperty(fc.nat(), steps, (seed, steps) => simulate(seed, steps)),
    { numRuns: Math.ceil(RUNS / 5), seed: SEED },
  );
});

const PLANTED: readonly [string, Partial<Bugs>][] = [
  ["it acknowledges before the journal is flushed", { journalFlushes: false }],
  ["it acknowledges before the database is flushed", { flushes: false }],
  ["records leave the journal before they are committed", { removesAfterCommit: false }],
  ["event ids are not remembered", { remembersIds: false }],
  ["what is there already is applied again", { comparesNumbers: false }],
];
for (const [name, bug] of PLANTED) {
  Deno.test(`a planted bug is found: ${name}`, async () => {
    const result = await fc.check(property({ ...NO_BUGS, ...bug }), {
      numRuns: PLANTED_RUNS,
      seed: PLANTED_SEED,
      endOnFailure: true,
    });
    ok(result.failed, `not found in ${result.numRuns} runs`);
    if (Deno.env.has("FIREHOUSE_SIM_RUNS")) {
      const error = (result.errorInstance as Error).message;
      Deno.stdout.writeSync(new TextEncoder().encode(`run ${result.numRuns}: ${error}\n`));
    }
  });
}

Deno.test("[G7] a planted bug is found: what a failed flush left is not written again", async () => {
  const steps: Step[] = [
    { kind: "submit", events: ["named"], key: "none" },
    { kind: "incident", incident: "EIO", operations: 2 },
    { kind: "pass", ms: 8 },
    { kind: "submit", events: ["named"], key: "none" },
    { kind: "pass", ms: 40 },
    { kind: "crash", ending: "power", again: 0 },
  ];
  for (let seed = 0; seed < 20; seed++) await simulate(seed, steps);
  await rejects(async () => {
    for (let seed = 0; seed < 20; seed++) {
      await simulate(seed, steps, { ...NO_BUGS, rechecks: false });
    }
  }, /acknowledged and is lost/);
});

interface Example {
  readonly name: string;
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** What went wrong once. */
const REGRESSIONS: readonly Example[] = [
  {
    name:
      "[G7] a commit in doubt that is written again is not counted twice, nor the next called so",
    seed: 844173869,
    steps: [
      { kind: "submit", events: ["plain"], key: "none" },
      { kind: "submit", events: ["named"], key: "none" },
      { kind: "incident", incident: "EIO", operations: 4 },
      { kind: "disk", room: 0 },
      { kind: "pass", ms: 40 },
      { kind: "disk", room: 400 },
      { kind: "database", fault: "locked" },
      { kind: "submit", events: ["plain"], key: "none" },
      { kind: "pass", ms: 5 },
    ],
  },
  {
    name: "a key in the journal when the database was moved away is known after a kill",
    seed: 0,
    steps: [
      { kind: "submit", events: ["plain"], key: "new" },
      { kind: "database", fault: "locked" },
      { kind: "move-away" },
      { kind: "pass", ms: 5 },
      { kind: "database", fault: null },
      { kind: "crash", ending: "kill", again: 1 },
      { kind: "resend", which: 0 },
    ],
  },
  {
    name: "[G3] a segment that a power cut brings back into a new database is not applied twice",
    seed: 0,
    steps: [
      { kind: "database", fault: "locked" },
      { kind: "submit", events: ["named"], key: "none" },
      { kind: "pass", ms: 8 },
      { kind: "database", fault: null },
      { kind: "pass", ms: 40 },
      { kind: "move-away" },
      { kind: "crash", ending: "kill", again: 0 },
      { kind: "resend", which: 0 },
      { kind: "pass", ms: 8 },
      { kind: "database", fault: "locked" },
      { kind: "crash", ending: "power", again: 0 },
    ],
  },
  {
    name: "a key that went into a new database, the old one moved away, is known after a restart",
    seed: 0,
    steps: [
      { kind: "move-away" },
      { kind: "submit", events: ["plain"], key: "new" },
      { kind: "restart" },
      { kind: "resend", which: 0 },
    ],
  },
  {
    name: "[G12] a Worker that ends just before the database is moved away goes on",
    seed: 0,
    steps: [
      { kind: "submit", events: ["named"], key: "none" },
      { kind: "pass", ms: 8 },
      { kind: "submit", events: ["plain"], key: "none" },
      { kind: "move-away" },
      { kind: "incident", incident: "worker", operations: 1 },
      { kind: "pass", ms: 40 },
    ],
  },
  {
    name: "[G7] after a failed flush and a kill a start does not trust what it sees of the log",
    seed: 2,
    steps: [
      { kind: "database", fault: "locked" },
      { kind: "submit", events: ["named"], key: "none" },
      { kind: "pass", ms: 8 },
      { kind: "database", fault: null },
      { kind: "incident", incident: "EIO", operations: 2 },
      { kind: "pass", ms: 40 },
      { kind: "crash", ending: "kill", again: 0 },
      { kind: "crash", ending: "power", again: 0 },
    ],
  },
  {
    name: "[G7] after a failed flush and a kill a start that can not write the log again is none",
    seed: 3,
    steps: [
      { kind: "database", fault: "locked" },
      { kind: "submit", events: ["named"], key: "none" },
      { kind: "pass", ms: 8 },
      { kind: "database", fault: null },
      { kind: "incident", incident: "EIO", operations: 2 },
      { kind: "pass", ms: 40 },
      { kind: "crash", ending: "kill", again: 3, incident: "EIO" },
      { kind: "submit", events: ["plain"], key: "none" },
      { kind: "pass", ms: 40 },
      { kind: "crash", ending: "power", again: 0 },
    ],
  },
  {
    name: "[G7] a flush that fails while the database is opened again has it rechecked",
    seed: 878111290,
    steps: [
      { kind: "submit", events: ["named"], key: "none" },
      { kind: "move-away" },
      { kind: "incident", incident: "EIO", operations: 5 },
      { kind: "pass", ms: 2 },
      { kind: "incident", incident: "EIO", operations: 4 },
      { kind: "pass", ms: 3000 },
      { kind: "submit", events: ["named"], key: "none" },
      { kind: "pass", ms: 300 },
      { kind: "incident", incident: "power", operations: 1 },
      { kind: "submit", events: ["plain"], key: "none" },
      { kind: "pass", ms: 3000 },
    ],
  },
];
for (const { name, seed, steps } of REGRESSIONS) {
  Deno.test(name, async () => {
    await simulate(seed, steps);
    for (let other = 0; other < 20; other++) await simulate(other, steps);
  });
}
