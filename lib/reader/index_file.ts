/**
 * The index behind the writer: a file beside the database with what the reader knows of each whole
 * block. All of it can be made again from the database; a damaged or foreign one is thrown away.
 */

import { open } from "#driver";
import { type Connection, type Statement } from "../sqlite/driver.ts";
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
  /** Of the database: the index of another one is thrown away. */
  readonly database: string;
  /** Whether it may be written; if not, it must be there. */
  readonly access: "write" | "read";
}

/** Version of its tables; another one is thrown away. */
const VERSION = 1;
const TABLES = [
  "CREATE TABLE of_database (identity TEXT NOT NULL) STRICT",
  `CREATE TABLE blocks (
     block        INTEGER PRIMARY KEY,
     received_min INTEGER NOT NULL,
     received_max INTEGER NOT NULL,
     last_event   TEXT NOT NULL,
     common       TEXT NOT NULL,
     counts       TEXT
   ) STRICT`,
  // key: block, field and bucket in one number, so that a block is appended at the end.
  "CREATE TABLE buckets (key INTEGER PRIMARY KEY, entries BLOB NOT NULL) STRICT",
];
const KEYS_A_BLOCK = INDEXED_FIELDS.length * BUCKETS;

/** See the head of this file. */
export class IndexFile {
  readonly #connection: Connection;
  readonly #marks = new Map<number, BlockMark>();
  readonly #bucket: Statement;
  readonly #counts: Statement;

  /** Opens it, making it if it is not there. @throws {SqliteError} if it can not be used. */
  constructor(path: string, options: IndexFileOptions) {
    const connection = this.#connection = options.access === "read"
      ? open(path, { readOnly: true })
      : openForWriting(path, options.database);
    try {
      const [row] = connection.prepare("SELECT identity FROM of_database").rows([]);
      if (row?.[0] !== options.database) throw new Error("it is the index of another database");
      this.#bucket = connection.prepare("SELECT entries FROM buckets WHERE key = ?");
      this.#counts = connection.prepare("SELECT counts FROM blocks WHERE block = ?");
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
    return [...this.#marks.keys()];
  }

  /** A bucket of a block; null if it is empty. @throws {SqliteError} */
  bucket(block: number, field: IndexedField, bucket: number): Uint8Array | null {
    const [row] = this.#bucket.rows([keyOf(block, field) + bucket]);
    return row === undefined ? null : row[0] as Uint8Array;
  }

  /** How many events a block has; null if that is not known. @throws {SqliteError} */
  counts(block: number): BlockCounts | null {
    const [row] = this.#counts.rows([block]);
    return typeof row?.[0] === "string" ? JSON.parse(row[0]) as BlockCounts : null;
  }

  /** Adds a block, after all that are there. @throws {SqliteError} */
  add(indexed: IndexedBlock): void {
    const { block, receivedMin, receivedMax, lastEvent, fields, counts } = indexed;
    const common = Object.fromEntries(
      INDEXED_FIELDS.map((field) => [field, fields[field].common]),
    ) as BlockMark["common"];
    this.#transaction(() => {
      for (const field of INDEXED_FIELDS) {
        fields[field].buckets.forEach((entries, bucket) => {
          if (entries !== null) this.#insertBucket.run([keyOf(block, field) + bucket, entries]);
        });
      }
      this.#insertBlock.run([
        block,
        receivedMin,
        receivedMax,
        lastEvent,
        JSON.stringify(common),
        counts && JSON.stringify(counts),
      ]);
    });
    const sources = counts?.sources ?? null;
    this.#marks.set(block, { block, receivedMin, receivedMax, lastEvent, common, sources });
  }

  /** Forgets the blocks outside a range. @throws {SqliteError} */
  keepOnly(first: number, last: number): void {
    const gone = this.blocks.filter((block) => block < first || block > last);
    if (gone.length === 0) return;
    this.#transaction(() => {
      for (const block of gone) {
        this.#run("DELETE FROM blocks WHERE block = ?", [block]);
        const key = block * KEYS_A_BLOCK;
        this.#run("DELETE FROM buckets WHERE key BETWEEN ? AND ?", [key, key + KEYS_A_BLOCK - 1]);
      }
    });
    for (const block of gone) this.#marks.delete(block);
  }

  /** Closes it. */
  close(): void {
    this.#connection.close();
  }

  get #insertBucket(): Statement {
    return this.#prepared("INSERT INTO buckets VALUES (?, ?)");
  }

  get #insertBlock(): Statement {
    return this.#prepared("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?)");
  }

  readonly #statements = new Map<string, Statement>();

  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      this.#statements.set(sql, statement = this.#connection.prepare(sql));
    }
    return statement;
  }

  #run(sql: string, values: readonly number[]): void {
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
      `SELECT block, received_min, received_max, last_event, common, json_extract(counts, '$.sources')
         FROM blocks ORDER BY block`,
    ).rows([]);
    for (const [block, min, max, lastEvent, common, sources] of rows) {
      this.#marks.set(block as number, {
        block: block as number,
        receivedMin: min as number,
        receivedMax: max as number,
        lastEvent: lastEvent as string,
        common: JSON.parse(common as string),
        sources: sources === null ? null : JSON.parse(sources as string),
      });
    }
  }
}

function keyOf(block: number, field: IndexedField): number {
  return block * KEYS_A_BLOCK + INDEXED_FIELDS.indexOf(field) * BUCKETS;
}

/** Opens it, begun anew unless it is that of the database. */
function openForWriting(path: string, database: string): Connection {
  const kept = tryOpen(path, database);
  if (kept !== null) return kept;
  for (const suffix of ["", "-wal", "-shm"]) {
    try {
      Deno.removeSync(path + suffix);
    } catch { /* it is not there */ }
  }
  const connection = open(path);
  try {
    for (const sql of ["PRAGMA journal_mode = wal", "PRAGMA synchronous = 1", ...TABLES]) {
      connection.prepare(sql).rows([]);
    }
    connection.prepare("INSERT INTO of_database VALUES (?)").run([database]);
    connection.prepare(`PRAGMA user_version = ${VERSION}`).run([]);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function tryOpen(path: string, database: string): Connection | null {
  let connection: Connection | undefined;
  try {
    if (Deno.statSync(path).size === 0) return null;
    connection = open(path);
    const version = connection.prepare("PRAGMA user_version").rows([])[0]?.[0];
    const identity = connection.prepare("SELECT identity FROM of_database").rows([])[0]?.[0];
    if (version === VERSION && identity === database) {
      connection.prepare("PRAGMA synchronous = 1").run([]);
      return connection;
    }
  } catch { /* it is damaged, or not there */ }
  connection?.close();
  return null;
}
