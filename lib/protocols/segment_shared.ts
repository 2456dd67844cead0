/**
 * What a batch says once for all of its events: its `context` and `integrations`. Clients do not
 * use that, but the API has it. Each event is kept as sent, with what it lacks of them inserted: as
 * first members of the event, or of its own `context` or `integrations`, whose members stay.
 */

import type { JsonDocument, Span } from "./json_document.ts";
import type { Members } from "./json_events.ts";

/** Members as text, by name. */
export type Texts = ReadonlyMap<string, string>;

/** The members that the events of a batch share. */
export interface SharedMembers {
  /** By name. */
  readonly members: Members;
  /** The members of each, as text, by its name and theirs. */
  readonly texts: ReadonlyMap<string, Texts>;
  /** How long they are. */
  readonly bytes: number;
}

/** The shared members among those of a batch. */
export function sharedMembers(
  document: JsonDocument,
  batch: Members,
): SharedMembers {
  const members = new Map<string, Span>(), texts = new Map<string, Texts>();
  let bytes = 0;
  for (const name of ["context", "integrations"]) {
    const span = batch.get(name);
    if (span === undefined || document.kind(span) !== "object") continue;
    members.set(name, span);
    texts.set(name, textsOf(document, document.members(span)));
    bytes += span.end - span.start;
  }
  return { members, texts, bytes };
}

/** An event's text with what it lacks of the shared members. */
export function withShared(document: JsonDocument, event: Span, shared: SharedMembers): string {
  const text = document.raw(event);
  if (shared.members.size === 0 || document.kind(event) !== "object") return text;
  const own = document.members(event);
  const whole = textsOf(document, shared.members);
  const insertions = [{ at: event.start + 1, text: lacking(whole, own) }];
  for (const [name, texts] of shared.texts) {
    const object = own.get(name);
    if (object === undefined || document.kind(object) !== "object") continue;
    insertions.push({ at: object.start + 1, text: lacking(texts, document.members(object)) });
  }
  insertions.sort((a, b) => a.at - b.at);
  let result = "", from = event.start;
  for (const { at, text } of insertions) {
    result += document.raw({ start: from, end: at }) + text;
    from = at;
  }
  return result + document.raw({ start: from, end: event.end });
}

/** The members that an object lacks, as text that can stand before its own. */
function lacking(shared: Texts, own: Members): string {
  const texts = [...shared].filter(([name]) => !own.has(name)).map(([, text]) => text);
  return texts.length === 0 ? "" : texts.join() + (own.size === 0 ? "" : ",");
}

function textsOf(document: JsonDocument, members: Members): Texts {
  return new Map(
    [...members].map(([name, span]) => [name, `${JSON.stringify(name)}:${document.raw(span)}`]),
  );
}
