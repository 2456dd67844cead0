/** PostHog's API; what is sent is what versions of its clients send, shortened. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { deflateSync, gzipSync } from "node:zlib";
import { isRefusal } from "../../lib/errors.ts";
import { REFUSALS } from "../../lib/refusals.ts";
import { posthogProtocol } from "../../lib/protocols/posthog.ts";
import {
  contextOf,
  decoded,
  headOf,
  lettersOf,
  LIMITS,
  outcomeOf,
  RECEIVED,
  RECEIVED_AT,
  refusalOf,
  rowsOf,
  type Sent,
} from "../fakes/decoding.ts";

const posthog = posthogProtocol(LIMITS);

const TIME = "2023-11-14T22:13:18.301Z";
const UUID = "01a20ec1-df0d-7330-ab37-a974e75da890";

/** An event as posthog-node 5.70.0 sends it. */
const NODE_EVENT =
  `{"event":"signed up","properties":{"plan":"pro","n":1.0,"$lib":"posthog-node",` +
  `"$lib_version":"5.70.0","$is_server":true},"timestamp":"${TIME}","uuid":"${UUID}",` +
  `"distinct_id":"u1"}`;
/** An event as posthog-js 1.449.2 sends it. */
const BROWSER_EVENT =
  `{"uuid":"${UUID}","event":"$identify","properties":{"$os":"Linux","$time":1700000000.084,` +
  `"distinct_id":"u1","token":"phc_key","$lib":"web"},"$set":{"a":"é"},"timestamp":"${TIME}"}`;
/** The same as 1.280.0 sends it when it gathers some. */
const OFFSET_EVENT =
  `{"uuid":"${UUID}","event":"signed up","properties":{"distinct_id":"u1","token":"phc_key"},` +
  `"offset":3000}`;

const JSON_TYPE = { "content-type": "application/json" };
const TEXT_TYPE = { "content-type": "text/plain" };
const FORM_TYPE = { "content-type": "application/x-www-form-urlencoded" };

function batch(events: readonly string[]): Sent {
  const body = `{"api_key":"phc_key","batch":[${events}],"sent_at":"${RECEIVED}"}`;
  return { target: "/batch/", headers: JSON_TYPE, body };
}

function letterOf(event: string): { reason: string; raw: string } | undefined {
  const outcome = decoded(posthog, batch([event]));
  equal(outcome.submission, null);
  return lettersOf(outcome)[0];
}

/** The text of the only event of a request, as its row has it, and its token. */
function storedOf(sent: Sent): (string | undefined)[] {
  const outcome = decoded(posthog, sent), [row, ...more] = rowsOf(outcome);
  equal(more.length, 0);
  return [row?.metadata, outcome.credential];
}

Deno.test("a batch of the Node client becomes one row an event, each as sent", () => {
  const outcome = decoded(posthog, batch([NODE_EVENT, ` ${NODE_EVENT.replace("u1", "17")} `]));
  const row = {
    userId: null,
    timestamp: TIME,
    metadata: NODE_EVENT,
    actor: "u1",
    type: "signed up",
    eventId: UUID,
    receivedAt: RECEIVED_AT,
    source: "posthog",
    protocol: "posthog",
  };
  const other = { userId: "17", actor: "17", metadata: NODE_EVENT.replace("u1", "17") };
  deepEqual(rowsOf(outcome), [row, { ...row, ...other }]);
  equal(outcome.credential, "phc_key");
});

Deno.test("a browser's gzip is undone, whether the query says of it or not", () => {
  const text = `{"api_key":"phc_key","batch":[${BROWSER_EVENT}],"sent_at":"${RECEIVED}"}`;
  for (const target of ["/e/", "/e/?ip=0&_=1700000000000&ver=1.280.0&compression=gzip-js"]) {
    const sent = { target, headers: TEXT_TYPE, body: gzipSync(text) };
    deepEqual(storedOf(sent), [BROWSER_EVENT, "phc_key"]);
    const [row] = rowsOf(decoded(posthog, sent));
    deepEqual([row?.actor, row?.type, row?.timestamp], ["u1", "$identify", TIME]);
  }
});

