/** Readers of this process that take turns without a gap: they keep off when the store asks them. */

import { ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { gateMemory, LogGate } from "../../lib/log_gate.ts";
import { batchOf, newFolder, openDatabase } from "./batches.ts";

const MIB = 1024 * 1024;
/** A batch of some 2 MB. */
const TEXTS = Array<string>(1000).fill("x".repeat(2000));
const BATCHES = 200;

Deno.test("the log is begun anew though readers take turns without a gap", () => {
  using folder = newFolder();
  const memory = gateMemory(), gate = new LogGate(memory);
  const database = openDatabase(folder.database, { gate: memory });
  const readers = [new DatabaseSync(folder.database), new DatabaseSync(folder.database)];
  let asked = 0, longest = 0;
  for (let i = 0; i < BATCHES; i++) {
    const [next, last] = [readers[i % 2], readers[(i + 1) % 2]] as [DatabaseSync, DatabaseSync];
    if (gate.isClosed) asked++;
    else next.exec("BEGIN; SELECT max(id) FROM events");
    if (last.isTransaction) last.exec("COMMIT"); // only now: there is never nobody who reads
    database.write(batchOf(i + 1, TEXTS));
    database.checkpointIfDue();
    longest = Math.max(longest, Deno.statSync(`${folder.database}-wal`).size);
  }
  for (const reader of readers) reader.close();
  database.close();
  ok(asked > 0, "the readers were never asked to keep off");
  ok(longest < 250 * MIB, `the log grew to ${longest} bytes, of ${BATCHES * 2} MB written`);
});

Deno.test("a reader waits at the gate until it is open, but not for ever", async () => {
  const memory = gateMemory(), store = new LogGate(memory), reader = new LogGate(memory);
  await reader.pass();
  store.close();
  let passed = false;
  const passing = reader.pass().then(() => passed = true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  equal(passed, false);
  store.open();
  await passing;
  store.close();
  await reader.pass(); // another program keeps the log, and the store never opens
  await reader.pass();
  equal(reader.isClosed, true);
});
