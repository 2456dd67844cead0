/** What the main thread and the store Worker say to each other: one answer for each question. */

import type { CollectorErrorCode } from "../errors.ts";
import type { Batch, WriteOutcome } from "../store.ts";
import type { DatabaseOptions } from "./database.ts";

/** What crosses: a question or its answer, which have the same number. */
export interface Numbered<Content> {
  /** Rises with each question; 0 for the answer that nobody asked for. */
  readonly number: number;
  /** The question or answer. */
  readonly content: Content;
}

/** From the main thread. */
export type StoreQuestion =
  /** The first message: open the database; the first Worker of a run takes it over. */
  | { readonly kind: "open"; readonly options: DatabaseOptions; readonly isFirst: boolean }
  | { readonly kind: "write"; readonly batch: Batch }
  /** Checkpoint, close the database and end. */
  | { readonly kind: "close" };

/** From the Worker. */
export type StoreAnswer =
  /**
   * Said once, unasked, when its modules are loaded (what is sent before that can get lost) and it
   * holds the Web Lock of its own name.
   */
  | { readonly kind: "ready" }
  | { readonly kind: "opened"; readonly lastBatch: number }
  | {
    readonly kind: "open-failed";
    readonly code: CollectorErrorCode;
    readonly message: string;
    readonly hint: string;
  }
  | { readonly kind: "written"; readonly outcome: WriteOutcome }
  | { readonly kind: "closed" };
