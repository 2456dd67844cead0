/** Requests of which some events were found bad: admitted whole or refused whole, and counted. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { Collecting, keyed, withIds } from "./fakes/collecting.ts";
import { letters } from "./fakes/letters.ts";
import { RUN } from "./fakes/memory_store.ts";
import { rawText, submission } from "./fakes/submissions.ts";

/** The users of the stored events, and the raw texts of the dead letters. */
function stored({ store }: Collecting): [users: number[], raws: string[]] {
  return [store.rows.map(({ userId }) => Number(userId)), store.deadLetters.map(({ raw }) => raw)];
}

Deno.test("good events become rows and bad ones dead letters, under one receipt", async () => {
  await using collecting = await Collecting.start();
  const { collector } = collecting;
  const letGo = collecting.hold();
  const admission = collecting.admit(submission([1, 2]), null, letters(["a", "b", "c"]));
  deepEqual(admission, {
    events: 5,
    accepted: 5,
    duplicates: 0,
    first: 0,
    sequence: 5,
    isReplay: false,
  });
  deepEqual(collecting.terms("received", "accepted", "queued", "dead_lettered"), [5, 5, 5, 0]);
  equal((await collector.receipt(`${RUN}-0-5`))?.status, "pending");
  equal(await collector.flushed(admission, 0), false, "acknowledged before it is on the disk");
  letGo();
  equal(await collector.committed(admission, 5000), true);
  deepEqual(collecting.terms("committed", "dead_lettered", "queued", "in_flight"), [2, 3, 0, 0]);
  deepEqual(await collector.receipt(collector.receiptId(admission)), {
    status: "dead_lettered",
    events: 5,
    dead_lettered: 3,
  });
  const next = collecting.admit(submission([3]));
  deepEqual([next.first, next.sequence], [5, 6]);
  await collector.committed(next, 5000);
  equal((await collector.receipt(`${RUN}-5-1`))?.status, "committed");
  deepEqual(stored(collecting), [[1, 2, 3], ["a", "b", "c"]]);
});

Deno.test("a request of which every event is bad is admitted like any other", async () => {
  await using collecting = await Collecting.start();
  const admission = collecting.admit(letters(["a", "b"]));
  equal(await collecting.collector.committed(admission, 5000), true);
  deepEqual(collecting.terms("accepted", "committed", "dead_lettered"), [2, 0, 2]);
  deepEqual(stored(collecting), [[], ["a", "b"]]);
});

for (
  const [what, options] of [
    ["events", { queueCapacity: 5 }],
    ["bytes", { queueBytes: submission([1, 2]).bytes + submission([3, 4]).bytes + 100 }],
  ] as const
) {
  Deno.test(`a request whose good and bad events fit only one without the other is refused whole: ${what}`, async () => {
    await using collecting = await Collecting.start(options);
    const letGo = collecting.hold();
    const first = collecting.admit(submission([1, 2]));
    const refusal = collecting.refuse(submission([3, 4]), null, letters(["a", "b"]));
    equal(refusal.code, "queue-full");
    ok(refusal.headers?.["retry-after"]);
    deepEqual(collecting.terms("received", "accepted", "rejected"), [6, 2, 4]);
    deepEqual([
      (await collecting.collector.stats()).queue.events,
      collecting.admit(submission([3, 4]), null, letters(["c"])).accepted,
    ], [2, 3]);
    letGo();
    equal(await collecting.collector.committed(first, 5000), true);
    await collecting.collector.drain();
    deepEqual(stored(collecting), [[1, 2, 3, 4], ["c"]]);
  });
}

Deno.test("a request that can never fit with its bad events is told so", async () => {
  await using collecting = await Collecting.start({ queueCapacity: 3 });
  const refusal = collecting.refuse(submission([1, 2]), null, letters(["a", "b"]));
  deepEqual([refusal.code, refusal.headers], ["too-many-events", undefined]);
  equal(collecting.admit(submission([1, 2]), null, letters(["a"])).accepted, 3);
});

