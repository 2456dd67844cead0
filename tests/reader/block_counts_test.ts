import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { BlockCounter, forEachCell } from "../../lib/reader/block_counts.ts";

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/** The unit, and how many there are by its times, source and type. */
function counted(counter: BlockCounter): [unitMs: number | null, cells: Map<string, number>] {
  const counts = counter.counts(), cells = new Map<string, number>();
  if (counts === null) return [null, cells];
  forEachCell(counts, (startMs, source, type, count) => {
    const key = JSON.stringify([startMs, source, type]);
    ok(!cells.has(key));
    cells.set(key, count);
  });
  return [counts.unitMs, cells];
}

const anyEvent = fc.tuple(
  fc.oneof(
    fc.integer({ min: -3 * DAY, max: 3 * DAY }),
    fc.integer({ min: 1_795_000_000_000, max: 1_795_300_000_000 }),
    fc.constantFrom(-1, 0, MINUTE - 1, MINUTE, 4e12),
  ),
  fc.constantFrom("native", "otlp", "", "s"),
  fc.constantFrom("click", "", null, "s"),
);

Deno.test("counts are those of the events, by minute, source and type", () => {
  fc.assert(fc.property(fc.array(anyEvent), (events) => {
    const counter = new BlockCounter(), meant = new Map<string, number>();
    for (const [receivedAt, source, type] of events) {
      counter.count(receivedAt, source, type);
      const key = JSON.stringify([Math.floor(receivedAt / MINUTE) * MINUTE, source, type]);
      meant.set(key, (meant.get(key) ?? 0) + 1);
    }
    deepEqual(counted(counter), [MINUTE, meant]);
  }));
});

Deno.test("with too many minutes they are counted by the hour, then by the day, then not at all", () => {
  const counter = new BlockCounter();
  const units: (number | null)[] = [];
  for (let day = 0, events = 0; units.at(-1) !== null; day++) {
    for (let hour = 0; hour < 24; hour++, events++) {
      counter.count(day * DAY + hour * HOUR, "native", null);
    }
    if (day % 100 !== 0) continue;
    const [unitMs, cells] = counted(counter);
    if (unitMs !== units.at(-1)) units.push(unitMs);
    if (unitMs !== null) equal([...cells.values()].reduce((a, b) => a + b, 0), events);
  }
  deepEqual(units, [MINUTE, DAY, null]); // an event an hour: the hour would not be coarser
});

Deno.test("many events of one minute need no coarser unit, several minutes an hour do", () => {
  const counter = new BlockCounter();
  for (let i = 0; i < 10_000; i++) counter.count(i, "native", "click");
  equal(counted(counter)[0], MINUTE);
  for (let i = 0; i < 5000; i++) counter.count(i * MINUTE, "native", "click");
  const [unitMs, cells] = counted(counter);
  equal(unitMs, HOUR);
  equal([...cells.values()].reduce((a, b) => a + b, 0), 15_000);
});

Deno.test("too many sources or types to tell apart give no counts", () => {
  for (const what of ["source", "type"]) {
    const counter = new BlockCounter();
    const count = (i: number) =>
      what === "source" ? counter.count(0, `${i}`, "t") : counter.count(0, "s", `${i}`);
    for (let i = 0; i < 1000; i++) count(i);
    equal(counted(counter)[1].size, 1000);
    count(1000);
    equal(counter.counts(), null);
    count(0);
    equal(counter.counts(), null);
  }
});
