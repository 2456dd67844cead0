/** Tails with a reader of the test's own, and their clients. */

import { strictEqual as equal } from "node:assert/strict";
import { type TailOptions, Tails } from "../../lib/http/tails.ts";
import { ALL_EVENTS } from "../../lib/query.ts";
import type { Reader, ReaderFailure, TailNews, TailQuery } from "../../lib/reader.ts";
import { FakeTime, turn } from "../fakes/fake_time.ts";

/** Tails over events that the test commits, in a time of its own. */
export class Tailing implements Disposable {
  readonly time = new FakeTime();
  readonly asked: TailQuery[] = [];
  /** Ids and their JSON. */
  readonly events: { id: number; json: string }[] = [];
  failure: ReaderFailure | null = null;
  /** What answers wait for. */
  gate: Promise<void> = Promise.resolve();
  readonly tails: Tails;

  constructor() {
    const reader = { tail: (query: TailQuery) => this.#answer(query) } as unknown as Reader;
    this.tails = new Tails({ reader, committed: () => this.events.length });
  }

  commit(...json: string[]): void {
    for (const each of json) this.events.push({ id: this.events.length + 1, json: each });
  }

  open(options: Partial<TailOptions> = {}): Client {
    const given = { filter: ALL_EVENTS, afterId: 0, last: 0, owner: null, ...options };
    const stream = this.tails.add(given);
    if (stream === null) throw new Error("there is no room");
    return new Client(stream);
  }

  async #answer(query: TailQuery): Promise<TailNews | ReaderFailure> {
    this.asked.push(query);
    await this.gate;
    if (this.failure !== null) return this.failure;
    const throughId = Math.min(this.events.length, query.throughId ?? Infinity);
    const after = this.events.filter(({ id }) => id > query.afterId && id <= throughId);
    const events = after.slice(-query.limit);
    return { events, skipped: after.length - events.length, throughId, database: "a" };
  }

  [Symbol.dispose](): void {
    this.tails.close("the test is over");
    const left = this.time.timers;
    this.time[Symbol.dispose]();
    equal(left, 0, "no timer is left");
  }
}

/** A client that reads when it is told to. */
export class Client {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  text = "";
  isEnded = false;
  #isReading = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** Reads from now on. */
  async read(): Promise<void> {
    if (this.#isReading) return await turn();
    this.#isReading = true;
    const all = (async () => {
      const decoder = new TextDecoder();
      for (let part = await this.#reader.read(); !part.done; part = await this.#reader.read()) {
        this.text += decoder.decode(part.value);
      }
      this.isEnded = true;
    })();
    await Promise.race([all, turn()]);
    await turn();
  }

  /** Each frame by its fields, as the standard reads them. */
  get frames(): Record<string, string>[] {
    return this.text.split(/\r\n\r\n|\n\n|\r\r/).filter((frame) => frame !== "").map((frame) =>
      Object.fromEntries(
        frame.split(/\r\n|\n|\r/).map((line) => line.split(/: ?(.*)/s).slice(0, 2)),
      )
    );
  }

  get ids(): number[] {
    return this.frames.filter((frame) => "id" in frame).map(({ id }) => Number(id));
  }

  async goAway(): Promise<void> {
    await this.#reader.cancel();
  }
}
