/** The command line of `firehouse`, run with exactly the permissions that `deno task start` has. */

import { strictEqual as equal } from "node:assert/strict";
import { shippedPermissions } from "./collector_process.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** What a command did. */
export interface CommandOutcome {
  /** Exit status. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a command; its output is to be read. */
export function startFirehouse(...words: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...shippedPermissions(), "main.ts", ...words],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

/** Runs a command to its end. */
export async function firehouse(...words: readonly string[]): Promise<CommandOutcome> {
  const { code, stdout, stderr } = await startFirehouse(...words).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Makes a token of the tokens file beside a database, and gives what a client sends for it. */
export async function createToken(
  database: string,
  name: string,
  ...flags: readonly string[]
): Promise<string> {
  const { code, stdout, stderr } = await firehouse(
    ...["token", "create", name, "--db", database],
    ...flags,
  );
  equal(code, 0, stderr);
  return stdout.trimEnd();
}

/** Makes several, given their flags by name. */
export async function createTokens<Name extends string>(
  database: string,
  flags: Readonly<Record<Name, readonly string[]>>,
): Promise<Record<Name, string>> {
  const secrets: Record<string, string> = {};
  for (const [name, own] of Object.entries<readonly string[]>(flags)) {
    secrets[name] = await createToken(database, name, ...own);
  }
  return secrets as Record<Name, string>;
}
