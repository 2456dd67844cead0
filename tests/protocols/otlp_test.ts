/** OTLP log requests in JSON: the rows that come of them, what is set aside and what is refused. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { isRefusal } from "../../lib/errors.ts";
import { otlpProtocol } from "../../lib/protocols/otlp.ts";
import {
  bytesOf,
  contextOf,
  decoded,
  decodeSent,
  lettersOf,
  LIMITS,
  RECEIVED,
  refusalOf,
  rowsOf,
  type Sent,
} from "../fakes/decoding.ts";
import { jsonText } from "../fakes/json_arbitrary.ts";

const OTLP = otlpProtocol(LIMITS);
const TIME = '"timeUnixNano":"1700000000123456789"';

function sent(body: string): Sent {
  return { target: "/v1/logs", headers: { "content-type": "application/json" }, body };
}

/** A request whose records are these texts. */
function requestOf(...records: readonly string[]): Sent {
  return sent(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[${records.join()}]}]}]}`);
}

/** The row of a request with one record; throws unless there is one. */
function rowOf(record: string) {
  const [row, ...more] = rowsOf(decoded(OTLP, requestOf(record)));
  if (row === undefined || more.length > 0) throw new Error("expected one row");
  return row;
}

/** Why a record is set aside; null if it is not. */
function reasonOf(record: string): string | null {
  const result = decoded(OTLP, requestOf(record));
  equal(rowsOf(result).length + lettersOf(result).length, 1);
  return lettersOf(result)[0]?.reason ?? null;
}

function attributes(...all: readonly (readonly [key: string, value: string])[]): string {
  const texts = all.map(([key, value]) => `{"key":${JSON.stringify(key)},"value":${value}}`);
  return `"attributes":[${texts.join()}]`;
}

Deno.test("a log record becomes a row", () => {
  const row = rowOf(
    `{${TIME},"eventName":"order.placed",${
      attributes(["user.id", '{"stringValue":"u-1"}'], ["log.record.uid", '{"stringValue":"01J"}'])
    }}`,
  );
  deepEqual({ ...row, metadata: "" }, {
    userId: null,
    timestamp: "2023-11-14T22:13:20.123456789Z",
    metadata: "",
    actor: "u-1",
    type: "order.placed",
    eventId: "01J",
    receivedAt: row.receivedAt,
    source: "otlp",
    protocol: "otlp",
  });
});

Deno.test("the metadata is the resource, the scope and one record, byte for byte as sent", () => {
  const resource = ' { "attributes" : [ ],"x":1e400, "x":"\\u00e9é" } ', scope = '{"name":"s"}';
  const records = ['{"body":{"intValue":9007199254740993}, "a":1.0}', "{ }", '{"b":[1, 2]}'];
  const body = `{"other":1,"resourceLogs":[
    {"resource":${resource},"scopeLogs" : [
      {"scope":${scope},"logRecords":[${records.join(" , ")}],"schemaUrl":"u"},
      {"logRecords":[{}]}], "schemaUrl":"r"},
    {"scopeLogs":[{"logRecords":[{"c":3}]}]}
  ]}`;
  const before = `{"resource":${resource},"scopeLogs" : [`, after = ', "schemaUrl":"r"}';
  deepEqual(rowsOf(decoded(OTLP, sent(body))).map(({ metadata }) => metadata), [
    ...records.map((record) =>
      `${before}{"scope":${scope},"logRecords":[${record}],"schemaUrl":"u"}]${after}`
    ),
    `${before}{"logRecords":[{}]}]${after}`,
    '{"scopeLogs":[{"logRecords":[{"c":3}]}]}',
  ]);
});

Deno.test("the metadata of a row and the text of a dead letter can be replayed", () => {
  const result = decoded(
    OTLP,
    sent(
      '{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"s"},"logRecords":[' +
        `{${TIME},"eventName":"a"},{${TIME},"eventName":"b"},{"timeUnixNano":"soon"}]}]}]}`,
    ),
  );
  const rows = rowsOf(result), [letter] = lettersOf(result);
  equal(rows.length, 2);
  for (const row of rows) {
    const again = OTLP.replay(bytesOf(sent(row.metadata)), contextOf(OTLP, sent("")), "");
    ok(!isRefusal(again));
    deepEqual(rowsOf(again), [row]);
    const wrapped = decoded(OTLP, sent(`{"resourceLogs":[${row.metadata}]}`));
    deepEqual(rowsOf(wrapped), [row]);
  }
  const replay = (text: string) =>
    OTLP.replay(bytesOf(sent(text)), contextOf(OTLP, sent("")), "") as ReturnType<typeof decoded>;
  deepEqual(lettersOf(replay(letter?.raw ?? "")), [letter]);
  const [mended] = rowsOf(replay(letter?.raw.replace("soon", "1") ?? ""));
  equal(mended?.timestamp, "1970-01-01T00:00:00.000000001Z");
});

Deno.test("the instant is the record's time, else when it was observed, else of receipt", () => {
  const instant = (members: string) => rowOf(`{${members}}`).timestamp;
  const observed = '"observedTimeUnixNano":"1700000001000000001"';
  equal(instant(`${TIME},${observed}`), "2023-11-14T22:13:20.123456789Z");
  for (const none of ["", '"timeUnixNano":"0",', '"timeUnixNano":0,', '"timeUnixNano":null,']) {
    equal(instant(none + observed), "2023-11-14T22:13:21.000000001Z");
  }
  for (const none of ["", '"timeUnixNano":"0"', '"timeUnixNano":0,"observedTimeUnixNano":null']) {
    equal(instant(none), RECEIVED);
  }
});

Deno.test("a time is read digit by digit, as string or number, and up to the last fixed64", () => {
  const instant = (value: string) => rowOf(`{"timeUnixNano":${value}}`).timestamp;
  for (const value of ["1700000000123456789", '"1700000000123456789"', '"01700000000123456789"']) {
    equal(instant(value), "2023-11-14T22:13:20.123456789Z");
  }
  equal(instant("1700000000123456789"), "2023-11-14T22:13:20.123456789Z"); // no double
  for (const value of ["1.7e18", "1.7E+18", '"1.7e18"', "17000e14", "1700000000000000000.0"]) {
    equal(instant(value), "2023-11-14T22:13:20.000000000Z");
  }
  equal(instant("18446744073709551615"), "2554-07-21T23:34:33.709551615Z");
});

Deno.test("a time that is none is set aside, and so is one of observation", () => {
  const bad = [
    '"soon"',
    '""',
    '"-1"',
    "-1",
    "1.5",
    "1.5e0",
    '" 1"',
    '"0x1"',
    "18446744073709551616",
    "1e99",
    "1e20",
    "true",
    "{}",
    "[]",
    '"2023-11-14T22:13:20Z"',
  ];
  for (const member of ["timeUnixNano", "observedTimeUnixNano"]) {
    for (const value of bad) {
      const reason = reasonOf(`{"${member}":${value}}`);
      ok(reason?.startsWith(`timestamp at /${member}: `), `${member} ${value}: ${reason}`);
    }
  }
});

Deno.test("trace and span ids are hex of any case and length, or missing", () => {
  for (const id of ["null", '""', '"5B8EFFF798038103D269B633813FC60C"', '"eee19b7ec3c1b174"']) {
    equal(reasonOf(`{"traceId":${id},"spanId":${id}}`), null);
  }
  for (const id of ['"W46OqVGYQQPSabYzgT/GDA=="', '"abc"', '"0g"', "12", "{}", "false"]) {
    equal(reasonOf(`{"traceId":${id}}`), "hex at /traceId: Expected hex digits.");
    equal(reasonOf(`{"spanId":${id}}`), "hex at /spanId: Expected hex digits.");
  }
});

Deno.test("the type is the event name, else the attribute that held it before", () => {
  const attribute = attributes(["event.name", '{"stringValue":"old"}']);
  equal(rowOf(`{"eventName":"new",${attribute}}`).type, "new");
  equal(rowOf(`{"eventName":"",${attribute}}`).type, "old");
  equal(rowOf(`{${attribute}}`).type, "old");
  equal(rowOf("{}").type, null);
  equal(rowOf(`{"eventName":5,${attributes(["event.name", '{"intValue":5}'])}}`).type, null);
});

Deno.test("the actor is the user of the record, else of the resource", () => {
  const actor = (resource: string, record: string) =>
    rowsOf(decoded(
      OTLP,
      sent(
        `{"resourceLogs":[{"resource":{${resource}},"scopeLogs":[{"logRecords":[{${record}}]}]}]}`,
      ),
    ))[0];
  const end = attributes(["user.id", '{"stringValue":"b"}'], ["enduser.id", '{"stringValue":"a"}']);
  const user = attributes(["user.id", '{"stringValue":"b"}']);
  const other = attributes(["user.name", '{"stringValue":"c"}']);
  equal(actor("", end)?.actor, "a");
  equal(actor(end, user)?.actor, "b");
  equal(actor(user, other)?.actor, "b");
  equal(actor(other, "")?.actor, null);
  equal(actor("", attributes(["user.id", '{"stringValue":"42"}']))?.userId, "42");
  for (const digits of ["42", '"42"']) {
    const row = actor("", attributes(["user.id", `{"intValue":${digits}}`]));
    deepEqual([row?.actor, row?.userId], ["42", "42"]);
  }
  for (const value of ['{"doubleValue":1.5}', '{"intValue":1.5}', "{}", '"u"', "null"]) {
    equal(actor("", attributes(["user.id", value]))?.actor, null);
  }
});

Deno.test("a log.record.uid is the event's id; one that cannot be is set aside", () => {
  const uid = (text: string) => `{${attributes(["log.record.uid", `{"stringValue":${text}}`])}}`;
  equal(rowOf(uid('"01J\\u00e9"')).eventId, "01Jé");
  equal(rowOf(uid('""')).eventId, null);
  equal(rowOf("{}").eventId, null);
  for (const bad of ['"a\\u0000"', '"\\ud800"', `"${"x".repeat(1025)}"`]) {
    ok(reasonOf(uid(bad))?.startsWith("id at /attributes: "));
  }
});

Deno.test("odd attributes, values and unknown members do no harm", () => {
  for (
    const record of [
      '{"attributes":null}',
      '{"attributes":{}}',
      '{"attributes":[null,1,[],{},{"key":1},{"key":"user.id"},{"value":{}}]}',
      '{"body":{"noSuchValue":1},"severityNumber":"INFO","flags":-1,"__proto__":{"a":1}}',
      '{"droppedAttributesCount":"many","new_field":[[[]]]}',
    ]
  ) {
    equal(reasonOf(record), null);
  }
});

Deno.test("of a member that is there twice the last counts, as in most JSON parsers", () => {
  const records = (name: string) => `"logRecords":[{"eventName":"${name}"}]`;
  const scopes = (members: string) => `"scopeLogs":[{${members}}]`;
  for (
    const [members, expected] of [
      [`${scopes(records("a"))},${scopes(`${records("b")},${records("c")}`)}`, ["c"]],
      [`"scopeLogs":null,${scopes(records("a"))}`, ["a"]],
      [`${scopes(records("a"))},"scopeLogs":null`, []],
      [scopes(`${records("a")},"logRecords":null`), []],
      [`"\\u0073copeLogs":[{${records("a")}}]`, ["a"]],
    ] as const
  ) {
    const rows = rowsOf(decoded(OTLP, sent(`{"resourceLogs":[{${members}}]}`)));
    deepEqual(rows.map(({ type }) => type), expected, members);
    for (const { metadata } of rows) {
      const { scopeLogs: [{ logRecords }] } = JSON.parse(metadata);
      deepEqual(logRecords.map(({ eventName }: { eventName: string }) => eventName), expected);
    }
  }
});

Deno.test("a record that is no object is set aside, the good ones around it are stored", () => {
  const result = decoded(OTLP, requestOf('{"eventName":"a"}', "5", '{"eventName":"b"}', "null"));
  deepEqual(rowsOf(result).map(({ type }) => type), ["a", "b"]);
  deepEqual(lettersOf(result), [
    { reason: "type: Expected an object.", raw: '{"scopeLogs":[{"logRecords":[5]}]}' },
    { reason: "type: Expected an object.", raw: '{"scopeLogs":[{"logRecords":[null]}]}' },
  ]);
  deepEqual(result.problems?.map(({ index }) => index), [1, 3]);
});

Deno.test("a record whose metadata would be longer than an event may be is set aside", () => {
  const around = '{"scopeLogs":[{"logRecords":[]}]}'.length, record = '{"body":"é"}';
  const maxEventBytes = around + new TextEncoder().encode(record).length;
  const protocol = otlpProtocol({ ...LIMITS, maxEventBytes });
  const result = decoded(protocol, requestOf(record, record.replace("é", "éa")));
  equal(rowsOf(result).length, 1);
  deepEqual(lettersOf(result).map(({ reason }) => reason), [
    `event-too-large: Expected at most ${maxEventBytes} bytes.`,
  ]);
});

Deno.test("a request without records is accepted and holds nothing", () => {
  for (
    const body of [
      "{}",
      '{"resourceLogs":[]}',
      '{"resourceLogs":null}',
      '{"resourceLogs":[{}]}',
      '{"resourceLogs":[{"resource":null,"scopeLogs":[]}]}',
      '{"resourceLogs":[{"scopeLogs":[{}, {"scope":null,"logRecords":[]},{"logRecords":null}]}]}',
      '{"unknown":true}',
      "\ufeff { }\n",
    ]
  ) {
    deepEqual(decoded(OTLP, sent(body)), { submission: null }, body);
  }
});

Deno.test("what is no request is refused whole", () => {
  const code = (body: string) => refusalOf(OTLP, sent(body)).code;
  for (const body of ["", " \n"]) equal(code(body), "empty-body");
  for (const body of ["{", "[}", '{"resourceLogs":[{}]}x', "NaN"]) {
    equal(code(body), "malformed-json");
  }
  for (
    const body of [
      "[]",
      "5",
      "null",
      '{"resourceLogs":{}}',
      '{"resourceLogs":[5]}',
      '{"resourceLogs":[null]}',
      '{"resourceLogs":[{"resource":[]}]}',
      '{"resourceLogs":[{"scopeLogs":"x"}]}',
      '{"resourceLogs":[{"scopeLogs":[1]}]}',
      '{"resourceLogs":[{"scopeLogs":[{"scope":"x"}]}]}',
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":{}}]}]}',
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]},true]}',
    ]
  ) {
    equal(code(body), "invalid-event", body);
  }
});

Deno.test("the names of the proto file, which OTLP/JSON forbids, are refused: no record is lost", () => {
  for (
    const [body, detail] of [
      ['{"resource_logs":[]}', "`resource_logs` must be called `resourceLogs`."],
      ['{"resourceLogs":[{"scope_logs":[]}]}', "`scope_logs` must be called `scopeLogs`."],
      [
        '{"resourceLogs":[{"scopeLogs":[{"log_records":[]}]}]}',
        "`log_records` must be called `logRecords`.",
      ],
    ] as const
  ) {
    deepEqual(refusalOf(OTLP, sent(body)), { code: "invalid-event", detail });
  }
});

Deno.test("a request may nest 64 deep", () => {
  // 7 deep is what wraps the record, itself included.
  const nested = (depth: number) => `{"body":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  const result = decoded(OTLP, requestOf(nested(57)));
  equal(rowsOf(result).length, 1);
  equal(refusalOf(OTLP, requestOf(nested(58))).code, "too-deep");
});

