/** The audit knows the events that retention removed, and tells them from those that are just gone. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import type { Finding } from "../../lib/store/verify.ts";
import { verify } from "../../lib/store/verify.ts";
import { query } from "../e2e/rows.ts";
import { Aged, makeVersion3, times } from "./aged.ts";
import { elsewhere, newFolder, openDatabase, runOf } from "./batches.ts";

/** What the audit says of a database of 100 events, 40 of them removed, with which this was done. */
function found(sql: string): Record<"counters" | "sequence", string> {
  using aged = new Aged();
  aged.add([...times(40, 1), ...times(60, 9)]);
  const { database, path } = aged, limits = { usedBytesMax: null, throughId: Infinity };
  database.change(() => database.upkeep.removeOldest({ ...limits, receivedBefore: 5 }, 1000));
  elsewhere(path, sql);
  const findings = verify(path);
  const of = (subject: Finding["subject"]) => {
    const finding = findings.find((each) => each.subject === subject);
    return `${finding?.isOk ? "ok" : "WRONG"}: ${finding?.detail.split(";")[0]}`;
  };
  return { counters: of("counters"), sequence: of("sequence") };
}

const INSERT = "INSERT INTO events (id, timestamp, metadata, received_at, source) VALUES";

Deno.test("events that were removed are missed by nobody", () => {
  deepEqual(found(""), {
    counters: "ok: 60 events, 40 removed by retention, 100 counted when they were committed",
    sequence: "ok: ids 41 to 100, 0 missing",
  });
});

Deno.test("an event deleted by hand is missed, wherever it was", () => {
  const missing = "WRONG: 59 events, 40 removed by retention, 100 counted when they were committed";
  deepEqual(found("DELETE FROM events WHERE id = 41"), {
    counters: missing,
    sequence: "WRONG: ids 42 to 100, 1 missing",
  });
  deepEqual(found("DELETE FROM events WHERE id = 70"), {
    counters: missing,
    sequence: "WRONG: ids 41 to 100, 1 missing",
  });
});

Deno.test("an event added by hand is one too many, also in the place of one that was removed", () => {
  const added = "WRONG: 61 events, 40 removed by retention, 100 counted when they were committed";
  deepEqual(found(`${INSERT} (40, 't', '{}', 1, 's')`), {
    counters: added,
    sequence: "WRONG: ids 40 to 100, -1 missing",
  });
});

Deno.test("an event that was deleted in the middle and put in before the others is found", () => {
  const { counters, sequence } = found(
    `DELETE FROM events WHERE id = 70; ${INSERT} (40, 't', '{}', 1, 's')`,
  );
  deepEqual([counters.slice(0, 2), sequence.slice(0, 5)], ["ok", "WRONG"]);
});

Deno.test("a count that somebody changed does not match", () => {
  equal(found("UPDATE events_removed SET count = 41").counters.slice(0, 5), "WRONG");
});

Deno.test("a database of version 3 keeps its events, has lost none and no export points", () => {
  using folder = newFolder();
  const { database: path } = folder;
  makeVersion3(
    path,
    `${INSERT} (1, 't', '{"m":1}', 5, 's'), (2, 't', '{"m":2}', 6, 's');
     INSERT INTO runs VALUES (1, '${"0".repeat(16)}', 'disk', 1000, 5, 6, 2, 2, 2, 0)`,
  );
  const events = () => query<object>(path, "SELECT * FROM events").map((row) => ({ ...row }));
  const before = events();
  const database = openDatabase(path, { run: runOf("00000000000000ff") });
  deepEqual(events(), before);
  deepEqual([database.upkeep.removed(), database.upkeep.exportPoints()], [0, []]);
  database.close();
  deepEqual(verify(path).filter(({ isOk }) => !isOk), []);
});
