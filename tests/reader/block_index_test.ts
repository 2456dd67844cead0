import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { bucketOf, FieldIndexer, hashOf, offsetsIn } from "../../lib/reader/block_index.ts";

/** The offsets the index gives for a value; null if it was left out. */
function found(indexer: ReturnType<FieldIndexer["finish"]>, value: string): number[] | null {
  const hash = hashOf(value), bucket = indexer.buckets[bucketOf(hash)] ?? null;
  if (indexer.common.includes(hash)) return null;
  return bucket === null ? [] : offsetsIn(bucket, hash);
}

Deno.test("every event of a value is found, and hardly another one", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.string({ unit: "binary", maxLength: 2 }), fc.nat(3)), { maxLength: 300 }),
    (events) => {
      const indexer = new FieldIndexer(), meant = new Map<string, number[]>();
      let offset = 0;
      for (const [value, distance] of events) {
        offset += distance;
        indexer.add(value, offset);
        meant.set(value, [...new Set([...meant.get(value) ?? [], offset])]);
      }
      const index = indexer.finish();
      for (const [value, offsets] of meant) {
        const all = new Set(found(index, value));
        ok(offsets.every((each) => all.has(each)));
        deepEqual([...all], [...all].sort((a, b) => a - b));
      }
    },
  ));
});

Deno.test("a value of which there are too many is left out, others in its bucket are not", () => {
  const indexer = new FieldIndexer();
  for (let offset = 0; offset < 65_536; offset++) {
    indexer.add(offset < 2049 ? "many" : offset < 4097 ? "just enough" : `e${offset}`, offset);
    indexer.add(`second ${offset}`, offset); // the field of users has two values an event
  }
  const index = indexer.finish();
  deepEqual(index.common, [hashOf("many")]);
  deepEqual(found(index, "many"), null);
  deepEqual(found(index, "just enough")?.length, 2048);
  for (const offset of [5000, 32_768, 65_535]) {
    ok(found(index, `e${offset}`)?.includes(offset));
    ok(found(index, `second ${offset}`)?.includes(offset));
  }
});
