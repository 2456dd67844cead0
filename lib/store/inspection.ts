/** What can be told of a database and its folder without opening it and without changing anything. */

import { dirname } from "node:path";
import { CollectorError } from "../errors.ts";
import { checkHeader, hasBytes, journalPath, type OnCorrupt } from "./files.ts";
import { segmentNumbers, segmentPath } from "./journal_segment.ts";

/** What there is. */
export interface Inspection {
  /** Whether a collector uses it now. */
  readonly isInUse: boolean;
  /** Whether there is a database; a start makes one where there is none. */
  readonly isThere: boolean;
  /** How many segments its journal has, which a start stores first. */
  readonly journalSegments: number;
}

/**
 * Looks at them. A file is made in the folder for a moment, as the lock and SQLite's log would be.
 *
 * @throws {CollectorError} if a start would refuse them: the file is none of this program's, or this
 * user may not write it, its folder or its journal.
 */
export function inspectDatabase(path: string, onCorrupt: OnCorrupt): Inspection {
  checkHeader(path, onCorrupt);
  const folder = dirname(path), journal = journalPath(path);
  const names = orRefused(folder, () => [...Deno.readDirSync(folder)].map(({ name }) => name));
  orRefused(folder, () => Deno.removeSync(Deno.makeTempFileSync({ dir: folder })));
  const segments = segmentNumbers(journal, names).map((number) => segmentPath(journal, number));
  for (const file of [path, `${path}-wal`, `${path}-shm`, ...segments]) {
    orRefused(file, () => openIfThere(file)?.close());
  }
  return {
    isInUse: orRefused(`${path}.lock`, () => isLocked(`${path}.lock`)),
    isThere: hasBytes(path),
    journalSegments: segments.length,
  };
}

function isLocked(path: string): boolean {
  using file = openIfThere(path);
  return file !== null && !file.tryLockSync(); // shared: two checks do not see each other
}

function openIfThere(path: string): Deno.FsFile | null {
  try {
    return Deno.openSync(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function orRefused<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
    throw new CollectorError("database-path", `Cannot write ${path}: ${why}.`, {
      hint: "Make the folder and let this user write in it, or name another file with --db.",
      cause,
    });
  }
}
