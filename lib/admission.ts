/** What became of a request that was admitted, and how far its events have got. */

/** When an event is acknowledged: admitted to the channel, or flushed to the disk. */
export type Durability = "memory" | "disk";

/** How far an admitted event has got. */
export type Level = "queued" | "journaled" | "committed";

/** What became of a request that was not refused. */
export interface Admission {
  /** Events it held. */
  readonly events: number;
  /** Those admitted now, or when its key came first. */
  readonly accepted: number;
  /** Those known already. */
  readonly duplicates: number;
  /** Events this run had admitted before it. */
  readonly first: number;
  /** Once this many of the run's events have got somewhere, all of this request have. */
  readonly sequence: number;
  /** Whether it is the repeat of a request with the same key. */
  readonly isReplay: boolean;
}
