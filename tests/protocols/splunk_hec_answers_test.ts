import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import type { RefusalCode } from "../../lib/errors.ts";
import type { Answer, IngestRoute, Protocol, Service } from "../../lib/protocol.ts";
import { HecAcks } from "../../lib/protocols/hec_acks.ts";
import { splunkHecProtocol } from "../../lib/protocols/splunk_hec.ts";
import { REFUSALS } from "../../lib/refusals.ts";
import {
  bytesOf,
  decoded,
  formatOf,
  headOf,
  LIMITS,
  outcomeOf,
  refusalOf,
  type Sent,
} from "../fakes/decoding.ts";

const WITHOUT_ACKS = splunkHecProtocol({ limits: LIMITS, acks: null, isHealthy: () => true });
const COLLECTOR = "/services/collector";
const SUCCESS = { status: 200, body: '{"text":"Success","code":0}', type: "application/json" };

/** A collector that has committed so many events. */
function withAcks(committed: () => number): Protocol {
  const acks = new HecAcks({ firstId: 0, isCommitted: (sequence) => sequence <= committed() });
  return splunkHecProtocol({ limits: LIMITS, acks, isHealthy: () => true });
}

function accept(protocol: Protocol, sent: Sent, sequence: number): Answer {
  const outcome = outcomeOf(sent, decoded(protocol, sent));
  const admission = { ...outcome.admission, sequence };
  return formatOf(protocol, sent).accepted({ ...outcome, admission });
}

function askAcks(protocol: Protocol, sent: Sent, source = ""): Answer {
  const service = protocol.services?.get(`${COLLECTOR}/ack`) as Service;
  const answer = service.answer(headOf(sent), bytesOf(sent), source);
  ok("status" in answer);
  return answer;
}

function onChannel(channel: string, body = '{"event":"e"}', source = "splunk_hec"): Sent {
  return { target: COLLECTOR, headers: { "x-splunk-request-channel": channel }, body, source };
}

const refusalAnswer = (sent: Sent) => {
  const { status, body, headers } = formatOf(WITHOUT_ACKS, sent).refused(
    refusalOf(WITHOUT_ACKS, sent),
  );
  return [status, JSON.parse(String(body)), headers];
};

Deno.test("success is told word for word, and the same object each time", () => {
  const sent = onChannel("c");
  deepEqual(accept(WITHOUT_ACKS, sent, 1), SUCCESS);
  equal(accept(WITHOUT_ACKS, sent, 1), accept(WITHOUT_ACKS, sent, 2));
});

Deno.test("refused events have Splunk's code and number", () => {
  const event = (body: string) => refusalAnswer({ target: COLLECTOR, body });
  deepEqual(event(""), [400, { text: "No data", code: 5 }, {}]);
  deepEqual(event('{"event":1}{'), [400, {
    "text": "Invalid data format",
    "code": 6,
    "invalid-event-number": 1,
    "detail": "Expected JSON objects (RFC 8259), one after the other.",
  }, {}]);
  const codeOf = (body: string) => {
    const [status, { text, code, "invalid-event-number": number }] = event(body);
    return [status, text, code, number];
  };
  deepEqual(codeOf("{}"), [400, "Event field is required", 12, 0]);
  deepEqual(codeOf('{"event":""}'), [400, "Event field cannot be blank", 13, 0]);
  deepEqual(codeOf('{"event":1,"fields":5}'), [400, "Error in handling indexed fields", 15, 0]);
  deepEqual(codeOf('{"event":1,"time":"x"}'), [400, "Invalid data format", 6, 0]);
  deepEqual(codeOf("5"), [400, "Invalid data format", 6, 0]);
  const raw = { target: `${COLLECTOR}/raw?time=x`, body: "a" };
  deepEqual(refusalAnswer(raw).slice(0, 2).map((part) => part.code ?? part), [400, 6]);
});

