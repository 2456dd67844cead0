/** Bodies that are not UTF-8, byte-order marks, nesting, and two documents in one (B42–B57). */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { accepted, assertAccount, type Code, problem, step } from "./expect.ts";
import { latin1 } from "./raw_socket.ts";
import { storedEvents } from "./rows.ts";

const LINES = { "content-type": "application/x-ndjson" };

/** Characters below U+0100 stand for bytes. The first 23 are those that JSONTestSuite has. */
const NOT_UTF8: readonly string[] = [
  "[a\xe5]",
  "[\xff]",
  "[123\xe5]",
  "[1e1\xe5]",
  "[0\xe5]\n",
  "[1e\xe5]",
  '{"\xb9":"0",}',
  '["\\u\xe5"]',
  '["\\\xe5"]',
  "\xef\xbb{}",
  "\xe5",
  "\xe9",
  '\xff\xfe[\0"\0\xe9\0"\0]\0', // UTF-16LE with BOM
  '["\xe6\x97\xa5\xd1\x88\xfa"]',
  '["\xed\xa0\x80"]', // a surrogate
  '["\xff"]',
  '["\x81"]', // a lone continuation byte
  '["\xf4\xbf\xbf\xbf"]', // past U+10FFFF
  '["\xc0\xaf"]', // overlong
  '["\xfc\x83\xbf\xbf\xbf\xbf"]',
  '["\xfc\x80\x80\x80\x80\x80"]',
  '["\xe0\xff"]',
  '\0[\0"\0\xe9\0"\0]', // UTF-16BE without BOM
  '["\xe0\x80\x80"]', // overlong NUL
  '["\xf0\x80\x80\x80"]',
  '["\xed\xa0\xbd\xed\xb8\x80"]', // CESU-8
  '["\xf0\x9f\x98"]', // cut
  "\xfe\xff\0{\0}", // UTF-16BE with BOM
  "\xff\xfe\0\0{\0\0\0}\0\0\0", // UTF-32LE with BOM
];

Deno.test("bytes: what is not UTF-8 is refused, whatever it is meant to be", async (t) => {
  await using collector = await CollectorProcess.start();
  const [before, after] = event("@").split("@") as [string, string];
  for (const text of NOT_UTF8) {
    await step(t, JSON.stringify(text), async () => {
      problem(await collector.post("/event", latin1(text)), "invalid-utf8");
      problem(await collector.post("/events", latin1(text)), "invalid-utf8");
      problem(await collector.post("/event", latin1(before + text + after)), "invalid-utf8");
      const lines = latin1(`${event(1)}\n${text}\n`);
      problem(await collector.post("/events", lines, LINES), "invalid-utf8");
    });
  }
  await assertAccount(collector, 0);
});

Deno.test("bytes: UTF-16 and UTF-32 of plain text is UTF-8 with NULs, and not JSON", async () => {
  await using collector = await CollectorProcess.start();
  for (const pad of ["\0", "\0\0\0"]) {
    const chars = [...event("x")];
    for (const text of [chars.map((c) => c + pad), chars.map((c) => pad + c)]) {
      problem(await collector.post("/event", latin1(text.join(""))), "malformed-json");
    }
  }
  await assertAccount(collector, 0);
});

Deno.test("bytes: one byte-order mark at the start of a body is skipped", async (t) => {
  await using collector = await CollectorProcess.start();
  const bodies: [path: string, body: string, headers?: Record<string, string>][] = [
    ["/event", `\ufeff${event("a")}`],
    ["/event", `\ufeff \n${event("b")}`],
    ["/events", `\ufeff[${event("c")},${event("d")}]`],
    ["/events", `\ufeff ${event("e")}\n${event("f")}`, LINES],
    ["/events", `\ufeff\n\n${event("g")}`, LINES],
  ];
  for (const [path, body, headers] of bodies) {
    await step(t, JSON.stringify(body), async () => {
      accepted(await collector.post(path, body, headers));
    });
  }
  await assertAccount(collector, 7);
  const marks = storedEvents(collector.database).map(({ metadata }) => metadata);
  deepEqual(marks, [..."abcdefg"].map((mark) => `{"m":"${mark}"}`));
});

Deno.test("bytes: a byte-order mark anywhere else is not JSON", async (t) => {
  await using collector = await CollectorProcess.start();
  const bodies: [path: string, body: string, headers?: Record<string, string>][] = [
    ["/event", `\ufeff\ufeff${event(1)}`],
    ["/event", ` \ufeff${event(1)}`],
    ["/event", `${event(1)}\ufeff`],
    ["/events", `[\ufeff${event(1)}]`],
    ["/events", `\ufeff\ufeff${event(1)}`, LINES],
    ["/events", ` \ufeff${event(1)}`, LINES],
    ["/events", `${event(1)}\n\ufeff${event(2)}`, LINES],
    ["/events", `${event(1)}\n\ufeff{}`, LINES],
    ["/events", `\n\ufeff${event(2)}`, LINES],
  ];
  for (const [path, body, headers] of bodies) {
    await step(t, JSON.stringify(body), async () => {
      problem(await collector.post(path, body, headers), "malformed-json");
    });
  }
  await assertAccount(collector, 0);
});

