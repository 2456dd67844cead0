/**
 * A file that is called `….part` until it is whole, so that one of its own name always is. Nothing is
 * overwritten.
 */

import { dirname } from "node:path";
import { failure } from "./collector_client.ts";

/** What to do with what is there of it. */
export type PartStart = "anew" | "resume";

/** See the head of this file. Dispose of it to close it; what is not finished stays. */
export class PartFile implements Disposable {
  /** Where it will be. */
  readonly path: string;
  /** The file while it is not whole, open for reading and writing. */
  readonly file: Deno.FsFile;
  #isClosed = false;

  private constructor(path: string, file: Deno.FsFile) {
    this.path = path;
    this.file = file;
  }

  /** Opens it. @throws {CollectorError} if it is there, or can not be made, or another has it. */
  static open(path: string, start: PartStart): PartFile {
    const part = partPath(path);
    refuseExisting(path);
    if (start === "anew" && isThere(part)) {
      throw failure(
        `${part} is there already`,
        "Go on with it by --resume, or remove it to begin anew.",
      );
    }
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(part, { read: true, write: true, create: true });
    } catch (error) {
      throw failure(`Cannot write ${part}: ${reasonOf(error)}`, "Check --output.");
    }
    // It may have been finished by another between the look and the lock.
    if (file.tryLockSync(true) && !isThere(path)) return new PartFile(path, file);
    file.close();
    throw failure(`Another export is writing ${path}`, "Wait for it, or name another file.");
  }

  /** Goes on after so many bytes; what is behind them is cut off. */
  continueAt(bytes: number): void {
    this.file.truncateSync(bytes);
    this.file.seekSync(bytes, Deno.SeekMode.Start);
  }

  /** Writes behind what was written before. @throws what the system says */
  write(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(this.file.writeSync(rest));
  }

  /** Flushes it and gives it its name; gives its size in bytes. @throws what the system says */
  finish(): number {
    this.file.syncSync();
    const { size } = this.file.statSync();
    refuseExisting(this.path);
    Deno.renameSync(partPath(this.path), this.path);
    this[Symbol.dispose]();
    using folder = Deno.openSync(dirname(this.path));
    folder.syncSync();
    return size;
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    if (!this.#isClosed) this.file.close();
    this.#isClosed = true;
  }
}

function partPath(path: string): string {
  return `${path}.part`;
}

function refuseExisting(path: string): void {
  if (isThere(path)) {
    throw failure(`${path} is there already`, "Name another file, or move that one away.");
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

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, "") : String(error);
}
