/** What must be true of everything that was sent, whatever happened. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { Account } from "../../lib/account.ts";
import { decodeBatch } from "../../lib/event.ts";
import type { ReceiptStatus } from "../../lib/receipt.ts";
import { decodeRecord } from "../../lib/store/journal_record.ts";
import { SegmentScanner } from "../../lib/store/journal_scanner.ts";
import { segmentNumbers, segmentPath } from "../../lib/store/journal_segment.ts";
import type { Kept, ModelDatabaseFile, ModelDisk } from "../fakes/model_database.ts";
import type { ModelFiles } from "../fakes/model_files.ts";
import { JOURNAL_PATH } from "./model_store.ts";
import type { Clients, SentAdmission, SentEvent } from "./requests.ts";

/** Where the events are that are in the database and the journal, and in databases moved away. */
export interface Found {
  readonly rows: ReadonlySet<number>;
  readonly deadLetters: ReadonlySet<number>;
  readonly journaled: ReadonlySet<number>;
  readonly movedAway: ReadonlySet<number>;
}

/** Sees that nothing is lost, doubled, invented or out of order. */
export function checkStored(clients: Clients, disk: ModelDisk): Found {
  const found = find(clients, disk);
  const { rows, deadLetters, journaled, movedAway } = found;
  for (const event of clients.events) {
    const places = [rows, deadLetters, journaled].filter((place) => place.has(event.n)).length;
    ok(places <= 1, `event ${event.n} is there twice`);
    if (places === 0 && !movedAway.has(event.n)) {
      ok(!event.isAcknowledged, `event ${event.n} was acknowledged and is lost`);
    } else ok(event.isAdmitted, `event ${event.n} was refused and is stored`);
  }
  return found;
}

/** Sees that the account closes. */
export function checkAccount(account: Account): void {
  equal(account.residual, 0, `the residual is ${account.residual}`);
  for (const [name, value] of Object.entries(account)) {
    ok(value >= 0, `${name} is ${value}: ${JSON.stringify(account)}`);
  }
  equal(account.dropped, 0, "events were dropped");
}

/** Sees that a receipt tells what became of the events; call it when nothing is under way. */
export function checkReceipt(
  admission: SentAdmission,
  status: ReceiptStatus | null,
  { rows, deadLetters }: Found,
): void {
  const events = admission.request.events.map(({ n }) => n);
  const told = `${admission.receiptId} is ${JSON.stringify(status)}`;
  if (admission.duplicates > 0) return; // then it is for some of the events only
  if (status === null) {
    ok(!admission.isAcknowledged, `${told} and was acknowledged`);
    return;
  }
  ok(status.status !== "pending", told);
  equal(status.events, events.length, told);
  const missing = events.filter((n) => !rows.has(n) && !deadLetters.has(n));
  deepEqual(missing, [], `${told}, but events are missing: ${missing}`);
  equal(status.dead_lettered, events.filter((n) => deadLetters.has(n)).length, told);
}

function find(clients: Clients, disk: ModelDisk): Found {
  const { file, moved, machine: { files } } = disk;
  const rows = new Set<number>(), deadLetters = new Set<number>();
  const lastPlaces = new Map<string, number>();
  for (const kept of file?.visible.kept ?? []) {
    const event = eventOf(clients, kept), { row } = kept;
    const into = typeof row === "string" ? deadLetters : rows;
    ok(!rows.has(event.n) && !deadLetters.has(event.n), `event ${event.n} is stored twice`);
    into.add(event.n);
    if (typeof row !== "string") {
      deepEqual([row.metadata, row.eventId ?? ""], [event.metadata, event.id]);
    }
    const place = event.places.get(kept.run) ?? -1;
    const last = lastPlaces.get(kept.run) ?? 0;
    ok(place > last, `event ${event.n} is not in the order of admission: ${place} after ${last}`);
    lastPlaces.set(kept.run, place);
  }
  const movedAway = new Set(
    moved.flatMap(({ visible }) => visible.kept.map((kept) => eventOf(clients, kept).n)),
  );
  return { rows, deadLetters, journaled: unapplied(clients, files, file), movedAway };
}

/** What the journal's files hold that the database has not got. */
function unapplied(
  clients: Clients,
  files: ModelFiles,
  database: ModelDatabaseFile | null,
): Set<number> {
  const events = new Set<number>(), seen = new Set<string>();
  for (const number of segmentNumbers(JOURNAL_PATH, files.list())) {
    const path = segmentPath(JOURNAL_PATH, number), file = files.open(path);
    if (file === null) continue;
    using scanner = new SegmentScanner(file, files.size(path) ?? 0);
    let found = scanner.next(0);
    for (; found !== null; found = scanner.next(found.end)) {
      const record = decodeRecord(found.head, found.payload),
        name = `${record.run} ${record.number}`;
      if (record.number <= (database?.visible.runs.get(record.run)?.lastBatch ?? 0)) continue;
      if (seen.has(name)) continue;
      seen.add(name);
      decodeBatch(record.rows, (row) => {
        const { n } = eventOf(clients, { run: record.run, sequence: 0, row });
        ok(!events.has(n), `event ${n} is in the journal twice`);
        events.add(n);
      });
    }
  }
  return events;
}

function eventOf(clients: Clients, { row }: Kept): SentEvent {
  const text = typeof row === "string" ? row : row.metadata;
  const n = Number(/"n":(\d+)/.exec(text)?.[1]);
  const event = clients.events[n - 1];
  ok(event, `what is stored was never sent: ${text}`);
  return event;
}
