/** What a token may do and what not, and what becomes of those who try tokens out. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import type { Answer } from "./expect.ts";
import { createToken, createTokens } from "./firehouse_command.ts";
import { storedCount, storedEvents } from "./rows.ts";
import { identified, JSON_BODY, TempFolder } from "./sending.ts";

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Asks with a token, and reads the whole answer. */
async function ask(url: string, token: string, method = "GET"): Promise<Answer> {
  const response = await fetch(url, { method, headers: bearer(token) });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The status, and the code of the refusal. */
function refusal({ status, text }: Answer): readonly [number, string] {
  return [status, JSON.parse(text).type];
}

const FORBIDDEN = [403, "/problems/forbidden"], MISSING = [401, "/problems/token-missing"];

Deno.test("a token does what its scopes say: other things are refused with 403 and the scope it lacks", async () => {
  await using folder = new TempFolder();
  const { web, reader, boss } = await createTokens(folder.database, {
    web: [],
    reader: ["--scopes", "read"],
    boss: ["--scopes", "admin"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const { url } = collector;
  equal((await collector.post("/event", event(1), { ...JSON_BODY, ...bearer(web) })).status, 202);
  for (const path of ["/stats", "/dead-letters", "/dead-letters/export"]) {
    const forbidden = await ask(url + path, web);
    deepEqual(refusal(forbidden), FORBIDDEN, path);
    equal(JSON.parse(forbidden.text).detail, "The token lacks the scope read.");
    equal((await ask(url + path, reader)).status, 200, path);
    equal((await ask(url + path, boss)).status, 200, path);
  }
  const purge = `${url}/dead-letters?through=1`;
  deepEqual(refusal(await ask(purge, web, "DELETE")), FORBIDDEN);
  deepEqual(refusal(await ask(purge, reader, "DELETE")), FORBIDDEN);
  deepEqual(refusal(await ask(`${url}/dead-letters/1/replay`, reader, "POST")), FORBIDDEN);
  equal((await ask(purge, boss, "DELETE")).status, 200);
  for (const token of [reader, boss]) {
    const answer = await collector.post("/event", event(2), { ...JSON_BODY, ...bearer(token) });
    deepEqual(refusal(answer), FORBIDDEN);
  }
  equal(storedCount(folder.database), 1);
  for (const path of ["/", "/livez", "/readyz", "/problems/forbidden"]) {
    equal((await ask(url + path, "fh_wrong")).status, 200, path); // these tell nothing of anyone
  }
  const { refused_requests } = JSON.parse((await ask(`${url}/stats`, reader)).text);
  deepEqual(refused_requests, { forbidden: 8 });
});

Deno.test("a token that may do more than send is refused in a URL with 400, in every protocol that takes one there", async () => {
  await using folder = new TempFolder();
  const { web, reader, boss } = await createTokens(folder.database, {
    web: [],
    reader: ["--scopes", "ingest,read"],
    boss: ["--scopes", "admin"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const body = '{"specversion":"1.0","id":"1","source":"/one","type":"one","event":"one"}';
  const type = { "content-type": "application/cloudevents+json" };
  for (const token of [reader, boss]) {
    const native = await collector.post(`/event?token=${token}`, event(1));
    deepEqual(refusal(native), [400, "/problems/token-in-url"]);
    for (
      const path of [
        `/cloudevents?access_token=${token}`,
        `/services/collector?token=${token}`,
        `/v0/events?name=a&token=${token}`,
      ]
    ) {
      const answer = await collector.post(path, body, type);
      equal(answer.status, 400, `${path}: ${answer.text}`);
      ok(!answer.text.includes(token), "the answer repeats the token");
    }
  }
  equal(storedCount(folder.database), 0);
  // A URL is not where figures are asked with, whatever the token.
  const stats = await fetch(`${collector.url}/stats?token=${boss}`);
  deepEqual([stats.status, (await stats.json()).type], MISSING);
  equal((await collector.post(`/event?token=${web}`, event(1))).status, 202);
  equal(await collector.stop(), 0);
  for (const token of [web, reader, boss]) ok(!collector.output.includes(token), "it is told");
});

Deno.test("tokens share neither the ids of events nor Idempotency-Keys", async () => {
  await using folder = new TempFolder();
  const tokens = Object.values(await createTokens(folder.database, { a: [], b: [] }));
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const send = async (token: string, mark: string, key?: string) => {
    const headers = { ...JSON_BODY, ...bearer(token), ...key && { "idempotency-key": key } };
    const body = key === undefined ? identified("id", mark) : event(mark);
    return (await collector.post("/event", body, headers)).text;
  };
  const stored = '{"status":"accepted","stored":"committed"}';
  for (const [index, token] of tokens.entries()) {
    equal(await send(token, `id of ${index}`), stored);
    equal(await send(token, `key of ${index}`, "key"), stored);
    equal(JSON.parse(await send(token, `id of ${index}`)).duplicates, 1);
  }
  deepEqual(storedEvents(folder.database).map(({ source }) => source), ["a", "a", "b", "b"]);
});

Deno.test("the 11th wrong token from an address within a minute is answered 429, a good one from there as ever", async () => {
  await using folder = new TempFolder();
  const token = await createToken(folder.database, "web");
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const send = (token: string) =>
    collector.post("/event", event(1), { ...JSON_BODY, ...bearer(token) });
  for (let i = 0; i < 10; i++) equal((await send(`fh_${i}`)).status, 401, `attempt ${i + 1}`);
  equal((await send(token)).status, 202);
  for (let i = 0; i < 3; i++) {
    const answer = await send(`fh_more${i}`);
    deepEqual(refusal(answer), [429, "/problems/too-many-auth-failures"]);
    const seconds = Number(answer.headers.get("retry-after"));
    ok(seconds >= 1 && seconds <= 60, `Retry-After: ${seconds}`);
    equal(JSON.parse(answer.text).stored, "none");
  }
  equal((await ask(`${collector.url}/stats`, "fh_x")).status, 429, "it counts by request");
  const { status, headers } = await collector.post("/v1/track", '{"writeKey":"fh_body"}');
  equal(status, 400, "what is no event is told before its token is looked at");
  equal(headers.get("retry-after"), null);
  deepEqual(refusal(await collector.post("/event", event(1))), MISSING, "none is not a wrong one");
  for (let i = 0; i < 20; i++) equal((await send(token)).status, 202);
  equal(storedCount(folder.database), 21);
});