Deno.test("every refusal has text and code, and 503 always a Retry-After of at most 5 s", () => {
  const { refused } = WITHOUT_ACKS.routes.get(COLLECTOR) as IngestRoute;
  const known: Partial<Record<RefusalCode, readonly [number, number]>> = {
    "body-too-large": [413, 27],
    "decoded-too-large": [413, 27],
    "draining": [503, 9],
    "empty-body": [400, 5],
    "event-too-large": [413, 27],
    "forbidden": [403, 1],
    "internal": [500, 8],
    "invalid-event": [400, 6],
    "invalid-utf8": [400, 6],
    "malformed-json": [400, 6],
    "method": [405, 6],
    "parameter": [400, 6],
    "queue-full": [503, 9],
    "rate-limited": [503, 9],
    "store-failing": [503, 9],
    "token-in-url": [400, 16],
    "too-many-bodies": [503, 9],
    "too-many-events": [413, 27],
    "token-missing": [401, 2],
    "unauthorized": [403, 4],
    "unconfirmed": [503, 9],
    "unsupported-coding": [415, 6],
  };
  for (const code of Object.keys(REFUSALS) as RefusalCode[]) {
    const answer = refused({ code, detail: "Why." }), body = JSON.parse(String(answer.body));
    ok(typeof body.text === "string" && typeof body.code === "number", code);
    ok(answer.status >= 400 && body.code !== 0, code);
    const expected = known[code];
    if (expected !== undefined) deepEqual([answer.status, body.code], expected, code);
    equal(answer.headers?.["retry-after"], answer.status === 503 ? "1" : undefined, code);
    const timed = refused({ code, detail: "Why.", headers: { "retry-after": "60", "x": "y" } });
    deepEqual(timed.headers, { "retry-after": "5", "x": "y" }, code);
  }
});

Deno.test("the token comes after Splunk or Bearer, as a password, or in the query", () => {
  const { credential } = WITHOUT_ACKS.routes.get(COLLECTOR) as IngestRoute;
  const token = (authorization: string | null, query = "") =>
    credential(headOf({
      target: COLLECTOR + query,
      headers: authorization === null ? {} : { authorization },
    }));
  deepEqual(token("Splunk t"), { token: "t", isInUrl: false });
  deepEqual(token("splunk t"), { token: "t", isInUrl: false });
  deepEqual(token("Bearer t"), { token: "t", isInUrl: false });
  deepEqual(token(`Basic ${btoa("x:t")}`), { token: "t", isInUrl: false });
  deepEqual(token(null, "?token=t"), { token: "t", isInUrl: true });
  deepEqual(token("Splunk t", "?token=u"), { token: "t", isInUrl: false });
  equal(token("Digest t"), null);
  equal(token(null), null);
});

Deno.test("health is asked without a token", () => {
  let isHealthy = true;
  const protocol = splunkHecProtocol({ limits: LIMITS, acks: null, isHealthy: () => isHealthy });
  for (const path of ["/health", "/health/1.0"]) {
    const service = protocol.services?.get(COLLECTOR + path) as Service;
    equal(service.method, "GET");
    equal(service.needsToken, false);
    const ask = () => {
      const answer = service.answer(headOf({ target: COLLECTOR }), new Uint8Array(), "");
      ok("status" in answer);
      return [answer.status, answer.body];
    };
    isHealthy = true;
    deepEqual(ask(), [200, '{"text":"HEC is healthy","code":17}']);
    isHealthy = false;
    deepEqual(ask(), [503, '{"text":"HEC is unhealthy, queues are full","code":18}']);
  }
});

