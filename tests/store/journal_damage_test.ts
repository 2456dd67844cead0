/** What becomes of a journal whose bytes are damaged, whose disk is full or fails, or loses power. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { Journal } from "../../lib/store/journal.ts";
import type { JournalFiles } from "../../lib/store/journal_files.ts";
import { encodeRecord, HEAD_BYTES, type JournalRecord } from "../../lib/store/journal_record.ts";
import { concat, ModelFiles, systemError } from "../fakes/model_files.ts";

const PATH = "/data/events.db.journal";
const ALL = { eventsMax: Infinity, bytesMax: Infinity };
const ONE = { eventsMax: 0, bytesMax: 0 };

function recordOf(number: number, rows = `${number}\x1f{"é":${number}}\x1f`): JournalRecord {
  return { run: "run-1", number, events: 1, rows };
}

function bytesOf(record: JournalRecord): Uint8Array {
  const { head, payload } = encodeRecord(record);
  return concat(head, payload);
}

function openJournal(files: JournalFiles): Journal {
  return new Journal({ path: PATH, bytesMax: 1 << 30, segmentBytes: 300, files });
}

/** Segment files of such contents, by number from 1. */
function filesOf(...contents: Uint8Array[]): ModelFiles {
  const files = new ModelFiles();
  contents.forEach((bytes, index) => {
    files.names.set(`${PATH}.00000${index + 1}`, { bytes, flushed: bytes.length });
  });
  return files;
}

/** Peeks and removes all, so much at a time. */
function drain(journal: Journal, limit = ALL): JournalRecord[] {
  const records: JournalRecord[] = [];
  for (;;) {
    const some = journal.peek(limit);
    if (some.length === 0) break;
    records.push(...some);
    journal.removeFirst(some.length);
  }
  deepEqual([journal.isEmpty, journal.records, journal.events, journal.bytes], [true, 0, 0, 0]);
  return records;
}

/** Three segments of three records, and where each record is. */
const SEGMENTS = [[1, 2, 3], [4, 5, 6], [7, 8, 9]].map((numbers) => {
  let end = 0;
  return numbers.map((number) => {
    const record = recordOf(number), bytes = bytesOf(record), start = end;
    end += bytes.length;
    return { record, bytes, start, end };
  });
});
const CONTENTS = SEGMENTS.map((segment) => concat(...segment.map(({ bytes }) => bytes)));
const RECORDS = SEGMENTS.flat().map(({ record }) => record);

interface Damaged {
  readonly files: ModelFiles;
  readonly segment: number;
  readonly bytes: Uint8Array;
}

function withSegment(segment: number, bytes: Uint8Array): Damaged {
  const files = filesOf(...CONTENTS.map((whole, index) => index === segment ? bytes : whole));
  return { files, segment, bytes };
}

/** Sees that the damaged file is kept whole under its new name, alone, and that work goes on. */
function checkAside({ files, segment, bytes }: Damaged): void {
  const aside = `${PATH}.00000${segment + 1}.damaged`;
  deepEqual([...files.names.keys()], [aside]);
  equal(files.names.get(aside)?.bytes, bytes);
  using journal = openJournal(files);
  deepEqual([journal.isEmpty, journal.damage], [true, { files: 0, bytes: 0 }]);
  journal.append(recordOf(10));
  deepEqual(journal.peek(ALL), [recordOf(10)]);
  journal.removeFirst(1);
  equal(files.names.size, 1);
}

/** Every byte of every segment, changed; with the one record that it belongs to. */
function* flips(patterns: readonly number[]) {
  for (const [segment, whole] of CONTENTS.entries()) {
    for (let at = 0; at < whole.length; at++) {
      const touched = SEGMENTS[segment]?.find(({ end }) => at < end);
      ok(touched);
      for (const pattern of patterns) {
        const bytes = whole.slice();
        bytes[at] = (whole[at] ?? 0) ^ pattern;
        yield { segment, bytes, touched };
      }
    }
  }
}

