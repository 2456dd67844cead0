import { ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { unreadableTransactions } from "../../lib/store/wal_file.ts";
import { newFolder } from "./batches.ts";

const PAGE_BYTES = 512, FRAME_BYTES = 24 + PAGE_BYTES, HEADER_BYTES = 32;
const ROWS = 12;

/** A database with a log of so many transactions, as a crash leaves it. */
function crashed(path: string, rounds = 1): Uint8Array {
  const database = new DatabaseSync(`${path}/live.db`);
  database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = wal`);
  database.exec("PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (n INTEGER PRIMARY KEY, text TEXT)");
  for (let round = 0; round < rounds; round++) {
    // The next round overwrites the log from its beginning, with other salts.
    database.exec("PRAGMA wal_checkpoint(RESTART)");
    const rows = round === rounds - 1 ? ROWS : 3 * ROWS;
    for (let n = 0; n < rows; n++) {
      database.exec(`INSERT INTO t (text) VALUES ('${"x".repeat(99)}')`);
    }
  }
  const log = Deno.readFileSync(`${path}/live.db-wal`);
  Deno.copyFileSync(`${path}/live.db`, `${path}/crashed.db`);
  database.close();
  return log;
}

/** How many rows SQLite reads of a database with this log. */
function rowsWith(path: string, log: Uint8Array): number {
  Deno.copyFileSync(`${path}/crashed.db`, `${path}/try.db`);
  Deno.writeFileSync(`${path}/try.db-wal`, log);
  const database = new DatabaseSync(`${path}/try.db`);
  const rows = Number(database.prepare("SELECT count(*) AS n FROM t").get()?.n);
  database.close();
  return rows;
}

function unreadable(path: string, log: Uint8Array): number {
  Deno.writeFileSync(`${path}/log`, log);
  return unreadableTransactions(`${path}/log`);
}

Deno.test("a log that is intact, empty or not there has nothing that can not be read", () => {
  using folder = newFolder();
  equal(unreadableTransactions(`${folder.path}/none`), 0);
  equal(unreadable(folder.path, new Uint8Array()), 0);
  equal(unreadable(folder.path, crashed(folder.path)), 0);
});

Deno.test("frames that are left over from an earlier round of the log are no damage", () => {
  using folder = newFolder();
  const log = crashed(folder.path, 2);
  equal(unreadable(folder.path, log), 0);
  equal(rowsWith(folder.path, log), 4 * ROWS);
});

Deno.test("[G9] every transaction that a flipped bit makes SQLite drop is counted, wherever it is", () => {
  using folder = newFolder();
  const log = crashed(folder.path);
  const whole = rowsWith(folder.path, log);
  equal(whole, ROWS);
  const frames = (log.length - HEADER_BYTES) / FRAME_BYTES;
  let dropped = 0;
  for (let frame = 0; frame < frames; frame++) {
    for (const at of [0, 4, 8, 17, 24, 300]) { // page, size, salt, checksum, data
      const damaged = log.slice();
      const offset = HEADER_BYTES + frame * FRAME_BYTES + at;
      damaged[offset] = (damaged[offset] as number) ^ 16;
      const lost = whole - rowsWith(folder.path, damaged);
      const counted = unreadable(folder.path, damaged);
      ok(counted >= lost, `frame ${frame}, byte ${at}: ${counted} of ${lost}`);
      dropped = Math.max(dropped, lost);
    }
  }
  equal(dropped, ROWS, "no flip made SQLite drop all");
});

Deno.test("a damaged header is counted: SQLite takes nothing of such a log", () => {
  using folder = newFolder();
  const log = crashed(folder.path);
  for (const at of [0, 3, 9, 12, 16, 20, 24, 31]) {
    const damaged = log.slice();
    damaged[at] = (damaged[at] as number) ^ 1;
    const counted = unreadable(folder.path, damaged);
    ok(counted > 0, `byte ${at}: ${counted}`);
  }
});

Deno.test("a transaction that was cut off is none: nobody was told that it is stored", () => {
  using folder = newFolder();
  const log = crashed(folder.path);
  for (let cut = 1; cut < 3 * FRAME_BYTES; cut += 37) {
    equal(unreadable(folder.path, log.slice(0, log.length - cut)), 0, `${cut} bytes cut off`);
  }
});
