/**
 * The store as the main thread sees it: questions to the store Worker, each with one answer.
 *
 * A Worker that is gone (an uncaught error, or without a word) makes the question fail and is
 * started again by the next write. One that is there and does not answer can only be ended with the
 * process (`terminate()` does not stop a Worker inside a call): that is reported as hung.
 */

import { CollectorError } from "../errors.ts";
import type { ExportPoint, ExportPointStore, PointOutcome } from "../export_point.ts";
import type { RetentionPolicy, RetentionState } from "../retention.ts";
import type {
  Batch,
  DeadLetterPage,
  DeadLetterStore,
  IdRange,
  Receipt,
  ReceiptState,
  Store,
  StoredDeadLetter,
  StoreEvents,
  StoreOpened,
  StoreSize,
  WriteOutcome,
} from "../store.ts";
import { whenLetGo } from "./alive_lock.ts";
import { databaseSize } from "./files.ts";
import type { KeepOptions } from "./keep_options.ts";
import type { Before, Numbered, StoreAnswer, StoreEvent, StoreQuestion } from "./messages.ts";
import type { Finding } from "./verify.ts";

/** How the store is run. */
export interface WorkerStoreOptions {
  /** What the Worker is to know. */
  readonly keep: KeepOptions;
  /** How long the Worker may take for one answer before it counts as hung, in ms. */
  readonly hangMs: number;
  /** Told once, if the Worker hangs. */
  readonly onHang: (error: CollectorError) => void;
  /** Told each time the Worker is gone without being asked to end. */
  readonly onGone: (reason: string) => void;
  /** The Worker's module; tests give one with faults. */
  readonly workerUrl?: string;
}

const GONE = Symbol("gone");
/** In the bundle every file is the same one, which starts as the Worker that it is named: `docs/deploy/bundle.ts`. */
const WORKER_URL = import.meta.url.endsWith(".ts")
  ? new URL("./worker.ts", import.meta.url).href
  : import.meta.url;
const RESTART_MS = 1000;
const ANSWER_READ_MS_MAX = 1000;
const VERIFY_MS_MAX = 24 * 3_600_000;

/** See the head of this file. */
export class WorkerStore implements Store, DeadLetterStore, ExportPointStore {
  readonly #options: WorkerStoreOptions;
  #keep: KeepOptions;
  #events: StoreEvents | null = null;
  /** What the Workers so far had; null before the first told. */
  #before: Before | null = null;
  #retention: RetentionState | null = null;
  /** Events that retention removed in Workers before this one. */
  #removedBefore = 0;
  #isClosing = false;
  #restarting: ReturnType<typeof setTimeout> | undefined;
  #worker: StoreWorker | null = null;
  #opened: Promise<StoreAnswer | typeof GONE> = Promise.resolve(GONE);
  #starts = 0;

  /** Starts nothing: {@linkcode WorkerStore.open} does. */
  constructor(options: WorkerStoreOptions) {
    this.#options = options;
    this.#keep = options.keep;
  }

  /** How often the Worker was started again, since the one before it was gone. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** See {@linkcode Store.open}. */
  async open(events: StoreEvents): Promise<StoreOpened> {
    this.#events = events;
    this.#opened = this.#start();
    const answer = await this.#opened;
    if (answer === GONE) {
      throw new CollectorError("database-open", "The store Worker ended while it started.", {
        hint: "The lines before this one say why. If none do, please report it.",
      });
    }
    if (answer.kind === "opened" && answer.opened !== null) {
      this.#before = { known: answer.known, seed: answer.opened.seed };
      return answer.opened;
    }
    if (answer.kind !== "open-failed") throw new TypeError(`Unexpected answer: ${answer.kind}`);
    const worker = this.#worker;
    if (worker !== null) worker.ending = true; // it ends by itself
    await worker?.gone;
    throw new CollectorError(answer.code, answer.message, { hint: answer.hint });
  }

