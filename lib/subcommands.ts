/** What the program can be asked for beside running: each with its arguments and flags. */

import { isOrigin, ORIGIN_EXPECTED } from "./origin.ts";
import { EXPORT_POINT_NAME_EXPECTED, isExportPointName } from "./export_point.ts";
import {
  type FlagValue,
  listItems,
  type ListValue,
  type TextValue,
  type ValueOf,
} from "./option_value.ts";
import type { OptionName } from "./options.ts";
import { TIME_EXPECTED, timeOf } from "./query_parameters.ts";
import {
  areScopes,
  isTokenName,
  LIMITS_MAX,
  SCOPES_EXPECTED,
  TOKEN_NAME_EXPECTED,
} from "./token.ts";
import { ORIGINS_MAX } from "./token_list.ts";

/** A flag that only one subcommand has. */
export type Flag = FlagValue & {
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
    summary: "file that holds a token with the scope admin, or read to read, where one is needed",
  } as Flag & TextValue,
};
const WHICH: TextValue = {
  kind: "text",
  isValid: (text) => text === "all" || /^[1-9]\d{0,14}$/.test(text),
  expected: "an id that `dead-letters list` shows, or all",
};

const TIME = { kind: "text", isValid: (text) => timeOf(text) !== null, expected: TIME_EXPECTED } as
  & Flag
  & TextValue;
/** What narrows the events. */
const FILTER_FLAGS = {
  from: { ...TIME, summary: "received at this time or later" },
  to: { ...TIME, summary: "received before this time" },
  userId: { kind: "text", summary: "of this user" } as Flag & TextValue,
  type: { kind: "text", summary: "with this name" } as Flag & TextValue,
  source: { kind: "text", summary: "through this token or protocol" } as Flag & TextValue,
  eventId: { kind: "text", summary: "with this id of its producer" } as Flag & TextValue,
  where: {
    kind: "list",
    isValid: (text) => /^[^=]+=/.test(text),
    expected: "a member of metadata and its value, such as cart.items.0.sku=A7",
    summary: "with this member of metadata: cart.items.0.sku=A7; may be given 8 times",
  } as Flag & ListValue,
};
const FILE: TextValue = { kind: "text", isValid: (text) => text !== "", expected: "a path" };

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
  "export": {
    summary:
      "writes the events of a database out, while a collector uses it or not, the oldest first",
    settings: ["db", ...SERVER_SETTINGS],
    positionals: {},
    flags: {
      format: {
        kind: "choice",
        choices: ["ndjson", "csv", "parquet"],
        summary: "how; ndjson by default",
      },
      output: {
        kind: "text",
        summary: "file to make; what is there already is refused; -: stdout, the default",
      } as Flag & TextValue,
      resume: {
        kind: "switch",
        summary: "goes on where an export into this file, with the same filters, broke off",
      },
      ...FILTER_FLAGS,
      point: {
        kind: "text",
        isValid: isExportPointName,
        expected: EXPORT_POINT_NAME_EXPECTED,
        summary: "begins after this export point, and moves it once the file is whole; needs a " +
          "running collector",
      } as Flag & TextValue,
      ...SERVER_FLAGS,
    },
  },
  "tail": {
    summary: "shows events of a running collector as they are stored, until Ctrl-C",
    settings: SERVER_SETTINGS,
    positionals: {},
    flags: {
      ...FILTER_FLAGS,
      last: {
        kind: "integer",
        unit: "events",
        min: 0,
        max: 1000,
        summary: "begins with so many that are there",
      },
      format: {
        kind: "choice",
        choices: ["text", "json"],
        summary: "how: text by default in a terminal, else json, one event a line",
      },
      ...SERVER_FLAGS,
    },
  },
  "backup": {
    summary: "copies a database into a new file, while a collector uses it or not",
    settings: ["db", "logFormat"],
    positionals: { file: FILE },
    flags: {},
  },
  "restore": {
    summary: "puts a backup in the place of the database that --db names, which is moved aside",
    settings: ["db", "logFormat"],
    positionals: { file: FILE },
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
      | ((typeof SUBCOMMANDS)[Name]["flags"][Key] extends infer Of extends FlagValue ? ValueOf<Of>
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
