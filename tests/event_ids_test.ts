import { Buffer } from "node:buffer";
import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { EVENT_ID_FIELD, type FieldsPerRow, type Submission } from "../lib/event.ts";
import { EventIds, SourceSeeds } from "../lib/event_ids.ts";
import { fingerprint } from "../lib/fingerprint.ts";

const SEED = Uint32Array.from([1, 2, 3, 4]);
const NONE = new Uint32Array();

/** Events with these ids; each has the place of its event in its raw text and its metadata. */
function submissionOf(
  ids: readonly string[],
  { width = 4, source = "s" }: { width?: FieldsPerRow; source?: string } = {},
): Submission {
  const fields = ids.flatMap((id, i) => {
    const all = ["1", "t", `{"n":${i}}`, "", "", ""].slice(0, width);
    if (EVENT_ID_FIELD[width] >= 0) all[EVENT_ID_FIELD[width]] = id;
    return all;
  });
  return {
    events: ids.length,
    bytes: 10 * ids.length,
    receivedAt: 1,
    source,
    protocol: "test",
    fields,
    body: ids.map((_, i) => `raw ${i}`).join("\n"),
    splitBody: (body) => Buffer.from(body).toString().split("\n"),
  };
}

/** Which of the events were kept, and their raw texts; the fields must be those of these events. */
function kept(submission: Submission | null, width: FieldsPerRow = 4): number[] {
  if (submission === null) return [];
  const { fields, events, body, splitBody } = submission;
  equal(fields.length, events * width);
  const places = Array.from(
    { length: events },
    (_, i) => JSON.parse(fields[i * width + 2] ?? "").n as number,
  );
  deepEqual(splitBody(Buffer.from(body)), places.map((place) => `raw ${place}`));
  return places;
}

function fingerprints(ids: readonly string[], source = "s"): Uint32Array {
  const words = new Uint32Array(ids.length * 4);
  ids.forEach((id, i) => fingerprint(id, new SourceSeeds(SEED).get(source), words, 4 * i));
  return words;
}

Deno.test("events whose ids are new are kept as they are, and their ids are remembered", () => {
  const ids = new EventIds(10, SEED, NONE);
  const submission = submissionOf(["a", "b"]);
  equal(ids.keepNew(submission), submission, "the submission was copied");
  equal(ids.size, 2);
});

Deno.test("an event whose id came before is dropped, and the raw texts are those of the rest", () => {
  const ids = new EventIds(10, SEED, NONE);
  ids.keepNew(submissionOf(["a", "b"]));
  deepEqual(kept(ids.keepNew(submissionOf(["x", "b", "y", "a", "z"]))), [0, 2, 4]);
  equal(ids.keepNew(submissionOf(["a", "x", "z"])), null);
  equal(ids.size, 5);
});

Deno.test("of an id that comes twice in a submission the first event stays", () => {
  const ids = new EventIds(10, SEED, NONE);
  deepEqual(kept(ids.keepNew(submissionOf(["a", "b", "a", "a", "c"]))), [0, 1, 4]);
});

Deno.test("an id is that of its source: the same one of another source is another", () => {
  const ids = new EventIds(10, SEED, NONE);
  ids.keepNew(submissionOf(["a"], { source: "one" }));
  deepEqual(kept(ids.keepNew(submissionOf(["a"], { source: "two" }))), [0]);
  deepEqual(kept(ids.keepNew(submissionOf(["a"], { source: "one" }))), []);
  deepEqual(kept(ids.keepNew(submissionOf(["a"], { source: "two" }))), []);
});

Deno.test("events without an id are never duplicates, whatever else repeats", () => {
  const ids = new EventIds(10, SEED, NONE);
  for (const _ of [1, 2]) {
    deepEqual(kept(ids.keepNew(submissionOf(["", "", ""]))), [0, 1, 2]);
    deepEqual(kept(ids.keepNew(submissionOf(["", ""], { width: 3 })), 3), [0, 1]);
  }
  equal(ids.size, 0);
  ids.keepNew(submissionOf(["a"]));
  deepEqual(kept(ids.keepNew(submissionOf(["", "a", ""]))), [0, 2]);
});

Deno.test("the id is found among six fields too, and is the same id as among four", () => {
  const ids = new EventIds(10, SEED, NONE);
  ids.keepNew(submissionOf(["a"]));
  deepEqual(kept(ids.keepNew(submissionOf(["b", "a", "c"], { width: 6 })), 6), [0, 2]);
  deepEqual(kept(ids.keepNew(submissionOf(["c", "d"]))), [1]);
});

Deno.test("a full memory forgets the oldest id", () => {
  const ids = new EventIds(3, SEED, NONE);
  ids.keepNew(submissionOf(["a", "b", "c"]));
  ids.keepNew(submissionOf(["d"]));
  equal(ids.size, 3);
  deepEqual(kept(ids.keepNew(submissionOf(["b", "c", "d", "a"]))), [3]);
});

Deno.test("the fingerprints it starts with are recognised, the oldest forgotten first", () => {
  const ids = new EventIds(3, SEED, fingerprints(["a", "b", "c", "d"]));
  equal(ids.size, 3);
  deepEqual(kept(ids.keepNew(submissionOf(["b", "c", "d", "a"]))), [3]);
  const other = new EventIds(3, Uint32Array.from([5, 6, 7, 8]), fingerprints(["a"]));
  deepEqual(kept(other.keepNew(submissionOf(["a"]))), [0], "the seed makes no difference");
});

Deno.test("with no capacity nothing is remembered and nothing is a duplicate", () => {
  const ids = new EventIds(0, SEED, fingerprints(["a"]));
  for (const _ of [1, 2]) deepEqual(kept(ids.keepNew(submissionOf(["a", "a"]))), [0, 1]);
  equal(ids.size, 0);
});

Deno.test("within the capacity an id is kept once, however the submissions are cut", () => {
  const id = fc.constantFrom("", "a", "b", "c", "d", "e", "f");
  fc.assert(
    fc.property(fc.array(fc.array(id, { minLength: 1, maxLength: 6 })), (submissions) => {
      const ids = new EventIds(10, SEED, NONE);
      const seen = new Set<string>();
      for (const each of submissions) {
        const expected = each.flatMap((id, i) => {
          if (id !== "" && seen.has(id)) return [];
          seen.add(id);
          return [i];
        });
        deepEqual(kept(ids.keepNew(submissionOf(each))), expected);
      }
    }),
  );
});
