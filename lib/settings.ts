/** The settings in force: a flag wins over a variable, that over the file, and that over the default. */

import { readConfigFile } from "./config_file.ts";
import { type Flags, takeFlag } from "./flags.ts";
import { flagName, readText, type ValueOf } from "./option_value.ts";
import { type Option, type OptionName, OPTIONS } from "./options.ts";

/** The settings in force. */
export type Config = {
  readonly [Name in OptionName]: ValueOf<(typeof OPTIONS)[Name]>;
};

/** Where each setting came from, in words: `default`, `flag --port`, `firehouse.conf:3`. */
export type Sources = Readonly<Record<OptionName, string>>;

/** The settings, and where they came from. */
export interface Settings {
  /** Those in force. They mean nothing where something is wrong. */
  readonly config: Config;
  /** Where each came from. */
  readonly sources: Sources;
}

/** What there is beside flags, and where what is wrong goes. */
export interface SettingsOptions {
  /** The environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The settings of which flags are taken; that of the file always is. */
  readonly taken: readonly OptionName[] | "all";
  /** Takes what is wrong with flags. */
  readonly usageProblems: string[];
  /** Takes what is wrong with variables and the file. */
  readonly problems: string[];
}

const ENV_PREFIX = "FIREHOUSE_";

/** Reads them all. Flags that are read are taken out of `flags`. */
export function readSettings(flags: Flags, options: SettingsOptions): Settings {
  const { env, taken, usageProblems, problems } = options;
  const values: Record<string, string | number> = {}, sources: Record<string, string> = {};
  let lines: FileValues = new Map();
  const unknownEnv = new Set(Object.keys(env).filter((name) => name.startsWith(ENV_PREFIX)));
  for (const [name, option] of FILE_FIRST) {
    const flag = flagName(name), variable = envName(name), text = env[variable];
    unknownEnv.delete(variable);
    const isTaken = name === "config" || taken === "all" || taken.includes(name);
    const fromFlag = isTaken ? takeFlag(name, option, flags, usageProblems) : undefined;
    const fromEnv = text === undefined ? undefined : readText(variable, option, text, problems);
    const fromFile = lines.get(name);
    const [value, source] = fromFlag !== undefined
      ? [fromFlag, `flag --${flag}`]
      : fromEnv !== undefined
      ? [fromEnv, `variable ${variable}`]
      : fromFile ?? [option.default, "default"];
    values[name] = value;
    sources[name] = source;
    if (name === "config" && value !== "") lines = readFile(String(value), problems);
  }
  for (const variable of unknownEnv) problems.push(`unknown variable ${variable}`);
  return { config: values as unknown as Config, sources: sources as Sources };
}

/** The variable of a setting: `queueCapacity` is `FIREHOUSE_QUEUE_CAPACITY`. */
export function envName(name: string): string {
  return ENV_PREFIX + name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** Every setting by its name. */
export function settings(): [OptionName, Option][] {
  return Object.entries(OPTIONS) as [OptionName, Option][];
}

/** The setting that says where the others are comes before them. */
const FILE_FIRST = settings().sort(([a], [b]) => Number(b === "config") - Number(a === "config"));

/** What a file sets, and where. */
type FileValues = ReadonlyMap<string, readonly [value: string | number, source: string]>;

function readFile(path: string, problems: string[]): FileValues {
  const { lines, problems: inFile } = readConfigFile(path);
  const found = [...inFile], values = new Map<string, readonly [string | number, string]>();
  const bad = new Set(inFile.map(({ number }) => number));
  const byFlag = new Map(settings().map(([name, option]) => [flagName(name), { name, option }]));
  for (const { number, name: flag, value } of lines) {
    const known = byFlag.get(flag), wrong: string[] = [];
    if (known === undefined) wrong.push(unknown(flag, byFlag));
    else if (known.name === "config") wrong.push("a file can not name another: config");
    else if (!bad.has(number)) {
      const read = readText(flag, known.option, value, wrong);
      values.set(known.name, [read, `${path}:${number}`]);
    }
    for (const problem of wrong) found.push({ number, problem });
  }
  found.sort((a, b) => a.number - b.number);
  for (const { number, problem } of found) {
    problems.push(`${path}${number === 0 ? "" : `:${number}`}: ${problem}`);
  }
  return values;
}

function unknown(flag: string, known: ReadonlyMap<string, unknown>): string {
  const meant = flag.replace(/^--/, "").toLowerCase().replaceAll("_", "-")
    .replace(/^firehouse-/, "");
  return `unknown setting "${flag}"${known.has(meant) ? `, expected ${meant}` : ""}`;
}
