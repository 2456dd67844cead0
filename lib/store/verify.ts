/**
 * The audit of a database and its journal, while no collector uses them: is every event that was
 * counted there, once, and is every byte readable. It changes nothing.
 *
 * Synchronous, so it runs in the store Worker.
 */

import { open } from "#driver";
import { foreign, SCHEMA_VERSION } from "./schema.ts";
import { pragma } from "./connection.ts";
import type { Connection } from "../sqlite/driver.ts";
import { journalPath } from "./files.ts";
import { Journal } from "./journal.ts";
import { denoFiles } from "./journal_files.ts";
import { RunsTable } from "./runs_table.ts";
import { unreadableTransactions } from "./wal_file.ts";

/** One thing that was looked at. */
export interface Finding {
  /** What. */
  readonly subject: "integrity" | "counters" | "sequence" | "runs" | "log" | "journal";
  /** Whether it is as it must be. */
  readonly isOk: boolean;
  /** What was found, with the figures. */
  readonly detail: string;
}

const INTEGRITY_LINES_MAX = 10;

/**
 * Looks at all of a database and its journal, which its caller has locked.
 *
 * @throws {CollectorError} if its schema is not that of this program.
 */
export function verify(path: string): Finding[] {
  const unreadable = unreadableTransactions(`${path}-wal`); // before it is opened
  const connection = open(path, { readOnly: true });
  try {
    const version = Number(pragma(connection, "user_version"));
    if (version !== SCHEMA_VERSION) {
      throw foreign(
        path,
        `its schema version is ${version}; a collector that starts on it brings it up to date`,
      );
    }
    const integrity = checkIntegrity(connection);
    // The other figures of a database that is damaged mean nothing, and reading them may fail.
    if (!integrity.isOk) return [integrity];
    return [
      integrity,
      checkCounters(connection),
      checkSequence(connection),
      describeRuns(connection),
      {
        subject: "log",
        isOk: unreadable === 0,
        detail: `${unreadable} transactions in the log that can not be read`,
      },
      checkJournal(connection, path),
    ];
  } finally {
    connection.close();
  }
}

function checkIntegrity(connection: Connection): Finding {
  const rows = connection.prepare(`PRAGMA integrity_check(${INTEGRITY_LINES_MAX})`).all([]);
  const lines = rows.map((row) => String(Object.values(row)[0]));
  return { subject: "integrity", isOk: lines.join() === "ok", detail: lines.join("; ") };
}

/** Each batch's transaction counts its rows: the sums must be what is there. */
function checkCounters(connection: Connection): Finding {
  const [committed = 0, deadLettered = 0, rows = 0, removed = 0, deadLetters = 0] = numbers(
    connection,
    `SELECT total(committed), total(dead_lettered), (SELECT count(*) FROM events),
            (SELECT count FROM events_removed),
            (SELECT count(*) FROM dead_letters) + (SELECT count FROM dead_letters_removed) FROM runs`,
  );
  const isOk = committed === rows + removed && deadLettered === deadLetters;
  const before = removed === 0 ? "" : `, ${removed} removed by retention`;
  const detail = `${rows} events${before}, ${committed} counted when they were committed; ` +
    `${deadLetters} dead letters, those replayed or purged included, ${deadLettered} counted`;
  return { subject: "counters", isOk, detail };
}

/**
 * Ids are given in the order of commit, without gaps, and retention removes the lowest: any other gap
 * is a row that somebody deleted.
 */
function checkSequence(connection: Connection): Finding {
  const [first = 0, last = 0, rows = 0, removed = 0] = numbers(
    connection,
    `SELECT coalesce(min(id), 1), coalesce(max(id), 0), count(*),
            (SELECT count FROM events_removed) FROM events`,
  );
  if (last === 0 && removed === 0) return { subject: "sequence", isOk: true, detail: "no events" };
  const missing = last - rows - removed;
  const detail = `ids ${first} to ${last}, ${missing} missing`;
  return { subject: "sequence", isOk: missing === 0 && first === removed + 1, detail };
}

function describeRuns(connection: Connection): Finding {
  const [runs = 0, unclean = 0] = numbers(
    connection,
    "SELECT count(*), count(*) FILTER (WHERE ended_at IS NULL) FROM runs",
  );
  const detail = `${runs} runs, ${unclean} of them did not end by themselves`;
  return { subject: "runs", isOk: true, detail };
}

function checkJournal(connection: Connection, path: string): Finding {
  const runs = new RunsTable(connection);
  let events = 0, applied = 0;
  using journal = new Journal({
    path: journalPath(path),
    bytesMax: Infinity,
    files: { ...denoFiles, unlink: () => {}, rename: () => {} },
    onFound: (record) => {
      const last = runs.read(record.run)?.lastBatch ?? 0;
      if (record.number <= last) applied += record.events;
      else events += record.events;
    },
  });
  const { files, bytes } = journal.damage;
  const detail = `${events} events to be applied at the next start, ${applied} applied already, ` +
    `${files} damaged files with ${bytes} unreadable bytes`;
  return { subject: "journal", isOk: files === 0, detail };
}

function numbers(connection: Connection, sql: string): number[] {
  return Object.values(connection.prepare(sql).get([]) ?? {}).map(Number);
}