Deno.test("the segments of these tests are what a journal writes", () => {
  const files = new ModelFiles();
  using journal = openJournal(files);
  RECORDS.forEach((record) => journal.append(record));
  deepEqual([...files.names.values()].map(({ bytes }) => bytes), CONTENTS);
});

Deno.test("[G10] a changed byte costs the record that it is in and no other, whichever it is", () => {
  let count = 0;
  for (const { segment, bytes, touched } of flips([1, 2, 4, 8, 16, 32, 64, 128, 255])) {
    const damaged = withSegment(segment, bytes);
    using journal = openJournal(damaged.files);
    const expected = RECORDS.filter((record) => record !== touched.record);
    deepEqual([journal.records, journal.events], [8, 8]);
    deepEqual(journal.damage, { files: 1, bytes: touched.bytes.length });
    deepEqual(drain(journal, ++count % 2 === 0 ? ALL : ONE), expected);
    deepEqual(journal.damage, { files: 1, bytes: touched.bytes.length });
    checkAside(damaged);
  }
  equal(count, 9 * CONTENTS.reduce((sum, { length }) => sum + length, 0));
});

Deno.test("[G10] a byte that changes after the opening costs no more, and is counted when it is met", () => {
  for (const { segment, bytes, touched } of flips([0x20])) {
    for (const limit of [ALL, ONE]) {
      const damaged = withSegment(segment, bytes), { names } = damaged.files;
      damaged.files.names = new Map(filesOf(...CONTENTS).names);
      using journal = openJournal(damaged.files);
      equal(journal.records, 9);
      damaged.files.names = names;
      deepEqual(drain(journal, limit), RECORDS.filter((record) => record !== touched.record));
      deepEqual(journal.damage, { files: 1, bytes: touched.bytes.length });
      checkAside(damaged);
    }
  }
});

Deno.test("[G10] a cut end costs the record that was cut and those behind it, wherever it is cut", () => {
  for (const [segment, whole] of CONTENTS.entries()) {
    for (let length = 0; length < whole.length; length++) {
      const damaged = withSegment(segment, whole.slice(0, length));
      const lost = SEGMENTS[segment]?.filter(({ end }) => end > length) ?? [];
      const torn = length - (lost[0]?.start ?? 0);
      using journal = openJournal(damaged.files);
      deepEqual(journal.damage, torn > 0 ? { files: 1, bytes: torn } : { files: 0, bytes: 0 });
      const names = lost.map(({ record }) => record);
      deepEqual(drain(journal), RECORDS.filter((record) => !names.includes(record)));
      if (torn > 0) checkAside(damaged);
      else equal(damaged.files.names.size, 0);
    }
  }
});

Deno.test("[G10] a missing, empty, doubled or foreign segment stops nothing", () => {
  const [first, second, third] = CONTENTS as [Uint8Array, Uint8Array, Uint8Array];
  const drained = (...contents: Uint8Array[]) => {
    using journal = openJournal(filesOf(...contents));
    return drain(journal).map(({ number }) => number);
  };
  deepEqual(drained(first, new Uint8Array(), third), [1, 2, 3, 7, 8, 9]);
  deepEqual(drained(first, first, second), [1, 2, 3, 1, 2, 3, 4, 5, 6]);
  deepEqual(drained(new Uint8Array(500_000), second), [4, 5, 6]);
  const files = filesOf(first, second, third);
  files.names.delete(`${PATH}.000002`);
  using journal = openJournal(files);
  deepEqual(drain(journal).map(({ number }) => number), [1, 2, 3, 7, 8, 9]);
});

Deno.test("[G10] a record of an unknown version is kept aside as damage", () => {
  const { head, payload } = encodeRecord(recordOf(2));
  const view = new DataView(head.buffer);
  view.setUint32(4, 2);
  const damaged = { segment: 0, bytes: concat(bytesOf(recordOf(1)), head, payload) };
  const files = filesOf(damaged.bytes);
  using journal = openJournal(files);
  deepEqual(journal.damage, { files: 1, bytes: HEAD_BYTES + payload.length });
  deepEqual(drain(journal), [recordOf(1)]);
  checkAside({ ...damaged, files });
});

