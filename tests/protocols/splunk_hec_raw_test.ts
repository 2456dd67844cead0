import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { isRefusal } from "../../lib/errors.ts";
import { splunkHecProtocol } from "../../lib/protocols/splunk_hec.ts";
import {
  contextOf,
  decoded,
  LIMITS,
  RECEIVED,
  refusalOf,
  rowsOf,
  type Sent,
} from "../fakes/decoding.ts";

const PROTOCOL = splunkHecProtocol({ limits: LIMITS, acks: null, isHealthy: () => true });

function raw(body: string, query = ""): Sent {
  return { target: `/services/collector/raw${query === "" ? "" : `?${query}`}`, body };
}

function texts(sent: Sent): string[] {
  return rowsOf(decoded(PROTOCOL, sent)).map(({ metadata }) => metadata);
}

Deno.test("each line is an event; only its line break is not kept", () => {
  deepEqual(
    texts(raw('one "two"\r\n\n  indented\t\n{"json":1}\r\n\r\n\rlone\rreturns\n \nlast\r')),
    [
      '{"event":"one \\"two\\""}',
      '{"event":"  indented\\t"}',
      '{"event":"{\\"json\\":1}"}',
      '{"event":"\\rlone\\rreturns"}',
      '{"event":"last"}',
    ],
  );
  deepEqual(texts({ ...raw("é"), target: "/services/collector/raw/1.0" }), ['{"event":"é"}']);
});

Deno.test("what the query says holds for all lines", () => {
  const query = "channel=c&host=h%22&source=s&sourcetype=access&index=i&time=1426279439.5&token=t";
  const shared =
    ',"time":"1426279439.5","host":"h\\"","source":"s","sourcetype":"access","index":"i"';
  const rows = rowsOf(decoded(PROTOCOL, raw("a\nb", query)));
  deepEqual(rows.map(({ metadata }) => metadata), [
    `{"event":"a"${shared}}`,
    `{"event":"b"${shared}}`,
  ]);
  deepEqual(rows.map(({ timestamp }) => timestamp), Array(2).fill("2015-03-13T20:43:59.5Z"));
  deepEqual(rows.map(({ type }) => type), ["access", "access"]);
});

Deno.test("without a time, lines happened when they were received", () => {
  for (const query of ["", "time=", "host=h"]) {
    equal(rowsOf(decoded(PROTOCOL, raw("a", query)))[0]?.timestamp, RECEIVED);
  }
  equal(rowsOf(decoded(PROTOCOL, raw("a", "source=s")))[0]?.type, "s");
  equal(rowsOf(decoded(PROTOCOL, raw("a")))[0]?.type, null);
});

Deno.test("bad parameters refuse the request", () => {
  equal(refusalOf(PROTOCOL, raw("a", "time=yesterday")).code, "parameter");
  equal(refusalOf(PROTOCOL, raw("a", `host=${"x".repeat(257)}`)).code, "parameter");
});

Deno.test("a request of blank lines is empty", () => {
  for (const body of ["", "\n", " \r\n\r\n\t\n"]) {
    equal(refusalOf(PROTOCOL, raw(body)).code, "empty-body");
  }
});

Deno.test("lines and requests over their limits are refused as too large", () => {
  const limits = { maxRequestEvents: 2, maxEventBytes: 13 };
  const protocol = splunkHecProtocol({ limits, acks: null, isHealthy: () => true });
  equal(rowsOf(decoded(protocol, raw("a\nb\n\n"))).length, 2);
  equal(refusalOf(protocol, raw("a\nb\nc")).code, "too-many-events");
  const refusal = refusalOf(protocol, raw("a\né"));
  equal(refusal.code, "event-too-large");
  equal(refusal.errors?.[0]?.index, 1);
  equal(refusal.events, 2);
});

Deno.test("the memory of a request counts what its lines share", () => {
  const bytes = (query: string) =>
    decoded(PROTOCOL, raw("a\n".repeat(100), query)).submission?.bytes;
  ok((bytes(`host=${"x".repeat(256)}`) ?? 0) - (bytes("") ?? 0) > 100 * 256);
});

Deno.test("a body of line breaks alone takes no time", () => {
  const start = performance.now();
  equal(refusalOf(PROTOCOL, raw("\r\n".repeat(4_000_000))).code, "empty-body");
  ok(performance.now() - start < 1000);
});

Deno.test("the text of a row can be replayed, its time with it", () => {
  const [row] = rowsOf(decoded(PROTOCOL, raw("a", "time=1426279439123&sourcetype=t")));
  const text = new TextEncoder().encode(row?.metadata);
  const again = PROTOCOL.replay(text, contextOf(PROTOCOL, { target: "/x" }), "");
  ok(!isRefusal(again));
  deepEqual(rowsOf(again), [row]);
});
