/** One export, made part by part. */

import type { ExportEncoder } from "../export_encoder.ts";
import type { ExportChunk, ExportQuery } from "../reader.ts";
import type { EventSource } from "./event_source.ts";
import { rowsAtOnce } from "./finding.ts";
import { EVENT_COLUMNS, storedEvent } from "./stored_events.ts";
import { Walk } from "./walk.ts";

/** Bytes of a part, about. */
const CHUNK_BYTES = 256 * 1024;

/** See the head of this file. Ends with the newest event there is when it begins. */
export class ExportRun {
  readonly #encoder: ExportEncoder;
  readonly #query: ExportQuery;
  #source: EventSource;
  #walk: Walk;
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  #events = 0;
  #rows = 0;
  #characters = 0;

  /** Begins one. @throws {SqliteError} */
  constructor(source: EventSource, query: ExportQuery, encoder: ExportEncoder) {
    this.#source = source;
    this.#query = query;
    this.#encoder = encoder;
    this.#walk = this.#walkFrom(query.afterId);
    this.#keep(encoder.start());
  }

  /** Reads on; true once a part is ready. @throws {SqliteError} */
  step(source: EventSource): boolean {
    if (source !== this.#source) { // opened anew: rows do not change, so it goes on where it was
      if (source.database !== this.#source.database) throw new Error("the database is another one");
      this.#source = source;
      this.#walk = this.#walkFrom(this.#walk.through);
    }
    const events = this.#walk.step(rowsAtOnce(this.#rows, this.#characters)).map(storedEvent);
    for (const { metadata } of events) this.#characters += metadata.length;
    this.#rows += events.length;
    this.#events += events.length;
    if (events.length > 0) this.#keep(this.#encoder.events(events));
    if (this.#walk.isDone) this.#keep(this.#encoder.end());
    return this.#walk.isDone || this.#bytes >= CHUNK_BYTES;
  }

  /** What was made since the last time. */
  chunk(): ExportChunk {
    const bytes = new Uint8Array(this.#bytes), events = this.#events;
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#bytes = 0;
    this.#events = 0;
    return { bytes, events, throughId: this.#walk.through, isLast: this.#walk.isDone };
  }

  #keep(part: Uint8Array<ArrayBuffer>): void {
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  #walkFrom(after: number): Walk {
    const { filter } = this.#query;
    return new Walk(this.#source, { filter, order: "asc", after, columns: EVENT_COLUMNS });
  }
}
