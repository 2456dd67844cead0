/** What the main thread and the store Worker say to each other. */

import type { CollectorErrorCode } from "../errors.ts";
import type { ExportPoint, PointOutcome } from "../export_point.ts";
import type { RetentionPolicy, RetentionState } from "../retention.ts";
import type {
  Batch,
  DeadLetterPage,
  IdRange,
  Receipt,
  ReceiptState,
  StoredDeadLetter,
  StoreOpened,
  StoreState,
  WriteOutcome,
} from "../store.ts";
import type { Progress } from "./database.ts";
import type { KeepOptions } from "./keep_options.ts";
import type { Finding } from "./verify.ts";

/** What crosses: a question or its answer, which have the same number. */
export interface Numbered<Content> {
  /** Rises with each question; 0 for what nobody asked for. */
  readonly number: number;
  /** The question or answer. */
  readonly content: Content;
}

/** How far the run has got: what a new Worker of it must know when the database can not be read. */
export interface Known {
  /** In the database. */
  readonly progress: Progress;
  /** Number of the last batch that is in the database or the journal. */
  readonly lastNumber: number;
  /** For the collector. */
  readonly state: StoreState;
}

/** What the Workers of a run before this one had. */
export interface Before {
  /** How far they got, as far as they told. */
  readonly known: Known;
  /** Seed of the run's fingerprints. */
  readonly seed: Uint32Array;
}

/** From the main thread. */
export type StoreQuestion =
  /** The first message: open the database; `before` is null for the first Worker of a run. */
  | { readonly kind: "open"; readonly options: KeepOptions; readonly before: Before | null }
  | { readonly kind: "write"; readonly batch: Batch }
  | { readonly kind: "receipt"; readonly receipt: Receipt }
  | { readonly kind: "dead-letters"; readonly page: DeadLetterPage }
  | { readonly kind: "remove-dead-letters"; readonly ids: IdRange }
  | { readonly kind: "export-points" }
  | { readonly kind: "set-export-point"; readonly name: string; readonly id: number }
  | { readonly kind: "remove-export-point"; readonly name: string }
  | { readonly kind: "retain"; readonly policy: RetentionPolicy }
  /** Audit a database that nobody uses, and end. */
  | { readonly kind: "verify"; readonly path: string }
  /** Apply the journal if that is quickly done, checkpoint, close the database and end. */
  | { readonly kind: "close" };

/** From the Worker, one for each question. */
export type StoreAnswer =
  /** `opened` is null unless it is the run's first. */
  | { readonly kind: "opened"; readonly opened: StoreOpened | null; readonly known: Known }
  /** To `open` and `verify`. */
  | {
    readonly kind: "open-failed";
    readonly code: CollectorErrorCode;
    readonly message: string;
    readonly hint: string;
  }
  | { readonly kind: "written"; readonly outcome: WriteOutcome; readonly known: Known }
  | { readonly kind: "receipt"; readonly state: ReceiptState | null }
  | { readonly kind: "dead-letters"; readonly letters: readonly StoredDeadLetter[] | null }
  | { readonly kind: "dead-letters-removed"; readonly count: number | null }
  | { readonly kind: "export-points"; readonly points: readonly ExportPoint[] | null }
  | { readonly kind: "export-point-set"; readonly outcome: PointOutcome | null }
  | { readonly kind: "export-point-removed"; readonly wasThere: boolean | null }
  | { readonly kind: "retained" }
  | { readonly kind: "verified"; readonly findings: readonly Finding[] }
  | { readonly kind: "closed" };

/** From the Worker, unasked. */
export type StoreEvent =
  /**
   * Said once, when its modules are loaded (what is sent before that can get lost) and it holds the
   * Web Lock of its own name.
   */
  | { readonly kind: "ready" }
  | { readonly kind: "known"; readonly known: Known }
  | { readonly kind: "retention"; readonly state: RetentionState }
  | { readonly kind: "notice"; readonly text: string };
