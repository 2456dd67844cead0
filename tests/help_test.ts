import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { readCommand } from "../lib/config.ts";
import { CollectorError, EXIT_CODES } from "../lib/errors.ts";
import { optionsTable } from "../lib/help.ts";
import { OPTIONS, RELOADABLE } from "../lib/options.ts";
import { subcommands } from "../lib/subcommands.ts";

function helpText(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const command = readCommand(args, env);
  if (command.kind !== "help") throw new TypeError(`asked for ${command.kind}`);
  return command.text;
}

/** A text without its line breaks and indents. */
function flowing(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

/** `logFormat` as a flag, said here a second time. */
function flagOf(name: string): string {
  return `--${name.split(/(?=[A-Z])/).map((word) => word.toLowerCase()).join("-")}`;
}

const FLAGS = Object.keys(OPTIONS).map(flagOf);

Deno.test("--help lists every command and every setting with its default, whatever else is wrong", () => {
  for (
    const args of [["--help"], ["-h"], ["help"], ["--port=x", "--help"], ["--nope", "stray", "-h"]]
  ) {
    const text = helpText(args, { FIREHOUSE_TYPO: "1" });
    for (const flag of FLAGS) match(text, new RegExp(`^  ${flag} [<a-z]`, "m"));
    equal(flowing(text).match(/\(default /g)?.length, FLAGS.length);
    for (const [name, { positionals, summary }] of subcommands()) {
      const usage = [name, ...Object.keys(positionals)].join(" ");
      match(text, new RegExp(`^  ${usage}( |$)`, "mi"));
      ok(flowing(text).includes(summary), name);
    }
    for (const code of new Set(Object.values(EXIT_CODES))) {
      ok(text.includes(` ${code} `), String(code));
    }
    ok(text.endsWith(".\n"));
  }
});

Deno.test("no line of any help is longer than 100 columns or ends with a blank", () => {
  const texts = [[], ...subcommands().map(([name]) => name.split(" "))]
    .map((words) => helpText(["help", ...words]));
  const lines = texts.flatMap((text) => text.split("\n"));
  deepEqual(lines.filter((line) => line.length > 100 || line.endsWith(" ")), []);
});

Deno.test("help on a command, asked before or after it, shows what it takes and only that", () => {
  for (const [name, { positionals, flags, settings, summary }] of subcommands()) {
    const words = name.split(" "), text = helpText(["help", ...words]);
    equal(helpText([...words, "--help"]), text);
    equal(helpText(["-h", ...words, "stray"]), text);
    const usage = [name, ...Object.keys(positionals).map((key) => key.toUpperCase())].join(" ");
    ok(text.startsWith(`firehouse ${usage} [FLAGS]\n`), text);
    ok(flowing(text).includes(summary), name);
    const taken = [...Object.keys(flags), ...settings === "all" ? [] : settings, "config"];
    const shown = [...text.matchAll(/^ {2}(--[a-z-]+) /gm)].map(([, flag]) => flag).sort();
    deepEqual(shown, taken.map(flagOf).sort(), name);
    equal(/All other settings/.test(text), settings === "all", name);
  }
});

Deno.test("help on the first word of commands shows all of them", () => {
  const all = ["create", "list", "revoke"].map((action) => helpText(["help", "token", action]));
  equal(helpText(["help", "token"]), all.join("\n"));
  equal(helpText(["token", "--help"]), all.join("\n"));
});

Deno.test("help on what is no command is refused with the way out", () => {
  for (const words of [["tokens"], ["tok"], ["--", "nope", "create"], ["constructor"]]) {
    try {
      throw new TypeError(helpText(["help", ...words]));
    } catch (error) {
      ok(error instanceof CollectorError, String(error));
      equal(error.code, "usage");
      match(`${error.message} ${error.hint}`, /There is no command ".+"\. `firehouse help` lists/);
    }
  }
});

Deno.test("the table for the README has one row a setting, and marks what is reloaded", () => {
  const rows = optionsTable().split("\n").slice(2);
  equal(rows.length, FLAGS.length);
  for (const flag of FLAGS) equal(rows.filter((row) => row.includes(`\`${flag}\``)).length, 1);
  for (const row of rows) match(row, /^\|[^|]+\|[^|]+\|[^|]+\|$/);
  const marked = rows.flatMap((row) => /^\| `(\S+)` ↻ \|/.exec(row)?.[1] ?? []);
  deepEqual(marked.sort(), RELOADABLE.map(flagOf).sort());
});
