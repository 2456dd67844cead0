import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { Journal, type JournalOptions } from "../../lib/store/journal.ts";
import { denoFiles, type JournalFiles } from "../../lib/store/journal_files.ts";
import { HEAD_BYTES, type JournalRecord } from "../../lib/store/journal_record.ts";
import { newFolder } from "./batches.ts";

const RUN = "0d9488f4-7f6c-4b6c-a1a4-0f61bd4d3f0b";
const ALL = { eventsMax: Infinity, bytesMax: Infinity };

function recordOf(number: number, more: Partial<JournalRecord> = {}): JournalRecord {
  return { run: RUN, number, events: number % 5, rows: `rows of ${number}\x1fé😀`, ...more };
}

/** A journal in a folder of its own; the files are those of this machine. */
function newJournal(options: Partial<JournalOptions> = {}) {
  const folder = newFolder();
  const path = `${folder.path}/events.db.journal`;
  const open = () => new Journal({ path, bytesMax: 1 << 20, ...options });
  return {
    journal: open(),
    open,
    path,
    names: () => [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(),
    [Symbol.dispose]: folder[Symbol.dispose],
  };
}

/** Tells each call of the files; what is written is not flushed, which is slow. */
function toldFiles(calls: string[] = []): JournalFiles {
  return {
    ...denoFiles,
    create: (path) => {
      const file = denoFiles.create(path);
      return {
        write: (bytes) => {
          calls.push("write");
          return file.write(bytes);
        },
        datasync: () => void calls.push("datasync"),
        truncate: (length) => file.truncate(length),
        identity: () => file.identity(),
        [Symbol.dispose]: () => file[Symbol.dispose](),
      };
    },
    syncFolder: (path) => void calls.push(`syncFolder ${path}`),
  };
}

Deno.test("records come back as they were appended, in order, now and after a restart", () => {
  using each = newJournal({ segmentBytes: 300 });
  const records = [
    recordOf(1),
    recordOf(2, { run: "", rows: "" }),
    recordOf(Number.MAX_SAFE_INTEGER, { run: "~".repeat(64), events: 2 ** 32 - 1 }),
    recordOf(4, { rows: "\ufeff\0\x1f\ud83d\ude00\uffff" }),
    recordOf(5, { rows: "x".repeat(200_000) }),
    recordOf(6),
  ];
  records.forEach((record) => each.journal.append(record));
  for (const journal of [each.journal, each.open()]) {
    using _closed = journal;
    deepEqual(journal.peek(ALL), records);
    equal(journal.records, 6);
    equal(journal.events, records.reduce((sum, { events }) => sum + events, 0));
    const bytes = each.names().map((name) => Deno.statSync(each.path.replace(/[^/]*$/, name)).size);
    equal(journal.bytes, bytes.reduce((a, b) => a + b));
    deepEqual(journal.damage, { files: 0, bytes: 0 });
  }
});

Deno.test("a new journal is empty and leaves no file, whatever is asked of it", () => {
  using each = newJournal();
  const { journal } = each;
  deepEqual([journal.records, journal.events, journal.bytes, journal.isEmpty], [0, 0, 0, true]);
  deepEqual(journal.peek(ALL), []);
  journal.removeFirst(0);
  journal.close();
  deepEqual(each.names(), []);
});

Deno.test("an append returns behind the flush, of the folder too for a new file", () => {
  const calls: string[] = [];
  using each = newJournal({ segmentBytes: 200, files: toldFiles(calls) });
  const folder = each.path.replace(/\/[^/]*$/, "");
  const append = (number: number) => {
    calls.length = 0;
    each.journal.append(recordOf(number));
    return calls.join();
  };
  equal(append(1), `write,write,datasync,syncFolder ${folder}`);
  equal(append(2), "write,write,datasync");
  equal(append(3), `write,write,datasync,syncFolder ${folder}`);
  each.journal.close();
});

Deno.test("a peek stops before the record that would go beyond a limit, but gives one at least", () => {
  using each = newJournal({ segmentBytes: 250 });
  using journal = each.journal;
  const records = [1, 2, 3, 4, 5].map((n) => recordOf(n, { events: 10, rows: "é".repeat(50) }));
  records.forEach((record) => journal.append(record));
  const count = (eventsMax: number, bytesMax: number) =>
    journal.peek({ eventsMax, bytesMax }).length;
  deepEqual([count(0, 0), count(10, 1e9), count(19, 1e9), count(20, 1e9)], [1, 1, 1, 2]);
  deepEqual([count(1e9, 99), count(1e9, 299), count(1e9, 300), count(1e9, 301)], [1, 2, 3, 3]);
});

Deno.test("a segment goes when its last record has, the open one when the journal is empty", () => {
  using each = newJournal({ segmentBytes: 1 });
  const { journal } = each;
  [1, 2, 3].forEach((number) => journal.append(recordOf(number)));
  deepEqual(each.names(), [1, 2, 3].map((n) => `events.db.journal.00000${n}`));
  equal(journal.peek(ALL).length, 3);
  journal.append(recordOf(4)); // what was peeked stays peeked
  journal.removeFirst(2);
  deepEqual(each.names(), [3, 4].map((n) => `events.db.journal.00000${n}`));
  throws(() => journal.removeFirst(2), { name: "RangeError", message: /2 records of 1 peeked/ });
  throws(() => journal.removeFirst(NaN), RangeError);
  throws(() => journal.removeFirst(-1), RangeError);
  deepEqual(journal.peek(ALL).map(({ number }) => number), [3, 4]);
  journal.removeFirst(2);
  deepEqual([each.names(), journal.bytes, journal.isEmpty], [[], 0, true]);
  journal.append(recordOf(5));
  deepEqual(each.names(), ["events.db.journal.000005"]);
  journal.close();
});

Deno.test("a segment of an earlier process is not appended to", () => {
  using each = newJournal();
  each.journal.append(recordOf(1));
  each.journal.close();
  const before = Deno.readFileSync(`${each.path}.000001`);
  using journal = each.open();
  journal.append(recordOf(2));
  deepEqual(Deno.readFileSync(`${each.path}.000001`), before);
  deepEqual(journal.peek(ALL), [recordOf(1), recordOf(2)]);
});

Deno.test("other names are let alone; segments are ordered by number", () => {
  using each = newJournal();
  const others = ["", ".000002.tmp", ".000003.damaged", ".000000", ".00001", ".0000004", ".1e5xxx"];
  others.forEach((name) => Deno.writeTextFileSync(each.path + name, "?"));
  Deno.mkdirSync(`${each.path}.000007`);
  Deno.symlinkSync("/dev/zero", `${each.path}.000008`);
  Deno.writeTextFileSync(`${each.path}.000009`, ""); // a crash right after it was made
  const before = each.names().filter((name) => !name.endsWith("9"));
  for (const number of [1_000_000, 999_999]) { // not in this order by name
    using other = newJournal();
    other.journal.append(recordOf(number));
    other.journal.close();
    Deno.copyFileSync(`${other.path}.000001`, `${each.path}.${number}`);
  }
  using journal = each.open();
  deepEqual(journal.peek(ALL), [recordOf(999_999), recordOf(1_000_000)]);
  deepEqual(journal.damage, { files: 0, bytes: 0 });
  journal.append(recordOf(1));
  ok(each.names().includes("events.db.journal.1000001"));
  journal.removeFirst(2);
  journal.peek(ALL);
  journal.removeFirst(1);
  deepEqual(each.names(), before);
});

Deno.test("the cap counts whole files, and room comes back with the files that go", () => {
  const bytes = HEAD_BYTES + 100;
  using each = newJournal({ bytesMax: 3 * bytes, segmentBytes: 2 * bytes });
  using journal = each.journal;
  const append = (number: number) => journal.append(recordOf(number, { rows: "x".repeat(100) }));
  [1, 2, 3].forEach(append);
  throws(() => append(4), { name: "JournalError", kind: "full", message: /reached its 588 B/ });
  journal.peek({ eventsMax: 1, bytesMax: 1e9 });
  journal.removeFirst(1);
  throws(() => append(4), { kind: "full" });
  journal.peek(ALL);
  journal.removeFirst(1);
  equal(journal.bytes, bytes);
  [4, 5].forEach(append);
  deepEqual(journal.peek(ALL).map(({ number }) => number), [3, 4, 5]);
});

for (
  const [what, disturb] of Object.entries({
    "deleted": (path: string) => Deno.removeSync(path),
    "moved": (path: string) => Deno.renameSync(path, `${path}.elsewhere`),
    "replaced": (path: string) => {
      Deno.renameSync(path, `${path}.elsewhere`);
      Deno.writeTextFileSync(path, "something else");
    },
  })
) {
  Deno.test(`a tail that was ${what} takes no more records, and what was in it is counted`, () => {
    using each = newJournal();
    using journal = each.journal;
    journal.append(recordOf(1));
    const { bytes } = journal;
    disturb(`${each.path}.000001`);
    throws(() => journal.append(recordOf(2)), { kind: "io", message: /deleted or replaced/ });
    journal.append(recordOf(2));
    equal(journal.records, 2);
    deepEqual(journal.peek(ALL), [recordOf(2)]);
    deepEqual([journal.records, journal.damage], [1, { files: 1, bytes }]);
    journal.removeFirst(1);
    ok(!each.names().includes("events.db.journal.000002"));
    equal(each.names().includes("events.db.journal.000001.damaged"), what === "replaced");
  });
}

Deno.test("misuse throws and appends nothing", () => {
  using each = newJournal();
  const { journal } = each;
  for (const number of [0, -1, 1.5, NaN, 2 ** 53]) {
    throws(() => journal.append(recordOf(number)), RangeError);
  }
  for (const run of ["x".repeat(65), "é", "\0", "\n"]) {
    throws(() => journal.append(recordOf(1, { run })), RangeError);
  }
  for (const events of [-1, 0.5, 2 ** 32]) {
    throws(() => journal.append(recordOf(1, { events })), RangeError);
  }
  const { path } = each;
  throws(() => new Journal({ path, bytesMax: 0 }), /bytesMax must be a positive number: 0/);
  throws(() => new Journal({ path, bytesMax: 1, segmentBytes: NaN }), RangeError);
  throws(() => new Journal({ path: `${path}/x`, bytesMax: 1 }), { kind: "io" });
  deepEqual(each.names(), []);
  journal.append(recordOf(1));
  journal.close();
  journal.close();
  throws(() => journal.append(recordOf(2)), TypeError);
  throws(() => journal.peek(ALL), TypeError);
  throws(() => journal.removeFirst(0), TypeError);
  equal(journal.records, 1);
});

Deno.test("a segment that can not be opened is not taken for a damaged one", () => {
  using each = newJournal({ segmentBytes: 1 });
  [1, 2].forEach((number) => each.journal.append(recordOf(number)));
  let isShut = true;
  const open: JournalFiles["open"] = (path) => {
    if (isShut && path.endsWith("2")) throw new Error("Too many open files (os error 24)");
    return denoFiles.open(path);
  };
  const options = { path: each.path, bytesMax: 1e9, files: { ...denoFiles, open } };
  throws(() => new Journal(options), { kind: "io", message: /Cannot open .*000002: Too many/ });
  isShut = false;
  using journal = new Journal(options);
  isShut = true;
  throws(() => journal.peek(ALL), { kind: "io" });
  isShut = false;
  deepEqual(journal.peek(ALL), [recordOf(1), recordOf(2)]);
  deepEqual(journal.damage, { files: 0, bytes: 0 });
  each.journal.close();
});

Deno.test("a file that can not be removed is tried again, its records stay removed", () => {
  using each = newJournal({ segmentBytes: 1 });
  [1, 2].forEach((number) => each.journal.append(recordOf(number)));
  each.journal.close();
  let isReadOnly = true;
  const unlink = (path: string) => {
    if (isReadOnly && path.endsWith("1")) throw new Error("Read-only file system");
    denoFiles.unlink(path);
  };
  const files = { ...denoFiles, unlink };
  using journal = new Journal({ path: each.path, bytesMax: 1e9, files });
  journal.peek(ALL);
  throws(() => journal.removeFirst(1), { kind: "io", message: /Cannot remove .*Read-only/ });
  equal(journal.records, 1);
  deepEqual(journal.peek(ALL), [recordOf(2)]);
  isReadOnly = false;
  journal.removeFirst(1);
  deepEqual([each.names(), journal.bytes], [[], 0]);
});

type Step =
  | { readonly kind: "append"; readonly length: number }
  | { readonly kind: "peek"; readonly eventsMax: number; readonly bytesMax: number }
  | { readonly kind: "remove"; readonly part: number }
  | { readonly kind: "reopen" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("append" as const), length: fc.nat(300) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("peek" as const),
      eventsMax: fc.nat(12),
      bytesMax: fc.nat(900),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("remove" as const), part: fc.nat(100) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "reopen" as const }) },
);

