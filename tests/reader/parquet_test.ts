import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { parquetMetadata, parquetReadObjects, parquetSchema } from "hyparquet";
import type { StoredEvent } from "../../lib/query.ts";
import { encoderOf } from "../../lib/reader/encoders.ts";
import { anyEvents, NAUGHTY, storedEvent } from "./any_event.ts";
import { exported } from "./exported.ts";

const ROW_GROUP_EVENTS = 20_000, ROW_GROUP_CHARACTERS = 8 * 1024 * 1024;

// Its own decoder would take a byte order mark away that a text begins with.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const parsers = {
  ...DEFAULT_PARSERS,
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && decoder.decode(bytes),
};

/** The rows as another program reads them. */
async function read({ buffer }: Uint8Array<ArrayBuffer>): Promise<Record<string, unknown>[]> {
  return await parquetReadObjects({ file: buffer, parsers });
}

function expected(event: StoredEvent): Record<string, unknown> {
  return {
    id: BigInt(event.id),
    user_id: event.userId === null ? null : BigInt(event.userId),
    actor: event.actor,
    timestamp: event.timestamp,
    received_at: new Date(event.receivedAt),
    source: event.source,
    type: event.type,
    event_id: event.eventId,
    metadata: event.metadata,
  };
}

function sequence(count: number, rest: Partial<StoredEvent> = {}): StoredEvent[] {
  return Array.from({ length: count }, (_, index) => storedEvent({ id: index + 1, ...rest }));
}

Deno.test("Parquet: an export of nothing is a file of no rows that has every column", async () => {
  const file = await exported("parquet", []);
  deepEqual(await read(file), []);
  const metadata = parquetMetadata(file.buffer);
  equal(metadata.num_rows, 0n);
  deepEqual(
    parquetSchema(metadata).children.map(({ element }) => [
      element.name,
      element.type,
      element.repetition_type,
      element.logical_type?.type,
    ]),
    [
      ["id", "INT64", "REQUIRED", undefined],
      ["user_id", "INT64", "OPTIONAL", undefined],
      ["actor", "BYTE_ARRAY", "OPTIONAL", "STRING"],
      ["timestamp", "BYTE_ARRAY", "REQUIRED", "STRING"],
      ["received_at", "INT64", "REQUIRED", "TIMESTAMP"],
      ["source", "BYTE_ARRAY", "REQUIRED", "STRING"],
      ["type", "BYTE_ARRAY", "OPTIONAL", "STRING"],
      ["event_id", "BYTE_ARRAY", "OPTIONAL", "STRING"],
      ["metadata", "BYTE_ARRAY", "REQUIRED", "STRING"],
    ],
  );
});

Deno.test("Parquet: int64 is exact, also at its ends", async () => {
  const ids = ["9223372036854775807", "-9223372036854775808", "9007199254740993", "0", null];
  const events = ids.map((userId) => storedEvent({ id: Number.MAX_SAFE_INTEGER, userId }));
  deepEqual(await read(await exported("parquet", events)), events.map(expected));
});

Deno.test("Parquet: another program reads what was stored, every naughty string included", async () => {
  deepEqual(await read(await exported("parquet", NAUGHTY)), NAUGHTY.map(expected));
});

Deno.test("Parquet: another program reads what was stored, whatever it was", async () => {
  await fc.assert(fc.asyncProperty(anyEvents, async (events) => {
    deepEqual(await read(await exported("parquet", events)), events.map(expected));
  }));
});

Deno.test("Parquet: a row group is given out when it has its events, and none is lost", async () => {
  const encoder = await encoderOf("parquet");
  const parts = [encoder.start()];
  const events = sequence(2 * ROW_GROUP_EVENTS + 1);
  const given: number[] = [];
  for (let at = 0; at < events.length; at += 1000) {
    const part = encoder.events(events.slice(at, at + 1000));
    if (part.length > 0) given.push(at + 1000);
    parts.push(part);
  }
  deepEqual(given, [ROW_GROUP_EVENTS, 2 * ROW_GROUP_EVENTS]);
  parts.push(encoder.end());
  const file = new Uint8Array(await new Blob(parts).arrayBuffer());
  deepEqual(
    parquetMetadata(file.buffer).row_groups.map(({ num_rows }) => num_rows),
    [BigInt(ROW_GROUP_EVENTS), BigInt(ROW_GROUP_EVENTS), 1n],
  );
  deepEqual((await read(file)).map(({ id }) => id), events.map(({ id }) => BigInt(id)));
});

Deno.test("Parquet: large events fill a row group by their characters", async () => {
  const metadata = JSON.stringify({ text: "x".repeat(ROW_GROUP_CHARACTERS / 4) });
  const events = sequence(6, { metadata });
  // All at once: several row groups can come of one call.
  const file = await exported("parquet", events, events.length);
  const groups = parquetMetadata(file.buffer).row_groups.map(({ num_rows }) => num_rows);
  deepEqual(groups, [4n, 2n]);
  deepEqual(await read(file), events.map(expected));
  ok(file.length < ROW_GROUP_CHARACTERS / 4, "it is not compressed");
});
