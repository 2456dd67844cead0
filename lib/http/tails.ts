/**
 * Live tails: events as server-sent events (HTML standard §9.2) while they are committed. All of them
 * are looked after by one timer; a reader that does not read costs a bounded buffer and then its tail.
 */

import type { EventFilter } from "../query.ts";
import type { Reader, TailNews } from "../reader.ts";

/** What they need. */
export interface TailsOptions {
  /** The read side. */
  readonly reader: Reader;
  /** Rises with each event that was committed. */
  readonly committed: () => number;
}

/** What one tail asks for. */
export interface TailOptions {
  /** Which events. */
  readonly filter: EventFilter;
  /** Those after this id. */
  readonly afterId: number;
  /** Name of the database that `afterId` is of. Default: null, it is not known. */
  readonly database?: string | null;
  /** Begin with so many of those that are there, the newest; 0 for none. */
  readonly last: number;
  /** Name of the token; null for none. */
  readonly owner: string | null;
  /** Whether its client may still read, asked at every look. Default: always. */
  readonly mayRead?: () => boolean;
}

/** Tails at once. */
export const TAILS_MAX = 100;
/** Tails of one token at once. */
export const TAILS_A_TOKEN_MAX = 4;
const LOOK_MS = 250;
/** Events that a tail gets in one look: 1,000 a second. */
const EVENTS_A_LOOK = 250;
/** For so long after a commit it is looked for: a reader may notice a moved database a second later. */
const SETTLE_MS = 2500;
/** Events that all tails together get in one look, if they are many: 4,000 a second. */
const EVENTS_A_LOOK_TOGETHER = 1000;
const HEARTBEAT_MS = 15_000;
/** Bytes that wait for a client; beyond, it gets nothing more until it reads. */
const BUFFER_BYTES = 1024 * 1024;
/** How long it may not read then. */
const STALL_MS = 10_000;
/** What is handed on at once: that a client takes a piece shows that it reads. */
const PIECE_BYTES = 64 * 1024;
const RECONNECT_MS = 2000;
const ENCODER = new TextEncoder();
const STILL_HERE = ENCODER.encode(": still here\n\n");

/** See the head of this file. */
export class Tails {
  readonly #options: TailsOptions;
  readonly #tails = new Set<Tail>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #committed = -1;
  #changedMs = -Infinity;
  #dropped = 0;
  #isClosed = false;

  /** Looks at nothing until there is a tail. */
  constructor(options: TailsOptions) {
    this.#options = options;
  }

  /** How many are open. */
  get open(): number {
    return this.#tails.size;
  }

