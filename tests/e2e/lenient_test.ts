/** Requests of which some events are bad: rows, dead letters and receipts, also across a crash. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { allLetters, ask, refuseEvents } from "./dead_letters.ts";
import { LockHolder } from "./lock_holder.ts";
import {
  identified,
  JSON_BODY,
  LINES,
  marks,
  MEMORY,
  receipt,
  settledReceipt,
  TempFolder,
} from "./sending.ts";

const LENIENT = { ...LINES, prefer: "handling=lenient" };
const ASYNC = { ...LINES, prefer: "respond-async, handling=lenient" };
const BODY = [event(1), "bad 1", event(2), '{"user_id":1}'].join("\n");
const raws = async (collector: CollectorProcess) =>
  (await allLetters(collector)).map(({ raw }) => raw);

for (const durability of ["disk", "memory"]) {
  Deno.test(`[${durability}] good events are stored, bad ones kept, and the answer tells both`, async () => {
    const args = ["--durability", durability];
    await using collector = await CollectorProcess.start({ args });
    const { status, headers, text } = await collector.post("/events", BODY, LENIENT);
    equal(status, 202);
    equal(headers.get("preference-applied"), "handling=lenient");
    const { errors, ...rest } = JSON.parse(text);
    const stored = durability === "disk" ? "committed" : "queued";
    deepEqual(rest, { status: "accepted", accepted: 2, stored, rejected: 2 });
    deepEqual(errors.map(({ line, code }: { line: number; code: string }) => `${line} ${code}`), [
      "2 malformed-json",
      "4 missing",
    ]);
    const stats = await collector.settled();
    deepEqual(
      [stats.received, stats.accepted, stats.rejected, stats.committed, stats.dead_lettered],
      [4, 4, 0, 2, 2],
    );
    equal(stats.residual, 0);
    deepEqual(marks(collector.database), [1, 2]);
    deepEqual(await raws(collector), ["bad 1", '{"user_id":1}']);
    equal(await collector.stop(), 0);
    match(collector.output, /committed = 2, dead_lettered = 2/);
  });
}

Deno.test("a receipt counts the bad events of its own request as dead letters", async () => {
  await using collector = await CollectorProcess.start();
  const locations: (string | null)[] = [];
  for (const body of [event(1), BODY, "bad", event(2)]) {
    locations.push((await collector.post("/events", body, ASYNC)).headers.get("location"));
  }
  const found = [];
  for (const location of locations) found.push(await settledReceipt(collector, location));
  deepEqual(found, [
    { status: "committed", events: 1, dead_lettered: 0 },
    { status: "dead_lettered", events: 4, dead_lettered: 2 },
    { status: "dead_lettered", events: 1, dead_lettered: 1 },
    { status: "committed", events: 1, dead_lettered: 0 },
  ]);
});

Deno.test("with wait the answer comes once all of it is in the database", async () => {
  await using collector = await CollectorProcess.start();
  const headers = { ...LINES, prefer: "wait=10, handling=lenient" };
  const { status, headers: answered, text } = await collector.post("/events", BODY, headers);
  deepEqual([status, JSON.parse(text).stored], [200, "committed"]);
  equal(answered.get("preference-applied"), "wait=10, handling=lenient");
  equal((await raws(collector)).length, 2);
});

Deno.test("a repeat of the same request is answered like the first, and kept once", async () => {
  await using folder = new TempFolder();
  const headers = { ...LENIENT, "idempotency-key": "k" };
  let first = "";
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    first = (await collector.post("/events", BODY, headers)).text;
    const again = await collector.post("/events", BODY, headers);
    deepEqual([again.text, again.headers.get("idempotency-replayed")], [first, "true"]);
    await collector.stop("SIGKILL");
  }
  await using collector = await CollectorProcess.start({ folder: folder.path });
  equal((await collector.post("/events", BODY, headers)).text, first);
  deepEqual([marks(folder.database), (await raws(collector)).length], [[1, 2], 2]);
});

Deno.test("duplicates among the good events are counted beside the bad ones", async () => {
  await using collector = await CollectorProcess.start();
  await collector.post("/event", identified("a", "a"), JSON_BODY);
  const body = [identified("a", "again"), "bad", identified("b", "b"), identified("b", "again")];
  const { text } = await collector.post("/events", body.join("\n"), LENIENT);
  const { errors: _, ...rest } = JSON.parse(text);
  deepEqual(rest, {
    status: "accepted",
    accepted: 1,
    stored: "committed",
    duplicates: 2,
    rejected: 1,
  });
  deepEqual([marks(collector.database), await raws(collector)], [["a", "b"], ["bad"]]);
});

Deno.test("a good event that the database refuses is kept as sent, whatever stood before it", async () => {
  await using collector = await CollectorProcess.start();
  refuseEvents(collector.database, "refuse");
  const events = ["\u00a0", event("refuse 1"), "bad", event("é"), identified("x", "refuse 2")];
  await collector.post("/events", events.join(" \r\n\n"), LENIENT);
  await collector.post("/events", `[5, ${event("refuse 3")} ,true]`, { ...LENIENT, ...JSON_BODY });
  await collector.settled();
  const [, first, bad, , second] = events;
  deepEqual(
    (await raws(collector)).toSorted(),
    [
      ...[event("refuse 3"), "5", "true", "\u00a0", first, bad, second],
    ].toSorted(),
  );
  deepEqual(marks(collector.database), ["é"]);
});

Deno.test("[G1] bad events that were journaled are dead letters after kill -9, under their receipt", async () => {
  await using folder = new TempFolder();
  let location: string | null = null;
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    await using _lock = await LockHolder.start(collector.database);
    const { text } = await collector.post("/events", BODY, LENIENT);
    equal(JSON.parse(text).stored, "journaled");
    location = (await collector.post("/events", BODY, ASYNC)).headers.get("location");
    equal((await receipt(collector, location))?.status, "pending");
    equal(JSON.parse((await collector.post("/event", event("after"))).text).stored, "journaled");
    await collector.stop("SIGKILL");
  }
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const stats = await collector.settled();
  deepEqual([stats.recovered, stats.committed, stats.dead_lettered], [9, 5, 4]);
  equal(stats.residual, 0);
  deepEqual(marks(folder.database), [1, 2, 1, 2, "after"]);
  deepEqual(await raws(collector), ["bad 1", '{"user_id":1}', "bad 1", '{"user_id":1}']);
  deepEqual(await receipt(collector, location), {
    status: "dead_lettered",
    events: 4,
    dead_lettered: 2,
  });
});

Deno.test("a request whose bad events do not fit into the queue is refused whole", async () => {
  const args = [...MEMORY, "--queue-capacity", "5"];
  await using collector = await CollectorProcess.start({ args });
  {
    await using _lock = await LockHolder.start(collector.database);
    equal((await collector.post("/events", [event(8), event(9)].join("\n"), LINES)).status, 202);
    const refused = await collector.post("/events", BODY, LENIENT);
    equal(refused.status, 503, refused.text);
    const { received, accepted, rejected, residual } = await collector.stats();
    deepEqual([received, accepted, rejected, residual], [6, 2, 4, 0]);
  }
  await collector.settled();
  deepEqual([marks(collector.database), await raws(collector)], [[8, 9], []]);
  equal((await collector.post("/events", BODY, LENIENT)).status, 202);
  await collector.settled();
  equal((await raws(collector)).length, 2);
});

Deno.test("a strict request with a bad event leaves nothing behind", async () => {
  await using collector = await CollectorProcess.start();
  equal((await collector.post("/events", BODY, LINES)).status, 400);
  equal(
    (await collector.post("/event", '{"user_id":1}', { ...JSON_BODY, prefer: "handling=lenient" }))
      .status,
    422,
  );
  await collector.settled();
  deepEqual([marks(collector.database), await raws(collector)], [[], []]);
  ok((await ask(collector, "GET")).status === 200);
});
