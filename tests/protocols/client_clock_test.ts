/** How times by the clocks of senders are corrected. */

import { strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { clientClock, correctedUtc, epochMs } from "../../lib/protocols/client_clock.ts";
import { toUtc } from "../../lib/timestamp.ts";

const RECEIVED_AT = Date.parse("2023-11-14T22:13:20.000Z");
const MINUTE_MS = 60_000;

function corrected(text: string, sentAt: string | null): string | null {
  return correctedUtc(text, clientClock(epochMs(sentAt), RECEIVED_AT));
}

Deno.test("a clock that is five minutes wrong is corrected, in both directions, and no less", () => {
  for (
    const [sentAt, expected] of [
      ["2023-11-14T22:08:20.000Z", "2023-11-14T22:05:00.500Z"], // 5 min slow
      ["2023-11-14T22:18:20.000Z", "2023-11-14T21:55:00.500Z"], // 5 min fast
      ["2023-11-14T22:08:20.001Z", "2023-11-14T22:00:00.500Z"],
      ["2023-11-14T22:18:19.999Z", "2023-11-14T22:00:00.500Z"],
      ["2023-11-15T00:08:20+02:00", "2023-11-14T22:05:00.500Z"],
      ["1970-01-01T00:00:00Z", "2077-09-27T20:13:20.500Z"],
    ] as const
  ) equal(corrected("2023-11-14T22:00:00.500Z", sentAt), expected, sentAt);
});

Deno.test("a time by a clock that is right, or not known to be wrong, keeps its digits", () => {
  const text = "2023-11-14T23:00:00.123456789+01:00";
  for (const sentAt of [null, "", "yesterday", "2023-02-30T00:00:00Z", "2023-11-14T22:13:00Z"]) {
    equal(corrected(text, sentAt), "2023-11-14T22:00:00.123456789Z", String(sentAt));
  }
});

Deno.test("a time that can not be corrected is left as it is", () => {
  equal(corrected("2016-12-31T23:59:60Z", "2023-11-14T21:00:00Z"), "2016-12-31T23:59:60Z");
  equal(corrected("9999-12-31T23:59:59Z", "2023-11-14T21:00:00Z"), "9999-12-31T23:59:59Z");
  equal(corrected("0000-01-01T00:00:00Z", "2024-11-14T21:00:00Z"), "0000-01-01T00:00:00Z");
});

Deno.test("what is no time stays none", () => {
  for (const text of ["", "now", "2023-02-30T00:00:00Z", "1700000000"]) {
    equal(corrected(text, "2023-11-14T20:00:00Z"), null, text);
  }
});

Deno.test("whatever the two times, the corrected one is an instant, and the right one", () => {
  const date = fc.date({
    min: new Date("0000-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
    noInvalidDate: true,
  });
  fc.assert(fc.property(date, date, (time, sent) => {
    const text = corrected(time.toISOString(), sent.toISOString()) ?? "";
    equal(toUtc(text), text);
    const skew = RECEIVED_AT - sent.getTime(), right = new Date(time.getTime() + skew);
    const isLeft = Math.abs(skew) < 5 * MINUTE_MS || !/^\d/.test(right.toISOString());
    equal(Date.parse(text), (isLeft ? time : right).getTime());
  }));
});
