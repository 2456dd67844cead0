/** The files of the database: the lock against a second collector, the header, sizes, moving aside. */

import { basename, dirname, join, resolve } from "node:path";
import { CollectorError } from "../errors.ts";
import { freeDiskBytes } from "../free_disk.ts";
import type { StoreSize } from "../store.ts";
import { segmentNumbers, segmentPath } from "./journal_segment.ts";
import { APPLICATION_ID, corrupt, foreign, SCHEMA_VERSION } from "./schema.ts";

/** What to do about a database that is damaged: not start, or move it aside and begin a new one. */
export type OnCorrupt = "refuse" | "rotate";

/** Keeps a second collector off a database; gone with the process, however it ends. */
export interface DatabaseLock {
  /** Lets go of it. The lock file stays: removing it would race with the next collector. */
  [Symbol.dispose](): void;
}

/**
 * Takes the lock file of a database, given its {@linkcode realPath}, after a look whether it is one: beside a file of another kind
 * nothing is made.
 *
 * @throws {CollectorError} if another collector has it, the folder can not be written, or see
 * {@linkcode checkHeader}.
 */
export function lockDatabase(path: string, onCorrupt: OnCorrupt = "refuse"): DatabaseLock {
  checkHeader(path, onCorrupt); // an orphan is moved aside by the store, once the lock is held
  const lockPath = `${path}.lock`;
  let file: Deno.FsFile | undefined;
  let isLocked: boolean;
  try {
    file = Deno.openSync(lockPath, { create: true, write: true });
    isLocked = file.tryLockSync(true);
  } catch (cause) {
    file?.close();
    throw new CollectorError("database-path", `Cannot lock ${lockPath}: ${message(cause)}.`, {
      hint: "Make the folder and let this user write in it, or name another file with --db.",
      cause,
    });
  }
  if (!isLocked) {
    file.close();
    throw new CollectorError("second-collector", `Another collector is using ${path}.`, {
      hint: "Stop it first, or name another file with --db.",
    });
  }
  return { [Symbol.dispose]: () => file.close() };
}

/**
 * The same for a database that must be there already.
 *
 * @throws {CollectorError} as {@linkcode lockDatabase}, and if there is none; nothing is made then.
 */
export function lockExisting(path: string): DatabaseLock {
  if (fileIdentity(path) === null) throw foreign(path, "there is no such file");
  return lockDatabase(path);
}

/**
 * Looks at a database that is only to be read.
 *
 * @throws {CollectorError} as {@linkcode checkHeader}, and if there is none.
 */
export function checkExisting(path: string): void {
  if (fileIdentity(path) === null) throw foreign(path, "there is no such file");
  checkHeader(path);
}

/**
 * The path of a database behind links, whether it is there yet or not: SQLite names its files after
 * it, and so must the lock and the journal be named, or one database would have several of each.
 */
export function realPath(path: string, linksMax = 40): string {
  try {
    return Deno.realPathSync(path);
  } catch { /* it is not there yet */ }
  try {
    const { isSymlink } = Deno.lstatSync(path);
    if (isSymlink && linksMax > 0) {
      return realPath(resolve(dirname(path), Deno.readLinkSync(path)), linksMax - 1);
    }
  } catch { /* nor is there a link */ }
  try {
    return join(Deno.realPathSync(dirname(path)), basename(path));
  } catch {
    return path; // nor is its folder, which opening it will tell
  }
}

/**
 * Looks at the first bytes of a database before SQLite does, so that a file of another kind is left
 * as it is: SQLite would put its own files beside it.
 *
 * Call it only while no connection of this process is open: closing a file drops SQLite's locks on
 * it (sqlite.org/howtocorrupt.html §2.2).
 *
 * @throws {CollectorError} if the file is there and is not a database this program understands.
 */
