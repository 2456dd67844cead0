/**
 * Another process that holds the write lock of a database: it takes the lock when it starts, says so,
 * and lets go when its stdin ends.
 */

const PROGRAM = `
  import { DatabaseSync } from "node:sqlite";
  const database = new DatabaseSync(Deno.args[0], { timeout: 10000 });
  database.exec("PRAGMA wal_autocheckpoint = 0; BEGIN IMMEDIATE");
  console.log("locked");
  await Deno.stdin.read(new Uint8Array(1));
  database.exec("ROLLBACK");
  database.close();
`;

/** Holds the lock until it is disposed of. */
export class LockHolder implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  #held = true;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
  }

  /** Resolves once the lock is held. */
  static async start(database: string): Promise<LockHolder> {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", "--allow-write", "--ext=ts", "-", database].map((arg) =>
        arg === "-" ? `data:application/typescript,${encodeURIComponent(PROGRAM)}` : arg
      ),
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = process.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    if (!new TextDecoder().decode(value).startsWith("locked")) throw new Error("no lock");
    return new LockHolder(process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#held) await this.#process.stdin.close();
    this.#held = false;
    await this.#process.status;
  }
}
