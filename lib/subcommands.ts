/** What the program can be asked for beside running: each with its arguments and flags. */

import { isOrigin, ORIGIN_EXPECTED } from "./origin.ts";
import { listItems, type TextValue, type Value, type ValueOf } from "./option_value.ts";
import type { OptionName } from "./options.ts";
import {
  areScopes,
  isTokenName,
  LIMITS_MAX,
  SCOPES_EXPECTED,
  TOKEN_NAME_EXPECTED,
} from "./token.ts";
import { ORIGINS_MAX } from "./token_list.ts";

/** A flag that only one subcommand has. */
export type Flag = Value & {
  /** What it means, in a line. */
  readonly summary: string;
};

/** What a subcommand takes. */
export interface Subcommand {
  /** What it does, in a line. */
  readonly summary: string;
  /** The settings whose flags it takes; all variables are read, since it shares them. */
  readonly settings: readonly OptionName[] | "all";
  /** Its arguments, all of them needed, in their order; the help shows capitals. */
  readonly positionals: Readonly<Record<string, TextValue>>;
  /** Its own flags, none of them needed and none named like a setting. */
  readonly flags: Readonly<Record<string, Flag>>;
}

const TOKEN_SETTINGS = ["tokens", "db", "logFormat"] as const;
const TOKEN_NAME: TextValue = { kind: "text", isValid: isTokenName, expected: TOKEN_NAME_EXPECTED };

/** Of commands that ask a running collector. */
const SERVER_SETTINGS = ["host", "port", "tlsCert", "logFormat"] as const;
const SERVER_FLAGS = {
  url: {
    kind: "text",
    isValid: (text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ""),
    expected: "an http or https URL",
    summary: "where the collector listens (default: by --host and --port)",
  } as Flag & TextValue,
  tokenFile: {
    kind: "text",
    summary: "file that holds a token with the scope admin, where one is needed",
  } as Flag & TextValue,
};
const WHICH: TextValue = {
  kind: "text",
  isValid: (text) => text === "all" || /^[1-9]\d{0,14}$/.test(text),
  expected: "an id that `dead-letters list` shows, or all",
};

/** Every subcommand by its words. */
export const SUBCOMMANDS = {
  "verify": {
    summary: "checks a database and its journal while no collector uses them",
    settings: "all",
    positionals: {},
    flags: {},
  },
  "config check": {
    summary:
      "reads flags, variables and the file of settings as a start would, looks at what they " +
      "name, and shows the settings in force and where each came from",
    settings: "all",
    positionals: {},
    flags: {},
  },
  "token create": {
    summary: "makes a token and prints it, this once",
    settings: TOKEN_SETTINGS,
    positionals: { name: TOKEN_NAME },
    flags: {
      scopes: {
        kind: "text",
        isValid: (text) => areScopes(listItems(text)),
        expected: SCOPES_EXPECTED,
        summary: "what it is for, separated by commas: ingest (default), read, admin",
      } as Flag & TextValue,
      eventsPerSecond: limit("events", LIMITS_MAX.eventsPerSecond, "most events a second"),
      bytesPerSecond: limit("bytes", LIMITS_MAX.bytesPerSecond, "most bytes of bodies a second"),
      bodyBytes: limit("bytes", LIMITS_MAX.bodyBytes, "largest body"),
      origins: {
        kind: "text",
        isValid: (text) => {
          const origins = listItems(text);
          return origins.length <= ORIGINS_MAX && origins.every(isOrigin);
        },
        expected: ORIGIN_EXPECTED,
        summary: "origins of web pages that may use it, separated by commas; *: any",
      } as Flag & TextValue,
    },
  },
  "token list": {
    summary: "shows the tokens, what they are for and their limits",
    settings: TOKEN_SETTINGS,
    positionals: {},
    flags: {},
  },
  "token revoke": {
    summary: "makes a token invalid",
    settings: TOKEN_SETTINGS,
    positionals: { name: TOKEN_NAME },
    flags: {},
  },
  "dead-letters list": {
    summary: "shows events that can not be stored, and why",
    settings: SERVER_SETTINGS,
    positionals: {},
    flags: SERVER_FLAGS,
  },
  "dead-letters export": {
    summary: "prints all of them with their text, one JSON object a line",
    settings: SERVER_SETTINGS,
    positionals: {},
    flags: SERVER_FLAGS,
  },
  "dead-letters replay": {
    summary: "sends one again, or all, once what was wrong is mended",
    settings: SERVER_SETTINGS,
    positionals: { which: WHICH },
    flags: {
      ...SERVER_FLAGS,
      raw: { kind: "text", summary: "file with its mended text; -: from stdin" } as
        & Flag
        & TextValue,
    },
  },
  "dead-letters purge": {
    summary: "throws one away, or all",
    settings: SERVER_SETTINGS,
    positionals: { which: WHICH },
    flags: SERVER_FLAGS,
  },
} as const satisfies Readonly<Record<string, Subcommand>>;

/** The words of a subcommand. */
export type SubcommandName = keyof typeof SUBCOMMANDS;

/** What a subcommand was given: its arguments, and its flags, null where they are not there. */
export type Given<Name extends SubcommandName> =
  & { readonly [Key in keyof (typeof SUBCOMMANDS)[Name]["positionals"]]: string }
  & {
    readonly [Key in keyof (typeof SUBCOMMANDS)[Name]["flags"]]:
      | ((typeof SUBCOMMANDS)[Name]["flags"][Key] extends infer Of extends Value ? ValueOf<Of>
        : never)
      | null;
  };

/** Which subcommand the words of a command line name. */
export interface FoundSubcommand {
  /** Its name; null to run the collector. */
  readonly name: SubcommandName | null;
  /** The words that are left over. */
  readonly rest: readonly string[];
}

/** Finds the subcommand that words begin with, or says why they name none. */
export function findSubcommand(words: readonly string[]): FoundSubcommand | string {
  const [first = "", second] = words;
  const actions = subcommands().map(([name]) => name.split(" "))
    .flatMap(([noun, action]) => noun === first && action !== undefined ? [action] : []);
  if (actions.length === 0) {
    return isName(first) ? { name: first, rest: words.slice(1) } : { name: null, rest: words };
  }
  const name = `${first} ${second}`;
  if (isName(name)) return { name, rest: words.slice(2) };
  const expected = `expected ${actions.join(" or ")}`;
  return second === undefined
    ? `${first} needs to be told what to do: ${expected}`
    : `${first} can not "${second}": ${expected}`;
}

/** All of them with what they take. */
export function subcommands(): [SubcommandName, Subcommand][] {
  return Object.entries(SUBCOMMANDS) as [SubcommandName, Subcommand][];
}

function isName(text: string): text is SubcommandName {
  return Object.hasOwn(SUBCOMMANDS, text);
}

function limit(unit: string, max: number, summary: string): Flag & { kind: "integer" } {
  return { kind: "integer", unit, min: 1, max, summary };
}
