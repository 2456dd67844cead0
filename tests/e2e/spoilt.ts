/** Requests of which some events are bad. */

import type { Way } from "./protocol_requests.ts";

/** A body as {@linkcode Way.body} makes it with the events of some marks spoilt; for text only. */
export function spoilt(
  { body, spoil = ["", ""] }: Way,
  marks: readonly string[],
  bad: readonly string[],
): string {
  const [goodText, badText] = spoil;
  const all = String(body(marks));
  const parts = all.split(goodText);
  if (parts.length !== marks.length + 1) throw new TypeError(`${goodText} is not in each event`);
  return parts.reduce((sum, part, index) =>
    sum + (bad.includes(marks[index - 1] ?? "") ? badText : goodText) + part
  );
}