Deno.test("more records than a request may hold are refused whole, and counted", () => {
  const protocol = otlpProtocol({ ...LIMITS, maxRequestEvents: 3 });
  equal(rowsOf(decoded(protocol, requestOf("{}", "{}", "{}"))).length, 3);
  const { code, events } = refusalOf(protocol, requestOf("{}", "{}", "{}", "5"));
  deepEqual([code, events], ["too-many-events", 4]);
  const scopes = '{"logRecords":[{},{}]}';
  const many = refusalOf(protocol, sent(`{"resourceLogs":[{"scopeLogs":[${scopes},${scopes}]}]}`));
  deepEqual([many.code, many.events], ["too-many-events", 4]);
});

Deno.test("a small request cannot ask for much text by a long resource", () => {
  const request = (records: number) =>
    sent(
      `{"resourceLogs":[{"resource":{"x":"${"x".repeat(200_000)}"},"scopeLogs":[{"logRecords":[` +
        `${Array(records).fill("{}").join()}]}]}]}`,
    );
  const { submission } = decoded(OTLP, request(100));
  ok((submission?.bytes ?? 0) > 20_000_000, "the queue must know what it will hold");
  const { code, events } = refusalOf(OTLP, request(200));
  deepEqual([code, events], ["body-too-large", 200]);
});

