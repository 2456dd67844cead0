/**
 * Stands for `@db/sqlite` where JSR is not used: as much of its types as `driver_jsr.ts` needs, and
 * an error for whoever selects that driver without the configuration that brings it.
 */

/** How a database is opened there. */
export interface DatabaseOpenOptions {
  /** Flags of `sqlite3_open_v2`. */
  readonly flags?: number;
  /** Whether integers are read whole; cut to 32 bits without it. */
  readonly int64?: boolean;
}

/** A prepared statement of it. */
export interface Statement {
  /** Runs it. */
  run(...values: (string | number | Uint8Array | null)[]): number;
  /** Its first row. */
  get<T extends object>(...values: (string | number | Uint8Array | null)[]): T | undefined;
  /** All its rows. */
  all<T extends object>(...values: (string | number | Uint8Array | null)[]): T[];
  /** All its rows, by position. */
  values<T extends unknown[]>(...values: (string | number | Uint8Array | null)[]): T[];
  /** Frees it. @throws if its last run failed */
  finalize(): void;
}

/** Throws when it is made. */
export class Database {
  /** Whether it is open. */
  declare readonly open: boolean;
  /** Whether a transaction is open. */
  declare readonly inTransaction: boolean;
  /** Prepares a statement. */
  declare readonly prepare: (sql: string) => Statement;
  /** Copies it into another. */
  declare readonly backup: (to: Database) => void;
  /** Closes it. */
  declare readonly close: () => void;

  /** Throws. @throws {Error} always, naming the way out */
  constructor(path: string, _options?: DatabaseOpenOptions) {
    throw new Error(
      `Cannot open ${path}: @db/sqlite is not part of this configuration. ` +
        "Run with --config deno.jsr.json, which takes it from JSR.",
    );
  }
}
