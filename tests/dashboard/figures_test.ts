/** Figures as people read them, and the rates that two answers of `/stats` tell. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { bytes, count, counted, rate, span } from "../../lib/dashboard/format.js";
import { ratesBetween, type Stats } from "../../lib/dashboard/rates.js";

Deno.test("sizes, spans and rates have a unit that fits", () => {
  deepEqual([0, 512, 1024, 1536, 22_000_000, 3e12].map(bytes), [
    ...["0 B", "512 B", "1 KiB", "1.5 KiB", "21 MiB", "2.73 TiB"],
  ]);
  deepEqual([0.4213, 12, 999, 1000, 59_900, 60_000, 3_700_000, 200_000_000].map(span), [
    ...["0.421 ms", "12 ms", "999 ms", "1 s", "59.9 s", "1 min", "1 h 1 min", "2 d 7 h"],
  ]);
  deepEqual([0, 0.25, 9.94, 12.6, 56_200].map(rate), ["0", "0.3", "9.9", "13", "56,200"]);
  deepEqual([count(1_234_567), counted(1, "event"), counted(0, "event")], [
    ...["1,234,567", "1 event", "0 events"],
  ]);
});

Deno.test("rates are differences by the time between; after a restart there are none", () => {
  const stats = (received: number, started_at = "a"): Stats => ({
    ...{ received, accepted: received, committed: received - 5, started_at },
    refused_requests: { "queue-full": received / 10, "method": 1 },
  } as unknown as Stats);
  const before = { stats: stats(100), atMs: 1000 };
  deepEqual(ratesBetween(before, { stats: stats(300), atMs: 3000 }), {
    ...{ received: 100, accepted: 100, committed: 100, refused: 10 },
  });
  equal(ratesBetween(before, { stats: stats(300, "b"), atMs: 3000 }), null);
});
