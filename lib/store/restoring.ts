/**
 * Puts a backup in the place of a database. The copy is made and checked beside it. Once it is called
 * `events.db.restore-<time>` the restore will be finished, if not by this process, then by the next
 * that starts; before that nothing has changed. What was there is moved aside, all under the name
 * `events.db.replaced-<time>`; nothing is overwritten.
 */

import { basename, dirname } from "node:path";
import { CollectorError, type CollectorErrorCode } from "../errors.ts";
import { checkHeader, fileIdentity, hasBytes, journalPath, lockDatabase, stamp } from "./files.ts";
import { denoFiles } from "./journal_files.ts";
import { segmentNumbers, segmentPath } from "./journal_segment.ts";

/** What a restore is asked for. */
export interface RestoreOptions {
  /** The backup. */
  readonly file: string;
  /** Reads all of a copy that nobody else uses, and says what is wrong with it, if anything is. */
  readonly check: (path: string) => Promise<CheckedCopy>;
}

/** What was found in a copy. */
export interface CheckedCopy {
  /** What is wrong with it; null if nothing is. */
  readonly error: string | null;
  /** How many events it has. */
  readonly events: number;
  /** Id of the newest; 0 if there are none. */
  readonly lastId: number;
}

/** What a restore did. */
export interface Restored {
  /** How many events there are now. */
  readonly events: number;
  /** Id of the newest; 0 if there are none. */
  readonly lastId: number;
  /** Where the database is that was there before; null if there was none. */
  readonly aside: string | null;
  /** What became of an earlier restore that was interrupted; null if there is none. */
  readonly earlier: string | null;
}

const STAMP = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/;
/** What SQLite may keep beside a file. */
const SIDE_FILES = ["-journal", "-wal", "-shm"] as const;
const HINT = "Nothing was changed. Name a file that `firehouse backup` made.";

/**
 * Restores a database, given its `realPath`, while no collector uses it.
 *
 * @throws {CollectorError} if a collector does, or the backup is none that can take its place:
 * nothing is changed then.
 */
export async function restoreDatabase(
  path: string,
  { file, check }: RestoreOptions,
): Promise<Restored> {
  refuseIncomplete(file, path);
  using _lock = lockDatabase(path, "rotate"); // a damaged one is what a backup is for
  const earlier = finishLocked(path);
  const part = partPath(path);
  try {
    orRefused(part, () => copy(file, { part, path }));
    const { events, lastId } = await checked(part, { file, check });
    const aside = orRefused(path, () => {
      denoFiles.flush(part); // the check has written too
      Deno.renameSync(part, `${path}.restore-${stamp()}`);
      denoFiles.syncFolder(dirname(path));
      return finish(path);
    });
    return { events, lastId, aside, earlier };
  } finally {
    removePart(path);
  }
}

/**
 * Finishes a restore that was interrupted, and says so; null if there is none. Called before the
 * database is looked at.
 *
 * @throws {CollectorError} if a restore or a collector is at work now, or it can not be finished.
 */
export function finishRestore(path: string): string | null {
  if (restoreOf(path) === null && !isThere(partPath(path))) return null;
  using _lock = lockDatabase(path, "rotate");
  return finishLocked(path);
}

/**
 * Looks whether all of a database is where it belongs.
 *
 * @throws {CollectorError} if a restore of it was interrupted half-way.
 */
export function refuseHalfRestored(path: string): void {
  if (restoreOf(path) === null) return;
  throw new CollectorError("database-open", `A restore of ${path} was interrupted half-way.`, {
    hint: "Start the collector: it finishes the restore first.",
  });
}

function finishLocked(path: string): string | null {
  if (restoreOf(path) !== null) {
    const aside = orRefused(path, () => finish(path));
    return "a restore was interrupted and is finished now" +
      (aside === null ? "" : `; the database before it is kept as ${aside}`);
  }
  return removePart(path)
    ? "a restore was interrupted before it changed anything: do it again if it is wanted"
    : null;
}

/** Moves all aside that belongs to the database, then gives the copy its name. */
function finish(path: string): string | null {
  const copy = restoreOf(path);
  if (copy === null) throw new TypeError(`Cannot finish a restore of ${path}: there is none`);
  const aside = copy.replace(/\.restore-([^/]*)$/, ".replaced-$1");
  for (const suffix of suffixesOf(path)) moveTo(path + suffix, aside + suffix);
  denoFiles.syncFolder(dirname(path)); // the copy must not take the name before the rest is gone, also on the disk
  moveTo(copy, path);
  denoFiles.syncFolder(dirname(path));
  return namesBeside(aside).length > 0 ? aside : null;
}

