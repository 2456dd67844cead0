import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { SourceSeeds } from "../lib/event_ids.ts";
import { fingerprint } from "../lib/fingerprint.ts";
import { Collecting, withIds } from "./fakes/collecting.ts";
import { turn } from "./fakes/fake_time.ts";
import { MemoryStore, RUN } from "./fakes/memory_store.ts";
import { submission } from "./fakes/submissions.ts";

Deno.test("what is admitted is queued, in flight and then committed, and each is waited for", async () => {
  await using collecting = await Collecting.start();
  const { collector } = collecting;
  const letGo = collecting.hold();
  const first = collecting.admit(submission([1, 2]));
  deepEqual(first, {
    events: 2,
    accepted: 2,
    duplicates: 0,
    first: 0,
    sequence: 2,
    isReplay: false,
  });
  deepEqual(collecting.terms("queued", "in_flight", "committed"), [2, 0, 0]);
  await turn();
  deepEqual(collecting.terms("queued", "in_flight", "committed"), [0, 2, 0]);
  const second = collecting.admit(submission([3]));
  deepEqual([second.first, second.sequence], [2, 3]);
  equal(collector.level(first), "queued");
  equal(await collector.flushed(first, 0), false);
  letGo();
  deepEqual(
    await Promise.all([collector.flushed(first, 5000), collector.committed(second, 5000)]),
    [true, true],
  );
  deepEqual([collector.level(first), collector.level(second)], ["committed", "committed"]);
  deepEqual(collecting.terms("received", "accepted", "committed"), [3, 3, 3]);
});

Deno.test("what is journaled is flushed, not committed, until it is applied", async () => {
  await using collecting = await Collecting.start();
  const { collector, store } = collecting;
  store.mode = "journal";
  const admission = collecting.admit(submission([1, 2]));
  equal(await collector.flushed(admission, 5000), true);
  equal(collector.level(admission), "journaled");
  equal(await collector.committed(admission, 0), false);
  deepEqual(collecting.terms("journaled", "committed", "in_flight"), [2, 0, 0]);
  const committed = collector.committed(admission, 5000);
  store.drain();
  equal(await committed, true);
  equal(collector.level(admission), "committed");
  deepEqual(collecting.terms("journaled", "committed"), [0, 2]);
});

Deno.test("an answer that is not there in time is false, and a stop ends the wait", async () => {
  const collecting = await Collecting.start();
  collecting.hold();
  const admission = collecting.admit(submission([1]));
  equal(await collecting.collector.flushed(admission, 50), false);
  const waiting = collecting.collector.flushed(admission, 60_000);
  collecting.collector.abandon();
  equal(await waiting, false);
  deepEqual(collecting.ended, [], "an abandoned writer was told to have ended by itself");
});

Deno.test("a journaled batch gives the channel its room back", async () => {
  await using collecting = await Collecting.start({ queueCapacity: 2 });
  collecting.store.mode = "journal";
  for (const id of [1, 3, 5]) {
    const admission = collecting.admit(submission([id, id + 1]));
    equal(collecting.refuse(submission([99])).code, "queue-full");
    equal(await collecting.collector.flushed(admission, 5000), true);
  }
  deepEqual(collecting.terms("journaled", "rejected", "queued", "in_flight"), [6, 3, 0, 0]);
});

Deno.test("events of an earlier run in the journal are recovered and then committed", async () => {
  await using collecting = await Collecting.start({ recovered: 5 });
  const { collector, store } = collecting;
  deepEqual(collecting.terms("recovered", "journaled", "accepted"), [5, 5, 0]);
  const admission = collecting.admit(submission([1]));
  equal(await collector.flushed(admission, 5000), true);
  store.drainRecovered(3, { deadLetters: 1 });
  deepEqual(collecting.terms("journaled", "committed", "dead_lettered"), [3, 2, 1]);
  equal(collector.level(admission), "journaled", "events of another run were taken for its own");
  store.drainRecovered(2, { lost: 1 });
  deepEqual(collecting.terms("journaled", "committed", "dropped"), [1, 3, 1]);
  equal(collector.level(admission), "journaled");
  store.drain();
  deepEqual(collecting.terms("journaled", "committed", "dead_lettered", "dropped"), [0, 4, 1, 1]);
  equal(collector.level(admission), "committed");
});

