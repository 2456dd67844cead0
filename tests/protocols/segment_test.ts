/** Segment's API; what is sent is what its clients and RudderStack's send, shortened. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { isRefusal } from "../../lib/errors.ts";
import { REFUSALS } from "../../lib/refusals.ts";
import { segmentProtocol } from "../../lib/protocols/segment.ts";
import {
  contextOf,
  decoded,
  headOf,
  lettersOf,
  LIMITS,
  outcomeOf,
  RECEIVED,
  refusalOf,
  rowsOf,
  type Sent,
} from "../fakes/decoding.ts";

const segment = segmentProtocol(LIMITS);

const TIME = "2023-11-14T22:13:18.988Z";
const BASIC = { "authorization": "Basic Zmhfd3JpdGVrZXk6" };

/** An event as `@segment/analytics-node` 3.1.0 sends it. */
const TRACK = `{"timestamp":"${TIME}","integrations":{},"event":"Order Completed","type":"track",` +
  `"properties":{"total":3.50},"context":{"library":{"name":"@segment/analytics-node",` +
  `"version":"3.1.0"}},"userId":"u1","messageId":"node-next-1700000000000-351a25c4",` +
  `"_metadata":{"nodeVersion":"v26.3.0","jsRuntime":"node"}}`;
const IDENTIFY = `{"timestamp":"${TIME}","type":"identify","traits":{"email":"a@b"},` +
  `"anonymousId":"anon","messageId":"node-next-1700000000000-25c4fc10"}`;

/** A batch of that client. */
function batch(events: readonly string[], root = ""): Sent {
  const body = `{"batch":[${events}],"writeKey":"fh_writekey","sentAt":"${RECEIVED}"${root}}`;
  const headers = { ...BASIC, "content-type": "application/json" };
  return { target: "/v1/batch", headers, body };
}

/** A call as `@segment/analytics-next` 1.84.3 makes it: user ids are null until there is one. */
const BROWSER_CALL =
  `{"timestamp":"${TIME}","integrations":{"Segment.io":true},"event":"Order Completed",` +
  `"type":"track","properties":{"total":3.5},"context":{"page":{"path":"/p"}},` +
  `"messageId":"ajs-next-1700000000000-59d477d9","anonymousId":"d477d91c-a05f",` +
  `"writeKey":"fh_writekey","userId":null,"sentAt":"${RECEIVED}","_metadata":{"bundled":[]}}`;

function call(target: string, body: string): Sent {
  return { target, headers: { ...BASIC, "content-type": "text/plain" }, body };
}

function letterOf(event: string): { reason: string; raw: string } | undefined {
  const outcome = decoded(segment, batch([event]));
  equal(outcome.submission, null);
  return lettersOf(outcome)[0];
}

Deno.test("a batch of the Node client becomes one row an event, each as sent", () => {
  deepEqual(rowsOf(decoded(segment, batch([TRACK, ` ${IDENTIFY} `]))), [
    {
      userId: null,
      timestamp: TIME,
      metadata: TRACK,
      actor: "u1",
      type: "Order Completed",
      eventId: "node-next-1700000000000-351a25c4",
      receivedAt: Date.parse(RECEIVED),
      source: "segment",
      protocol: "segment",
    },
    {
      userId: null,
      timestamp: TIME,
      metadata: IDENTIFY,
      actor: "anon",
      type: "identify",
      eventId: "node-next-1700000000000-25c4fc10",
      receivedAt: Date.parse(RECEIVED),
      source: "segment",
      protocol: "segment",
    },
  ]);
});

Deno.test("a call of the browser's client is one row, by the short path", () => {
  const [row, ...more] = rowsOf(decoded(segment, call("/v1/t", BROWSER_CALL)));
  deepEqual(
    [row?.metadata, row?.type, row?.actor, row?.timestamp, row?.eventId, row?.protocol, more],
    [
      BROWSER_CALL,
      "Order Completed",
      "d477d91c-a05f",
      TIME,
      "ajs-next-1700000000000-59d477d9",
      "segment",
      [],
    ],
  );
});

