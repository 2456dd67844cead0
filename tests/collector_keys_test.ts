/** Requests with an Idempotency-Key, and what holds of the account whatever happens. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { isRefusal } from "../lib/errors.ts";
import { scopeSeed } from "../lib/fingerprint.ts";
import { requestWords } from "../lib/idempotency.ts";
import { Collecting, keyed, withIds } from "./fakes/collecting.ts";
import { turn } from "./fakes/fake_time.ts";
import type { Fault } from "./fakes/memory_store.ts";
import { submission } from "./fakes/submissions.ts";

const REQUEST_TEXT = /[0-9a-f]{32} \d+ \d+ \d+ k/g;
const SOURCE_SEED = scopeSeed("test", Uint32Array.from([1, 2, 3, 4])); // as MemoryStore has it

Deno.test("a repeat of a key is answered like the first, and nothing is stored again", async () => {
  await using collecting = await Collecting.start();
  const { collector, store } = collecting;
  collecting.admit(withIds(["x"], 50));
  const first = collecting.admit(withIds(["x", "a", "b"]), keyed("k"));
  equal(await collector.flushed(first, 5000), true);
  const repeat = collecting.admit(withIds(["x", "a", "b"]), keyed("k"));
  deepEqual(
    [repeat.isReplay, repeat.events, repeat.accepted, repeat.duplicates],
    [true, 3, 2, 1],
  );
  equal(collector.receiptId(repeat), collector.receiptId(first));
  equal(await collector.committed(repeat, 5000), true);
  equal(store.rows.length, 3);
  deepEqual(collecting.terms("received", "accepted", "duplicates"), [7, 3, 4]);
  equal((await collector.stats()).replays, 1);
});

Deno.test("with durability disk a key is in flight until its events are flushed", async () => {
  await using collecting = await Collecting.start();
  const letGo = collecting.hold();
  const first = collecting.admit(submission([1]), keyed("k"));
  const refusal = collecting.refuse(submission([1]), keyed("k"));
  equal(refusal.code, "key-in-flight");
  ok(refusal.headers?.["retry-after"]);
  deepEqual(collecting.terms("received", "accepted", "rejected"), [2, 1, 1]);
  letGo();
  equal(await collecting.collector.flushed(first, 5000), true);
  equal(collecting.admit(submission([1]), keyed("k")).isReplay, true);
});

Deno.test("with durability memory a repeat is answered at once", async () => {
  await using collecting = await Collecting.start({ durability: "memory" });
  collecting.hold();
  collecting.admit(submission([1]), keyed("k"));
  equal(collecting.admit(submission([1]), keyed("k")).isReplay, true);
});

Deno.test("a key with another body is refused, in flight or not", async () => {
  await using collecting = await Collecting.start();
  const letGo = collecting.hold();
  const first = collecting.admit(submission([1]), keyed("k"));
  equal(collecting.refuse(submission([1]), keyed("k", "other")).code, "key-reused");
  letGo();
  await collecting.collector.flushed(first, 5000);
  equal(collecting.refuse(submission([1]), keyed("k", "other")).code, "key-reused");
  deepEqual(collecting.terms("accepted", "rejected"), [1, 2]);
});

Deno.test("a request that was refused leaves its key free", async () => {
  await using collecting = await Collecting.start({ queueCapacity: 1 });
  const letGo = collecting.hold();
  const first = collecting.admit(submission([1]));
  equal(collecting.refuse(submission([2]), keyed("k")).code, "queue-full");
  letGo();
  await collecting.collector.flushed(first, 5000);
  equal(collecting.admit(submission([2]), keyed("k")).isReplay, false);
});

Deno.test("what is known goes to the store with the first of its events, and into the next run", async () => {
  let requests = new Uint32Array();
  {
    await using collecting = await Collecting.start();
    const admission = collecting.admit(submission([1, 2]), keyed("k"));
    await collecting.collector.committed(admission, 5000);
    const texts = collecting.store.writes[0]?.rows.match(REQUEST_TEXT) ?? [];
    equal(texts.length, 1);
    requests = requestWords(texts[0] ?? "", SOURCE_SEED) as Uint32Array<ArrayBuffer>;
  }
  await using next = await Collecting.start({ opened: { requests } });
  const repeat = next.admit(submission([1, 2]), keyed("k"));
  deepEqual([repeat.isReplay, repeat.accepted, repeat.duplicates], [true, 2, 0]);
  equal(await next.collector.committed(repeat, 1000), true);
  equal(next.refuse(submission([1]), keyed("k", "other")).code, "key-reused");
  deepEqual(next.store.rows, []);
});

Deno.test("the receipt of a request of an earlier run does not name events of this one", async () => {
  let requests = new Uint32Array();
  {
    await using collecting = await Collecting.start();
    collecting.admit(submission([1, 2]), keyed("k"));
    await turn();
    const [text = ""] = collecting.store.writes[0]?.rows.match(REQUEST_TEXT) ?? [];
    requests = requestWords(text, SOURCE_SEED) as Uint32Array<ArrayBuffer>;
  }
  await using next = await Collecting.start({ opened: { requests } });
  next.hold();
  next.admit(submission([7, 8, 9]));
  const repeat = next.admit(submission([1, 2]), keyed("k"));
  // Those events were committed before this run: no receipt, or one that says so.
  const status = await next.collector.receipt(next.collector.receiptId(repeat));
  ok(status === null || status.status === "committed", JSON.stringify(status));
});

type Step =
  | {
    readonly kind: "submit";
    readonly ids: readonly string[];
    readonly key: string | null;
    readonly body: string;
  }
  | { readonly kind: "mode"; readonly mode: Fault }
  | { readonly kind: "refused"; readonly events: number }
  | { readonly kind: "drain"; readonly batches: number }
  | { readonly kind: "recovered"; readonly events: number }
  | { readonly kind: "hold" | "letGo" | "turn" | "lose" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("submit" as const),
      ids: fc.array(fc.constantFrom("", "", "a", "b", "c", "d"), { minLength: 1, maxLength: 5 }),
      key: fc.constantFrom(null, null, "k", "l"),
      body: fc.constantFrom("one", "one", "two"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("mode" as const),
      mode: fc.constantFrom<Fault>("none", "fail", "in-doubt", "journal"),
    }),
  },
  fc.record({ kind: fc.constant("refused" as const), events: fc.nat(4) }),
  fc.record({ kind: fc.constant("drain" as const), batches: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("recovered" as const), events: fc.integer({ min: 1, max: 3 }) }),
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("hold", "letGo", "turn") }) },
  fc.record({ kind: fc.constant("lose") }),
);

/** Does the steps one by one; the account is looked at after each, and within each write. */
async function run(
  steps: readonly Step[],
  durability: "disk" | "memory",
  recovered: number,
): Promise<void> {
  const collecting = await Collecting.start({
    durability,
    queueCapacity: 12,
    recentEventIds: 3,
    recovered,
    reject: ({ userId }) => Number(userId) % 7 === 0 ? "a seventh" : null,
  });
  const { collector, store } = collecting;
  let nextId = 1, letGo = () => {}, left = recovered, accepted = 0, received = 0;
  for (const each of steps) {
    if (each.kind === "submit") {
      const request = each.key === null ? null : keyed(each.key, each.body);
      const answer = collector.submit(withIds(each.ids, nextId), { keyed: request });
      received += each.ids.length;
      nextId += each.ids.length;
      if (!isRefusal(answer) && !answer.isReplay) accepted += answer.accepted;
    } else if (each.kind === "mode") store.mode = each.mode;
    else if (each.kind === "refused") {
      collector.countRefused("invalid-event", each.events);
      received += each.events;
    } else if (each.kind === "drain") store.drain(each.batches);
    else if (each.kind === "recovered") {
      const events = Math.min(each.events, left);
      left -= events;
      store.drainRecovered(events);
    } else if (each.kind === "lose") {
      if (left === 0) store.loseJournal();
    } else if (each.kind === "hold") {
      if (collecting.gate === null) letGo = collecting.hold();
    } else if (each.kind === "letGo") letGo();
    else await turn();
    collecting.account();
  }
  letGo();
  await collecting[Symbol.asyncDispose]();
  store.drainRecovered(left);
  store.drain();
  deepEqual(
    collecting.terms("received", "accepted", "queued", "in_flight", "journaled"),
    [received, accepted, 0, 0, 0],
  );
  deepEqual(collecting.terms("committed", "dead_lettered", "dropped"), [
    store.rows.length + recovered,
    store.deadLetters.length,
    store.state.lost,
  ]);
  equal(new Set(store.rows.map(({ userId }) => userId)).size, store.rows.length, "stored twice");
  deepEqual(collecting.ended, []);
}

for (const durability of ["disk", "memory"] as const) {
  Deno.test(`durability ${durability}: the account closes at every instant, whatever happens`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40, size: "max" }),
        fc.constantFrom(0, 0, 9),
        (steps, recovered) => run(steps, durability, recovered),
      ),
      { numRuns: 100 },
    );
  });
}

Deno.test("a batch that is lost from the journal before it is answered is still in flight", async () => {
  const submit = { kind: "submit", ids: [""], key: null, body: "one" } as const;
  const steps: Step[] = [
    submit,
    { kind: "mode", mode: "journal" },
    { kind: "turn" },
    { kind: "mode", mode: "in-doubt" },
    submit,
    { kind: "turn" },
    { kind: "lose" },
  ];
  await run(steps, "disk", 0);
});
