import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { type MadeEvent, makeEvent } from "./events.ts";
import { check, EventLog, type JudgedRow, type Outcome } from "./oracle.ts";

/** A log of one event of each outcome, and one that is on its way. */
function logOfEach(): EventLog {
  const log = new EventLog();
  const outcomes: Outcome[] = ["durable", "accepted", "refused", "unknown"];
  for (const [sequence, outcome] of outcomes.entries()) {
    const event = makeEvent(1, sequence, true);
    log.sending([event]);
    log.ended([event], outcome);
  }
  log.sending([makeEvent(1, 4, false)]);
  return log;
}

function row(event: MadeEvent, change: Partial<JudgedRow> = {}): JudgedRow {
  const { user_id, timestamp } = JSON.parse(
    event.json.replace(/"user_id":(\d+)/, '"user_id":"$1"'),
  );
  const metadata = event.json.slice(event.json.indexOf('"metadata":') + 11, -1);
  return { user_id: BigInt(user_id), timestamp, metadata, event_id: event.id, ...change };
}

const durable = makeEvent(1, 0, true), accepted = makeEvent(1, 1, true);
const refused = makeEvent(1, 2, true), unknown = makeEvent(1, 3, true);
const underWay = makeEvent(1, 4, false);

Deno.test("durable and accepted events that are there are well, unknown ones may be there or not", () => {
  deepEqual(check([row(durable), row(accepted)], logOfEach()), []);
  deepEqual(check([durable, accepted, unknown, underWay].map((e) => row(e)), logOfEach()), []);
});

Deno.test("a durable event that is missing is found", () => {
  deepEqual(check([row(accepted)], logOfEach()), [
    "O1: 1/0 was answered as durable and is missing",
  ]);
});

Deno.test("an event that is altered in any part is found", () => {
  const metadata = row(durable).metadata.replace("é", "e");
  const changes: Partial<JudgedRow>[] = [
    { metadata },
    { user_id: (row(durable).user_id ?? 0n) - 1n },
    { timestamp: "2026-11-24T11:03:40Z" },
    { event_id: null },
  ];
  for (const change of changes) {
    const rows = [row(durable, change), row(accepted)];
    deepEqual(check(rows, logOfEach()), ["O1: 1/0 (durable) is altered"]);
  }
});

Deno.test("an event that is there twice is found, whatever was answered", () => {
  for (const event of [durable, accepted, unknown, underWay]) {
    const rows = [durable, accepted, event, event].map((e) => row(e));
    const found = check(rows, logOfEach()).filter((violation) => violation.includes("twice"));
    equal(found.length, event === durable || event === accepted ? 2 : 1);
  }
});

Deno.test("a refused event that is there is found", () => {
  const found = check([durable, accepted, refused].map((e) => row(e)), logOfEach());
  deepEqual(found, ["O2: 1/2 was refused and is there"]);
});

Deno.test("a row that nobody sent is found, readable or not", () => {
  const stranger = row(makeEvent(9, 9, true)), garbage = row(durable, { metadata: "{" });
  const found = check([row(durable), row(accepted), stranger, garbage], logOfEach());
  deepEqual(found.map((violation) => violation.slice(0, 28)), [
    "O3: a row that nobody sent: ",
    "O3: a row that nobody sent: ",
  ]);
});

Deno.test("more missing accepted events than may be are found", () => {
  deepEqual(check([row(durable)], logOfEach()), ["O4: 1 accepted are missing, 0 may be"]);
  deepEqual(check([row(durable)], logOfEach(), { acceptedLostMax: 1 }), []);
});

Deno.test("an event is refused only if every attempt was, and durable if one was", () => {
  const log = new EventLog(), event = makeEvent(1, 0, true);
  const outcomes: [Outcome, Outcome][] = [
    ["refused", "refused"],
    ["unknown", "unknown"],
    ["refused", "unknown"],
    ["accepted", "accepted"],
    ["durable", "durable"],
    ["unknown", "durable"],
  ];
  for (const [answer, expected] of outcomes) {
    log.sending([event]);
    log.ended([event], answer);
    equal(log.outcome(event.key), expected);
  }
  equal(log.outcome("2/0"), undefined);
});

Deno.test("an attempt that is under way makes a refused event unknown", () => {
  const log = logOfEach();
  equal(log.outcome(refused.key), "refused");
  log.sending([refused]);
  equal(log.outcome(refused.key), "unknown");
  equal(log.copy().outcome(refused.key), "unknown");
});

Deno.test("a complaint about an answer is a violation", () => {
  const log = logOfEach();
  log.complaints.push("an answer was wrong");
  deepEqual(check([row(durable), row(accepted)], log), ["an answer was wrong"]);
});