Deno.test("RudderStack's batch is taken, though it says that it is a form", () => {
  const event =
    `{"userId":"17","event":"Num","type":"track","channel":"server","originalTimestamp":"${TIME}",` +
    `"messageId":"2078515b-c484","sentAt":"${RECEIVED}"}`;
  const sent = {
    target: "/v1/batch",
    headers: { ...BASIC, "content-type": "application/x-www-form-urlencoded" },
    body: `{"batch":[${event}],"timestamp":"${RECEIVED}","sentAt":"${RECEIVED}"}`,
  };
  const [row] = rowsOf(decoded(segment, sent));
  deepEqual(
    [row?.metadata, row?.timestamp, row?.actor, row?.userId, row?.eventId],
    [event, TIME, "17", "17", "2078515b-c484"],
  );
  equal(decoded(segment, sent).credential, undefined);
});

Deno.test("every call has its two paths, batches three, each with and without a slash", () => {
  const paths = ["track", "identify", "page", "screen", "group", "alias"]
    .flatMap((name) => [[name, name], [name.charAt(0), name]]);
  for (const [path, type] of paths) {
    for (const slash of ["", "/"]) {
      const body = '{"userId":"u1","event":"Order Completed"}';
      const [row] = rowsOf(decoded(segment, call(`/v1/${path}${slash}`, body)));
      equal(row?.type, type === "track" ? "Order Completed" : type, path);
    }
  }
  for (const path of ["batch", "b", "import"]) {
    for (const slash of ["", "/"]) {
      equal(
        rowsOf(decoded(segment, { ...batch([TRACK]), target: `/v1/${path}${slash}` })).length,
        1,
      );
    }
  }
  equal(segment.routes.size, 2 * (12 + 3));
});

Deno.test("the path says the type of a call, and what a replay needs of that is kept", () => {
  const without = '{"userId":"u1","event":"Order Completed"}';
  const other = '{"userId":"u1","type":"page","event":"Order Completed"}';
  for (const body of [without, other]) {
    const outcome = decoded(segment, call("/v1/track", body)), { submission } = outcome;
    equal(rowsOf(outcome)[0]?.type, "Order Completed");
    equal(submission?.protocol, "segment/track");
    const sent = { target: "", body };
    const replayed = segment.replay(
      new TextEncoder().encode(body),
      contextOf(segment, sent),
      "track",
    );
    deepEqual(isRefusal(replayed) ? replayed : replayed.submission?.fields, submission?.fields);
  }
});

Deno.test("the user is the first of its ids that is there", () => {
  for (
    const [ids, actor, userId] of [
      ['"userId":"u","anonymousId":"a"', "u", null],
      ['"userId":"","anonymousId":"a"', "a", null],
      ['"userId":null,"anonymousId":"a"', "a", null],
      ['"userId":17,"anonymousId":"a"', "17", "17"],
      ['"userId":1.50', "1.50", null],
      ['"userId":9007199254740993', "9007199254740993", null],
      ['"userId":{"$oid":"x"},"anonymousId":"a"', "a", null],
      ['"previousId":"p"', "p", null],
      ['"groupId":"g"', null, null],
      ['"userId":"\\u0075\\n"', null, null],
    ] as const
  ) {
    const [row] = rowsOf(decoded(segment, batch([`{"type":"group",${ids}}`])));
    deepEqual([row?.actor, row?.userId], [actor, userId], ids);
  }
});

Deno.test("a time that is missing is that of receipt, or the original one", () => {
  for (
    const [times, expected] of [
      ["", RECEIVED],
      [',"timestamp":null', RECEIVED],
      [`,"originalTimestamp":"${TIME}"`, TIME],
      [`,"timestamp":null,"originalTimestamp":"${TIME}"`, TIME],
      [`,"timestamp":"2023-11-14T22:00:00.123456789Z","originalTimestamp":"${TIME}"`, null],
    ] as const
  ) {
    const [row] = rowsOf(decoded(segment, batch([`{"type":"page","userId":"u"${times}}`])));
    equal(row?.timestamp, expected ?? "2023-11-14T22:00:00.123456789Z", times);
  }
});

