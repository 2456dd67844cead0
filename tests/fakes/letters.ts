/** Events that were found bad when they were decoded. */

import type { Submission } from "../../lib/event.ts";

/** What they share. */
export interface LettersOptions {
  readonly reason?: string;
  readonly source?: string;
  readonly protocol?: string;
  readonly receivedAt?: number;
}

/** A submission of dead letters with these raw texts, as decoders set them aside. */
export function letters(
  raws: readonly string[],
  { reason = "why", source = "test", protocol = "test", receivedAt = 7 }: LettersOptions = {},
): Submission {
  return {
    events: raws.length,
    bytes: 100 * raws.length,
    receivedAt,
    source,
    protocol,
    fields: raws.flatMap((raw) => [reason, JSON.stringify(raw)]),
    body: "",
    splitBody: () => [],
  };
}