  /** See {@linkcode Store.write}. */
  async write(batch: Batch): Promise<WriteOutcome> {
    if (this.#worker === null) this.#opened = this.#start();
    const opened = await this.#opened; // a batch must not overtake the one that starts the Worker
    if (opened !== GONE && opened.kind === "open-failed") {
      return { kind: "failed", reason: opened.message };
    }
    const answer = await this.#ask({ kind: "write", batch });
    if (answer === GONE) return { kind: "failed", reason: "the store Worker ended" };
    if (answer.kind !== "written") throw new TypeError(`Unexpected answer: ${answer.kind}`);
    return answer.outcome;
  }

  /** See {@linkcode Store.receipt}. */
  async receipt(receipt: Receipt): Promise<ReceiptState | null> {
    const answer = await this.#ask({ kind: "receipt", receipt });
    return answer !== GONE && answer.kind === "receipt" ? answer.state : null;
  }

  /** See {@linkcode DeadLetterStore.deadLetters}. */
  async deadLetters(page: DeadLetterPage): Promise<readonly StoredDeadLetter[] | null> {
    const answer = await this.#ask({ kind: "dead-letters", page });
    return answer !== GONE && answer.kind === "dead-letters" ? answer.letters : null;
  }

  /** See {@linkcode DeadLetterStore.removeDeadLetters}. */
  async removeDeadLetters(ids: IdRange): Promise<number | null> {
    const answer = await this.#ask({ kind: "remove-dead-letters", ids });
    return answer !== GONE && answer.kind === "dead-letters-removed" ? answer.count : null;
  }

  /** See {@linkcode ExportPointStore.exportPoints}. */
  async exportPoints(): Promise<readonly ExportPoint[] | null> {
    const answer = await this.#ask({ kind: "export-points" });
    return answer !== GONE && answer.kind === "export-points" ? answer.points : null;
  }

  /** See {@linkcode ExportPointStore.setExportPoint}. */
  async setExportPoint(name: string, id: number): Promise<PointOutcome | null> {
    const answer = await this.#ask({ kind: "set-export-point", name, id });
    return answer !== GONE && answer.kind === "export-point-set" ? answer.outcome : null;
  }

  /** See {@linkcode ExportPointStore.removeExportPoint}. */
  async removeExportPoint(name: string): Promise<boolean | null> {
    const answer = await this.#ask({ kind: "remove-export-point", name });
    return answer !== GONE && answer.kind === "export-point-removed" ? answer.wasThere : null;
  }

  /** Keeps events for so long from now on. */
  async retain(policy: RetentionPolicy): Promise<void> {
    this.#keep = { ...this.#keep, retention: policy }; // for the next Worker, if this one is gone
    await this.#ask({ kind: "retain", policy });
  }

  /** Where retention stands, as it told last; null before that. Waits for nothing. */
  get retention(): RetentionState | null {
    return this.#retention;
  }

  /** See {@linkcode Store.size}. */
  size(): Promise<StoreSize> {
    return databaseSize(this.#options.keep.path);
  }

  /** See {@linkcode Store.close}. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#restarting);
    const worker = this.#worker;
    if (worker === null) return;
    worker.ending = true;
    await this.#ask({ kind: "close" });
    await worker.gone;
    this.#worker = null;
  }

  /** Starts a Worker and has it open the database. The first ends if its database does not open. */
  #start(): Promise<StoreAnswer | typeof GONE> {
    const { workerUrl, hangMs, onHang } = this.#options;
    this.#starts++;
    this.#removedBefore = this.#retention?.removedThisRun ?? 0;
    const worker = this.#worker = new StoreWorker(
      workerUrl ?? WORKER_URL,
      {
        onGone: (reason) => {
          if (this.#worker === worker) this.#worker = null;
          if (worker.ending) return;
          this.#options.onGone(reason);
          // What is in the journal must go on into the database, also if no batch comes.
          if ((this.#before?.known.state.journaled ?? 0) > 0) {
            this.#restarting = setTimeout(() => this.#restart(), RESTART_MS);
          }
        },
        onEvent: (event) => this.#onEvent(event),
        hangMs,
        onHang: () => onHang(hung(hangMs)),
      },
    );
    return this.#ask({ kind: "open", options: this.#keep, before: this.#before });
  }

  #restart(): void {
    if (this.#worker === null && !this.#isClosing) this.#opened = this.#start();
  }

  #onEvent(event: StoreEvent | StoreAnswer): void {
    if (event.kind === "notice") this.#events?.notice(event.text);
    else if (event.kind === "retention") {
      const removedThisRun = this.#removedBefore + event.state.removedThisRun;
      this.#retention = { ...event.state, removedThisRun };
    } else if (event.kind === "known" || event.kind === "written") {
      if (this.#before !== null) this.#before = { ...this.#before, known: event.known };
      this.#events?.state(event.known.state);
    }
  }

  async #ask(question: StoreQuestion): Promise<StoreAnswer | typeof GONE> {
    return await this.#worker?.ask(question) ?? GONE;
  }
}

/**
 * Audits a database that nobody uses, in a Worker of its own.
 *
 * @throws {CollectorError} if there is no database of this program at the path.
 */
export async function verifyDatabase(path: string): Promise<readonly Finding[]> {
  const worker = new StoreWorker(WORKER_URL, {
    onGone: () => {},
    onEvent: () => {},
    hangMs: VERIFY_MS_MAX,
    onHang: () => worker.terminate(),
  });
  const answer = await worker.ask({ kind: "verify", path });
  if (answer !== GONE && answer.kind === "verified") return answer.findings;
  if (answer !== GONE && answer.kind === "open-failed") {
    throw new CollectorError(answer.code, answer.message, { hint: answer.hint });
  }
  throw new CollectorError("database-open", `Cannot read ${path}.`, {
    hint: "Check that the file can be read and written by this user.",
  });
}

function hung(hangMs: number): CollectorError {
  return new CollectorError("store-hung", `The store gave no answer for ${hangMs} ms.`, {
    hint: "Restart the collector. Check the disk; on a slow one raise --store-timeout-ms.",
  });
}

interface StoreWorkerOptions {
  readonly onGone: (reason: string) => void;
  readonly onEvent: (event: StoreEvent | StoreAnswer) => void;
  readonly hangMs: number;
  readonly onHang: () => void;
}

/** One life of the Worker. */
class StoreWorker {
  /** Resolves when it is gone, however it went. */
  readonly gone: Promise<void>;
  /** Resolves when it listens, or is gone: Deno drops a message that comes while it still loads. */
  readonly ready: Promise<void>;
  /** Whether it was asked to end. */
  ending = false;
  readonly #worker: Worker;
  readonly #setGone: (reason: string) => void;
  /** Who waits for an answer, by the number of the question, the oldest first. */
  readonly #waiting = new Map<number, (answer: StoreAnswer | typeof GONE) => void>();
  #asked = 0;
  readonly #options: StoreWorkerOptions;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #isGone = false;

