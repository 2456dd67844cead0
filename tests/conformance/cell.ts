/**
 * One cell of the table client × situation: a test, and a note of what came of it for `run.ts`.
 * Sanitizers are off: clients keep sockets and timers open, as they do for their users.
 */

import config from "../deno.json" with { type: "json" };

/** An existing client. */
export interface Client {
  /** Name in the table and in the names of the tests. */
  readonly name: string;
  /** Its package on npm, whose version is in `tests/deno.json`; null if it is none. */
  readonly npm: string | null;
}

/** The situations, in the order of the table. */
export const COLUMNS = {
  a: "row for row",
  b: "the queue is full, then frees",
  c: "stopped and started again",
  d: "one bad event among good ones",
  token: "a wrong token",
} as const;

/** A situation. */
export type Column = keyof typeof COLUMNS;

/** What the test is to show. */
export interface CellOptions {
  /** What is expected, for the name of the test. */
  readonly expects: string;
  /** What a reader of the table should know: what the client does by itself, what was configured. */
  readonly note?: string;
  /** Whether the client itself can do no better: `note` then says why. */
  readonly isLimit?: boolean;
  /** Whether the client's own options for trying again were raised: `note` says which. */
  readonly isTuned?: boolean;
  /** Why it can not be run here. */
  readonly skip?: string | null;
}

/** What came of it; one JSON line each in the file that {@linkcode RECORD_VARIABLE} names. */
export interface CellResult {
  readonly client: string;
  /** The package and its version. */
  readonly version: string;
  readonly column: Column;
  readonly outcome: "ok" | "ok, tuned" | "limit" | "FAILED" | "skipped";
  readonly note: string;
}

/** Names the file of results; without it none are kept. (A name of the collector's it would refuse.) */
export const RECORD_VARIABLE = "CONFORMANCE_RECORD";

/** Registers the test. */
export function cell(
  client: Client,
  column: Column,
  { expects, note = "", isLimit = false, isTuned = false, skip = null }: CellOptions,
  run: () => Promise<void>,
): void {
  const record = (outcome: CellResult["outcome"], why = note) =>
    append({ client: client.name, version: versionOf(client), column, outcome, note: why });
  if (skip !== null) record("skipped", skip);
  const skipped = skip === null ? "" : ` (skipped: ${skip})`;
  Deno.test({
    name: `${client.name} (${column}) ${COLUMNS[column]}: ${expects}${skipped}`,
    ignore: skip !== null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      try {
        await run();
      } catch (error) {
        record("FAILED", firstLine(error));
        throw error;
      }
      record(isLimit ? "limit" : isTuned ? "ok, tuned" : "ok");
    },
  });
}

/** Package and version of a client. */
function versionOf({ npm }: Client): string {
  if (npm === null) return "";
  const specifiers: readonly string[] = Object.values(config.imports);
  const specifier = specifiers.find((each) => each.startsWith(`npm:${npm}@`));
  const [, version] = /.@([\d.]+)/.exec(specifier ?? "") ?? [];
  if (version === undefined) throw new Error(`${npm} is not in tests/deno.json`);
  return `${npm} ${version}`;
}

function append(result: CellResult): void {
  const path = Deno.env.get(RECORD_VARIABLE);
  if (path === undefined) return;
  Deno.writeTextFileSync(path, `${JSON.stringify(result)}\n`, { append: true });
}

function firstLine(error: unknown): string {
  return String(error).split("\n", 1)[0] ?? "";
}
