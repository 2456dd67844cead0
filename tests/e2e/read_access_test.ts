/** Who may read: tokens, their scopes, and pages of the web. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { createTokens } from "./firehouse_command.ts";
import { ALLOW_ORIGIN, APP, ask, bearer, FOREIGN, preflight } from "./pages.ts";
import { read, refusal } from "./reading.ts";
import { TempFolder } from "./sending.ts";
import { until } from "./steady_sender.ts";

/** Whatever tells of events, or of the collector. */
const PATHS = [
  "/events",
  "/events/1",
  "/series",
  "/top",
  "/export",
  "/stats",
  "/metrics",
  "/export-points",
  "/dead-letters",
];
const STREAMS = ["/tail?last=1"];
/** What tells of neither. */
const OPEN = [
  "/",
  "/livez",
  "/readyz",
  "/problems/parameter",
  "/dashboard/app.js",
  "/openapi.json",
  "/reference",
];

/** Asks, and reads no more of an answer than its head. */
async function head(url: string, headers: Record<string, string>): Promise<Response> {
  const response = await fetch(url, { headers });
  await response.body?.cancel();
  return response;
}

Deno.test("events are read with a token that may read, and in no other way", async () => {
  await using folder = new TempFolder();
  const { web, reader, boss } = await createTokens(folder.database, {
    web: [],
    reader: ["--scopes", "read"],
    boss: ["--scopes", "admin"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const { url } = collector;
  equal(
    (await collector.post("/event", event(1), {
      ...bearer(web),
      "content-type": "application/json",
    })).status,
    202,
  );
  for (const path of [...PATHS, ...STREAMS]) {
    deepEqual(refusal(await read(collector, path)), [401, "token-missing"], path);
    const ingest = await read(collector, path, { headers: bearer(web) });
    deepEqual(refusal(ingest), [403, "forbidden"], path);
    match(JSON.parse(ingest.text).detail, /scope read/);
    for (const token of [reader, boss]) {
      equal((await head(url + path, bearer(token))).status, 200, path);
    }
    const separator = path.includes("?") ? "&" : "?";
    for (const name of ["token", "access_token"]) {
      const inUrl = await read(collector, `${path}${separator}${name}=${reader}`);
      ok([400, 401].includes(inUrl.status), `${path}: ${inUrl.status}`);
      ok(!inUrl.text.includes(reader) && !inUrl.text.includes('"metadata"'), path);
    }
  }
  for (const path of PATHS) {
    for (const method of ["HEAD", "OPTIONS"]) {
      if (path === "/events" && method === "OPTIONS") continue; // how events are sent there is no secret
      const { status } = await ask(url + path, method, {});
      equal(status, 401, `${method} ${path}`);
    }
  }
  for (const path of OPEN) {
    const accept = path === "/reference" ? "text/html" : "*/*";
    equal((await head(url + path, { accept })).status, 200, path);
  }
  equal((await head(url, { accept: "text/html" })).status, 200);
  equal(await collector.stop(), 0);
  ok(!collector.output.includes(reader), "the token is told");
});

Deno.test("many wrong tokens from an address are answered 429 on the way to events as well", async () => {
  await using folder = new TempFolder();
  const { reader } = await createTokens(folder.database, { reader: ["--scopes", "read"] });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const statuses: number[] = [];
  for (let i = 0; i < 12; i++) {
    statuses.push(
      (await head(`${collector.url}${PATHS[i % PATHS.length]}`, bearer(`fh_${i}`))).status,
    );
  }
  deepEqual(statuses, [...Array(10).fill(401), 429, 429]);
  equal((await head(`${collector.url}/events`, bearer(reader))).status, 200);
});

Deno.test("a page reads events only with a token of its origin (B85)", async () => {
  await using folder = new TempFolder();
  const { web, any, none } = await createTokens(folder.database, {
    web: ["--scopes", "read", "--origins", APP],
    any: ["--scopes", "read", "--origins", "*"],
    none: ["--scopes", "read"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  for (const path of [...PATHS, ...STREAMS].filter((path) => path !== "/events/1")) {
    const at = collector.url + path;
    equal((await preflight(at, APP, "GET")).headers.get(ALLOW_ORIGIN), APP);
    const allowed = await head(at, { ...bearer(web), origin: APP });
    deepEqual([allowed.status, allowed.headers.get(ALLOW_ORIGIN)], [200, APP], path);
    match(allowed.headers.get("vary") ?? "", /origin/i);
    equal(allowed.headers.get("access-control-allow-credentials"), null);
    if (path === STREAMS[0]) {
      await until(
        async () =>
          /"open": 0,/.test((await read(collector, "/stats", { headers: bearer(web) })).text),
        "tails are gone",
      );
    }
    for (const origin of FOREIGN.filter((each) => each !== "")) {
      equal((await head(at, { ...bearer(web), origin })).status, 403, `${path} ${origin}`);
    }
    equal((await head(at, { ...bearer(none), origin: APP })).status, 403);
    const null_ = await head(at, { ...bearer(any), origin: "null" });
    deepEqual([null_.status, null_.headers.get(ALLOW_ORIGIN)], [403, null], path);
  }
});

Deno.test("with --allowed-origins * any page may send, and none but the collector's own reads", async () => {
  await using collector = await CollectorProcess.start({ args: ["--allowed-origins", "*"] });
  const readable: string[] = [];
  for (const path of [...PATHS, ...STREAMS]) {
    for (const origin of [APP, "null", "http://127.0.0.1:1"]) {
      const { status } = await head(collector.url + path, { origin });
      if (status !== 403) readable.push(`${path} ${origin} ${status}`);
    }
    const own = await head(collector.url + path, { origin: collector.url });
    if (own.status !== 200 && path !== "/events/1") readable.push(`${path}: not by its own page`);
  }
  deepEqual(readable, []);
});
