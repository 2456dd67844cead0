/** How many events of a block there are by time, source and type: what charts add up. */

/** The counts of a block. */
export interface BlockCounts {
  /** Length of the times they are counted in, in ms; times begin at multiples of it. */
  readonly unitMs: number;
  /** Every source there is. */
  readonly sources: readonly string[];
  /** Every type there is. */
  readonly types: readonly (string | null)[];
  /** Four numbers each: time divided by the unit, position of source, of type, and the count. */
  readonly cells: readonly number[];
}

const UNITS_MS = [60_000, 3_600_000, 86_400_000] as const;
const CELLS_MAX = 4096;
const VALUES_MAX = 1000;
const CELL = 4;

/** Counts events as they come; the unit grows when there are too many cells. */
export class BlockCounter {
  readonly #sources = new Map<string, number>();
  readonly #types = new Map<string | null, number>();
  #lastSource = "";
  #lastSourceAt = -1;
  #unit = 0;
  #cells = new Map<number, number>();

  /** Counts one event. */
  count(receivedAt: number, source: string, type: string | null): void {
    const unitMs = UNITS_MS[this.#unit];
    if (unitMs === undefined) return;
    if (source !== this.#lastSource || this.#lastSourceAt < 0) {
      this.#lastSource = source;
      this.#lastSourceAt = position(this.#sources, source);
    }
    const sourceAt = this.#lastSourceAt, typeAt = position(this.#types, type);
    if (sourceAt >= VALUES_MAX || typeAt >= VALUES_MAX) return this.#giveUp();
    const key = keyOf(Math.floor(receivedAt / unitMs), sourceAt, typeAt);
    this.#cells.set(key, (this.#cells.get(key) ?? 0) + 1);
    if (this.#cells.size > CELLS_MAX) this.#coarser();
  }

  /** The counts; null if there are too many different values. */
  counts(): BlockCounts | null {
    const unitMs = UNITS_MS[this.#unit];
    if (unitMs === undefined) return null;
    const cells = [...this.#cells].flatMap(([key, count]) => [...partsOf(key), count]);
    return { unitMs, sources: [...this.#sources.keys()], types: [...this.#types.keys()], cells };
  }

  #coarser(): void {
    const before = UNITS_MS[this.#unit] as number, unitMs = UNITS_MS[++this.#unit];
    const cells = this.#cells;
    this.#cells = new Map();
    if (unitMs === undefined) return;
    for (const [key, count] of cells) {
      const [time, sourceAt, typeAt] = partsOf(key);
      const coarse = keyOf(Math.floor(time * before / unitMs), sourceAt, typeAt);
      this.#cells.set(coarse, (this.#cells.get(coarse) ?? 0) + count);
    }
    if (this.#cells.size > CELLS_MAX) this.#coarser();
  }

  #giveUp(): void {
    this.#unit = UNITS_MS.length;
    this.#cells = new Map();
  }
}

/** Calls `each` with every cell: the begin of its time in ms, source, type and count. */
export function forEachCell(
  { unitMs, sources, types, cells }: BlockCounts,
  each: (startMs: number, source: string, type: string | null, count: number) => void,
): void {
  for (let i = 0; i < cells.length; i += CELL) {
    const [time, source, type, count] = cells.slice(i, i + CELL) as [
      number,
      number,
      number,
      number,
    ];
    each(time * unitMs, sources[source] as string, types[type] as string | null, count);
  }
}

/** Below 2^53: a time in minutes has 25 bits until the year 2033, 26 until 2097. */
function keyOf(time: number, sourceAt: number, typeAt: number): number {
  return (time * VALUES_MAX + sourceAt) * VALUES_MAX + typeAt;
}

/** By subtraction, since `%` is negative for times before 1970. */
function partsOf(key: number): [time: number, sourceAt: number, typeAt: number] {
  const rest = Math.floor(key / VALUES_MAX), time = Math.floor(rest / VALUES_MAX);
  return [time, rest - time * VALUES_MAX, key - rest * VALUES_MAX];
}

function position<T>(positions: Map<T, number>, value: T): number {
  let at = positions.get(value);
  if (at === undefined) positions.set(value, at = positions.size);
  return at;
}
