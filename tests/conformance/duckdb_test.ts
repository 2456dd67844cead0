/** Exports as DuckDB reads them: the program most likely to be at the other end. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import type { ExportFormat, StoredEvent } from "../../lib/query.ts";
import { NAUGHTY, storedEvent } from "../reader/any_event.ts";
import { exported } from "../reader/exported.ts";
import { query, type Row } from "./duckdb.ts";

const INT64 = ["9223372036854775807", "-9223372036854775808", "9007199254740993", "-5", "0"];
const EVENTS: readonly StoredEvent[] = [
  ...NAUGHTY,
  ...INT64.map((userId, index) => storedEvent({ id: 2 ** 52 + index, userId })),
  storedEvent({ id: 2 ** 53 - 2, actor: "", metadata: '{"n":1.0,"n":[1e400, 9007199254740993]}' }),
  storedEvent({ id: 2 ** 53 - 1, metadata: '{\r\n"a" :\t1\n}' }),
];

const TEXTS = [
  "id",
  "user_id",
  "actor",
  "timestamp",
  "source",
  "type",
  "event_id",
  "metadata",
];
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The events of a file, every column as text, the time in ms. Through bytes: the client would take a
 * byte order mark away that a text begins with.
 */
async function read(from: string): Promise<Row[]> {
  const texts = TEXTS.map((name) => `hex(${name}::VARCHAR) AS ${name}`);
  const time = "hex(epoch_ms(received_at::TIMESTAMPTZ)::VARCHAR) AS received_at";
  const text = (hex: string | null) => hex && decoder.decode(Uint8Array.fromHex(hex));
  return (await query(`SELECT ${texts}, ${time} FROM ${from}`)).map((row) => mapRow(row, text));
}

function mapRow(row: Row, change: (value: string | null) => string | null): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, change(value as string | null)]),
  );
}

function expected(event: StoredEvent): Row {
  return {
    id: String(event.id),
    user_id: event.userId,
    actor: event.actor,
    timestamp: event.timestamp,
    source: event.source,
    type: event.type,
    event_id: event.eventId,
    metadata: event.metadata,
    received_at: String(event.receivedAt),
  };
}

function expectedOnOneLine(event: StoredEvent): Row {
  return expected({ ...event, metadata: event.metadata.replaceAll(/[\r\n]/g, " ") });
}

/** Runs with the file of an export. */
async function withFile(
  format: ExportFormat,
  events: readonly StoredEvent[],
  run: (file: string) => Promise<void>,
): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: `.${format}` });
  try {
    await Deno.writeFile(file, await exported(format, events));
    await run(file);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("DuckDB reads a Parquet export exactly", async () => {
  await withFile("parquet", EVENTS, async (file) => {
    deepEqual(await read(`'${file}'`), EVENTS.map(expected));
  });
});

Deno.test("DuckDB knows the types of a Parquet export, of one of nothing too", async () => {
  for (const events of [EVENTS, []]) {
    await withFile("parquet", events, async (file) => {
      const described = await query(`DESCRIBE SELECT * FROM '${file}'`);
      deepEqual(described.map(({ column_name, column_type }) => [column_name, column_type]), [
        ["id", "BIGINT"],
        ["user_id", "BIGINT"],
        ["actor", "VARCHAR"],
        ["timestamp", "VARCHAR"],
        ["received_at", "TIMESTAMP WITH TIME ZONE"],
        ["source", "VARCHAR"],
        ["type", "VARCHAR"],
        ["event_id", "VARCHAR"],
        ["metadata", "VARCHAR"],
      ]);
      const counted = await query(`SELECT count(*) AS n FROM '${file}'`);
      equal(counted[0]?.n, String(events.length));
    });
  }
});

Deno.test("DuckDB reads several row groups, and looks into metadata", async () => {
  const events = Array.from(
    { length: 50_000 },
    (_, index) =>
      storedEvent({
        id: index + 1,
        userId: index % 3 === 0 ? null : String(index),
        type: index % 7 === 0 ? null : `type ${index % 5}`,
        metadata: `{"page":{"number":${index}}}`,
      }),
  );
  await withFile("parquet", events, async (file) => {
    const [groups] = await query(
      `SELECT count(DISTINCT row_group_id) AS n FROM parquet_metadata('${file}')`,
    );
    equal(groups?.n, "3");
    const [sums] = await query(
      `SELECT sum(id) AS ids, count(user_id) AS users, count(type) AS types,
         sum((metadata->>'$.page.number')::BIGINT) AS pages FROM '${file}'`,
    );
    const sum = (values: number[]) => String(values.reduce((a, b) => a + b, 0));
    deepEqual(sums, {
      ids: sum(events.map(({ id }) => id)),
      users: String(events.filter(({ userId }) => userId !== null).length),
      types: String(events.filter(({ type }) => type !== null).length),
      pages: sum(events.map((_, index) => index)),
    });
  });
});

Deno.test("DuckDB reads an NDJSON export exactly, metadata as the same JSON", async () => {
  await withFile("ndjson", EVENTS, async (file) => {
    const integers = ["id", "user_id"];
    const types = [...TEXTS, "received_at"].map((name) =>
      `${name}: '${integers.includes(name) ? "BIGINT" : name === "metadata" ? "JSON" : "VARCHAR"}'`
    );
    // It writes JSON anew: without spaces, with other escapes.
    const parsed = (row: Row) => ({
      ...row,
      metadata: JSON.parse(String(row.metadata)),
    });
    deepEqual(
      (await read(`read_ndjson('${file}', columns = {${types}})`)).map(parsed),
      EVENTS.map(expected).map(parsed),
    );
  });
});

Deno.test("DuckDB reads a CSV export exactly, once the marks of text are taken off", async () => {
  await withFile("csv", EVENTS, async (file) => {
    const from = `read_csv('${file}', all_varchar = true, allow_quoted_nulls = false)`;
    const unmarked = (value: string | null) => value?.startsWith("'") ? value.slice(1) : value;
    const rows = (await read(from)).map((row) => mapRow(row, unmarked));
    deepEqual(rows, EVENTS.map(expectedOnOneLine));
  });
});
