/** What the end-to-end tests expect of every refusal, and of the account in the end. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import type { CollectorProcess } from "./collector_process.ts";
import { storedCount } from "./rows.ts";

/** An answer, whichever client read it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** One entry of a problem's `errors`. */
export interface ProblemEntry {
  readonly index?: number;
  readonly line?: number;
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

/** The body of a refusal (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly stored: string;
  readonly retryable: boolean;
  readonly errors?: readonly ProblemEntry[];
  readonly errors_total?: number;
}

/** The codes of the refusals these tests provoke; the contract, written down a second time. */
export const STATUS = {
  "body-incomplete": 400,
  "body-timeout": 408,
  "body-too-large": 413,
  "content-coding": 400,
  "decoded-too-large": 413,
  "empty-body": 400,
  "event-too-large": 413,
  "headers-too-large": 431,
  "host": 400,
  "idempotency-key": 400,
  "invalid-event": 422,
  "invalid-utf8": 400,
  "key-reused": 422,
  "length-required": 411,
  "malformed-json": 400,
  "method": 405,
  "misdirected": 421,
  "not-found": 404,
  "too-deep": 400,
  "too-many-events": 413,
  "unknown-receipt": 404,
  "unsupported-coding": 415,
  "unsupported-type": 415,
  "uri-too-long": 414,
} as const;

/** A code that a request can be refused with. */
export type Code = keyof typeof STATUS;

const RETRYABLE: ReadonlySet<string> = new Set(["body-incomplete", "body-timeout"]);
const MEMBERS = new Set(
  [
    ...["type", "title", "status", "detail", "instance", "stored", "retryable", "errors"],
    "errors_total",
  ],
);

/** Asserts that an answer is the refusal `code`, complete and well-formed, and gives its body. */
export function problem(answer: Answer | string, code: Code): Problem {
  const found = anyProblem(answer);
  equal(found.type, `/problems/${code}`, found.detail);
  return found;
}

/** Asserts that an answer is a well-formed refusal that stored nothing, and gives its body. */
export function anyProblem(answer: Answer | string): Problem {
  if (typeof answer === "string") throw new Error(`expected a refusal, got: ${answer}`);
  const { status, headers, text } = answer;
  equal(headers.get("content-type"), "application/problem+json", `${status} ${text}`);
  equal(headers.get("cache-control"), "no-store");
  equal(headers.get("x-content-type-options"), "nosniff");
  const found: Problem = JSON.parse(text);
  const code = found.type.replace("/problems/", "");
  ok(Object.hasOwn(STATUS, code), `an unexpected code: ${text}`);
  equal(found.status, STATUS[code as Code], text);
  equal(status, found.status);
  match(found.title, /^[A-Z]/);
  match(found.detail, /\.$/);
  equal(found.instance, `/requests/${encodeURIComponent(headers.get("x-request-id") ?? "")}`);
  equal(found.stored, "none");
  equal(found.retryable, RETRYABLE.has(code));
  deepEqual(Object.keys(found).filter((member) => !MEMBERS.has(member)), []);
  ok((found.errors?.length ?? 0) <= 20);
  for (const { pointer } of found.errors ?? []) ok(pointer.length <= 256);
  return found;
}

/** Asserts that an answer is 202. */
export function accepted(answer: Answer | string): void {
  if (typeof answer === "string") throw new Error(`expected 202, got: ${answer}`);
  equal(answer.status, 202, answer.text);
  equal(answer.headers.get("content-type"), "application/json");
}

/**
 * Waits until nothing is under way, then asserts that exactly `stored` events are in the database
 * and that the account explains every event received.
 */
export async function assertAccount(collector: CollectorProcess, stored: number): Promise<void> {
  await collector.until((stats) => stats.bodies_in_flight === 0);
  const stats = await collector.settled();
  const { received, accepted, rejected, duplicates, committed, dead_lettered } = stats;
  deepEqual({ residual: stats.residual, dead_lettered }, { residual: 0, dead_lettered: 0 });
  equal(received, (accepted ?? NaN) + (rejected ?? NaN) + (duplicates ?? NaN));
  deepEqual({ accepted, committed }, { accepted: stored, committed: stored });
  equal(storedCount(collector.database), stored);
}

/**
 * A step of a test that shares one collector. The test as a whole is checked for leaks; a step can
 * not be, since the collector's output is read all the while.
 */
export async function step(
  t: Deno.TestContext,
  name: string,
  fn: () => Promise<void>,
): Promise<void> {
  await t.step({ name, fn, sanitizeOps: false, sanitizeResources: false });
}
