/** Stores with the real Worker. */

import type { StoreEvents } from "../../lib/store.ts";
import type { KeepOptions } from "../../lib/store/keep_options.ts";
import { WorkerStore, type WorkerStoreOptions } from "../../lib/store/worker_store.ts";
import { keepOptionsOf } from "./batches.ts";

function unexpected(what: unknown): never {
  throw new Error(`unexpected: ${JSON.stringify(what)}`);
}

/** For a store that must have nothing to say to the operator. */
export const QUIET: StoreEvents = { state: () => {}, notice: unexpected };

/** A store whose Worker must neither end nor hang. */
export function realStore(
  path: string,
  keep: Partial<KeepOptions> = {},
  more: Partial<WorkerStoreOptions> = {},
): WorkerStore {
  return new WorkerStore({
    keep: keepOptionsOf(path, keep),
    hangMs: 20_000,
    onHang: unexpected,
    onGone: unexpected,
    ...more,
  });
}
