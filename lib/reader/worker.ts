/**
 * The reader Worker: owns the read-only connections and the index. It runs with a low priority, so
 * that what is asked of it takes the time that catching events leaves.
 */

/// <reference lib="deno.worker" />

import { setPriority } from "node:os";
import { LogGate } from "../log_gate.ts";
import { Allowance } from "./allowance.ts";
import { backUp } from "./backing_up.ts";
import { checkCopy } from "./checking.ts";
import { type Count, countSeries, countTop } from "./counting.ts";
import type { EventSource } from "./event_source.ts";
import { storedIds } from "./event_source.ts";
import { encoderOf } from "./encoders.ts";
import { ExportRun } from "./export_run.ts";
import { findEvent, findNews, findPage } from "./finding.ts";
import type { ReaderAnswer, ReaderOptions, ReaderQuestion } from "./messages.ts";
import { OpenSource } from "./open_source.ts";
import { type Turn, Turns } from "./turns.ts";

/** Linux gives a thread of this nice value 1/28 of the time that one of 0 gets, and all idle time. */
const NICE = 15;
const REST_MAX_MS = 2000;
const TELL_MS = 500;
/** What a look of a tail may take; what it did not get to is passed over, and told. */
const TAIL_MS_MAX = 1000;
/** An export that nobody asked on for so long is given up, in ms. */
const EXPORT_IDLE_MS = 10 * 60_000;

let options: ReaderOptions;
let source: OpenSource;
let turns: Turns;
let allowance: Allowance;
/** The index has half of what may be worked; a tenth without a low priority of the thread. */
let indexShare = 0.1;
let toldMs = -Infinity;
const exports = new Map<number, { run: ExportRun; usedMs: number }>();

interface Asked {
  readonly number: number;
  readonly content: ReaderQuestion;
}

self.onmessage = ({ data: { number, content: question } }: MessageEvent<Asked>) => {
  switch (question.kind) {
    case "open":
      return open(question.options);
    case "page":
      return count(
        number,
        (from) => findPage(from, question.query),
        (page) => ({ kind: "page", page }),
      );
    case "series":
      return count(
        number,
        (from) => countSeries(from, question.query),
        (series) => ({ kind: "series", series }),
      );
    case "top":
      return count(
        number,
        (from) => countTop(from, question.query),
        (top) => ({ kind: "top", top }),
      );
    case "event":
      return once(number, (from) => ({ kind: "event", json: findEvent(from, question.id) }));
    case "tail":
      return count(
        number,
        (from) => findNews(from, question.query),
        (news) => ({ kind: "tail", news }),
        Math.min(TAIL_MS_MAX, options.budgetMs),
      );
    case "state":
      return once(number, state);
    case "export":
      return void beginExport(number, question);
    case "export-next":
      return nextChunk(number, question.export);
    case "backup":
      return void backUp(options.path, question.to).then((backup) =>
        answer(number, { kind: "backed-up", backup })
      );
    case "check":
      return answer(number, { kind: "checked", checked: checkCopy(question.path) });
    case "cancel":
      turns.cancel(question.asked);
      return void exports.delete(question.asked);
    case "close":
      turns.close();
      source.close();
      answer(number, { kind: "closed" });
      return self.close();
  }
};
self.postMessage({ number: 0, content: { kind: "ready" } });

function answer(number: number, content: ReaderAnswer): void {
  const transfer = content.kind === "chunk" ? [content.chunk.bytes.buffer] : [];
  self.postMessage({ number, content }, transfer);
}

