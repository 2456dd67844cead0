/** Requests with good and bad events, and a store that fails: what becomes of all of them. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { Collecting, keyed, withIds } from "./fakes/collecting.ts";
import { letters } from "./fakes/letters.ts";
import type { Fault } from "./fakes/memory_store.ts";

const request = fc.record({
  ids: fc.array(fc.constantFrom("", "a", "b", "c", "d"), { minLength: 1, maxLength: 4 }),
  bad: fc.nat({ max: 3 }),
  isKeyed: fc.boolean(),
});
const faults = fc.array(fc.constantFrom<Fault>("none", "fail", "in-doubt", "journal"), {
  maxLength: 6,
});

for (const durability of ["disk", "memory"] as const) {
  Deno.test(`durability ${durability}: whatever fails, each event is a row or a letter once`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 8 }), faults, async (requests, faults) => {
        await using collecting = await Collecting.start({
          durability,
          faults,
          queueCapacity: 20,
          reject: ({ userId }) => Number(userId) % 5 === 0 ? "never" : null,
        });
        const { collector, store } = collecting;
        let accepted = 0, duplicates = 0, rejected = 0, received = 0;
        for (const [index, { ids, bad, isKeyed }] of requests.entries()) {
          const good = withIds(ids, 1 + index * 10);
          const aside = bad === 0
            ? null
            : letters(Array.from({ length: bad }, (_, i) => `${index} ${i}`));
          const key = isKeyed ? keyed(`k${index}`) : null;
          const answer = collector.submit(good, { keyed: key, aside });
          collecting.account();
          received += ids.length + bad;
          if ("code" in answer) rejected += ids.length + bad;
          else {
            accepted += answer.accepted;
            duplicates += answer.duplicates;
          }
          await Promise.resolve();
        }
        while (collecting.account().queued + collecting.account().in_flight > 0) {
          await new Promise((resolve) => setTimeout(resolve, 0));
          store.drain();
        }
        store.mode = "none";
        store.drain();
        deepEqual(
          collecting.terms("received", "accepted", "duplicates", "rejected"),
          [received, accepted, duplicates, rejected],
        );
        deepEqual(collecting.terms("committed", "dead_lettered"), [
          store.rows.length,
          store.deadLetters.length,
        ]);
        equal(store.rows.length + store.deadLetters.length, accepted);
        const raws = store.deadLetters.filter(({ reason }) => reason === "why").map(({ raw }) =>
          raw
        );
        equal(new Set(raws).size, raws.length, "a letter is there twice");
        deepEqual(collector.measured.letterReasons.of(store.deadLetters.length), {
          decoder: raws.length,
          database: store.deadLetters.length - raws.length,
          recovered: 0,
        });
      }),
      { numRuns: 60 },
    );
  });
}
