/**
 * The store Worker: owns the only write connection. It answers each question in the order asked
 * and keeps no policy: what to retry, and when, is the writer's.
 */

/// <reference lib="deno.worker" />

import { CollectorError } from "../errors.ts";
import type { WriteOutcome } from "../store.ts";
import { holdWhileAlive } from "./alive_lock.ts";
import { Database, type DatabaseOptions, isTransient } from "./database.ts";
import type { Numbered, StoreAnswer, StoreQuestion } from "./messages.ts";

const REOPEN_TIMEOUT_MS = 100;

let database: Database | null = null;
let options: DatabaseOptions;

self.onmessage = ({ data }: MessageEvent<Numbered<StoreQuestion>>) => {
  const { number, content: question } = data;
  switch (question.kind) {
    case "open":
      return answer(number, open(question.options, question.isFirst));
    case "write":
      answer(number, { kind: "written", outcome: write(question.batch) });
      return checkpoint();
    case "close":
      close();
      answer(number, { kind: "closed" });
      return self.close();
  }
};
// The main thread names the Worker after the lock by which it will notice its end.
holdWhileAlive(self.name).then(() => answer(0, { kind: "ready" }));

function answer(number: number, content: StoreAnswer): void {
  self.postMessage({ number, content } satisfies Numbered<StoreAnswer>);
}

function open(given: DatabaseOptions, isFirst: boolean): StoreAnswer {
  options = given;
  try {
    database = new Database(options);
    if (isFirst) database.takeOver();
    return { kind: "opened", lastBatch: database.lastBatch };
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    const { code, message, hint } = error;
    return { kind: "open-failed", code, message, hint };
  }
}

function write(batch: Parameters<Database["write"]>[0]): WriteOutcome {
  try {
    database ??= new Database({ ...options, openTimeoutMs: REOPEN_TIMEOUT_MS });
    return database.write(batch);
  } catch (error) {
    if (!isTransient(error)) abandon(); // after an I/O error the connection can not be trusted
    return { kind: "failed", reason: (error as Error).message };
  }
}

/** A failed checkpoint loses nothing; if the disk has a problem, the next commit will say so. */
function checkpoint(): void {
  try {
    database?.checkpointIfDue();
  } catch { /* see above */ }
}

/** Closes the connection; the next write opens another. */
function abandon(): void {
  const closing = database;
  database = null;
  try {
    closing?.close();
  } catch { /* it was broken before */ }
}

/** Checkpoints and closes. If that fails nothing is lost: the next start reads the log. */
function close(): void {
  try {
    database?.checkpointAll();
  } catch { /* see above */ }
  abandon();
}
