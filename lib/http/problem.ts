/** Refusals on the wire: `application/problem+json` (RFC 9457). */

import { IN_DOUBT, type Refusal, type RefusalCode, REFUSALS } from "../errors.ts";

/** Where the type of a problem can be looked up on the collector itself. */
export const PROBLEMS_PATH = "/problems/";

/** The answer for a refusal. Nothing of the request is or will be stored, unless it is in doubt. */
export function problemResponse(refusal: Refusal): Response {
  const { status, title, retryable } = REFUSALS[refusal.code];
  const { code, detail, errors, errorsTotal } = refusal;
  const problem = {
    type: PROBLEMS_PATH + code,
    title,
    status,
    detail,
    stored: IN_DOUBT.has(code) ? "unknown" : "none",
    retryable,
    errors,
    errors_total: errorsTotal,
  };
  return new Response(JSON.stringify(problem), {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...refusal.headers,
    },
  });
}

/** What a problem type means, for who follows its link; null if there is no such type. */
export function describeProblem(code: string): object | null {
  if (!Object.hasOwn(REFUSALS, code)) return null;
  return { type: PROBLEMS_PATH + code, ...REFUSALS[code as RefusalCode] };
}
