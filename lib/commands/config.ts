/** `firehouse config check`: what a start would find, without starting. */

import { refuseOpenDoor } from "../access.ts";
import type { Command, Config, Sources } from "../config.ts";
import { CollectorError } from "../errors.ts";
import { flagName } from "../option_value.ts";
import { readTokensText, tokensOf, tokensPath } from "../token_file.ts";
import { settings } from "../settings.ts";
import type { CommandOutput } from "./command_output.ts";
import { table } from "./table.ts";

/** What is to be done with the settings. */
export type ConfigCommand = Extract<Command, { readonly kind: "config" }>;

/** What else a start would look at; each throws a {@linkcode CollectorError} if it would refuse. */
export interface StartChecks {
  /** Looks at the database and its folder, and tells whether a collector uses it now. */
  readonly database: (config: Config) => { readonly isInUse: boolean };
  /** Looks at certificate and key. */
  readonly tls: (paths: { readonly cert: string; readonly key: string }) => void;
}

/**
 * Shows the settings in force, and says that a start would go well.
 *
 * @throws {CollectorError} `config`, listing everything for which a start would refuse.
 */
export function runConfigCommand(
  { config, sources }: ConfigCommand,
  { print, tell }: CommandOutput,
  checks: StartChecks,
): void {
  print(shown(config, sources));
  const problems: string[] = [];
  const check = <T>(look: () => T): T | null => {
    try {
      return look();
    } catch (error) {
      if (!(error instanceof CollectorError)) throw error;
      problems.push(`${error.message.replace(/^Cannot start: /, "")} ${error.hint}`);
      return null;
    }
  };
  const { tlsCert: cert, tlsKey: key } = config, tokens = tokensPath(config);
  if (cert !== "") check(() => checks.tls({ cert, key }));
  const count = check(() => tokensOf(tokens, readTokensText(tokens)).length);
  if (count !== null) check(() => refuseOpenDoor(config, count));
  const database = check(() => checks.database(config));
  if (database?.isInUse) {
    tell(`A collector uses ${config.db} now: that its address is free was not checked.`);
  } else check(() => tryAddress(config));
  if (problems.length === 0) return tell("OK: a collector would start with these settings.");
  const [first] = problems;
  throw new CollectorError(
    "config",
    problems.length === 1
      ? `A start would be refused: ${first}`
      : `A start would be refused:\n  ${problems.join("\n  ")}`,
    { hint: "Nothing was started, and nothing changed." },
  );
}

function shown(config: Config, sources: Sources): string {
  const rows = settings().map(([name]) => [
    flagName(name),
    valueOf(config, name),
    sources[name],
  ]);
  return table([["SETTING", "VALUE", "FROM"], ...rows]);
}

function valueOf(config: Config, name: keyof Config): string {
  const value = name === "tokens" ? tokensPath(config) : config[name];
  return value === "" ? "-" : String(value);
}

/** @throws {CollectorError} if nothing can listen there. */
function tryAddress({ host: hostname, port }: Config): void {
  try {
    Deno.listen({ hostname, port }).close();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
    throw new CollectorError("listen", `Cannot listen on ${hostname}:${port}: ${why}.`, {
      hint: "Check --host and --port: another program may have the port.",
      cause,
    });
  }
}
