/** Refusals in the document: the status of each and its answer, as the program has them. */

import type { Refusal, RefusalCode } from "../errors.ts";
import { problemAnswer } from "../problem.ts";
import type { Answer } from "../protocol.ts";
import { REFUSALS } from "../refusals.ts";
import { headerRef, type Media, type ResponseSpec, type Schema, schemaRef } from "./spec.ts";

/** Makes the answers to a refusal: one, or one for each of several media types. */
export type Refuse = (refusal: Refusal) => readonly Answer[];

/** The schema of refusals in a media type. */
export type RefusalSchemas = Readonly<Record<string, Schema>>;

/** The answers to requests that are refused for one of `codes`, by status. */
export function refusedResponses(
  codes: readonly RefusalCode[],
  refuse: Refuse,
  schemas: RefusalSchemas,
): Record<string, ResponseSpec> {
  const found = codes.flatMap((code) => {
    const { title } = REFUSALS[code];
    return refuse(exampleOf(code)).map((answer) => ({ code, title, answer }));
  });
  const byStatus = Map.groupBy(found, ({ answer }) => String(answer.status));
  return Object.fromEntries(
    [...byStatus].sort(([a], [b]) => Number(a) - Number(b)).map(([status, all]) => [status, {
      description: sentences(all),
      ...headersOf(status),
      content: Object.fromEntries(
        all.map(({ answer }) => [answer.type ?? "", mediaOf(answer, schemas)]).reverse(),
      ),
    }]),
  );
}

/** The same in the collector's own words, `application/problem+json`. */
export function problems(codes: readonly RefusalCode[]): Record<string, ResponseSpec> {
  return refusedResponses(codes, (refusal) => [problemAnswer(refusal)], PROBLEM);
}

const PROBLEM: RefusalSchemas = { "application/problem+json": schemaRef("Problem") };

/** What any request may be refused for, whatever its path: not said again with each. */
export const ANYWHERE: readonly RefusalCode[] = ["host", "uri-too-long", "misdirected"];

/** Answers to refusals of two kinds, together: of those that have the same status, both. */
export function merged(
  first: Readonly<Record<string, ResponseSpec>>,
  second: Readonly<Record<string, ResponseSpec>>,
): Record<string, ResponseSpec> {
  const all: Record<string, ResponseSpec> = { ...first };
  for (const [status, response] of Object.entries(second)) {
    const known = all[status];
    all[status] = known === undefined ? response : {
      description: `${known.description} ${response.description}`,
      headers: { ...response.headers, ...known.headers },
      content: { ...response.content, ...known.content },
    };
  }
  return all;
}

/** Such as a client gets. */
function exampleOf(code: RefusalCode): Refusal {
  const refusal = { code, detail: `${REFUSALS[code].title}.`, requestId: "k7Qd2" };
  if (code !== "invalid-event") return refusal;
  const detail = "Expected an integer from -2^63 to 2^63-1.";
  const errors = [{ index: 3, pointer: "/3/user_id", code: "range", detail }];
  return { ...refusal, detail: "The events have 1 problem.", errors, errorsTotal: 1 };
}

function sentences(all: readonly { readonly code: string; readonly title: string }[]): string {
  const titles = new Map(all.map(({ code, title }) => [code, title]));
  return [...titles].map(([code, title]) => `${title} (\`${code}\`).`).join(" ");
}

function mediaOf({ body, type }: Answer, schemas: RefusalSchemas): Media {
  const schema = schemas[type ?? ""];
  if (schema === undefined) throw new TypeError(`No schema for refusals in ${type}.`);
  return typeof body === "string" ? { schema, example: JSON.parse(body) } : { schema };
}

function headersOf(status: string): Pick<ResponseSpec, "headers"> {
  const names = HEADERS[status] ?? [];
  return { headers: Object.fromEntries(names.map((name) => [name, headerRef(name)])) };
}

const RETRY = ["Retry-After", "X-Request-Id"], PLAIN = ["X-Request-Id"];
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  "400": PLAIN,
  "401": ["WWW-Authenticate", ...PLAIN],
  "403": PLAIN,
  "404": PLAIN,
  "408": PLAIN,
  "409": RETRY,
  "411": PLAIN,
  "413": PLAIN,
  "414": PLAIN,
  "415": ["Accept-Post", "Accept-Encoding", ...PLAIN],
  "421": PLAIN,
  "422": PLAIN,
  "429": RETRY,
  "431": PLAIN,
  "500": PLAIN,
  "503": RETRY,
};