  /** How many were ended since their client did not read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether one more may be opened by an owner. */
  hasRoomFor(owner: string | null): boolean {
    const own = owner === null ? 0 : [...this.#tails].filter((tail) => tail.owner === owner).length;
    return !this.#isClosed && this.#tails.size < TAILS_MAX && own < TAILS_A_TOKEN_MAX;
  }

  /** Opens one and gives what is to be sent; null if there is no room for it. */
  add(options: TailOptions): ReadableStream<Uint8Array> | null {
    if (!this.hasRoomFor(options.owner)) return null;
    const tail = new Tail(options, () => this.#remove(tail));
    this.#tails.add(tail);
    this.#committed = -1; // it is looked for at once
    if (this.#timer === undefined && !this.#isLooking) this.#lookLater(0);
    return tail.stream;
  }

  /** Ends all of them, with a reason. */
  close(reason: string): void {
    this.#isClosed = true;
    for (const tail of this.#tails) tail.end(reason);
  }

  #remove(tail: Tail): void {
    this.#tails.delete(tail);
    if (this.#tails.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One look at a time: two would send the same events twice. */
  #lookLater(ms: number): void {
    this.#timer = setTimeout(async () => {
      this.#timer = undefined;
      this.#isLooking = true;
      await this.#look();
      this.#isLooking = false;
      if (this.#tails.size > 0) this.#lookLater(LOOK_MS);
    }, ms);
  }

  async #look(): Promise<void> {
    const committed = this.#options.committed(), nowMs = performance.now();
    if (committed !== this.#committed) this.#changedMs = nowMs;
    this.#committed = committed;
    const isNew = nowMs - this.#changedMs < SETTLE_MS;
    for (const tail of [...this.#tails]) this.#lookAfter(tail, nowMs);
    const asking = [...this.#tails].filter((tail) => (isNew || tail.isBehind) && tail.hasRoom);
    const groups = Map.groupBy(asking, (tail) => tail.asksFor);
    const most = Math.ceil(EVENTS_A_LOOK_TOGETHER / groups.size);
    let throughId: number | null = null;
    // One after the other: a hundred questions at once would leave no turn for other readers.
    for (const group of groups.values()) throughId = await this.#tell(group, { throughId, most });
  }

  #lookAfter(tail: Tail, nowMs: number): void {
    if (tail.isStalled(nowMs)) {
      this.#dropped++;
      tail.giveUp("This client does not read: it was given up.");
    } else if (!tail.mayRead()) tail.end("The token is not valid any more.");
    else tail.beat(nowMs);
  }

  /**
   * Tells tails that ask for the same, up to the same id as those before them: so they ask for the
   * same from then on, whenever they were opened.
   */
  async #tell(
    group: readonly Tail[],
    { throughId, most }: { readonly throughId: number | null; readonly most: number },
  ): Promise<number | null> {
    const { filter, afterId, limit: wished, isFirst, database } = group[0] as Tail;
    const limit = isFirst ? wished : Math.min(wished, most);
    const query = { filter, afterId, throughId, limit, database };
    const news = await this.#options.reader.tail(query);
    // If the database can not be read now, it is asked again at the next look.
    if (typeof news === "string") { for (const tail of group) tail.isBehind = true; }
    else tellAll(group, news);
    return typeof news === "string" ? throughId : news.throughId;
  }
}

function tellAll(tails: readonly Tail[], news: TailNews): void {
  const { events, skipped } = news;
  const gap = skipped > 0 ? `event: gap\ndata: ${JSON.stringify({ skipped })}\n\n` : "";
  const frames = events.map(({ id, json }) => `id: ${id}\ndata: ${json}\n\n`).join("");
  const [withGap, without] = [ENCODER.encode(gap + frames), ENCODER.encode(frames)];
  // What came before the last so many was not asked for.
  for (const tail of tails) tail.tell(tail.isFirst ? without : withGap, news);
}

/** One of them. */
class Tail {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly filter: EventFilter;
  readonly owner: string | null;
  readonly mayRead: () => boolean;
  afterId: number;
  /** What `afterId` is of; null if that is not known yet. */
  database: string | null;
  /** Whether it missed a look. */
  isBehind = false;
  #last: number;
  /** What waits for the client. Not in the stream, from where it could not be taken back. */
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  #wake = () => {};
  #isOver = false;
  #beatMs = performance.now();
  #fullSinceMs: number | null = null;
  readonly #onGone: () => void;

  constructor(options: TailOptions, onGone: () => void) {
    const { filter, afterId, database = null, last, owner, mayRead = () => true } = options;
    this.filter = filter;
    this.afterId = afterId;
    this.database = database;
    this.#last = last;
    this.owner = owner;
    this.mayRead = mayRead;
    this.#onGone = onGone;
    this.stream = new ReadableStream({
      pull: (controller) => this.#pull(controller),
      cancel: () => this.#over(),
    }, { highWaterMark: 0 });
    this.#send(ENCODER.encode(`retry: ${RECONNECT_MS}\n\n`)); // so that the head of the answer is sent
  }

  get limit(): number {
    return this.#last > 0 ? this.#last : EVENTS_A_LOOK;
  }

  /** Whether it was told nothing yet, and begins with the newest of what is there. */
  get isFirst(): boolean {
    return this.#last > 0;
  }

  /** The same text for tails that ask for the same. */
  get asksFor(): string {
    return JSON.stringify([this.filter, this.afterId, this.limit, this.database]);
  }

  get hasRoom(): boolean {
    const hasRoom = this.#bytes < BUFFER_BYTES;
    if (!hasRoom) this.isBehind = true;
    return hasRoom;
  }

  /** Whether its client has not read for too long. */
  isStalled(nowMs: number): boolean {
    if (this.#bytes < BUFFER_BYTES) this.#fullSinceMs = null;
    else this.#fullSinceMs ??= nowMs;
    return this.#fullSinceMs !== null && nowMs - this.#fullSinceMs > STALL_MS;
  }

  /** Says that it is there, now and then. */
  beat(nowMs: number): void {
    if (nowMs - this.#beatMs < HEARTBEAT_MS || !this.hasRoom) return;
    this.#send(STILL_HERE);
    this.#beatMs = nowMs;
  }

  /** Sends what is new, and notes up to where that is all. */
  tell(
    frames: Uint8Array<ArrayBuffer>,
    { throughId, database }: Pick<TailNews, "throughId" | "database">,
  ): void {
    this.isBehind = false;
    [this.afterId, this.database] = [throughId, database];
    this.#last = 0;
    if (frames.length > 0) this.#send(frames);
  }

  end(reason: string): void {
    this.#send(ENCODER.encode(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`));
    this.#over();
  }

  /** Ends it without what waits, which would be held for as long as the client likes. */
  giveUp(reason: string): void {
    this.#parts = [];
    this.#bytes = 0;
    this.end(reason);
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (this.#parts.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const [part] = this.#parts;
    if (part === undefined) return controller.close(); // throws to nobody if its client went away
    const piece = part.subarray(0, PIECE_BYTES);
    if (piece.length === part.length) this.#parts.shift();
    else this.#parts[0] = part.subarray(PIECE_BYTES);
    this.#bytes -= piece.length;
    this.#fullSinceMs = null;
    controller.enqueue(piece);
  }

  #send(part: Uint8Array<ArrayBuffer>): void {
    if (this.#isOver) return;
    this.#parts.push(part);
    this.#bytes += part.length;
    this.#wake();
  }

  #over(): void {
    this.#isOver = true;
    this.#wake();
    this.#onGone();
  }
}