  constructor(url: string, options: StoreWorkerOptions) {
    this.#options = options;
    const gone = Promise.withResolvers<void>();
    this.gone = gone.promise;
    this.#setGone = (reason) => {
      if (this.#isGone) return;
      this.#isGone = true;
      clearTimeout(this.#watchdog);
      gone.resolve();
      options.onGone(reason);
      for (const resolve of this.#waiting.values()) resolve(GONE);
      this.#waiting.clear();
    };
    const ready = Promise.withResolvers<void>();
    this.ready = Promise.race([ready.promise, this.gone]);
    const name = `firehouse-store-${crypto.randomUUID()}`;
    this.#worker = new Worker(url, { type: "module", name });
    // It holds the lock of its name while it is alive: it may end without an event.
    ready.promise.then(() => whenLetGo(name)).then(() =>
      this.#setGone("it ended without an error")
    );
    this.#worker.onmessage = ({ data }: MessageEvent<Numbered<StoreAnswer | StoreEvent>>) => {
      const { number, content } = data;
      if (content.kind === "ready") return ready.resolve();
      options.onEvent(content);
      const resolve = this.#waiting.get(number);
      this.#waiting.delete(number);
      this.#watch();
      const { kind } = content;
      if (kind !== "known" && kind !== "notice" && kind !== "retention") resolve?.(content);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault(); // without it the process would end with the Worker
      this.#setGone(event.message);
    };
  }

  async ask(question: StoreQuestion): Promise<StoreAnswer | typeof GONE> {
    await this.ready;
    if (this.#isGone) return GONE;
    return await new Promise((resolve) => {
      const number = ++this.#asked;
      this.#waiting.set(number, resolve);
      if (this.#waiting.size === 1) this.#watch();
      this.#worker.postMessage({ number, content: question } satisfies Numbered<StoreQuestion>);
    });
  }

  /** Gives the oldest question its time from now on. */
  #watch(): void {
    clearTimeout(this.#watchdog);
    if (this.#waiting.size === 0) return;
    const { hangMs, onHang } = this.#options;
    // After a pause of the whole process the answer may be here, and only not read yet.
    this.#watchdog = setTimeout(() => {
      this.#watchdog = setTimeout(onHang, Math.min(hangMs, ANSWER_READ_MS_MAX));
    }, hangMs);
  }

  terminate(): void {
    this.ending = true;
    this.#worker.terminate();
  }
}