Deno.test("[G10] garbage before, between and behind records is skipped, however long it is", () => {
  const [one, two] = [bytesOf(recordOf(1)), bytesOf(recordOf(2))];
  const piece = 64 * 1024; // what is read at a time
  const lengths = [1, 3, 4, 95, 96, 97, piece - 97, piece - 1, piece, piece + 1, 3 * piece + 2];
  for (let near = -4; near <= 4; near++) lengths.push(piece + near, 2 * piece - one.length + near);
  const kinds = [[0], [0xff], [0xff, 0x46, 0x4a], [0xff, 0x46, 0x4a, 0], [...one.slice(0, 100)]];
  for (const length of lengths) {
    for (const kind of kinds) {
      const garbage = Uint8Array.from({ length }, (_, index) => kind[index % kind.length] ?? 0);
      for (const parts of [[garbage, one, two], [one, garbage, two], [one, two, garbage]]) {
        using journal = openJournal(filesOf(concat(...parts)));
        deepEqual(journal.damage, { files: 1, bytes: length });
        deepEqual(drain(journal), [recordOf(1), recordOf(2)]);
      }
    }
  }
});

Deno.test("a record that a client writes into its event is never taken for one", () => {
  const inner = bytesOf(recordOf(666));
  const texts = [new TextDecoder("latin1").decode(inner), new TextDecoder().decode(inner)];
  const outer = recordOf(2, texts.join("\x1f").repeat(3)), outerBytes = bytesOf(outer);
  const [one, three] = [bytesOf(recordOf(1)), bytesOf(recordOf(3))];
  for (let at = 0; at < outerBytes.length; at++) {
    const flipped = outerBytes.slice();
    flipped[at] = (outerBytes[at] ?? 0) ^ 0x40;
    for (const part of [flipped, outerBytes.slice(0, at)]) {
      using journal = openJournal(filesOf(concat(one, part, three)));
      deepEqual(drain(journal), [recordOf(1), recordOf(3)]);
    }
  }
  using journal = openJournal(filesOf(outerBytes));
  deepEqual(drain(journal), [outer]);
});

Deno.test("[G10] a part that can not be read costs the records near it only, and ends nothing", () => {
  const records = Array.from({ length: 60 }, (_, n) => recordOf(n + 1, "x".repeat(10_000)));
  const files = filesOf(concat(...records.map(bytesOf)));
  const { open } = files;
  files.open = (path) => {
    const file = open.call(files, path);
    return file && {
      ...file,
      read(bytes, offset) {
        if (offset <= 300_000 && offset + bytes.length > 300_000) throw systemError("EIO");
        return file.read(bytes, offset);
      },
    };
  };
  using journal = openJournal(files);
  const found = drain(journal).map(({ number }) => number);
  ok(found.length >= 45 && found.length < 60, `${found.length} of 60`);
  deepEqual([found[0], found.at(-1), journal.damage.files], [1, 60, 1]);
});

Deno.test("[G10] an old file of the same name set aside is not overwritten", () => {
  const files = filesOf(Uint8Array.of(1), Uint8Array.of(2));
  for (const name of ["000001.damaged", "000001.damaged.2"]) {
    files.names.set(`${PATH}.${name}`, { bytes: Uint8Array.of(9), flushed: 1 });
  }
  using journal = openJournal(files);
  deepEqual(journal.damage, { files: 2, bytes: 2 });
  deepEqual(files.list().map((name) => name.slice(18)).sort(), [
    "000001.damaged",
    "000001.damaged.2",
    "000001.damaged.3",
    "000002.damaged",
  ]);
});