Deno.test("a browser's base64 in a form is undone, whatever is escaped in it", () => {
  const text = `{"api_key":"phc_key","batch":[${BROWSER_EVENT.replace("é", "é>>>???")}]}`;
  const data = btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  ok(data.includes("+") && data.includes("/")); // the characters that matter
  const kept = BROWSER_EVENT.replace("é", "é>>>???");
  for (
    const body of [
      `data=${encodeURIComponent(data)}`,
      `data=${data}`,
      `ver=1.150.0&data=${encodeURIComponent(data)}&ip=1`,
      `data=${encodeURIComponent(gzipSync(text).toString("base64"))}`,
    ]
  ) {
    const sent = { target: "/e/?compression=base64", headers: FORM_TYPE, body };
    deepEqual(storedOf(sent), [kept, "phc_key"]);
  }
});

Deno.test("JSON in a form is undone, and JSON that only says it is a form is taken as it is", () => {
  const event = BROWSER_EVENT.replace("é", "a=1&data=b+c%20d e");
  for (
    const body of [
      event,
      ` ${event}`,
      `data=${encodeURIComponent(event)}`,
      `data=${encodeURIComponent(event).replaceAll("%20", "+")}`,
      gzipSync(event),
    ]
  ) deepEqual(storedOf({ target: "/e/", headers: FORM_TYPE, body }), [event, "phc_key"]);
});

Deno.test("a form that holds no JSON is refused", () => {
  for (
    const [body, code] of [
      ["data=", "empty-body"],
      ["data=%", "malformed-json"],
      ["data=%ff", "malformed-json"],
      ["data=!!!!", "empty-body"],
      ["data=eA==", "malformed-json"],
      ["event=x", "malformed-json"],
      [Uint8Array.of(100, 97, 116, 97, 61, 0xff), "invalid-utf8"],
      ["data=_w==", "invalid-utf8"],
    ] as const
  ) equal(refusalOf(posthog, { target: "/e/", headers: FORM_TYPE, body }).code, code);
});

Deno.test("a gzip body that is cut, broken, followed by more or too large is refused", () => {
  const gzip = gzipSync(`[${BROWSER_EVENT}]`);
  const broken = new Uint8Array(gzip);
  broken[gzip.length - 6] = (broken[gzip.length - 6] ?? 0) ^ 1; // of the checksum
  const refused = (body: Uint8Array) =>
    refusalOf(posthog, { target: "/e/", headers: TEXT_TYPE, body }).code;
  for (let cut = 3; cut < gzip.length; cut++) {
    equal(refused(gzip.subarray(0, cut)), "content-coding", `${cut}`);
  }
  equal(refused(broken), "content-coding");
  equal(refused(new Uint8Array([...gzip, 1, 2, 3])), "content-coding");
  equal(refused(gzipSync(" ".repeat(8_388_609))), "decoded-too-large");
  const noise = crypto.getRandomValues(new Uint8Array(32_768)).toHex(); // does not compress
  equal(refused(gzipSync(`"${noise}${" ".repeat(3e6)}"`)), "invalid-event", "80 times its gzip");
  equal(refused(gzipSync(" ".repeat(1_048_576))), "empty-body");
  equal(refused(gzipSync(" ".repeat(1_048_577))), "decoded-too-large", "1,000 times its gzip");
  equal(refused(gzipSync(Uint8Array.of(34, 0xff, 34))), "invalid-utf8");
  equal(refused(Uint8Array.of(34, 0xff, 34)), "invalid-utf8");
  equal(refused(deflateSync("[]")), "invalid-utf8");
});

Deno.test("one event is taken by itself, and a bare array of them", () => {
  const headers = JSON_TYPE;
  deepEqual(storedOf({ target: "/capture/", headers, body: BROWSER_EVENT }), [
    BROWSER_EVENT,
    "phc_key",
  ]);
  deepEqual(storedOf({ target: "/e/", headers, body: `[ ${BROWSER_EVENT} ]` }), [
    BROWSER_EVENT,
    "phc_key",
  ]);
  const own = '{"api_key":"phc_own","event":"e","distinct_id":"u"}';
  deepEqual(storedOf({ target: "/i/v0/e/", headers, body: own }), [own, "phc_own"]);
});

