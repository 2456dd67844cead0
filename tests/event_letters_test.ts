/** Events that become dead letters, as rows of two fields in an encoded batch. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import {
  decodeBatch,
  decodeGroups,
  encodeBatch,
  type EventRow,
  fieldsPerRow,
  FORBIDDEN_IN_FIELDS,
  LETTER_FIELDS,
} from "../lib/event.ts";
import { lettersOf } from "../lib/store/dead_letter.ts";
import { letters } from "./fakes/letters.ts";
import { submission } from "./fakes/submissions.ts";

/** The rows that are no dead letters, with their positions. */
function rowsOf(batch: string): (readonly [index: number, userId: string | null])[] {
  const rows: (readonly [number, string | null])[] = [];
  decodeBatch(batch, ({ userId }: EventRow, index) => rows.push([index, userId]));
  return rows;
}

Deno.test("a dead letter has two fields, whose group can be told by that", () => {
  const batch = encodeBatch([submission([1]), letters(["a", "b"]), letters(["c"])]);
  deepEqual(
    decodeGroups(batch).map(({ fieldsPerRow, rows, source, receivedAt, protocol }) => [
      fieldsPerRow,
      rows,
      source,
      receivedAt,
      protocol,
    ]),
    [[6, 1, "test", 7, "test"], [LETTER_FIELDS, 3, "test", 7, "test"]],
  );
  equal(fieldsPerRow(letters(["a", "b"])), LETTER_FIELDS);
});

Deno.test("the rows are visited without the dead letters, which are counted in their positions", () => {
  const parts = [
    letters(["a"]),
    submission([1, 2]),
    letters(["b", "c"]),
    submission([3]),
    letters(["d"]),
  ];
  const batch = encodeBatch(parts);
  deepEqual(rowsOf(batch), [[1, "1"], [2, "2"], [5, "3"]]);
  deepEqual(lettersOf(decodeGroups(batch)).map(({ index, raw }) => [index, raw]), [
    [0, "a"],
    [3, "b"],
    [4, "c"],
    [6, "d"],
  ]);
});

Deno.test("the request of a dead letter is a group without rows, like that of any other", () => {
  const request = "00ff 1 0 5 key";
  const batch = encodeBatch([{ ...letters(["a"]), request }, submission([1])]);
  deepEqual(decodeGroups(batch).map(({ rows, request }) => [rows, request]), [
    [1, ""],
    [1, ""],
    [0, request],
  ]);
  deepEqual(lettersOf(decodeGroups(batch)).map(({ index }) => index), [0]);
  deepEqual(rowsOf(batch), [[1, "1"]]);
});

/** Raw text may hold anything: it was not even JSON. */
const anyText = fc.string({
  unit: fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code)),
});
const reason = fc.string({ unit: "binary" }).map((text) =>
  text.replaceAll(new RegExp(FORBIDDEN_IN_FIELDS, "g"), " ").toWellFormed()
);
const part = fc.oneof(
  fc.record({
    raws: fc.array(anyText, { minLength: 1, maxLength: 3 }),
    reason,
    source: fc.constantFrom("a", "b"),
    protocol: fc.constantFrom("native", "segment/track"),
  }),
  fc.record({ ids: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }) }),
);

Deno.test("reason and raw text come back as they were, control characters and half surrogates too", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      const batch = encodeBatch(
        parts.map((each) => "ids" in each ? submission(each.ids) : letters(each.raws, each)),
      );
      let index = 0;
      const expectedLetters: object[] = [], expectedRows: (readonly [number, string])[] = [];
      for (const each of parts) {
        if ("ids" in each) { for (const id of each.ids) expectedRows.push([index++, String(id)]); }
        else {
          const { reason, source, protocol } = each;
          for (const raw of each.raws) {
            const letter = { receivedAt: 7, source, protocol, reason, raw, isDecoded: false };
            expectedLetters.push({ ...letter, index: index++ });
          }
        }
      }
      deepEqual(lettersOf(decodeGroups(batch)), expectedLetters);
      deepEqual(rowsOf(batch), expectedRows);
    }),
    { numRuns: 300 },
  );
});

Deno.test("a raw text that holds the marks of the encoding does not break it", () => {
  const raw = "\x1f\x1e\0\n{\x1f3\x1f0\x1f";
  const batch = encodeBatch([letters([raw]), submission([1])]);
  deepEqual(lettersOf(decodeGroups(batch)).map(({ raw }) => raw), [raw]);
  deepEqual(rowsOf(batch), [[1, "1"]]);
  match(batch, /\\u001f\\u001e\\u0000\\n/);
});

Deno.test("a batch that the journal has from before there were several protocols is native", () => {
  const old = ["7", "web", "3", "1", "", "1", "t", "{}", "7", "web", "3", "0", "key"].join("\x1f");
  const sources: string[] = [];
  decodeBatch(
    old,
    ({ source, protocol, userId }) => sources.push(`${source} ${protocol} ${userId}`),
  );
  deepEqual(sources, ["web native 1"]);
  deepEqual(decodeGroups(old).map(({ request }) => request), ["", "key"]);
});
