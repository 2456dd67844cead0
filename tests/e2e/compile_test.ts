/** The single executable of `deno task compile`. */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { event } from "./collector_process.ts";
import { storedEvents } from "./rows.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** Compiling may try to download `denort`, which is not to be waited for where there is no network. */
const COMPILE_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 20_000;

Deno.test("the executable holds the program and its Worker, and runs by itself", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "firehouse-compile-" });
  try {
    const executable = `${folder}/firehouse`;
    let compiled = await compile(executable);
    const lacksRuntime = !compiled.success && /denort|download/i.test(compiled.output);
    // The result of this does not run, but what it holds is the same.
    if (lacksRuntime) compiled = await compile(executable, { DENORT_BIN: Deno.execPath() });
    ok(compiled.success, compiled.output);

    await t.step("main.ts, the Worker and the driver are embedded", () => {
      match(compiled.output, /─ main\.ts/);
      match(compiled.output, /─ worker\.ts|─ store\/\*/);
      match(compiled.output, /─ driver_node\.ts|─ sqlite\/\*/);
    });
    await t.step({
      name: lacksRuntime
        ? "SKIPPED: it is not run, because denort could not be downloaded from dl.deno.land"
        : "it stores an event and stops when asked to",
      ignore: lacksRuntime,
      fn: () => storesAnEvent(executable, folder),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Runs the command of the `compile` task with another output. */
async function compile(
  executable: string,
  env: Record<string, string> = {},
): Promise<{ success: boolean; output: string }> {
  const [program, ...args] = config.tasks.compile.command.split(" ");
  equal(program, "deno");
  const at = args.indexOf("--output") + 1;
  ok(at > 0, "the task names no output");
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: args.with(at, executable),
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    signal: AbortSignal.timeout(COMPILE_TIMEOUT_MS),
  }).output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function storesAnEvent(executable: string, folder: string): Promise<void> {
  const database = `${folder}/events.db`;
  await using child = new Deno.Command(executable, {
    args: ["--port", "0", "--db", database],
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(START_TIMEOUT_MS),
  }).spawn();
  let output = "", posted = false;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    output += text;
    const url = /listening on (http:\/\/\S+?)[,"\s]/.exec(output)?.[1];
    if (url === undefined || posted) continue;
    posted = true;
    const answer = await fetch(`${url}/event`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: event("compiled", 42),
    });
    equal(await answer.text(), '{"status":"accepted","stored":"committed"}');
    child.kill("SIGTERM");
  }
  equal((await child.status).code, 0, output);
  equal(storedEvents(database)[0]?.metadata, '{"m":"compiled"}', output);
}
