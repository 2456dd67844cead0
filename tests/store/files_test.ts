import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import {
  checkHeader,
  databaseSize,
  isOrphan,
  lockDatabase,
  moveAside,
  realPath,
} from "../../lib/store/files.ts";
import { batchOf, elsewhere as sql, newFolder, openDatabase, storedMarks } from "./batches.ts";
import { QUIET, realStore } from "./stores.ts";

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
      sql(path, `CREATE TABLE t (n); PRAGMA application_id = ${OURS}; PRAGMA user_version = 5`),
    message: /schema version is 5, this program knows 4/,
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
    const store = realStore(folder.database);
    equal((await store.open(QUIET)).state.journaled, 0);
    deepEqual(await store.write(batchOf(1, ["first"])), { kind: "committed" });
    await store.close();
    deepEqual(storedMarks(folder.database), ["first"]);
  });
}

Deno.test("a database of this program passes, in whatever state a collector left it", () => {
  using folder = newFolder();
  const database = openDatabase(folder.database);
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
  const sizes = async () => {
    const { freeBytes, ...rest } = await databaseSize(folder.database);
    ok(freeBytes === null || freeBytes > 0);
    return rest;
  };
  deepEqual(await sizes(), {
    databaseBytes: 0,
    walBytes: 0,
    journalBytes: 0,
  });
  Deno.writeTextFileSync(folder.database, "12345");
  Deno.writeTextFileSync(`${folder.database}-wal`, "123");
  for (const [name, text] of Object.entries({ "000001": "1", "000123": "22", "1000000": "333" })) {
    Deno.writeTextFileSync(`${folder.database}.journal.${name}`, text);
  }
  for (const other of ["events.db.journal.000001.damaged", "other.db.journal.000001"]) {
    Deno.writeTextFileSync(`${folder.path}/${other}`, "not of the journal");
  }
  deepEqual(await sizes(), {
    databaseBytes: 5,
    walBytes: 3,
    journalBytes: 6,
  });
});

Deno.test("a file with a second name is refused: SQLite would keep two logs of it", () => {
  using folder = newFolder();
  openDatabase(folder.database).close();
  Deno.linkSync(folder.database, `${folder.path}/second.db`);
  throws(() => lockDatabase(folder.database), { code: "database-foreign", message: /hard link/ });
});

Deno.test("two names of a database that are links have one lock", () => {
  using folder = newFolder();
  openDatabase(folder.database).close();
  Deno.symlinkSync(folder.database, `${folder.path}/link.db`);
  using _lock = lockDatabase(folder.database);
  const link = `${folder.path}/link.db`;
  throws(() => lockDatabase(realPath(link)), { code: "second-collector" });
});

Deno.test("a log without its database is not given to SQLite, which would delete it", () => {
  for (const leave of [() => {}, (path: string) => Deno.writeTextFileSync(path, "")]) {
    using folder = newFolder();
    leave(folder.database);
    Deno.writeTextFileSync(`${folder.database}-wal`, "committed last");
    throws(() => checkHeader(folder.database), {
      code: "database-corrupt",
      message: /its log .*-wal is there/,
      hint: /--on-corrupt=rotate/,
    });
    checkHeader(folder.database, "rotate");
    equal(isOrphan(folder.database), true);
    moveAside(folder.database); // which the store does
    const kept = Object.keys(contents(folder.path)).filter((name) => name.endsWith("-wal"));
    equal(kept.length, 1);
    equal(kept[0]?.startsWith("events.db.corrupt-"), true, kept[0]);
    equal(Deno.readTextFileSync(`${folder.path}/${kept[0]}`), "committed last");
    checkHeader(folder.database);
  }
});

Deno.test("a database is moved aside whole, with its log and its index", () => {
  using folder = newFolder();
  for (const suffix of ["", "-wal", "-shm", ".lock", ".journal.000001"]) {
    Deno.writeTextFileSync(folder.database + suffix, `text of ${suffix}`);
  }
  const aside = moveAside(folder.database);
  equal(aside.startsWith(`${folder.database}.corrupt-`), true, aside);
  for (const suffix of ["", "-wal", "-shm"]) {
    equal(Deno.readTextFileSync(aside + suffix), `text of ${suffix}`);
  }
  deepEqual(
    Object.keys(contents(folder.path)).filter((name) => !name.includes(".corrupt-")),
    ["events.db.journal.000001", "events.db.lock"],
  );
});

Deno.test("a file that is no database is left to the store if it may be moved aside", () => {
  using folder = newFolder();
  Deno.writeTextFileSync(folder.database, "torn and damaged beyond the first page");
  throws(() => checkHeader(folder.database, "rotate"), { code: "database-foreign" });
  Deno.writeTextFileSync(`${folder.database}.lock`, ""); // it was a collector's
  checkHeader(folder.database, "rotate");
  throws(() => checkHeader(folder.database), { code: "database-corrupt" });
  sql(`${folder.path}/other.db`, "CREATE TABLE t (n); PRAGMA application_id = 7");
  throws(() => checkHeader(`${folder.path}/other.db`, "rotate"), { code: "database-foreign" });
});

Deno.test("the path behind links is found whether the database is there or not", () => {
  using folder = newFolder();
  Deno.mkdirSync(`${folder.path}/real`);
  Deno.symlinkSync("real", `${folder.path}/linked`);
  Deno.symlinkSync("linked/events.db", `${folder.path}/link.db`);
  Deno.symlinkSync("loop.db", `${folder.path}/loop.db`);
  const real = `${Deno.realPathSync(folder.path)}/real/events.db`;
  for (const make of [() => {}, () => Deno.writeTextFileSync(real, "")]) {
    make();
    for (const name of ["real/events.db", "linked/events.db", "link.db"]) {
      equal(realPath(`${folder.path}/${name}`), real, name);
    }
  }
  equal(realPath(`${folder.path}/none/events.db`), `${folder.path}/none/events.db`);
  realPath(`${folder.path}/loop.db`); // comes to an end
});
