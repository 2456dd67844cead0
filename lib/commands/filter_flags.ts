/** The flags of commands that narrow the events, as a query string and as what it asks for. */

import { CollectorError } from "../errors.ts";
import { FILTER_PARAMETERS, ParameterError, QueryParameters } from "../query_parameters.ts";
import type { EventFilter } from "../query.ts";

/** What they were given. */
export interface FilterFlags {
  /** Received at this time or later. */
  readonly from: string | null;
  /** Received before this time. */
  readonly to: string | null;
  /** The user's id. */
  readonly userId: string | null;
  /** The event's name. */
  readonly type: string | null;
  /** Token or protocol it came through. */
  readonly source: string | null;
  /** The producer's id. */
  readonly eventId: string | null;
  /** Each a path in `metadata`, `=` and a value. */
  readonly where: readonly string[] | null;
}

/** What is asked of a collector for them. */
export function filterQuery(flags: FilterFlags): URLSearchParams {
  const { from, to, userId: user_id, type, source, eventId: event_id, where } = flags;
  const query = new URLSearchParams();
  for (const [name, text] of Object.entries({ from, to, user_id, type, source, event_id })) {
    if (text !== null) query.append(name, text);
  }
  for (const text of where ?? []) {
    const at = text.indexOf("="); // the value may hold more of them, the path can not
    query.append(`where[${text.slice(0, at)}]`, text.slice(at + 1));
  }
  return query;
}

/** Which events they mean. @throws {CollectorError} if they mean none. */
export function filterOf(flags: FilterFlags): EventFilter {
  try {
    const parameters = new QueryParameters(filterQuery(flags).toString());
    const filter = parameters.filter();
    parameters.end(FILTER_PARAMETERS);
    return filter;
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    throw new CollectorError(
      "usage",
      `The events can not be narrowed like that: ${error.message}`,
      {
        hint: "--help shows the flags; the README says what they mean.",
      },
    );
  }
}
