/** The tokens file is changed while the collector runs, and another token is used all the while. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { createToken, createTokens, firehouse } from "./firehouse_command.ts";
import { rawRequest, RawSocket } from "./raw_socket.ts";

import { JSON_BODY, LINES, marks, TempFolder } from "./sending.ts";
import { SteadySender, until } from "./steady_sender.ts";

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** The status of one event sent with a token; its mark is no number. */
async function status(collector: CollectorProcess, token: string): Promise<number> {
  const headers = { ...JSON_BODY, ...bearer(token) };
  return (await collector.post("/event", event("probe"), headers)).status;
}

/** Clients that all use one token. */
function steadily(collector: CollectorProcess, token: string): SteadySender {
  const headers = { ...JSON_BODY, ...bearer(token) };
  return new SteadySender((mark) =>
    fetch(`${collector.url}/event`, { method: "POST", body: event(mark), headers })
  );
}

function tokensFile(folder: TempFolder): string {
  return `${folder.database}.tokens.json`;
}

/** Replaces the tokens file as an editor does. */
function replace(folder: TempFolder, change: (text: string) => string): void {
  const path = tokensFile(folder);
  Deno.writeTextFileSync(`${path}.edited`, change(Deno.readTextFileSync(path)));
  Deno.renameSync(`${path}.edited`, path);
}

/** How often the collector has told something. */
function told(collector: CollectorProcess, what: RegExp): number {
  return [...collector.output.matchAll(new RegExp(what, "g"))].length;
}

for (const way of ["by itself", "on SIGHUP"] as const) {
  Deno.test(`a token that is made, changed or revoked is taken so ${way}, and no request of another is refused or lost`, async () => {
    await using folder = new TempFolder();
    const steady = await createToken(folder.database, "steady");
    await using collector = await CollectorProcess.start({ folder: folder.path });
    await using sender = steadily(collector, steady);
    const change = async (words: readonly string[]) => {
      await sender.more(50);
      const done = await firehouse("token", ...words, "--db", folder.database);
      equal(done.code, 0, done.stderr);
      if (way === "on SIGHUP") collector.kill("SIGHUP");
      return done.stdout.trim();
    };
    const guest = await change(["create", "guest"]);
    await collector.untilOutput(/tokens\.json was read: 2 tokens; added: guest/);
    equal(await status(collector, guest), 202);

    await sender.more(50);
    replace(folder, (text) => text.replace(/("name": "guest"[^]*?)"ingest"/, '$1"read"'));
    if (way === "on SIGHUP") collector.kill("SIGHUP");
    await collector.untilOutput(/2 tokens; changed: guest/);
    equal(await status(collector, guest), 403);

    await change(["revoke", "guest"]);
    await collector.untilOutput(/1 token; removed: guest/);
    equal(await status(collector, guest), 401);
    await sender.more(50);
    await sender.end(folder.database);
    deepEqual(sender.failures, []);
    equal(await collector.stop(), 0, collector.output);
  });
}

Deno.test("SIGHUP reads the file whether it looks changed or not, and does not stop the process", async () => {
  await using folder = new TempFolder();
  const steady = await createToken(folder.database, "steady");
  await using collector = await CollectorProcess.start({ folder: folder.path });
  await using sender = steadily(collector, steady);
  const isRead = /was read: 1 token; none of them changed/;
  for (let times = 1; times <= 5; times++) {
    await sender.more(20);
    collector.kill("SIGHUP");
    await until(() => told(collector, isRead) === times, collector.output);
  }
  await sender.end(folder.database);
  deepEqual(sender.failures, []);
  equal(await collector.stop(), 0);
  match(collector.output, /SIGTERM: refusing new events/);
});

