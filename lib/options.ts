/** Every setting, once: its name, range, unit and meaning. `config.ts` reads them and shows them. */

import { isOrigin, ORIGIN_EXPECTED } from "./origin.ts";
import { type ChoiceValue, type IntegerValue, listItems, type TextValue } from "./option_value.ts";

/** Where an option stands in `--help`. */
export type Group =
  | "Listener"
  | "Access"
  | "Queue and writer"
  | "Database"
  | "Reading"
  | "Operation";

/** What every option has; `Value` is the type of its default. */
export interface OptionBase<Value> {
  /** Where it stands in `--help`. */
  readonly group: Group;
  /** The value without a flag or variable. */
  readonly default: Value;
  /** The default in words, where the value does not tell. */
  readonly defaultShown?: string;
  /** What it means, in a line. */
  readonly summary: string;
}

/** An option whose value is an integer within a range. */
export type IntegerOption = IntegerValue & OptionBase<number>;
/** An option whose value is any text. */
export type TextOption = TextValue & OptionBase<string>;
/** An option whose value is one of a few words. */
export type ChoiceOption<T extends string = string> = ChoiceValue<T> & OptionBase<T>;
/** An option of any kind. */
export type Option = IntegerOption | TextOption | ChoiceOption;

/** Bytes in a KiB. */
export const KIB: number = 1024;
/** Bytes in a MiB. */
export const MIB: number = 1024 * KIB;
const GIB = 1024 * MIB;
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
    isValid: (text) => /^[^\s/?#@,]*( *, *[^\s/?#@,]+)*$/.test(text),
    expected: "names separated by commas",
  } as TextOption,
  tlsCert: text(
    "Listener",
    "",
    "path of a certificate with its chain, PEM: serves HTTPS; needs --tls-key",
  ),
  tlsKey: text("Listener", "", "path of the certificate's private key, PEM"),
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
  tokens: {
    ...text("Access", "", "path of the file that `firehouse token` keeps the tokens in"),
    defaultShown: "the database's path with .tokens.json",
  } as TextOption,
  anonymous: choice(
    "Access",
    "loopback",
    ["loopback", "always"],
    "requests without a token: loopback: served only on a loopback address and only while there " +
      "are no tokens; always: they may send, whatever the address and the tokens",
  ),
  allowedOrigins: {
    ...text(
      "Access",
      "",
      "origins of web pages that may use the collector without a token, separated by commas; " +
        "*: any may send",
    ),
    isValid: (text) => listItems(text).every(isOrigin),
    expected: ORIGIN_EXPECTED,
  } as TextOption,
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
  durability: choice(
    "Queue and writer",
    "disk",
    ["disk", "memory"],
    "disk: 2xx once the event is flushed to the disk; memory: 202 once it is queued",
  ),
  ackTimeoutMs: integer(
    "Queue and writer",
    10_000,
    100,
    HOUR_MS,
    "ms",
    "longest wait for the flush; after it the answer is 500, stored unknown",
  ),
  recentEventIds: integer(
    "Queue and writer",
    1_000_000,
    0,
    16_000_000,
    "ids",
    "event ids remembered, 24 to 28 bytes of memory each; a repeat of one is not stored again",
  ),
  recentRequests: integer(
    "Queue and writer",
    1_000_000,
    1,
    16_000_000,
    "keys",
    "Idempotency-Keys remembered, 60 to 64 bytes of memory each, for at most 24 hours",
  ),
  batchSize: integer(
    "Queue and writer",
    200,
    1,
    1_000_000,
    "events",
    "events that end the linger; with durability memory only",
  ),
  batchLingerMs: integer(
    "Queue and writer",
    5,
    0,
    60_000,
    "ms",
    "longest wait for a batch to fill on a quiet queue; with durability memory only",
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
  journalBytes: integer(
    "Database",
    GIB,
    MIB,
    1024 * GIB,
    "bytes",
    "most disk for the journal, which takes the events while the database can not",
  ),
  walBytes: integer(
    "Database",
    GIB,
    64 * MIB,
    1024 * GIB,
    "bytes",
    "most disk for the database's log when a reader keeps it from being emptied",
  ),
  onCorrupt: choice(
    "Database",
    "refuse",
    ["refuse", "rotate"],
    "a corrupt database: refuse to start, or move it aside whole and begin a new one",
  ),
  retainDays: integer(
    "Database",
    0,
    0,
    36_500,
    "days",
    "events are removed when they were received longer ago; 0: kept for ever",
  ),
  retainBytes: {
    ...integer(
      "Database",
      0,
      0,
      512 * 1024 * GIB,
      "bytes",
      "largest database file, at least 64 MiB and what ids and keys take, in all 152 MiB by " +
        "default: above it the oldest events are removed; 0: no limit",
    ),
    defaultShown: "0",
  } as IntegerOption,
  retainUnexported: choice(
    "Database",
    "no",
    ["yes", "no"],
    "yes: no event after the lowest export point is removed, and none while there is no such point",
  ),
  storeTimeoutMs: integer(
    "Database",
    60_000,
    1000,
    HOUR_MS,
    "ms",
    "the store counts as hung, and the process ends, when one call takes longer",
  ),
  queryTimeoutMs: integer(
    "Reading",
    5000,
    10,
    HOUR_MS,
    "ms",
    "longest time for a query; what was found by then is the answer, which says so",
  ),
  index: choice(
    "Reading",
    "on",
    ["on", "off"],
    "on: what is stored is indexed behind the writer, in a file beside the database",
  ),
  readyStallMs: integer(
    "Operation",
    10_000,
    100,
    HOUR_MS,
    "ms",
    "/readyz answers 503 when nothing could be stored for longer",
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
  logRequests: choice(
    "Operation",
    "none",
    ["none", "refused", "all"],
    "requests that get a line on stderr; refused: those answered 4xx or 5xx, 100 a second at most",
  ),
  config: text(
    "Operation",
    "",
    "path of a file of settings, one `name = value` a line, named like the flags without --",
  ),
} as const;

/** The name of an option in {@linkcode Config}. */
export type OptionName = keyof typeof OPTIONS;

/** The settings of which a change in the file is taken on SIGHUP; of others at the next start. */
export const RELOADABLE = [
  "maxBodyBytes",
  "maxDecodedBytes",
  "maxRequestEvents",
  "maxEventBytes",
  "bodyTimeoutMs",
  "maxBodies",
  "maxBodiesBytes",
  "allowedOrigins",
  "ackTimeoutMs",
  "readyStallMs",
  "shutdownTimeoutMs",
  "retainDays",
  "retainBytes",
  "retainUnexported",
  "logFormat",
  "logRequests",
] as const satisfies readonly OptionName[];

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
