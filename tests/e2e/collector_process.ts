/**
 * A real collector for the end-to-end tests: a process of its own, run with exactly the permissions
 * that `deno task start` ships with, on a free port and a database in a folder of its own.
 */

import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url).pathname;
const START_TIMEOUT_MS = 20_000;

/** The collector's account, gauges and quantiles as `GET /stats` gives them. */
export type StatsJson = Record<string, number> & {
  queue: Record<string, number>;
  refused_requests: Record<string, number>;
  damaged: Record<"journal_files" | "journal_bytes" | "databases", number>;
  last_commit_error: string | null;
};

/** How to start it. */
export interface CollectorProcessOptions {
  /** More flags, such as `["--queue-capacity", "10"]`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folder of the database; default: a new one that is removed in the end. */
  readonly folder?: string;
  /** A token that may read, where one is needed. */
  readonly token?: string;
  /** A command to run it under, such as `["prlimit", "--nofile=64"]`. */
  readonly under?: readonly string[];
}

/** The permission flags of the `start` task. */
export function shippedPermissions(): string[] {
  return config.tasks.start.command.split(" ").filter((word) => word.startsWith("--"));
}

/** A running collector. Dispose of it to kill it and remove its folder. */
export class CollectorProcess implements AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:41234`. */
  url = "";
  readonly folder: string;
  readonly database: string;
  readonly process: Deno.ChildProcess;
  /** What it has written to stderr so far. */
  output = "";
  readonly #ownsFolder: boolean;
  readonly #headers: Record<string, string>;
  readonly #reading: Promise<void>;
  #started = Promise.withResolvers<void>();
  #exited = false;

  private constructor(options: CollectorProcessOptions) {
    this.#ownsFolder = options.folder === undefined;
    this.#headers = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
    this.folder = options.folder ?? Deno.makeTempDirSync({ prefix: "firehouse-" });
    this.database = `${this.folder}/events.db`;
    const collector = [Deno.execPath(), "run", ...shippedPermissions(), "main.ts"];
    const flags = ["--port", "0", "--db", this.database, ...options.args ?? []];
    const [program = "", ...rest] = [...options.under ?? [], ...collector, ...flags];
    this.process = new Deno.Command(program, {
      args: rest,
      cwd: ROOT,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      env: { NO_COLOR: "1", ...options.env },
    }).spawn();
    this.#reading = this.#read();
    this.process.status.then(() => this.#exited = true);
  }

  /** Starts one and waits until it listens. Throws with its output if it does not. */
  static async start(options: CollectorProcessOptions = {}): Promise<CollectorProcess> {
    const collector = new CollectorProcess(options);
    const timeout = setTimeout(() => collector.kill("SIGKILL"), START_TIMEOUT_MS);
    try {
      await collector.#started.promise;
    } catch (error) {
      await collector[Symbol.asyncDispose]();
      throw error;
    } finally {
      clearTimeout(timeout);
    }
    return collector;
  }

  /** Runs one that is expected to refuse to start, and gives its exit status and output. */
  static async refused(
    options: CollectorProcessOptions,
  ): Promise<{ code: number; output: string }> {
    const collector = new CollectorProcess(options);
    collector.#started.promise.then(() => collector.kill("SIGKILL"), () => {});
    const { code } = await collector.process.status;
    await collector[Symbol.asyncDispose]();
    return { code, output: collector.output };
  }

  /** Sends it a signal, if it still runs. */
  kill(signal: Deno.Signal): void {
    if (this.#exited) return;
    try {
      this.process.kill(signal);
    } catch { /* it has just ended */ }
  }

  /** Asks it to stop, waits until it has, and gives its exit status. Then `output` is complete. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.kill(signal);
    const { code } = await this.process.status;
    await this.#reading;
    return code;
  }

  /** `GET /stats`. */
  async stats(): Promise<StatsJson> {
    return await (await fetch(`${this.url}/stats`, { headers: this.#headers })).json();
  }

  /** Waits until `GET /stats` is as wished; throws after `timeoutMs`. */
  async until(
    wish: (stats: StatsJson) => boolean,
    timeoutMs = 30_000,
  ): Promise<StatsJson> {
    const endMs = Date.now() + timeoutMs;
    for (;;) {
      const stats = await this.stats();
      if (wish(stats)) return stats;
      if (Date.now() > endMs) throw new Error(`not so in time: ${JSON.stringify(stats)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Waits until it has written this to stderr; throws after 20 s. */
  async untilOutput(expected: RegExp): Promise<void> {
    const endMs = Date.now() + 20_000;
    while (!expected.test(this.output)) {
      if (Date.now() > endMs) throw new Error(`no ${expected} in:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Waits until everything accepted is committed or a dead letter. */
  settled(timeoutMs?: number): Promise<StatsJson> {
    return this.until(
      ({ queued, in_flight, journaled }) => queued === 0 && in_flight === 0 && journaled === 0,
      timeoutMs,
    );
  }

  /** Posts a body and reads the whole answer. */
  async post(
    path: string,
    body: BodyInit,
    headers: Record<string, string> = { "content-type": "application/json" },
  ): Promise<{ status: number; headers: Headers; text: string }> {
    const response = await fetch(this.url + path, { method: "POST", body, headers });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.process.status;
    await this.#reading;
    if (this.#ownsFolder) await Deno.remove(this.folder, { recursive: true });
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoderStream();
    const lines = this.process.stderr.pipeThrough(decoder as TransformStream<Uint8Array, string>);
    for await (const text of lines) {
      this.output += text;
      const url = /listening on (https?:\/\/\S+?)[,"\s]/.exec(this.output)?.[1];
      if (url !== undefined && this.url === "") {
        this.url = url;
        this.#started.resolve();
      }
    }
    this.#started.reject(new Error(`the collector did not start:\n${this.output}`));
  }
}

/** A valid event with a mark of the caller's in its metadata. */
export function event(mark: unknown, userId = 1): string {
  const metadata = JSON.stringify(mark);
  return `{"user_id":${userId},"timestamp":"2026-11-24T11:03:40.123Z","metadata":{"m":${metadata}}}`;
}
