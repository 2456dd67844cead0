import { notStrictEqual as different, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { cursorOf, idOfCursor, type Ordered } from "../lib/cursor.ts";
import { ALL_EVENTS, type EventFilter, type Order } from "../lib/query.ts";

const maybeText = fc.option(fc.string({ unit: "binary", maxLength: 4 }));
const maybeTime = fc.option(fc.integer());
const anyFilter: fc.Arbitrary<EventFilter> = fc.record({
  from: maybeTime,
  to: maybeTime,
  userId: maybeText,
  type: maybeText,
  source: maybeText,
  eventId: maybeText,
  where: fc.array(fc.record({ path: fc.array(fc.string()), value: fc.string() }), { maxLength: 2 }),
});
const anyQuery: fc.Arbitrary<Ordered> = fc.record({
  filter: anyFilter,
  order: fc.constantFrom<Order>("asc", "desc"),
});
const anyId = fc.oneof(
  fc.nat(3),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  fc.constant(Number.MAX_SAFE_INTEGER),
);
const QUERY: Ordered = { filter: ALL_EVENTS, order: "desc" };

Deno.test("every id survives, for the same query alone", () => {
  fc.assert(fc.property(anyId, anyQuery, anyQuery, (id, query, other) => {
    const cursor = cursorOf(id, query);
    equal(/^[\w-]{1,100}$/.test(cursor), true);
    equal(idOfCursor(cursor, query), id);
    if (JSON.stringify(query) !== JSON.stringify(other)) equal(idOfCursor(cursor, other), null);
  }));
});

Deno.test("[B93] a cursor of another order or filter is none", () => {
  const cursor = cursorOf(7, QUERY);
  equal(idOfCursor(cursor, { ...QUERY, order: "asc" }), null);
  for (const key of ["userId", "type", "source", "eventId"] as const) {
    equal(idOfCursor(cursor, { ...QUERY, filter: { ...ALL_EVENTS, [key]: "x" } }), null);
  }
  const swapped = cursorOf(7, { ...QUERY, filter: { ...ALL_EVENTS, type: "x" } });
  equal(idOfCursor(swapped, { ...QUERY, filter: { ...ALL_EVENTS, source: "x" } }), null);
});

Deno.test("[B93] a cursor that was changed or cut anywhere is none", () => {
  const cursor = cursorOf(123_456, QUERY);
  for (let at = 0; at < cursor.length; at++) {
    equal(idOfCursor(cursor.slice(0, at), QUERY), null);
    for (const other of "A_") {
      const changed = cursor.slice(0, at) + other + cursor.slice(at + 1);
      if (changed !== cursor) equal(idOfCursor(changed, QUERY), null);
    }
  }
});

Deno.test("[B93] what was made up is no cursor", () => {
  for (const text of ["", "7", "!", "a=", "ä", "x".repeat(1e6), "\0", "MS5kZXNjLjc", "../"]) {
    equal(idOfCursor(text, QUERY), null);
  }
  for (const place of ["1.desc.7", "1.desc.7.", "1.desc.-7.AAAAAAAAAAAA", "1.desc.7.x.y"]) {
    equal(idOfCursor(btoa(place).replaceAll("=", ""), QUERY), null);
  }
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    equal(idOfCursor(text, QUERY), null);
  }));
});

Deno.test("two places have two cursors", () => {
  different(cursorOf(1, QUERY), cursorOf(2, QUERY));
});
