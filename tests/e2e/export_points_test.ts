/** Export points over HTTP, and that what was not exported stays if that is asked for. */

import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { createTokens } from "./firehouse_command.ts";
import { LockHolder } from "./lock_holder.ts";
import { idRange, storeOld, untilRetention, wrong } from "./old_events.ts";
import { JSON_BODY, TempFolder } from "./sending.ts";

interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Asks below `/export-points`. */
async function ask(
  { url }: CollectorProcess,
  method: string,
  path = "",
  { body, token }: { readonly body?: string; readonly token?: string } = {},
): Promise<Answered> {
  const response = await fetch(`${url}/export-points${path}`, {
    method,
    ...body === undefined ? {} : { body: new Blob([body]) },
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: await response.json() };
}

const set = (collector: CollectorProcess, name: string, id: number) =>
  ask(collector, "PUT", `/${name}`, { body: JSON.stringify({ id }) });

/** Asserts that an answer refuses, and says this. */
function refused({ status, body }: Answered, expected: number, code: string, says: RegExp): void {
  deepEqual([status, body.type], [expected, `/problems/${code}`]);
  match(String(body.detail), says);
}

/** A collector with ten events. */
async function withEvents(): Promise<CollectorProcess> {
  const collector = await CollectorProcess.start();
  for (let i = 0; i < 10; i++) await collector.post("/event", new Blob([event(i)]), JSON_BODY);
  return collector;
}

Deno.test("a point is set, listed the lowest first, moved forward and removed", async () => {
  await using collector = await withEvents();
  deepEqual(await ask(collector, "GET"), { status: 200, body: { export_points: [] } });
  const { status, body } = await set(collector, "lake", 5);
  deepEqual([status, body.name, body.id], [200, "lake", 5]);
  match(String(body.updated_at), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  equal((await set(collector, "copy.2", 0)).status, 200);
  equal((await set(collector, "lake", 10)).status, 200);
  const list = async () =>
    ((await ask(collector, "GET")).body.export_points as { name: string; id: number }[])
      .map(({ name, id }) => `${name}@${id}`);
  deepEqual(await list(), ["copy.2@0", "lake@10"]);
  deepEqual(await ask(collector, "DELETE", "/copy.2"), { status: 200, body: { removed: 1 } });
  deepEqual(await list(), ["lake@10"]);
});

Deno.test("points are there after a restart", async () => {
  await using folder = new TempFolder();
  for (const isFirst of [true, false]) {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    if (isFirst) await set(collector, "lake", 0);
    const { export_points } = (await ask(collector, "GET")).body;
    equal((export_points as { name: string }[])[0]?.name, "lake");
    await collector.stop(isFirst ? "SIGKILL" : "SIGTERM");
  }
});

Deno.test("what can not be a point is refused, and says what is expected", async () => {
  await using collector = await withEvents();
  await set(collector, "lake", 5);
  const put = (body: string, name = "lake") => ask(collector, "PUT", `/${name}`, { body });
  refused(await set(collector, "lake", 4), 400, "parameter", /^Expected 5 or more.*or 0/);
  refused(await set(collector, "lake", 11), 400, "parameter", /the newest has 10\.$/);
  for (
    const body of ['{"id":-1}', '{"id":1.5}', '{"id":"6"}', '{"id":6,"x":1}', "6", "null", "[]"]
  ) {
    refused(await put(body), 400, "parameter", /^Expected \{"id": n\}/);
  }
  refused(await put("{"), 400, "malformed-json", /^Expected JSON/);
  refused(await put('{"id":6}', "a%20b"), 400, "parameter", /^Expected the name to have 1 to 64/);
  refused(await ask(collector, "DELETE", "/none"), 404, "unknown-export-point", /No export point/);
  refused(await ask(collector, "POST", "/lake"), 405, "method", /PUT, DELETE/);
  refused(await ask(collector, "PUT"), 405, "method", /GET/);
  refused(await ask(collector, "PUT", "/a/b"), 404, "not-found", /GET \//);
  const [lake] = (await ask(collector, "GET")).body.export_points as { id: number }[];
  equal(lake?.id, 5, "a refused one was set");
});

Deno.test("with tokens, whoever may read sees the points, and only an admin sets and removes them", async () => {
  await using folder = new TempFolder();
  const { web, reader, boss } = await createTokens(folder.database, {
    web: [],
    reader: ["--scopes", "read"],
    boss: ["--scopes", "admin"],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const status = async (method: string, token: string | undefined) =>
    (await ask(collector, method, method === "GET" ? "" : "/lake", {
      ...token === undefined ? {} : { token },
      ...method === "PUT" ? { body: '{"id":0}' } : {},
    })).status;
  const statuses = (method: string) =>
    Promise.all([undefined, web, reader].map((token) => status(method, token)));
  deepEqual(await statuses("GET"), [401, 403, 200]);
  deepEqual(await statuses("PUT"), [401, 403, 403]);
  deepEqual(await statuses("DELETE"), [401, 403, 403]);
  equal(await status("GET", boss), 200);
  equal(await status("PUT", boss), 200);
  equal(await status("DELETE", boss), 200);
});

Deno.test("while the database can not be asked a point is not set, and that is said", async () => {
  await using collector = await withEvents();
  {
    await using _lock = await LockHolder.start(collector.database);
    refused(await set(collector, "lake", 5), 503, "store-failing", /Try again later/);
  }
  equal((await set(collector, "lake", 5)).status, 200);
});

Deno.test("with --retain-unexported yes what was not exported stays, and goes once it is", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 1000, ageDays: 40, mark: "old" });
  await using collector = await CollectorProcess.start({
    folder: folder.path,
    args: ["--retain-days", "30", "--retain-unexported", "yes"],
  });
  const held = await untilRetention(collector, ({ held_up }) => held_up !== null);
  deepEqual([held.oldest_id, held.held_by], [1, null]);
  match(held.held_up ?? "", /there is no export point/);
  await set(collector, "lake", 400);
  const byLake = await untilRetention(collector, ({ held_by }) => held_by === "lake");
  equal(byLake.removed, 400);
  await set(collector, "lake", 1000);
  const { held_by, held_up } = await untilRetention(collector, ({ removed }) => removed === 999);
  deepEqual([held_by, held_up], [null, null]);
  equal(await collector.stop(), 0, collector.output);
  match(collector.output, /events stay that were to be removed: export point lake has not/);
  deepEqual([idRange(folder.database), wrong(folder.database)], [[1000, 1000, 1], []]);
});
