/** Bugs that a simulation can be given. */

import type { Journal } from "../../lib/store/journal.ts";
import type { ModelBugs } from "../fakes/model_database.ts";
import type { ModelStoreOptions } from "./model_store.ts";

/** What can be wrong with a world on purpose, to see that the oracle notices. */
export interface Bugs extends ModelBugs {
  /** Whether a flush of a journal file does anything. */
  readonly journalFlushes: boolean;
  /** Whether records leave the journal after the commit, not before. */
  readonly removesAfterCommit: boolean;
  /** Whether event ids are remembered. */
  readonly remembersIds: boolean;
}

/** Nothing is wrong. */
export const NO_BUGS: Bugs = {
  comparesNumbers: true,
  flushes: true,
  rechecks: true,
  journalFlushes: true,
  removesAfterCommit: true,
  remembersIds: true,
};

/** A journal whose records go when they are read. */
export function removingFirst(journal: Journal): ReturnType<ModelStoreOptions["journalOf"]> {
  return {
    get events() {
      return journal.events;
    },
    get isEmpty() {
      return journal.isEmpty;
    },
    append: (record) => journal.append(record),
    peek: (limit) => {
      const records = journal.peek(limit);
      journal.removeFirst(records.length);
      return records;
    },
    removeFirst: () => {},
  };
}
