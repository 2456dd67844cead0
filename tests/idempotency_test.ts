import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { scopeSeed } from "../lib/fingerprint.ts";
import {
  KEY_WINDOW_S,
  type KeyedRequest,
  parseIdempotencyKey,
  REQUEST_WORDS,
  Requests,
  requestWords,
} from "../lib/idempotency.ts";
import { FakeTime } from "./fakes/fake_time.ts";

const SEED = Uint32Array.from([1, 2, 3, 4]);
const SOURCE_SEED = scopeSeed("s", SEED);
const NONE = new Uint32Array();

function keyed(key: string, { body = "body", source = "s" } = {}): KeyedRequest {
  return { source, key, body: new TextEncoder().encode(body) };
}

const OUTCOME = { accepted: 7, duplicates: 3, sequence: 2 ** 33 + 5 };

for (
  const [what, header, expected] of [
    ["quoted", '"abc"', "abc"],
    ["bare", "abc", "abc"],
    ["a bare UUID", "8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["quoted, with what bare ones may not hold", '"a, b; c"', "a, b; c"],
    ["with escapes", '"a\\"b\\\\c"', 'a"b\\c'],
    ["empty", "", null],
    ["empty in quotes", '""', null],
    ["of 255 characters", "x".repeat(255), "x".repeat(255)],
    ["of 256 characters", "x".repeat(256), null],
    ["of 255 characters in quotes", `"${"x".repeat(255)}"`, "x".repeat(255)],
    ["of 256 characters in quotes", `"${"x".repeat(256)}"`, null],
    ["of 255 characters that are escaped", `"${'\\"'.repeat(255)}"`, '"'.repeat(255)],
    ["of 100,000 characters", "x".repeat(100_000), null],
    ["two headers joined by a comma", "abc, def", null],
    ["two headers without a space", "abc,def", null],
    ["two quoted headers", '"abc", "def"', null],
    ["with a parameter", '"abc";a=1', null],
    ["bare with a semicolon", "abc;a=1", null],
    ["bare with a space", "a b", null],
    ["bare with a quote in it", 'a"b', null],
    ["bare with a backslash", "a\\b", null],
    ["with a quote that is not closed", '"abc', null],
    ["with a quote that is not opened", 'abc"', null],
    ["with an escape that is none", '"a\\bc"', null],
    ["that ends in a backslash", '"abc\\"', null],
    ["with a control character", '"a\tb"', null],
    ["with DEL", '"a\x7fb"', null],
    ["not in ASCII", '"é"', null],
    ["bare and not in ASCII", "日本", null],
  ] as const
) {
  Deno.test(`a key ${what} is ${expected === null ? "refused" : "read"}`, () => {
    equal(parseIdempotencyKey(header), expected);
  });
}

Deno.test("any key of printable ASCII comes out of its quotes as it was", () => {
  const printable = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 200 });
  fc.assert(fc.property(printable, (key) => {
    equal(parseIdempotencyKey(`"${key.replace(/["\\]/g, "\\$&")}"`), key);
  }));
});

Deno.test("a request is found by its key, with what became of it", () => {
  const requests = new Requests(10, SEED, NONE);
  equal(requests.find(keyed("a")), null);
  requests.remember(keyed("a"), OUTCOME);
  deepEqual(requests.find(keyed("a")), { isSameBody: true, ...OUTCOME });
  equal(requests.find(keyed("b")), null);
});

Deno.test("the same key with another body is found as such, the empty body included", () => {
  const requests = new Requests(10, SEED, NONE);
  requests.remember(keyed("a"), OUTCOME);
  for (const body of ["Body", "", "body "]) {
    deepEqual(requests.find(keyed("a", { body })), { isSameBody: false, ...OUTCOME });
  }
});

Deno.test("a key is that of its source", () => {
  const requests = new Requests(10, SEED, NONE);
  requests.remember(keyed("a", { source: "one" }), OUTCOME);
  equal(requests.find(keyed("a", { source: "two" })), null);
  ok(requests.find(keyed("a", { source: "one" })));
});

Deno.test("a full memory forgets the oldest request", () => {
  const requests = new Requests(2, SEED, NONE);
  for (const key of ["a", "b", "c"]) requests.remember(keyed(key), OUTCOME);
  equal(requests.find(keyed("a")), null);
  ok(requests.find(keyed("b")) && requests.find(keyed("c")));
});

Deno.test("the text of a request, read back and loaded, gives the same answer in the next run", () => {
  const before = new Requests(10, SEED, NONE);
  const texts = ["a", "b"].map((key, i) =>
    before.remember(keyed(key), { ...OUTCOME, accepted: 4_000_000_000 + i })
  );
  for (const text of texts) ok(/^[0-9a-f]{32} 40+\d 3 \d+ [ab]$/.test(text), text);
  const words = texts.flatMap((text) => [...requestWords(text, SOURCE_SEED)]);
  equal(words.length, 2 * REQUEST_WORDS);
  const after = new Requests(10, SEED, Uint32Array.from(words));
  ["a", "b"].forEach((key, i) => {
    const known = { accepted: 4_000_000_000 + i, duplicates: 3, sequence: 0 };
    deepEqual(after.find(keyed(key)), { isSameBody: true, ...known });
    deepEqual(after.find(keyed(key, { body: "other" })), { isSameBody: false, ...known });
  });
  equal(after.find(keyed("c")), null);
});

Deno.test("a key is remembered for 24 hours and not longer, in this run and the next", async () => {
  using time = new FakeTime();
  const before = new Requests(10, SEED, NONE);
  const words = requestWords(before.remember(keyed("a"), OUTCOME), SOURCE_SEED);
  const after = new Requests(10, SEED, words);
  await time.tick((KEY_WINDOW_S - 1) * 1000);
  ok(before.find(keyed("a")) && after.find(keyed("a")));
  await time.tick(3000);
  deepEqual([before.find(keyed("a")), after.find(keyed("a"))], [null, null]);
  before.remember(keyed("a"), { ...OUTCOME, accepted: 1 });
  equal(before.find(keyed("a"))?.accepted, 1, "the key can not be used again");
});

Deno.test("[G15] a clock that went back between two runs forgets nothing", () => {
  const before = new Requests(10, SEED, NONE);
  const words = requestWords(before.remember(keyed("a"), OUTCOME), SOURCE_SEED);
  words[REQUEST_WORDS - 1] = (words[REQUEST_WORDS - 1] ?? 0) + 10 * KEY_WINDOW_S;
  ok(new Requests(10, SEED, words).find(keyed("a")));
});
