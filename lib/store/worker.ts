/**
 * The store Worker: owns the only write connection and the journal. It answers each question in the
 * order asked, applies the journal in between, and keeps no policy: what to retry, and when, is the
 * writer's, and what goes where is the keeper's.
 */

/// <reference lib="deno.worker" />

import type { Receipt, ReceiptState } from "../store.ts";
import { holdWhileAlive } from "./alive_lock.ts";
import { explain, isTransient } from "./connection.ts";
import type { Database } from "./database.ts";
import type { Journal } from "./journal.ts";
import type { KeepOptions } from "./keep_options.ts";
import type { Keeper } from "./keeper.ts";
import type {
  Before,
  Known,
  Numbered,
  StoreAnswer,
  StoreEvent,
  StoreQuestion,
} from "./messages.ts";
import { openStore, reopenStore } from "./opening.ts";
import { Retention } from "./retention.ts";
import { verify } from "./verify.ts";

const DRAIN_BUDGET_MS = 20;
const DRAIN_PAUSE_MS = { min: 20, max: 1000 };
const CLOSE_BUDGET_MS = 2000;
const WAL_ALARM_PART = 1 / 4;

let options: KeepOptions;
let keeper: Keeper<Database>;
let journal: Journal;
let drainTimer: ReturnType<typeof setTimeout> | undefined;
let drainPauseMs = 0;
let retention: Retention;
let retentionTimer: ReturnType<typeof setTimeout> | undefined;
let isLogLarge = false;

self.onmessage = ({ data }: MessageEvent<Numbered<StoreQuestion>>) => {
  const { number, content: question } = data;
  switch (question.kind) {
    case "open": {
      ({ options } = question);
      const opened = orFailed(options.path, () => open(question.before));
      answer(number, opened);
      if (opened.kind === "open-failed") return self.close();
      drainLater();
      return retainIn(0);
    }
    case "write":
      answer(number, {
        kind: "written",
        outcome: keeper.write(question.batch),
        known: known(),
      });
      return afterWrite(question.batch.rows.length);
    case "verify":
      answer(
        number,
        orFailed(question.path, () => ({ kind: "verified", findings: verify(question.path) })),
      );
      return self.close();
    case "close":
      close();
      answer(number, { kind: "closed" });
      return self.close();
    default:
      answer(number, replyTo(question));
      // Retention may wait for just this.
      if (question.kind.endsWith("export-point") || question.kind === "retain") retainIn(0);
  }
};
// The main thread names the Worker after the lock by which it will notice its end.
holdWhileAlive(self.name).then(() => tell({ kind: "ready" }));

function answer(number: number, content: StoreAnswer): void {
  const opened = content.kind === "opened" ? content.opened : null;
  const transfer = opened === null ? [] : [opened.eventIds.buffer, opened.requests.buffer];
  self.postMessage({ number, content } satisfies Numbered<StoreAnswer>, transfer as ArrayBuffer[]);
}

function tell(content: StoreEvent): void {
  self.postMessage({ number: 0, content } satisfies Numbered<StoreEvent>);
}

/** The answer to a question about what is stored beside the batches. */
function replyTo(
  question: Exclude<StoreQuestion, { kind: "open" | "write" | "verify" | "close" }>,
): StoreAnswer {
  switch (question.kind) {
    case "receipt":
      return { kind: "receipt", state: receiptState(question.receipt) };
    case "dead-letters":
      return { kind: "dead-letters", letters: orNull((of) => of.deadLetters(question.page)) };
    case "remove-dead-letters": {
      const count = changed((of) => of.removeDeadLetters(question.ids));
      return { kind: "dead-letters-removed", count };
    }
    case "export-points":
      return { kind: "export-points", points: orNull(({ upkeep }) => upkeep.exportPoints()) };
    case "set-export-point": {
      const { name, id } = question, point = { name, id, updatedAt: Date.now() };
      const outcome = changed((of) => of.change(() => of.upkeep.setExportPoint(point)));
      return { kind: "export-point-set", outcome };
    }
    case "remove-export-point": {
      const { name } = question;
      const wasThere = changed((of) => of.change(() => of.upkeep.removeExportPoint(name)));
      return { kind: "export-point-removed", wasThere };
    }
    case "retain":
      retention.keepTo(question.policy);
      return { kind: "retained" };
  }
}

