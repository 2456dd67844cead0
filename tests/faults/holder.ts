/** Another process that has the database open and keeps what it took: a lock, an old state. */

const PROGRAM = `
  import { DatabaseSync } from "node:sqlite";
  const [path, ...statements] = Deno.args;
  const database = new DatabaseSync(path, { timeout: 10000 });
  database.exec("PRAGMA wal_autocheckpoint = 0");
  for (const sql of statements) database.prepare(sql).all();
  console.log("held");
  await Deno.stdin.read(new Uint8Array(1));
  database.exec("ROLLBACK");
  database.close();
`;

/** The write lock. */
export const WRITE_LOCK = ["BEGIN IMMEDIATE"];
/**
 * As much as a program can lock beside one that is connected: with `locking_mode=EXCLUSIVE` SQLite
 * lets only one in, so that either of the two does not start.
 */
export const EXCLUSIVE_LOCK = ["BEGIN EXCLUSIVE", "SELECT count(*) FROM events"];
/** What a reader sees until it ends. */
export const OLD_STATE = ["BEGIN", "SELECT count(*) FROM events"];

/** Holds until it is disposed of. */
export class Holder implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  #isHeld = true;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
  }

  /** Runs the statements and resolves once what they take is held. */
  static async start(database: string, statements: readonly string[]): Promise<Holder> {
    const module = `data:application/typescript,${encodeURIComponent(PROGRAM)}`;
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", "--allow-write", module, database, ...statements],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const holder = new Holder(process);
    const reader = process.stdout.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    if (new TextDecoder().decode(value).startsWith("held")) return holder;
    await holder[Symbol.asyncDispose]();
    throw new Error(`not held: ${statements.join("; ")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isHeld) await this.#process.stdin.close().catch(() => {}); // it may be gone
    this.#isHeld = false;
    await this.#process.status;
  }
}
