/** What clients send for a token that is none. */

import { ok, strictEqual as equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CollectorProcess, event } from "./collector_process.ts";
import { step } from "./expect.ts";
import { createTokens } from "./firehouse_command.ts";
import { SAMPLES } from "./one_event.ts";
import { exchange, latin1, rawRequest } from "./raw_socket.ts";
import { storedCount } from "./rows.ts";
import { JSON_BODY, TempFolder } from "./sending.ts";

const basic = (token: string) =>
  `Basic ${Buffer.from(`${token}:${token}`, "latin1").toString("base64")}`;

/** The values of Authorization headers that are not as they should be, given a token that is good. */
const HEADERS: Readonly<Record<string, (token: string) => readonly string[]>> = {
  "no scheme": (token) => [token],
  "a scheme alone": () => ["Bearer"],
  "nothing": () => [""],
  "another scheme": (token) => [`Digest ${token}`],
  "no space": (token) => [`Bearer${token}`],
  "an 8 kB token": () => [`Bearer ${"x".repeat(8192)}`],
  "an 8 kB token that begins well": (token) => [`Bearer ${token.padEnd(8192, "x")}`],
  "bytes that are no UTF-8": () => ["Bearer \xff\xfe"],
  "Basic that is no base64": () => ["Basic \xff***"],
  "Basic with NUL": () => [basic("\0")],
  "a good one twice": (token) => [`Bearer ${token}`, `Bearer ${token}`],
  "a good one, then a wrong one": (token) => [`Bearer ${token}`, "Bearer fh_wrong"],
  "a wrong one, then a good one": (token) => ["Bearer fh_wrong", `Bearer ${token}`],
  "a good one, then another scheme": (token) => [`Bearer ${token}`, "Digest x"],
  "a good one of Basic twice": (token) => [basic(token), basic(token)],
  "a good one of Basic, then a wrong one": (token) => [basic(token), basic("fh_wrong")],
};

/** Where they are sent, and how it is answered. */
const REFUSED: readonly (readonly [keyof typeof SAMPLES, readonly number[]])[] = [
  ["native", [401]],
  ["segment", [401]],
  ["otlp", [401]],
  ["cloudevents", [401]],
  ["splunk", [401, 403]], // 2 token is required, 4 invalid token
  ["tinybird", [403]],
];

Deno.test("an Authorization header that is malformed, too long or there twice is refused in every protocol [B72]", async (t) => {
  await using folder = new TempFolder();
  const { web, reader } = await createTokens(folder.database, {
    web: [],
    reader: ["--scopes", "read"],
  });
  for (const [protocol, statuses] of REFUSED) {
    // One for each: more than 10 wrong tokens would be answered otherwise.
    await using collector = await CollectorProcess.start({ folder: folder.path });
    const { path, headers, body } = SAMPLES[protocol].request();
    for (const [what, values] of Object.entries(HEADERS)) {
      await step(t, `${protocol}: ${what}`, async () => {
        const answer = await exchange(
          collector.url,
          latin1(rawRequest(`POST ${path} HTTP/1.1`, [
            "host: localhost",
            `content-length: ${body.length}`,
            ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
            ...values(web).map((value) => `authorization: ${value}`),
          ], String(body))),
        );
        ok(typeof answer === "object", String(answer));
        ok(statuses.includes(answer.status), `${answer.status} ${answer.text}`);
        equal(answer.headers.get("www-authenticate"), "Bearer");
      });
    }
    const authorization = `Bearer ${reader}`;
    const stats = await fetch(`${collector.url}/stats`, { headers: { authorization } });
    const { refused_requests } = await stats.json();
    ok(Object.keys(refused_requests).every((code) => /^(token-missing|unauthorized)$/.test(code)));
  }
  equal(storedCount(folder.database), 0);
});

Deno.test("what is no token is refused in a URL and in a body too", async (t) => {
  await using folder = new TempFolder();
  const { web } = await createTokens(folder.database, { web: [] });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  // No more than 10 of these count as wrong tokens: the next would be answered otherwise.
  for (const token of ["", "%00", "%ff", "%", web.slice(0, -1), "x".repeat(4096)]) {
    await step(t, `/event?token=${token.slice(0, 20)}`, async () => {
      equal((await collector.post(`/event?token=${token}`, event(1))).status, 401);
    });
  }
  const track = SAMPLES.segment.request().body.slice(1),
    batch = SAMPLES.posthog.request().body.slice(1);
  for (const key of ['""', '"\\u0000"', '"\\ud800"', "null", "5", `["${web}"]`, `{"a":"${web}"}`]) {
    await step(t, `a body with ${key.slice(0, 8)}`, async () => {
      const segment = await collector.post("/v1/track", `{"writeKey":${key},${track}`);
      equal(segment.status, 401, segment.text);
    });
  }
  await step(t, "two tokens in a body", async () => {
    const one = `{"event":"a","distinct_id":"u","token":"${web}"}`;
    const body = `[${one},${one.replace(web, "other")}]`;
    equal((await collector.post("/batch/", body, JSON_BODY)).status, 401);
    equal((await collector.post("/batch/", `[${one},${one}]`, JSON_BODY)).status, 200);
  });
  await step(t, "a good one in the body does not make up for a wrong one in the head", async () => {
    const headers = { ...JSON_BODY, authorization: "Bearer fh_wrong" };
    const body = `{"api_key":"${web}",${batch}`;
    equal((await collector.post("/batch/", body, headers)).status, 401);
  });
  equal(storedCount(folder.database), 2);
});
