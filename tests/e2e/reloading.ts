/** A collector whose file of settings is changed while it runs. */

import { CollectorProcess, type CollectorProcessOptions } from "./collector_process.ts";
import { TempFolder } from "./sending.ts";
import { until } from "./steady_sender.ts";

/** See the head of this file. */
export class Reloading implements AsyncDisposable {
  /** Where everything is. */
  readonly folder: TempFolder = new TempFolder();
  /** The file. */
  readonly path: string = `${this.folder.path}/firehouse.conf`;
  #collector: CollectorProcess | null = null;

  /** Starts it with these lines in the file. */
  static async start(
    lines: readonly string[] = [],
    options: CollectorProcessOptions = {},
  ): Promise<Reloading> {
    const it = new Reloading();
    it.write(lines);
    const args = ["--config", it.path, ...options.args ?? []];
    it.#collector = await CollectorProcess.start({ ...options, folder: it.folder.path, args });
    return it;
  }

  /** The collector. */
  get collector(): CollectorProcess {
    if (this.#collector === null) throw new Error("it does not run");
    return this.#collector;
  }

  /** Writes the file, as an editor does. */
  write(lines: readonly string[]): void {
    Deno.writeTextFileSync(`${this.path}.new`, `# Changed.\n${lines.join("\n")}\n`);
    Deno.renameSync(`${this.path}.new`, this.path);
  }

  /** Writes it, asks for it to be read, and gives what was told of that. */
  async set(...lines: readonly string[]): Promise<string> {
    const { collector } = this, { length } = collector.output;
    const told = /^.*firehouse\.conf was (?:not taken|read):.*\n(?: .*\n)*/m;
    this.write(lines);
    collector.kill("SIGHUP");
    const since = () => collector.output.slice(length);
    // The tokens are read after it: then all of its lines are there.
    await until(() => /tokens\.json (was read|is not there)/.test(since()), "the tokens are read");
    return told.exec(since())?.[0] ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#collector?.[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}
