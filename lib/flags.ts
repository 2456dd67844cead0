/** The flags of a command line, whatever they mean. */

import { parseArgs } from "node:util";
import { type AnyValue, flagName, type FlagValue, readText, type Value } from "./option_value.ts";

/**
 * The values of flags by name, without dashes, in the order they were given; undefined where a flag
 * has none.
 */
export type Flags = Map<string, readonly (string | undefined)[]>;

/** Names of flags, without their dashes. */
export interface KnownFlags {
  /** Those whose next argument is their value. */
  readonly withValue: readonly string[];
  /** Those that have none. */
  readonly switches: readonly string[];
}

/** A command line, taken apart. */
export interface Words {
  /** The flags. */
  readonly flags: Flags;
  /** The rest. */
  readonly words: readonly string[];
}

/** Takes a command line apart. A lone `--` is ignored. */
export function parseWords(
  args: readonly string[],
  { withValue, switches }: KnownFlags,
  problems: string[],
): Words {
  const flags = new Map<string, readonly (string | undefined)[]>();
  const words: string[] = [];
  const { tokens } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      ...Object.fromEntries(withValue.map((name) => [name, { type: "string" as const }])),
      ...Object.fromEntries(switches.map((name) => [name, { type: "boolean" as const }])),
      help: { type: "boolean", short: "h" },
    },
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option" && token.rawName.startsWith("--")) {
      flags.set(token.name, [...flags.get(token.name) ?? [], flagValue(token)]);
    } else if (token.kind === "option" && token.name === "help") flags.set("help", [undefined]);
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

/**
 * The value of a flag, which is taken out of `flags`; undefined if it is not there. Of one that is
 * there several times, the last.
 */
export function takeFlag(
  name: string,
  value: Value,
  flags: Flags,
  problems: string[],
): string | number | undefined {
  const flag = flagName(name);
  if (!flags.has(flag)) return undefined;
  const text = flags.get(flag)?.at(-1);
  flags.delete(flag);
  if (text !== undefined) return readText(`--${flag}`, value, text, problems);
  problems.push(`--${flag} needs a value`);
  return undefined;
}

/** The same for a flag of a subcommand: also one that has no value, or several. */
export function takeAnyFlag(
  name: string,
  value: FlagValue,
  flags: Flags,
  problems: string[],
): AnyValue | undefined {
  if (value.kind !== "switch" && value.kind !== "list") {
    return takeFlag(name, value, flags, problems);
  }
  const flag = flagName(name), texts = flags.get(flag);
  flags.delete(flag);
  if (texts === undefined) return undefined;
  if (value.kind === "switch") {
    if (texts.some((text) => text !== undefined)) problems.push(`--${flag} takes no value`);
    return true;
  }
  const one = { ...value, kind: "text" as const };
  return texts.map((text) => {
    if (text !== undefined) return String(readText(`--${flag}`, one, text, problems));
    problems.push(`--${flag} needs a value`);
    return "";
  });
}
