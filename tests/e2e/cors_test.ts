/** Pages of the web that use tokens: how their browsers are told what they may (Fetch standard, B85). */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { createTokens } from "./firehouse_command.ts";
import { LockHolder } from "./lock_holder.ts";
import { samples } from "./one_event.ts";
import {
  ALLOW_ORIGIN,
  APP,
  ask,
  bearer,
  FOREIGN,
  OTHER,
  PLAIN,
  preflight,
  readable,
  refusedPage,
} from "./pages.ts";
import { storedCount, storedEvents } from "./rows.ts";
import { TempFolder } from "./sending.ts";

Deno.test("a preflight is answered 204 for the origins of some token, and 403 without a grant for others", async () => {
  await using folder = new TempFolder();
  await createTokens(folder.database, { none: [], web: ["--origins", `${APP},https://b.example`] });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const paths = samples().map(([, { request }]) => request().path);
  for (const path of [...paths, "/events", "/stats", "/dead-letters", "/services/collector/ack"]) {
    const answer = await preflight(collector.url + path, APP);
    equal(answer.status, 204, path);
    equal(answer.headers.get(ALLOW_ORIGIN), APP);
    equal(answer.headers.get("access-control-allow-credentials"), null);
    match(answer.headers.get("vary") ?? "", /origin/);
    const allowed = (answer.headers.get("access-control-allow-headers") ?? "").split(/, */);
    deepEqual(allowed, ["authorization", "content-type", "idempotency-key", "x-retry-count"]);
    match(answer.headers.get("access-control-allow-methods") ?? "", /\bPOST\b/);
    refusedPage(await preflight(collector.url + path, OTHER), path);
  }
  for (const origin of FOREIGN) {
    refusedPage(await preflight(`${collector.url}/event`, origin), origin);
  }
});

Deno.test("a page that may use a token reads every answer, refusals and Retry-After included", async () => {
  await using folder = new TempFolder();
  const origins = ["--origins", APP];
  const { web, slow, reader } = await createTokens(folder.database, {
    web: origins,
    slow: [...origins, "--events-per-second", "1"],
    reader: [...origins, "--scopes", "read"],
  });
  const args = ["--durability", "memory", "--queue-capacity", "300"];
  await using collector = await CollectorProcess.start({ folder: folder.path, args });
  const { url } = collector;
  const send = (token: string, body: string, path = "/event") =>
    ask(url + path, "POST", {
      ...bearer(token),
      origin: APP,
      "content-type": "application/json",
    }, body);
  readable(await send(web, event(1)), 202);
  readable(
    await ask(`${url}/event?token=${web}`, "POST", { ...PLAIN, origin: APP }, event(2)),
    202,
  );
  readable(await send("fh_wrong", event(3)), 401);
  readable(await ask(`${url}/event`, "POST", { ...PLAIN, origin: APP }, event(3)), 401);
  readable(await send(reader, event(3)), 403);
  readable(await send(web, "{"), 400);
  readable(await ask(`${url}/event`, "PUT", { ...bearer(web), origin: APP }), 405);
  readable(await ask(`${url}/nowhere`, "GET", { ...bearer(web), origin: APP }), 404);
  readable(await ask(`${url}/stats`, "GET", { ...bearer(web), origin: APP }), 403);
  readable(await ask(`${url}/stats`, "GET", { ...bearer(reader), origin: APP }), 200);
  readable(await ask(`${url}/dead-letters/export`, "GET", { ...bearer(reader), origin: APP }), 200);
  readable(await ask(`${url}/services/collector/health`, "GET", { origin: APP }), 200);
  const many = `[${Array(200).fill(event(4))}]`;
  readable(await send(slow, many, "/events"), 202);
  const limited = await send(slow, many, "/events");
  readable(limited, 429);
  match(limited.headers.get("retry-after") ?? "", /^[1-9]\d*$/);

  await using _lock = await LockHolder.start(folder.database);
  let full = await send(web, many, "/events");
  for (let i = 0; i < 9 && full.status === 202; i++) full = await send(web, many, "/events");
  readable(full, 503);
  match(full.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
});

Deno.test("a token is of no use to pages of other origins than its own, and nothing of theirs is stored", async () => {
  await using folder = new TempFolder();
  const tokens = await createTokens(folder.database, {
    none: ["--scopes", "ingest,read"],
    web: ["--origins", APP],
    any: ["--origins", "*"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const send = (token: string, origin: string) =>
    ask(`${collector.url}/event`, "POST", { ...bearer(token), ...PLAIN, origin }, event(origin));
  for (const origin of FOREIGN) equal((await send(tokens.web, origin)).status, 403, origin);
  equal((await send(tokens.none, APP)).status, 403);
  const read = { ...bearer(tokens.none), origin: APP };
  equal((await ask(`${collector.url}/stats`, "GET", read)).status, 403);
  equal(storedCount(folder.database), 0);
  equal((await send(tokens.web, APP)).status, 202);
  const other = await send(tokens.any, OTHER);
  deepEqual([other.status, other.headers.get(ALLOW_ORIGIN)], [202, OTHER]);
  refusedPage(await send(tokens.any, "null"), "null");
  deepEqual(storedEvents(folder.database).map(({ source }) => source), ["web", "any"]);
});