Deno.test("a journal does what a plain array does, whatever the order of calls", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(step, { maxLength: 60, size: "max" }),
      (segmentBytes, steps) => {
        using each = newJournal({ segmentBytes, files: toldFiles() });
        let journal = each.journal;
        const appended: JournalRecord[] = [];
        let removed = 0, peeked = 0;
        const left = () => appended.slice(removed);
        for (const step of steps) {
          if (step.kind === "append") {
            const number = appended.length + 1;
            appended.push(recordOf(number, { rows: "x".repeat(step.length) }));
            journal.append(recordOf(number, { rows: "x".repeat(step.length) }));
          } else if (step.kind === "peek") {
            const records = journal.peek(step);
            peeked = records.length;
            deepEqual(records, left().slice(0, expectedCount(left(), step)));
          } else if (step.kind === "remove") {
            const count = Math.round(peeked * step.part / 100);
            journal.removeFirst(count);
            peeked -= count;
            removed += count;
          } else {
            journal.close();
            journal = each.open();
            peeked = 0;
            const back = journal.records - left().length; // of a segment removed in part
            ok(back >= 0 && back <= removed);
            removed -= back;
            deepEqual(journal.peek(ALL), left());
            peeked = left().length;
          }
          deepEqual(
            [journal.records, journal.events, journal.isEmpty, each.names().length === 0],
            [left().length, eventsOf(left()), left().length === 0, left().length === 0],
          );
        }
        journal.close();
        deepEqual(journal.damage, { files: 0, bytes: 0 });
      },
    ),
    { numRuns: 150 },
  );
});

function eventsOf(records: readonly JournalRecord[]): number {
  return records.reduce((sum, { events }) => sum + events, 0);
}

/** How many records a peek must give. */
function expectedCount(
  records: readonly JournalRecord[],
  limit: { eventsMax: number; bytesMax: number },
): number {
  const fits = (count: number) => {
    const first = records.slice(0, count);
    return eventsOf(first) <= limit.eventsMax &&
      first.reduce((sum, { rows }) => sum + rows.length, 0) <= limit.bytesMax;
  };
  let count = Math.min(1, records.length);
  while (count < records.length && fits(count + 1)) count++;
  return count;
}
