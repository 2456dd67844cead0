/** What `firehouse help` shows and the table in the README, by `options.ts` and `subcommands.ts`. */

import { flagName, placeholder } from "./option_value.ts";
import { KIB, MIB, type Option, type OptionName, RELOADABLE } from "./options.ts";
import { settings } from "./settings.ts";
import { type Subcommand, subcommands } from "./subcommands.ts";

const COLUMNS = 100;
const MEANING_COLUMN = 36;
const SETTINGS_HELP =
  "Settings: each is a flag, a variable (--queue-capacity: FIREHOUSE_QUEUE_CAPACITY), or a line of " +
  "the file that --config names (queue-capacity = 1000). The flag beats the variable, the variable " +
  "the file. On SIGHUP the file is read again: a change of a setting marked ↻ is taken then, of " +
  "another at the next start.";
const EXIT_STATUS =
  "0 stopped with everything stored; 1 stopped with events not stored; 64 a bad " +
  "flag or argument; 65 the database is corrupt; 69 refused, by a running collector or since a " +
  "file is in the way; 70 the store hung; 71 cannot listen; 75 another collector or program has the database; 78 a bad variable, " +
  "file of settings, tokens file, certificate or database.";

/**
 * The help on the command that words begin with, or on all that have its first word; on everything
 * if there are none. Null if there is no such command.
 */
export function help(words: readonly string[]): string | null {
  if (words.length === 0) return overview();
  for (const count of [2, 1]) {
    const prefix = words.slice(0, count).join(" ");
    const found = subcommands().filter(([name]) => `${name} `.startsWith(`${prefix} `));
    if (found.length > 0) return found.map((each) => commandHelp(each)).join("\n");
  }
  return null;
}

/** The settings as a Markdown table, for the README. */
export function optionsTable(): string {
  const rows = settings().map(([name, option]) =>
    `| \`--${flagName(name)}\`${isReloadable(name) ? " ↻" : ""} | ${shown(option)} | ` +
    `${option.summary} |`
  );
  return ["| flag | default | meaning |", "| --- | --- | --- |", ...rows].join("\n");
}

function overview(): string {
  const commands = subcommands().map(([name, command]) => [usage(name, command), command.summary]);
  const lines = [
    "Firehouse Collector: catches events over HTTP, stores them in SQLite.",
    "",
    "firehouse [FLAGS]            runs the collector",
    "firehouse COMMAND [FLAGS]    does something else",
    "",
    "Commands:",
    ...rows([...commands, ["help COMMAND", "shows what a command takes, like --help after it"]]),
    "",
    ...wrapped(SETTINGS_HELP, 0),
  ];
  for (const [group, options] of Map.groupBy(settings(), ([, option]) => option.group)) {
    const shownOptions = options.map((each) => isReloadable(each[0]) ? marked(each) : row(each));
    lines.push("", `${group}:`, ...rows(shownOptions));
  }
  return [...lines, "", ...wrapped(`Exit status: ${EXIT_STATUS}`, 0), ""].join("\n");
}

/** All about one command. */
function commandHelp([name, command]: [string, Subcommand]): string {
  const { summary, positionals, flags } = command;
  const taken = settings().filter(([key]) =>
    key === "config" || (command.settings !== "all" && command.settings.includes(key))
  );
  const more = command.settings === "all"
    ? ["", "All other settings of the collector too: `firehouse help` lists them."]
    : [];
  return [
    `firehouse ${usage(name, command)} [FLAGS]`,
    ...wrapped(summary, 4),
    "",
    ...rows(
      Object.entries(positionals).map(([key, { expected = "" }]) => [key.toUpperCase(), expected]),
    ),
    ...rows(
      Object.entries(flags).map(([key, flag]) => [
        `--${flagName(key)} ${placeholder(flag)}`.trimEnd(),
        flag.summary,
      ]),
    ),
    ...rows(taken.map(row)),
    ...more,
    "",
  ].join("\n");
}

/** The words of a command with its arguments. */
function usage(name: string, { positionals }: Subcommand): string {
  return [name, ...Object.keys(positionals).map((key) => key.toUpperCase())].join(" ");
}

function row([name, option]: [OptionName, Option]): [string, string] {
  const flag = `--${flagName(name)} ${placeholder(option)}`;
  return [flag, `${option.summary} (default ${shown(option)})`];
}

function marked(each: [OptionName, Option]): [string, string] {
  const [flag, meaning] = row(each);
  return [flag, `↻ ${meaning}`];
}

function isReloadable(name: OptionName): boolean {
  return (RELOADABLE as readonly OptionName[]).includes(name);
}

/** Names, and what they mean beside them. */
function rows(all: readonly (readonly string[])[]): string[] {
  return all.flatMap(([name = "", meaning = ""]) => {
    const [first = "", ...more] = wrapped(meaning, MEANING_COLUMN);
    if (name.length > MEANING_COLUMN - 4) return [`  ${name}`, first, ...more];
    return [`  ${name}`.padEnd(MEANING_COLUMN) + first.trimStart(), ...more];
  });
}

/** Text in lines of at most {@linkcode COLUMNS}, each indented by so many blanks. */
function wrapped(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => " ".repeat(indent) + each);
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
