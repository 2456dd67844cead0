/**
 * Every setting, once: flags, environment variables, `--help` and the README's table are all made
 * from the one list here.
 */

import { parseArgs } from "node:util";
import { CollectorError } from "./errors.ts";

/** Where an option stands in `--help`. */
export type Group = "Listener" | "Queue and writer" | "Database" | "Operation";

/** What every option has; `Value` is the type of its default. */
export interface OptionBase<Value> {
  /** Where it stands in `--help`. */
  readonly group: Group;
  /** The value without a flag or variable. */
  readonly default: Value;
  /** What it means, in a line. */
  readonly summary: string;
}

/** An option whose value is an integer within a range. */
export interface IntegerOption extends OptionBase<number> {
  /** Tells the kinds apart. */
  readonly kind: "integer";
  /** Smallest value. */
  readonly min: number;
  /** Largest value. */
  readonly max: number;
  /** Unit of the value, empty if it has none. */
  readonly unit: string;
}

/** An option whose value is any text. */
export interface TextOption extends OptionBase<string> {
  /** Tells the kinds apart. */
  readonly kind: "text";
  /** What a value looks like; default: anything. */
  readonly pattern?: RegExp;
  /** The pattern in words. */
  readonly expected?: string;
}

/** An option whose value is one of a few words. */
export interface ChoiceOption<T extends string = string> extends OptionBase<T> {
  /** Tells the kinds apart. */
  readonly kind: "choice";
  /** The words. */
  readonly choices: readonly T[];
}

type Option = IntegerOption | TextOption | ChoiceOption;

const KIB = 1024, MIB = 1024 * KIB, GIB = 1024 * MIB;
const HOUR_MS = 3_600_000;

/** Every option by its name in {@linkcode Config}. */
export const OPTIONS = {
  host: text("Listener", "127.0.0.1", "address to listen on"),
  port: integer("Listener", 8000, 0, 65_535, "", "port to listen on; 0 picks a free one"),
  allowedHosts: {
    ...text(
      "Listener",
      "",
      "Host names served, separated by commas; default: any, or on a loopback address only its names",
    ),
    pattern: /^[^\s/?#@,]*( *, *[^\s/?#@,]+)*$/,
    expected: "names separated by commas",
  },
  maxBodyBytes: integer("Listener", MIB, 1, GIB, "bytes", "largest body as sent"),
  maxDecodedBytes: integer("Listener", 8 * MIB, 1, GIB, "bytes", "largest body after decoding"),
  maxRequestEvents: integer("Listener", 10_000, 1, 1_000_000, "events", "most events a request"),
  maxEventBytes: integer("Listener", 256 * KIB, 64, GIB, "bytes", "largest event"),
  bodyTimeoutMs: integer("Listener", 10_000, 100, HOUR_MS, "ms", "longest time for a body"),
  maxBodies: integer("Listener", 10_000, 1, 1_000_000, "bodies", "most bodies received at once"),
  maxBodiesBytes: integer(
    "Listener",
    64 * MIB,
    1,
    64 * GIB,
    "bytes",
    "most bytes of bodies received at once",
  ),
  queueCapacity: integer(
    "Queue and writer",
    30_000,
    1,
    100_000_000,
    "events",
    "most events queued and being written; more are refused with 503",
  ),
  queueBytes: integer(
    "Queue and writer",
    64 * MIB,
    KIB,
    64 * GIB,
    "bytes",
    "most memory for them: the body and 200 bytes an event, thrice the body if it is not ASCII",
  ),
  batchSize: integer("Queue and writer", 200, 1, 1_000_000, "events", "events that end the linger"),
  batchLingerMs: integer(
    "Queue and writer",
    5,
    0,
    60_000,
    "ms",
    "longest wait for a batch to fill on a quiet queue",
  ),
  transactionEvents: integer(
    "Queue and writer",
    10_000,
    1,
    1_000_000,
    "events",
    "most events a transaction under backlog",
  ),
  db: text("Database", "events.db", "path of the SQLite database"),
  synchronous: choice(
    "Database",
    "full",
    ["full", "normal"],
    "full: each commit is flushed to the disk; normal: faster, a power cut may undo the last ones",
  ),
  storeTimeoutMs: integer(
    "Database",
    60_000,
    1000,
    HOUR_MS,
    "ms",
    "the store counts as hung, and the process ends, when one call takes longer",
  ),
  readyStallMs: integer(
    "Operation",
    10_000,
    100,
    HOUR_MS,
    "ms",
    "/readyz answers 503 when a commit has been waited for longer",
  ),
  shutdownTimeoutMs: integer(
    "Operation",
    30_000,
    100,
    HOUR_MS,
    "ms",
    "longest time to finish after SIGTERM or SIGINT",
  ),
  logFormat: choice("Operation", "text", ["text", "json"], "how lines on stderr look"),
} as const;

/** The name of an option in {@linkcode Config}. */
export type OptionName = keyof typeof OPTIONS;

/** The settings in force. */
export type Config = {
  readonly [Name in OptionName]: (typeof OPTIONS)[Name] extends ChoiceOption<infer T> ? T
    : (typeof OPTIONS)[Name] extends IntegerOption ? number
    : string;
};

/** What the command line asks for. */
export type Command =
  | { readonly kind: "run"; readonly config: Config }
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
  return { kind: "run", config };
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
    ...atMost("batchSize", "transactionEvents"),
  ];
}

/** The text of `--help`. */
export function help(): string {
  const lines = [
    "Firehouse Collector: catches events over HTTP, stores them in SQLite.",
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
    "  64 a bad flag; 70 the store hung; 71 cannot listen; 75 another collector or program",
  );
  lines.push("  has the database; 78 a bad variable or database.");
  return lines.join("\n") + "\n";
}

/** The settings as a Markdown table, for the README. */
export function optionsTable(): string {
  const rows = [...entries()].map(([name, option]) =>
    `| \`--${flagName(name)}\` | ${shown(option)} | ${option.summary} |`
  );
  return ["| flag | default | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

function integer(
  group: Group,
  byDefault: number,
  min: number,
  max: number,
  unit: string,
  summary: string,
): IntegerOption {
  return { kind: "integer", group, default: byDefault, min, max, unit, summary };
}

function text(group: Group, byDefault: string, summary: string): TextOption {
  return { kind: "text", group, default: byDefault, summary };
}

function choice<T extends string>(
  group: Group,
  byDefault: T,
  choices: readonly T[],
  summary: string,
): ChoiceOption<T> {
  return { kind: "choice", group, default: byDefault, choices, summary };
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
