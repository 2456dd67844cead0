/** Runs with a fault at every point, or at some of them. */

import { ok } from "node:assert/strict";
import { faultPoints, faultRun, type RunOptions } from "./fault_run.ts";
import { expectNone } from "./oracle.ts";
import { FULL } from "./process.ts";
import type { Effect, FaultPoint } from "./strace.ts";

/** What is swept. */
export interface SweepOptions extends RunOptions {
  readonly effect: Effect;
  /** About how many points are tried where not the whole suite runs. */
  readonly pointsInPart: number;
}

/** Throws with the violations of the first point that has some. */
export async function sweep({ effect, pointsInPart, ...options }: SweepOptions): Promise<void> {
  const all = await faultPoints(effect, options);
  const points = FULL ? all : spread(all, pointsInPart);
  let killed = 0;
  for (const point of points) {
    const { file, call, when } = point;
    const context = `with ${effect} at ${call} ${when} on ${file}`;
    const { ending, violations } = await faultRun(point, options).catch((cause) => {
      throw new Error(context, { cause });
    });
    if (ending === "killed") killed++;
    expectNone(violations, context);
  }
  if (effect !== "signal=SIGKILL") return;
  ok(killed > points.length / 2, `only ${killed} of ${points.length} runs were killed`);
}

/** About so many of them: of each call on each file the first, then evenly. */
function spread(points: readonly FaultPoint[], count: number): FaultPoint[] {
  const firsts = points.filter(({ when }) => when === 1);
  const others = points.filter(({ when }) => when > 1);
  const step = Math.max(1, others.length / Math.max(1, count - firsts.length));
  const chosen = others.filter((_, i) => Math.floor((i + 1) / step) > Math.floor(i / step));
  return [...firsts, ...chosen];
}
