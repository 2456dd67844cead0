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
  [
    // One row a start of the collector: its own is changed in the transaction of every batch, so that
    // a commit whose answer was lost can be told from one that did not happen, and a receipt from a
    // run that crashed can be answered. The newest row is whose turn it is to write.
    `CREATE TABLE runs (
       number         INTEGER PRIMARY KEY,
       id             TEXT NOT NULL UNIQUE,
       durability     TEXT NOT NULL,
       queue_capacity INTEGER NOT NULL,
       started_at     INTEGER NOT NULL,
       ended_at       INTEGER,
       last_batch     INTEGER NOT NULL DEFAULT 0,
       settled        INTEGER NOT NULL DEFAULT 0,
       committed      INTEGER NOT NULL DEFAULT 0,
       dead_lettered  INTEGER NOT NULL DEFAULT 0
     ) STRICT`,
    `INSERT INTO runs
       SELECT 1, 'before', 'memory', 0, 0, 0, last_batch, committed + dead_lettered, committed, dead_lettered
         FROM ledger WHERE last_batch > 0`,
    `DROP TABLE ledger`,
    `ALTER TABLE dead_letters ADD COLUMN run TEXT`,
    // Which event of its run it was, counted from 0 in the order of admission.
    `ALTER TABLE dead_letters ADD COLUMN sequence INTEGER`,
    `CREATE INDEX dead_letters_by_event ON dead_letters (run, sequence)`,
    // What recent events and requests were called, as fingerprints, some hundreds a row, the oldest
    // first: an index on every event would cost more than all the rest.
    `CREATE TABLE recent_event_ids (
       id      INTEGER PRIMARY KEY,
       total   INTEGER NOT NULL,
       records BLOB NOT NULL
     ) STRICT`,
    `CREATE TABLE recent_requests (
       id      INTEGER PRIMARY KEY,
       total   INTEGER NOT NULL,
       records BLOB NOT NULL
     ) STRICT`,
    // The fingerprints' seed: random, so that nobody can make ids up that look alike.
    `CREATE TABLE fingerprint_seed (one INTEGER PRIMARY KEY CHECK (one = 1), seed BLOB NOT NULL) STRICT`,
    `INSERT INTO fingerprint_seed VALUES (1, randomblob(16))`,
  ],
  [
    // Which protocol reads the raw text, so that it can be sent again. Now that letters are removed,
    // an id must not be given a second time: whoever read it would hit another letter.
    `ALTER TABLE dead_letters RENAME TO dead_letters_2`,
    `CREATE TABLE dead_letters (
       id          INTEGER PRIMARY KEY AUTOINCREMENT,
       received_at INTEGER NOT NULL,
       source      TEXT NOT NULL,
       protocol    TEXT NOT NULL DEFAULT 'native',
       reason      TEXT NOT NULL,
       raw         TEXT NOT NULL,
       decoded     INTEGER NOT NULL DEFAULT 1,
       run         TEXT,
       sequence    INTEGER
     ) STRICT`,
    `INSERT INTO dead_letters (id, received_at, source, reason, raw, run, sequence)
       SELECT id, received_at, source, reason, raw, run, sequence FROM dead_letters_2`,
    `DROP TABLE dead_letters_2`,
    `CREATE INDEX dead_letters_by_event ON dead_letters (run, sequence)`,
    // How many were replayed or purged: the runs count all that ever were.
    `CREATE TABLE dead_letters_removed (one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL) STRICT`,
    `INSERT INTO dead_letters_removed VALUES (1, 0)`,
  ],
  [
    // How many events retention has removed, the lowest ids first: the runs count all that ever were.
    `CREATE TABLE events_removed (one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL) STRICT`,
    `INSERT INTO events_removed VALUES (1, 0)`,
    // How far those who copy the events elsewhere have got.
    `CREATE TABLE export_points (
       name       TEXT PRIMARY KEY,
       id         INTEGER NOT NULL,
       updated_at INTEGER NOT NULL
     ) STRICT`,
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

/** The error for a database of this program that is damaged. */
export function corrupt(path: string, why: string, cause?: unknown): CollectorError {
  return new CollectorError("database-corrupt", `The database ${path} is damaged: ${why}.`, {
    hint:
      "Nothing in it was changed. Put a good copy in its place (with its -wal file, if it has " +
      "one), or start with --on-corrupt=rotate to move it aside whole and begin a new one; the " +
      "journal is kept either way.",
    cause,
  });
}
