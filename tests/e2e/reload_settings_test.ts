/** Each setting that is said to change while it runs: it does. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import type { RELOADABLE } from "../../lib/options.ts";
import { type CollectorProcess, event } from "./collector_process.ts";
import { LockHolder } from "./lock_holder.ts";
import { idRange, untilRetention } from "./old_events.ts";
import { RawSocket } from "./raw_socket.ts";
import { Reloading } from "./reloading.ts";
import { JSON_BODY, LINES, MEMORY } from "./sending.ts";
import { until } from "./steady_sender.ts";

/** A time that no test waits for. */
const NEVER_MS = 3_600_000;

/** How it is shown that a change was taken. */
interface Change {
  /** Lines of the file at the start. */
  readonly before?: readonly string[];
  /** Lines of the file then. */
  readonly after: readonly string[];
  /** More flags. */
  readonly args?: readonly string[];
  /** Looks before, where something is to be seen then. */
  readonly wasNot?: (it: Reloading) => Promise<void>;
  /** Looks after. */
  readonly isSo: (it: Reloading) => Promise<void>;
}

const CHANGES: Readonly<Record<typeof RELOADABLE[number], Change>> = {
  maxBodyBytes: {
    after: ["max-body-bytes = 50"],
    wasNot: answers(/"accepted"/, () => event("x".repeat(50))),
    isSo: answers(/at most 50 bytes/, () => event("x".repeat(50))),
  },
  maxDecodedBytes: {
    after: ["max-decoded-bytes = 50"],
    isSo: answers(/decoded-too-large/, () => new Uint8Array(gzipSync(event("x".repeat(50)))), {
      "content-encoding": "gzip",
    }),
  },
  maxRequestEvents: {
    after: ["max-request-events = 1"],
    isSo: answers(/at most 1 events/, () => `[${event(1)},${event(2)}]`, {}, "/events"),
  },
  maxEventBytes: {
    after: ["max-event-bytes = 64"],
    isSo: answers(/at most 64 bytes/, () => event(1)),
  },
  bodyTimeoutMs: {
    before: [`body-timeout-ms = ${NEVER_MS}`],
    after: ["body-timeout-ms = 100"],
    isSo: async ({ collector }) => {
      using socket = await begun(collector, 100);
      const answer = await socket.answer();
      ok(typeof answer === "object", `${answer}`);
      match(answer.text, /not complete after 100 ms/);
    },
  },
  maxBodies: {
    after: ["max-bodies = 1"],
    isSo: tooManyBodies,
  },
  maxBodiesBytes: {
    after: ["max-body-bytes = 10000", "max-bodies-bytes = 10000"],
    isSo: tooManyBodies,
  },
  allowedOrigins: {
    after: ["allowed-origins = https://app.example"],
    wasNot: answers(/problems\/origin/, () => event(1), { origin: "https://app.example" }),
    isSo: answers(/"accepted"/, () => event(1), { origin: "https://app.example" }),
  },
  ackTimeoutMs: {
    before: [`ack-timeout-ms = ${NEVER_MS}`],
    after: ["ack-timeout-ms = 200"],
    args: ["--journal-bytes", "1048576"],
    isSo: async ({ collector }) => {
      await using _lock = await LockHolder.start(collector.database);
      for (let sent = 0; sent < 200; sent++) {
        const body = new Blob([event("x".repeat(20_000))]), signal = AbortSignal.timeout(30_000);
        const init = { method: "POST", headers: JSON_BODY, body, signal };
        const answer = await fetch(`${collector.url}/event`, init), text = await answer.text();
        if (answer.status === 500) return match(text, /unconfirmed/);
      }
      ok(false, "the journal never fills");
    },
  },
  readyStallMs: {
    before: [`ready-stall-ms = ${NEVER_MS}`],
    after: ["ready-stall-ms = 100"],
    args: MEMORY,
    isSo: async ({ collector }) => {
      await using _lock = await LockHolder.start(collector.database);
      await collector.post("/event", new Blob([event(1)]));
      await until(async () => {
        const { status, body } = await fetch(`${collector.url}/readyz`);
        await body?.cancel();
        return status === 503;
      }, "it is not ready");
    },
  },
  shutdownTimeoutMs: {
    before: [`shutdown-timeout-ms = ${NEVER_MS}`],
    after: ["shutdown-timeout-ms = 100"],
    args: MEMORY,
    isSo: async ({ collector }) => {
      await using _lock = await LockHolder.start(collector.database);
      await collector.post("/event", new Blob([event(1)]));
      equal(await collector.stop(), 1);
      match(collector.output, /not finished after 100 ms: up to 1 events were not stored/);
    },
  },
  retainDays: {
    after: ["retain-days = 30"],
    wasNot: threeOld,
    isSo: removesTwo,
  },
  retainUnexported: {
    before: ["retain-days = 30", "retain-unexported = yes"],
    after: ["retain-days = 30"],
    wasNot: threeOld,
    isSo: removesTwo,
  },
  retainBytes: {
    after: ["retain-bytes = 70000000"],
    args: ["--recent-event-ids", "0", "--recent-requests", "1"],
    wasNot: async ({ collector }) => {
      const body = Array.from({ length: 9 }, () => event("x".repeat(100_000))).join("\n");
      for (let sent = 0; sent < 90; sent++) {
        equal((await collector.post("/events", new Blob([body]), LINES)).status, 202);
      }
      await collector.settled();
    },
    isSo: async ({ collector }) => {
      await untilRetention(collector, ({ removed }) => removed > 0);
      await collector.until(({ database_bytes = 0 }) => database_bytes <= 70_000_000);
    },
  },
  logFormat: {
    after: ["log-format = json"],
    isSo: async ({ collector }) => {
      await collector.untilOutput(/^\{"time":.*log-format = json/m);
    },
  },
  logRequests: {
    after: ["log-requests = all"],
    isSo: async ({ collector }) => {
      await collector.post("/event", new Blob([event(1)]));
      await collector.untilOutput(/^request method="POST" path="\/event" status=202 /m);
    },
  },
};

for (const [name, { before = [], after, args = [], wasNot, isSo }] of Object.entries(CHANGES)) {
  Deno.test(`a change of ${name} is taken on SIGHUP`, async () => {
    await using it = await Reloading.start(before, { args });
    await wasNot?.(it);
    match(await it.set(...after), /was read: [a-z-]+ = /);
    await isSo(it);
  });
}

/** Stores three events, received long ago: two may go, the newest of a database stays. */
async function threeOld({ collector }: Reloading): Promise<void> {
  for (const mark of [1, 2, 3]) {
    equal((await collector.post("/event", new Blob([event(mark)]))).status, 202);
  }
  using database = new DatabaseSync(collector.database);
  database.exec("PRAGMA busy_timeout = 5000; UPDATE events SET received_at = 5");
}

async function removesTwo({ collector }: Reloading): Promise<void> {
  await untilRetention(collector, ({ removed }) => removed === 2);
  deepEqual(idRange(collector.database), [3, 3, 1]);
}

/** Sends a body, and expects an answer like this. */
function answers(
  expected: RegExp,
  body: () => string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
  path = "/event",
): (it: Reloading) => Promise<void> {
  return async ({ collector }) => {
    const sent = new Blob([body()]);
    match((await collector.post(path, sent, { ...JSON_BODY, ...headers })).text, expected);
  };
}

/** A connection with a request whose body of so many bytes has not come. */
async function begun(collector: CollectorProcess, bytes: number): Promise<RawSocket> {
  const socket = await RawSocket.connect(collector.url);
  const head = ["POST /events HTTP/1.1", "host: localhost", `content-length: ${bytes}`];
  await socket.send(`${head.join("\r\n")}\r\ncontent-type: application/json\r\n\r\n[`);
  await collector.until(({ bodies_in_flight }) => bodies_in_flight === 1);
  return socket;
}

async function tooManyBodies({ collector }: Reloading): Promise<void> {
  using _socket = await begun(collector, 10_000);
  const { text } = await collector.post("/events", new Blob([event(1)]), LINES);
  match(text, /too-many-bodies/);
}
