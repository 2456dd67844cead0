import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import {
  decodeBatch,
  decodeGroups,
  encodeBatch,
  type EventRecord,
  type EventRow,
  fieldsOf,
  fieldsPerRow,
  FORBIDDEN_IN_FIELDS,
  type Submission,
} from "../lib/event.ts";
import { jsonObjectText } from "./fakes/json_arbitrary.ts";

interface Group {
  readonly receivedAt: number;
  readonly source: string;
  readonly events: readonly EventRecord[];
}

function submissionOf({ receivedAt, source, events }: Group): Submission {
  const fields = events.flatMap(fieldsOf);
  const splitBody = () => [];
  const shared = { receivedAt, source, protocol: "test" };
  return { events: events.length, bytes: 0, ...shared, fields, body: "", splitBody };
}

function roundTrip(groups: readonly Group[]): EventRow[] {
  const rows: EventRow[] = [];
  decodeBatch(encodeBatch(groups.map(submissionOf)), (row) => rows.push(row));
  return rows;
}

/** Text without control characters: what decoders let through. */
const field = fc.string({ unit: "binary" }).map((text) =>
  text.replaceAll(new RegExp(FORBIDDEN_IN_FIELDS, "g"), "·")
);
const optional = fc.option(field.filter((text) => text !== ""));
const eventRecord: fc.Arbitrary<EventRecord> = fc.record({
  userId: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
  timestamp: field.filter((text) => text !== ""),
  metadata: jsonObjectText,
  actor: optional,
  type: optional,
  eventId: optional,
});
const group: fc.Arbitrary<Group> = fc.record({
  receivedAt: fc.oneof(fc.constantFrom(1, 2), fc.nat({ max: 2 ** 42 })),
  source: fc.oneof(fc.constantFrom("native", "a"), field),
  events: fc.array(eventRecord, { minLength: 1, maxLength: 4 }),
});

const EVENT: EventRecord = {
  userId: "1",
  timestamp: "2026-11-24T11:03:40Z",
  metadata: "{}",
  actor: null,
  type: null,
  eventId: null,
};

Deno.test("a batch decodes to the rows that were encoded, in order, whatever they hold", () => {
  fc.assert(
    fc.property(fc.array(group, { maxLength: 5 }), (groups) => {
      const expected = groups.flatMap(({ receivedAt, source, events }) =>
        events.map((event) => ({ ...event, receivedAt, source, protocol: "test" }))
      );
      deepEqual(roundTrip(groups), expected);
    }),
    { numRuns: 500 },
  );
});

Deno.test("two-byte and astral text, DEL and escapes come back as they were", () => {
  const metadata = '{"naïve":"日本語 😀 \u007f \\u0000 \\u001e \\ud800","\u2028":"\u{10ffff}"}';
  const event = { ...EVENT, metadata, actor: "Zoë", type: "größe", eventId: "\u{1f600}" };
  deepEqual(roundTrip([{ receivedAt: 5, source: "é", events: [event] }]), [
    { ...event, receivedAt: 5, source: "é", protocol: "test" },
  ]);
});

Deno.test("an empty field comes back as null, like a null one", () => {
  const empty = { ...EVENT, userId: "", actor: "", type: "", eventId: "" };
  const none = { ...EVENT, userId: null, actor: null, type: null, eventId: null };
  const [first, second] = roundTrip([{ receivedAt: 5, source: "", events: [empty, none] }]);
  deepEqual(first, { ...none, receivedAt: 5, source: "", protocol: "test" });
  deepEqual(second, first);
});

Deno.test("a native row is the row of an event without actor, type and event id", () => {
  const rows: EventRow[] = [];
  const native = {
    ...submissionOf({ receivedAt: 5, source: "s", events: [] }),
    events: 1,
    fields: ["-7", "t", '{"a":1}'],
  };
  decodeBatch(encodeBatch([native]), (row) => rows.push(row));
  deepEqual(rows, [
    {
      ...EVENT,
      userId: "-7",
      timestamp: "t",
      metadata: '{"a":1}',
      receivedAt: 5,
      source: "s",
      protocol: "test",
    },
  ]);
});

Deno.test("a row of four fields has its event id in the last, none if it is empty", () => {
  const rows: EventRow[] = [];
  const withIds = {
    ...submissionOf({ receivedAt: 5, source: "s", events: [] }),
    events: 2,
    fields: ["1", "t", "{}", "id-1", "2", "u", "{}", ""],
  };
  equal(fieldsPerRow(withIds), 4);
  decodeBatch(encodeBatch([withIds]), (row) => rows.push(row));
  deepEqual(rows, [
    {
      ...EVENT,
      userId: "1",
      timestamp: "t",
      eventId: "id-1",
      receivedAt: 5,
      source: "s",
      protocol: "test",
    },
    {
      ...EVENT,
      userId: "2",
      timestamp: "u",
      eventId: null,
      receivedAt: 5,
      source: "s",
      protocol: "test",
    },
  ]);
});

Deno.test("submissions of another width are a group of their own, and so is each request, without rows", () => {
  const of = (fields: readonly string[], events: number, request?: string): Submission => ({
    ...submissionOf({ receivedAt: 5, source: "s", events: [] }),
    events,
    fields,
    ...request !== undefined && { request },
  });
  const submissions = [
    of(["1", "t", "{}"], 1),
    of(["2", "t", "{}", "3", "t", "{}"], 2),
    of(["4", "t", "{}", "d"], 1),
    of(["5", "t", "{}", "e"], 1, "00ff"),
    of(["6", "t", "{}", "f"], 1),
    of(["7", "t", "{}", "g"], 1, "ee"),
    of(["8", "t", "{}", "h"], 1, "ee"),
  ];
  const encoded = encodeBatch(submissions);
  deepEqual(
    decodeGroups(encoded).map(({ rows, fieldsPerRow, request }) => [rows, fieldsPerRow, request]),
    [[3, 3, ""], [5, 4, ""], [0, 3, "00ff"], [0, 3, "ee"], [0, 3, "ee"]],
  );
  const users: (string | null)[] = [];
  decodeBatch(encoded, ({ userId }) => users.push(userId));
  deepEqual(users, ["1", "2", "3", "4", "5", "6", "7", "8"]);
});

Deno.test("an empty batch has no rows", () => {
  deepEqual(roundTrip([]), []);
});

Deno.test("submissions that share a time or a source keep their own", () => {
  const group = (receivedAt: number, source: string) => ({ receivedAt, source, events: [EVENT] });
  const groups = [group(1, "a"), group(1, "a"), group(2, "a"), group(2, "b"), group(1, "a")];
  deepEqual(
    roundTrip(groups).map(({ receivedAt, source }) => [receivedAt, source]),
    groups.map(({ receivedAt, source }) => [receivedAt, source]),
  );
});

Deno.test("the separator of the encoding is forbidden in fields", () => {
  for (let code = 0; code < 0x20; code++) match(String.fromCharCode(code), FORBIDDEN_IN_FIELDS);
  match("a\x7fb", FORBIDDEN_IN_FIELDS);
  equal(FORBIDDEN_IN_FIELDS.test("plain text, 日本語"), false);
  const encoded = encodeBatch([
    submissionOf({ receivedAt: 1, source: "", events: [EVENT] }),
    submissionOf({ receivedAt: 2, source: "", events: [EVENT] }),
  ]);
  // deno-lint-ignore no-control-regex -- these control characters are the subject
  deepEqual(new Set(encoded.match(/[\x00-\x1f\x7f]/g)), new Set(["\x1e", "\x1f"]));
});
