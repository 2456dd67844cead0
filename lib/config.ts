/**
 * Reads flags and environment variables, and shows them in `--help` and the README's table, all by
 * the one list in `options.ts`.
 */

import { parseArgs } from "node:util";
import { CollectorError } from "./errors.ts";
import {
  type ChoiceOption,
  type Group,
  type IntegerOption,
  KIB,
  MIB,
  type Option,
  type OptionName,
  OPTIONS,
} from "./options.ts";

/** The settings in force. */
export type Config = {
  readonly [Name in OptionName]: (typeof OPTIONS)[Name] extends ChoiceOption<infer T> ? T
    : (typeof OPTIONS)[Name] extends IntegerOption ? number
    : string;
};

/** What the command line asks for. */
export type Command =
  | { readonly kind: "run"; readonly config: Config }
  | { readonly kind: "verify"; readonly config: Config }
  | { readonly kind: "help"; readonly text: string };

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
  const flags = new Map<string, string | undefined>();
  const flagProblems: string[] = [];
  let isVerify = false;
  const { tokens } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: { ...parseArgsOptions(), help: { type: "boolean", short: "h" } },
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option" && token.rawName.startsWith("--")) {
      flags.set(token.name, flagValue(token));
    } else if (token.kind === "option" && token.name === "help") flags.set("help", undefined);
    else if (token.kind === "option") flagProblems.push(`unknown flag ${token.rawName}`);
    else if (token.kind === "positional" && token.value === "verify" && !isVerify) isVerify = true;
    else if (token.kind === "positional") flagProblems.push(`unexpected argument "${token.value}"`);
  }
  if (flags.delete("help")) return { kind: "help", text: help() };

  const values: Record<string, string | number> = {};
  const envProblems: string[] = [];
  const unknownEnv = new Set(Object.keys(env).filter((name) => name.startsWith(ENV_PREFIX)));
  for (const [name, option] of entries()) {
    const flag = flagName(name), variable = envName(name);
    unknownEnv.delete(variable);
    const fromEnv = env[variable];
    if (fromEnv !== undefined) values[name] = read(variable, option, fromEnv, envProblems);
    if (flags.has(flag)) values[name] = read(`--${flag}`, option, flags.get(flag), flagProblems);
    flags.delete(flag);
    values[name] ??= option.default;
  }
  for (const flag of flags.keys()) flagProblems.push(`unknown flag --${flag}`);
  for (const variable of unknownEnv) envProblems.push(`unknown variable ${variable}`);

  const config = values as unknown as Config;
  const problems = [...flagProblems, ...envProblems];
  if (problems.length === 0) problems.push(...contradictions(config));
  if (problems.length > 0) {
    throw new CollectorError(
      flagProblems.length > 0 ? "usage" : "config",
      problems.length === 1
        ? `Cannot start: ${problems[0]}.`
        : `Cannot start:\n  ${problems.join("\n  ")}`,
      { hint: "--help lists the flags and variables with their units and defaults." },
    );
  }
  return { kind: isVerify ? "verify" : "run", config };
}

/** The value of a flag; a next flag is not taken for it, as in `--db --port 1`. */
function flagValue(
  token: { readonly value?: string | undefined; readonly inlineValue?: boolean | undefined },
): string | undefined {
  return !token.inlineValue && /^-\D/.test(token.value ?? "") ? undefined : token.value;
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
    "firehouse           runs the collector",
    "firehouse verify    checks a database and its journal while no collector uses them",
    "",
    "Each flag can also be given as a variable: --queue-capacity as FIREHOUSE_QUEUE_CAPACITY.",
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
    "  64 a bad flag; 65 the database is corrupt; 70 the store hung; 71 cannot listen;",
  );
  lines.push("  75 another collector or program has the database; 78 a bad variable or database.");
  return lines.join("\n") + "\n";
}

/** The settings as a Markdown table, for the README. */
export function optionsTable(): string {
  const rows = [...entries()].map(([name, option]) =>
    `| \`--${flagName(name)}\` | ${shown(option)} | ${option.summary} |`
  );
  return ["| flag | default | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

/** The value of one setting; what is wrong with it goes to `problems`. */
function read(
  name: string,
  option: Option,
  value: string | undefined,
  problems: string[],
): string | number {
  if (value === undefined) {
    problems.push(`${name} needs a value`);
    return option.default;
  }
  switch (option.kind) {
    case "text":
      if (value === "" && option.default !== "") problems.push(`${name} must not be empty`);
      if (option.pattern?.test(value) === false) {
        problems.push(`${name} must be ${option.expected}, got "${value}"`);
      }
      return value;
    case "choice":
      if (!option.choices.includes(value)) {
        problems.push(`${name} must be ${option.choices.join(" or ")}, got "${value}"`);
      }
      return value;
    case "integer": {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
      if (!(number >= option.min && number <= option.max)) {
        const { min, max } = option;
        problems.push(`${name} must be an integer from ${min} to ${max}, got "${value}"`);
      }
      return number;
    }
  }
}

function entries(): [OptionName, Option][] {
  return Object.entries(OPTIONS) as [OptionName, Option][];
}

function grouped(): Map<Group, [OptionName, Option][]> {
  return Map.groupBy(entries(), ([, option]) => option.group);
}

function parseArgsOptions(): Record<string, { type: "string" }> {
  return Object.fromEntries(entries().map(([name]) => [flagName(name), { type: "string" }]));
}

function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function envName(name: string): string {
  return ENV_PREFIX + name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function placeholder(option: Option): string {
  switch (option.kind) {
    case "integer":
      return `<${option.unit || "number"}>`;
    case "choice":
      return option.choices.join("|");
    case "text":
      return "<text>";
  }
}

/** The default as a reader wants it: with its unit, large powers of two by name. */
function shown(option: Option): string {
  if (option.kind !== "integer") return option.default === "" ? "none" : option.default;
  const { default: value, unit } = option;
  if (unit === "bytes" && value % MIB === 0) return `${value} = ${value / MIB} MiB`;
  if (unit === "bytes" && value % KIB === 0) return `${value} = ${value / KIB} KiB`;
  return unit === "" ? String(value) : `${value} ${unit}`;
}
