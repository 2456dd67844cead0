/**
 * The store as the main thread sees it: questions to the store Worker, each with one answer.
 *
 * A Worker that is gone (an uncaught error, or without a word) makes the question fail and is
 * started again by the next write. One that is there and does not answer can only be ended with the
 * process (`terminate()` does not stop a Worker inside a call): that is reported as hung.
 */

import { CollectorError } from "../errors.ts";
import type { Batch, Store, StoreOpened, StoreSize, WriteOutcome } from "../store.ts";
import { whenLetGo } from "./alive_lock.ts";
import type { DatabaseOptions } from "./database.ts";
import { databaseSize } from "./files.ts";
import type { Numbered, StoreAnswer, StoreQuestion } from "./messages.ts";

/** How the store is run. */
export interface WorkerStoreOptions extends Omit<DatabaseOptions, "run"> {
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

/** See the head of this file. */
export class WorkerStore implements Store {
  readonly #options: WorkerStoreOptions;
  readonly #run = crypto.randomUUID();
  #worker: StoreWorker | null = null;
  #opened: Promise<StoreAnswer | typeof GONE> = Promise.resolve(GONE);

  /** Starts nothing: {@linkcode WorkerStore.open} does. */
  constructor(options: WorkerStoreOptions) {
    this.#options = options;
  }

  /** See {@linkcode Store.open}. */
  async open(): Promise<StoreOpened> {
    this.#opened = this.#start(true);
    const answer = await this.#opened;
    if (answer === GONE) {
      throw new CollectorError("database-open", "The store Worker ended while it started.", {
        hint: "The lines before this one say why. If none do, please report it.",
      });
    }
    if (answer.kind === "opened") return { lastBatch: answer.lastBatch };
    if (answer.kind !== "open-failed") throw new TypeError(`Unexpected answer: ${answer.kind}`);
    this.#worker?.terminate();
    this.#worker = null;
    throw new CollectorError(answer.code, answer.message, { hint: answer.hint });
  }

  /** See {@linkcode Store.write}. */
  async write(batch: Batch): Promise<WriteOutcome> {
    if (this.#worker === null) this.#opened = this.#start(false);
    await this.#opened; // a batch must not overtake the one that has the Worker started again
    const answer = await this.#ask({ kind: "write", batch });
    if (answer === GONE) return { kind: "failed", reason: "the store Worker ended" };
    if (answer.kind !== "written") throw new TypeError(`Unexpected answer: ${answer.kind}`);
    return answer.outcome;
  }

  /** See {@linkcode Store.size}. */
  size(): Promise<StoreSize> {
    return databaseSize(this.#options.path);
  }

  /** See {@linkcode Store.close}. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    worker.ending = true;
    await this.#ask({ kind: "close" });
    await worker.gone;
    this.#worker = null;
  }

  /**
   * Starts a Worker and has it open the database. One whose database does not open is kept: it
   * opens it when it is asked to write.
   */
  #start(isFirst: boolean): Promise<StoreAnswer | typeof GONE> {
    const { path, synchronous, openTimeoutMs, workerUrl, hangMs, onHang } = this.#options;
    const worker = this.#worker = new StoreWorker(
      workerUrl ?? new URL("./worker.ts", import.meta.url).href,
      {
        onGone: (reason) => {
          if (this.#worker === worker) this.#worker = null;
          if (!worker.ending) this.#options.onGone(reason);
        },
        hangMs,
        onHang: () => onHang(hung(hangMs)),
      },
    );
    const options = { path, synchronous, openTimeoutMs, run: this.#run };
    return this.#ask({ kind: "open", options, isFirst });
  }

  async #ask(question: StoreQuestion): Promise<StoreAnswer | typeof GONE> {
    return await this.#worker?.ask(question) ?? GONE;
  }
}

function hung(hangMs: number): CollectorError {
  return new CollectorError("store-hung", `The store gave no answer for ${hangMs} ms.`, {
    hint: "Restart the collector. Check the disk; on a slow one raise --store-timeout-ms.",
  });
}

interface StoreWorkerOptions {
  readonly onGone: (reason: string) => void;
  readonly hangMs: number;
  readonly onHang: () => void;
}

/** One life of the Worker. */
class StoreWorker {
  /** Resolves when it is gone, however it went. */
  readonly gone: Promise<void>;
  /** Resolves when it listens, or is gone: Deno drops a message that comes while it still loads. */
  readonly ready: Promise<unknown>;
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
    this.ready = new Promise((resolve) => this.#waiting.set(0, resolve));
    const name = `firehouse-store-${crypto.randomUUID()}`;
    this.#worker = new Worker(url, { type: "module", name });
    // It holds the lock of its name while it is alive: it may end without an event.
    this.ready.then(() => whenLetGo(name)).then(() => this.#setGone("it ended without an error"));
    this.#worker.onmessage = ({ data }: MessageEvent<Numbered<StoreAnswer>>) => {
      const resolve = this.#waiting.get(data.number);
      this.#waiting.delete(data.number);
      this.#watch();
      resolve?.(data.content);
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
    this.#watchdog = setTimeout(this.#options.onHang, this.#options.hangMs);
  }

  terminate(): void {
    this.ending = true;
    this.#worker.terminate();
  }
}