Deno.test("a file that breaks or goes away while it runs changes nothing, and is told once, on SIGHUP again", async () => {
  await using folder = new TempFolder();
  const { steady, other } = await createTokens(folder.database, { steady: [], other: [] });
  const good = Deno.readTextFileSync(tokensFile(folder));
  await using collector = await CollectorProcess.start({ folder: folder.path });
  await using sender = steadily(collector, steady);
  const stays = (problem: RegExp) =>
    new RegExp(`warn: .*${problem.source}.*\\. What was read before stays: 2 tokens`);
  const problems = [
    [(text: string) => text.slice(0, -20), /is malformed: it is not JSON.*/],
    [(text: string) => text.replace('"ingest"', '"all"'), /is malformed: tokens\[0\]\.scopes.*/],
    [() => "", /is malformed: it is not JSON.*/],
  ] as const;
  for (const [change, problem] of problems) {
    const before = told(collector, stays(problem));
    replace(folder, () => change(good));
    await until(() => told(collector, stays(problem)) === before + 1, `${problem}`);
    collector.kill("SIGHUP");
    await until(() => told(collector, stays(problem)) === before + 2, `${problem}`);
    await sender.more(50);
    equal(await status(collector, other), 202);
    equal(await status(collector, "fh_wrong"), 401);
  }
  const refused = await firehouse("token", "create", "late", "--db", folder.database);
  deepEqual([refused.code, refused.stdout], [78, ""]);
  Deno.removeSync(tokensFile(folder));
  await collector.untilOutput(/tokens\.json is gone\. What was read before stays: 2 tokens/);
  equal(await status(collector, other), 202);
  equal(await status(collector, "fh_wrong"), 401, "without its file it lets everyone in");

  Deno.writeTextFileSync(tokensFile(folder), good);
  await collector.untilOutput(/was read: 2 tokens; none of them changed/);
  await sender.end(folder.database);
  deepEqual(sender.failures, []);
  equal(await collector.stop(), 0, collector.output);
});

Deno.test("a request that was under way when its token was revoked is finished", async () => {
  await using folder = new TempFolder();
  const { boss, guest } = await createTokens(folder.database, {
    boss: ["--scopes", "admin"],
    guest: [],
  });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  using socket = await RawSocket.connect(collector.url);
  const body = event("under way");
  await socket.send(rawRequest("POST /event HTTP/1.1", [
    "host: localhost",
    "content-type: application/json",
    `content-length: ${body.length}`,
    `authorization: Bearer ${guest}`,
  ], body.slice(0, 10)));
  await until(async () => {
    const stats = await fetch(`${collector.url}/stats`, { headers: bearer(boss) });
    return (await stats.json()).bodies_in_flight === 1;
  }, "the body is being received");
  await firehouse("token", "revoke", "guest", "--db", folder.database);
  collector.kill("SIGHUP");
  await collector.untilOutput(/removed: guest/);
  equal(await status(collector, guest), 401);
  await socket.send(body.slice(10));
  const answer = await socket.answer();
  ok(typeof answer === "object" && answer.status === 202, JSON.stringify(answer));
  equal(marks(folder.database).at(-1), "under way");
});

Deno.test("what a token has used of its limits stays used when other tokens are changed", async () => {
  await using folder = new TempFolder();
  const slow = await createToken(folder.database, "slow", "--events-per-second", "1");
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const lines = Array.from({ length: 1000 }, (_, i) => event(i)).join("\n");
  equal((await collector.post("/events", lines, { ...LINES, ...bearer(slow) })).status, 202);
  const late = await createToken(folder.database, "late");
  collector.kill("SIGHUP");
  await collector.untilOutput(/added: late/);
  equal(await status(collector, late), 202);
  equal(await status(collector, slow), 429);
  replace(folder, (text) => text.replace('"events_per_second": 1,', '"events_per_second": 2000,'));
  collector.kill("SIGHUP");
  await collector.untilOutput(/changed: slow/);
  equal(await status(collector, slow), 202);
});

Deno.test("when the last token is revoked, a collector on 0.0.0.0 refuses all, and goes on with a new one", async () => {
  await using folder = new TempFolder();
  const first = await createToken(folder.database, "first");
  const args = ["--host", "0.0.0.0"];
  await using collector = await CollectorProcess.start({ folder: folder.path, args });
  equal(await status(collector, first), 202);
  await firehouse("token", "revoke", "first", "--db", folder.database);
  await collector.untilOutput(/was read: 0 tokens; removed: first/);
  equal(await status(collector, first), 401);
  equal((await collector.post("/event", event("nobody"))).status, 401);
  const second = await createToken(folder.database, "second");
  await collector.untilOutput(/was read: 1 token; added: second/);
  equal(await status(collector, second), 202);
  equal(await status(collector, first), 401);
});
