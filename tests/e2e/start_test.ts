import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CollectorProcess, event } from "./collector_process.ts";
import { LockHolder } from "./lock_holder.ts";
import { storedCount } from "./rows.ts";

Deno.test("the first line tells the address, the database and the guarantees", async () => {
  await using collector = await CollectorProcess.start();
  const [line = ""] = collector.output.split("\n");
  match(line, /listening on http:\/\/127\.0\.0\.1:\d+, storing in .*events\.db/);
  match(line, /synchronous full.*durability disk: 2xx means flushed to the disk/);
  await using quick = await CollectorProcess.start({ args: ["--durability", "memory"] });
  match(
    quick.output,
    /durability memory: 202 means queued, a crash loses at most the 30000 events/,
  );
});

Deno.test("a second collector on the same database is refused with 75", async () => {
  await using collector = await CollectorProcess.start();
  const second = await CollectorProcess.refused({ folder: collector.folder });
  equal(second.code, 75, second.output);
  match(second.output, /Another collector is using .*events\.db\. Stop it first/);
  equal((await collector.post("/event", event("still here"))).status, 202);
});

Deno.test("a second collector by another name of the database is refused", async () => {
  await using collector = await CollectorProcess.start();
  await using links = temporaryFolder();
  Deno.symlinkSync(collector.database, `${links.path}/events.db`);
  const second = await CollectorProcess.refused({ folder: links.path });
  equal(second.code, 75, second.output);

  Deno.removeSync(`${links.path}/events.db`);
  Deno.linkSync(collector.database, `${links.path}/events.db`);
  const third = await CollectorProcess.refused({ folder: links.path });
  equal(third.code, 78, third.output);
  match(third.output, /second name/);
});

Deno.test("a database of another program is refused with 78 and left as it was", async () => {
  await using folder = temporaryFolder();
  const path = `${folder.path}/events.db`;
  const other = new DatabaseSync(path);
  other.exec("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')");
  other.close();
  const before = Deno.readFileSync(path);
  const refused = await CollectorProcess.refused({ folder: folder.path });
  equal(refused.code, 78);
  match(refused.output, /it is a database of another program\. Nothing in it was changed\./);
  deepEqual(Deno.readFileSync(path), before);
  const files = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  deepEqual(files, ["events.db"]);
});

Deno.test("a database of a newer version is refused with 78", async () => {
  await using folder = temporaryFolder();
  await stopped(folder.path);
  const database = new DatabaseSync(`${folder.path}/events.db`);
  database.exec("PRAGMA user_version = 99");
  database.close();
  const refused = await CollectorProcess.refused({ folder: folder.path });
  equal(refused.code, 78);
  match(refused.output, /schema version is 99, this program knows 4/);
});

Deno.test("a database that another program has locked is refused with 75", async () => {
  await using folder = temporaryFolder();
  await using _lock = await LockHolder.start(`${folder.path}/events.db`);
  const refused = await CollectorProcess.refused({ folder: folder.path });
  equal(refused.code, 75, refused.output);
  match(refused.output, /is locked\. Another program holds its write lock/);
});

Deno.test("another program that writes again and again, briefly, does not keep it from starting", async () => {
  await using folder = temporaryFolder();
  await stopped(folder.path);
  const other = new DatabaseSync(`${folder.path}/events.db`, { timeout: 5000 });
  let isOver = false;
  const writing = (async () => {
    for (; !isOver; await pause(4)) {
      other.exec("BEGIN IMMEDIATE");
      await pause(8);
      other.exec("ROLLBACK");
    }
    other.close();
  })();
  try {
    for (let i = 0; i < 4; i++) {
      await using collector = await CollectorProcess.start({ folder: folder.path });
      equal(await collector.stop(), 0);
    }
  } finally {
    isOver = true;
    await writing;
  }
});

Deno.test("a folder that is not there is refused with 78 and the way out", async () => {
  const refused = await CollectorProcess.refused({ folder: "/nowhere/at/all" });
  equal(refused.code, 78, refused.output);
  match(refused.output, /Cannot lock \/nowhere\/at\/all\/events\.db\.lock.*Make the folder/s);
});

Deno.test("a port that is taken is refused with 71 and the way out", async () => {
  await using collector = await CollectorProcess.start();
  const { port } = new URL(collector.url);
  const refused = await CollectorProcess.refused({ args: ["--port", port] });
  equal(refused.code, 71, refused.output);
  match(refused.output, /Cannot listen on 127\.0\.0\.1:\d+.*name another with --port/s);
});

Deno.test("every bad flag and variable is told at once, exit 64; variables alone, exit 78", async () => {
  const flags = await CollectorProcess.refused({
    args: ["--port", "70000", "--speed", "9", "--synchronous", "maybe"],
    env: { FIREHOUSE_BATCH_SIZE: "0" },
  });
  equal(flags.code, 64);
  for (const name of ["--port", "--speed", "--synchronous", "FIREHOUSE_BATCH_SIZE"]) {
    ok(flags.output.includes(name), `${name} is not told:\n${flags.output}`);
  }
  const variables = await CollectorProcess.refused({ env: { FIREHOUSE_SPEED: "9" } });
  equal(variables.code, 78);
  match(variables.output, /unknown variable FIREHOUSE_SPEED/);
});

Deno.test("a restart goes on where the last run stopped", async () => {
  await using folder = temporaryFolder();
  await stopped(folder.path);
  await stopped(folder.path);
  equal(storedCount(`${folder.path}/events.db`), 2);
});

Deno.test("--log-format json writes each line as JSON", async () => {
  await using collector = await CollectorProcess.start({ env: { FIREHOUSE_LOG_FORMAT: "json" } });
  equal(await collector.stop(), 0);
  const lines = collector.output.trim().split("\n").map((line) => JSON.parse(line));
  equal(lines.length, 3);
  deepEqual(Object.keys(lines[0]), ["time", "level", "message"]);
});

/** Runs a collector that stores one event and stops. */
async function stopped(folder: string): Promise<void> {
  await using collector = await CollectorProcess.start({ folder });
  equal((await collector.post("/event", event("one"))).status, 202);
  equal(await collector.stop(), 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function temporaryFolder(): AsyncDisposable & { readonly path: string } {
  const path = Deno.makeTempDirSync({ prefix: "firehouse-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("it starts again whatever the newest event holds", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "firehouse-" });
  try {
    for (const userId of ["9007199254740994", "-9223372036854775808"]) {
      await using collector = await CollectorProcess.start({ folder });
      const body = event("x").replace('"user_id":1', `"user_id":${userId}`);
      equal((await collector.post("/event", body)).status, 202);
      equal(await collector.stop(), 0, collector.output);
    }
    await using again = await CollectorProcess.start({ folder });
    equal(storedCount(again.database), 2);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
