/**
 * Reads the command line and environment variables, and shows what they may hold in `--help` and the
 * README's table, all by the lists in `options.ts` and `subcommands.ts`.
 */

import { CollectorError } from "./errors.ts";
import { type Flags, parseWords, takeFlag } from "./flags.ts";
import { flagName, placeholder, readText, readValue, type ValueOf } from "./option_value.ts";
import { type Group, KIB, MIB, type Option, type OptionName, OPTIONS } from "./options.ts";
import {
  findSubcommand,
  type FoundSubcommand,
  type Given,
  type Subcommand,
  type SubcommandName,
  SUBCOMMANDS,
  subcommands,
} from "./subcommands.ts";

/** The settings in force. */
export type Config = {
  readonly [Name in OptionName]: ValueOf<(typeof OPTIONS)[Name]>;
};

/** What the command line asks for. */
export type Command =
  | { readonly kind: "run"; readonly config: Config }
  | { readonly kind: "help"; readonly text: string }
  | { readonly [Name in SubcommandName]: CommandOf<Name> }[SubcommandName];

/** A subcommand of one word, or of two: what it is about, and what to do. */
export type CommandOf<Name extends SubcommandName> =
  & {
    /** The settings in force. */
    readonly config: Config;
    /** Its arguments and flags. */
    readonly given: Given<Name>;
  }
  & (Name extends `${infer Noun} ${infer Action}` ? { readonly kind: Noun; readonly action: Action }
    : { readonly kind: Name });

const ENV_PREFIX = "FIREHOUSE_";

/**
 * Reads flags and variables; flags win. A lone `--`, which `deno task start -- …` passes on, is
 * ignored.
 *
 * @throws {CollectorError} `usage` or `config`, listing every problem at once.
 */
export function readCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Command {
  const usageProblems: string[] = [], envProblems: string[] = [];
  const { flags, words } = parseWords(args, knownFlags(), usageProblems);
  if (flags.delete("help")) return { kind: "help", text: help() };

  const found = findSubcommand(words);
  const { name, rest } = typeof found === "string" ? { name: null, rest: [] } : found;
  const given = readGiven({ name, rest }, flags, usageProblems);
  const config = readConfig(name, flags, env, { usageProblems, envProblems });
  if (typeof found === "string") usageProblems.push(found);
  else usageProblems.push(...strayFlags(name, flags));

  const problems = [...usageProblems, ...envProblems];
  if (problems.length === 0) problems.push(...contradictions(config));
  if (problems.length > 0) {
    const attempt = name === null ? "Cannot start:" : `Cannot run \`firehouse ${name}\`:`;
    throw new CollectorError(
      usageProblems.length > 0 ? "usage" : "config",
      problems.length === 1
        ? `${attempt} ${problems[0]}.`
        : `${attempt}\n  ${problems.join("\n  ")}`,
      { hint: "--help lists the commands, flags and variables with their units and defaults." },
    );
  }
  if (name === null) return { kind: "run", config };
  const [kind, action] = name.split(" ");
  return { kind, ...action === undefined ? {} : { action }, config, given } as Command;
}

/** The arguments and the own flags of a subcommand, which it takes out of `flags`. */
function readGiven(
  { name, rest }: FoundSubcommand,
  flags: Flags,
  problems: string[],
): Readonly<Record<string, string | number | null>> {
  const { positionals, flags: own }: Pick<Subcommand, "positionals" | "flags"> = name === null
    ? { positionals: {}, flags: {} }
    : SUBCOMMANDS[name];
  const given: Record<string, string | number | null> = {};
  const needed = Object.entries(positionals);
  for (const [index, [key, value]] of needed.entries()) {
    const word = rest[index], shown = key.toUpperCase();
    if (word === undefined) problems.push(`${name} needs ${shown}: ${value.expected ?? "a text"}`);
    else given[key] = readValue(shown, value, word, problems);
  }
  for (const word of rest.slice(needed.length)) problems.push(`unexpected argument "${word}"`);
  for (const [key, flag] of Object.entries(own)) {
    given[key] = takeFlag(key, flag, flags, problems) ?? null;
  }
  return given;
}

/** The settings, whose flags are taken out of `flags` as far as the subcommand takes them. */
function readConfig(
  name: SubcommandName | null,
  flags: Flags,
  env: Readonly<Record<string, string>>,
  { usageProblems, envProblems }: Readonly<Record<"usageProblems" | "envProblems", string[]>>,
): Config {
  const taken: Subcommand["settings"] = name === null ? "all" : SUBCOMMANDS[name].settings;
  const values: Record<string, string | number> = {};
  const unknownEnv = new Set(Object.keys(env).filter((name) => name.startsWith(ENV_PREFIX)));
  for (const [name, option] of entries()) {
    const variable = envName(name), text = env[variable];
    unknownEnv.delete(variable);
    const fromEnv = text === undefined ? undefined : readText(variable, option, text, envProblems);
    const fromFlag = taken === "all" || taken.includes(name)
      ? takeFlag(name, option, flags, usageProblems)
      : undefined;
    values[name] = fromFlag ?? fromEnv ?? option.default;
  }
  for (const variable of unknownEnv) envProblems.push(`unknown variable ${variable}`);
  return values as unknown as Config;
}