Deno.test("[G7] a full disk costs the record that had no room, wherever it became full", () => {
  const length = bytesOf(recordOf(1)).length;
  for (let room = 0; room < 3 * length; room++) {
    const files = new ModelFiles();
    files.room = room;
    using journal = openJournal(files);
    const kept: JournalRecord[] = [];
    for (let number = 1; number <= 5; number++) {
      if (number === 5) files.room = Infinity;
      const append = () => journal.append(recordOf(number));
      if (number < 5 && kept.length === Math.floor(room / length)) {
        throws(append, { kind: "full", message: /ENOSPC/ });
      } else {
        append();
        kept.push(recordOf(number));
      }
    }
    equal(journal.bytes, kept.length * length, "what was written in part is not cut off");
    deepEqual(journal.peek(ALL), kept);
    using reopened = openJournal(files);
    equal(reopened.damage.bytes, 0);
    deepEqual(reopened.peek(ALL), kept);
    deepEqual(drain(journal, ONE), kept);
    equal(files.names.size, 0); // nothing in it was ever acknowledged
  }
});

Deno.test("[G7] after any failed call the record may be there or not, the others are", () => {
  for (const code of ["EIO", "EDQUOT"]) {
    for (let failing = 1;; failing++) {
      const files = new ModelFiles();
      let changes = 0;
      files.onChange = () => {
        if (++changes === failing) throw systemError(code);
      };
      using journal = openJournal(files);
      const failed: number[] = [];
      for (let number = 1; number <= 5; number++) {
        try {
          journal.append(recordOf(number));
        } catch (error) {
          equal((error as { kind?: string }).kind, code === "EIO" ? "io" : "full");
          failed.push(number);
        }
      }
      equal(failed.length, changes >= failing ? 1 : 0);
      if (failed.length === 0) break;
      const numbers = [1, 2, 3, 4, 5].filter((number) => !failed.includes(number));
      deepEqual(journal.peek(ALL).map(({ number }) => number), numbers);
      using reopened = openJournal(files);
      const found = reopened.peek(ALL).map(({ number }) => number);
      deepEqual(found.filter((number) => !failed.includes(number)), numbers);
      deepEqual(found, found.toSorted());
    }
  }
});

Deno.test("a file that takes no bytes is an error, not an endless loop", () => {
  const files = new ModelFiles();
  const { create } = files;
  files.create = (path) => ({ ...create.call(files, path), write: () => 0 });
  using journal = openJournal(files);
  throws(() => journal.append(recordOf(1)), { kind: "io" });
});

type Step = { readonly kind: "append" | "remove" | "kill" | "cut"; readonly fail: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("append", "append", "append", "remove", "remove", "kill", "cut"),
  fail: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 8 })),
});

/** Does a step of which the so-manieth change fails; tells whether all went well. */
function attempt(files: ModelFiles, fail: number, call: () => void): boolean {
  let left = fail;
  files.onChange = () => {
    if (--left === 0) throw systemError("EIO");
  };
  try {
    call();
    return true;
  } catch (error) {
    equal((error as Error).name, "JournalError");
    return false;
  } finally {
    files.onChange = () => {};
  }
}

Deno.test("what was acknowledged and not removed is there after any kills, cuts and errors", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40, size: "max" }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (steps, chances) => {
        const files = new ModelFiles();
        let journal = openJournal(files), last = 0;
        const acknowledged = new Set<number>();
        for (const { kind, fail } of steps) {
          if (kind === "append") {
            const number = ++last;
            if (attempt(files, fail, () => journal.append(recordOf(number)))) {
              acknowledged.add(number);
            }
          } else if (kind === "remove") {
            const records = journal.peek({ eventsMax: 3, bytesMax: 1000 });
            attempt(files, fail, () => journal.removeFirst(records.length));
            records.forEach(({ number }) => acknowledged.delete(number));
          } else {
            journal.close();
            if (kind === "cut") files.cutPower(() => chances.next().value ?? 0);
            const isOpen = attempt(files, fail, () => journal = openJournal(files));
            if (!isOpen) journal = openJournal(files);
          }
          const found = journal.peek(ALL);
          const numbers = found.map(({ number }) => number);
          deepEqual(found, numbers.map((number) => recordOf(number)));
          deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
          deepEqual([...acknowledged].filter((number) => !numbers.includes(number)), []);
          equal(journal.records, numbers.length);
        }
        journal.close();
      },
    ),
    { numRuns: 500 },
  );
});