export function checkHeader(path: string, onCorrupt: OnCorrupt = "refuse"): void {
  const header = new Uint8Array(100); // sqlite.org/fileformat.html §1.3
  let length: number;
  try {
    const { isFile, nlink } = Deno.statSync(path); // before opening: a pipe would wait for a writer
    if (!isFile) throw foreign(path, "it is not a file");
    // SQLite keeps its log by the name: under two names there would be two logs of one database.
    if ((nlink ?? 1) > 1) throw foreign(path, "the file has a second name (a hard link)");
    using file = Deno.openSync(path, { read: true });
    length = file.readSync(header) ?? 0;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return checkOrphan(path, onCorrupt);
    if (cause instanceof CollectorError) throw cause;
    throw new CollectorError("database-path", `Cannot read ${path}: ${message(cause)}.`, {
      hint: "Let this user read and write it, or name another file with --db.",
      cause,
    });
  }
  if (length === 0) return checkOrphan(path, onCorrupt);
  const magic = new TextDecoder("latin1").decode(header.subarray(0, 16));
  if (magic !== "SQLite format 3\0") {
    // Its lock file tells that it was a collector's: then it is damaged.
    if (fileIdentity(`${path}.lock`) === null) throw foreign(path, "it is not a SQLite database");
    if (onCorrupt === "refuse") throw corrupt(path, "it is not a SQLite database");
    return; // the store will find the same, and move it aside
  }
  const view = new DataView(header.buffer);
  const version = view.getUint32(60), applicationId = view.getUint32(68);
  if (applicationId !== APPLICATION_ID) throw foreign(path, "it is a database of another program");
  if (version > SCHEMA_VERSION) {
    throw foreign(path, `its schema version is ${version}, this program knows ${SCHEMA_VERSION}`);
  }
}

/** Whether there is a log without its database: SQLite would delete it. */
export function isOrphan(path: string): boolean {
  return !hasBytes(path) && hasBytes(`${path}-wal`);
}

/**
 * A log without its database: SQLite would delete it, and with it what was committed last.
 *
 * @throws {CollectorError} unless it may be moved aside.
 */
function checkOrphan(path: string, onCorrupt: OnCorrupt): void {
  if (!isOrphan(path)) return;
  if (onCorrupt === "rotate") return; // the store will move it aside
  throw new CollectorError(
    "database-corrupt",
    `The database ${path} is missing or empty, but its log ${path}-wal is there.`,
    {
      hint: "Put the database back beside it: the log holds its newest events. To begin a new " +
        "one, start with --on-corrupt=rotate, which moves the log aside.",
    },
  );
}

/** The files SQLite keeps of one database, which belong together. */
const SUFFIXES = ["", "-wal", "-shm"] as const;

/**
 * Moves a database with its log aside, all bytes of it, and gives the new name of the database.
 *
 * Call it only while no connection is open.
 */
export function moveAside(path: string): string {
  const aside = `${path}.corrupt-${stamp()}`;
  for (const suffix of SUFFIXES) {
    try {
      Deno.renameSync(path + suffix, aside + suffix);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return aside;
}

/** Which file is at a path, so that another in its place is noticed; null if there is none. */
export function fileIdentity(path: string): string | null {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

/** What the names of the journal's segments begin with. */
export function journalPath(path: string): string {
  return `${path}.journal`;
}

/**
 * How much room the database, its log and its journal take, 0 for a file that is not there, and how
 * much is left.
 */
export async function databaseSize(path: string): Promise<StoreSize> {
  const bytes = (file: string) => Deno.stat(file).then((stat) => stat.size, () => 0);
  const journal = journalPath(path);
  const names: string[] = [];
  for await (const { name } of Deno.readDir(dirname(path))) names.push(name);
  const segments = segmentNumbers(journal, names).map((number) => segmentPath(journal, number));
  const freeBytes = freeDiskBytes(dirname(path));
  const [databaseBytes = 0, walBytes = 0, ...segmentBytes] = await Promise.all(
    [path, `${path}-wal`, ...segments].map(bytes),
  );
  return {
    databaseBytes,
    walBytes,
    journalBytes: segmentBytes.reduce((sum, each) => sum + each, 0),
    freeBytes: await freeBytes,
  };
}

/** Whether there is a file that is not empty. */
export function hasBytes(path: string): boolean {
  return sizeOf(path) > 0;
}

/** Gives the log of a database that was moved away another name; null if that can not be done. */
export function setLogAside(path: string): string | null {
  const aside = `${path}-wal.left-${stamp()}`;
  try {
    Deno.renameSync(`${path}-wal`, aside);
    return aside;
  } catch {
    return null;
  }
}

/** Keeps a copy of a log that SQLite will not read to its end; gives its name. */
export function copyLog(path: string): string {
  const copy = `${path}-wal.damaged-${stamp()}`;
  Deno.copyFileSync(`${path}-wal`, copy);
  return copy;
}

/** The time as a part of a file's name. */
export function stamp(): string {
  return new Date().toISOString().replace(/[:.]/g, "-");
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

function message(cause: unknown): string {
  return cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
}
