/** Putting a backup in the place of a database, interrupted anywhere and refused for good reasons. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorError } from "../../lib/errors.ts";
import { checkCopy } from "../../lib/reader/checking.ts";
import { lockDatabase } from "../../lib/store/files.ts";
import { finishRestore, refuseHalfRestored, restoreDatabase } from "../../lib/store/restoring.ts";
import { TempFolder } from "../e2e/sending.ts";
import { storedCount } from "../e2e/rows.ts";
import { storeOld } from "../e2e/old_events.ts";

const STAMP = "2026-11-24T11-03-40-123Z";
/** What a collector that was killed leaves, in the order in which it is moved. */
const OLD = ["-wal", "-shm", ".journal.000003", ".journal.000004", ".index-wal", ".index-shm"]
  .concat(".index", "");
const KEPT = [".lock", ".tokens.json", ".journal.000001.damaged"];

/** A backup of so many events. */
function backupIn(folder: TempFolder, count: number): string {
  const file = `${folder.path}/backup`;
  storeOld(file, { count, ageDays: 0, mark: "backup" });
  return file;
}

/** Files that stand for an old database; each holds its own name. */
function writeOld(path: string): void {
  for (const suffix of OLD) Deno.writeTextFileSync(path + suffix, `old${suffix}`);
  for (const suffix of KEPT) Deno.writeTextFileSync(path + suffix, `kept${suffix}`);
}

function assertAside(aside: string | null): void {
  ok(aside !== null);
  for (const suffix of OLD) equal(Deno.readTextFileSync(aside + suffix), `old${suffix}`);
}

/** The names in a folder with the content of the files. */
function contents(folder: TempFolder): string[] {
  return folder.names(/./).map((name) => `${name}: ${Deno.readFileSync(`${folder.path}/${name}`)}`);
}

const check = (path: string) => Promise.resolve(checkCopy(path));

async function refused(path: string, file: string): Promise<CollectorError> {
  const error = await restoreDatabase(path, { file, check }).then(() => null, (error) => error);
  ok(error instanceof CollectorError, `it was not refused: ${error}`);
  return error;
}

Deno.test("all of the old database is moved aside under one name, and nothing else is touched", async () => {
  await using folder = new TempFolder();
  const file = backupIn(folder, 20), path = folder.database;
  writeOld(path);
  const before = Deno.readFileSync(file);
  const { aside, ...restored } = await restoreDatabase(path, { file, check });
  deepEqual(restored, { events: 20, lastId: 20, earlier: null });
  assertAside(aside);
  for (const suffix of KEPT) equal(Deno.readTextFileSync(path + suffix), `kept${suffix}`);
  equal(storedCount(path), 20);
  deepEqual(Deno.readFileSync(file), before);
  deepEqual(folder.names(/restore-|\.index/), folder.names(/replaced-.*\.index/));
});

for (let moved = 0; moved <= OLD.length; moved++) {
  Deno.test(`interrupted after ${moved} of ${OLD.length} files were moved, it is finished by the next start`, async () => {
    await using folder = new TempFolder();
    const path = folder.database, aside = `${path}.replaced-${STAMP}`;
    Deno.renameSync(backupIn(folder, 20), `${path}.restore-${STAMP}`);
    writeOld(path);
    for (const suffix of OLD.slice(0, moved)) Deno.renameSync(path + suffix, aside + suffix);
    try {
      refuseHalfRestored(path);
      throw new TypeError("it was not refused");
    } catch (error) {
      match(String(error), /A restore of .* was interrupted half-way/);
    }
    equal(
      finishRestore(path),
      `a restore was interrupted and is finished now; the database before it is kept as ${aside}`,
    );
    assertAside(aside);
    equal(storedCount(path), 20);
    equal(finishRestore(path), null);
    refuseHalfRestored(path);
  });
}

Deno.test("interrupted before it changed anything, the old database stays and the copy goes", async () => {
  await using folder = new TempFolder();
  const path = folder.database;
  storeOld(path, { count: 3, ageDays: 0, mark: "old" });
  for (const suffix of ["", "-wal"]) Deno.writeTextFileSync(`${path}.restore-part${suffix}`, "x");
  refuseHalfRestored(path);
  match(finishRestore(path) ?? "", /interrupted before it changed anything/);
  deepEqual(folder.names(/restore/), []);
  equal(storedCount(path), 3);
});

