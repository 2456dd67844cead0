/**
 * One flushed record of 30 KB, which is about a batch of 200 events: appended to the journal, and
 * inserted as a row into a SQLite database that would serve as one.
 */

import { DatabaseSync } from "node:sqlite";
import { Journal } from "../lib/store/journal.ts";
import { sampleLines } from "./sample.ts";

const ROWS_BYTES = 30_000, KEPT_BYTES = 64 << 20;
const rows = sampleLines(200).slice(0, ROWS_BYTES);
const folder = Deno.makeTempDirSync({ prefix: "firehouse-bench-" });
const run = crypto.randomUUID();
let number = 0;

const journal = new Journal({ path: `${folder}/events.db.journal`, bytesMax: 1 << 30 });

Deno.bench("journal: append a flushed record of 30 KB", { group: "30 KB", baseline: true }, (b) => {
  if (journal.bytes > KEPT_BYTES) emptyJournal();
  b.start();
  journal.append({ run, number: ++number, events: 200, rows });
  b.end();
});

const database = new DatabaseSync(`${folder}/journal.db`);
database.exec("PRAGMA journal_mode = wal; PRAGMA synchronous = FULL");
database.exec("CREATE TABLE records (n INTEGER PRIMARY KEY, run TEXT, events INTEGER, rows BLOB)");
const insert = database.prepare("INSERT INTO records VALUES (?, ?, ?, ?)");
const removeAll = database.prepare("DELETE FROM records");
const encoder = new TextEncoder();
let kept = 0;

Deno.bench("journal: the same as a row in SQLite, WAL and FULL", { group: "30 KB" }, (b) => {
  if (++kept * ROWS_BYTES > KEPT_BYTES) {
    removeAll.run();
    kept = 0;
  }
  b.start();
  insert.run(++number, run, 200, encoder.encode(rows));
  b.end();
});

globalThis.addEventListener("unload", () => {
  journal.close();
  database.close();
  Deno.removeSync(folder, { recursive: true });
});

function emptyJournal(): void {
  while (!journal.isEmpty) {
    journal.removeFirst(journal.peek({ eventsMax: Infinity, bytesMax: 8 << 20 }).length);
  }
}
