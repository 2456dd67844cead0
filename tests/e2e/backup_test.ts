/** `firehouse backup`: a copy that is whole, made while the database is written. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { firehouse, startFirehouse } from "./firehouse_command.ts";
import { LockHolder } from "./lock_holder.ts";
import { storeOld } from "./old_events.ts";
import { query, storedEvents } from "./rows.ts";
import { JSON_BODY, TempFolder } from "./sending.ts";
import { SteadySender, until } from "./steady_sender.ts";

Deno.test("under load: the copy is whole and holds the first events without a gap", async () => {
  await using collector = await CollectorProcess.start();
  await using sender = new SteadySender((mark) =>
    fetch(`${collector.url}/event`, {
      method: "POST",
      body: new Blob([event(mark)]),
      headers: JSON_BODY,
    })
  );
  for (const name of ["one", "two"]) {
    await sender.more(200);
    const { length: acknowledged } = sender.acknowledged, copy = `${collector.folder}/${name}`;
    const { code, stderr } = await firehouse("backup", copy, "--db", collector.database);
    equal(code, 0, stderr);
    const count = Number(/: (\d+) events, the newest \1, \d+ bytes, checked/.exec(stderr)?.[1]);
    ok(count >= acknowledged, stderr);
    deepEqual(storedEvents(copy), storedEvents(collector.database).slice(0, count));
    const names = [...Deno.readDirSync(collector.folder)].map((entry) => entry.name);
    deepEqual(names.filter((each) => each.startsWith(name)), [name], "something is left beside it");
    const verified = await firehouse("verify", "--db", copy);
    equal(verified.code, 0, verified.stderr);
  }
});

Deno.test("the copy of a database that was killed holds what is in its log", async () => {
  await using folder = new TempFolder();
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    for (let i = 0; i < 20; i++) await collector.post("/event", event(i));
    await collector.stop("SIGKILL");
  }
  ok(Deno.statSync(`${folder.database}-wal`).size > 0);
  Deno.chmodSync(folder.database, 0o600);
  const copy = `${folder.path}/copy`;
  equal((await firehouse("backup", copy, "--db", folder.database)).code, 0);
  deepEqual(storedEvents(copy), storedEvents(folder.database));
  equal((Deno.statSync(copy).mode ?? 0) & 0o777, 0o600, "more may read it than the database");
  equal(query<{ journal_mode: string }>(copy, "PRAGMA journal_mode")[0]?.journal_mode, "delete");
});

Deno.test("what is only in the journal is told", async () => {
  await using collector = await CollectorProcess.start();
  match((await collector.post("/event", event("stored"))).text, /"committed"/);
  await using _lock = await LockHolder.start(collector.database);
  match((await collector.post("/event", event("late"))).text, /"journaled"/);
  const copy = `${collector.folder}/copy`;
  const { code, stderr } = await firehouse("backup", copy, "--db", collector.database);
  equal(code, 0, stderr);
  match(stderr, /Not in it: \d+ bytes of events that were only in the journal/);
  equal(storedEvents(copy).length, 1);
});

Deno.test("killed before it is done there is no copy of that name, and the next one is whole", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 60_000, ageDays: 0, mark: "x".repeat(1000) });
  const copy = `${folder.path}/copy`, flags = ["backup", copy, "--db", folder.database];
  const killed = startFirehouse(...flags);
  await until(() => folder.names(/^copy/).length > 0, "it begins");
  killed.kill("SIGKILL");
  await killed.output();
  equal(folder.names(/^copy$/).length, 0, "it was done already");
  const { code, stderr } = await firehouse(...flags);
  equal(code, 0, stderr);
  match(stderr, /60000 events, the newest 60000/);
  deepEqual(folder.names(/^copy/), ["copy"]);
});

Deno.test("it overwrites nothing, and says what it can not copy and where it can not write", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 5, ageDays: 0, mark: "x" });
  const mine = `${folder.path}/mine`;
  Deno.writeTextFileSync(mine, "mine");
  const others = /^(?!events\.db-)/, before = folder.names(others); // SQLite's are made by reading
  for (
    const [flags, status, says] of [
      [[mine, "--db", folder.database], 69, /mine is there already/],
      [[folder.database, "--db", folder.database], 69, /events\.db is there already/],
      [[`${folder.path}/none/copy`, "--db", folder.database], 69, /none\/copy/],
      [[`${folder.path}/copy`, "--db", `${folder.path}/none`], 78, /there is no such file/],
      [[`${folder.path}/copy`, "--db", mine], 78, /it is not a SQLite database/],
      [[], 64, /backup needs FILE/],
    ] as const
  ) {
    const { code, stdout, stderr } = await firehouse("backup", ...flags);
    deepEqual([code, stdout], [status, ""], stderr);
    match(stderr, says);
  }
  deepEqual(folder.names(others), before);
  equal(Deno.readTextFileSync(mine), "mine");
});

Deno.test("a damaged database gives no copy", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 5000, ageDays: 0, mark: "x".repeat(100) });
  {
    using file = Deno.openSync(folder.database, { write: true });
    file.seekSync(40 * 8192, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(200).fill(0xff));
  }
  const { code, stderr } = await firehouse(
    "backup",
    `${folder.path}/copy`,
    "--db",
    folder.database,
  );
  equal(code, 69, stderr);
  match(stderr, /the copy is damaged: /);
  deepEqual(folder.names(/^copy/), []);
});