Deno.test("times by a wrong clock are corrected by the time of sending", () => {
  const event = '{"type":"page","userId":"u","timestamp":"2023-11-14T19:59:59.5Z"}';
  const sent = {
    target: "/v1/batch",
    body: `{"batch":[${event}],"sentAt":"2023-11-14T20:00:00Z"}`,
  };
  equal(rowsOf(decoded(segment, sent))[0]?.timestamp, "2023-11-14T22:13:19.500Z");
  const own = `${event.slice(0, -1)},"sentAt":"2023-11-14T20:00:00Z"}`;
  equal(rowsOf(decoded(segment, call("/v1/p", own)))[0]?.timestamp, "2023-11-14T22:13:19.500Z");
  // In a batch the time of the batch counts.
  equal(rowsOf(decoded(segment, batch([own])))[0]?.timestamp, "2023-11-14T19:59:59.5Z");
});

Deno.test("bad events of a batch are set aside as sent, the others are stored", () => {
  const bad = '{"type":"trick",\t"userId":"u1"}';
  const outcome = decoded(segment, batch([TRACK, bad, IDENTIFY]));
  deepEqual(rowsOf(outcome).map(({ metadata }) => metadata), [TRACK, IDENTIFY]);
  const detail = "Expected one of track, identify, page, screen, group, alias.";
  deepEqual(lettersOf(outcome), [{ reason: `type at /batch/1/type: ${detail}`, raw: bad }]);
  deepEqual(outcome.problems, [{ index: 1, pointer: "/batch/1/type", code: "type", detail }]);
});

Deno.test("each thing that is wrong with an event is named", () => {
  for (
    const [event, reason] of [
      ["7", "type at /batch/0:"],
      ["[]", "type at /batch/0:"],
      ["null", "type at /batch/0:"],
      ["{}", "type at /batch/0/type:"],
      ['{"type":1,"userId":"u"}', "type at /batch/0/type:"],
      ['{"type":"Track","event":"e","userId":"u"}', "type at /batch/0/type:"],
      ['{"type":"track","userId":"u"}', "missing at /batch/0/event:"],
      ['{"type":"track","event":"","userId":"u"}', "missing at /batch/0/event:"],
      ['{"type":"track","event":7,"userId":"u"}', "missing at /batch/0/event:"],
      ['{"type":"page"}', "missing at /batch/0/userId:"],
      ['{"type":"page","userId":"","anonymousId":null}', "missing at /batch/0/userId:"],
      ['{"type":"page","userId":true}', "missing at /batch/0/userId:"],
      ['{"type":"page","userId":"u","messageId":7}', "id at /batch/0/messageId:"],
      ['{"type":"page","userId":"u","messageId":"a\\nb"}', "id at /batch/0/messageId:"],
      ['{"type":"page","userId":"u","messageId":"\\ud800"}', "id at /batch/0/messageId:"],
      ['{"type":"page","userId":"u","timestamp":7}', "timestamp at /batch/0/timestamp:"],
      ['{"type":"page","userId":"u","timestamp":"now"}', "timestamp at /batch/0/timestamp:"],
      [
        '{"type":"page","userId":"u","originalTimestamp":"2023-02-30T00:00:00Z"}',
        "timestamp at /batch/0/originalTimestamp:",
      ],
    ] as const
  ) {
    const letter = letterOf(event);
    equal(letter?.raw, event);
    ok(letter?.reason.startsWith(reason), `${event}: ${letter?.reason}`);
  }
});

Deno.test("an id may be missing, null or empty, and as long as a column holds", () => {
  for (const [id, expected] of [["null", null], ['""', null], ['"x"', "x"]] as const) {
    const event = `{"type":"page","userId":"u","messageId":${id}}`;
    equal(rowsOf(decoded(segment, batch([event])))[0]?.eventId, expected);
  }
  const event = (length: number) =>
    `{"type":"page","userId":"u","messageId":"${"x".repeat(length)}"}`;
  equal(rowsOf(decoded(segment, batch([event(1024)])))[0]?.eventId?.length, 1024);
  ok(letterOf(event(1025))?.reason.startsWith("id at "));
});

Deno.test("an event over the limit is set aside, to the byte", () => {
  const limit = new TextEncoder().encode(TRACK).length;
  for (const [maxEventBytes, aside] of [[limit, 0], [limit - 1, 1]] as const) {
    const limited = segmentProtocol({ ...LIMITS, maxEventBytes });
    const outcome = decoded(limited, batch([TRACK]));
    equal(outcome.aside?.events ?? 0, aside);
    if (aside === 1) {
      deepEqual(lettersOf(outcome).map(({ raw, reason }) => [raw, reason.split(":")[0]]), [
        [TRACK, "event-too-large at /batch/0"],
      ]);
    }
  }
  const { code } = refusalOf(
    segmentProtocol({ ...LIMITS, maxEventBytes: BROWSER_CALL.length - 1 }),
    call("/v1/t", BROWSER_CALL),
  );
  equal(code, "event-too-large");
});

