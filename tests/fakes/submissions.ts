/** Submissions whose events carry a number, so that each can be told from all others. */

import { fieldsOf, type Submission } from "../../lib/event.ts";

/** The raw text of the event with this number. */
export function rawText(id: number): string {
  return `{"n":${id}}`;
}

/** A submission of the events with these numbers: its body has one event a line. */
export function submission(ids: readonly number[], source = "test", receivedAt = 7): Submission {
  const body = ids.map(rawText).join("\n");
  const fields = ids.flatMap((id) =>
    fieldsOf({
      userId: String(id),
      timestamp: "2026-11-24T11:03:40Z",
      metadata: rawText(id),
      actor: null,
      type: null,
      eventId: null,
    })
  );
  return {
    events: ids.length,
    bytes: body.length + 100 * ids.length,
    receivedAt,
    source,
    protocol: "test",
    fields,
    body,
    splitBody: (bytes) => new TextDecoder().decode(bytes).split("\n"),
  };
}
