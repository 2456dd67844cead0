/** Starting, ending and judging a collector that faults are done to. */

import { CollectorProcess } from "../e2e/collector_process.ts";
import { resend } from "./load.ts";
import { checkDatabase, type EventLog, type Tolerance } from "./oracle.ts";

/** What survives an answer. */
export type Durability = "disk" | "memory";

/** How to start it. */
export interface FaultStart {
  /** Where its database is. */
  readonly folder: string;
  /** Default `disk`. */
  readonly durability?: Durability;
  /** A command to run it under. */
  readonly under?: readonly string[];
  /** Another program: the folder of a copy with a bug planted. */
  readonly program?: string | undefined;
  readonly args?: readonly string[];
}

const FULL_NAME = "FIREHOUSE_FAULTS";

/** Whether the whole suite runs, or the part that takes a few minutes. */
export const FULL: boolean = Deno.env.get(FULL_NAME) === "full";

const STOP_TIMEOUT_MS = 60_000; // twice what the collector gives itself

/** Starts it. Rejects with its output, and after how long, if it does not come to listen. */
export async function start(options: FaultStart): Promise<CollectorProcess> {
  const { folder, durability = "disk", under = [], program, args = [] } = options;
  const env = ["env", "-u", FULL_NAME]; // it is no variable of the collector's
  const startedMs = performance.now();
  try {
    return await CollectorProcess.start({
      folder,
      under: [...env, ...program === undefined ? [] : ["-C", program], ...under],
      args: ["--durability", durability, ...args],
    });
  } catch (error) {
    const ms = Math.round(performance.now() - startedMs);
    throw new Error(`${(error as Error).message}(${ms} ms after its start)`);
  }
}

/** The same, but gives how it ended if it did not come to listen. */
export async function tryStart(
  options: FaultStart,
): Promise<CollectorProcess | "killed" | "refused"> {
  try {
    return await start(options);
  } catch (error) {
    const [, said] = /did not start:([^]*)/.exec(`${error}`) ?? [];
    if (said === undefined) throw error;
    return /error/i.test(said) ? "refused" : "killed";
  }
}

/** How to judge a folder. */
export interface Recovery extends Partial<Tolerance> {
  readonly log: EventLog;
  readonly durability?: Durability;
  readonly program?: string | undefined;
  /** Sends those events again, by their ids, that nobody knows about. Default: not. */
  readonly resendUnknown?: boolean;
}

/**
 * Starts a collector in a folder that a fault left, as any operator would, lets it settle and stop,
 * and gives every violation.
 */
export async function recover(folder: string, recovery: Recovery): Promise<string[]> {
  const { log, acceptedLostMax = 0, resendUnknown = false } = recovery;
  const violations: string[] = [];
  await using collector = await start({ ...recovery, folder });
  if (resendUnknown) {
    const unknown = log.events("unknown").filter(({ id }) => id !== null);
    await resend(collector.url, unknown, log);
  }
  const { residual } = await settled(collector);
  if (residual !== 0) violations.push(`O5: the residual is ${residual}`);
  const code = await stop(collector);
  if (code !== 0) {
    violations.push(`the stop after recovery ended with ${code}: ${collector.output}`);
  }
  violations.push(...checkDatabase(collector.database, log, { acceptedLostMax }));
  return violations;
}

/** Asks it to stop and gives its exit status; kills it if it does not end in time. */
export async function stop(collector: CollectorProcess): Promise<number> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    collector.kill("SIGKILL");
  }, STOP_TIMEOUT_MS);
  try {
    const code = await collector.stop();
    if (isLate) throw new Error(`it did not stop in time:\n${collector.output}`);
    return code;
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until nothing is queued, in flight or in the journal. */
export function settled(collector: CollectorProcess): ReturnType<CollectorProcess["until"]> {
  return collector.until(({ queued, in_flight, journaled }) =>
    queued === 0 && in_flight === 0 && journaled === 0
  );
}

/** A folder that is removed in the end. */
export class TempFolder implements AsyncDisposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "firehouse-fault-" });

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
