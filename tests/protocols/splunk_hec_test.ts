import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { isRefusal } from "../../lib/errors.ts";
import { splunkHecProtocol } from "../../lib/protocols/splunk_hec.ts";
import { utcOfHecTime } from "../../lib/protocols/splunk_hec_event.ts";
import { jsonText } from "../fakes/json_arbitrary.ts";
import {
  contextOf,
  decoded,
  decodeSent,
  LIMITS,
  RECEIVED,
  refusalOf,
  rowsOf,
  type Sent,
} from "../fakes/decoding.ts";

const PROTOCOL = splunkHecProtocol({ limits: LIMITS, acks: null, isHealthy: () => true });

function hec(body: string, target = "/services/collector/event"): Sent {
  return { target, body };
}

function problemOf(body: string): string {
  const refusal = refusalOf(PROTOCOL, hec(body));
  const [problem] = refusal.errors ?? [];
  return `${refusal.code} ${problem?.index} ${problem?.pointer} ${problem?.code}`;
}

Deno.test("an object becomes a row with its text as sent", () => {
  const body = '{"time":1426279439.123000, "host":"h","source":"s","sourcetype":"httpevent",' +
    '"index":"main","event":{"n":12345678901234567890,"a":1,"a":2},' +
    '"fields":{"r":["y",1],"x":true}}';
  const [row, ...others] = rowsOf(decoded(PROTOCOL, hec(` ${body}\r\n`)));
  equal(others.length, 0);
  equal(row?.metadata, body);
  equal(row?.timestamp, "2015-03-13T20:43:59.123000Z");
  equal(row?.type, "httpevent");
  equal(row?.actor, null);
  equal(row?.eventId, null);
  equal(row?.protocol, "splunk_hec");
});

Deno.test("all paths and any media type take events", () => {
  for (const path of ["", "/event", "/event/1.0"]) {
    for (const type of [null, "application/x-www-form-urlencoded", "application/json", "x"]) {
      const headers = type === null ? {} : { "content-type": type };
      const sent = { target: `/services/collector${path}`, headers, body: '{"event":"e"}' };
      equal(rowsOf(decoded(PROTOCOL, sent)).length, 1);
    }
  }
});

Deno.test("objects follow one another with and without space, and in arrays", () => {
  const bodies = [
    '{"event":1}{"event":2}{"event":3}',
    '{"event":1}\n{"event":2}\r\n\n{"event":3}\n',
    '\ufeff {"event":1}\t{"event":2} {"event":3}',
    '[{"event":1},{"event":2},{"event":3}]',
    '[{"event":1}] {"event":2}[ ][{"event":3}]',
  ];
  for (const body of bodies) {
    deepEqual(
      rowsOf(decoded(PROTOCOL, hec(body))).map(({ metadata }) => metadata),
      ['{"event":1}', '{"event":2}', '{"event":3}'],
      body,
    );
  }
});

Deno.test("times are seconds as number or string, all digits kept, or milliseconds", () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ["0", "1970-01-01T00:00:00Z"],
    ["1426279439", "2015-03-13T20:43:59Z"],
    ["1426279439.1234567890", "2015-03-13T20:43:59.123456789Z"],
    ["1795545077.237", "2026-11-24T18:31:17.237Z"],
    [" 1426279439 ", "2015-03-13T20:43:59Z"],
    ["1.426279439e9", "2015-03-13T20:43:59Z"],
    ["1.4262794395E9", "2015-03-13T20:43:59.5Z"],
    ["99999999999", "5138-11-16T09:46:39Z"],
    ["100000000000", "1973-03-03T09:46:40.000Z"],
    ["1426279439123", "2015-03-13T20:43:59.123Z"],
    ["1426279439123.4567", "2015-03-13T20:43:59.1234567Z"],
    ["253402300799999", "9999-12-31T23:59:59.999Z"],
    ["253402300800000", null],
    ["1426279439123456", null],
    ["-1", null],
    ["1e300", null],
    ["1426279439.", null],
    ["now", null],
    ["", null],
  ];
  for (const [time, utc] of cases) {
    equal(utcOfHecTime(time), utc, time);
    const body = `{"event":1,"time":"${time}"}`;
    if (utc === null) equal(problemOf(body), "invalid-event 0 /time time");
    else equal(rowsOf(decoded(PROTOCOL, hec(body)))[0]?.timestamp, utc);
  }
  equal(
    rowsOf(decoded(PROTOCOL, hec('{"event":1,"time":1426279439.10}')))[0]?.timestamp,
    "2015-03-13T20:43:59.10Z",
  );
  equal(problemOf('{"event":1,"time":-5}'), "invalid-event 0 /time time");
  equal(problemOf('{"event":1,"time":true}'), "invalid-event 0 /time time");
  for (const body of ['{"event":1}', '{"event":1,"time":null}']) {
    equal(rowsOf(decoded(PROTOCOL, hec(body)))[0]?.timestamp, RECEIVED);
  }
});

