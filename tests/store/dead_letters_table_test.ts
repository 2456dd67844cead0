/** The table of dead letters: pages of it, its texts byte for byte, and what is taken out of it. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { encodeBatch } from "../../lib/event.ts";
import type { Database } from "../../lib/store/database.ts";
import { query } from "../e2e/rows.ts";
import { letters } from "../fakes/letters.ts";
import { submission } from "../fakes/submissions.ts";
import { batchOf, elsewhere, newFolder, openDatabase, RUN_ID, runOf } from "./batches.ts";

const ALL = { after: 0, limit: 1000 };
const MIB = 1024 * 1024;

/** A database in a folder of its own. */
class Opened implements Disposable {
  readonly #folder = newFolder();
  readonly path = this.#folder.database;
  readonly database = openDatabase(this.path);
  #batches = 0;

  /** Writes a batch of dead letters with these raw texts. */
  add(raws: readonly string[]): void {
    addTo(this.database, ++this.#batches, raws);
  }

  /** The ids that a page has. */
  ids(after: number, limit: number): number[] {
    return this.database.deadLetters({ after, limit }).map(({ id }) => id);
  }

  /** How many were removed since the database was made. */
  get removed(): number {
    return Number(
      query<{ count: bigint }>(this.path, "SELECT count FROM dead_letters_removed")[0]?.count,
    );
  }

  [Symbol.dispose](): void {
    this.database.close();
    this.#folder[Symbol.dispose]();
  }
}

function addTo(database: Database, number: number, raws: readonly string[]): void {
  const rows = encodeBatch([letters(raws)]);
  const batch = { ...batchOf(number, raws), rows, aside: raws.length };
  deepEqual(database.write(batch), { kind: "committed" });
}

Deno.test("a letter is found with all that it was stored with, and the place of its event", () => {
  using opened = new Opened();
  const of = { reason: "why", source: "web", protocol: "segment/track", receivedAt: 5 };
  const rows = encodeBatch([submission([1, 2]), letters(["{"], of), submission([3])]);
  deepEqual(opened.database.write({ ...batchOf(1, [1, 2, 3, 4]), rows, aside: 1 }), {
    kind: "committed",
  });
  deepEqual(opened.database.deadLetters(ALL), [
    { id: 1, raw: "{", isDecoded: false, event: `${RUN_ID}/2`, ...of },
  ]);
});

Deno.test("pages go by id: after one, so many, the oldest first, until one is empty", () => {
  using opened = new Opened();
  opened.add(["a", "b", "c"]);
  opened.add(["d", "e"]);
  deepEqual(opened.ids(0, 2), [1, 2]);
  deepEqual(opened.ids(2, 2), [3, 4]);
  deepEqual(opened.ids(4, 2), [5]);
  deepEqual(opened.ids(5, 2), []);
  deepEqual(opened.ids(-1, 1), [1]);
  deepEqual(opened.ids(0, 1000), [1, 2, 3, 4, 5]);
  opened.database.removeDeadLetters({ first: 2, last: 4 });
  deepEqual(opened.ids(1, 1), [5], "a page ended at ids that are gone");
});

for (
  const [what, raw] of [
    ["NUL", "before\0after\0"],
    [
      "every control character",
      Array.from({ length: 33 }, (_, i) => String.fromCharCode(i)).join(""),
    ],
    ["a byte order mark first", "\ufeff{}"],
    ["text beyond the first plane", "日本語 \u{1f600}\u{10ffff}\uffff"],
    ["nothing at all", ""],
    ["what looks like a number", "0123"],
  ] as const
) {
  Deno.test(`a raw text with ${what} comes back as it was`, () => {
    using opened = new Opened();
    opened.add([raw, "next"]);
    deepEqual(opened.database.deadLetters(ALL).map(({ raw }) => raw), [raw, "next"]);
  });
}

Deno.test("half a surrogate pair, which is no text in UTF-8, becomes U+FFFD and nothing else is lost", () => {
  using opened = new Opened();
  opened.add(["a\ud800b\udc00", "\ud83d\ude00 is whole"]);
  deepEqual(opened.database.deadLetters(ALL).map(({ raw }) => raw), [
    "a\ufffdb\ufffd",
    "\u{1f600} is whole",
  ]);
});

Deno.test("a page of large letters ends at 4 MiB, and the pages have each letter once", () => {
  using opened = new Opened();
  const sizes = [1, 1, 1, 1, 1, 3, 2, 4, 5, 1, 0].map((mib) => mib * MIB);
  const ofTwoBytes = (bytes: number) => "é".repeat(bytes / 2);
  opened.add(sizes.map(ofTwoBytes));
  const pages: number[][] = [];
  for (let after = 0;;) {
    const page = opened.database.deadLetters({ after, limit: 1000 });
    if (page.length === 0) break;
    const bytes = page.reduce((sum, { raw }) => sum + 2 * raw.length, 0);
    ok(bytes <= 4 * MIB || page.length === 1, `a page of ${page.length} has ${bytes} bytes`);
    pages.push(page.map(({ id }) => id));
    after = page.at(-1)?.id ?? 0;
  }
  deepEqual(pages, [[1, 2, 3, 4], [5, 6], [7], [8], [9], [10, 11]]);
});

Deno.test("a letter that is larger than a page comes alone, whole", () => {
  using opened = new Opened();
  opened.add(["a", "x".repeat(6 * MIB), "b"]);
  deepEqual(opened.ids(0, 10), [1]);
  deepEqual(opened.database.deadLetters({ after: 1, limit: 10 }).map(({ raw }) => raw.length), [
    6 * MIB,
  ]);
  deepEqual(opened.ids(2, 10), [3]);
});

Deno.test("removing gives how many there were, and counts them for the audit", () => {
  using opened = new Opened();
  opened.add(["a", "b", "c", "d"]);
  const remove = (first: number, last: number) =>
    opened.database.removeDeadLetters({ first, last });
  equal(remove(2, 2), 1);
  equal(remove(2, 2), 0, "counted twice");
  equal(opened.removed, 1);
  equal(remove(9, 99), 0);
  equal(remove(0, 3), 2);
  deepEqual(opened.ids(0, 10), [4]);
  equal(opened.removed, 3);
  equal(remove(0, 1e14), 1);
  equal(opened.removed, 4);
});

Deno.test("what can not be removed is neither removed nor counted", () => {
  using opened = new Opened();
  opened.add(["a"]);
  elsewhere(
    opened.path,
    `CREATE TRIGGER keep BEFORE UPDATE ON dead_letters_removed
       BEGIN SELECT RAISE(ABORT, 'not now'); END`,
  );
  throws(() => opened.database.removeDeadLetters({ first: 1, last: 1 }), /not now/);
  deepEqual(opened.ids(0, 10), [1]);
  equal(opened.removed, 0);
  elsewhere(opened.path, "BEGIN IMMEDIATE; DROP TRIGGER keep; COMMIT"); // it holds no lock
  equal(opened.database.removeDeadLetters({ first: 1, last: 1 }), 1);
});

Deno.test("an id is never given again: who knows it can not hit another letter", () => {
  using opened = new Opened();
  opened.add(["a", "b"]);
  equal(opened.database.removeDeadLetters({ first: 2, last: 2 }), 1);
  opened.add(["c"]);
  deepEqual(opened.ids(0, 10), [1, 3]);
  opened.database.removeDeadLetters({ first: 0, last: 99 });
  opened.add(["d"]);
  deepEqual(opened.ids(0, 10), [4]);
});

Deno.test("the place of an event is that of no other, whatever run and batch it was in", () => {
  using opened = new Opened();
  opened.add(["a", "b"]);
  opened.add(["c"]);
  const other = openDatabase(opened.path, { run: runOf("00000000000000bb") });
  addTo(other, 1, ["d", "e"]);
  const places = other.deadLetters(ALL).map(({ event }) => event);
  other.close();
  deepEqual(places, [
    `${RUN_ID}/0`,
    `${RUN_ID}/1`,
    `${RUN_ID}/2`,
    "00000000000000bb/0",
    "00000000000000bb/1",
  ]);
});

Deno.test("a letter of before there were runs has a place too", () => {
  using opened = new Opened();
  elsewhere(
    opened.path,
    `INSERT INTO dead_letters (received_at, source, protocol, reason, raw)
       VALUES (1, 's', 'native', 'r', '{}'), (1, 's', 'native', 'r', '{}')`,
  );
  deepEqual(opened.database.deadLetters(ALL).map(({ event }) => event), ["/1", "/2"]);
});
