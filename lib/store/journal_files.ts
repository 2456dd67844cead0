/**
 * The file operations the journal needs, so that a simulation can put another file system beneath
 * it: one that is full, fails, or forgets at a power cut what was not flushed.
 *
 * What a system says of an error is passed on in `code` (`ENOSPC`, `EIO`, …), as Deno does.
 */

/** The files of one file system. Every call may throw what the system says. */
export interface JournalFiles {
  /** Names of everything in a folder, in no order. */
  list(folder: string): string[];
  /** Makes a file and opens it for writing; it throws if there is one of that name. */
  create(path: string): WritableFile;
  /** Opens a file for reading; null if there is none. */
  open(path: string): ReadableFile | null;
  /** Length in bytes; null if there is no regular file of that name. */
  size(path: string): number | null;
  /** Which file the name leads to, the same for all names of a file; null if there is none. */
  identity(path: string): string | null;
  /** Removes a file if it is there. */
  unlink(path: string): void;
  /** Gives a file another name, which the caller has seen to be free. */
  rename(from: string, to: string): void;
  /** Returns when the content of a file would survive a power cut, whoever wrote it. */
  flush(path: string): void;
  /** Returns when the names in a folder would survive a power cut. */
  syncFolder(folder: string): void;
}

/** A file that is written from its beginning on. */
export interface WritableFile extends Disposable {
  /** Writes behind what was written before; gives how many bytes it took, at least one. */
  write(bytes: Uint8Array): number;
  /** Returns when the content and the length would survive a power cut. */
  datasync(): void;
  /** Cuts the file to a length. */
  truncate(length: number): void;
  /** See {@linkcode JournalFiles.identity}; the same whatever became of the name. */
  identity(): string;
}

/** A file that is read. */
export interface ReadableFile extends Disposable {
  /** Reads at an offset in bytes; gives how many bytes were read, 0 at the end. */
  read(bytes: Uint8Array, offset: number): number;
}

/** The files of this machine. */
export const denoFiles: JournalFiles = {
  list: (folder) => [...Deno.readDirSync(folder)].map(({ name }) => name),
  create: (path) => new DenoFile(Deno.openSync(path, { write: true, createNew: true })),
  open: (path) => unlessMissing(() => new DenoFile(Deno.openSync(path))),
  size: (path) => {
    const stat = unlessMissing(() => Deno.lstatSync(path));
    return stat?.isFile ? stat.size : null;
  },
  identity: (path) => {
    const stat = unlessMissing(() => Deno.lstatSync(path));
    return stat && identityOf(stat);
  },
  unlink: (path) => void unlessMissing(() => Deno.removeSync(path)),
  rename: (from, to) => Deno.renameSync(from, to),
  flush: (path) => {
    using file = Deno.openSync(path, { write: true });
    file.syncDataSync();
  },
  syncFolder: (path) => {
    using folder = Deno.openSync(path);
    folder.syncSync();
  },
};

class DenoFile implements WritableFile, ReadableFile {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  write(bytes: Uint8Array): number {
    return this.#file.writeSync(bytes);
  }

  truncate(length: number): void {
    this.#file.truncateSync(length);
  }

  datasync(): void {
    this.#file.syncDataSync();
  }

  identity(): string {
    return identityOf(this.#file.statSync());
  }

  read(bytes: Uint8Array, offset: number): number {
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    return this.#file.readSync(bytes) ?? 0;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function identityOf({ dev, ino }: Deno.FileInfo): string {
  return `${dev}:${ino}`;
}

function unlessMissing<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