/** What is wrong with the flags that nothing took. */
function strayFlags(name: SubcommandName | null, flags: Flags): string[] {
  const known = knownFlags();
  const command = name === null ? "firehouse" : `firehouse ${name}`;
  return [...flags.keys()].map((flag) =>
    known.includes(flag) ? `--${flag} is no flag of \`${command}\`` : `unknown flag --${flag}`
  );
}

/** What does not fit together, though each value is in range. */
function contradictions(config: Config): string[] {
  const atMost = (small: OptionName, large: OptionName) =>
    config[small] > config[large]
      ? [
        `${flagName(small)} (${config[small]}) must not exceed ${flagName(large)} (${
          config[large]
        })`,
      ]
      : [];
  return [
    ...atMost("maxBodyBytes", "maxBodiesBytes"),
    ...(config.tlsCert === "") !== (config.tlsKey === "")
      ? ["--tls-cert and --tls-key must be given together"]
      : [],
    ...config.durability === "memory" ? atMost("batchSize", "transactionEvents") : [],
    ...config.durability === "disk" && config.synchronous !== "full"
      ? [
        "--synchronous normal does not flush commits, so it needs --durability memory",
      ]
      : [],
  ];
}

/** The text of `--help`. */
export function help(): string {
  const lines = [
    "Firehouse Collector: catches events over HTTP, stores them in SQLite.",
    "",
    "firehouse",
    "    runs the collector",
    ...subcommands().flatMap(subcommandHelp),
    "",
    "Each flag below can also be given as a variable: --queue-capacity as FIREHOUSE_QUEUE_CAPACITY.",
    "The flag wins.",
  ];
  for (const [group, options] of grouped()) {
    lines.push("", `${group}:`);
    for (const [name, option] of options) {
      const flag = `--${flagName(name)} ${placeholder(option)}`;
      lines.push(`  ${flag}`, `      ${option.summary} (default ${shown(option)})`);
    }
  }
  lines.push(
    "",
    "Exit status: 0 stopped with everything stored; 1 stopped with events not stored;",
  );
  lines.push(
    "  64 a bad flag or argument; 65 the database is corrupt; 69 a running collector refused;",
  );
  lines.push(
    "  70 the store hung; 71 cannot listen; 75 another collector or program has the database;",
  );
  lines.push(
    "  78 a bad variable, tokens file, certificate or database.",
  );
  return lines.join("\n") + "\n";
}

/** The lines about one subcommand. */
function subcommandHelp([name, { summary, positionals, flags }]: [string, Subcommand]): string[] {
  const words = [name, ...Object.keys(positionals).map((key) => key.toUpperCase())];
  const own = Object.entries(flags).map(([key, flag]) =>
    `    [--${flagName(key)} ${placeholder(flag)}]  ${flag.summary}`
  );
  return [`firehouse ${words.join(" ")}`, ...own, `    ${summary}`];
}

/** The settings as a Markdown table, for the README. */
export function optionsTable(): string {
  const rows = [...entries()].map(([name, option]) =>
    `| \`--${flagName(name)}\` | ${shown(option)} | ${option.summary} |`
  );
  return ["| flag | default | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

/** The flags of all settings and subcommands. */
function knownFlags(): string[] {
  const own = subcommands().flatMap(([, { flags }]) => Object.keys(flags));
  return [...Object.keys(OPTIONS), ...own].map(flagName);
}

function entries(): [OptionName, Option][] {
  return Object.entries(OPTIONS) as [OptionName, Option][];
}

function grouped(): Map<Group, [OptionName, Option][]> {
  return Map.groupBy(entries(), ([, option]) => option.group);
}

function envName(name: string): string {
  return ENV_PREFIX + name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** The default as a reader wants it: with its unit, large powers of two by name. */
function shown(option: Option): string {
  if (option.defaultShown !== undefined) return option.defaultShown;
  if (option.kind !== "integer") return option.default === "" ? "none" : option.default;
  const { default: value, unit } = option;
  if (unit === "bytes" && value % MIB === 0) return `${value} = ${value / MIB} MiB`;
  if (unit === "bytes" && value % KIB === 0) return `${value} = ${value / KIB} KiB`;
  return unit === "" ? String(value) : `${value} ${unit}`;
}
