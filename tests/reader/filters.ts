/** Filters of which some find much, some little and some nothing in {@linkcode Blocks}. */

import fc from "fast-check";
import { ALL_EVENTS, type EventFilter } from "../../lib/query.ts";
import { BEGIN_MS, EVENTS } from "./blocks.ts";

const time = fc.oneof(
  fc.integer({ min: -1000, max: EVENTS }).map((n) => BEGIN_MS + n * 500),
  fc.integer({ min: -1, max: 31 }).map((hour) => BEGIN_MS + hour * 3_600_000),
);
const range = fc.oneof(
  fc.constant({ from: null, to: null }),
  time.map((from) => ({ from, to: null })),
  time.map((to) => ({ from: null, to })),
  fc.tuple(time, time).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) + 1 })),
);
const some = <T>(weight: number, ...values: fc.Arbitrary<T>[]) =>
  fc.oneof({ weight, arbitrary: fc.constant(null) }, fc.oneof(...values));
const user = some<string>(
  1,
  fc.integer({ min: -25, max: 3000 }).map(String),
  fc.integer({ min: 0, max: 2010 }).map((n) => `u${n}`),
  fc.constantFrom("17", "9223372036854775807", "9223372036854775808", "007", "-0", "u"),
);
const type = some(2, fc.constantFrom("rare", "click", "type1", "type29", "none"));
const source = some(3, fc.constantFrom("native", "mobile", "s7", "s1499", "none"));
const eventId = some<string>(
  4,
  fc.integer({ min: 1, max: EVENTS }).map((n) => `e${n}`),
  fc.constantFrom("again", "none"),
);
const where = fc.oneof(
  { weight: 4, arbitrary: fc.constant([]) },
  fc.constantFrom(
    [{ path: ["n"], value: "3" }],
    [{ path: ["tag"], value: "42" }],
    [{ path: ["at", "0"], value: "2" }, { path: ["tag"], value: "7" }],
    [{ path: ["none"], value: "" }],
  ),
);

/** Any of them. */
export const anyFilter: fc.Arbitrary<EventFilter> = fc.tuple(
  range,
  fc.record({ userId: user, type, source, eventId, where }),
).map(([times, rest]) => ({ ...ALL_EVENTS, ...rest, ...times }));

/** Those that the counts of blocks can answer. */
export const countedFilter: fc.Arbitrary<EventFilter> = fc.tuple(range, type, source)
  .map(([times, type, source]) => ({ ...ALL_EVENTS, ...times, type, source }));
