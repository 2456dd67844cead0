/** What the Splunk HTTP Event Collector answers: a text and a code in every body. */

import type { Refusal, RefusalCode } from "../errors.ts";
import type { Answer } from "../protocol.ts";
import { headersOf, jsonAnswer, statusOf } from "./answers.ts";

/** Clients that honour Retry-After at all hold their events meanwhile. */
const RETRY_SECONDS_MAX = 5;

/** Those of Splunk's codes that are given here. */
export type HecCode =
  | 0
  | 1
  | 2
  | 4
  | 5
  | 6
  | 8
  | 9
  | 10
  | 11
  | 12
  | 13
  | 14
  | 15
  | 16
  | 17
  | 18
  | 27;

/** The status that each goes with, and its text. */
const CODES: Readonly<Record<HecCode, readonly [number, string]>> = {
  0: [200, "Success"],
  1: [403, "Token disabled"],
  2: [401, "Token is required"],
  4: [403, "Invalid token"],
  5: [400, "No data"],
  6: [400, "Invalid data format"],
  8: [500, "Internal server error"],
  9: [503, "Server is busy"],
  10: [400, "Data channel is missing"],
  11: [400, "Invalid data channel"],
  12: [400, "Event field is required"],
  13: [400, "Event field cannot be blank"],
  14: [400, "ACK is disabled"],
  15: [400, "Error in handling indexed fields"],
  16: [400, "Query string authorization is not enabled"],
  17: [200, "HEC is healthy"],
  18: [503, "HEC is unhealthy, queues are full"],
  27: [413, "Request entity too large"],
};

/** The codes of refusals; of all others, 6 with the refusal's own status. */
const CODE_OF: Readonly<Partial<Record<RefusalCode, HecCode>>> = {
  "body-incomplete": 9,
  "body-timeout": 9,
  "body-too-large": 27,
  "decoded-too-large": 27,
  "draining": 9,
  "empty-body": 5,
  "event-too-large": 27,
  "forbidden": 1,
  "internal": 8,
  "key-in-flight": 9,
  "origin": 1,
  "overloaded": 9,
  "queue-full": 9,
  "rate-limited": 9,
  "store-failing": 9,
  "token-in-url": 16,
  "token-missing": 2,
  "too-many-auth-failures": 9,
  "too-many-bodies": 9,
  "too-many-events": 27,
  "too-many-tails": 9,
  "unauthorized": 4,
  "unconfirmed": 9,
  "unreadable": 9,
};

/** The codes of what can be wrong with an event or a parameter, by the problem's `code`. */
const CODE_OF_PROBLEM: ReadonlyMap<string, HecCode> = new Map([
  ["event-missing", 12],
  ["event-blank", 13],
  ["fields", 15],
  ["channel", 11],
]);

/** The answer with one of Splunk's codes. `members` come behind text and code. */
export function hecAnswer(
  code: HecCode,
  members: Readonly<Record<string, unknown>> = {},
  headers?: Readonly<Record<string, string>>,
): Answer {
  const [status, text] = CODES[code];
  return jsonAnswer(status, JSON.stringify({ text, code, ...members }), headers);
}

/** The answer to a refused request. */
export function hecRefused(refusal: Refusal): Answer {
  const [problem] = refusal.errors ?? [];
  const known = CODE_OF[refusal.code];
  const code = known ?? CODE_OF_PROBLEM.get(problem?.code ?? "") ?? 6;
  const headers = headersOf(refusal, RETRY_SECONDS_MAX);
  if (CODES[code][0] === 503) headers["retry-after"] ??= "1";
  const members = problem === undefined
    ? {}
    : { "invalid-event-number": problem.index, "detail": problem.detail };
  const answer = hecAnswer(code, members, headers);
  return known !== undefined || refusal.code === "invalid-event" || refusal.code === "parameter"
    ? answer
    : { ...answer, status: statusOf(refusal, {}) };
}