Deno.test("duplicates among the good events leave the bad ones as they are", async () => {
  await using collecting = await Collecting.start();
  const { collector } = collecting;
  collecting.admit(withIds(["a"]));
  const some = collecting.admit(withIds(["b", "a", "", "b"], 10), null, letters(["x", "y"]));
  deepEqual(
    [some.events, some.accepted, some.duplicates, some.first, some.sequence],
    [6, 4, 2, 1, 5],
  );
  const all = collecting.admit(withIds(["a", "b"], 20), null, letters(["z"]));
  deepEqual([all.events, all.accepted, all.duplicates, all.first, all.sequence], [3, 1, 2, 5, 6]);
  equal(await collector.committed(all, 5000), true);
  deepEqual(stored(collecting), [[1, 10, 12], ["x", "y", "z"]]);
  deepEqual(
    collecting.terms("received", "accepted", "duplicates", "committed", "dead_lettered"),
    [10, 6, 4, 3, 3],
  );
  deepEqual(await collector.receipt(collector.receiptId(some)), {
    status: "dead_lettered",
    events: 4,
    dead_lettered: 2,
  });
});

Deno.test("a key is stored with the events of its request, and the repeat is answered like the first", async () => {
  for (const good of [withIds(["a", "b"]), withIds(["a"])]) { // all of the second are known
    await using collecting = await Collecting.start();
    const { collector, store } = collecting;
    const first = collecting.admit(withIds(["a"]));
    const keyedFirst = collecting.admit(good, keyed("k"), letters(["x", "y"]));
    equal(await collector.committed(keyedFirst, 5000), true);
    equal(store.writes.at(-1)?.rows.split(" k").length, 2, "the key is not there once");
    const repeat = collecting.admit(good, keyed("k"), letters(["x", "y"]));
    const { events, accepted, duplicates } = keyedFirst;
    deepEqual(repeat, { ...repeat, events, accepted, duplicates, isReplay: true });
    deepEqual(store.deadLetters.map(({ raw }) => raw), ["x", "y"]);
    const other = collecting.refuse(good, keyed("k", "other"), letters(["x"]));
    equal(other.code, "key-reused");
    equal(first.accepted, 1);
  }
});

Deno.test("a request with bad events that was refused leaves its key and its ids free", async () => {
  await using collecting = await Collecting.start({ queueCapacity: 3 });
  const letGo = collecting.hold();
  const first = collecting.admit(submission([1]));
  equal(collecting.refuse(withIds(["a"]), keyed("k"), letters(["x", "y"])).code, "queue-full");
  letGo();
  equal(await collecting.collector.committed(first, 5000), true);
  const again = collecting.admit(withIds(["a"], 2), keyed("k"), letters(["x", "y"]));
  deepEqual([again.accepted, again.duplicates, again.isReplay], [3, 0, false]);
});

Deno.test("the good and the bad events of a request are in one transaction, however full it is", async () => {
  const writer = {
    batchSize: 1,
    lingerMs: 0,
    transactionEvents: 4,
    transactionBytes: 1e9,
    retryMs: { min: 1, max: 2 },
  };
  await using collecting = await Collecting.start({ writer });
  const letGo = collecting.hold();
  for (const id of [1, 2, 3, 4, 5]) collecting.admit(submission([id]));
  const last = collecting.admit(submission([6, 7, 8]), keyed("k"), letters(["a", "b"]));
  letGo();
  equal(await collecting.collector.committed(last, 5000), true);
  deepEqual(stored(collecting), [[1, 2, 3, 4, 5, 6, 7, 8], ["a", "b"]]);
  const withLetters = collecting.store.writes.filter(({ aside }) => aside > 0);
  equal(withLetters.length, 1);
  ok(withLetters[0]?.rows.includes(rawText(8)), "a crash between would keep a part, and the key");
});

Deno.test("a good event that the store refuses joins the bad ones, with its own raw text", async () => {
  await using collecting = await Collecting.start({
    reject: ({ userId }) => userId === "2" ? "never" : null,
  });
  const admission = collecting.admit(submission([1, 2, 3]), null, letters(["a"]));
  equal(await collecting.collector.committed(admission, 5000), true);
  deepEqual(stored(collecting), [[1, 3], ["a", rawText(2)]]);
  deepEqual(
    collecting.store.deadLetters.map(({ index, reason }) => [index, reason]),
    [[3, "why"], [1, "never"]],
  );
  deepEqual(collecting.terms("committed", "dead_lettered"), [2, 2]);
});

Deno.test("a collector that stops refuses good and bad events alike", async () => {
  const collecting = await Collecting.start();
  await collecting.collector.drain();
  equal(collecting.refuse(submission([1]), null, letters(["a"])).code, "draining");
  deepEqual(collecting.terms("received", "rejected"), [2, 2]);
});