Deno.test("whatever the body is, it is decoded or refused", () => {
  const bodies = fc.oneof(
    jsonText,
    jsonText.map((text) => `{"resourceLogs":${text}}`),
    jsonText.map((text) => `{"resourceLogs":[{"resource":${text},"scopeLogs":[${text}]}]}`),
    fc.array(jsonText, { maxLength: 4 }).map((texts) => requestOf(...texts).body as string),
    fc.tuple(jsonText, jsonText).map(([a, b]) =>
      requestOf(
        `{"timeUnixNano":${a},"traceId":${b},"attributes":[${a},{"key":"user.id","value":${b}}]}`,
      )
        .body as string
    ),
    fc.string({ unit: "binary" }),
  );
  let accepted = 0, refused = 0;
  fc.assert(
    fc.property(bodies, (body) => {
      const result = decodeSent(OTLP, sent(body));
      if (isRefusal(result)) return void refused++;
      accepted++;
      for (const { metadata } of rowsOf(result)) {
        const whole = JSON.parse(metadata);
        equal(whole.scopeLogs.length, 1);
        equal(whole.scopeLogs[0].logRecords.length, 1);
      }
      for (const { raw } of lettersOf(result)) JSON.parse(raw);
    }),
    { numRuns: 2000 },
  );
  ok(accepted > 100 && refused > 100, `${accepted} accepted, ${refused} refused`);
});