Deno.test("an interrupted restore is finished before the next one begins", async () => {
  await using folder = new TempFolder();
  const file = backupIn(folder, 20), path = folder.database;
  storeOld(`${path}.restore-${STAMP}`, { count: 5, ageDays: 0, mark: "first" });
  writeOld(path);
  const { aside, earlier } = await restoreDatabase(path, { file, check });
  match(earlier ?? "", /is finished now/);
  assertAside(`${path}.replaced-${STAMP}`);
  equal(storedCount(aside ?? ""), 5);
  equal(storedCount(path), 20);
});

Deno.test("a name that is taken is not overwritten: it stops there, and goes on once it is free", async () => {
  await using folder = new TempFolder();
  const path = folder.database, taken = `${path}.replaced-${STAMP}.index`;
  Deno.renameSync(backupIn(folder, 20), `${path}.restore-${STAMP}`);
  writeOld(path);
  Deno.writeTextFileSync(taken, "mine");
  try {
    finishRestore(path);
    throw new TypeError("it was not refused");
  } catch (error) {
    match(String(error), /replaced-.*\.index is there already/);
  }
  equal(Deno.readTextFileSync(taken), "mine");
  Deno.removeSync(taken);
  match(finishRestore(path) ?? "", /is finished now/);
  assertAside(`${path}.replaced-${STAMP}`);
});

Deno.test("what is no whole backup is refused with the reason, and nothing is changed", async () => {
  await using folder = new TempFolder();
  const file = backupIn(folder, 2000), path = folder.database;
  storeOld(path, { count: 3, ageDays: 0, mark: "old" });
  lockDatabase(path)[Symbol.dispose]();
  const bytes = Deno.readFileSync(file), at = (name: string) => `${folder.path}/${name}`;
  Deno.writeTextFileSync(at("text"), "no database ".repeat(20));
  Deno.writeTextFileSync(at("empty"), "");
  Deno.writeFileSync(at("cut"), bytes.subarray(0, bytes.length / 2));
  Deno.writeFileSync(at("torn"), bytes.with(0, 0));
  Deno.writeFileSync(at("flipped"), bytes.map((byte, i) => i > 16_384 && i < 16_484 ? 255 : byte));
  const newer = bytes.slice();
  new DataView(newer.buffer).setUint32(60, 999);
  Deno.writeFileSync(at("newer"), newer);
  const other = bytes.slice();
  new DataView(other.buffer).setUint32(68, 1);
  Deno.writeFileSync(at("other"), other);
  Deno.writeFileSync(at("logged"), bytes);
  Deno.writeTextFileSync(at("logged-wal"), "x");
  const before = contents(folder);
  const why: readonly [name: string, code: string, says: RegExp][] = [
    ["text", "database-foreign", /it is not a SQLite database/],
    ["empty", "database-foreign", /it is empty/],
    ["nowhere", "database-foreign", /there is no such file/],
    [".", "database-foreign", /it is not a file/],
    ["cut", "database-corrupt", /it is damaged: /],
    ["torn", "database-foreign", /it is not a SQLite database/],
    ["flipped", "database-corrupt", /it is damaged: /],
    ["newer", "database-foreign", /its schema version is 999/],
    ["other", "database-foreign", /of another program/],
    ["logged", "database-foreign", /a part of it is in .*logged-wal/],
    ["events.db", "database-foreign", /it is the database itself/],
  ];
  for (const [name, code, says] of why) {
    const error = await refused(path, at(name));
    equal(error.code, code, `${name}: ${error.message}`);
    match(error.message, says);
    ok(error.message.includes(at(name)) && /^Nothing was changed/.test(error.hint), error.message);
    deepEqual(contents(folder), before, name);
  }
});

Deno.test("a database in use is left alone, and so is a file of another kind in its place", async () => {
  await using folder = new TempFolder();
  const file = backupIn(folder, 20), path = folder.database;
  {
    using _lock = lockDatabase(path);
    equal((await refused(path, file)).code, "second-collector");
  }
  Deno.removeSync(`${path}.lock`);
  Deno.writeTextFileSync(path, "my notes");
  equal((await refused(path, file)).code, "database-foreign");
  equal(Deno.readTextFileSync(path), "my notes");
  deepEqual(folder.names(/restore|replaced/), []);
});

Deno.test("a damaged database is moved aside too, and a read-only backup becomes a database", async () => {
  await using folder = new TempFolder();
  const file = backupIn(folder, 20), path = folder.database;
  Deno.writeTextFileSync(path, "damaged");
  Deno.writeTextFileSync(`${path}.lock`, "");
  Deno.chmodSync(path, 0o640);
  Deno.chmodSync(file, 0o444);
  const { aside } = await restoreDatabase(path, { file, check });
  equal(Deno.readTextFileSync(aside ?? ""), "damaged");
  equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o640);
  equal(storedCount(path), 20);
});
