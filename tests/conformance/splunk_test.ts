/** Splunk's client, `splunk-logging`: objects one after the other, without newlines, as a form. */

import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { Logger } from "splunk-logging";
import { cell, type Client } from "./cell.ts";
import { Live } from "./live.ts";
import { type Adapter, fullAndTold, stoppedAndTold, wrongToken } from "./scenarios.ts";
import { columns, type Json } from "./stored.ts";

const CLIENT: Client = { name: "splunk-logging", npm: "splunk-logging" };
const WHEN = "2026-11-24T11:03:40.123Z";

function open(url: string, token: string, options: Record<string, unknown> = {}): Json {
  const logger = new Logger({ url, token, ...options });
  logger.error = () => {}; // it would print each
  return logger;
}

/** Sends what is queued; resolves to what it gives back: null, or what went wrong. */
function told(send: (callback: (...results: Json[]) => void) => void): Promise<string | null> {
  return new Promise((resolve) =>
    send((error, response, body) => {
      if (error !== null && error !== undefined) resolve(String(error));
      else resolve(body.code === 0 ? null : `${response.statusCode} ${JSON.stringify(body)}`);
    })
  );
}

const ADAPTER: Adapter = {
  open(url, token) {
    const logger = open(url, token, { maxRetries: 10 });
    return {
      send: (message) => told((callback) => logger.send({ message }, callback)),
      close: () => Promise.resolve(""),
    };
  },
  markOf: ({ event }) => event.message,
};

cell(
  CLIENT,
  "a",
  { expects: "a batch is stored as it was sent, what it shares included" },
  async () => {
    await using live = await Live.start({ tokens: { "web-shop": [] } });
    const logger = open(live.url, live.token("web-shop"), { maxBatchCount: 0 });
    const time = new Date(WHEN).getTime();
    const metadata = { time, host: "h1", source: "shop", sourcetype: "orders", index: "main" };
    const message = { total: 1e21, name: "Zoë \u{1f525} \u2028 !'()*" };
    logger.send({ message, metadata, severity: "warn" });
    logger.send({ message: "text", metadata: { time, source: "shop" } });
    deepEqual(await told((callback) => logger.flush(callback)), null);
    await live.stop();
    deepEqual(live.rows().map(columns), [
      ["web-shop", "orders", null, null, WHEN, null],
      ["web-shop", "shop", null, null, WHEN, null],
    ]);
    const seconds = (time / 1000).toFixed(3);
    deepEqual(live.rows().map(({ metadata }) => metadata), [
      { ...metadata, time: seconds, event: { message, severity: "warn" } },
      { time: seconds, source: "shop", event: { message: "text", severity: "info" } },
    ]);
  },
);

cell(CLIENT, "b", {
  expects: "each is told 503 and code 9, and none that was refused is stored",
  isLimit: true,
  note:
    "It sends again after network errors only, never after an answer: the error handler and the " +
    "callback are told code 9.",
}, () => fullAndTold(ADAPTER, /^503 .*"code":9\b/));

cell(CLIENT, "c", {
  expects: "what is stored is what it was told is accepted, once each",
  isLimit: true,
  note: "Run with maxRetries 10 (default 0): it sends again while the connection is refused, not " +
    "after a 503 while the collector stops.",
}, () => stoppedAndTold(ADAPTER));

cell(CLIENT, "d", {
  expects: "400, code 13 and the number of the bad one, nothing of the batch is stored",
  note:
    "The bad event is an empty text, made by the client's own eventFormatter. The protocol has no " +
    "answer for a part of a batch, so it is refused whole.",
}, async () => {
  await using live = await Live.start();
  const logger = open(live.url, "any", { maxBatchCount: 0 });
  logger.eventFormatter = (message: unknown) => message;
  for (const message of ["first", "", "last"]) logger.send({ message });
  const answer = await told((callback) => logger.flush(callback));
  const [status, ...body] = (answer ?? "").split(" ");
  const { code, text, "invalid-event-number": number } = JSON.parse(body.join(" "));
  deepEqual([status, code, text, number], ["400", 13, "Event field cannot be blank", 1]);
  await live.stop();
  deepEqual([live.rows(), live.deadLetters()], [[], []]);
});

cell(
  CLIENT,
  "token",
  { expects: "403 and code 4, nothing is stored" },
  () => wrongToken(ADAPTER, /^403 .*"code":4\b/),
);
