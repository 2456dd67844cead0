/** The program as it was built, in one file: started in an empty folder, with nothing beside it. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { event } from "./collector_process.ts";
import { storedEvents } from "./rows.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** Building may try to download something, which is not to be waited for where there is no network. */
const BUILD_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 20_000;
const MIB = 1024 * 1024;

/** What came of a build. */
export interface Built {
  readonly success: boolean;
  readonly output: string;
}

/** Runs the commands of a task that builds, with all it makes and takes of that in a folder. */
export async function build(
  task: "bundle" | "compile",
  folder: string,
  env: Record<string, string> = {},
): Promise<Built> {
  let output = "";
  for (const command of config.tasks[task].command.split(" && ")) {
    const [program, ...args] = command.split(" ");
    equal(program, "deno");
    const moved = args.map((arg) => /^firehouse(\.js)?$/.test(arg) ? `${folder}/${arg}` : arg);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: moved,
      cwd: ROOT,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      signal: AbortSignal.timeout(BUILD_TIMEOUT_MS),
    }).output();
    const decoder = new TextDecoder();
    output += decoder.decode(stdout) + decoder.decode(stderr);
    if (!success) return { success, output };
  }
  return { success: true, output };
}

/** How a built program is started: program, arguments before its own, and where. */
export interface Start {
  readonly command: readonly [program: string, ...args: readonly string[]];
  /** Where it runs and stores. */
  readonly folder: string;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** A built program that collects. Dispose of it to kill it. */
class Running implements AsyncDisposable {
  output = "";
  readonly #process: Deno.ChildProcess;
  readonly #url = Promise.withResolvers<string>();
  readonly #reading: Promise<void>;

  constructor({ command: [program, ...args], folder, env }: Start) {
    this.#process = new Deno.Command(program, {
      args: [...args, "--port", "0", "--db", `${folder}/events.db`],
      cwd: folder,
      clearEnv: true,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  /** Where it listens. */
  async url(): Promise<string> {
    const timeout = setTimeout(
      () => this.#url.reject(new Error(`not started in time:\n${this.output}`)),
      START_TIMEOUT_MS,
    );
    return await this.#url.promise.finally(() => clearTimeout(timeout));
  }

  /** Ends it and gives its exit status. */
  async end(signal: Deno.Signal): Promise<number> {
    this.#process.kill(signal);
    const { code } = await this.#process.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.#process.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoderStream() as TransformStream<Uint8Array, string>;
    for await (const text of this.#process.stderr.pipeThrough(decoder)) {
      this.output += text;
      const url = /listening on (http:\/\/\S+?)[,"\s]/.exec(this.output)?.[1];
      if (url !== undefined) this.#url.resolve(url);
    }
    this.#url.reject(new Error(`it did not start:\n${this.output}`));
  }
}

/** Stores events, is killed, starts again, is asked for them and for its pages, and stops. */
export async function livesThrough(start: Start): Promise<void> {
  {
    await using first = new Running(start);
    const url = await first.url();
    for (const [mark, userId] of [["a", 42], ["b", 43]] as const) {
      const answer = await fetch(`${url}/event`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: new Blob([event(mark, userId)]),
      });
      equal(await answer.text(), '{"status":"accepted","stored":"committed"}', first.output);
    }
    await first.end("SIGKILL");
  }
  await using second = new Running(start);
  await answersAll(await second.url());
  equal(await second.end("SIGTERM"), 0, second.output);
  const stored = storedEvents(`${start.folder}/events.db`).map(({ metadata }) => metadata);
  deepEqual(stored, ['{"m":"a"}', '{"m":"b"}']);
}

/** What is loaded only when somebody asks for it is there too. */
async function answersAll(url: string): Promise<void> {
  const get = async (path: string, accept = "*/*") => {
    const answer = await fetch(url + path, { headers: { accept } });
    const bytes = await answer.bytes();
    equal(answer.status, 200, `${path}: ${new TextDecoder().decode(bytes)}`);
    return bytes;
  };
  const text = async (path: string, accept?: string) =>
    new TextDecoder().decode(await get(path, accept));
  const { events } = JSON.parse(await text("/events?user_id=42"));
  deepEqual(events.map(({ metadata }: { metadata: unknown }) => metadata), [{ m: "a" }]);
  equal(JSON.parse(await text("/series")).series[0].total, 2);
  equal((await text("/export?format=csv")).trimEnd().split("\n").length, 3);
  const parquet = await text("/export?format=parquet");
  ok(parquet.startsWith("PAR1") && parquet.endsWith("PAR1"), "the export is no Parquet");
  match(await text("/", "text/html"), /<!doctype html>/i);
  ok((await get("/dashboard/uplot.js")).length > 10_000);
  match(await text("/metrics"), /^# HELP /m);
  match(await text("/openapi.json"), /"openapi":"3\.1/);
  match(await text("/reference"), /API reference/);
  const protobuf = { method: "POST", headers: { "content-type": "application/x-protobuf" } };
  const logs = await fetch(`${url}/v1/logs`, { ...protobuf, body: new Blob([]) });
  equal(logs.status, 200, await logs.text());
  ok((await get("/stats")).length < MIB);
}
