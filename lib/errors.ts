/**
 * Everything that can be refused or go wrong, by name. A refusal is data (it travels back to the
 * client); a {@linkcode CollectorError} is an operating error (it reaches the operator).
 */

/** Why a request was refused. Closed: a new code without a row in `REFUSALS` of `refusals.ts` does not compile. */
export type RefusalCode =
  | "body-timeout"
  | "body-too-large"
  | "content-coding"
  | "body-incomplete"
  | "decoded-too-large"
  | "draining"
  | "empty-body"
  | "event-too-large"
  | "forbidden"
  | "headers-too-large"
  | "host"
  | "idempotency-key"
  | "internal"
  | "invalid-event"
  | "invalid-utf8"
  | "key-in-flight"
  | "key-reused"
  | "length-required"
  | "malformed-json"
  | "method"
  | "misdirected"
  | "not-found"
  | "origin"
  | "overloaded"
  | "parameter"
  | "queue-full"
  | "rate-limited"
  | "store-failing"
  | "token-in-url"
  | "token-missing"
  | "too-deep"
  | "too-many-auth-failures"
  | "too-many-bodies"
  | "too-many-events"
  | "too-many-tails"
  | "unauthorized"
  | "unconfirmed"
  | "unknown-dead-letter"
  | "unknown-event"
  | "unknown-export-point"
  | "unknown-receipt"
  | "unreadable"
  | "unsupported-coding"
  | "unsupported-type"
  | "uri-too-long";

/** One thing wrong with one event. Never carries the value itself. */
export interface EventProblem {
  /** Position in a JSON array, from 0. */
  readonly index?: number;
  /** Line of an NDJSON body, from 1. */
  readonly line?: number;
  /** JSON Pointer (RFC 6901) into the event. */
  readonly pointer: string;
  /** Stable name of the problem, such as `type` or `timestamp`. */
  readonly code: string;
  /** What was expected. */
  readonly detail: string;
}

/** Why a request was refused, with what the client needs to mend it. */
export interface Refusal {
  /** Which refusal this is. */
  readonly code: RefusalCode;
  /** One sentence: what was wrong and what was expected. */
  readonly detail: string;
  /** The first 20 problems found in the events. */
  readonly errors?: readonly EventProblem[];
  /** How many problems were found in all. */
  readonly errorsTotal?: number;
  /** How many events the refused request held, where they could be counted; 0 otherwise. */
  readonly events?: number;
  /** Headers the answer must carry, such as `allow` or `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Id of the request, given where it is answered. */
  readonly requestId?: string;
}

/** The refusals after which the events may be stored or not: the client can not know. */
export const IN_DOUBT: ReadonlySet<RefusalCode> = new Set([
  "internal",
  "unconfirmed",
  "key-in-flight",
]);

/** Tells a refusal from a result. */
export function isRefusal(value: object): value is Refusal {
  return "code" in value;
}

/** Why the collector itself cannot go on. */
export type CollectorErrorCode =
  | "config"
  | "usage"
  | "database-corrupt"
  | "database-foreign"
  | "database-locked"
  | "database-open"
  | "database-path"
  | "second-collector"
  | "listen"
  | "refused"
  | "store-hung";

/** Exit status per error, after sysexits.h. */
export const EXIT_CODES: Readonly<Record<CollectorErrorCode, number>> = {
  "config": 78,
  "usage": 64,
  "database-corrupt": 65,
  "database-foreign": 78,
  "database-locked": 75,
  "database-open": 78,
  "database-path": 78,
  "second-collector": 75,
  "listen": 71,
  "refused": 69,
  "store-hung": 70,
};

/** Exit status when it was stopped with events not stored. */
export const EXIT_NOT_STORED = 1;
/** Exit status when a part of it ended that never should: a bug. */
export const EXIT_BUG = 70;

/** An operating error: what happened, and the way out for the operator. */
export class CollectorError extends Error {
  /** Which error this is. */
  readonly code: CollectorErrorCode;
  /** What the operator can do about it. */
  readonly hint: string;

  /** Names the error, its message and the way out; `cause` keeps the original. */
  constructor(
    code: CollectorErrorCode,
    message: string,
    options: { readonly hint: string; readonly cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = "CollectorError";
    this.code = code;
    this.hint = options.hint;
  }
}