Deno.test("a time may be an offset from the receipt, as older browsers' clients have it", () => {
  const timeOf = (event: string) =>
    rowsOf(decoded(posthog, { target: "/e/", headers: JSON_TYPE, body: `[${event}]` }))[0]
      ?.timestamp;
  equal(timeOf(OFFSET_EVENT), "2023-11-14T22:13:17.000Z");
  for (const offset of ["-1", "1.5", '"x"', "null", "{}", "1e3"]) {
    equal(timeOf(OFFSET_EVENT.replace("3000", offset)), RECEIVED, offset);
  }
  const event = `{"event":"e","distinct_id":"u","offset":3000,"timestamp":"${TIME}"}`;
  equal(timeOf(event), TIME);
});

Deno.test("times by a wrong clock are corrected by what the request says of its sending", () => {
  const event = '{"event":"e","distinct_id":"u","timestamp":"2023-11-14T19:59:59.5Z"}';
  const timeOf = (target: string, body: string) =>
    rowsOf(decoded(posthog, { target, headers: JSON_TYPE, body }))[0]?.timestamp;
  const sentMs = Date.parse("2023-11-14T20:00:00Z");
  const sent = `{"batch":[${event}],"sent_at":"2023-11-14T20:00:00Z"}`;
  const right = "2023-11-14T22:13:19.500Z", left = "2023-11-14T19:59:59.5Z";
  for (
    const [target, body, expected] of [
      ["/batch/", sent, right],
      [`/batch/?_=${RECEIVED_AT}`, sent, right], // the body says it better
      [`/e/?_=${sentMs}`, `[${event}]`, right],
      [`/e/?sent_at=${sentMs}`, event, right],
      [`/e/?_=${sentMs / 1000}`, `[${event}]`, left], // s, as the oldest have it
      ["/e/?_=now", `[${event}]`, left],
      ["/batch/", `{"batch":[${event}],"sent_at":"2023-11-14T22:13:00Z"}`, left],
      ["/e/", `[${event}]`, left],
      ["/e/", `${event.slice(0, -1)},"sent_at":"2023-11-14T20:00:00Z"}`, right],
    ] as const
  ) equal(timeOf(target, body), expected, `${target} ${body}`);
});

Deno.test("the user is the first of its ids that is there", () => {
  for (
    const [ids, actor, userId] of [
      ['"distinct_id":"u","properties":{"distinct_id":"p"}', "u", null],
      ['"distinct_id":"","properties":{"distinct_id":"p"}', "p", null],
      ['"distinct_id":null,"properties":{"distinct_id":7}', "7", "7"],
      ['"$distinct_id":"d"', "d", null],
      ['"distinct_id":23.40', "23.40", null],
    ] as const
  ) {
    const [row] = rowsOf(decoded(posthog, batch([`{"event":"e",${ids}}`])));
    deepEqual([row?.actor, row?.userId], [actor, userId], ids);
  }
});

Deno.test("each thing that is wrong with an event is named, and it is kept as sent", () => {
  for (
    const [event, reason] of [
      ["7", "type at /batch/0:"],
      ["null", "type at /batch/0:"],
      ["{}", "missing at /batch/0/event:"],
      ['{"event":7,"distinct_id":"u"}', "missing at /batch/0/event:"],
      ['{"event":"","distinct_id":"u"}', "missing at /batch/0/event:"],
      ['{"event":"e"}', "missing at /batch/0/distinct_id:"],
      ['{"event":"e","distinct_id":["u"]}', "missing at /batch/0/distinct_id:"],
      ['{"event":"e","properties":["u"]}', "missing at /batch/0/distinct_id:"],
      ['{"event":"e","distinct_id":"u","uuid":7}', "id at /batch/0/uuid:"],
      ['{"event":"e","distinct_id":"u","uuid":"a\\u0000"}', "id at /batch/0/uuid:"],
      ['{"event":"e","distinct_id":"u","timestamp":7}', "timestamp at /batch/0/timestamp:"],
      ['{"event":"e","distinct_id":"u","timestamp":"now"}', "timestamp at /batch/0/timestamp:"],
    ] as const
  ) {
    const letter = letterOf(event);
    equal(letter?.raw, event);
    ok(letter?.reason.startsWith(reason), `${event}: ${letter?.reason}`);
  }
});

