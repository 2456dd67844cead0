/** What the main thread and the reader Worker say to each other. */

import type { GateMemory } from "../log_gate.ts";
import type { PageQuery, SeriesQuery, TopQuery } from "../query.ts";
import type {
  BackedUp,
  EventPage,
  ExportChunk,
  ExportQuery,
  ReaderState,
  Series,
  TailNews,
  TailQuery,
  Top,
} from "../reader.ts";
import type { Checked } from "./checking.ts";

/** How the Worker reads. */
export interface ReaderOptions {
  /** The database file. */
  readonly path: string;
  /** Whether it may make and keep the index; without, it uses one that is there. */
  readonly indexing: "on" | "off";
  /** By which the store keeps readers off for a moment; not where another process writes. */
  readonly gate?: GateMemory;
  /** How long a question may take, in ms; what was found by then is the answer. */
  readonly budgetMs: number;
}

/** From the main thread. */
export type ReaderQuestion =
  /** The first message. It is not answered. */
  | { readonly kind: "open"; readonly options: ReaderOptions }
  | { readonly kind: "page"; readonly query: PageQuery }
  | { readonly kind: "event"; readonly id: number }
  | { readonly kind: "series"; readonly query: SeriesQuery }
  | { readonly kind: "top"; readonly query: TopQuery }
  | { readonly kind: "tail"; readonly query: TailQuery }
  /** Answered by the first chunk; the number of the question is the name of the export. */
  | { readonly kind: "export"; readonly query: ExportQuery }
  | { readonly kind: "export-next"; readonly export: number }
  | { readonly kind: "state" }
  | { readonly kind: "backup"; readonly to: string }
  /** Whether a copy that nobody uses is whole. */
  | { readonly kind: "check"; readonly path: string }
  /** Nobody waits for the answer to a question, or for an export, any more. It is not answered. */
  | { readonly kind: "cancel"; readonly asked: number }
  /** Let go of the files. */
  | { readonly kind: "close" };

/** From the Worker, one for each question. */
export type ReaderAnswer =
  | { readonly kind: "page"; readonly page: EventPage }
  | { readonly kind: "event"; readonly json: string | null }
  | { readonly kind: "series"; readonly series: Series }
  | { readonly kind: "top"; readonly top: Top }
  | { readonly kind: "tail"; readonly news: TailNews }
  /** `export` is its name. */
  | { readonly kind: "chunk"; readonly export: number; readonly chunk: ExportChunk }
  | { readonly kind: "state"; readonly state: ReaderState }
  | { readonly kind: "backed-up"; readonly backup: BackedUp }
  | { readonly kind: "checked"; readonly checked: Checked }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "closed" };
