/** Copies a database while it is in use. */

import { open } from "#driver";

/** What became of it. */
export interface BackedUp {
  /** Why there is no copy; null if there is one. */
  readonly error: string | null;
  /** Size of the copy. */
  readonly bytes: number;
}

/**
 * Copies a database, as of one moment, into a file that is not there yet. It is flushed to the disk
 * and takes its name when it is whole.
 */
export async function backUp(path: string, to: string): Promise<BackedUp> {
  const part = `${to}.part`;
  try {
    if (exists(to)) return { error: `${to} is there already`, bytes: 0 };
    remove(part);
    await copy(path, part);
    const bytes = flush(part);
    Deno.renameSync(part, to);
    return { error: null, bytes };
  } catch (error) {
    remove(part);
    return { error: error instanceof Error ? error.message : String(error), bytes: 0 };
  }
}

async function copy(path: string, to: string): Promise<void> {
  const connection = open(path, { readOnly: true });
  try {
    await connection.backup(to);
  } finally {
    connection.close();
  }
}

function flush(path: string): number {
  using file = Deno.openSync(path, { write: true });
  file.syncSync();
  return file.statSync().size;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch { /* it is not there */ }
}
