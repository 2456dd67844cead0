/** What holds of the writer whatever the store does. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import type { Fault } from "./fakes/memory_store.ts";
import { submission } from "./fakes/submissions.ts";
import { rejectIds, setUp, storedIds } from "./fakes/writing.ts";

Deno.test("whatever fails, each event is a row once or a dead letter once, in order", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 });
  const faults = fc.array(fc.constantFrom<Fault>("none", "fail", "in-doubt", "journal"), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(
      sizes,
      sizes,
      faults,
      fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 8 }),
      fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      fc.integer({ min: 1, max: 12 }),
      async (before, during, faults, rejected, rejectedMax, transactionEvents) => {
        let lastId = 0;
        const submissionOf = (size: number) =>
          submission(Array.from({ length: size }, () => ++lastId));
        const later = during.slice();
        const writing = setUp({
          submissions: before.map(submissionOf),
          faults,
          reject: rejectIds(...rejected),
          ...rejectedMax !== undefined && { rejectedMax },
          transactionEvents,
          retryMs: { min: 0.01, max: 0.1 },
          during: () => {
            const size = later.shift();
            if (size === undefined) writing.channel.close();
            else equal(writing.channel.trySend(submissionOf(size)), "sent");
          },
        });
        if (before.length === 0) writing.channel.close();
        await writing.writer.run(writing.signal);

        const { store, stored, channel } = writing;
        store.drain();
        const all = Array.from({ length: lastId }, (_, i) => i + 1);
        deepEqual(storedIds(store), all.filter((id) => !rejected.includes(id)));
        const dead = store.deadLetters.map(({ raw }) => JSON.parse(raw).n as number);
        deepEqual(dead.toSorted((a, b) => a - b), all.filter((id) => rejected.includes(id)));
        for (const { raw, reason } of store.deadLetters) equal(`no ${JSON.parse(raw).n}`, reason);
        deepEqual(store.committed, store.committed.map((_, i) => i + 1));
        equal(stored.reduce((sum, { events }) => sum + events, 0), lastId);
        deepEqual([channel.inFlightEvents, channel.inFlightBytes, channel.queuedEvents], [0, 0, 0]);
      },
    ),
    { numRuns: 150 },
  );
});