Deno.test("what the journal held and was destroyed is dropped, and nobody waits for it any more", async () => {
  await using collecting = await Collecting.start();
  const { collector, store } = collecting;
  equal(await collector.committed(collecting.admit(submission([1])), 5000), true);
  store.mode = "journal";
  const lost = collecting.admit(submission([2, 3]));
  equal(await collector.flushed(lost, 5000), true);
  store.loseJournal();
  deepEqual(collecting.terms("journaled", "committed", "dropped"), [0, 1, 2]);
  store.mode = "none";
  const next = collecting.admit(submission([4]));
  equal(await collector.committed(next, 5000), true);
  deepEqual(collecting.terms("journaled", "committed", "dropped"), [0, 2, 2]);
});

Deno.test("what is stored and said to have failed is in flight until it is said to be stored", async () => {
  await using collecting = await Collecting.start({ faults: ["journal", "in-doubt", "fail"] });
  const { collector, store } = collecting;
  const first = collecting.admit(submission([1]));
  equal(await collector.flushed(first, 5000), true);
  const second = collecting.admit(submission([2, 3]));
  while (store.writes.length < 2) await turn();
  deepEqual(collecting.terms("journaled", "committed", "in_flight"), [1, 0, 2]);
  store.drain();
  deepEqual(collecting.terms("journaled", "committed", "in_flight"), [0, 1, 2]);
  deepEqual([collector.level(first), collector.level(second)], ["committed", "queued"]);
  equal(await collector.committed(second, 5000), true);
  deepEqual(collecting.terms("journaled", "committed", "in_flight"), [0, 3, 0]);
});

Deno.test("a repeat of an event that is in the journal of an earlier run is not called committed", async () => {
  const seed = Uint32Array.from([1, 2, 3, 4]), eventIds = new Uint32Array(4);
  fingerprint("a", new SourceSeeds(seed).get("test"), eventIds, 0);
  await using collecting = await Collecting.start({ recovered: 1, opened: { seed, eventIds } });
  const repeat = collecting.admit(withIds(["a"]));
  deepEqual([repeat.accepted, repeat.duplicates], [0, 1]);
  equal(collecting.collector.level(repeat), "journaled");
  collecting.store.drainRecovered(1);
  equal(collecting.collector.level(repeat), "committed");
});

Deno.test("what is applied while the store is opened is counted too", async () => {
  const collecting = new Collecting({ recovered: 5 });
  const open = MemoryStore.prototype.open;
  collecting.store.open = async (events) => {
    const opened = await open.call(collecting.store, events);
    collecting.store.drainRecovered(2);
    return opened;
  };
  await using _ = collecting;
  await collecting.collector.start();
  deepEqual(collecting.terms("recovered", "journaled", "committed"), [5, 3, 2]);
});

Deno.test("a row that the database refuses is a dead letter, on either way", async () => {
  await using collecting = await Collecting.start({
    reject: ({ userId }) => userId === "2" || userId === "4" ? "never" : null,
  });
  const { collector, store } = collecting;
  const first = collecting.admit(submission([1, 2]));
  equal(await collector.committed(first, 5000), true);
  deepEqual(collecting.terms("committed", "dead_lettered"), [1, 1]);
  store.mode = "journal";
  const second = collecting.admit(submission([3, 4]));
  equal(await collector.flushed(second, 5000), true);
  deepEqual(collecting.terms("committed", "dead_lettered", "journaled"), [1, 1, 2]);
  store.drain();
  deepEqual(collecting.terms("committed", "dead_lettered", "journaled"), [2, 2, 0]);
});

