/** Events as PostHog's clients send them. */

import type { EventProblem } from "../errors.ts";
import { utcOfMs } from "../timestamp.ts";
import type { ClientClock } from "./client_clock.ts";
import type { EventFields } from "./event_rows.ts";
import type { JsonDocument } from "./json_document.ts";
import {
  badEventId,
  badTime,
  eventIdText,
  idText,
  type JsonEvent,
  type Members,
  present,
  problemOf,
  timeText,
} from "./json_events.ts";

const TOKENS = ["api_key", "token", "$token"];
const NO_MEMBERS: Members = new Map();

/** Reads an event. */
export function readPosthogEvent(
  { document, members, metadata }: JsonEvent,
  clock: ClientClock,
): EventFields | EventProblem {
  const type = document.string(members.get("event")) ?? "";
  if (type === "") {
    return problemOf("/event", "missing", "Expected the name of the event, a string.");
  }
  const actor = idText(document, members.get("distinct_id")) ||
    idText(document, members.get("$distinct_id")) ||
    idText(document, properties(document, members).get("distinct_id"));
  if (actor === "") {
    const detail = "Expected the id of a user, here or in the properties, a string or a number.";
    return problemOf("/distinct_id", "missing", detail);
  }
  const eventId = eventIdText(document, members.get("uuid"));
  if (eventId === null) return badEventId("uuid");
  const timestamp = timeOf(document, members, clock);
  return timestamp === null ? badTime("timestamp") : { actor, timestamp, metadata, type, eventId };
}

/** The token among members of a request or an event; empty if it is not there. */
export function tokenAmong(document: JsonDocument, members: Members): string {
  for (const name of TOKENS) {
    const token = document.string(members.get(name)) ?? "";
    if (token !== "") return token;
  }
  return "";
}

/** The token of an event, which browsers put in its properties; empty if it is not there. */
export function tokenOf({ document, members }: JsonEvent): string {
  return tokenAmong(document, members) ||
    (document.string(properties(document, members).get("token")) ?? "");
}

function properties(document: JsonDocument, members: Members): Members {
  const span = members.get("properties");
  return span !== undefined && document.kind(span) === "object"
    ? document.members(span)
    : NO_MEMBERS;
}

/** When it happened; when it was received if it does not say, null if what it says is no time. */
function timeOf(document: JsonDocument, members: Members, clock: ClientClock): string | null {
  const time = present(document, members.get("timestamp"));
  if (time !== null) return timeText(document, time, clock);
  // Before they said when a batch was sent, browsers said how many ms before that an event was.
  const offset = /^\d{1,12}$/.exec(idText(document, members.get("offset")))?.[0] ?? "0";
  return utcOfMs(clock.receivedAt - Number(offset));
}
