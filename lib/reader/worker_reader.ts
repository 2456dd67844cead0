/**
 * The read side as the main thread sees it: questions to the reader Worker, each with one answer.
 *
 * Whatever happens there, events go on being caught: a Worker that is gone is started again by the
 * next question, one that hangs leaves questions without an answer until they time out.
 */

import type { PageQuery, SeriesQuery, TopQuery } from "../query.ts";
import type {
  BackedUp,
  EventPage,
  ExportChunk,
  ExportQuery,
  Reader,
  ReaderFailure,
  ReaderState,
  Series,
  TailNews,
  TailQuery,
  Top,
} from "../reader.ts";
import type { Checked } from "./checking.ts";
import type { ReaderAnswer, ReaderOptions, ReaderQuestion } from "./messages.ts";

/** How the reader is run. */
export interface WorkerReaderOptions extends ReaderOptions {
  /** Told each time the Worker is gone without being asked to end. */
  readonly onGone: (reason: string) => void;
  /** The Worker's module; tests give one with faults. */
  readonly workerUrl?: string;
}

/** Questions that wait for an answer at once, exports under way included. */
const QUESTIONS_MAX = 200;
/** How much longer than its budget a question may take: others have their turns too. */
const GRACE_MS = 30_000;
const CLOSE_MS_MAX = 5000;
/** In the bundle every file is the same one, which starts as the Worker that it is named: `docs/deploy/bundle.ts`. */
const WORKER_URL = import.meta.url.endsWith(".ts")
  ? new URL("./worker.ts", import.meta.url).href
  : import.meta.url;

/** See the head of this file. */
export class WorkerReader implements Reader {
  readonly #options: WorkerReaderOptions;
  #worker: ReaderWorker | null = null;
  #starts = 0;
  #lastState: ReaderState | null = null;
  #isClosed = false;

  /** Starts nothing: {@linkcode WorkerReader.start} or the first question does. */
  constructor(options: WorkerReaderOptions) {
    this.#options = options;
  }

  /** How often the Worker was started again, since the one before it was gone. */
  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** How it was a moment ago; null before it was known. */
  get lastState(): ReaderState | null {
    return this.#lastState;
  }

  /** Has the index built from now on. */
  start(): void {
    if (this.#isClosed || this.#worker !== null) return;
    const { workerUrl = WORKER_URL, onGone, ...options } = this.#options;
    this.#starts++;
    const onState = (state: ReaderState) => {
      this.#lastState = state;
    };
    const worker = this.#worker = new ReaderWorker(workerUrl, (reason) => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      onGone(reason);
    }, onState);
    worker.post(0, { kind: "open", options });
  }

  /** See {@linkcode Reader.page}. */
  async page(query: PageQuery): Promise<EventPage | ReaderFailure> {
    const answer = await this.#ask({ kind: "page", query });
    return typeof answer === "string" || answer.kind !== "page" ? failureOf(answer) : answer.page;
  }

  /** See {@linkcode Reader.event}. */
  async event(id: number): Promise<{ readonly json: string | null } | ReaderFailure> {
    const answer = await this.#ask({ kind: "event", id });
    return typeof answer === "string" || answer.kind !== "event" ? failureOf(answer) : answer;
  }

  /** See {@linkcode Reader.series}. */
  async series(query: SeriesQuery): Promise<Series | ReaderFailure> {
    const answer = await this.#ask({ kind: "series", query });
    return typeof answer === "string" || answer.kind !== "series"
      ? failureOf(answer)
      : answer.series;
  }

  /** See {@linkcode Reader.top}. */
  async top(query: TopQuery): Promise<Top | ReaderFailure> {
    const answer = await this.#ask({ kind: "top", query });
    return typeof answer === "string" || answer.kind !== "top" ? failureOf(answer) : answer.top;
  }

  /** See {@linkcode Reader.tail}. */
  async tail(query: TailQuery): Promise<TailNews | ReaderFailure> {
    const answer = await this.#ask({ kind: "tail", query });
    return typeof answer === "string" || answer.kind !== "tail" ? failureOf(answer) : answer.news;
  }

  /** See {@linkcode Reader.state}. */
  async state(): Promise<ReaderState | ReaderFailure> {
    const answer = await this.#ask({ kind: "state" });
    return typeof answer === "string" || answer.kind !== "state" ? failureOf(answer) : answer.state;
  }

  /** See {@linkcode Reader.export}. */
  async *export(query: ExportQuery): AsyncGenerator<ExportChunk, void> {
    this.start();
    const worker = this.#worker;
    let question: ReaderQuestion = { kind: "export", query };
    let begun: number | null = null;
    try {
      while (true) {
        const answer: ReaderAnswer | ReaderFailure = this.#worker === worker
          ? await this.#ask(question)
          : "unreadable";
        if (typeof answer === "string" || answer.kind !== "chunk") {
          throw new Error(`the export broke off: ${reasonOf(answer)}`);
        }
        begun = answer.export;
        yield answer.chunk;
        if (answer.chunk.isLast) return;
        question = { kind: "export-next", export: answer.export };
      }
    } finally {
      if (begun !== null && this.#worker === worker) {
        worker?.post(0, { kind: "cancel", asked: begun });
      }
    }
  }

  /** See {@linkcode Reader.backup}: in a Worker of its own, since it can take minutes. */
  async backup(path: string): Promise<BackedUp> {
    const { path: from, budgetMs, workerUrl } = this.#options;
    const opened = { path: from, indexing: "off", budgetMs } as const;
    const answer = await askAlone({ kind: "backup", to: path }, opened, workerUrl);
    return typeof answer !== "string" && answer.kind === "backed-up"
      ? answer.backup
      : { error: reasonOf(answer), bytes: 0, events: 0, lastId: 0 };
  }

  /** See {@linkcode Reader.close}. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = null;
    if (worker === null) return;
    await worker.ask({ kind: "close" }, CLOSE_MS_MAX);
    worker.terminate();
  }

  async #ask(question: ReaderQuestion): Promise<ReaderAnswer | ReaderFailure> {
    this.start();
    return await this.#worker?.ask(question, this.#options.budgetMs + GRACE_MS) ?? "unreadable";
  }
}

/** Reads all of a copy of a database that nobody uses, in a Worker of its own: see `checking.ts`. */
export async function checkDatabase(path: string): Promise<Checked> {
  const answer = await askAlone({ kind: "check", path }, null);
  return typeof answer !== "string" && answer.kind === "checked"
    ? answer.checked
    : { error: reasonOf(answer), events: 0, lastId: 0 };
}

