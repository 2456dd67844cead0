/** What can be asked about stored events: which of them, in which order, how many. */

/** A condition on a member of an event's `metadata`. */
export interface MemberFilter {
  /** The way to it, names and array positions: `["cart", "items", "0", "sku"]`. */
  readonly path: readonly string[];
  /** What it is: a string as it is; a number, `true`, `false` or `null` as the JSON has it written. */
  readonly value: string;
}

/** Which events. All that is not null must hold. */
export interface EventFilter {
  /** Received at this time or later, Unix epoch in ms. */
  readonly from: number | null;
  /** Received before this time, Unix epoch in ms. */
  readonly to: number | null;
  /** The user's id: the integer of the native protocol, or the text of another (`actor`). */
  readonly userId: string | null;
  /** The event's name. */
  readonly type: string | null;
  /** Token or protocol it came through. */
  readonly source: string | null;
  /** The producer's id. */
  readonly eventId: string | null;
  /** Members of `metadata`. */
  readonly where: readonly MemberFilter[];
}

/** Every event. */
export const ALL_EVENTS: EventFilter = {
  from: null,
  to: null,
  userId: null,
  type: null,
  source: null,
  eventId: null,
  where: [],
};

/** In the order of commit, or against it. */
export type Order = "asc" | "desc";

/** A page of events. */
export interface PageQuery {
  /** Which events. */
  readonly filter: EventFilter;
  /** In which order. */
  readonly order: Order;
  /** Id of the event after which, in that order, it begins; null for the first page. */
  readonly after: number | null;
  /** Most events. */
  readonly limit: number;
}

/** What events can be counted by. */
export type CountedBy = "type" | "source" | "user_id";

/** How many events there were in each interval. */
export interface SeriesQuery {
  /** Which events; both ends of the time are set, on borders of intervals. */
  readonly filter: EventFilter & { readonly from: number; readonly to: number };
  /** Length of an interval, in ms. */
  readonly intervalMs: number;
  /** What tells the lines apart; null for one line. */
  readonly by: CountedBy | null;
  /** Most lines; what is left is summed up in one more. */
  readonly limit: number;
}

/** Which values are there most often. */
export interface TopQuery {
  /** Which events. */
  readonly filter: EventFilter;
  /** The values of what. */
  readonly by: CountedBy;
  /** Most values. */
  readonly limit: number;
}

/** A stored event; integers that a number can not hold exactly are decimal text. */
export interface StoredEvent {
  /** Its number, in the order of commit. */
  readonly id: number;
  /** The user's id of the native protocol, in decimal. */
  readonly userId: string | null;
  /** The user's id of other protocols. */
  readonly actor: string | null;
  /** The client's instant, RFC 3339 in UTC. */
  readonly timestamp: string;
  /** The JSON of the event, as sent: it may hold line breaks. */
  readonly metadata: string;
  /** Collector's clock at admission, Unix epoch in ms. */
  readonly receivedAt: number;
  /** Token or protocol it came through. */
  readonly source: string;
  /** The event's name. */
  readonly type: string | null;
  /** The producer's id. */
  readonly eventId: string | null;
}

/** How events are written out. */
export type ExportFormat = "ndjson" | "csv" | "parquet";