Deno.test("a request on a channel gets a number, which reads true once it is committed", () => {
  let committed = 0;
  const protocol = withAcks(() => committed), channel = "fe0ecfad-13d5-401b-847d-77833bd77131";
  const sent = onChannel(channel);
  equal(accept(protocol, sent, 1).body, '{"text":"Success","code":0,"ackId":0}');
  const inQuery = { target: `${COLLECTOR}/raw?channel=${channel}`, body: "line" };
  equal(accept(protocol, inQuery, 2).body, '{"text":"Success","code":0,"ackId":1}');
  const query = onChannel(channel, '{"acks":[0,1,7]}');
  equal(askAcks(protocol, query).body, '{"acks":{"0":false,"1":false,"7":false}}');
  committed = 1;
  equal(askAcks(protocol, query).body, '{"acks":{"0":true,"1":false,"7":false}}');
  committed = 2;
  equal(askAcks(protocol, query).body, '{"acks":{"0":false,"1":true,"7":false}}');
});

Deno.test("a channel of another token is another channel", () => {
  const protocol = withAcks(() => 5);
  accept(protocol, onChannel("c", '{"event":1}', "mine"), 1);
  const query = onChannel("c", '{"acks":[0]}');
  equal(askAcks(protocol, query, "other").body, '{"acks":{"0":false}}');
  equal(askAcks(protocol, query).body, '{"acks":{"0":false}}');
  equal(askAcks(protocol, query, "mine").body, '{"acks":{"0":true}}');
});

Deno.test("without a channel there is no number, and nothing is remembered", () => {
  const protocol = withAcks(() => 0);
  deepEqual(accept(protocol, { target: COLLECTOR, body: '{"event":1}' }, 1), SUCCESS);
  deepEqual(accept(protocol, { target: `${COLLECTOR}?channel=`, body: '{"event":1}' }, 1), SUCCESS);
});

Deno.test("a name that no channel can have is refused before anything is stored", () => {
  const route = withAcks(() => 0).routes.get(COLLECTOR) as IngestRoute;
  const refusal = (channel: string) => route.refusesHead?.(headOf(onChannel(channel))) ?? null;
  for (const name of ["a b", "a, b", "é", "x".repeat(129), "a/b"]) {
    const found = refusal(name);
    ok(found !== null, name);
    const { status, body } = route.refused(found);
    const { text, code } = JSON.parse(String(body));
    deepEqual([status, text, code], [400, "Invalid data channel", 11]);
  }
  for (const name of ["x".repeat(128), "A-b_0", ""]) equal(refusal(name), null, name);
  equal(WITHOUT_ACKS.routes.get(COLLECTOR)?.refusesHead, undefined);
});

Deno.test("what is asked about acknowledgements has to be asked right", () => {
  const protocol = withAcks(() => 0);
  const code = (sent: Sent) => {
    const { status, body } = askAcks(protocol, sent);
    return [status, JSON.parse(String(body)).code];
  };
  deepEqual(code({ target: `${COLLECTOR}/ack`, body: '{"acks":[0]}' }), [400, 10]);
  deepEqual(code(onChannel("a b", '{"acks":[0]}')), [400, 11]);
  const bad = [
    "",
    "{",
    "[]",
    "{}",
    '{"acks":0}',
    '{"acks":["0"]}',
    '{"acks":[-1]}',
    '{"acks":[0.5]}',
    '{"acks":[1e300]}',
    '{"acks":[null]}',
    `{"acks":[${Array(100_001).fill(0).join()}]}`,
  ];
  for (const body of bad) deepEqual(code(onChannel("c", body)), [400, 6], body.slice(0, 20));
  equal(askAcks(protocol, onChannel("c", '{"acks":[]}')).body, '{"acks":{}}');
  const query = { target: `${COLLECTOR}/ack?channel=c`, body: '{"acks":[3]}' };
  equal(askAcks(protocol, query).body, '{"acks":{"3":false}}');
});

Deno.test("where nothing is acknowledged, channels are ignored and the question is refused", () => {
  const { status, body } = askAcks(WITHOUT_ACKS, onChannel("c", '{"acks":[0]}'));
  deepEqual([status, body], [400, '{"text":"ACK is disabled","code":14}']);
  deepEqual(accept(WITHOUT_ACKS, onChannel("a b"), 1), SUCCESS);
});
