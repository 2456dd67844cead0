/** A collector on a store in memory. */

import { ok, strictEqual as equal } from "node:assert/strict";
import type { Account } from "../../lib/account.ts";
import type { Admission } from "../../lib/admission.ts";
import { type Beside, Collector, type CollectorOptions } from "../../lib/collector.ts";
import { isRefusal, type Refusal } from "../../lib/errors.ts";
import type { Submission } from "../../lib/event.ts";
import type { KeyedRequest } from "../../lib/idempotency.ts";
import { MemoryStore, type MemoryStoreOptions } from "./memory_store.ts";
import { submission } from "./submissions.ts";

/** How it is made. */
export interface CollectingOptions extends MemoryStoreOptions, Partial<CollectorOptions> {}

/** The terms of the account that only rise. */
const COUNTS = [
  ...["received", "accepted", "rejected", "duplicates"] as const,
  ...["committed", "dead_lettered", "dropped"] as const,
];

/** See the head of this file. */
export class Collecting implements AsyncDisposable {
  readonly store: MemoryStore;
  readonly collector: Collector;
  readonly failed: string[] = [];
  readonly notices: string[] = [];
  readonly ended: unknown[] = [];
  /** While it is not null each write waits for it. */
  gate: PromiseWithResolvers<void> | null = null;
  #before: Account | null = null;

  constructor(options: CollectingOptions = {}) {
    this.store = new MemoryStore({
      ...options,
      during: async (batch) => {
        this.account();
        await this.gate?.promise;
        await options.during?.(batch);
        this.account();
      },
    });
    this.collector = new Collector({
      durability: "disk",
      queueCapacity: 1000,
      queueBytes: 1e9,
      recentEventIds: 1000,
      recentRequests: 1000,
      writer: {
        batchSize: 1,
        lingerMs: 0,
        transactionEvents: 1000,
        transactionBytes: 1e9,
        retryMs: { min: 1, max: 2 },
      },
      readyStallMs: 1000,
      onFailed: ({ reason }) => this.failed.push(reason),
      onNotice: (text) => this.notices.push(text),
      onWriterEnded: (error) => this.ended.push(error),
      ...options,
      store: this.store,
    });
  }

  /** A collector that was started. */
  static async start(options: CollectingOptions = {}): Promise<Collecting> {
    const collecting = new Collecting(options);
    await collecting.collector.start();
    return collecting;
  }

  /** Holds every write back until the function that it gives is called. */
  hold(): () => void {
    const gate = this.gate = Promise.withResolvers<void>();
    return () => {
      this.gate = null;
      gate.resolve();
    };
  }

  /** The account, which must be balanced, have no term below 0, and no count that fell. */
  account(): Account {
    const account = this.collector.account(), before = this.#before ?? account;
    equal(account.residual, 0, JSON.stringify(account));
    ok(Object.values(account).every((term) => term >= 0), JSON.stringify(account));
    for (const name of COUNTS) {
      ok(account[name] >= before[name], `${name} fell: ${JSON.stringify([before, account])}`);
    }
    return this.#before = account;
  }

  /** Submits; throws if it was refused. */
  admit(
    each: Submission,
    keyed: KeyedRequest | null = null,
    aside: Beside["aside"] = null,
  ): Admission {
    const answer = this.collector.submit(each, { keyed, aside });
    this.account();
    if (isRefusal(answer)) throw new Error(`refused: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Submits; throws if it was admitted. */
  refuse(
    each: Submission,
    keyed: KeyedRequest | null = null,
    aside: Beside["aside"] = null,
  ): Refusal {
    const answer = this.collector.submit(each, { keyed, aside });
    this.account();
    if (!isRefusal(answer)) throw new Error(`admitted: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Some terms of the account, in this order. */
  terms(...names: (keyof Account)[]): number[] {
    const account = this.account();
    return names.map((name) => account[name]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.gate?.resolve();
    this.gate = null;
    this.store.mode = "none";
    if (!this.store.isClosed) await this.collector.drain();
    this.account();
  }
}

/** Events whose ids are these; an empty one is none. Their numbers rise from `first`. */
export function withIds(ids: readonly string[], first = 1): Submission {
  const plain = submission(ids.map((_, i) => first + i));
  const fields = ids.flatMap((id, i) => [...plain.fields.slice(i * 6, i * 6 + 5), id]);
  return { ...plain, fields };
}

/** A request with a key. */
export function keyed(key: string, body = "body"): KeyedRequest {
  return { source: "test", key, body: new TextEncoder().encode(body) };
}
