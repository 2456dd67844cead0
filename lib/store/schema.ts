/** What the database looks like, and how an older one is brought up to date. */

import { CollectorError } from "../errors.ts";

/** SQLite's application_id of a collector's database: "FHC1" as a big-endian integer. */
export const APPLICATION_ID = 0x46484331;

/**
 * Migrations: the statements at index n bring a database from user_version n to n + 1. Never change
 * one that was released; add another.
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE events (
       id          INTEGER PRIMARY KEY,
       user_id     INTEGER,
       actor       TEXT,
       timestamp   TEXT NOT NULL,
       metadata    TEXT NOT NULL,
       received_at INTEGER NOT NULL,
       source      TEXT NOT NULL,
       type        TEXT,
       event_id    TEXT
     ) STRICT`,
    `CREATE TABLE dead_letters (
       id          INTEGER PRIMARY KEY,
       received_at INTEGER NOT NULL,
       source      TEXT NOT NULL,
       reason      TEXT NOT NULL,
       raw         TEXT NOT NULL
     ) STRICT`,
    // One row: changed in the transaction of every batch, so that a commit whose answer was lost
    // can be told from one that did not happen. `run` is who writes: numbers of another run say
    // nothing about ours.
    `CREATE TABLE ledger (
       one           INTEGER PRIMARY KEY CHECK (one = 1),
       run           TEXT NOT NULL,
       last_batch    INTEGER NOT NULL,
       committed     INTEGER NOT NULL,
       dead_lettered INTEGER NOT NULL
     ) STRICT`,
    `INSERT INTO ledger VALUES (1, '', 0, 0, 0)`,
  ],
];

/** The user_version this program writes. */
export const SCHEMA_VERSION: number = MIGRATIONS.length;

/** The columns of `events` but its id, which are checked to be there. */
export const EVENT_COLUMNS = [
  "user_id",
  "actor",
  "timestamp",
  "metadata",
  "received_at",
  "source",
  "type",
  "event_id",
] as const;

/** The error for a file that is not this program's to change. */
export function foreign(path: string, why: string): CollectorError {
  return new CollectorError("database-foreign", `Cannot use ${path}: ${why}.`, {
    hint: "Nothing in it was changed. Name another file with --db.",
  });
}
