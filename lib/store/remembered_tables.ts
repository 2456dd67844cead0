/** What a database remembers of recent events and requests, and the seed of their fingerprints. */

import type { RowGroup } from "../event.ts";
import { FINGERPRINT_WORDS, SourceSeeds } from "../event_ids.ts";
import { REQUEST_WORDS } from "../idempotency.ts";
import type { Connection } from "../sqlite/driver.ts";
import type { StoreOpened } from "../store.ts";
import { RecentTable } from "./recent_table.ts";
import { joined, rememberedOf } from "./remembered.ts";

/** How much is remembered. */
export interface RememberedTablesOptions {
  /** How many event ids. */
  readonly recentEventIds: number;
  /** How many requests with a key. */
  readonly recentRequests: number;
}

/** See the head of this file. What changes something works within a transaction of its caller's. */
export class RememberedTables {
  readonly #connection: Connection;
  readonly #eventIds: RecentTable;
  readonly #requests: RecentTable;
  #seed: Uint32Array;
  #seeds: SourceSeeds;

  /** The tables must be there. @throws {SqliteError} */
  constructor(connection: Connection, options: RememberedTablesOptions) {
    this.#connection = connection;
    this.#eventIds = new RecentTable(connection, {
      table: "recent_event_ids",
      words: FINGERPRINT_WORDS,
      capacity: options.recentEventIds,
    });
    this.#requests = new RecentTable(connection, {
      table: "recent_requests",
      words: REQUEST_WORDS,
      capacity: options.recentRequests,
    });
    const seed = connection.prepare("SELECT seed FROM fingerprint_seed").get([])?.seed;
    this.#seed = new Uint32Array((seed as Uint8Array).slice().buffer);
    this.#seeds = new SourceSeeds(this.#seed);
  }

  /** Seed of the fingerprints. */
  get seed(): Uint32Array {
    return this.#seed;
  }

  /** All of it, for a collector that starts. @throws {SqliteError} */
  all(): Pick<StoreOpened, "seed" | "eventIds" | "requests"> {
    return { seed: this.#seed, eventIds: this.#eventIds.all(), requests: this.#requests.all() };
  }

  /** Remembers what a batch has. @throws {SqliteError} */
  append(groups: readonly RowGroup[]): void {
    const { eventIds, requests } = rememberedOf(groups, this.#seeds);
    this.#eventIds.append(joined(eventIds));
    this.#requests.append(joined(requests));
  }

  /** Writes a seed; another than before makes what is remembered worthless. @throws {SqliteError} */
  writeSeed(seed: Uint32Array): void {
    if (seed.join() === this.#seed.join()) return;
    this.#eventIds.clear();
    this.#requests.clear();
    this.#connection.prepare("UPDATE fingerprint_seed SET seed = ?").run([
      new Uint8Array(seed.buffer, seed.byteOffset, seed.byteLength),
    ]);
  }

  /** Makes fingerprints with a seed from now on: once it is committed. */
  useSeed(seed: Uint32Array): void {
    this.#seed = seed;
    this.#seeds = new SourceSeeds(seed);
  }
}