function known(): Known {
  return { progress: keeper.progress, lastNumber: keeper.lastNumber, state: keeper.state };
}

function orFailed(path: string, work: () => StoreAnswer): StoreAnswer {
  try {
    return work();
  } catch (error) {
    const { code, message, hint } = explain(error, path);
    return { kind: "open-failed", code, message, hint };
  }
}

function open(before: Before | null): StoreAnswer {
  const store = before === null ? openStore(options, notice) : reopenStore(options, before, notice);
  ({ keeper, journal } = store);
  retention = new Retention({
    policy: options.retention,
    use: (call) => keeper.isJournaling ? null : keeper.use(call),
    tell: (state) => tell({ kind: "retention", state }),
    notice,
  });
  return { kind: "opened", opened: store.opened, known: known() };
}

function notice(text: string): void {
  tell({ kind: "notice", text });
}

/** Tells once when a reader has let the log grow to a part of its limit. */
function watchLog(): void {
  const held = keeper.database?.walBytesHeld ?? 0;
  const isLarge = held > options.walBytesMax * WAL_ALARM_PART;
  if (isLarge && !isLogLarge) {
    tell({
      kind: "notice",
      text: `a reader keeps the database's log from being emptied: it has ${held} bytes; at ` +
        `${options.walBytesMax} (--wal-bytes) nothing more goes into it`,
    });
  }
  isLogLarge = isLarge;
}

/** What no answer waits for. A failed checkpoint loses nothing: the next commit will say more. */
function afterWrite(bytes: number): void {
  if (keeper.isJournaling) drainLater();
  if (retention.stored(bytes)) retainIn(retention.turn());
  try {
    keeper.database?.checkpointIfDue();
    watchLog();
  } catch { /* see above */ }
}

/** Has retention take its next turn after so long, and its further ones when they are due. */
function retainIn(ms: number): void {
  clearTimeout(retentionTimer);
  retentionTimer = setTimeout(() => retainIn(retention.turn()), ms);
}

/** Has the journal applied soon: at once while that goes well, after a pause that doubles if not. */
function drainLater(): void {
  if (!keeper.isJournaling || drainTimer !== undefined) return;
  drainTimer = setTimeout(() => {
    drainTimer = undefined;
    drain(DRAIN_BUDGET_MS);
    drainLater();
  }, drainPauseMs);
}

/** Applies the journal for at most so long, a part at least. */
function drain(budgetMs: number): void {
  const endMs = performance.now() + budgetMs;
  try {
    while (keeper.isJournaling && performance.now() < endMs) {
      keeper.drain();
      tell({ kind: "known", known: known() });
      keeper.database?.checkpointIfDue();
    }
    drainPauseMs = 0;
  } catch (error) {
    tell({ kind: "known", known: known() }); // some may be lost, which is known now
    if (!isTransient(error)) notice(`the journal can not be applied: ${messageOf(error)}`);
    const { min, max } = DRAIN_PAUSE_MS;
    drainPauseMs = Math.min(max, Math.max(min, drainPauseMs * 2));
  }
}

function receiptState(receipt: Receipt): ReceiptState | null {
  return orNull((database) => ({
    settled: database.progress(receipt.run)?.settled ?? null,
    deadLettered: database.deadLettered(receipt),
    isJournaled: keeper.isJournaling,
  }));
}

/** What came of a change that no batch asked for; null if it can not be made now. */
function changed<T>(change: (database: Database) => T): T | null {
  try {
    return keeper.database === null ? null : keeper.use(change);
  } catch {
    return null;
  }
}

/** What the database says; null if it can not be asked now. */
function orNull<T>(ask: (database: Database) => T): T | null {
  try {
    return keeper.database === null ? null : ask(keeper.database);
  } catch {
    return null; // it is locked, or broken: the next batch will say more
  }
}

/** Closes all. If a part of that fails nothing is lost: the next start reads log and journal. */
function close(): void {
  clearTimeout(drainTimer);
  clearTimeout(retentionTimer);
  drain(CLOSE_BUDGET_MS);
  const { database } = keeper;
  for (
    const part of [
      () => database?.waitForLocks(CLOSE_BUDGET_MS),
      () => database?.endRun(),
      () => database?.checkpointAll(),
    ]
  ) {
    try {
      part();
    } catch { /* see above */ }
  }
  keeper.close();
  journal.close();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