Deno.test("bad events are set aside, the others are stored; one alone is set aside too", () => {
  const outcome = decoded(posthog, batch([NODE_EVENT, "7", NODE_EVENT]));
  deepEqual(rowsOf(outcome).map(({ metadata }) => metadata), [NODE_EVENT, NODE_EVENT]);
  deepEqual(outcome.problems, [
    { index: 1, pointer: "/batch/1", code: "type", detail: "Expected an object." },
  ]);
  const alone = decoded(posthog, { target: "/e/", headers: JSON_TYPE, body: '{"event":"e"}' });
  deepEqual([alone.submission, lettersOf(alone)[0]?.raw], [null, '{"event":"e"}']);
  ok(lettersOf(alone)[0]?.reason.startsWith("missing at /distinct_id:"));
  const array = decoded(posthog, { target: "/e/", headers: JSON_TYPE, body: "[7]" });
  equal(array.problems?.[0]?.pointer, "/0");
});

Deno.test("an id that is null or empty is none", () => {
  for (const uuid of ["null", '""']) {
    const [row] = rowsOf(
      decoded(posthog, batch([`{"event":"e","distinct_id":"u","uuid":${uuid}}`])),
    );
    equal(row?.eventId, null);
  }
});

Deno.test("an event over the limit is set aside, to the byte", () => {
  const limit = new TextEncoder().encode(BROWSER_EVENT).length;
  for (const [maxEventBytes, aside] of [[limit, 0], [limit - 1, 1]] as const) {
    const outcome = decoded(posthogProtocol({ ...LIMITS, maxEventBytes }), batch([BROWSER_EVENT]));
    equal(outcome.aside?.events ?? 0, aside);
    if (aside === 1) equal(outcome.problems?.[0]?.code, "event-too-large");
  }
});

Deno.test("the token is that of the request, or the one that all of its events have", () => {
  const event = (members: string) => `{"event":"e","distinct_id":"u"${members}}`;
  const one = event(',"token":"one"'), two = event(',"properties":{"token":"two"}');
  const tokenOf = (body: string) =>
    decoded(posthog, { target: "/e/", headers: JSON_TYPE, body }).credential;
  equal(tokenOf(`[${one},${event("")},${one}]`), "one");
  equal(tokenOf(`[${two}]`), "two");
  equal(tokenOf(event(',"$token":"three","api_key":""')), "three");
  equal(tokenOf(`{"token":"all","batch":[${one},${two}]}`), "all");
  equal(tokenOf(`{"batch":[${two},${event("")}]}`), "two");
  equal(tokenOf(`[${event(',"token":7')}]`), undefined);
  for (const body of [`[${one},${two}]`, `{"api_key":"","batch":[${one},${two}]}`]) {
    const refusal = refusalOf(posthog, { target: "/e/", headers: JSON_TYPE, body });
    deepEqual([refusal.code, refusal.events], ["unauthorized", 2]);
  }
  const route = posthog.routes.get("/batch/");
  equal(route?.hasBodyCredential, true);
  const headers = { authorization: "Bearer fh_token" };
  equal(route?.credential(headOf({ target: "/batch/", headers }))?.token, "fh_token");
});

