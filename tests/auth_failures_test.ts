import { ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { addressGroup, AuthFailures } from "../lib/auth_failures.ts";

/** Failures, and a clock to move. */
function start(): { failures: AuthFailures; clock: { nowMs: number } } {
  const clock = { nowMs: 5000 };
  return { failures: new AuthFailures(() => clock.nowMs), clock };
}

function fail(failures: AuthFailures, address: string, times: number): number[] {
  return Array.from({ length: times }, () => failures.record(address));
}

Deno.test("the 11th wrong token of an address within a minute is one too many", () => {
  const { failures, clock } = start();
  for (let i = 0; i < 10; i++, clock.nowMs += 1000) equal(failures.record("192.0.2.1"), 0);
  equal(failures.record("192.0.2.1"), 50);
  equal(failures.record("192.0.2.2"), 0);
});

Deno.test("after the time that was told an address is heard again, whatever it did meanwhile", () => {
  const { failures, clock } = start();
  fail(failures, "192.0.2.1", 10);
  equal(failures.record("192.0.2.1"), 60);
  for (let i = 0; i < 59; i++) {
    clock.nowMs += 1000;
    equal(failures.record("192.0.2.1"), 59 - i);
  }
  clock.nowMs += 1000;
  equal(failures.record("192.0.2.1"), 0);
});

Deno.test("in no minute are more than 10 wrong tokens of an address answered as such", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 200 }),
    (waits) => {
      const { failures, clock } = start();
      const answeredMs: number[] = [];
      for (const waitMs of waits) {
        clock.nowMs += waitMs;
        const within = answeredMs.filter((ms) => clock.nowMs - ms < 60_000);
        const seconds = failures.record("2001:db8::1");
        equal(seconds > 0, within.length >= 10);
        ok(Number.isInteger(seconds) && seconds <= 60, String(seconds));
        if (seconds === 0) answeredMs.push(clock.nowMs);
      }
    },
  ));
});

Deno.test("at most 10,000 addresses are remembered, and the one longest quiet is forgotten", () => {
  const { failures } = start();
  fail(failures, "busy", 10);
  fail(failures, "quiet", 10);
  for (let i = 0; i < 9_998; i++) failures.record(`10.0.${i >> 8}.${i & 255}`);
  equal(failures.addresses, 10_000);
  ok(failures.record("busy") > 0);
  for (let i = 0; i < 100; i++) failures.record(`10.1.0.${i}`);
  equal(failures.addresses, 10_000);
  ok(failures.record("busy") > 0, "the one that went on was forgotten");
  equal(failures.record("quiet"), 0, "the one that was quiet is still there");
});

Deno.test("the addresses of one IPv6 /64 count as one, those of another do not", () => {
  const { failures } = start();
  for (let i = 1; i <= 10; i++) equal(failures.record(`2001:db8:0:1::${i}`), 0);
  ok(failures.record("2001:db8:0:1:ffff:ffff:ffff:ffff") > 0);
  equal(failures.record("2001:db8:0:2::1"), 0);
});

Deno.test("an address counts the same however it is written", () => {
  for (
    const [address, expected] of [
      ["192.0.2.1", "192.0.2.1"],
      ["::ffff:192.0.2.1", "192.0.2.1"],
      ["::FFFF:c000:201", "192.0.2.1"],
      ["0:0:0:0:0:ffff:c000:0201", "192.0.2.1"],
      ["::1", "0:0:0:0::/64"],
      ["::", "0:0:0:0::/64"],
      ["2001:db8::", "2001:db8:0:0::/64"],
      ["2001:0DB8:0000:0001:0002:0003:0004:0005", "2001:db8:0:1::/64"],
      ["1:2:3:4:5:6:7::", "1:2:3:4::/64"],
      ["::2:3:4:5:6:7:8", "0:2:3:4::/64"],
      ["fe80::1%eth0", "fe80:0:0:0::/64"],
      ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
      ["", ""],
    ] as const
  ) equal(addressGroup(address), expected, address);
});

Deno.test("anything that is no address is still counted, and takes little room", () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => {
    ok(addressGroup(text).length <= 64, text);
  }));
  equal(addressGroup("x".repeat(100_000)).length, 64);
});
