/**
 * Events in blocks of adjacent ids. The reader keeps for each whole block when its events were
 * received, what they are counted as, and where to find a value in it:
 *
 * ```text
 *  ids  1 … 65,536 │ … 131,072 │ … │ the newest
 *       block 0    │ block 1   │ … │ not whole yet: it is read event by event
 * ```
 *
 * So a range of time or a look-up touches the blocks it must, and the table that is being written
 * needs no index: rows of a whole block never change, they only go, the oldest first.
 */

/** Ids a block: an offset within it fits 16 bits. */
export const BLOCK_EVENTS = 65_536;

/** Ids from the first to the last, both included. */
export interface Ids {
  /** The first. */
  readonly first: number;
  /** The last; smaller than the first if there are none. */
  readonly last: number;
}

/** The block that holds an id. */
export function blockOf(id: number): number {
  return Math.floor((id - 1) / BLOCK_EVENTS);
}

/** The ids of a block. */
export function idsOf(block: number): Ids {
  return { first: block * BLOCK_EVENTS + 1, last: (block + 1) * BLOCK_EVENTS };
}

/** The ids of both. */
export function overlap(a: Ids, b: Ids): Ids {
  return { first: Math.max(a.first, b.first), last: Math.min(a.last, b.last) };
}
