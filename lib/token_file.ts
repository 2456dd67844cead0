/**
 * The tokens file: read whole, and changed by putting a new one in its place, so that whoever reads
 * it sees all of a change or nothing. Commands that change it wait for one another.
 */

import { basename, dirname } from "node:path";
import { CollectorError } from "./errors.ts";
import type { Token } from "./token.ts";
import { formatTokens, parseTokens } from "./token_list.ts";

/** The settings that say where it is: see `options.ts`. */
export interface TokensSettings {
  /** The database file. */
  readonly db: string;
  /** Path of the tokens file; empty: beside the database. */
  readonly tokens: string;
}

/** How long a command waits for others to be done, in ms. */
const LOCK_WAIT_MS = 10_000;
const LOCK_RETRY_MS = 10;
const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Only its owner may read it. */
const FILE_MODE = 0o600;

/** The path of the tokens file. */
export function tokensPath({ db, tokens }: TokensSettings): string {
  return tokens === "" ? `${db}.tokens.json` : tokens;
}

/** The text of a tokens file; null if there is none. @throws {CollectorError} if it can not be read. */
export function readTokensText(path: string): string | null {
  try {
    const { isFile, size } = Deno.statSync(path); // before opening: a pipe would wait for a writer
    if (!isFile) throw malformed(path, "it is not a file");
    if (size > FILE_BYTES_MAX) throw malformed(path, `it is larger than ${FILE_BYTES_MAX} bytes`);
    return Deno.readTextFileSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    if (cause instanceof CollectorError) throw cause;
    throw new CollectorError("config", `Cannot read the tokens file ${path}: ${reason(cause)}.`, {
      hint: "Let this user read it, or name another with --tokens.",
      cause,
    });
  }
}

/** The tokens of a file's text; none of null. @throws {CollectorError} if it is malformed. */
export function tokensOf(path: string, text: string | null): readonly Token[] {
  if (text === null) return [];
  const tokens = parseTokens(text);
  if (typeof tokens === "string") throw malformed(path, tokens);
  return tokens;
}

/**
 * Changes a tokens file, and makes one where there is none. While `change` is asked, no other
 * command changes it; if it throws, the file stays as it is.
 *
 * @returns The new tokens, once a power cut can not undo them.
 * @throws {CollectorError} if the file is malformed or can not be read or written.
 */
export async function changeTokens(
  path: string,
  change: (tokens: readonly Token[]) => readonly Token[],
): Promise<readonly Token[]> {
  const target = behindLinks(path);
  try {
    using _lock = await lock(target);
    const tokens = change(tokensOf(path, readTokensText(target)));
    replaceFile(target, formatTokens(tokens));
    return tokens;
  } catch (cause) {
    if (cause instanceof CollectorError) throw cause;
    throw new CollectorError("config", `Cannot write the tokens file ${path}: ${reason(cause)}.`, {
      hint: "Make the folder and let this user write in it, or name another file with --tokens.",
      cause,
    });
  }
}

/** The file a link leads to: to replace the link would part it from what it led to. */
function behindLinks(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path; // it is not there yet
  }
}

/** Waits for the others. Its file stays: to remove it would race with the next who takes it. */
async function lock(target: string): Promise<Disposable> {
  const path = `${target}.lock`;
  const file = openLock(path, target);
  for (let waitedMs = 0; !file.tryLockSync(true); waitedMs += LOCK_RETRY_MS) {
    if (waitedMs >= LOCK_WAIT_MS) {
      file.close();
      throw new CollectorError("config", `Another command is changing ${target}.`, {
        hint: `Try again when it is done; it holds ${basename(path)}.`,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
  }
  return file;
}

/** Opens the lock's file. A link in its place is not followed: it may lead to anything. */
function openLock(path: string, target: string): Deno.FsFile {
  try {
    const file = Deno.openSync(path, { write: true, createNew: true, mode: FILE_MODE });
    giveToOwner(path, target);
    return file;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (!Deno.lstatSync(path).isSymlink) return Deno.openSync(path, { write: true });
    throw new CollectorError("config", `${path} is a link.`, { hint: "Remove it and try again." });
  }
}

function replaceFile(target: string, text: string): void {
  const path = `${target}.new`, bytes = new TextEncoder().encode(text);
  if (bytes.length > FILE_BYTES_MAX) {
    throw new RangeError(`it would be larger than ${FILE_BYTES_MAX} bytes`);
  }
  removeIfThere(path); // of a command that was killed
  try {
    using file = Deno.openSync(path, { write: true, createNew: true, mode: FILE_MODE });
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(file.writeSync(rest));
    giveToOwner(path, target);
    file.syncSync();
    Deno.renameSync(path, target);
  } catch (error) {
    removeIfThere(path);
    throw error;
  }
  using folder = Deno.openSync(dirname(target));
  folder.syncSync();
}

/**
 * Gives a new file to the owner of the one it stands for, or of the folder: what root makes, the
 * collector must be able to read. Others than root can not, and need not.
 */
function giveToOwner(path: string, target: string): void {
  for (const model of [target, dirname(target)]) {
    try {
      const { uid, gid } = Deno.statSync(model);
      if (uid !== null && gid !== null) Deno.chownSync(path, uid, gid);
      return;
    } catch { /* it is not there, or this is not root */ }
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function malformed(path: string, problem: string): CollectorError {
  return new CollectorError("config", `The tokens file ${path} is malformed: ${problem}.`, {
    hint:
      "Mend it there, or put an earlier one in its place; to begin anew, move it away and make " +
      "tokens with `firehouse token create`.",
  });
}

/** What a system says of an error, as a part of a sentence. */
function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
}
