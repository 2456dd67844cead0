/** `deno task verify`: the audit of a database while no collector uses it. */

import { ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import config from "../../deno.json" with { type: "json" };
import { CollectorProcess, event } from "./collector_process.ts";
import { LockHolder } from "./lock_holder.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const EVENTS = 20;

/** Runs the command of the task on a database. */
async function verify(database: string): Promise<{ code: number; output: string }> {
  const [, ...args] = config.tasks.verify.command.split(" ");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, "--db", database],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  return { code, output: new TextDecoder().decode(stderr) };
}

/** A folder with a database of so many events that was closed. */
async function closedDatabase(): Promise<AsyncDisposable & { folder: string; database: string }> {
  const folder = Deno.makeTempDirSync({ prefix: "firehouse-verify-" });
  await using collector = await CollectorProcess.start({ folder });
  for (let i = 0; i < EVENTS; i++) await collector.post("/event", event(i));
  await collector.stop();
  const remove = () => Deno.remove(folder, { recursive: true });
  return { folder, database: collector.database, [Symbol.asyncDispose]: remove };
}

function change(database: string, sql: string): void {
  const connection = new DatabaseSync(database);
  connection.exec(sql);
  connection.close();
}

Deno.test("verify finds nothing wrong with what a collector left", async () => {
  await using closed = await closedDatabase();
  const { code, output } = await verify(closed.database);
  equal(code, 0, output);
  for (const subject of ["integrity", "counters", "sequence", "runs", "journal"]) {
    ok(output.includes(`${subject} ok: `), output);
  }
  ok(output.includes(`${EVENTS} events, ${EVENTS} counted`), output);
});

Deno.test("verify finds a row that was deleted, and one that was added", async (t) => {
  await using closed = await closedDatabase();
  await t.step("deleted", async () => {
    change(closed.database, "DELETE FROM events WHERE id = 7");
    const { code, output } = await verify(closed.database);
    equal(code, 65, output);
    ok(output.includes("counters WRONG: 19 events, 20 counted"), output);
    ok(output.includes("sequence WRONG: ids 1 to 20, 1 missing"), output);
  });
  await t.step("added", async () => {
    change(
      closed.database,
      `INSERT INTO events (id, timestamp, metadata, received_at, source)
         VALUES (7, '', '{}', 0, 'x'), (21, '', '{}', 0, 'x')`,
    );
    const { code, output } = await verify(closed.database);
    equal(code, 65, output);
    ok(output.includes("counters WRONG: 21 events, 20 counted"), output);
  });
});

Deno.test("verify finds a damaged page", async () => {
  await using closed = await closedDatabase();
  using file = Deno.openSync(closed.database, { write: true });
  file.seekSync(8192 + 5, Deno.SeekMode.Start); // in the head of the second page
  file.writeSync(new Uint8Array(64).fill(0xff));
  const { code, output } = await verify(closed.database);
  equal(code, 65, output);
  ok(/integrity WRONG|is damaged/.test(output), output);
});

Deno.test("verify counts what is in the journal, and finds damage in it", async () => {
  await using closed = await closedDatabase();
  {
    await using collector = await CollectorProcess.start({ folder: closed.folder });
    await using _lock = await LockHolder.start(closed.database);
    for (let i = 0; i < 5; i++) await collector.post("/event", event(i));
    await collector.stop("SIGKILL");
  }
  const before = await verify(closed.database);
  equal(before.code, 0, before.output);
  ok(before.output.includes("journal ok: 5 events to be applied at the next start"), before.output);
  ok(before.output.includes("1 of them did not end by themselves"), before.output);

  const segment = `${closed.database}.journal.000001`;
  const bytes = Deno.readFileSync(segment);
  bytes[150] = (bytes[150] as number) ^ 1;
  Deno.writeFileSync(segment, bytes);
  const after = await verify(closed.database);
  equal(after.code, 65, after.output);
  ok(after.output.includes("journal WRONG: 4 events"), after.output);
  ok(after.output.includes("1 damaged files"), after.output);
  equal(Deno.statSync(segment).size, bytes.length, "verify changed the journal");
});

Deno.test("verify does not look at a database in use, and makes none", async () => {
  await using collector = await CollectorProcess.start();
  const inUse = await verify(collector.database);
  equal(inUse.code, 75, inUse.output);
  ok(inUse.output.includes("Another collector is using"), inUse.output);
  const missing = await verify(`${collector.folder}/none.db`);
  equal(missing.code, 78, missing.output);
  ok(missing.output.includes("there is no such file"), missing.output);
  const names = [...Deno.readDirSync(collector.folder)].map(({ name }) => name);
  ok(!names.some((name) => name.startsWith("none.db")), names.join());
});
