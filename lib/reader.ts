/** What is asked of the read side. The one implementation is `reader/worker_reader.ts`. */

import type { EventFilter, ExportFormat, PageQuery, SeriesQuery, TopQuery } from "./query.ts";

/** A page of events. */
export interface EventPage {
  /** The events as JSON, one each without a line break in it. */
  readonly events: readonly string[];
  /** Id of the event (or place) after which the next page begins; null if there is none. */
  readonly next: number | null;
  /** Whether all was looked at that the page asks for; if not, the time was up: `next` goes on. */
  readonly isComplete: boolean;
}

/** One line of a series. */
export interface SeriesLine {
  /** Of the events that have this; null for those that have none. */
  readonly value: string | null;
  /** How many in each interval. */
  readonly counts: readonly number[];
}

/** How many events there were in each interval. */
export interface Series {
  /** The lines, the largest first. */
  readonly lines: readonly SeriesLine[];
  /** The sum of those that are not among them; null if there are none. */
  readonly others: readonly number[] | null;
  /** Whether all was counted; if not, the time was up. */
  readonly isComplete: boolean;
  /** What was counted begins here, Unix epoch in ms: the newest events are counted first. */
  readonly countedFrom: number;
}

/** A value and how often it is there. */
export interface TopValue {
  /** The value; null for events that have none. */
  readonly value: string | null;
  /** How many events have it. */
  readonly count: number;
}

/** Which values are there most often. */
export interface Top {
  /** The values, the most frequent first. */
  readonly values: readonly TopValue[];
  /** How many events have other values. */
  readonly others: number;
  /** Whether all was counted; if not, the time was up. */
  readonly isComplete: boolean;
  /** What was counted begins here, Unix epoch in ms; null if that is not known. */
  readonly countedFrom: number | null;
}

/** What to write out. */
export interface ExportQuery {
  /** Which events. */
  readonly filter: EventFilter;
  /** Those after this id; 0 for all. */
  readonly afterId: number;
  /** How. */
  readonly format: ExportFormat;
}

/** A part of an export. */
export interface ExportChunk {
  /** What comes next; empty if nothing was found in the time of a turn. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many events went into it, or into one of the next. */
  readonly events: number;
  /** Id up to which everything was looked at. */
  readonly throughId: number;
  /** Whether it is the last one. */
  readonly isLast: boolean;
}

/** What a tail asks for. */
export interface TailQuery {
  /** Which events. */
  readonly filter: EventFilter;
  /** Those after this id. */
  readonly afterId: number;
  /** And up to this one; null for the newest there is. */
  readonly throughId: number | null;
  /** Most events. */
  readonly limit: number;
  /**
   * Which database `afterId` is of, as {@linkcode TailNews} told it: in another it means nothing.
   * Null if that is not known.
   */
  readonly database: string | null;
}

/** What is new for a tail. */
export interface TailNews {
  /** The events as JSON with their ids, the oldest first. */
  readonly events: readonly { readonly id: number; readonly json: string }[];
  /** Ids that were passed over since there are too many; the events come after them. */
  readonly skipped: number;
  /** Id up to which everything was looked at or passed over. */
  readonly throughId: number;
  /** A name of the database that was read. */
  readonly database: string;
}

/** How the read side is. */
export interface ReaderState {
  /** The newest id; 0 if there are no events. */
  readonly lastId: number;
  /** A name of the database that is read: see {@linkcode TailQuery}. */
  readonly database: string;
  /** Blocks of 65,536 events that are in the index. */
  readonly indexedBlocks: number;
  /** Why there is no index; null if there is one. */
  readonly indexError: string | null;
}

/** What became of a backup. */
export interface BackedUp {
  /** Why there is no copy; null if there is one. */
  readonly error: string | null;
  /** Size of the copy. */
  readonly bytes: number;
  /** How many events it has. */
  readonly events: number;
  /** Id of the newest; 0 if there are none. */
  readonly lastId: number;
}

/** Why the read side gave no answer. */
export type ReaderFailure =
  /** The database can not be read at present. */
  | "unreadable"
  /** It is asked too much at once. */
  | "overloaded";

/** The read side. Every call may be answered with a failure; none rejects. */
export interface Reader {
  /** A page of events. */
  page(query: PageQuery): Promise<EventPage | ReaderFailure>;
  /** One event as JSON; null if there is none with this id. */
  event(id: number): Promise<{ readonly json: string | null } | ReaderFailure>;
  /** Counts by time. */
  series(query: SeriesQuery): Promise<Series | ReaderFailure>;
  /** Counts by value. */
  top(query: TopQuery): Promise<Top | ReaderFailure>;
  /**
   * Writes events out, part by part, each made when it is asked for. Ends early, by an error, if the
   * database can not be read any more.
   */
  export(query: ExportQuery): AsyncGenerator<ExportChunk, void>;
  /** What is new for a tail, at once. */
  tail(query: TailQuery): Promise<TailNews | ReaderFailure>;
  /** How far the index is. */
  state(): Promise<ReaderState | ReaderFailure>;
  /**
   * Copies the whole database, as of one moment, into a file that is not there yet: it has its name
   * once it was read whole and flushed.
   */
  backup(path: string): Promise<BackedUp>;
  /** Ends it. */
  close(): Promise<void>;
}
