/** `firehouse restore`: the backup is served after a start, what was there is kept. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { createToken, firehouse, startFirehouse } from "./firehouse_command.ts";
import { LockHolder } from "./lock_holder.ts";
import { storeOld } from "./old_events.ts";
import { storedCount } from "./rows.ts";
import { identified, JSON_BODY, marks, receipt, TempFolder } from "./sending.ts";
import { until } from "./steady_sender.ts";

const ASYNC = { ...JSON_BODY, prefer: "respond-async" };

/** The names in a folder with the content of the files. */
function contents(folder: TempFolder): string[] {
  return folder.names(/./).map((name) => `${name}: ${Deno.readFileSync(`${folder.path}/${name}`)}`);
}

Deno.test("the backup is served: its ids and receipts hold, later ones do not, the old one is kept whole", async () => {
  await using folder = new TempFolder();
  const backup = `${folder.path}/backup`, flags = ["--db", folder.database];
  let early: string | null, late: string | null;
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    early = (await collector.post("/event", identified("a", "a"), ASYNC)).headers.get("location");
    await collector.settled();
    equal((await firehouse("backup", backup, ...flags)).code, 0);
    late = (await collector.post("/event", identified("b", "b"), ASYNC)).headers.get("location");
    await collector.settled();
    const inUse = await firehouse("restore", backup, ...flags);
    equal(inUse.code, 75, inUse.stderr);
    deepEqual(folder.names(/restore|replaced/), []);
    await using _lock = await LockHolder.start(folder.database);
    match((await collector.post("/event", event("journal"))).text, /"journaled"/);
    await collector.stop("SIGKILL");
  }
  await createToken(folder.database, "reader");
  const tokens = Deno.readTextFileSync(`${folder.database}.tokens.json`);
  const { code, stderr } = await firehouse("restore", backup, ...flags);
  equal(code, 0, stderr);
  match(stderr, /1 events, the newest 1\. The one before is kept as \S+replaced-\S+\.\n$/);
  equal(Deno.readTextFileSync(`${folder.database}.tokens.json`), tokens);
  Deno.removeSync(`${folder.database}.tokens.json`);
  deepEqual(folder.names(/^events\.db(-|\.journal|\.index)/), [], "a part of the old is left");
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    equal((await receipt(collector, early))?.status, "committed");
    equal(await receipt(collector, late), null);
    match((await collector.post("/event", identified("a", "again"))).text, /"duplicates":1/);
    match((await collector.post("/event", identified("b", "b"))).text, /"committed"/);
    deepEqual(marks(folder.database), ["a", "b"]);
    equal((await (await fetch(`${collector.url}/events/2`)).json()).event_id, "b");
    equal(await collector.stop(), 0);
  }
  equal((await firehouse("verify", ...flags)).code, 0);

  // The old one can be used as it is, its log and its journal with it.
  const [name = ""] = folder.names(/replaced-[^.]*$/);
  const verified = await firehouse("verify", "--db", `${folder.path}/${name}`);
  equal(verified.code, 0, verified.stderr);
  match(verified.stderr, /2 events, 2 counted.*journal ok: 1 events to be applied/s);
});

Deno.test("a foreign or a damaged file is refused, and nothing is changed", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 5, ageDays: 0, mark: "old" });
  equal((await firehouse("verify", "--db", folder.database)).code, 0); // makes the lock's file
  Deno.writeTextFileSync(`${folder.path}/text`, "no database ".repeat(20));
  storeOld(`${folder.path}/damaged`, { count: 2000, ageDays: 0, mark: "x" });
  {
    using file = Deno.openSync(`${folder.path}/damaged`, { write: true });
    file.seekSync(16_384, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(100).fill(0xff));
  }
  const before = contents(folder);
  for (
    const [name, status, says] of [["text", 78, /not a SQLite/], [
      "damaged",
      65,
      /damaged: /,
    ]] as const
  ) {
    const { code, stderr } = await firehouse(
      ...["restore", `${folder.path}/${name}`, "--db", folder.database],
    );
    equal(code, status, stderr);
    match(stderr, says);
    deepEqual(contents(folder), before);
  }
});

Deno.test("killed while it copies, the old database is served, and the start says so", async () => {
  await using folder = new TempFolder();
  const backup = `${folder.path}/backup`;
  storeOld(backup, { count: 60_000, ageDays: 0, mark: "x".repeat(1000) });
  storeOld(folder.database, { count: 3, ageDays: 0, mark: "old" });
  const killed = startFirehouse("restore", backup, "--db", folder.database);
  await until(() => folder.names(/restore-part$/).length > 0, "it begins");
  killed.kill("SIGKILL");
  await killed.output();
  equal(folder.names(/replaced/).length, 0, "it was done already");
  await using collector = await CollectorProcess.start({ folder: folder.path });
  match(collector.output, /a restore was interrupted before it changed anything/);
  deepEqual(marks(folder.database), ["old", "old", "old"]);
  deepEqual(folder.names(/restore-/), []);
});

Deno.test("killed while it moves files, the backup is served, and the start says where the old one is", async () => {
  await using folder = new TempFolder();
  const aside = `${folder.database}.replaced-2026-11-24T11-03-40-123Z`;
  {
    await using collector = await CollectorProcess.start({ folder: folder.path });
    for (let i = 0; i < 7; i++) await collector.post("/event", event(i));
    await collector.stop("SIGKILL");
  }
  storeOld(`${folder.path}/backup`, { count: 3, ageDays: 0, mark: "backup" });
  // As it is between the first two of the files.
  Deno.renameSync(`${folder.path}/backup`, aside.replace("replaced", "restore"));
  Deno.renameSync(`${folder.database}-wal`, `${aside}-wal`);
  for (const command of ["verify", "export"]) {
    const { code, stderr } = await firehouse(command, "--db", folder.database);
    equal(code, 78, stderr);
    match(stderr, /was interrupted half-way\. Start the collector/);
  }
  await using collector = await CollectorProcess.start({ folder: folder.path });
  match(collector.output, /a restore was interrupted and is finished now; .* kept as .*replaced-/);
  deepEqual(marks(folder.database), ["backup", "backup", "backup"]);
  equal((await (await fetch(`${collector.url}/events/3`)).json()).id, 3);
  equal(storedCount(aside), 7);
  ok(folder.names(/restore-/).length === 0);
});