/** Whether the text is JSON by the judge that everyone knows. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

Deno.test("malformed is what JSON.parse does not take, wherever it is", () => {
  const whole = ` { "a" : [ 1 , {} ] , "resourceLogs" : [ { "resource" : { } , "scopeLogs" : [ ` +
    `{ "scope" : null , "logRecords" : [ { ${TIME} , "b" : 1.5e3 } , [ ] , "é\\u00e9" ] } ] } ] } `;
  ok(isJson(whole));
  const edit = fc.record({
    at: fc.nat(whole.length - 1),
    drop: fc.nat(2),
    put: fc.constantFrom(
      "",
      ",",
      ":",
      "{",
      "}",
      "[",
      "]",
      '"',
      "0",
      "n",
      " ",
      "\\",
      "null,",
      "{},",
    ),
  });
  let malformed = 0, others = 0;
  fc.assert(
    fc.property(edit, ({ at, drop, put }) => {
      const body = whole.slice(0, at) + put + whole.slice(at + drop);
      const result = decodeSent(OTLP, sent(body));
      // Where it is also not what OTLP expects, that may be said first.
      if (isRefusal(result) && result.code === "invalid-event") return;
      const isMalformed = isRefusal(result);
      if (isMalformed) equal(result.code, "malformed-json");
      equal(isMalformed, !isJson(body), body);
      isMalformed ? malformed++ : others++;
    }),
    { numRuns: 3000 },
  );
  ok(malformed > 100 && others > 100, `${malformed} malformed, ${others} not`);
});
