/**
 * Counts requests and their answers: plain numbers, since every request pays for them. At every
 * instant `begun` is the sum of all answers and `inFlight`.
 */

const STATUS_MAX = 599;
/** The routes are those of the program; what a client calls something is none. */
const ROUTES_MAX = 500;

/** What came by one route. */
export class RouteCounts {
  /** HTTP method, or `other`. */
  readonly method: string;
  /** The path, or its pattern, such as `/receipts/{id}`. */
  readonly route: string;
  /** How many answers there were with each status, which is the index. */
  readonly answers: number[] = new Array<number>(STATUS_MAX + 1).fill(0);

  /** Nothing came yet. */
  constructor(method: string, route: string) {
    this.method = method;
    this.route = route;
  }
}

/** See the head of this file. */
export class RequestCounts {
  readonly #routes = new Map<string, RouteCounts>();
  #begun = 0;
  #inFlight = 0;
  #sentBytes = 0;
  #decodedBytes = 0;

  /** Requests that came, those in flight included. */
  get begun(): number {
    return this.#begun;
  }

  /** Requests that have no answer yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Bytes of bodies as they were sent. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Bytes of bodies after their content coding was undone. */
  get decodedBytes(): number {
    return this.#decodedBytes;
  }

  /** Every route that was asked for. */
  get routes(): readonly RouteCounts[] {
    return [...this.#routes.values()];
  }

  /**
   * The counts of a route, always the same; look them up once where requests are many.
   *
   * @throws {RangeError} if there are more than 500: what a client sends became a name.
   */
  route(method: string, route: string): RouteCounts {
    const key = `${method} ${route}`, known = this.#routes.get(key);
    if (known !== undefined) return known;
    if (this.#routes.size >= ROUTES_MAX) throw new RangeError(`Cannot count by route ${key}`);
    const counts = new RouteCounts(method, route);
    this.#routes.set(key, counts);
    return counts;
  }

  /** A request came. Each is to be followed by one {@linkcode RequestCounts.end}. */
  begin(): void {
    this.#begun++;
    this.#inFlight++;
  }

  /** It has its answer, of this HTTP status (100 to 599). */
  end({ answers }: RouteCounts, status: number): void {
    this.#inFlight--;
    answers[status] = (answers[status] as number) + 1;
  }

  /** A body was read whole and decoded. */
  body(sentBytes: number, decodedBytes: number): void {
    this.#sentBytes += sentBytes;
    this.#decodedBytes += decodedBytes;
  }
}
