/** Inserts the rows of a batch, some by one statement, and finds those that never go in. */

import { type FieldsPerRow, LETTER_FIELDS, type RowGroup } from "../event.ts";
import type { RejectedRow } from "../store.ts";
import { isPermanent } from "./connection.ts";
import type { Connection, SqlValue, Statement } from "../sqlite/driver.ts";

/** Rows as a batch carries them. */
export interface GroupedRows {
  /** The rows, decoded by `event.ts`. */
  readonly groups: readonly RowGroup[];
  /** Positions of rows to leave out, rising. */
  readonly skip: readonly number[];
}

const ROWS_PER_INSERT = 100;

/** What a statement binds: what the rows share as ?1 and ?2, then the fields of each. */
const ROWS: Readonly<
  Record<Exclude<FieldsPerRow, 2>, { readonly columns: string; readonly row: string }>
> = {
  3: { columns: "user_id, timestamp, metadata", row: "?, ?, ?" },
  4: { columns: "user_id, timestamp, metadata, event_id", row: "?, ?, ?, NULLIF(?, '')" },
  6: {
    columns: "user_id, timestamp, metadata, actor, type, event_id",
    row: "NULLIF(?, ''), ?, ?, NULLIF(?, ''), NULLIF(?, ''), NULLIF(?, '')",
  },
};

/** See the head of this file. Works within a transaction of its caller's. */
export class RowInserter {
  readonly #connection: Connection;
  readonly #statements = new Map<number, Statement>();

  /** Prepares its statements when they are first needed. */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Inserts the rows and gives their number. @throws {SqliteError} */
  insert(batch: GroupedRows): number {
    let stored = 0;
    for (const run of runsOf(batch)) {
      this.#insertRun(run);
      stored += run.rows;
    }
    return stored;
  }

  /**
   * Finds the rows that can never be stored, by halves. What it inserts is for the caller to undo.
   *
   * @param begin Begins the transaction again if an error has ended it.
   * @throws {SqliteError} if something else is wrong.
   */
  isolate(batch: GroupedRows, begin: () => void): RejectedRow[] {
    const rejected: RejectedRow[] = [];
    const probe = (run: Run) => {
      begin();
      try {
        this.#insertRun(run);
      } catch (error) {
        if (!isPermanent(error)) throw error;
        if (run.rows === 1) {
          rejected.push({ index: run.index, reason: (error as Error).message });
        } else splitRun(run, run.rows >> 1).forEach(probe);
      }
    };
    for (const run of runsOf(batch)) probe(run);
    return rejected;
  }

  /** Inserts the rows of a run by one statement. */
  #insertRun({ group, row, rows }: Run): void {
    const { receivedAt, source, fields, fieldsPerRow, start } = group;
    if (fieldsPerRow === LETTER_FIELDS) throw new TypeError("A dead letter is no row.");
    const from = start + row * fieldsPerRow;
    const values: SqlValue[] = [receivedAt, source];
    for (let i = from; i < from + rows * fieldsPerRow; i++) values.push(fields[i] as string);
    this.#statement(fieldsPerRow, rows).run(values);
  }

  /**
   * The statement that inserts so many rows. Rows with fewer fields have one of their own, with
   * fewer values to bind: three instead of six are a fifth faster.
   */
  #statement(fieldsPerRow: keyof typeof ROWS, rows: number): Statement {
    const key = fieldsPerRow * 1000 + rows;
    let statement = this.#statements.get(key);
    if (statement === undefined) {
      const { columns, row } = ROWS[fieldsPerRow];
      statement = this.#connection.prepare(
        `INSERT INTO events (received_at, source, ${columns}) VALUES ${
          Array(rows).fill(`(?1, ?2, ${row})`).join()
        }`,
      );
      this.#statements.set(key, statement);
    }
    return statement;
  }
}

/** Rows of a group that are inserted by one statement. */
interface Run {
  readonly group: RowGroup;
  /** The first row, counted in its group. */
  readonly row: number;
  /** The first row, counted in the batch. */
  readonly index: number;
  /** How many rows. */
  readonly rows: number;
}

/** The runs of a batch: in order, of at most so many rows, around the rows to leave out. */
function runsOf(batch: GroupedRows): Run[] {
  const runs: Run[] = [];
  let first = 0, skipped = 0;
  for (const group of batch.groups) {
    const rowsEnd = group.fieldsPerRow === LETTER_FIELDS ? 0 : group.rows;
    for (let row = 0; row < rowsEnd;) {
      const skip = (batch.skip[skipped] ?? Infinity) - first;
      if (skip === row) {
        skipped++;
        row++;
        continue;
      }
      const rows = Math.min(rowsEnd, skip, row + ROWS_PER_INSERT) - row;
      runs.push({ group, row, index: first + row, rows });
      row += rows;
    }
    first += group.rows;
  }
  return runs;
}

function splitRun({ group, row, index, rows }: Run, at: number): [Run, Run] {
  return [
    { group, row, index, rows: at },
    { group, row: row + at, index: index + at, rows: rows - at },
  ];
}
