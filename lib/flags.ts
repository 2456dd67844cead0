/** The flags of a command line, whatever they mean. */

import { parseArgs } from "node:util";
import { flagName, readText, type Value } from "./option_value.ts";

/** The values of flags by name, without dashes; undefined for a flag that has none. */
export type Flags = Map<string, string | undefined>;

/** A command line, taken apart. */
export interface Words {
  /** The flags; of two of one name, the last. */
  readonly flags: Flags;
  /** The rest. */
  readonly words: readonly string[];
}

/**
 * Takes a command line apart. `known` are flags, without their dashes, whose next argument is their
 * value; a lone `--` is ignored.
 */
export function parseWords(
  args: readonly string[],
  known: readonly string[],
  problems: string[],
): Words {
  const flags: Flags = new Map();
  const words: string[] = [];
  const { tokens } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      ...Object.fromEntries(known.map((name) => [name, { type: "string" as const }])),
      help: { type: "boolean", short: "h" },
    },
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option" && token.rawName.startsWith("--")) {
      flags.set(token.name, flagValue(token));
    } else if (token.kind === "option" && token.name === "help") flags.set("help", undefined);
    else if (token.kind === "option") problems.push(`unknown flag ${token.rawName}`);
    else if (token.kind === "positional") words.push(token.value);
  }
  return { flags, words };
}

/** The value of a flag; a next flag is not taken for it, as in `--db --port 1`. */
function flagValue(
  token: { readonly value?: string | undefined; readonly inlineValue?: boolean | undefined },
): string | undefined {
  return !token.inlineValue && /^-\D/.test(token.value ?? "") ? undefined : token.value;
}

/** The value of a flag, which is taken out of `flags`; undefined if it is not there. */
export function takeFlag(
  name: string,
  value: Value,
  flags: Flags,
  problems: string[],
): string | number | undefined {
  const flag = flagName(name);
  if (!flags.has(flag)) return undefined;
  const text = flags.get(flag);
  flags.delete(flag);
  if (text !== undefined) return readText(`--${flag}`, value, text, problems);
  problems.push(`--${flag} needs a value`);
  return undefined;
}
