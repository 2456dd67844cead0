import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { parseReceipt, statusOf } from "../lib/receipt.ts";
import type { ReceiptState } from "../lib/store.ts";

const RUN = "0123456789abcdef";
const RECEIPT = { run: RUN, first: 10, events: 5 };
const PENDING = { status: "pending", events: 5, dead_lettered: 0 };

function state(more: Partial<ReceiptState> = {}): ReceiptState {
  return { settled: 15, deadLettered: 0, isJournaled: false, ...more };
}

Deno.test("a receipt is read from its id", () => {
  deepEqual(parseReceipt(`${RUN}-10-5`), RECEIPT);
  deepEqual(parseReceipt(`${RUN}-0-0`), { run: RUN, first: 0, events: 0 });
  deepEqual(parseReceipt(`${RUN}-${"9".repeat(15)}-${"9".repeat(9)}`), {
    run: RUN,
    first: 999_999_999_999_999,
    events: 999_999_999,
  });
});

for (
  const id of [
    "",
    RUN,
    `${RUN}-1`,
    `${RUN}-1-`,
    `${RUN}-1-2-3`,
    `${RUN.toUpperCase()}-1-2`,
    `${RUN}0-1-2`,
    `${RUN.slice(1)}-1-2`,
    `${RUN}--1-2`,
    `${RUN}-1.5-2`,
    `${RUN}-1e3-2`,
    ` ${RUN}-1-2`,
    `${RUN}-1-2\n`,
    `${RUN}-${"9".repeat(16)}-1`,
    `${RUN}-1-${"9".repeat(10)}`,
    `undefined-1-2`,
  ]
) {
  Deno.test(`${JSON.stringify(id)} is no receipt`, () => equal(parseReceipt(id), null));
}

Deno.test("a receipt is committed once all of its events are settled, not before", () => {
  deepEqual(statusOf(RECEIPT, state()), { ...PENDING, status: "committed" });
  deepEqual(statusOf(RECEIPT, state({ settled: 99 })), { ...PENDING, status: "committed" });
  equal(statusOf(RECEIPT, state({ settled: 14 })), null);
});

Deno.test("a receipt of which an event was kept aside says so and how many", () => {
  const expected = { status: "dead_lettered", events: 5, dead_lettered: 2 };
  deepEqual(statusOf(RECEIPT, state({ deadLettered: 2 })), expected);
});

Deno.test("events of an earlier run that are nowhere are not known: they must be sent again", () => {
  for (const settled of [14, 0, null]) {
    equal(statusOf(RECEIPT, state({ settled })), null, `${settled}`);
  }
});

Deno.test("what may still come is pending: from the journal, or while nobody can tell", () => {
  for (const settled of [14, null]) {
    deepEqual(statusOf(RECEIPT, state({ settled, isJournaled: true })), PENDING);
  }
  deepEqual(statusOf(RECEIPT, null), PENDING);
});

Deno.test("a receipt for no events is committed, whatever the run has got to", () => {
  const none = { run: RUN, first: 0, events: 0 };
  equal(statusOf(none, state({ settled: 0 }))?.status, "committed");
});
