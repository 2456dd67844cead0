/** Refusals as `application/problem+json` (RFC 9457). */

import { IN_DOUBT, type Refusal, type RefusalCode } from "./errors.ts";
import type { Answer } from "./protocol.ts";
import { REFUSALS } from "./refusals.ts";

/** Where the type of a problem can be looked up on the collector itself. */
export const PROBLEMS_PATH = "/problems/";

/** What the names of refused requests begin with: names only, nothing is kept under them. */
export const REQUESTS_PATH = "/requests/";

/** The answer for a refusal. Nothing of the request is or will be stored, unless it is in doubt. */
export function problemAnswer(refusal: Refusal): Answer {
  return problemOfStatus(refusal, REFUSALS[refusal.code].status);
}

/** The same with the status that a protocol gives it. */
export function problemOfStatus(refusal: Refusal, status: number): Answer {
  const { title, retryable } = REFUSALS[refusal.code];
  const { code, detail, errors, errorsTotal, requestId } = refusal;
  const problem = {
    type: PROBLEMS_PATH + code,
    title,
    status,
    detail,
    instance: requestId === undefined ? undefined : REQUESTS_PATH + encodeURIComponent(requestId),
    stored: IN_DOUBT.has(code) ? "unknown" : "none",
    retryable,
    errors,
    errors_total: errorsTotal,
  };
  const body = JSON.stringify(problem);
  return { status, body, type: "application/problem+json", headers: refusal.headers ?? {} };
}

/** What a problem type means, for who follows its link; null if there is no such type. */
export function describeProblem(code: string): object | null {
  if (!Object.hasOwn(REFUSALS, code)) return null;
  return { type: PROBLEMS_PATH + code, ...REFUSALS[code as RefusalCode] };
}
