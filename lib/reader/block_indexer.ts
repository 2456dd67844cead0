/** Reads a whole block once, some rows at a time, and gives what is to be known of it. */

import type { Connection, Statement } from "../sqlite/driver.ts";
import { idsOf } from "./block.ts";
import { BlockCounter } from "./block_counts.ts";
import { FieldIndexer } from "./block_index.ts";
import type { IndexedBlock } from "./index_file.ts";

const ROWS_A_STEP = 2048;
const COLUMNS = "id, CAST(user_id AS TEXT), actor, type, event_id, received_at, source";

/** See the head of this file. */
export class BlockIndexer {
  readonly #block: number;
  readonly #select: Statement;
  readonly #connection: Connection;
  readonly #fields = {
    user: new FieldIndexer(),
    type: new FieldIndexer(),
    event: new FieldIndexer(),
  };
  readonly #counter = new BlockCounter();
  #next: number;
  #receivedMin = Infinity;
  #receivedMax = -Infinity;

  /** Reads nothing yet. */
  constructor(connection: Connection, block: number) {
    this.#connection = connection;
    this.#block = block;
    this.#next = idsOf(block).first;
    this.#select = connection.prepare(
      `SELECT ${COLUMNS} FROM events WHERE id BETWEEN ? AND ? ORDER BY id`,
    );
  }

  /** Reads on; gives what is known once all is read, null before. @throws {SqliteError} */
  step(): IndexedBlock | null {
    const { first, last } = idsOf(this.#block);
    const rows = this.#select.rows([this.#next, this.#next + ROWS_A_STEP - 1]);
    for (const row of rows) this.#add(row, first);
    this.#next += ROWS_A_STEP;
    if (this.#next <= last) return null;
    const { user, type, event } = this.#fields;
    return {
      block: this.#block,
      receivedMin: this.#receivedMin,
      receivedMax: this.#receivedMax,
      lastEvent: lastEventOf(this.#connection, this.#block),
      fields: { user: user.finish(), type: type.finish(), event: event.finish() },
      counts: this.#counter.counts(),
    };
  }

  #add(row: readonly unknown[], first: number): void {
    const offset = row[0] as number - first, receivedAt = row[5] as number;
    const userId = row[1] as string | null, actor = row[2] as string | null;
    const type = row[3] as string | null, eventId = row[4] as string | null;
    const { user, type: types, event } = this.#fields;
    if (userId !== null) user.add(userId, offset);
    if (actor !== null && actor !== userId) user.add(actor, offset);
    if (type !== null) types.add(type, offset);
    if (eventId !== null) event.add(eventId, offset);
    this.#receivedMin = Math.min(this.#receivedMin, receivedAt);
    this.#receivedMax = Math.max(this.#receivedMax, receivedAt);
    this.#counter.count(receivedAt, row[6] as string, type);
  }
}

/** What the last event of a block looks like; empty if it is not there. @throws {SqliteError} */
export function lastEventOf(connection: Connection, block: number): string {
  const [row] = connection.prepare(
    `SELECT received_at || ' ' || timestamp || ' ' || length(metadata) || ' ' || ifnull(event_id, '')
       FROM events WHERE id = ?`,
  ).rows([idsOf(block).last]);
  return row === undefined ? "" : String(row[0]);
}
