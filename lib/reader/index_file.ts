/**
 * The index behind the writer: a file beside the database with what the reader knows of each whole
 * block. All of it can be made again from the database, so a damaged or foreign one is thrown away.
 * SQLite would not notice most damage, and what is missing here would be missing in answers: each
 * piece has a checksum, and every bucket is there, the empty ones too.
 */

import { crc32 } from "node:zlib";
import { open } from "#driver";
import { type Connection, SqliteError, type SqlValue, type Statement } from "../sqlite/driver.ts";
import type { BlockCounts } from "./block_counts.ts";
import {
  BUCKETS,
  type FieldIndex,
  INDEXED_FIELDS,
  type IndexedField,
  type ValueHash,
} from "./block_index.ts";

/** What is known of a block without reading it. */
export interface BlockMark {
  /** Number of the block. */
  readonly block: number;
  /** Earliest time an event of it was received, Unix epoch in ms. */
  readonly receivedMin: number;
  /** Latest time. */
  readonly receivedMax: number;
  /** What its last event looks like: a database that was replaced has others. */
  readonly lastEvent: string;
  /** Values that are left out of the index since there are too many, by field. */
  readonly common: Readonly<Record<IndexedField, readonly ValueHash[]>>;
  /** Every source in it, or null for any. */
  readonly sources: readonly string[] | null;
}

/** All that is known of a block. */
export interface IndexedBlock extends Omit<BlockMark, "common" | "sources"> {
  /** Where each value is. */
  readonly fields: Readonly<Record<IndexedField, FieldIndex>>;
  /** How many events there are; null if they are too various. */
  readonly counts: BlockCounts | null;
}

/** How it is opened. */
export interface IndexFileOptions {
  /** Of the database's fingerprints: the index of one with another seed is not used. */
  readonly seed: string;
  /** Whether it may be made and written; if not, it must be there. */
  readonly access: "write" | "read";
}

/** Version of its tables; one of another is not used. */
const VERSION = 2;
const TABLES = [
  "CREATE TABLE of_database (identity TEXT NOT NULL) STRICT",
  // mark and counts are JSON.
  `CREATE TABLE blocks (
     block      INTEGER PRIMARY KEY,
     mark       TEXT NOT NULL,
     mark_sum   INTEGER NOT NULL,
     counts     TEXT NOT NULL,
     counts_sum INTEGER NOT NULL
   ) STRICT`,
  // key: block, field and bucket in one number, so that what is of a block is together.
  "CREATE TABLE buckets (key INTEGER PRIMARY KEY, entries BLOB NOT NULL, sum INTEGER NOT NULL) STRICT",
];
const KEYS_A_BLOCK = INDEXED_FIELDS.length * BUCKETS;
const BUSY_TIMEOUT_MS = 1000;
const CORRUPT = 11;
const EMPTY = new Uint8Array();

/** See the head of this file. */
export class IndexFile {
  readonly #connection: Connection;
  readonly #access: IndexFileOptions["access"];
  readonly #marks = new Map<number, BlockMark>();
  readonly #bucket: Statement;
  readonly #counts: Statement;

