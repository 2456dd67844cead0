/** Opens what is read, notices when another database is at the path, and has the index built. */

import { open } from "#driver";
import { freeDiskBytesSync } from "../free_disk.ts";
import { type Connection, SqliteError } from "../sqlite/driver.ts";
import { blockOf } from "./block.ts";
import { BlockIndexer, lastEventOf } from "./block_indexer.ts";
import { type EventSource, isWhole, lastWholeBlock, storedIds } from "./event_source.ts";
import { IndexFile, type IndexFileOptions } from "./index_file.ts";
import type { ReaderOptions } from "./messages.ts";

/** How often the file at the path is looked at, in ms. */
const LOOK_MS = 1000;
const BUSY_TIMEOUT_MS = 1000;
/** With less room on the disk the index does not grow; 65,536 events take half a MiB to one of it. */
const ROOM_BYTES = 64 * 1024 * 1024;
const NO_ROOM = "less than 64 MiB are free on the disk: the index does not grow";
/** BUSY, LOCKED: the file is as good as before. */
const BUSY: ReadonlySet<number> = new Set([5, 6]);
/** Also ERROR: the connection is as good as before. */
const HARMLESS: ReadonlySet<number> = new Set([1, ...BUSY]);
/** CORRUPT and NOTADB, where it is not known in which of the two files. */
const DAMAGED: ReadonlySet<number> = new Set([11, 26]);

/** Where the index of a database is. */
export function indexPath(path: string): string {
  return `${path}.index`;
}

/** See the head of this file. */
export class OpenSource {
  readonly #options: Pick<ReaderOptions, "path" | "indexing">;
  #source: EventSource | null = null;
  #identity = "";
  #lookedAtMs = -Infinity;
  #indexing: BlockIndexer | null = null;
  #indexError: string | null = null;

  /** Opens nothing yet. */
  constructor(options: Pick<ReaderOptions, "path" | "indexing">) {
    this.#options = options;
  }

  /** What is read, opened if it is not. @throws {SqliteError} if there is no database to be read. */
  get(): EventSource {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs > LOOK_MS) {
      this.#lookedAtMs = nowMs;
      if (this.#source !== null && identityOf(this.#options.path) !== this.#identity) this.close();
    }
    return this.#source ??= this.#open();
  }

  /** Something it was asked failed: what may be the matter is opened anew by the next question. */
  failed(error: unknown): void {
    const code = error instanceof SqliteError ? error.primaryCode : 0;
    const isDamaged = DAMAGED.has(code);
    if (HARMLESS.has(code)) return;
    this.close();
    // If it is the database that is damaged, its index is no loss.
    if (isDamaged && this.#options.indexing === "on") removeIndex(this.#options.path);
  }

  /** Indexes some more; gives whether there was something to do. @throws {SqliteError} */
  indexSome(): boolean {
    const source = this.get(), { index } = source;
    if (index === null || this.#options.indexing === "off") return false;
    this.#indexing ??= this.#nextBlock(source, index);
    if (this.#indexing === null) return false;
    const indexed = this.#indexing.step();
    if (indexed === null) return true;
    this.#indexing = null;
    // Rows that are gone meanwhile: the block is not whole any more.
    if (indexed.lastEvent !== "" && isWhole(indexed.block, storedIds(source))) {
      index.add(indexed);
    }
    return true;
  }

  /** Why there is no index; null if there is one, or nothing was opened yet. */
  get indexError(): string | null {
    return this.#indexError;
  }

  /** Lets go of the files. */
  close(): void {
    this.#indexing = null;
    this.#source?.index?.close();
    this.#source?.connection.close();
    this.#source = null;
  }

  #open(): EventSource {
    const { path } = this.#options;
    this.#identity = identityOf(path);
    const connection = open(path, { readOnly: true });
    try {
      connection.prepare(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`).rows([]);
      const [seed] = connection.prepare("SELECT hex(seed) FROM fingerprint_seed").rows([]);
      const index = this.#openIndex(connection, String(seed?.[0]));
      return { connection, database: this.#identity, index };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Without an index everything is found too, only slower. */
  #openIndex(connection: Connection, seed: string): IndexFile | null {
    const { path, indexing } = this.#options;
    try {
      this.#indexError = null;
      if (indexing === "off") return openIndex(path, { seed, access: "read", connection });
      return openAnew(path, { seed, access: "write", connection });
    } catch (error) {
      this.#indexError = error instanceof Error ? error.message : String(error);
      return null;
    }
  }

  /** The newest block that is whole and not indexed. */
  #nextBlock(source: EventSource, index: IndexFile): BlockIndexer | null {
    const stored = storedIds(source);
    index.keepOnly(blockOf(stored.first), lastWholeBlock(stored));
    for (let block = lastWholeBlock(stored); block >= 0; block--) {
      if (!isWhole(block, stored)) break;
      if (index.mark(block) !== null) continue;
      this.#indexError = hasRoom(this.#options.path) ? null : NO_ROOM;
      return this.#indexError === null ? new BlockIndexer(source.connection, block) : null;
    }
    return null;
  }
}

interface IndexOptions extends IndexFileOptions {
  readonly connection: Connection;
}

/** Opens the index; one that can not be used is thrown away and begun anew. */
function openAnew(path: string, options: IndexOptions): IndexFile {
  try {
    return openIndex(path, options);
  } catch (error) {
    if (error instanceof SqliteError && BUSY.has(error.primaryCode)) throw error;
    removeIndex(path);
    return openIndex(path, options);
  }
}

function openIndex(path: string, { connection, ...options }: IndexOptions): IndexFile {
  const index = new IndexFile(indexPath(path), options);
  try {
    forgetOthers(connection, index);
    return index;
  } catch (error) {
    index.close();
    throw error;
  }
}

/** Forgets blocks that are not those of this database: it may have been replaced by an older copy. */
function forgetOthers(connection: Connection, index: IndexFile): void {
  const stored = storedIds({ connection });
  const same = [...index.blocks].reverse().find((block) =>
    isWhole(block, stored) && index.mark(block)?.lastEvent === lastEventOf(connection, block)
  );
  index.keepOnly(blockOf(stored.first), same ?? -1);
}

/** Removes the index of a database. */
export function removeIndex(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      Deno.removeSync(indexPath(path) + suffix);
    } catch { /* it is not there */ }
  }
}

/** What is left of a disk is for events, not for the index. */
function hasRoom(path: string): boolean {
  return (freeDiskBytesSync(path) ?? Infinity) >= ROOM_BYTES;
}

/**
 * Tells a file from others that are or were at its path; "" if there is none. The seed does not: a run
 * takes its own along into a new database.
 */
function identityOf(path: string): string {
  try {
    const { dev, ino, birthtime } = Deno.statSync(path);
    return `${dev}:${ino}:${birthtime?.getTime()}`; // the number of a deleted file is given again
  } catch {
    return "";
  }
}