Deno.test("a bad call alone is refused, with what is wrong", () => {
  const refusal = refusalOf(segment, call("/v1/track", '{"userId":"u1"}'));
  deepEqual([refusal.code, refusal.events], ["invalid-event", 1]);
  equal(refusal.detail, "/event: Expected the name of the tracked event, a string.");
  equal(refusal.errors?.[0]?.pointer, "/event");
  for (const body of ["[]", "7", '"x"']) {
    equal(refusalOf(segment, call("/v1/page", body)).code, "invalid-event", body);
  }
});

Deno.test("what is no batch is refused whole", () => {
  const limited = segmentProtocol({ ...LIMITS, maxRequestEvents: 2 });
  for (
    const [body, code, events] of [
      ["", "empty-body", undefined],
      [" \n", "empty-body", undefined],
      ["{", "malformed-json", undefined],
      [`{"batch":[${TRACK}]}x`, "malformed-json", undefined],
      ["[".repeat(65) + "]".repeat(65), "too-deep", undefined],
      [`{"batch":[${[TRACK, TRACK, TRACK]}]}`, "too-many-events", 3],
      [`{"batch":[${"[],".repeat(99)}{}]}`, "too-many-events", 3],
      [`[${TRACK}]`, "invalid-event", undefined],
      [TRACK, "invalid-event", undefined],
      [`{"batch":${TRACK}}`, "invalid-event", undefined],
    ] as const
  ) {
    const refusal = refusalOf(limited, { target: "/v1/batch", body });
    deepEqual([refusal.code, refusal.events], [code, events], body.slice(0, 40));
  }
  equal(decoded(limited, batch([TRACK, TRACK])).submission?.events, 2);
});

Deno.test("an empty batch is answered like any other", () => {
  const outcome = decoded(segment, batch([" \n"]));
  equal(outcome.submission, null);
  equal(outcome.aside, undefined);
  equal(outcome.credential, "fh_writekey");
});

Deno.test("the write key is the user of Basic, or a bearer token, or in the body", () => {
  const tokenOf = (authorization: string) =>
    segment.routes.get("/v1/batch")?.credential(
      headOf({ target: "/v1/batch", headers: { authorization } }),
    )?.token;
  equal(tokenOf("Basic Zmhfd3JpdGVrZXk6"), "fh_writekey");
  equal(tokenOf("Basic Zmhfd3JpdGVrZXk="), "fh_writekey"); // no colon
  equal(tokenOf("Bearer fh_writekey"), "fh_writekey");
  equal(tokenOf("Basic Og=="), undefined); // an empty user
  equal(tokenOf("Digest fh_writekey"), undefined);
  equal(segment.routes.get("/v1/t")?.hasBodyCredential, true);
  equal(decoded(segment, batch([TRACK])).credential, "fh_writekey");
  equal(decoded(segment, call("/v1/t", BROWSER_CALL)).credential, "fh_writekey");
  equal(decoded(segment, { target: "/v1/b", body: '{"batch":[]}' }).credential, undefined);
  equal(
    decoded(segment, { target: "/v1/b", body: '{"batch":[],"writeKey":7}' }).credential,
    undefined,
  );
});

Deno.test("what a batch says for all of its events is put into those that lack it", () => {
  const root = ',"context":{"ip":"1.2.3.4","app":{"n":1.0}},"integrations":{"All":false}';
  const event = (members: string) => `{"type":"page","userId":"u"${members}}`;
  const start = '"context":{"ip":"1.2.3.4","app":{"n":1.0}},"integrations":{"All":false},';
  for (
    const [sent, kept] of [
      [event(""), `{${start}${event("").slice(1)}`],
      [
        event(',"context":{"ip":"own"}'),
        `{"integrations":{"All":false},${
          event(',"context":{"app":{"n":1.0},"ip":"own"}').slice(1)
        }`,
      ],
      [
        event(',"integrations":{},"context":{}'),
        event(',"integrations":{"All":false},"context":{"ip":"1.2.3.4","app":{"n":1.0}}'),
      ],
      [
        event(',"integrations":{"All":true},"context":null'),
        event(',"integrations":{"All":true},"context":null'),
      ],
    ] as const
  ) equal(rowsOf(decoded(segment, batch([sent], root)))[0]?.metadata, kept);
  const { raw = "" } = lettersOf(decoded(segment, batch(["{}", "7"], root)))[0] ?? {};
  equal(raw, `{${start.slice(0, -1)}}`);
});

