/** `firehouse tail`, as an operator types it: what it shows, and that nothing is lost over a restart. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event, type StatsJson } from "./collector_process.ts";
import { createTokens, firehouse, startFirehouse } from "./firehouse_command.ts";
import { LINES, TempFolder } from "./sending.ts";
import { until } from "./steady_sender.ts";

/** A tail that runs, what it has shown and told so far. */
class TailProcess implements AsyncDisposable {
  readonly process: Deno.ChildProcess;
  stdout = "";
  stderr = "";
  readonly #reading: Promise<unknown>;

  constructor(...flags: readonly string[]) {
    this.process = startFirehouse("tail", ...flags);
    this.#reading = Promise.all([
      this.#read(this.process.stdout, (text) => this.stdout += text),
      this.#read(this.process.stderr, (text) => this.stderr += text),
    ]);
  }

  /** The marks of the events it has shown. */
  get marks(): unknown[] {
    return this.stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line).metadata.m);
  }

  async shows(count: number): Promise<unknown[]> {
    await until(() => this.marks.length >= count, `${count} events; told: ${this.stderr}`);
    return this.marks;
  }

  /** Ends it by Ctrl-C, and gives its exit status. */
  async end(): Promise<number> {
    this.process.kill("SIGINT");
    const { code } = await this.process.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.process.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.process.status;
    await this.#reading;
  }

  async #read(from: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of from) take(decoder.decode(bytes, { stream: true }));
  }
}

/** Waits until the collector has a tail. */
async function followed(collector: CollectorProcess): Promise<void> {
  await collector.until((stats: StatsJson) =>
    (stats.tails as unknown as { open: number }).open === 1
  );
}

const send = (collector: CollectorProcess, mark: unknown, userId = 1) =>
  collector.post("/event", new Blob([event(mark, userId)]));

Deno.test("it shows events as they are stored, of a filter only those, and ends by Ctrl-C with 0", async () => {
  await using collector = await CollectorProcess.start();
  await send(collector, "before", 2);
  await using all = new TailProcess("--url", collector.url);
  await followed(collector);
  await send(collector, 1);
  deepEqual(await all.shows(1), [1]);
  await send(collector, "é\n\u001b[2J");
  deepEqual(await all.shows(2), [1, "é\n\u001b[2J"]);
  equal(await all.end(), 0, all.stderr);
  equal(all.stderr, "");

  await using some = new TailProcess("--url", collector.url, "--user-id", "2", "--last", "5");
  deepEqual(await some.shows(1), ["before"]);
  await send(collector, 3);
  await send(collector, 4, 2);
  deepEqual(await some.shows(2), ["before", 4]);
  equal(await some.end(), 0);
});

Deno.test("over kills and restarts of the collector it loses no event and repeats none", async () => {
  await using folder = new TempFolder();
  await using collectors = new AsyncDisposableStack();
  const start = async (...args: string[]) =>
    collectors.use(await CollectorProcess.start({ folder: folder.path, args }));
  let collector = await start();
  const { port } = new URL(collector.url);
  await using tail = new TailProcess("--url", collector.url);
  await followed(collector);
  for (const [round, signal] of (["SIGKILL", "SIGTERM", "SIGKILL"] as const).entries()) {
    // What is sent right before may be shown before or after.
    for (let i = 0; i < 3; i++) await send(collector, round * 4 + i);
    await collector.stop(signal);
    await until(() => /trying again in/.test(tail.stderr), "it tells that the collector is gone");
    collector = await start("--port", port);
    await send(collector, round * 4 + 3);
    deepEqual(await tail.shows(round * 4 + 4), Array.from({ length: round * 4 + 4 }, (_, i) => i));
    match(tail.stderr, /following again after event \d+/);
    if (signal === "SIGTERM") match(tail.stderr, /The tail was ended: The collector is stopping/);
    tail.stderr = "";
  }
  equal(await tail.end(), 0);
});

Deno.test("more than a tail shows at once: what it shows and what it tells it passed over is all", async () => {
  await using collector = await CollectorProcess.start();
  await using tail = new TailProcess("--url", collector.url);
  await followed(collector);
  const lines = Array.from({ length: 5000 }, (_, i) => event(i));
  equal((await collector.post("/events", lines.join("\n"), LINES)).status, 202);
  await until(() => tail.marks.includes(4999), "the newest is shown");
  equal(await tail.end(), 0);
  const skipped = [...tail.stderr.matchAll(/up to (\d+) events were passed over/g)]
    .reduce((sum, [, count]) => sum + Number(count), 0);
  ok(skipped > 0, tail.stderr);
  equal(tail.marks.length + skipped, 5000);
});

Deno.test("text is one line an event, also where stdout is no terminal", async () => {
  await using collector = await CollectorProcess.start();
  await send(collector, "a\u202eb", 7);
  await using tail = new TailProcess("--url", collector.url, "--last", "1", "--format", "text");
  await until(() => tail.stdout.endsWith("\n"), "a line");
  match(tail.stdout, /^\d{4}-\S+Z {2}native {2}- {2}7 {2}\{"m":"a\\u202eb"\}\n$/);
  equal(await tail.end(), 0);
});

Deno.test("it ends with 0 once nobody reads it any more", async () => {
  await using collector = await CollectorProcess.start();
  await send(collector, 1);
  const process = startFirehouse("tail", "--url", collector.url, "--last", "1");
  const reader = process.stdout.getReader();
  match(new TextDecoder().decode((await reader.read()).value), /"m":1/);
  await reader.cancel();
  await send(collector, 2);
  const stderr = await new Response(process.stderr).text();
  equal((await process.status).code, 0, stderr);
});

Deno.test("a refusal ends it with the reason and 69, a bad filter with 64", async () => {
  await using folder = new TempFolder();
  const { sender } = await createTokens(folder.database, { sender: [] });
  Deno.writeTextFileSync(`${folder.path}/token`, sender);
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const at = ["tail", "--url", collector.url], token = ["--token-file", `${folder.path}/token`];
  for (
    const [flags, code, says] of [
      [[], 69, /answered 401: .*token/i],
      [["--last", "1"], 69, /GET \/tail was answered 401/],
      [token, 69, /answered 403: .*read/],
      [["--where", "a[=1"], 64, /Expected where\[path\] to name a member/],
    ] as const
  ) {
    const ended = await firehouse(...at, ...flags);
    deepEqual([ended.code, ended.stdout], [code, ""], ended.stderr);
    match(ended.stderr, says);
  }
  await collector.stop();
  const none = await firehouse(...at);
  equal(none.code, 69);
  match(none.stderr, /No collector answers at/);
});
