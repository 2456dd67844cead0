/** What the operations that send no events have in common. */

import type { RefusalCode } from "../errors.ts";
import { TOKEN } from "./ingest.ts";
import { merged, problems } from "./refusals.ts";
import type { Responses, ResponseSpec, Security } from "./spec.ts";

/** What needs a token, where there are tokens. */
export const WITH_TOKEN: Security = [{ bearer: [] }, {}];
/** What needs none. */
export const OPEN: Security = [];

/** The answers of an operation that refuses what is listed, and what every one may refuse. */
export function answers(
  good: Readonly<Record<string, ResponseSpec>>,
  refuses: readonly RefusalCode[] = [],
): Responses {
  const refused = merged(problems(refuses), problems(["internal"]));
  return { ...merged(good, refused), "4XX": { $ref: "#/components/responses/Refused" } };
}

/** The answers of an operation that needs a token as well. */
export function answersWithToken(
  good: Readonly<Record<string, ResponseSpec>>,
  refuses: readonly RefusalCode[] = [],
): Responses {
  return answers(good, [...TOKEN, ...refuses]);
}
