/**
 * Measures the whole collector on the machine at hand and writes bench/RESULTS.md. Ratios come from
 * runs that take turns; figures are medians. Give letters (`deno task bench:e2e a b`) to try a part
 * without writing the file.
 */

import { durability } from "./e2e/durability.ts";
import { growth } from "./e2e/growth.ts";
import { idempotency } from "./e2e/idempotency.ts";
import { journaling } from "./e2e/journaling.ts";
import { ladder } from "./e2e/ladder.ts";
import { halfLoad, memory } from "./e2e/latency.ts";
import { ingestWhileRead } from "./e2e/ingest_while_read.ts";
import { queries } from "./e2e/reading.ts";
import { retention } from "./e2e/retention.ts";
import { bulkEvents, singleEvents } from "./e2e/throughput.ts";
import { isInstalled, run } from "./e2e/tools.ts";

const ROUNDS = 5, SECONDS = 5;
/** Where each round has many runs. */
const FEW_ROUNDS = 3;

const only = Deno.args.filter((arg) => arg !== "--");
const wanted = (letter: string) => only.length === 0 || only.includes(letter);

for (const program of ["wrk", "h2load"]) {
  if (isInstalled(program)) continue;
  print(`${program} is needed: apt-get install wrk nghttp2-client`);
  Deno.exit(69);
}

const sections: string[] = [];
let perSecond = 60_000;

