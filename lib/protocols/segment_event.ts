/** Events as Segment's API has them, each a call of its tracking methods. */

import type { EventProblem } from "../errors.ts";
import { utcOfMs } from "../timestamp.ts";
import type { ClientClock } from "./client_clock.ts";
import type { EventFields } from "./event_rows.ts";
import {
  badEventId,
  badTime,
  eventIdText,
  idText,
  type JsonEvent,
  present,
  problemOf,
  timeText,
} from "./json_events.ts";

/** The types of call by the letter that a browser's paths have for them. */
export const CALLS: Readonly<Record<string, string>> = {
  t: "track",
  i: "identify",
  p: "page",
  s: "screen",
  g: "group",
  a: "alias",
};
const TYPES: ReadonlySet<string> = new Set(Object.values(CALLS));

/** Reads an event of a type, which a request's path gives or the event itself. */
export function readSegmentEvent(
  { document, members, metadata }: JsonEvent,
  call: string,
  clock: ClientClock,
): EventFields | EventProblem {
  if (!TYPES.has(call)) {
    return problemOf("/type", "type", `Expected one of ${[...TYPES].join(", ")}.`);
  }
  const name = document.string(members.get("event")) ?? "";
  if (call === "track" && name === "") {
    return problemOf("/event", "missing", "Expected the name of the tracked event, a string.");
  }
  const id = (member: string) => idText(document, members.get(member));
  const actor = id("userId") || id("anonymousId") || id("previousId");
  // The API asks for one of the first two; its own clients let a group or an alias go without.
  if (actor === "" && id("groupId") === "") {
    return problemOf("/userId", "missing", "Expected a userId or an anonymousId.");
  }
  const eventId = eventIdText(document, members.get("messageId"));
  if (eventId === null) return badEventId("messageId");
  const timestamp = timeOf({ document, members, metadata }, clock);
  if (typeof timestamp !== "string") return timestamp;
  return { actor, timestamp, metadata, type: call === "track" ? name : call, eventId };
}

/** When it happened; when it was received if it does not say. */
function timeOf({ document, members }: JsonEvent, clock: ClientClock): string | EventProblem {
  for (const member of ["timestamp", "originalTimestamp"]) {
    const time = present(document, members.get(member));
    if (time !== null) return timeText(document, time, clock) ?? badTime(member);
  }
  return utcOfMs(clock.receivedAt);
}
