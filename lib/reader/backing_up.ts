/** Copies a database while it is in use. */

import { dirname } from "node:path";
import { open } from "#driver";
import type { BackedUp } from "../reader.ts";
import { checkCopy } from "./checking.ts";

/**
 * Copies a database, as of one moment, into a file that is not there yet. It is read whole, flushed
 * to the disk, and then takes its name.
 */
export async function backUp(path: string, to: string): Promise<BackedUp> {
  const part = `${to}.part`;
  try {
    if (exists(to)) return failed(`${to} is there already`);
    removePart(part);
    makeEmpty(part, path);
    const isRunning = isInUse(path);
    await copy(path, part);
    if (isRunning) endRun(part);
    const { error, events, lastId } = checkCopy(part);
    if (error !== null) throw new Error(`the copy is damaged: ${error}`);
    const bytes = flush(part);
    Deno.renameSync(part, to);
    flushFolder(dirname(to));
    return { error: null, bytes, events, lastId };
  } catch (error) {
    removePart(part);
    return failed(error instanceof Error ? error.message : String(error));
  }
}

function failed(error: string): BackedUp {
  return { error, bytes: 0, events: 0, lastId: 0 };
}

/** Makes the file: nobody may read it who may not read the database. */
function makeEmpty(path: string, like: string): void {
  const mode = (Deno.statSync(like).mode ?? 0o600) & 0o777;
  Deno.openSync(path, { write: true, createNew: true, mode }).close();
}

async function copy(path: string, to: string): Promise<void> {
  const connection = open(path, { readOnly: true });
  try {
    await connection.backup(to);
  } finally {
    connection.close();
  }
}

/** Whether a collector holds the lock of a database. */
function isInUse(path: string): boolean {
  try {
    using lock = Deno.openSync(`${path}.lock`, { write: true });
    return !lock.tryLockSync(true);
  } catch {
    return false; // there is no such file: no collector was ever started on it
  }
}

/** The run that goes on in the database ends in the copy: it did not crash, and lost nothing. */
function endRun(path: string): void {
  const connection = open(path);
  try {
    connection.prepare(
      `UPDATE runs SET ended_at = ? WHERE number = (SELECT max(number) FROM runs)`,
    ).run([Date.now()]);
  } finally {
    connection.close();
  }
}

function flush(path: string): number {
  using file = Deno.openSync(path, { write: true });
  file.syncSync();
  return file.statSync().size;
}

function flushFolder(path: string): void {
  using folder = Deno.openSync(path);
  folder.syncSync();
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Removes a copy that is not whole, and what SQLite may have put beside it. */
function removePart(path: string): void {
  for (const suffix of ["", "-journal", "-wal", "-shm"]) {
    try {
      Deno.removeSync(path + suffix);
    } catch { /* it is not there */ }
  }
}