if (wanted("a")) {
  const single = await singleEvents(ROUNDS, SECONDS);
  perSecond = single.perSecond;
  section(
    "(a) Single events",
    "`POST /event`, one event a request, driven by wrk (1 thread) over loopback. *bare* is " +
      "the first rung of `bench/ladder_server.ts`: it reads the text, parses it, answers 202. *collector* counts only " +
      "what was committed (`synchronous=FULL`), over the time until the last event was. It runs with " +
      "`--durability memory`, as everything in (a) to (e): (f) has the default, disk, against it. " +
      "CPU is of the whole server process.",
    single.lines,
  );
}
if (wanted("l")) {
  section(
    "(a) Where the time goes",
    "CPU time of the main thread, which bounds (a), at 64 connections: `bench/ladder_server.ts` " +
      "does what the collector does up to a rung, with the collector's own parts.",
    await ladder(ROUNDS, 3),
  );
}
if (wanted("b")) {
  section(
    "(b) NDJSON in bulk",
    "`POST /events`, 500 events a request, 16 connections, driven by wrk. The ceiling is SQLite " +
      "inserting the same rows by itself (`INSERT … WITH RECURSIVE`) in transactions of the same " +
      "size, page size and `synchronous`, with the machine to itself. wrk sends without regard to " +
      "`Retry-After`, so the queue is full and part of the requests is refused; they cost time and " +
      "do not count.",
    await bulkEvents(ROUNDS, SECONDS, "memory"),
  );
}
if (wanted("c")) {
  section(
    "(c) Growth",
    "Commit rate through the store's own code, transactions of 10,000 events, " +
      "`synchronous=FULL`, checkpoints included: databases of four sizes take turns of 200,000 rows; " +
      "medians of 15 turns.",
    growth([1, 5, 10, 20]),
  );
}
if (wanted("d")) {
  section(
    "(d) Latency at half load",
    `\`POST /event\` at ${Math.round(perSecond / 2)} requests/s (half of what (a) reached), 64 ` +
      "connections, paced by h2load; the second row while another process holds the database's " +
      "write lock for the whole run.",
    await halfLoad(ROUNDS, SECONDS, perSecond / 2),
  );
}
if (wanted("e")) {
  section(
    "(e) Memory with the queue full",
    "The database is locked, events are sent until one is refused, then the lock is let go and the " +
      "queue drained. Default settings.",
    await memory(),
  );
}
if (wanted("f")) {
  section(
    "(f) Durability",
    "`POST /event`, driven by wrk (1 thread), with `--durability disk`, where the answer comes after " +
      "the flush, against `memory`, where it comes before; everything that was committed over the " +
      "time until the last of it was. CPU is user and system time of the whole process.",
    await durability(ROUNDS, SECONDS),
  );
}
if (wanted("g")) {
  section(
    "(g) Idempotency",
    "Durability disk, on a database of 20 M rows whose windows are full: 1 M ids and 1 M keys, " +
      "random ones. Each event that is sent has an id that was never sent before; *without* has the " +
      "same text in its metadata; *window off* is `--recent-event-ids 0`; *keys* is *without* and an " +
      `Idempotency-Key on every request. Medians of ${FEW_ROUNDS} runs in turn.`,
    await idempotency({ rounds: FEW_ROUNDS, seconds: SECONDS, millions: 20 }),
  );
}
if (wanted("h")) {
  section(
    "(h) The journal",
    "Durability disk while another process holds the database's write lock for the whole run: all " +
      "events go to the journal. Events a second are those that were answered 2xx; p99 is that of a " +
      "closed loop under full load. *written* is `write_bytes` of /proc/PID/io, from the start until " +
      "everything is in the database, *journal* the size of its files, both for each byte of the " +
      "bodies; the last checkpoint of up to 32 MiB of log is not in it. The journal is filled by NDJSON.",
    await journaling(FEW_ROUNDS, SECONDS),
  );
}
if (wanted("i")) {
  section(
    "(i) Retention",
    "A database of 20 M rows of 150 bytes, all to be removed by `--retain-days`, durability disk: " +
      "the same collector with and without it, in turn, under full load; then the rest of the rows " +
      "with nothing else to do. *longest step* is the longest time that a step of retention held " +
      "the write lock, its commit included, by the store Worker's own clock.",
    await retention({ rounds: FEW_ROUNDS, seconds: SECONDS, millions: 20 }),
  );
}
if (wanted("j")) {
  section(
    "(j) Queries",
    "A database of 20 M rows over 30 days (100,000 users, 13 types and a rare one, ids, 3 sources), " +
      "nothing else to do; from the request to the last byte of the answer. *without* is `--index off`, " +
      `once; *with* the median of ${ROUNDS}. No time limit for these: by default a query is cut off ` +
      "after 5 s and says so.",
    await queries({ rounds: ROUNDS, seconds: SECONDS, millions: 20 }),
  );
}
if (wanted("k")) {
  section(
    "(k) Ingest while it is read",
    "Durability disk, a database of 5 M rows, indexed. One collector under full load is by turns " +
      "read and not, 8 s each: *read* is 10 readers that ask for pages, a user, a rare type, a series, " +
      "a top list and the figures, one after the other with a second between, and 20 tails, half of " +
      "them of one type; they are one process with the lowest priority, as readers on another machine " +
      "would not take this one's time. Ratio: each turn against those before and after it. *index* " +
      "against `--index off`: runs of their own, nothing is asked.",
    await ingestWhileRead({ rounds: ROUNDS, seconds: SECONDS, millions: 5 }),
  );
}
if (only.length === 0) await Deno.writeTextFile("bench/RESULTS.md", await document());

function section(title: string, method: string, lines: readonly string[]): void {
  const text = `## ${title}\n\n${method}\n\n${lines.join("\n")}\n`;
  print(text);
  sections.push(text);
}

async function document(): Promise<string> {
  const cpu = /model name\s*: (.*)/.exec(await run("cat", ["/proc/cpuinfo"]))?.[1] ?? "unknown";
  const cores = navigator.hardwareConcurrency;
  return [
    "# Results\n",
    "Written by `deno task bench:e2e` (needs Debian's `wrk` and `nghttp2-client`, takes about 25 " +
    "minutes), which repeats every figure here on the machine at hand. `deno task bench` has the " +
    "parts one by one.\n",
    `Measured on ${new Date().toISOString().slice(0, 10)}: ${cores} cores (${cpu}), Linux, Deno ` +
    `${Deno.version.deno}, load generator and server on the same machine. Absolute figures drift ` +
    `on a shared machine; the ratios are from runs that took turns. In (a), (b), (d) and (f) each figure ` +
    `is the median of ${ROUNDS} runs of ${SECONDS} s, with the smallest and largest ratio in ` +
    `brackets; (e) is one run.\n`,
    ...sections,
  ].join("\n");
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