function open(given: ReaderOptions): void {
  options = given;
  try {
    setPriority(0, NICE); // of this thread alone: 0 is the caller, and Linux counts threads
    indexShare = 0.5;
  } catch { /* not allowed, or not Linux */ }
  const gate = given.gate === undefined ? null : new LogGate(given.gate);
  source = new OpenSource(given);
  allowance = new Allowance();
  turns = new Turns({
    step: () => {
      forgetExports();
      try {
        tellState();
        return source.indexSome();
      } catch (error) {
        source.failed(error); // it is tried again, soon
        return false;
      }
    },
    pass: () => gate?.pass() ?? Promise.resolve(),
    restMs: (workedMs) =>
      Math.min(REST_MAX_MS, workedMs / (allowance.share * indexShare) - workedMs),
    turnRestMs: (workedMs) => allowance.restMs(workedMs),
  });
}

/**
 * Answers by a count or search that goes on step by step until it is done or the time is up. If what
 * is read was opened anew meanwhile, it is begun again: what it holds is of the one before.
 */
function count<Result>(
  number: number,
  begin: (from: EventSource) => Count<Result>,
  content: (result: Result) => ReaderAnswer,
  budgetMs: number = options.budgetMs,
): void {
  let begun: Count<Result> | null = null;
  let of: EventSource | null = null;
  take(number, budgetMs, {
    step: () => {
      const from = source.get();
      if (begun === null || of !== from) begun = begin(of = from);
      if (!begun.isDone) begun.step();
      return begun.isDone;
    },
    content: () => content((begun as Count<Result>).result()),
  });
}

/** Answers at once. */
function once(number: number, work: (from: EventSource) => ReaderAnswer): void {
  let content: ReaderAnswer | null = null;
  take(number, Infinity, {
    isQuick: true,
    step: () => {
      content = work(source.get());
      return true;
    },
    content: () => content as ReaderAnswer,
  });
}

async function beginExport(
  number: number,
  { query }: Extract<ReaderQuestion, { readonly kind: "export" }>,
): Promise<void> {
  try {
    const encoder = await encoderOf(query.format);
    const run = new ExportRun(source.get(), query, encoder);
    exports.set(number, { run, usedMs: performance.now() });
    nextChunk(number, number);
  } catch (error) {
    failed(number, error);
  }
}

function nextChunk(number: number, name: number): void {
  const found = exports.get(name);
  if (found === undefined) return failed(number, new Error("the export was given up"));
  found.usedMs = performance.now();
  take(number, options.budgetMs, {
    step: () => found.run.step(source.get()),
    content: () => {
      const chunk = found.run.chunk();
      if (chunk.isLast) exports.delete(name);
      return { kind: "chunk", export: name, chunk };
    },
  });
}

function take(
  number: number,
  budgetMs: number,
  { step, content, isQuick = false }: Pick<Turn, "step" | "isQuick"> & {
    readonly content: () => ReaderAnswer;
  },
): void {
  let isAgain = false;
  turns.add(number, {
    step: () => {
      try {
        return step();
      } catch (error) { // once: a damaged index is thrown away by then, a database that was moved is opened
        if (isAgain) throw error;
        isAgain = true;
        source.failed(error);
        return false;
      }
    },
    answer: () => answer(number, content()),
    fail: (error) => failed(number, error),
    isQuick,
    endMs: performance.now() + budgetMs,
  });
}

function failed(number: number, error: unknown): void {
  source.failed(error);
  exports.delete(number); // one that did not even begin: nobody knows its name
  const reason = error instanceof Error ? error.message : String(error);
  answer(number, { kind: "failed", reason });
}

function state(from: EventSource): ReaderAnswer {
  const { last: lastId } = storedIds(from), { database } = from, { indexError } = source;
  const indexedBlocks = from.index?.blocks.length ?? 0;
  return { kind: "state", state: { lastId, database, indexedBlocks, indexError } };
}

/** Says now and then how it is, without being asked: who wants to know must not wait for it. */
function tellState(): void {
  if (performance.now() - toldMs < TELL_MS) return;
  toldMs = performance.now();
  answer(0, state(source.get()));
}

function forgetExports(): void {
  const since = performance.now() - EXPORT_IDLE_MS;
  for (const [name, { usedMs }] of exports) if (usedMs < since) exports.delete(name);
}
