/** The settings of retention, and how it is shown. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { readCommand } from "../lib/config.ts";
import { retainBytesMin, retentionStats } from "../lib/retention.ts";

/** What a command line is refused with; empty if it is not. */
function refusal(...args: string[]): string {
  try {
    readCommand(args, {});
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

Deno.test("a limit of the file in which there is no room for events is refused with the smallest", () => {
  const min = retainBytesMin({ recentEventIds: 1_000_000, recentRequests: 1_000_000 });
  equal(refusal("--retain-bytes", `${min}`), "");
  equal(refusal("--retain-bytes", "0"), "");
  match(
    refusal("--retain-bytes", `${min - 1}`),
    new RegExp(`retain-bytes \\(${min - 1}\\) must be 0 or at least ${min}, as what is remembered`),
  );
  match(refusal("--retain-bytes", "10"), /must be 0 or at least/);
  const few = ["--recent-event-ids", "0", "--recent-requests", "1"];
  equal(refusal("--retain-bytes", "70000000", ...few), "");
});

Deno.test("days and what to do about events that were not exported are read", () => {
  equal(refusal("--retain-days", "36500", "--retain-unexported", "yes"), "");
  match(refusal("--retain-days", "36501"), /retain-days must be an integer from 0 to 36500/);
  match(refusal("--retain-unexported", "maybe"), /retain-unexported must be yes or no/);
});

const STATE = {
  oldest: { id: 7, receivedAt: Date.UTC(2026, 10, 24) },
  removed: 6,
  removedThisRun: 2,
  heldBy: "lake",
  heldUp: "export point lake has not come further",
  freeBytes: 8192,
  longestStepMs: 12.3456,
};

Deno.test("where it stands is shown with its times and sizes, and null before it is known", () => {
  equal(retentionStats(null), null);
  deepEqual(retentionStats(STATE), {
    oldest_id: 7,
    oldest_received_at: "2026-11-24T00:00:00.000Z",
    removed: 6,
    removed_this_run: 2,
    held_by: "lake",
    held_up: "export point lake has not come further",
    free_bytes: 8192,
    longest_step_ms: 12.3,
  });
});

Deno.test("no event, and one from a time that no date can hold, are shown as null", () => {
  const of = (oldest: typeof STATE.oldest | null) => {
    const { oldest_id, oldest_received_at } = retentionStats({ ...STATE, oldest }) ?? {};
    return [oldest_id, oldest_received_at];
  };
  deepEqual(of(null), [null, null]);
  deepEqual(of({ id: 7, receivedAt: 9e15 }), [7, null]);
});
