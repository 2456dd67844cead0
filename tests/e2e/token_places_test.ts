/** Where each protocol takes its token, and how it says that there is none, or a wrong one. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess } from "./collector_process.ts";
import { type Answer, step } from "./expect.ts";
import { createToken, createTokens } from "./firehouse_command.ts";
import { type OneEvent, OTLP_PROTOBUF, type ProtocolName, SAMPLES, samples } from "./one_event.ts";
import { storedCount, storedEvents } from "./rows.ts";
import { TempFolder } from "./sending.ts";

const WRONG = "fh_wrong";

async function send(collector: CollectorProcess, request: OneEvent): Promise<Answer> {
  const { path, headers, body } = request;
  return await collector.post(path, new Blob([body]), { ...headers });
}

Deno.test("each protocol takes the token in each of its places, and its name is the source of the event", async (t) => {
  await using folder = new TempFolder();
  const tokens = await createTokens(folder.database, { other: [], sender: [] });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  let sent = 0;
  for (const [protocol, { request, places }] of samples()) {
    for (const [place, put] of Object.entries(places)) {
      await step(t, `${protocol}: ${place}`, async () => {
        const { status, text } = await send(collector, put(tokens.sender, request()));
        equal(Math.floor(status / 100), 2, `${status} ${text}`);
        const rows = storedEvents(folder.database);
        equal(rows.length, ++sent);
        equal(rows.at(-1)?.source, "sender");
      });
    }
  }
  await step(t, "otlp in protobuf: Bearer", async () => {
    const request = SAMPLES.otlp.places["Bearer"]?.(tokens.sender, OTLP_PROTOBUF) ?? OTLP_PROTOBUF;
    equal((await send(collector, request)).status, 200);
    equal(storedEvents(folder.database).at(-1)?.source, "sender");
  });
});

/** What a protocol says of a token: status and body, the words for people left out. */
const SAYS: Record<ProtocolName, Record<"missing" | "wrong", readonly [number, object]>> = {
  native: problems(),
  segment: {
    missing: [401, { success: false, error: "…", code: "token-missing" }],
    wrong: [401, { success: false, error: "…", code: "unauthorized" }],
  },
  otlp: { missing: [401, { code: 16, message: "…" }], wrong: [401, { code: 16, message: "…" }] },
  cloudevents: problems(),
  splunk: {
    missing: [401, { text: "Token is required", code: 2 }],
    wrong: [403, { text: "Invalid token", code: 4 }],
  },
  posthog: {
    missing: [401, { type: "authentication_error", code: "token-missing", detail: "…" }],
    wrong: [401, { type: "authentication_error", code: "unauthorized", detail: "…" }],
  },
  tinybird: { missing: [403, { error: "…" }], wrong: [403, { error: "…" }] },
};

function problems(): Record<"missing" | "wrong", readonly [number, object]> {
  const more = { status: 401, detail: "…", instance: "…", stored: "none", retryable: false };
  const missing = { type: "/problems/token-missing", title: "Token missing", ...more };
  const wrong = { type: "/problems/unauthorized", title: "Token wrong", ...more };
  return { missing: [401, missing], wrong: [401, wrong] };
}

/** The JSON of an answer without its sentences, which are for people. */
function withoutSentences({ text }: Answer): object {
  return JSON.parse(text, (_, value) => /\.$|^\/requests\//.test(value) ? "…" : value);
}

Deno.test("a missing token and a wrong one are told in each protocol's own words, and nothing is stored", async (t) => {
  await using folder = new TempFolder();
  await createToken(folder.database, "other");
  await using collector = await CollectorProcess.start({ folder: folder.path });
  for (const [protocol, { request, places }] of samples()) {
    const [put] = Object.values(places);
    for (const kind of ["missing", "wrong"] as const) {
      await step(t, `${protocol}: ${kind}`, async () => {
        const sent = kind === "missing" ? request() : put?.(WRONG, request()) ?? request();
        const answer = await send(collector, sent);
        const [status, body] = SAYS[protocol][kind];
        equal(answer.status, status, answer.text);
        deepEqual(withoutSentences(answer), body);
        match(answer.headers.get("content-type") ?? "", /^application\/(problem\+)?json$/);
        equal(answer.headers.get("www-authenticate"), "Bearer");
        equal(answer.headers.get("cache-control"), "no-store");
      });
    }
  }
  await step(t, "otlp in protobuf: missing", async () => {
    const response = await fetch(collector.url + OTLP_PROTOBUF.path, {
      method: "POST",
      headers: OTLP_PROTOBUF.headers,
      body: new Blob([OTLP_PROTOBUF.body]),
    });
    equal(response.status, 401);
    equal(response.headers.get("content-type"), "application/x-protobuf");
    deepEqual([...(await response.bytes()).slice(0, 3)], [0x08, 16, 0x12]); // code, message
  });
  equal(storedCount(folder.database), 0);
});