  /** Opens it, making it if it is not there. @throws {SqliteError} if it can not be used. */
  constructor(path: string, { seed, access }: IndexFileOptions) {
    const connection = this.#connection = open(path, { readOnly: access === "read" });
    this.#access = access;
    try {
      connection.prepare(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`).rows([]);
      if (access === "write") this.#begin(seed);
      this.#check(seed);
      this.#bucket = connection.prepare("SELECT entries, sum FROM buckets WHERE key = ?");
      this.#counts = connection.prepare("SELECT counts, counts_sum FROM blocks WHERE block = ?");
      this.#readMarks();
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** What is known of a block; null if it is not indexed. */
  mark(block: number): BlockMark | null {
    return this.#marks.get(block) ?? null;
  }

  /** The blocks that are indexed, rising. */
  get blocks(): readonly number[] {
    return [...this.#marks.keys()].sort((a, b) => a - b);
  }

  /** A bucket of a block that is indexed. @throws {SqliteError} */
  bucket(block: number, field: IndexedField, bucket: number): Uint8Array {
    const key = keyOf(block, field) + bucket;
    return whole(this.#bucket.rows([key])[0], key);
  }

  /** How many events a block that is indexed has; null if that is not known. @throws {SqliteError} */
  counts(block: number): BlockCounts | null {
    return JSON.parse(whole(this.#counts.rows([block])[0], block));
  }

  /** Adds a block. @throws {SqliteError} */
  add(indexed: IndexedBlock): void {
    const { block, receivedMin, receivedMax, lastEvent, fields, counts } = indexed;
    const common = Object.fromEntries(
      INDEXED_FIELDS.map((field) => [field, fields[field].common]),
    ) as BlockMark["common"];
    const sources = counts?.sources ?? null;
    const mark: BlockMark = { block, receivedMin, receivedMax, lastEvent, common, sources };
    this.#transaction(() => {
      for (const field of INDEXED_FIELDS) {
        fields[field].buckets.forEach((entries, bucket) => {
          const key = keyOf(block, field) + bucket;
          this.#run("INSERT INTO buckets VALUES (?, ?, ?)", [
            key,
            ...summed(entries ?? EMPTY, key),
          ]);
        });
      }
      this.#run("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", [
        block,
        ...summed(JSON.stringify(mark), block),
        ...summed(JSON.stringify(counts), block),
      ]);
    });
    this.#marks.set(block, mark);
  }

  /** Forgets the blocks outside a range, in the file too if it may be written. @throws {SqliteError} */
  keepOnly(first: number, last: number): void {
    const gone = this.blocks.filter((block) => block < first || block > last);
    if (gone.length > 0 && this.#access === "write") this.#remove(gone);
    for (const block of gone) this.#marks.delete(block);
  }

  #remove(gone: readonly number[]): void {
    this.#transaction(() => {
      for (const block of gone) {
        this.#run("DELETE FROM blocks WHERE block = ?", [block]);
        const key = block * KEYS_A_BLOCK;
        this.#run("DELETE FROM buckets WHERE key BETWEEN ? AND ?", [key, key + KEYS_A_BLOCK - 1]);
      }
    });
  }

  /** Closes it. */
  close(): void {
    this.#connection.close();
  }

  readonly #statements = new Map<string, Statement>();

  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      this.#statements.set(sql, statement = this.#connection.prepare(sql));
    }
    return statement;
  }

  #run(sql: string, values: readonly SqlValue[]): void {
    this.#prepared(sql).run(values);
  }

  #transaction(work: () => void): void {
    this.#run("BEGIN IMMEDIATE", []);
    try {
      work();
      this.#run("COMMIT", []);
    } catch (error) {
      if (this.#connection.inTransaction) this.#run("ROLLBACK", []);
      throw error;
    }
  }

  #readMarks(): void {
    const rows = this.#connection.prepare(
      "SELECT mark, mark_sum, block FROM blocks ORDER BY block",
    ).rows([]);
    for (const row of rows) {
      const block = row[2] as number;
      this.#marks.set(block, JSON.parse(whole(row, block)));
    }
  }

  /** Makes the tables of one that is new. */
  #begin(seed: string): void {
    if (this.#version !== 0) return;
    this.#run("PRAGMA journal_mode = wal", []);
    this.#transaction(() => {
      if (this.#version !== 0) return; // another process was faster
      for (const sql of TABLES) this.#run(sql, []);
      this.#run("INSERT INTO of_database VALUES (?)", [seed]);
      this.#run(`PRAGMA user_version = ${VERSION}`, []);
    });
  }

  #check(seed: string): void {
    if (this.#version !== VERSION) throw new Error("it is an index of another version");
    const [row] = this.#connection.prepare("SELECT identity FROM of_database").rows([]);
    if (row?.[0] !== seed) throw new Error("it is the index of another database");
    if (this.#access === "write") this.#run("PRAGMA synchronous = 1", []);
  }

  get #version(): number {
    return this.#connection.prepare("PRAGMA user_version").rows([])[0]?.[0] as number;
  }
}

function keyOf(block: number, field: IndexedField): number {
  return block * KEYS_A_BLOCK + INDEXED_FIELDS.indexOf(field) * BUCKETS;
}

/** A piece with its checksum, which depends on where it is, too. */
function summed<T extends string | Uint8Array>(piece: T, key: number): [piece: T, sum: number] {
  return [piece, crc32(piece, key >>> 0)];
}

/** The piece of a row that begins with what {@linkcode summed} gave. */
function whole<T extends string | Uint8Array>(row: unknown[] | undefined, key: number): T {
  const piece = row?.[0] as T | undefined;
  if (piece !== undefined && summed(piece, key)[1] === row?.[1]) return piece;
  throw new SqliteError("the index is damaged", CORRUPT, undefined);
}
