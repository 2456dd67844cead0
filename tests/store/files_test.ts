import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Database } from "../../lib/store/database.ts";
import { checkHeader, databaseSize, lockDatabase } from "../../lib/store/files.ts";
import { WorkerStore } from "../../lib/store/worker_store.ts";
import { batchOf, newFolder, storedMarks } from "./batches.ts";

const OURS = 0x46484331;

/** Makes the files of a database that must be refused; gives what the refusal says. */
const FOREIGN: Record<string, { make: (path: string) => void; message: RegExp }> = {
  "a database of another program": {
    make: (path) => sql(path, "CREATE TABLE t (n); PRAGMA application_id = 7"),
    message: /another program/,
  },
  "another program's database in WAL mode": {
    make: (path) => sql(path, "PRAGMA journal_mode = wal; CREATE TABLE t (n)"),
    message: /another program/,
  },
  "a database of a newer version": {
    make: (path) =>
      sql(path, `CREATE TABLE t (n); PRAGMA application_id = ${OURS}; PRAGMA user_version = 2`),
    message: /schema version is 2, this program knows 1/,
  },
  "a text file": {
    make: (path) => Deno.writeTextFileSync(path, "precious text\n"),
    message: /not a SQLite database/,
  },
  "a database cut within its header": {
    make: (path) => Deno.writeTextFileSync(path, "SQLite format 3\0"),
    message: /another program/,
  },
  "a folder": { make: (path) => Deno.mkdirSync(path), message: /not a file/ },
};

function sql(path: string, statements: string): void {
  using database = new DatabaseSync(path);
  database.exec(statements);
}

function storeOf(path: string): WorkerStore {
  const unexpected = (what: unknown) => {
    throw new Error(`unexpected: ${what}`);
  };
  return new WorkerStore({
    path,
    synchronous: "normal",
    openTimeoutMs: 0,
    hangMs: 10_000,
    onHang: unexpected,
    onGone: unexpected,
  });
}

/** Every file of a folder with its content. */
function contents(folder: string): Record<string, string> {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  return Object.fromEntries(entries.map(({ name, isFile }) => {
    const bytes = isFile ? Deno.readFileSync(`${folder}/${name}`) : new Uint8Array();
    return [name, bytes.toBase64()];
  }));
}

for (const [what, { make, message }] of Object.entries(FOREIGN)) {
  Deno.test(`${what} is refused, and not one byte or file is changed or added`, () => {
    using folder = newFolder();
    make(folder.database);
    const before = contents(folder.path);
    equal(Object.keys(before).length, 1);
    throws(() => checkHeader(folder.database), { code: "database-foreign", message });
    throws(() => lockDatabase(folder.database), { code: "database-foreign", message });
    deepEqual(contents(folder.path), before);
  });
}

/** What a crash of the first start can leave behind. */
const LEFT_BEHIND: Record<string, (path: string) => void> = {
  "nothing": () => {},
  "an empty file": (path) => Deno.writeTextFileSync(path, ""),
  "an empty file and a journal": (path) => {
    Deno.writeTextFileSync(path, "");
    Deno.writeFileSync(`${path}-journal`, new Uint8Array(8192));
  },
  "a file whose tables were written and not yet committed": (path) => {
    using database = new DatabaseSync(path);
    database.exec(`PRAGMA page_size = 8192; PRAGMA cache_size = 1; BEGIN IMMEDIATE;
      PRAGMA application_id = ${OURS}; PRAGMA user_version = 1; CREATE TABLE events (n)`);
    const insert = database.prepare("INSERT INTO events VALUES (?)");
    for (let i = 0; i < 100; i++) insert.run("x".repeat(1000)); // the cache is full: the journal is synced
    Deno.copyFileSync(`${path}-journal`, `${path}.hot`);
    database.exec("COMMIT");
    database.close();
    Deno.renameSync(`${path}.hot`, `${path}-journal`);
  },
};

for (const [what, leave] of Object.entries(LEFT_BEHIND)) {
  Deno.test(`a first start that left ${what} is made up for by the next`, async () => {
    using folder = newFolder();
    leave(folder.database);
    const store = storeOf(folder.database);
    deepEqual(await store.open(), { lastBatch: 0 });
    deepEqual(await store.write(batchOf(1, ["first"])), { kind: "committed" });
    await store.close();
    deepEqual(storedMarks(folder.database), ["first"]);
  });
}

Deno.test("a database of this program passes, in whatever state a collector left it", () => {
  using folder = newFolder();
  const database = new Database({
    path: folder.database,
    synchronous: "normal",
    openTimeoutMs: 0,
    run: "",
  });
  database.write(batchOf(1, [1]));
  for (const file of ["events.db", "events.db-wal"]) { // as after a crash: not checkpointed
    Deno.copyFileSync(`${folder.path}/${file}`, `${folder.path}/crashed-${file}`);
  }
  database.close();
  checkHeader(folder.database);
  checkHeader(`${folder.path}/crashed-events.db`);
  deepEqual(storedMarks(`${folder.path}/crashed-events.db`), [1]);
});

Deno.test("a second lock is refused while the first is held, and given afterwards", () => {
  using folder = newFolder();
  const first = lockDatabase(folder.database);
  throws(() => lockDatabase(folder.database), {
    code: "second-collector",
    message: `Another collector is using ${folder.database}.`,
  });
  first[Symbol.dispose]();
  lockDatabase(folder.database)[Symbol.dispose]();
  deepEqual(Object.keys(contents(folder.path)), ["events.db.lock"]);
});

Deno.test("a folder that is missing or is a file is a path error that names the way out", () => {
  using folder = newFolder();
  Deno.writeTextFileSync(`${folder.path}/file`, "");
  for (const path of [`${folder.path}/missing/events.db`, `${folder.path}/file/events.db`]) {
    throws(() => lockDatabase(path), { code: "database-path", hint: /--db/ });
  }
  throws(() => checkHeader(`${folder.path}/file/events.db`), { code: "database-path" });
});

Deno.test("sizes are those of the files, and 0 where there is none", async () => {
  using folder = newFolder();
  deepEqual(await databaseSize(folder.database), { databaseBytes: 0, walBytes: 0 });
  Deno.writeTextFileSync(folder.database, "12345");
  Deno.writeTextFileSync(`${folder.database}-wal`, "123");
  deepEqual(await databaseSize(folder.database), { databaseBytes: 5, walBytes: 3 });
});
