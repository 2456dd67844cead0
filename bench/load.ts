/** The load generator: sends events to a collector and checks its accounting. See `--help`. */

import { onSignals } from "../lib/signals.ts";
import { checkAccounting } from "./load/accounting.ts";
import { type LoadOptions, readOptions } from "./load/options.ts";
import { bar, ProgressLine } from "./load/progress.ts";
import { exitStatus, reportJson, reportText } from "./load/report.ts";
import { runLoad, type RunOptions } from "./load/run.ts";
import { settle, type Snapshot, takeSnapshot } from "./load/snapshot.ts";
import { Acknowledged, checkStored } from "./load/stored.ts";
import { Tally } from "./load/tally.ts";

const EXIT_UNREACHABLE = 1, EXIT_USAGE = 64, EXIT_INTERRUPTED = 130;
const SETTLE_MS = 60_000;
const UNREACHABLE_MS = 5000;
const STOP_PATIENCE_MS = 120_000;
const BAR_WIDTH = 30;

async function load(options: LoadOptions): Promise<number> {
  const signals = onSignals({ timeoutMs: STOP_PATIENCE_MS, onReload: null });
  const stop = new AbortController();
  let stoppedBy: string | null = null;
  signals.stop.then((name) => {
    stoppedBy = name;
    stop.abort();
  });
  signals.expired.then((why) => {
    print(Deno.stderr, `${why}: ending without a summary\n`);
    Deno.exit(EXIT_INTERRUPTED);
  });

  const before = await takeSnapshot(options.url);
  if (typeof before === "string") return unreachable(options.url, before);
  const tally = new Tally();
  const run = newRun();
  const acknowledged = options.db === null ? null : new Acknowledged(run, options.batch);
  const seconds = await send(options, { tally, run, acknowledged, signal: stop.signal });
  const after = await waitUntilStored(options.url);
  const own = { accepted: tally.accepted * options.batch, unknown: tally.unknown * options.batch };
  const accounting = checkAccounting(before, after, own);
  const stored = options.db === null || acknowledged === null
    ? null
    : checkStored(options.db, acknowledged);
  const status = exitStatus({ tally, accounting, stored });
  const result = { options, tally, seconds, accounting, stored, stoppedBy, exitStatus: status };
  print(Deno.stdout, options.json ? reportJson(result) : reportText(result));
  return status;
}

/** A name for a run that no other has. */
function newRun(): string {
  return `${Date.now().toString(36)}${crypto.randomUUID().slice(0, 4)}`;
}

function unreachable(url: string, why: string): number {
  print(
    Deno.stderr,
    `No collector can be used at ${url}: ${why}.\n` +
      "Start one with `deno task start`, or name another with --url.\n",
  );
  return EXIT_UNREACHABLE;
}

async function send(options: LoadOptions, how: RunOptions): Promise<number> {
  const { tally } = how;
  const { requests, durationSeconds } = options;
  const startMs = performance.now();
  using _line = new ProgressLine(() => {
    const seconds = (performance.now() - startMs) / 1000;
    const part = requests === null ? seconds / (durationSeconds ?? 1) : tally.ended / requests;
    const total = requests === null ? `${durationSeconds} s` : `${requests}`;
    const perSecond = Math.round(tally.ended / seconds);
    return `▕${bar(part, BAR_WIDTH)}▏ ${tally.ended} requests of ${total}, ${perSecond}/s, ` +
      `${tally.failed + tally.unknown} failed, ${tally.waiting} waiting`;
  });
  return await runLoad(options, how);
}

async function waitUntilStored(url: string): Promise<Snapshot | string> {
  let text = "waiting for the collector";
  using _line = new ProgressLine(() => text);
  return await settle(url, {
    settleMs: SETTLE_MS,
    unreachableMs: UNREACHABLE_MS,
    onSnapshot: ({ queued, in_flight, journaled }) => {
      text = `waiting for the collector: ${queued} queued, ${in_flight} in flight, ` +
        `${journaled} journaled`;
    },
  });
}

/** Writes the whole text: a pipe may take less than it is given. */
function print(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
}

async function main(args: readonly string[]): Promise<number> {
  const command = readOptions(args);
  switch (command.kind) {
    case "help":
      print(Deno.stdout, command.text);
      return 0;
    case "usage": {
      const { problems } = command;
      const list = problems.length === 1 ? ` ${problems[0]}` : `\n  ${problems.join("\n  ")}`;
      print(Deno.stderr, `Cannot start:${list}\n--help lists the flags.\n`);
      return EXIT_USAGE;
    }
    case "run":
      return await load(command.options);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
