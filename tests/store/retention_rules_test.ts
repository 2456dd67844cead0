/** What retention is to do, by the rules and the state of things alone. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import type { RetentionPolicy } from "../../lib/retention.ts";
import { retainBytesMin } from "../../lib/retention.ts";
import {
  heldUpBy,
  removalLimits,
  type Situation,
  surplusBytes,
} from "../../lib/store/retention_rules.ts";
import type { Removal } from "../../lib/store/upkeep.ts";

const DAY = 86_400_000, NOW = 1_795_518_220_123, MB = 1e6;

const policyOf = (more: Partial<RetentionPolicy>): RetentionPolicy => ({
  retainDays: 0,
  retainBytes: 0,
  retainUnexported: "no",
  ...more,
});

const situationOf = (
  policy: Partial<RetentionPolicy>,
  more: Partial<Situation> = {},
): Situation => ({
  policy: policyOf(policy),
  lowest: null,
  nowMs: NOW,
  isClockAhead: false,
  ...more,
});

const POINT = { name: "lake", id: 500, updatedAt: NOW };

Deno.test("days limit the age, bytes what is in use, and 0 is no limit", () => {
  deepEqual(removalLimits(situationOf({})), {
    receivedBefore: null,
    usedBytesMax: null,
    throughId: Infinity,
  });
  equal(removalLimits(situationOf({ retainDays: 30 })).receivedBefore, NOW - 30 * DAY);
  const { usedBytesMax } = removalLimits(situationOf({ retainBytes: 320 * MB }));
  equal(usedBytesMax, 310 * MB, "a part is left free for what comes next");
});

Deno.test("export points limit the ids only if that is asked for, and without one nothing may go", () => {
  const lowest = POINT;
  equal(removalLimits(situationOf({}, { lowest })).throughId, Infinity);
  equal(removalLimits(situationOf({ retainUnexported: "yes" }, { lowest })).throughId, 500);
  equal(removalLimits(situationOf({ retainUnexported: "yes" })).throughId, 0);
});

Deno.test("free room is given back above a tenth of the file, and where the file is over its limit", () => {
  const surplus = (fileMb: number, freeMb: number, limitMb = 0) =>
    surplusBytes(
      { fileBytes: fileMb * MB, freeBytes: freeMb * MB },
      policyOf({ retainBytes: limitMb * MB }),
    ) / MB;
  equal(surplus(1000, 100), 0);
  equal(surplus(1000, 101), 51);
  equal(surplus(1000, 30, 1000), 0);
  equal(surplus(1020, 30, 1000), 20);
  equal(surplus(1050, 30, 1000), 30, "more than there is");
  equal(surplus(1010, 500, 1000), 500 - 50.5);
});

Deno.test("what is given back is free, and the file is then within its limit if it can be", () => {
  const bytes = fc.nat(1e12);
  fc.assert(fc.property(bytes, bytes, bytes, (used, freeBytes, retainBytes) => {
    const fileBytes = used + freeBytes;
    const surplus = surplusBytes({ fileBytes, freeBytes }, policyOf({ retainBytes }));
    ok(surplus >= 0 && surplus <= freeBytes);
    if (retainBytes > 0 && fileBytes > retainBytes) {
      ok(surplus === freeBytes || fileBytes - surplus <= retainBytes);
    }
  }));
});

const ended = (endedBy: Removal["endedBy"]): Removal => ({ removed: 0, endedBy });
const ROOM = { fileBytes: 1000 * MB, freeBytes: 10 * MB };
const oldestAt = (receivedAt: number) => ({ oldest: { id: 1, receivedAt }, room: ROOM });
const AGED = oldestAt(NOW - DAY);

Deno.test("nothing holds it up while it goes on, or has nothing to do", () => {
  const situation = situationOf({ retainDays: 1, retainBytes: 2000 * MB });
  equal(heldUpBy(ended("time"), situation, AGED), null);
  equal(heldUpBy(ended("nothing"), situation, AGED), null);
  equal(heldUpBy(ended("newest"), situation, AGED), null, "the newest event stays: that is right");
  equal(heldUpBy(ended("nothing"), situation, { oldest: null, room: ROOM }), null);
});

Deno.test("an export point that holds it up is named, and so is that there is none", () => {
  const policy = { retainDays: 1, retainUnexported: "yes" } as const;
  const byPoint = heldUpBy(ended("limit"), situationOf(policy, { lowest: POINT }), AGED);
  deepEqual(byPoint, { by: "lake", why: "export point lake has not come further" });
  const byNone = heldUpBy(ended("limit"), situationOf(policy), AGED);
  equal(byNone?.by, null);
  match(byNone?.why ?? "", /there is no export point/);
});

Deno.test("a file that is over its limit though one event is left is told", () => {
  const full = situationOf({ retainBytes: 900 * MB });
  match(heldUpBy(ended("newest"), full, AGED)?.why ?? "", /only the newest event is left.*letters/);
  const roomy = situationOf({ retainBytes: 990 * MB });
  equal(heldUpBy(ended("newest"), roomy, AGED), null);
});

Deno.test("an event of the future, and a clock that went forward, are told if age counts", () => {
  const policy = { retainDays: 1 };
  const future = oldestAt(NOW + 2 * DAY);
  match(heldUpBy(ended("nothing"), situationOf(policy), future)?.why ?? "", /in the future/);
  equal(heldUpBy(ended("nothing"), situationOf({ retainBytes: 2000 * MB }), future), null);
  const ahead = situationOf(policy, { isClockAhead: true });
  match(heldUpBy(ended("nothing"), ahead, AGED)?.why ?? "", /clock went forward/);
});

Deno.test("the smallest limit of the file has room for what is remembered of ids and keys", () => {
  equal(retainBytesMin({ recentEventIds: 0, recentRequests: 1 }), 64 * 1024 ** 2 + 64);
  const byDefault = retainBytesMin({ recentEventIds: 1e6, recentRequests: 1e6 });
  ok(byDefault > 150e6 && byDefault < 170e6);
});
