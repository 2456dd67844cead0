/**
 * What a command line asks for, and with which settings, by the lists in `options.ts` and
 * `subcommands.ts`.
 */

import { CollectorError } from "./errors.ts";
import { type Flags, type KnownFlags, parseWords, takeAnyFlag } from "./flags.ts";
import { help } from "./help.ts";
import { type AnyValue, flagName, readValue } from "./option_value.ts";
import { type OptionName, OPTIONS } from "./options.ts";
import { retainBytesMin } from "./retention.ts";
import { type Config, readSettings, type Settings, type Sources } from "./settings.ts";
import {
  findSubcommand,
  type FoundSubcommand,
  type Given,
  type Subcommand,
  type SubcommandName,
  SUBCOMMANDS,
  subcommands,
} from "./subcommands.ts";

export type { Config, Sources } from "./settings.ts";

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
    /** Where each of them came from. */
    readonly sources: Sources;
    /** Its arguments and flags. */
    readonly given: Given<Name>;
  }
  & (Name extends `${infer Noun} ${infer Action}` ? { readonly kind: Noun; readonly action: Action }
    : { readonly kind: Name });

/** Environment variables by their names. */
export type Env = Readonly<Record<string, string>>;

/**
 * Reads flags, variables and the file of settings. A lone `--`, which `deno task start -- …` passes
 * on, is ignored.
 *
 * @throws {CollectorError} `usage` or `config`, listing every problem at once.
 */
export function readCommand(args: readonly string[], env: Env): Command {
  const { words, asksHelp } = wordsOf(args);
  if (asksHelp) return { kind: "help", text: help(words) ?? help([]) ?? "" };
  if (words[0] === "help") return { kind: "help", text: helpOn(words.slice(1)) };

  const { name, given, usageProblems, problems, ...settings } = read(args, env);
  const all = [...usageProblems, ...problems];
  if (all.length > 0) {
    const attempt = name === null ? "Cannot start:" : `Cannot run \`firehouse ${name}\`:`;
    throw new CollectorError(
      usageProblems.length > 0 ? "usage" : "config",
      all.length === 1 ? `${attempt} ${all[0]}.` : `${attempt}\n  ${all.join("\n  ")}`,
      { hint: "--help lists the commands, flags and variables with their units and defaults." },
    );
  }
  if (name === null) return { kind: "run", config: settings.config };
  const [kind, action] = name.split(" ");
  return { kind, ...action === undefined ? {} : { action }, ...settings, given } as Command;
}

/** The settings of a command line that was good before, or what is wrong in the file by now. */
export function readAgain(args: readonly string[], env: Env): Config | readonly string[] {
  const { config, usageProblems, problems } = read(args, env);
  const all = [...usageProblems, ...problems];
  return all.length === 0 ? config : all;
}

/** Everything a command line says, and everything that is wrong with it. */
interface Reading extends Settings {
  readonly name: SubcommandName | null;
  readonly given: Readonly<Record<string, AnyValue | null>>;
  readonly usageProblems: readonly string[];
  /** Of variables and the file, or of all together. */
  readonly problems: readonly string[];
}

function read(args: readonly string[], env: Env): Reading {
  const usageProblems: string[] = [], problems: string[] = [];
  const { flags, words } = parseWords(args, knownFlags(), usageProblems);
  const found = findSubcommand(words);
  const { name, rest } = typeof found === "string" ? { name: null, rest: [] } : found;
  const given = readGiven({ name, rest }, flags, usageProblems);
  const taken = name === null ? "all" : SUBCOMMANDS[name].settings;
  const settings = readSettings(flags, { env, taken, usageProblems, problems });
  if (typeof found === "string") usageProblems.push(found);
  else usageProblems.push(...strayFlags(name, flags));
  if (usageProblems.length + problems.length === 0) {
    problems.push(...contradictions(settings.config));
  }
  return { ...settings, name, given, usageProblems, problems };
}

function wordsOf(args: readonly string[]): { words: readonly string[]; asksHelp: boolean } {
  const { flags, words } = parseWords(args, knownFlags(), []);
  return { words, asksHelp: flags.has("help") };
}

/** @throws {CollectorError} if there is no such command. */
function helpOn(words: readonly string[]): string {
  const text = help(words);
  if (text !== null) return text;
  throw new CollectorError("usage", `There is no command "${words.join(" ")}".`, {
    hint: "`firehouse help` lists the commands; without one the collector is started.",
  });
}

/** The arguments and the own flags of a subcommand, which it takes out of `flags`. */
function readGiven(
  { name, rest }: FoundSubcommand,
  flags: Flags,
  problems: string[],
): Readonly<Record<string, AnyValue | null>> {
  const { positionals, flags: own }: Pick<Subcommand, "positionals" | "flags"> = name === null
    ? { positionals: {}, flags: {} }
    : SUBCOMMANDS[name];
  const given: Record<string, AnyValue | null> = {};
  const needed = Object.entries(positionals);
  for (const [index, [key, value]] of needed.entries()) {
    const word = rest[index], shown = key.toUpperCase();
    if (word === undefined) problems.push(`${name} needs ${shown}: ${value.expected ?? "a text"}`);
    else given[key] = readValue(shown, value, word, problems);
  }
  for (const word of rest.slice(needed.length)) {
    const way = name === null && rest.length === 1
      ? ": without a command the collector is started"
      : "";
    problems.push(`unexpected argument "${word}"${way}`);
  }
  for (const [key, flag] of Object.entries(own)) {
    given[key] = takeAnyFlag(key, flag, flags, problems) ?? null;
  }
  return given;
}

/** What is wrong with the flags that nothing took. */
function strayFlags(name: SubcommandName | null, flags: Flags): string[] {
  const { withValue, switches } = knownFlags(), known = [...withValue, ...switches];
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
    ...config.retainBytes > 0 && config.retainBytes < retainBytesMin(config)
      ? [
        `retain-bytes (${config.retainBytes}) must be 0 or at least ${retainBytesMin(config)}, ` +
        "as what is remembered of ids and keys is in the database too",
      ]
      : [],
    ...config.durability === "disk" && config.synchronous !== "full"
      ? [
        "--synchronous normal does not flush commits, so it needs --durability memory",
      ]
      : [],
  ];
}

/** The flags of all settings and subcommands. */
function knownFlags(): KnownFlags {
  const own = subcommands().flatMap(([, { flags }]) => Object.entries(flags));
  const names = (isWanted: (kind: string) => boolean) =>
    own.filter(([, { kind }]) => isWanted(kind)).map(([name]) => name);
  return {
    withValue: [...Object.keys(OPTIONS), ...names((kind) => kind !== "switch")].map(flagName),
    switches: names((kind) => kind === "switch").map(flagName),
  };
}
