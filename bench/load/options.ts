/** What the load generator is asked to do: its flags and its `--help`. */

import { parseArgs } from "node:util";

/** The load to make. */
export interface LoadOptions {
  /** Origin of the collector, without a slash at the end. */
  readonly url: string;
  /** How many requests to send; null with a duration. */
  readonly requests: number | null;
  /** Clients, each with at most one request under way. */
  readonly concurrency: number;
  /** Events a request. */
  readonly batch: number;
  /** Requests to start a second; null for as fast as the answers come. */
  readonly rate: number | null;
  /** How long to send, in seconds; null with a number of requests. */
  readonly durationSeconds: number | null;
  /** Longest wait for one answer. */
  readonly timeoutMs: number;
  /** Whether events carry an id of their own, so that a request can be sent again at any time. */
  readonly ids: boolean;
  /** The collector's database, to be checked in the end; null for none. */
  readonly db: string | null;
  /** Whether the summary is to be one JSON object. */
  readonly json: boolean;
}

/** What the command line asks for. */
export type LoadCommand =
  | { readonly kind: "run"; readonly options: LoadOptions }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "usage"; readonly problems: readonly string[] };

interface NumberFlag {
  readonly default: number | null;
  readonly max: number;
  readonly unit: string;
  readonly summary: string;
}

const URL_DEFAULT = "http://127.0.0.1:8000";
const REQUESTS_DEFAULT = 1000;

const NUMBERS = {
  requests: {
    default: null,
    max: 1e9,
    unit: "requests",
    summary: `how many to send (default ${REQUESTS_DEFAULT}, none with --duration)`,
  },
  concurrency: {
    default: 200,
    max: 10_000,
    unit: "clients",
    summary: "clients, each with at most one request under way (default 200)",
  },
  batch: {
    default: 1,
    max: 100_000,
    unit: "events",
    summary: "events a request; 1 is JSON to /event, more are NDJSON to /events (default 1)",
  },
  rate: {
    default: null,
    max: 1_000_000,
    unit: "requests/s",
    summary: "pace at which requests are started, whatever the answers (default none)",
  },
  duration: {
    default: null,
    max: 604_800,
    unit: "s",
    summary: "how long to send, instead of a number of requests (default none)",
  },
  timeout: {
    default: 10_000,
    max: 3_600_000,
    unit: "ms",
    summary: "longest wait for one answer (default 10000)",
  },
} as const satisfies Record<string, NumberFlag>;

type NumberName = keyof typeof NUMBERS;

/** Reads the flags. A lone `--`, which `deno task load -- …` passes on, is ignored. */
export function readOptions(args: readonly string[]): LoadCommand {
  const problems: string[] = [];
  const flags = readFlags(args, problems);
  if (flags.has("help")) return { kind: "help", text: help() };
  for (const name of SWITCHES) {
    if (flags.get(name) !== undefined) problems.push(`--${name} takes no value`);
  }

  const url = readUrl(flags, problems);
  const number = (name: NumberName) => readNumber(name, flags, problems);
  const requests = number("requests"), durationSeconds = number("duration");
  const numbers = { rate: number("rate"), timeoutMs: number("timeout") ?? 0 };
  const sizes = { concurrency: number("concurrency") ?? 0, batch: number("batch") ?? 0 };
  if (requests !== null && durationSeconds !== null) {
    problems.push("--requests and --duration exclude each other");
  }
  const ids = flags.has("ids"), db = readDb(flags, problems);
  if (problems.length > 0) return { kind: "usage", problems };
  const most = durationSeconds === null ? requests ?? REQUESTS_DEFAULT : null;
  const json = flags.has("json");
  return {
    kind: "run",
    options: { url, requests: most, durationSeconds, ids, db, json, ...numbers, ...sizes },
  };
}

const TEXT = { type: "string" } as const;
const TEXTS = ["url", "db"];
const SWITCHES = ["ids", "json"];
const KNOWN: ReadonlySet<string> = new Set([
  ...[...TEXTS, ...SWITCHES, "help"],
  ...Object.keys(NUMBERS),
]);

type Flags = ReadonlyMap<string, string | undefined>;

function readFlags(args: readonly string[], problems: string[]): Flags {
  const flags = new Map<string, string | undefined>();
  const { tokens } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      ...Object.fromEntries([...TEXTS, ...Object.keys(NUMBERS)].map((name) => [name, TEXT])),
      ...Object.fromEntries(SWITCHES.map((name) => [name, { type: "boolean" }])),
      help: { type: "boolean", short: "h" },
    },
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "positional") problems.push(`unexpected argument "${token.value}"`);
    else if (token.kind === "option") {
      if (KNOWN.has(token.name)) flags.set(token.name, token.value);
      else problems.push(`unknown flag ${token.rawName}`);
    }
  }
  return flags;
}

function readDb(flags: Flags, problems: string[]): string | null {
  if (!flags.has("db")) return null;
  const value = flags.get("db") ?? "";
  if (value === "" || value.startsWith("--")) problems.push("--db needs a value");
  else if (!flags.has("ids")) problems.push("--db needs --ids: events are looked for by them");
  return value;
}

function readUrl(flags: Flags, problems: string[]): string {
  if (!flags.has("url")) return URL_DEFAULT;
  const value = flags.get("url") ?? "";
  const url = URL.canParse(value) ? new URL(value) : null;
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) &&
    url.href === `${url.origin}/`;
  if (!isOrigin) {
    problems.push(`--url must be like ${URL_DEFAULT}, without a path, got "${value}"`);
    return "";
  }
  return url.origin;
}

function readNumber(
  name: NumberName,
  flags: Flags,
  problems: string[],
): number | null {
  const { default: byDefault, max } = NUMBERS[name];
  if (!flags.has(name)) return byDefault;
  const value = flags.get(name);
  const number = /^\d{1,15}$/.test(value ?? "") ? Number(value) : NaN;
  if (number >= 1 && number <= max) return number;
  problems.push(
    value === undefined
      ? `--${name} needs a value`
      : `--${name} must be an integer from 1 to ${max}, got "${value}"`,
  );
  return null;
}

function help(): string {
  const numbers = Object.entries(NUMBERS).flatMap(([name, { unit, summary }]) => [
    `  --${name} <${unit}>`,
    `      ${summary}`,
  ]);
  return [
    "Sends events to a collector and checks that its counters account for every one of them.",
    "",
    "  --url <url>",
    `      origin of the collector (default ${URL_DEFAULT})`,
    ...numbers,
    "  --ids",
    "      give each event an id of its own, and send a request whose outcome is unknown again",
    "  --db <file>",
    "      the collector's database: check in the end that each acknowledged event is in it once;",
    "      needs --ids",
    "  --json",
    "      print the summary as one JSON object",
    "",
    "A request refused with 503 or 429 and a Retry-After is sent again after that time, for up to",
    "120 s from its first try. With --ids so is one that got no answer, or 5xx: the collector knows",
    "by the ids what it has already. The latency is that of answers with 202: from the start of the",
    "try, or with --rate from when the request was due.",
    "",
    "In the end it waits up to 60 s until the collector has stored what it queued, and compares the",
    "change of its counters with its own. Nobody else should send to the collector meanwhile. A",
    "collector that was restarted counts anew; then only --db can tell.",
    "Ctrl-C stops sending and prints the summary so far; again, a second or more later, exits at",
    "once.",
    "",
    "Exit status: 0 every event is accounted for; 1 an event is not, or the collector cannot be",
    "  reached; 2 every event is accounted for, but requests failed in the end; 64 a bad flag;",
    "  130 a second Ctrl-C.",
    "",
  ].join("\n");
}
