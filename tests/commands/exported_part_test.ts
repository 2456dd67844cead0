/** What is found in an export that broke off, wherever it did. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { exportedPart, type LineFormat } from "../../lib/commands/exported_part.ts";
import type { StoredEvent } from "../../lib/query.ts";
import { encoderOf } from "../../lib/reader/encoders.ts";
import { TempFolder } from "../e2e/sending.ts";

const NASTY = fc.array(
  fc.constantFrom("\n", "\r\n", '"', "1,", '{"id":9,', ",", "a", "é", "'"),
  { maxLength: 6 },
).map((parts) => parts.join(""));

const EVENTS = fc.array(
  fc.record({ text: fc.option(NASTY), gap: fc.integer({ min: 1, max: 9 }) }),
  {
    minLength: 1,
    maxLength: 12,
  },
);

function eventOf(id: number, text: string | null): StoredEvent {
  return {
    id,
    userId: null,
    actor: text,
    timestamp: "2026-11-24T11:03:40Z",
    metadata: `{"m":${JSON.stringify(text)}}`,
    receivedAt: 1_795_518_220_000,
    source: "native",
    type: text,
    eventId: null,
  };
}

function foundIn(path: string, bytes: Uint8Array, format: LineFormat) {
  Deno.writeFileSync(path, bytes);
  using file = Deno.openSync(path);
  return exportedPart(file, format);
}

for (const format of ["ndjson", "csv"] as const) {
  Deno.test(`${format} that was cut off anywhere: the whole events are found, and the last id`, async () => {
    await using folder = new TempFolder();
    const encoder = await encoderOf(format), path = `${folder.path}/x.part`;
    fc.assert(
      fc.property(EVENTS, fc.nat(), (events, at) => {
        const parts = [encoder.start()];
        let id = 0;
        const ids = events.map(({ gap }) => id += gap);
        const ends = events.map(({ text }, i) => {
          parts.push(encoder.events([eventOf(ids[i] ?? 0, text)]));
          return parts.reduce((sum, { length }) => sum + length, 0);
        });
        const all = new Uint8Array(parts.flatMap((part) => [...part]));
        const bytes = all.subarray(0, at % (all.length + 1));
        const whole = ends.filter((end) => end <= bytes.length).length;
        deepEqual(foundIn(path, bytes, format), {
          bytes: whole === 0 ? 0 : ends[whole - 1],
          events: whole,
          lastId: whole === 0 ? 0 : ids[whole - 1],
        });
      }),
      { numRuns: 300 },
    );
  });
}

Deno.test("an export that is longer than what is read at once is found whole", async () => {
  await using folder = new TempFolder();
  const encoder = await encoderOf("csv"), path = `${folder.path}/x.part`;
  const events = Array.from({ length: 3000 }, (_, i) => eventOf(i + 1, "x\ny".repeat(200)));
  const parts = [encoder.start(), encoder.events(events)];
  const all = new Uint8Array(await new Blob(parts).arrayBuffer());
  deepEqual(foundIn(path, all, "csv"), { bytes: all.length, events: 3000, lastId: 3000 });
});

Deno.test("what is no export of the format is told from one", async () => {
  await using folder = new TempFolder();
  const path = `${folder.path}/x.part`, lines = (text: string) => new TextEncoder().encode(text);
  equal(foundIn(path, lines("1,2\n3,4\n"), "ndjson"), null);
  equal(foundIn(path, lines('{"id":1,}\n{"id":2,}\n'), "csv"), null);
});