/**
 * What follows the database's name in the names of its files, the database last: whoever finds it
 * half-way finds no log without its database, which SQLite would delete.
 */
function suffixesOf(path: string): string[] {
  const journal = journalPath(path), names = namesBeside(path);
  const segments = segmentNumbers(journal, names).map((number) =>
    segmentPath(journal, number).slice(path.length)
  );
  const index = [".index-wal", ".index-shm", ".index"]; // the reader makes it anew
  return ["-wal", "-shm", ...segments, ...index, ""].filter((suffix) => isThere(path + suffix));
}

function moveTo(from: string, to: string): void {
  if (isThere(to)) throw new Error(`${to} is there already`);
  Deno.renameSync(from, to);
}

/** The copy of a restore that is to be finished; null if there is none. */
function restoreOf(path: string): string | null {
  const prefix = `${basename(path)}.restore-`;
  const found = namesBeside(path).find((name) =>
    name.startsWith(prefix) && STAMP.test(name.slice(prefix.length))
  );
  return found === undefined ? null : `${path}.restore-${found.slice(prefix.length)}`;
}

function partPath(path: string): string {
  return `${path}.restore-part`;
}

/** @throws {CollectorError} if a file can not be a backup by what is around it. */
function refuseIncomplete(file: string, path: string): void {
  const identity = fileIdentity(file);
  const refused = (why: string) => unfit("database-foreign", file, why);
  if (identity === null) throw refused("there is no such file");
  if (!orRefused(file, () => Deno.statSync(file)).isFile) throw refused("it is not a file");
  if (!hasBytes(file)) throw refused("it is empty");
  if (identity === fileIdentity(path)) throw refused("it is the database itself");
  const log = ["-wal", "-journal"].map((suffix) => file + suffix).find(hasBytes);
  if (log === undefined) return;
  throw new CollectorError(
    "database-foreign",
    `Cannot restore from ${file}: a part of it is in ${log}.`,
    {
      hint: `Nothing was changed. \`firehouse backup --db ${file} FILE\` makes one whole of them.`,
    },
  );
}

/** Copies the backup, for the user who has the database. */
function copy(
  file: string,
  { part, path }: { readonly part: string; readonly path: string },
): void {
  Deno.copyFileSync(file, part);
  const { mode } = Deno.statSync(isThere(path) ? path : part);
  const { uid, gid } = Deno.statSync(isThere(path) ? path : dirname(path));
  if (mode !== null) Deno.chmodSync(part, (mode & 0o777) | 0o600); // the backup may be read-only
  try {
    if (uid !== null && gid !== null) Deno.chownSync(part, uid, gid);
  } catch { /* only root can, and need */ }
}

/** @throws {CollectorError} unless the copy is a whole database of this program. */
async function checked(
  part: string,
  { file, check }: RestoreOptions,
): Promise<CheckedCopy> {
  try {
    checkHeader(part);
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    throw unfit(error.code, file, reasonIn(error.message, part));
  }
  const found = await check(part);
  if (found.error !== null) throw unfit("database-corrupt", file, `it is damaged: ${found.error}`);
  return found;
}

function unfit(code: CollectorErrorCode, file: string, why: string): CollectorError {
  return new CollectorError(code, `Cannot restore from ${file}: ${why}.`, { hint: HINT });
}

/** What a message says of a file, without its beginning and its end. */
function reasonIn(message: string, path: string): string {
  return message.slice(message.indexOf(path) + path.length).replace(/^: |\.$/g, "");
}

/** Removes a copy that is not to be used; gives whether there was one. */
function removePart(path: string): boolean {
  const part = partPath(path);
  return ["", ...SIDE_FILES].map((suffix) => removed(part + suffix)).includes(true);
}

function removed(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch {
    return false;
  }
}

function namesBeside(path: string): string[] {
  try {
    return [...Deno.readDirSync(dirname(path))].map(({ name }) => name)
      .filter((name) => name.startsWith(basename(path)));
  } catch {
    return []; // there is no such folder, which opening the database will tell
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function orRefused<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof CollectorError) throw cause;
    const why = cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
    throw new CollectorError("database-path", `Cannot restore ${path}: ${why}.`, {
      hint: "Mend that and run the command again.",
      cause,
    });
  }
}