for (const durability of ["disk", "memory"] as const) {
  Deno.test(`a store that fails, with durability ${durability}`, async () => {
    await using collecting = await Collecting.start({ durability });
    const { collector, store } = collecting;
    store.mode = "fail";
    const first = collecting.admit(submission([1]));
    while (collecting.failed.length === 0) await turn();
    if (durability === "disk") {
      const refusal = collecting.refuse(withIds(["a"]));
      equal(refusal.code, "store-failing");
      match(refusal.detail, /scripted/);
      deepEqual(collecting.terms("accepted", "rejected", "queued"), [1, 1, 0]);
    } else {
      collecting.admit(withIds(["b"]));
      deepEqual(collecting.terms("accepted", "rejected"), [2, 0]);
    }
    ok(((await collector.stats()).last_commit_error ?? "").includes("scripted"));
    store.mode = "none";
    equal(await collector.committed(first, 5000), true);
    const again = collecting.admit(withIds(["a"]));
    equal(again.duplicates, 0, "what was refused was remembered");
    equal(await collector.committed(again, 5000), true);
    equal((await collector.stats()).last_commit_error, null);
  });
}

Deno.test("an event whose id was admitted before is a duplicate, counted and not stored", async () => {
  await using collecting = await Collecting.start();
  const { collector, store } = collecting;
  collecting.admit(withIds(["a", "b", ""]));
  const second = collecting.admit(withIds(["c", "b", "", "c", "a"], 10));
  deepEqual(
    [second.events, second.accepted, second.duplicates, second.first, second.sequence],
    [5, 2, 3, 3, 5],
  );
  equal(await collector.committed(second, 5000), true);
  deepEqual(store.rows.map(({ userId }) => userId), ["1", "2", "3", "10", "12"]);
  deepEqual(collecting.terms("received", "accepted", "duplicates"), [8, 5, 3]);
});

Deno.test("a repeat of events that are not on the disk yet waits for them", async () => {
  await using collecting = await Collecting.start();
  const { collector } = collecting;
  const letGo = collecting.hold();
  collecting.admit(withIds(["a"]));
  const repeat = collecting.admit(withIds(["a"]));
  deepEqual([repeat.accepted, repeat.duplicates], [0, 1]);
  equal(await collector.flushed(repeat, 0), false, "acknowledged before it is on the disk");
  letGo();
  equal(await collector.flushed(repeat, 5000), true);
});

Deno.test("a receipt names the run and the events, and says how far they have got", async () => {
  await using collecting = await Collecting.start({
    reject: ({ userId }) => userId === "3" ? "never" : null,
  });
  const { collector } = collecting;
  const letGo = collecting.hold();
  const first = collecting.admit(submission([1, 2])), second = collecting.admit(submission([3]));
  deepEqual([collector.receiptId(first), collector.receiptId(second)], [
    `${RUN}-0-2`,
    `${RUN}-2-1`,
  ]);
  equal((await collector.receipt(`${RUN}-0-2`))?.status, "pending");
  letGo();
  await collector.committed(second, 5000);
  deepEqual(await collector.receipt(`${RUN}-0-2`), {
    status: "committed",
    events: 2,
    dead_lettered: 0,
  });
  deepEqual(await collector.receipt(`${RUN}-2-1`), {
    status: "dead_lettered",
    events: 1,
    dead_lettered: 1,
  });
  for (const id of [`${RUN}-2-2`, `${RUN.replace("0", "f")}-0-1`, "nonsense"]) {
    equal(await collector.receipt(id), null, id);
  }
});

Deno.test("a collector that stops stores what it has, closes the store and takes no more", async () => {
  const collecting = await Collecting.start();
  collecting.admit(submission([1, 2]));
  await collecting.collector.drain();
  deepEqual(collecting.terms("committed", "queued", "in_flight"), [2, 0, 0]);
  equal(collecting.store.isClosed, true);
  equal(collecting.refuse(withIds(["a"])).code, "draining");
  deepEqual(collecting.terms("received", "rejected"), [3, 1]);
});

Deno.test("a request that was refused elsewhere is counted with the events it held", async () => {
  await using collecting = await Collecting.start();
  collecting.collector.countRefused("invalid-event", 3);
  deepEqual(collecting.terms("received", "rejected"), [3, 3]);
  deepEqual((await collecting.collector.stats()).refused_requests, { "invalid-event": 1 });
});

Deno.test("a store that does not open is not started", async () => {
  const collecting = new Collecting();
  collecting.store.open = () => Promise.reject(new Error("no database"));
  await rejects(collecting.collector.start(), /no database/);
});
