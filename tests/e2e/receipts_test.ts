/** `GET /receipts/{id}`: how far events have got, in this run and after it. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CollectorProcess, event } from "./collector_process.ts";
import { problem, step } from "./expect.ts";
import { LockHolder } from "./lock_holder.ts";
import { JSON_BODY, LINES, MEMORY, receipt, settledReceipt, TempFolder } from "./sending.ts";
import { storedCount } from "./rows.ts";

/** Sends events and gives the Location of their receipt. */
async function send(collector: CollectorProcess, events: readonly string[]): Promise<string> {
  const headers = { ...LINES, prefer: "respond-async" };
  const answer = await collector.post("/events", events.join("\n"), headers);
  equal(answer.status, 202, answer.text);
  return answer.headers.get("location") ?? "";
}

function users(...ids: number[]): string[] {
  return ids.map((id) => event(`user ${id}`, id));
}

Deno.test("a receipt tells of its own events alone: committed, or how many are dead letters", async () => {
  await using collector = await CollectorProcess.start();
  const other = new DatabaseSync(collector.database, { timeout: 5000 });
  other.exec(`CREATE TRIGGER reject BEFORE INSERT ON events WHEN NEW.user_id >= 100
              BEGIN SELECT RAISE(ABORT, 'not today'); END`);
  other.close();
  const locations = await Promise.all([
    send(collector, users(1, 2, 3)),
    send(collector, users(4, 100, 5, 101)),
    send(collector, users(6)),
    send(collector, users(102)),
  ]);
  const found = [];
  for (const location of locations) found.push(await settledReceipt(collector, location));
  deepEqual(found, [
    { status: "committed", events: 3, dead_lettered: 0 },
    { status: "dead_lettered", events: 4, dead_lettered: 2 },
    { status: "committed", events: 1, dead_lettered: 0 },
    { status: "dead_lettered", events: 1, dead_lettered: 1 },
  ]);
});

Deno.test("dead letters found while the journal is applied are told, too", async () => {
  await using collector = await CollectorProcess.start();
  const other = new DatabaseSync(collector.database, { timeout: 5000 });
  other.exec(`CREATE TRIGGER reject BEFORE INSERT ON events WHEN NEW.user_id = 100
              BEGIN SELECT RAISE(ABORT, 'not today'); END`);
  other.exec("BEGIN IMMEDIATE");
  const locations: string[] = [];
  for (const each of [users(1, 2), users(3, 100, 4), users(5)]) {
    const headers = { ...LINES, prefer: "wait=0" };
    const { text } = await collector.post("/events", each.join("\n"), LINES);
    equal(JSON.parse(text).stored, "journaled");
    const answer = await collector.post("/events", each.join("\n"), headers);
    locations.push(answer.headers.get("location") ?? "");
  }
  other.exec("ROLLBACK");
  other.close();
  const found = [];
  for (const location of locations) found.push(await settledReceipt(collector, location));
  deepEqual(found.map((each) => [each?.status, each?.events, each?.dead_lettered]), [
    ["committed", 2, 0],
    ["dead_lettered", 3, 1],
    ["committed", 1, 0],
  ]);
  const { committed, dead_lettered, residual } = await collector.settled();
  deepEqual([committed, dead_lettered, residual], [10, 2, 0]);
});

Deno.test("what is no receipt, or is forged, is 404", async (t) => {
  await using collector = await CollectorProcess.start();
  const own = await send(collector, users(1, 2));
  equal((await settledReceipt(collector, own))?.status, "committed");
  const [, run = ""] = /^\/receipts\/([0-9a-f]{16})-0-2$/.exec(own) ?? [];
  const other = run.replace(/./g, (digit) => (15 - parseInt(digit, 16)).toString(16));
  const forged = [
    ...["", "x", run, `${run}-0`, `${run}-0-`, `${run}-0-3`, `${run}-1-2`, `${run}-2-1`],
    ...[`${run}-999999999999999-1`, `${run}-9999999999999999-1`, `${run}--1-1`, `${run}-0-1.0`],
    ...[
      `${run}-0-2/`,
      `${run}-0-2%00`,
      `${run.toUpperCase()}-0-2x`,
      `${other}-0-1`,
    ],
    ...["0000000000000000-0-1", "' OR 1=1--", "%2e%2e%2fstats", "9".repeat(200)],
  ];
  for (const id of forged) {
    await step(t, id.replaceAll(run, "RUN"), async () => {
      const answer = await fetch(`${collector.url}/receipts/${id}`);
      const { status, headers } = answer;
      problem({ status, headers, text: await answer.text() }, "unknown-receipt");
    });
  }
  const post = await collector.post(own, event("no"), JSON_BODY);
  problem(post, "method");
});

Deno.test("receipts outlive kill -9: committed ones, and those in the journal", async () => {
  await using folder = new TempFolder();
  let committed = "", journaled = "";
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    committed = await send(collector, users(1, 2));
    equal((await settledReceipt(collector, committed))?.status, "committed");
    await using _lock = await LockHolder.start(collector.database);
    journaled = await send(collector, users(3));
    await collector.until((stats) => stats.journaled === 1);
    equal((await receipt(collector, journaled))?.status, "pending");
    await collector.stop("SIGKILL");
  }
  await using collector = await CollectorProcess.start({ folder: folder.path });
  deepEqual(await receipt(collector, committed), {
    status: "committed",
    events: 2,
    dead_lettered: 0,
  });
  equal((await settledReceipt(collector, journaled))?.status, "committed");
  equal(storedCount(folder.database), 3);
  const beyond = journaled.replace(/-\d+-1$/, "-3-1");
  equal(await receipt(collector, beyond), null, "a receipt the earlier run never gave");
});

Deno.test("memory: what kill -9 lost is 404, what it did not is still committed [G1]", async () => {
  await using folder = new TempFolder();
  let committed = "", lost = "";
  {
    await using collector = await CollectorProcess.start({ folder: folder.path, args: MEMORY });
    committed = await send(collector, users(1, 2));
    equal((await settledReceipt(collector, committed))?.status, "committed");
    await using _lock = await LockHolder.start(collector.database);
    lost = await send(collector, users(3, 4, 5));
    equal((await receipt(collector, lost))?.status, "pending");
    await collector.stop("SIGKILL");
  }
  await using collector = await CollectorProcess.start({ folder: folder.path, args: MEMORY });
  equal((await receipt(collector, committed))?.status, "committed");
  equal(await receipt(collector, lost), null);
  const { unclean_runs, lost_at_most } = await collector.stats();
  deepEqual([unclean_runs, lost_at_most], [1, 30_000]);
});
