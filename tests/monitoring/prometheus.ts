/** Prometheus' own programs, of Debian's package `prometheus`. */

/** What is missing of them, for the names of tests; empty if nothing is. */
export const MISSING: string = isThere("promtool") && isThere("prometheus")
  ? ""
  : " (skipped: no promtool, apt-get install prometheus)";

/** Whether tests that need them are to be skipped. */
export const ignore: boolean = MISSING !== "";

const START_MS_MAX = 20_000;

/** Runs promtool, with a text on its stdin; throws what it says if it finds something wrong. */
export async function promtool(args: readonly string[], stdin = ""): Promise<string> {
  const process = new Deno.Command("promtool", {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { success, stdout, stderr } = await process.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`promtool ${args.join(" ")}:\n${out}${err}`);
  return `${out}${err}`;
}

/** What an instant query gave. */
export interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A running Prometheus on a free port, with its data in a folder of its own. */
export class Prometheus implements AsyncDisposable {
  readonly url: string;
  readonly #process: Deno.ChildProcess;
  readonly #folder: string;

  private constructor(url: string, process: Deno.ChildProcess, folder: string) {
    this.url = url;
    this.#process = process;
    this.#folder = folder;
  }

  /** Starts one with this configuration, and files beside it. */
  static async start(
    config: string,
    files: Readonly<Record<string, string>> = {},
  ): Promise<Prometheus> {
    const folder = Deno.makeTempDirSync({ prefix: "firehouse-prometheus-" });
    for (const [name, text] of Object.entries({ ...files, "prometheus.yml": config })) {
      Deno.writeTextFileSync(`${folder}/${name}`, text);
    }
    const port = freePort(), url = `http://127.0.0.1:${port}`;
    const process = new Deno.Command("prometheus", {
      args: [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=error",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const prometheus = new Prometheus(url, process, folder);
    for (const endMs = Date.now() + START_MS_MAX; !await isReady(url);) {
      if (Date.now() > endMs) {
        await prometheus[Symbol.asyncDispose]();
        throw new Error("Prometheus did not start");
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return prometheus;
  }

  /** The result of a query now; throws if Prometheus does not understand it. */
  async query(query: string): Promise<readonly QueryResult[]> {
    const answer = await fetch(`${this.url}/api/v1/query?${new URLSearchParams({ query })}`);
    const { status, error, data } = await answer.json();
    if (status !== "success") throw new Error(`${query}: ${error}`);
    return data.result.map((
      { metric, value }: { metric: Record<string, string>; value: [number, string] },
    ) => ({ metric, value: Number(value[1]) }));
  }

  /** Stops it and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/-/ready`);
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

/** Prometheus can not pick one itself and tell. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function isThere(program: string): boolean {
  try {
    const { success } = new Deno.Command(program, {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success;
  } catch {
    return false;
  }
}
