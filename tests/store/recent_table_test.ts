import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { open } from "../../lib/sqlite/driver_node.ts";
import { RecentTable, type RecentTableOptions } from "../../lib/store/recent_table.ts";
import { newFolder, openDatabase } from "./batches.ts";

/** Makes tables on one new database. */
function newTables() {
  const folder = newFolder();
  openDatabase(folder.database).close();
  const connection = open(folder.database);
  const rows = () => {
    const row = connection.prepare("SELECT count(*) AS n FROM recent_event_ids").get([]);
    return Number(row?.n);
  };
  return {
    rows,
    empty: () => connection.prepare("DELETE FROM recent_event_ids").run([]),
    table: (options: Partial<RecentTableOptions> = {}) =>
      new RecentTable(connection, {
        table: "recent_event_ids",
        words: 4,
        capacity: 1000,
        ...options,
      }),
    [Symbol.dispose]() {
      connection.close();
      folder[Symbol.dispose]();
    },
  };
}

/** Records from one number to before another; each word tells its record and its place. */
function records(from: number, to: number, words = 4): Uint32Array {
  return Uint32Array.from({ length: (to - from) * words }, (_, i) => from * words + i);
}

Deno.test("records come back in the order they were appended, the oldest first", () => {
  using tables = newTables();
  const table = tables.table();
  equal(table.all().length, 0);
  for (const [from, to] of [[0, 1], [1, 300], [300, 300], [300, 301], [301, 700]] as const) {
    table.append(records(from, to));
  }
  deepEqual(table.all(), records(0, 700));
  deepEqual(tables.table().all(), records(0, 700), "another connection sees others");
});

Deno.test("a part of an array is appended, not all of it", () => {
  using tables = newTables();
  const table = tables.table();
  table.append(records(0, 10).subarray(8, 16));
  deepEqual(table.all(), records(2, 4));
});

Deno.test("as many are kept as the capacity says, and the rows of older ones go", () => {
  using tables = newTables();
  const table = tables.table({ capacity: 300 });
  for (let end = 1; end <= 1200; end++) {
    table.append(records(end - 1, end));
    const first = Math.max(0, end - 300);
    deepEqual(table.all(), records(first, end));
    equal(tables.rows(), Math.ceil(end / 256) - Math.floor(first / 256), `at ${end}`);
  }
});

Deno.test("more than the capacity at once leaves the newest", () => {
  using tables = newTables();
  const table = tables.table({ capacity: 3 });
  table.append(records(0, 1000));
  table.append(records(1000, 1001));
  deepEqual(table.all(), records(998, 1001));
});

Deno.test("a capacity that was lowered or raised holds from the next start on", () => {
  using tables = newTables();
  tables.table({ capacity: 600 }).append(records(0, 600));
  deepEqual(tables.table({ capacity: 10 }).all(), records(590, 600));
  tables.table({ capacity: 2000 }).append(records(600, 1200));
  deepEqual(tables.table({ capacity: 2000 }).all(), records(0, 1200));
});

Deno.test("short rows are filled up and longer ones left alone", () => {
  using tables = newTables();
  const table = tables.table({ capacity: 1e6 });
  const rows: number[] = [];
  for (const [from, to] of [[0, 255], [255, 900], [900, 901], [901, 902]] as const) {
    table.append(records(from, to));
    rows.push(tables.rows());
  }
  deepEqual(rows, [1, 1, 2, 2]);
  deepEqual(table.all(), records(0, 902));
});

Deno.test("a table that was cleared is empty and begins anew", () => {
  using tables = newTables();
  const table = tables.table();
  table.append(records(0, 700));
  table.clear();
  deepEqual([table.all().length, tables.rows()], [0, 0]);
  table.append(records(7, 9));
  deepEqual(table.all(), records(7, 9));
});

Deno.test("with no capacity nothing is kept or given", () => {
  using tables = newTables();
  tables.table().append(records(0, 5));
  const none = tables.table({ capacity: 0 });
  none.append(records(5, 9));
  equal(none.all().length, 0);
  deepEqual(tables.table().all(), records(0, 5));
});

Deno.test("whatever is appended, the newest come back, at least as many as the capacity", () => {
  using tables = newTables();
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 700 }),
      fc.array(fc.nat(400), { maxLength: 12 }),
      (capacity, sizes) => {
        tables.empty();
        const table = tables.table({ capacity });
        let end = 0;
        for (const size of sizes) {
          table.append(records(end, end + size));
          end += size;
          deepEqual(table.all(), records(Math.max(0, end - capacity), end));
        }
      },
    ),
    { numRuns: 60 },
  );
});