Deno.test("what holds no events is refused whole", () => {
  const limited = posthogProtocol({ ...LIMITS, maxRequestEvents: 2 });
  const three = `${NODE_EVENT},${NODE_EVENT},${NODE_EVENT}`;
  for (
    const [body, code, events] of [
      ["", "empty-body", undefined],
      ["{", "malformed-json", undefined],
      ["[".repeat(65) + "]".repeat(65), "too-deep", undefined],
      [`[${three}]`, "too-many-events", 3],
      [`{"batch":[${three}]}`, "too-many-events", 3],
      ["7", "invalid-event", undefined],
      ['{"batch":{}}', "invalid-event", undefined],
    ] as const
  ) {
    const refusal = refusalOf(limited, { target: "/batch/", headers: JSON_TYPE, body });
    deepEqual([refusal.code, refusal.events], [code, events], body.slice(0, 40));
  }
  for (const body of ["[]", '{"api_key":"phc_key","batch":[ ]}']) {
    const outcome = decoded(limited, { target: "/batch/", headers: JSON_TYPE, body });
    deepEqual([outcome.submission, outcome.aside], [null, undefined]);
  }
});

Deno.test("all paths take the same, with and without a slash, of any media type", () => {
  const paths = ["/batch", "/capture", "/i/v0/e", "/e"].flatMap((path) => [path, `${path}/`]);
  deepEqual([...posthog.routes.keys()], paths);
  for (const target of paths) {
    for (const headers of [JSON_TYPE, TEXT_TYPE, FORM_TYPE, {}]) {
      deepEqual(storedOf({ ...batch([NODE_EVENT]), target, headers }), [NODE_EVENT, "phc_key"]);
    }
  }
});

Deno.test("an event is replayed from its row, and from its dead letter once that is mended", () => {
  const replay = (raw: string) =>
    posthog.replay(
      new TextEncoder().encode(raw),
      contextOf(posthog, { target: "", source: "shop" }),
      "",
    );
  for (const event of [NODE_EVENT, BROWSER_EVENT, OFFSET_EVENT]) {
    const [row] = rowsOf(decoded(posthog, { ...batch([event]), source: "shop" }));
    const again = replay(row?.metadata ?? "");
    deepEqual(isRefusal(again) ? again : rowsOf(again), [row]);
  }
  const letter = letterOf(NODE_EVENT.replace('"u1"', "null"))?.raw ?? "";
  const still = replay(letter);
  equal(isRefusal(still) ? still.code : "accepted", "invalid-event");
  const mended = replay(letter.replace("null", '"u1"'));
  equal(isRefusal(mended) ? mended : rowsOf(mended)[0]?.metadata, NODE_EVENT);
  for (const raw of ["", "{", "7"]) ok(isRefusal(replay(raw)), raw);
});

Deno.test("success is told in PostHog's words", () => {
  const sent = batch([NODE_EVENT, "7"]);
  const answer = posthog.routes.get("/batch/")?.otherwise?.accepted(
    outcomeOf(sent, decoded(posthog, sent)),
  );
  deepEqual(answer, { status: 200, body: '{"status":"Ok"}', type: "application/json" });
});

Deno.test("a refusal is told as PostHog's errors, by the usual statuses", () => {
  const refused = posthog.routes.get("/batch/")?.refused;
  deepEqual(refused?.({ code: "queue-full", detail: "Full.", headers: { "retry-after": "60" } }), {
    status: 503,
    body: '{"type":"server_error","code":"queue-full","detail":"Full."}',
    type: "application/json",
    headers: { "retry-after": "30" },
  });
  for (const code of Object.keys(REFUSALS) as (keyof typeof REFUSALS)[]) {
    const isDropped = code === "rate-limited" || code === "too-many-auth-failures"; // if it were 429
    const expected = code === "invalid-event" ? 400 : isDropped ? 503 : REFUSALS[code].status;
    equal(refused?.({ code, detail: "" }).status, expected, code);
  }
  for (
    const [code, type] of [
      ["malformed-json", "validation_error"],
      ["body-too-large", "validation_error"],
      ["unauthorized", "authentication_error"],
      ["forbidden", "authentication_error"],
      ["rate-limited", "server_error"],
      ["internal", "server_error"],
    ] as const
  ) equal(JSON.parse(String(refused?.({ code, detail: "" }).body)).type, type, code);
});
