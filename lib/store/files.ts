/** The files beside the database: the lock against a second collector, the header, the sizes. */

import { CollectorError } from "../errors.ts";
import type { StoreSize } from "../store.ts";
import { APPLICATION_ID, foreign, SCHEMA_VERSION } from "./schema.ts";

/** Keeps a second collector off a database; gone with the process, however it ends. */
export interface DatabaseLock {
  /** Lets go of it. The lock file stays: removing it would race with the next collector. */
  [Symbol.dispose](): void;
}

/**
 * Takes the lock file of a database, after a look whether it is one: beside a file of another kind
 * nothing is made.
 *
 * @throws {CollectorError} if another collector has it, the folder can not be written, or see
 * {@linkcode checkHeader}.
 */
export function lockDatabase(path: string): DatabaseLock {
  checkHeader(path);
  const lockPath = `${realPath(path)}.lock`;
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

/** The file behind links, so that two names of a database have one lock. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path; // it is not there yet
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
export function checkHeader(path: string): void {
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
    if (cause instanceof Deno.errors.NotFound) return;
    if (cause instanceof CollectorError) throw cause;
    throw new CollectorError("database-path", `Cannot read ${path}: ${message(cause)}.`, {
      hint: "Let this user read and write it, or name another file with --db.",
      cause,
    });
  }
  if (length === 0) return;
  const magic = new TextDecoder("latin1").decode(header.subarray(0, 16));
  if (magic !== "SQLite format 3\0") throw foreign(path, "it is not a SQLite database");
  const view = new DataView(header.buffer);
  const version = view.getUint32(60), applicationId = view.getUint32(68);
  if (applicationId !== APPLICATION_ID) throw foreign(path, "it is a database of another program");
  if (version > SCHEMA_VERSION) {
    throw foreign(path, `its schema version is ${version}, this program knows ${SCHEMA_VERSION}`);
  }
}

/** How much room the database and its log take; 0 for a file that is not there. */
export async function databaseSize(path: string): Promise<StoreSize> {
  const bytes = (file: string) => Deno.stat(file).then((stat) => stat.size, () => 0);
  const [databaseBytes, walBytes] = await Promise.all([bytes(path), bytes(`${path}-wal`)]);
  return { databaseBytes, walBytes };
}

function message(cause: unknown): string {
  return cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
}
