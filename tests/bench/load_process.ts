/** The load generator as a process of its own, run as `deno task load` runs it. */

import config from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url).pathname;
const LOAD_TIMEOUT_MS = 90_000;
const PERMISSIONS = config.tasks.load.command.split(" ").filter((word) => word.startsWith("--"));

/** What is left of one. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A load generator under way; it is killed if it does not end. */
export class LoadProcess {
  readonly finished: Promise<Finished>;
  readonly #process: Deno.ChildProcess;
  #exited = false;

  constructor(url: string, args: readonly string[] = []) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", ...PERMISSIONS, "bench/load.ts", "--url", url, ...args],
      cwd: ROOT,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#process.status.then(() => this.#exited = true);
    this.finished = this.#finish();
  }

  /** Sends it a signal, if it still runs. */
  kill(signal: Deno.Signal): void {
    if (!this.#exited) this.#process.kill(signal);
  }

  async #finish(): Promise<Finished> {
    const timeout = setTimeout(() => this.kill("SIGKILL"), LOAD_TIMEOUT_MS);
    try {
      const { code, stdout, stderr } = await this.#process.output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, stdout: text(stdout), stderr: text(stderr) };
    } finally {
      clearTimeout(timeout);
    }
  }
}
