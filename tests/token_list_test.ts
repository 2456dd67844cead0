import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { SCOPES, type Token } from "../lib/token.ts";
import { formatTokens, parseTokens } from "../lib/token_list.ts";
import { tokenOf } from "./fakes/tokens.ts";

/** What is wrong with a text; throws if nothing is. */
function problem(text: string): string {
  const tokens = parseTokens(text);
  if (typeof tokens !== "string") throw new Error(`accepted: ${text}`);
  return tokens;
}

/** A file with a token `a` that is well and this one, as JSON has it. */
function fileWith(change: (token: Record<string, unknown>) => unknown): string {
  const file = JSON.parse(formatTokens([tokenOf("a"), tokenOf("b")]));
  file.tokens[1] = change(file.tokens[1]) ?? file.tokens[1];
  return JSON.stringify(file);
}

Deno.test("what is written is read again", () => {
  const limit = (max: number) => fc.option(fc.integer({ min: 1, max }));
  const token: fc.Arbitrary<Token> = fc.record({
    name: fc.stringMatching(/^[A-Z][A-Za-z0-9._-]{0,63}$/),
    sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
    scopes: fc.subarray([...SCOPES], { minLength: 1 }),
    eventsPerSecond: limit(1e9),
    bytesPerSecond: limit(2 ** 40),
    bodyBytes: limit(2 ** 30),
    origins: fc.subarray(["https://app.example", "http://localhost:5173", "*"]),
    created: fc.date({ min: new Date(0), max: new Date(2e12), noInvalidDate: true })
      .map((date) => date.toISOString()),
  }, { noNullPrototype: true });
  const tokens = fc.uniqueArray(token, { selector: ({ name }) => name, maxLength: 5 });
  fc.assert(fc.property(tokens, (tokens) => {
    deepEqual(parseTokens(formatTokens(tokens)), tokens);
  }));
});

Deno.test("a person can read the file: one member a line, names in words", () => {
  equal(
    formatTokens([tokenOf("web", { eventsPerSecond: 100, sha256: "0".repeat(64) })]),
    `{
  "version": 1,
  "tokens": [
    {
      "name": "web",
      "sha256": "${"0".repeat(64)}",
      "scopes": [
        "ingest"
      ],
      "events_per_second": 100,
      "bytes_per_second": null,
      "body_bytes": null,
      "origins": [],
      "created": "2027-01-31T12:00:00.000Z"
    }
  ]
}
`,
  );
});

Deno.test("a file that is no list of tokens is refused with what is wrong", () => {
  for (
    const [text, expected] of [
      ["", /^it is not JSON: /],
      ["{", /^it is not JSON: /],
      ["\u{feff}{}", /^it is not JSON: /],
      ["[]", /^it must be a JSON object$/],
      ["null", /^it must be a JSON object$/],
      ["{}", /^version must be 1$/],
      ['{"version":2,"tokens":[]}', /^version must be 1$/],
      ['{"version":1}', /^tokens must be a list of at most 10000$/],
      ['{"version":1,"tokens":{}}', /^tokens must be a list/],
      ['{"version":1,"tokens":[],"extra":1}', /^"extra" is unknown$/],
      ['{"version":1,"tokens":[1]}', /^tokens\[0\] must be an object$/],
      [JSON.stringify({ version: 1, tokens: Array(10_001).fill(0) }), /^tokens must be a list/],
    ] as const
  ) match(problem(text), expected, text.slice(0, 50));
  deepEqual(parseTokens('{"version":1,"tokens":[]}'), []);
});

Deno.test("a token that is not right in every member is refused with its place", () => {
  const wrong: Record<string, unknown[]> = {
    name: ["", "native", "otlp", "a b", "é", "-a", "x".repeat(65), 1, null, ["a"]],
    sha256: ["", "0".repeat(63), "A".repeat(64), "g".repeat(64), 0, null],
    scopes: [[], ["write"], ["ingest", "ingest"], "ingest", null, [["ingest"]]],
    events_per_second: [0, -1, 1.5, 1e9 + 1, "1", true, []],
    bytes_per_second: [0, 2 ** 40 + 1, "1"],
    body_bytes: [0, 2 ** 30 + 1, "1"],
    origins: [["null"], ["https://a.example/"], [1], "*", null, Array(101).fill("*")],
    created: ["", "2027-01-31", "2027-13-31T12:00:00Z", "2027-01-31T12:00:00+01:00", 0, null],
  };
  deepEqual(Object.keys(wrong), Object.keys(JSON.parse(fileWith(() => null)).tokens[1]));
  for (const [key, values] of Object.entries(wrong)) {
    for (const value of values) {
      const told = problem(fileWith((token) => ({ ...token, [key]: value })));
      ok(told.startsWith(`tokens[1].${key} must be `), `${key} ${JSON.stringify(value)}: ${told}`);
    }
    const told = problem(fileWith(({ [key]: _, ...token }) => token));
    equal(told, `tokens[1].${key} is missing`);
  }
  equal(
    problem(fileWith((token) => ({ ...token, note: "" }))),
    'tokens[1]: "note" is unknown',
  );
});

Deno.test("a name or a secret that two tokens have is refused with both places", () => {
  equal(
    problem(fileWith((token) => ({ ...token, name: "a" }))),
    "tokens[1].name is that of tokens[0]",
  );
  equal(
    problem(fileWith((token) => ({ ...token, sha256: tokenOf("a").sha256 }))),
    "tokens[1].sha256 is that of tokens[0]",
  );
});

Deno.test("any JSON is answered with tokens or with a problem", () => {
  const json = fc.oneof(
    fc.jsonValue(),
    fc.array(fc.jsonValue()).map((tokens) => ({ version: 1, tokens })),
    fc.dictionary(fc.constantFrom("name", "sha256", "scopes", "__proto__"), fc.jsonValue())
      .map((token) => ({ version: 1, tokens: [token] })),
  );
  fc.assert(fc.property(json, (value) => {
    const tokens = parseTokens(JSON.stringify(value));
    ok(typeof tokens === "string" ? tokens !== "" : Array.isArray(tokens));
  }));
});