Deno.test("what a batch says that is no object is not put into its events", () => {
  const root = ',"context":null,"integrations":"All","channel":"server"';
  equal(rowsOf(decoded(segment, batch([TRACK], root)))[0]?.metadata, TRACK);
});

Deno.test("what the events of a batch share counts for each of them", () => {
  const shared = `{"a":"${"x".repeat(1000)}"}`, event = '{"type":"page","userId":"u"}';
  const body = (events: number) =>
    batch(Array.from({ length: events }, () => event), `,"context":${shared}`);
  const outcome = decoded(segment, body(1000));
  const stored = rowsOf(outcome).map(({ metadata }) => metadata).join("").length;
  ok((outcome.submission?.bytes ?? 0) >= stored);
  const refusal = refusalOf(segment, body(9000)); // of over 9 MB
  deepEqual([refusal.code, refusal.events], ["decoded-too-large", 9000]);
  const limited = segmentProtocol({ ...LIMITS, maxEventBytes: 1000 });
  equal(decoded(limited, body(1)).aside?.events, 1);
  equal(decoded(limited, batch([event])).submission?.events, 1);
});

Deno.test("an event is replayed from its row, and from its dead letter once that is mended", () => {
  const replay = (raw: string) =>
    segment.replay(
      new TextEncoder().encode(raw),
      contextOf(segment, { target: "", source: "shop" }),
      "",
    );
  for (const sent of [batch([TRACK]), call("/v1/t", BROWSER_CALL)]) {
    const [row] = rowsOf(decoded(segment, { ...sent, source: "shop" }));
    const again = replay(row?.metadata ?? "");
    deepEqual(isRefusal(again) ? again : rowsOf(again), [row]);
  }
  const letter = letterOf(TRACK.replace('"track"', '"trick"'))?.raw ?? "";
  const still = replay(letter);
  equal(isRefusal(still) ? still.code : "accepted", "invalid-event");
  const mended = replay(letter.replace('"trick"', '"track"'));
  equal(isRefusal(mended) ? mended : rowsOf(mended)[0]?.metadata, TRACK);
});

Deno.test("success is told in Segment's words, whether events were set aside or not", () => {
  const sent = batch([TRACK, "7"]);
  const format = segment.routes.get("/v1/batch")?.otherwise;
  const answer = format?.accepted(outcomeOf(sent, decoded(segment, sent)));
  deepEqual(answer, { status: 200, body: '{"success":true}', type: "application/json" });
});

Deno.test("a refusal is told as JSON, by a status that the clients act on", () => {
  const refused = segment.routes.get("/v1/batch")?.refused;
  const answer = refused?.({
    code: "queue-full",
    detail: "Full.",
    headers: { "retry-after": "60" },
  });
  deepEqual(answer, {
    status: 429,
    body: '{"success":false,"error":"Full.","code":"queue-full"}',
    type: "application/json",
    headers: { "retry-after": "5" },
  });
  const statuses = { "invalid-event": 400, "queue-full": 429, "too-many-bodies": 429 };
  for (const code of Object.keys(REFUSALS) as (keyof typeof REFUSALS)[]) {
    const expected = (statuses as Record<string, number>)[code] ?? REFUSALS[code].status;
    equal(refused?.({ code, detail: "" }).status, expected, code);
  }
  for (
    const [code, status] of [
      ["draining", 503],
      ["store-failing", 503],
      ["body-too-large", 413],
      ["decoded-too-large", 413],
      ["event-too-large", 413],
      ["malformed-json", 400],
      ["unauthorized", 401],
      ["unconfirmed", 500],
      ["internal", 500],
    ] as const
  ) equal(refused?.({ code, detail: "" }).status, status, code);
});