/** Asks what may take minutes of a Worker that has no other question, and opens nothing for null. */
async function askAlone(
  question: ReaderQuestion,
  opened: ReaderOptions | null,
  workerUrl: string = WORKER_URL,
): Promise<ReaderAnswer | ReaderFailure> {
  const worker = new ReaderWorker(workerUrl, () => {});
  if (opened !== null) worker.post(0, { kind: "open", options: opened });
  try {
    return await worker.ask(question, Infinity);
  } finally {
    worker.terminate();
  }
}

function failureOf(answer: ReaderAnswer | ReaderFailure): ReaderFailure {
  return answer === "overloaded" ? answer : "unreadable";
}

function reasonOf(answer: ReaderAnswer | ReaderFailure): string {
  if (answer === "overloaded") return "too much is asked at once";
  if (answer === "unreadable") return "the database can not be read at present";
  return answer.kind === "failed" ? answer.reason : `the reader answered ${answer.kind}`;
}

/** One life of the Worker. */
class ReaderWorker {
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<void>();
  readonly #waiting = new Map<number, (answer: ReaderAnswer | ReaderFailure) => void>();
  #asked = 0;
  #isGone = false;

  constructor(
    url: string,
    onGone: (reason: string) => void,
    onState: (state: ReaderState) => void = () => {},
  ) {
    this.#worker = new Worker(url, { type: "module", name: "firehouse-reader" });
    this.#worker.onmessage = ({ data: { number, content } }) => {
      if (content.kind === "ready") return this.#ready.resolve();
      if (number === 0 && content.kind === "state") return onState(content.state);
      this.#waiting.get(number)?.(content);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault(); // without it the process would end with the Worker
      this.#gone();
      onGone(event.message);
    };
  }

  /** Says something that is not answered. */
  async post(number: number, content: ReaderQuestion): Promise<void> {
    await this.#ready.promise; // Deno drops a message that comes while the Worker still loads
    if (!this.#isGone) this.#worker.postMessage({ number, content });
  }

  async ask(question: ReaderQuestion, timeoutMs: number): Promise<ReaderAnswer | ReaderFailure> {
    if (this.#isGone) return "unreadable";
    if (this.#waiting.size >= QUESTIONS_MAX) return "overloaded";
    const number = ++this.#asked;
    const answered = Promise.withResolvers<ReaderAnswer | ReaderFailure>();
    this.#waiting.set(number, answered.resolve);
    const giveUp = () => {
      answered.resolve("unreadable");
      this.post(0, { kind: "cancel", asked: number });
    };
    const timer = Number.isFinite(timeoutMs) ? setTimeout(giveUp, timeoutMs) : undefined;
    try {
      this.post(number, question);
      return await answered.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(number);
    }
  }

  terminate(): void {
    this.#gone();
    this.#worker.terminate();
  }

  #gone(): void {
    this.#isGone = true;
    this.#ready.resolve();
    for (const resolve of this.#waiting.values()) resolve("unreadable");
  }
}
