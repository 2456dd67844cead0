/** When retention waits: storing, other programs and a clock that steps come first. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { Retention } from "../../lib/store/retention.ts";
import { makeVersion3, times } from "./aged.ts";
import { elsewhere, newFolder, openDatabase } from "./batches.ts";
import { DAY, OLD, Retaining, THIRTY, YOUNG } from "./retaining.ts";

Deno.test("while storing comes first it waits, longer each time, and then goes on", () => {
  using retaining = new Retaining(THIRTY);
  retaining.add(times(100, OLD));
  retaining.isBusy = true;
  const { retention } = retaining;
  deepEqual([1, 2, 3].map(() => retention.turn()), [1000, 2000, 4000]);
  for (let i = 0; i < 10; i++) ok(retention.turn() <= 60_000);
  deepEqual([retaining.ids.length, retaining.notices], [100, []]);
  retaining.isBusy = false;
  retaining.finish();
  deepEqual([retaining.ids, retaining.state.heldUp], [[100], null]);
  retaining.isBusy = true;
  deepEqual([retention.turn(), retaining.state.heldUp], [
    1000,
    "the database does not take events",
  ]);
});

Deno.test("a database that another program locks is left alone until it is free", () => {
  using retaining = new Retaining(THIRTY);
  retaining.add(times(100, OLD));
  {
    using other = new DatabaseSync(retaining.path);
    other.exec("BEGIN IMMEDIATE");
    deepEqual([retaining.retention.turn(), retaining.retention.turn()], [1000, 2000]);
  }
  deepEqual(retaining.notices, []);
  retaining.finish();
  deepEqual(retaining.ids, [100]);
});

Deno.test("[G11] a reader that holds the log makes it wait before the log is at its limit", () => {
  const walBytesMax = 40_000_000, events = 60_000;
  using retaining = new Retaining(THIRTY, { walBytesMax });
  for (let i = 0; i < 12; i++) retaining.add(times(5000, OLD), "y".repeat(600));
  retaining.database.checkpointAll();
  {
    using reader = new DatabaseSync(retaining.path);
    reader.exec("BEGIN; SELECT count(*) FROM events");
    let pauseMs = 0;
    for (let i = 0; i < 500 && pauseMs !== 1000; i++) pauseMs = retaining.retention.turn();
    equal(pauseMs, 1000, "it did not wait");
    match(retaining.state.heldUp ?? "", /a reader keeps the database's log/);
    ok(Deno.statSync(`${retaining.path}-wal`).size < walBytesMax / 2);
    const left = retaining.ids.length;
    ok(left > 1 && left < events, `${left} are left`);
    equal(reader.prepare("SELECT count(*) AS n FROM events").get()?.n, events);
  }
  retaining.finish();
  deepEqual([retaining.ids, retaining.notices], [[events], []]);
});

Deno.test("an error that does not pass is told, and it tries again", () => {
  using retaining = new Retaining(THIRTY);
  retaining.add(times(100, OLD));
  elsewhere(
    retaining.path,
    "CREATE TRIGGER keep BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'mine'); END",
  );
  equal(retaining.retention.turn(), 1000);
  deepEqual(retaining.notices, ["events can not be removed: mine"]);
  elsewhere(retaining.path, "DROP TRIGGER keep");
  retaining.finish();
  deepEqual(retaining.ids, [100]);
});

Deno.test("[G15] a clock that steps forward removes nothing, and that is told", () => {
  using retaining = new Retaining(THIRTY);
  retaining.add(times(100, YOUNG));
  retaining.finish();
  retaining.wallMs += 365 * DAY;
  retaining.finish();
  deepEqual(retaining.ids.length, 100);
  match(retaining.notices.join(), /^events stay that were to be removed: the clock went forward/);
});

Deno.test("that the file of an earlier version gets no shorter is told once, with the way out", () => {
  using folder = newFolder();
  makeVersion3(folder.database);
  for (const retainDays of [30, 0]) {
    const notices: string[] = [];
    const database = openDatabase(folder.database);
    const retention = new Retention({
      policy: { retainDays, retainBytes: 0, retainUnexported: "no" },
      use: (call) => call(database),
      tell: () => {},
      notice: (text) => notices.push(text),
    });
    for (let turn = 0; turn < 3; turn++) retention.turn();
    database.close();
    equal(notices.length, retainDays === 0 ? 0 : 1);
    if (retainDays > 0) match(notices.join(), /gets no shorter.*auto_vacuum = INCREMENTAL; VACUUM/);
  }
});