Deno.test("the type is the source type, else the source", () => {
  const type = (body: string) => rowsOf(decoded(PROTOCOL, hec(body)))[0]?.type;
  equal(type('{"event":1,"source":"s","sourcetype":"t"}'), "t");
  equal(type('{"event":1,"source":"s"}'), "s");
  equal(type('{"event":1,"sourcetype":5}'), null);
});

Deno.test("one bad event refuses the request and is told by its number", () => {
  const good = '{"event":"e"}';
  equal(problemOf(`${good}{}`), "invalid-event 1 /event event-missing");
  equal(problemOf('{"event":null}'), "invalid-event 0 /event event-missing");
  equal(problemOf(`${good}${good}{"event":""}${good}`), "invalid-event 2 /event event-blank");
  equal(problemOf(`[${good},{"event":1,"fields":[]}]`), "invalid-event 1 /fields fields");
  equal(problemOf('{"event":1,"fields":{"a":{}}}'), "invalid-event 0 /fields fields");
  equal(problemOf('{"event":1,"fields":{"a":[[]]}}'), "invalid-event 0 /fields fields");
  equal(problemOf(`${good} 5`), "invalid-event 1  type");
  equal(problemOf(`[[${good}]]`), "invalid-event 0  type");
  equal(problemOf(`${good}{}${good}{}`), "invalid-event 1 /event event-missing");
  equal(refusalOf(PROTOCOL, hec(`${good}{}${good}{}`)).events, 4);
  equal(problemOf(`${good}{"event":`), "malformed-json 1  malformed-json");
  equal(problemOf(`${good},${good}`), "malformed-json 1  malformed-json");
  const deep = "[".repeat(64) + "]".repeat(64);
  equal(problemOf(`${good}{"event":${deep}}`), "too-deep 1  too-deep");
});

Deno.test("events that look empty are none of that", () => {
  for (const event of ["0", "false", "{}", "[]", '" "']) {
    equal(rowsOf(decoded(PROTOCOL, hec(`{"event":${event}}`))).length, 1, event);
  }
});

Deno.test("a request without events is empty: the probe of a forwarder", () => {
  for (const body of ["", " \n", "[]", "[ ] []"]) {
    deepEqual(refusalOf(PROTOCOL, hec(body)).code, "empty-body", body);
  }
});

Deno.test("events and requests over their limits are refused as too large", () => {
  const limits = { maxRequestEvents: 2, maxEventBytes: 13 };
  const protocol = splunkHecProtocol({ limits, acks: null, isHealthy: () => true });
  const event = '{"event":"e"}';
  equal(rowsOf(decoded(protocol, hec(event + event))).length, 2);
  for (
    const body of [event + event + event, `[${event},${event},${event}]`, `[${event}]`.repeat(3)]
  ) {
    equal(refusalOf(protocol, hec(body)).code, "too-many-events");
  }
  const refusal = refusalOf(protocol, hec(event + '{"event":"é"}'));
  equal(refusal.code, "event-too-large");
  equal(refusal.errors?.[0]?.index, 1);
});

Deno.test("takes what splunk-logging sends", () => {
  const body = '{"host":"h","source":"chicago","sourcetype":"httpevent","index":"main",' +
    '"time":"1795545077.237","event":{"message":{"temperature":"70F","q":"it\'s (50%) é! *"},' +
    '"severity":"info"}}{"time":"1795545077.238","event":{"message":"plain text",' +
    '"severity":"info"}}';
  const headers = {
    "authorization": "Splunk tok",
    "content-type": "application/x-www-form-urlencoded",
  };
  const target = "/services/collector/event/1.0";
  const rows = rowsOf(decoded(PROTOCOL, { target, headers, body }));
  equal(rows.map(({ metadata }) => metadata).join(""), body);
  deepEqual(
    rows.map(({ timestamp, type }) => [timestamp, type]),
    [["2026-11-24T18:31:17.237Z", "httpevent"], ["2026-11-24T18:31:17.238Z", null]],
  );
});

Deno.test("the text of a row can be replayed", () => {
  const [row] = rowsOf(decoded(PROTOCOL, hec('{"event":{"a":1},"time":1}')));
  const raw = new TextEncoder().encode(row?.metadata);
  const again = PROTOCOL.replay(raw, contextOf(PROTOCOL, { target: "/x" }), "");
  ok(!isRefusal(again));
  deepEqual(rowsOf(again), [row]);
});

const BODIES = fc.oneof(
  fc.array(fc.oneof(jsonText, jsonText.map((text) => `{"event":${text}}`))).map((all) =>
    all.join("")
  ),
  fc.string(),
);
const TARGETS = fc.constantFrom("event", "raw", "raw?time=5&host=%00", "raw?time=x");

Deno.test("whatever is sent is decoded or refused, and what is decoded is JSON", () => {
  fc.assert(
    fc.property(BODIES, TARGETS, (body, target) => {
      const outcome = decodeSent(PROTOCOL, hec(body, `/services/collector/${target}`));
      if (isRefusal(outcome)) return ok(outcome.detail.length > 0);
      for (const row of rowsOf(outcome)) ok("event" in JSON.parse(row.metadata));
    }),
    { numRuns: 500 },
  );
});
