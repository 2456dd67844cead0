/** The audit knows every dead letter: stored, replayed or purged, and tells one that is just gone. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import type { Database } from "../../lib/store/database.ts";
import { verify } from "../../lib/store/verify.ts";
import { letters } from "../fakes/letters.ts";
import { submission } from "../fakes/submissions.ts";
import { batchOfParts, elsewhere, newFolder, openDatabase } from "./batches.ts";

/** What the audit says of the counters of a database in which this was done. */
function countersAfter(work: (database: Database, path: string) => void): string {
  using folder = newFolder();
  const { database: path } = folder, database = openDatabase(path);
  const parts = [submission([1, 2]), letters(["a", "b", "c"])];
  deepEqual(database.write(batchOfParts(1, parts)), { kind: "committed" });
  work(database, path);
  database.endRun();
  database.close();
  const findings = verify(path);
  for (const { subject, isOk, detail } of findings) {
    equal(isOk || subject === "counters", true, `${subject}: ${detail}`);
  }
  const counters = findings.find(({ subject }) => subject === "counters");
  return `${counters?.isOk ? "ok" : "WRONG"}: ${counters?.detail}`;
}

const says = (isOk: boolean, letters: number, counted: number, events = 2) =>
  `${isOk ? "ok" : "WRONG"}: ${events} events, ${events} counted when they were committed; ` +
  `${letters} dead letters, those replayed or purged included, ${counted} counted`;

Deno.test("letters that are there are as many as were counted", () => {
  equal(countersAfter(() => {}), says(true, 3, 3));
});

Deno.test("letters that were removed are missed by nobody", () => {
  const one = { first: 2, last: 2 }, all = { first: 0, last: 99 };
  equal(countersAfter((database) => void database.removeDeadLetters(one)), says(true, 3, 3));
  equal(
    countersAfter((database) => {
      equal(database.removeDeadLetters(one), 1);
      equal(database.removeDeadLetters(all), 2);
      equal(database.removeDeadLetters(all), 0);
    }),
    says(true, 3, 3),
  );
});

Deno.test("the event of a letter that was replayed counts as the event that it has become", () => {
  const said = countersAfter((database) => {
    deepEqual(database.write(batchOfParts(2, [submission([3])])), { kind: "committed" });
    equal(database.removeDeadLetters({ first: 1, last: 1 }), 1);
  });
  equal(said, says(true, 3, 3, 3));
});

Deno.test("a letter deleted by hand is missed, also among letters that were removed", () => {
  const byHand = (path: string) => elsewhere(path, "DELETE FROM dead_letters WHERE id = 3");
  equal(countersAfter((_, path) => byHand(path)), says(false, 2, 3));
  equal(
    countersAfter((database, path) => {
      database.removeDeadLetters({ first: 1, last: 1 });
      byHand(path);
    }),
    says(false, 2, 3),
  );
});

Deno.test("a letter added by hand is one too many, also in the place of one that was removed", () => {
  const insert = `INSERT INTO dead_letters (received_at, source, protocol, reason, raw)
    VALUES (1, 's', 'native', 'r', '{}')`;
  equal(countersAfter((_, path) => elsewhere(path, insert)), says(false, 4, 3));
  equal(
    countersAfter((database, path) => {
      database.removeDeadLetters({ first: 3, last: 3 });
      elsewhere(path, insert);
    }),
    says(false, 4, 3),
  );
});