function nested(depth: number, open = "[", close = "]", inner = ""): string {
  return open.repeat(depth) + inner + close.repeat(depth);
}

Deno.test("nesting: 64 levels are kept, 65 are refused, wherever they are", async () => {
  await using collector = await CollectorProcess.start();
  for (const [open, close, inner] of [["[", "]", ""], ['{"a":', "}", "0"]] as const) {
    const withValue = (value: string) => event(0).replace('{"m":0}', `{"v":${value}}`);
    accepted(await collector.post("/event", withValue(nested(62, open, close, inner))));
    for (const depth of [63, 64, 1000, 30_000]) {
      const deep = nested(depth, open, close, inner);
      const deeper = nested(depth + 1, open, close, inner);
      for (const body of [withValue(deep), event(0).replace("1", deeper), `{"a":${deeper}}`]) {
        const whole = problem(await collector.post("/event", body), "too-deep");
        ok(whole.errors?.some(({ code }) => code === "too-deep"), body.slice(0, 80));
        for (
          const [many, headers] of [[`${event(1)}\n${body}`, LINES], [
            `[${event(1)},${body}]`,
          ]] as const
        ) {
          const { errors } = problem(
            await collector.post("/events", many, headers),
            "too-deep",
          );
          equal(
            errors?.[0]?.[headers === undefined ? "index" : "line"],
            headers === undefined ? 1 : 2,
          );
        }
      }
    }
  }
  await assertAccount(collector, 2);
});

Deno.test("nesting: a body of brackets alone is refused at once", async () => {
  await using collector = await CollectorProcess.start();
  const bodies: [string, Code][] = [
    ["[".repeat(100_000), "too-deep"],
    ['[{"":'.repeat(50_000), "too-deep"],
    [nested(100_000), "too-deep"],
    [nested(50_000, '{"":', "}", "0"), "too-deep"],
  ];
  for (const [body, code] of bodies) {
    for (const [path, headers] of [["/event"], ["/events"], ["/events", LINES]] as const) {
      const { errors_total } = problem(await collector.post(path, body, headers), code);
      equal(errors_total, 1, "refused without a reason");
    }
  }
  await assertAccount(collector, 0);
});

const ODD: readonly (readonly [body: string, event: Code, events: Code, lines: Code])[] = [
  ["null", "invalid-event", "invalid-event", "invalid-event"],
  ["5", "invalid-event", "invalid-event", "invalid-event"],
  ['"x"', "invalid-event", "invalid-event", "invalid-event"],
  ["[]", "invalid-event", "invalid-event", "invalid-event"],
  ["{}", "invalid-event", "invalid-event", "invalid-event"],
  ["[[]]", "invalid-event", "invalid-event", "invalid-event"],
  ["[{},5]", "invalid-event", "invalid-event", "invalid-event"],
  ["{}{}", "malformed-json", "malformed-json", "malformed-json"],
  ["{}\0", "malformed-json", "malformed-json", "malformed-json"],
  ["{} x", "malformed-json", "malformed-json", "malformed-json"],
  ["\0", "malformed-json", "malformed-json", "malformed-json"],
  ["\u00a0{}", "malformed-json", "malformed-json", "malformed-json"],
  [" \t\r\n", "empty-body", "empty-body", "empty-body"],
  ["\ufeff", "empty-body", "empty-body", "empty-body"],
  [`${event(1)}${event(2)}`, "malformed-json", "malformed-json", "malformed-json"],
  [`${event(1)},`, "malformed-json", "malformed-json", "malformed-json"],
];

Deno.test("shape: what is no event, no array of events, or more than one document", async (t) => {
  await using collector = await CollectorProcess.start();
  for (const [body, ...codes] of ODD) {
    await step(t, JSON.stringify(body), async () => {
      problem(await collector.post("/event", body), codes[0]);
      problem(await collector.post("/events", body), codes[1]);
      problem(await collector.post("/events", body, LINES), codes[2]);
    });
  }
  const one = problem(await collector.post("/events", event(1)), "invalid-event");
  equal(one.errors_total, 1); // an event is not an array of one
  problem(await collector.post("/event", `[${event(1)}]`), "invalid-event");
  await assertAccount(collector, 0);
});
