import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { isRefusal } from "../../lib/errors.ts";
import { cloudEventsProtocol } from "../../lib/protocols/cloudevents.ts";
import { headerText } from "../../lib/protocols/cloudevents_binary.ts";
import {
  contextOf,
  decoded,
  LIMITS,
  RECEIVED,
  refusalOf,
  rowsOf,
  type Sent,
} from "../fakes/decoding.ts";

const PROTOCOL = cloudEventsProtocol(LIMITS);
const REQUIRED = {
  "ce-specversion": "1.0",
  "ce-id": "1234-1234-1234",
  "ce-source": "/mycontext/subcontext",
  "ce-type": "com.example.someevent",
};

function binary(headers: Record<string, string>, body: string | Uint8Array = ""): Sent {
  return { target: "/cloudevents/", headers: { ...REQUIRED, ...headers }, body };
}

function metadataOf(sent: Sent): string | undefined {
  return rowsOf(decoded(PROTOCOL, sent))[0]?.metadata;
}

/** The members that come behind those that all events here have. */
function membersOf(sent: Sent): string {
  const required = '{"specversion":"1.0","id":"1234-1234-1234",' +
    '"source":"/mycontext/subcontext","type":"com.example.someevent"';
  const metadata = metadataOf(sent) ?? "";
  ok(metadata.startsWith(required), metadata);
  JSON.parse(metadata);
  return metadata.slice(required.length, -1);
}

Deno.test("headers and body are put together as one event, the data as sent", () => {
  const sent = binary({
    "ce-time": "2018-04-05T03:56:24.10+01:00",
    "ce-comexampleothervalue": "5",
    "content-type": "application/json; charset=utf-8",
  }, ' {"n": 12345678901234567890, "a":1,"a":2}\n');
  const [row] = rowsOf(decoded(PROTOCOL, sent));
  equal(
    membersOf(sent),
    ',"comexampleothervalue":"5","time":"2018-04-05T03:56:24.10+01:00"' +
      ',"datacontenttype":"application/json; charset=utf-8"' +
      ',"data":{"n": 12345678901234567890, "a":1,"a":2}',
  );
  equal(row?.timestamp, "2018-04-05T02:56:24.10Z");
  equal(row?.eventId, "/mycontext/subcontext 1234-1234-1234");
  equal(row?.type, "com.example.someevent");
});

Deno.test("an event may have no data, and no time", () => {
  equal(membersOf(binary({})), "");
  equal(membersOf(binary({ "content-type": "text/xml" })), ',"datacontenttype":"text/xml"');
  equal(rowsOf(decoded(PROTOCOL, binary({})))[0]?.timestamp, RECEIVED);
});

Deno.test("data that is text is kept as text, everything else in base64", () => {
  const data = (type: string, body: string | Uint8Array) =>
    membersOf(binary(type === "" ? {} : { "content-type": type }, body))
      .replace(/^,"datacontenttype":"[^,]*",/, "");
  const bytes = new Uint8Array([1, 2, 255]);
  equal(data("text/plain", 'é "q" \n'), '"data":"é \\"q\\" \\n"');
  equal(data("text/plain; charset=UTF-8", "é"), '"data":"é"');
  equal(data("text/plain; charset=iso-8859-1", "e"), '"data_base64":"ZQ=="');
  equal(data("text/plain", bytes), '"data_base64":"AQL/"');
  equal(data("application/xml", "<much/>"), '"data":"<much/>"');
  equal(data("image/svg+xml", "<svg/>"), '"data":"<svg/>"');
  equal(data("application/x-form; Charset=utf-8", "a=b"), '"data":"a=b"');
  equal(data("application/octet-stream", bytes), '"data_base64":"AQL/"');
  equal(data("application/octet-stream", "{}"), '"data_base64":"e30="');
  equal(data("", '{ "xyz": 123 }'), ',"data_base64":"eyAieHl6IjogMTIzIH0="');
});

Deno.test("data that is JSON is JSON, whatever its media type is called", () => {
  const types = ["application/json", "TEXT/JSON", "application/vnd.x+json;v=1", "a/b+JSON"];
  for (const type of types) {
    ok(membersOf(binary({ "content-type": type }, "1.50")).endsWith(',"data":1.50'), type);
  }
  const code = (body: string | Uint8Array) =>
    refusalOf(PROTOCOL, binary({ "content-type": "application/json" }, body)).code;
  equal(code("hello"), "malformed-json");
  equal(code(" "), "malformed-json");
  equal(code('1},"id":"other"'), "malformed-json");
  equal(code(new Uint8Array([34, 0xc3, 34])), "invalid-utf8");
  equal(code("[".repeat(64) + "]".repeat(64)), "too-deep"); // with the event around it
  equal(code("[".repeat(65) + "]".repeat(65)), "too-deep");
});

Deno.test("header values are unquoted, then percent-decoded, once", () => {
  const cases: readonly (readonly [string, string | null])[] = [
    ["", ""],
    ["plain", "plain"],
    ["a b", "a b"],
    ["Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["%e2%82%ac", "€"],
    ["%2525", "%25"],
    ["%41", "A"],
    ['"a b"', "a b"],
    ['"a \\"b\\" \\\\ %20"', 'a "b" \\  '],
    ['a "b c" d', "a b c d"],
    ["back\\slash", "back\\slash"],
    ['a\\b "c"', "a\\b c"],
    ['"open', null],
    ['"open\\"', null],
    ['"open\\', null],
    ["100%", null],
    ["%4", null],
    ["%zz", null],
    ["% 41", null],
    ["%C0%A0", null], // a space, encoded too long
    ["%E2%82", null],
    ["%ED%A0%80", null], // half a surrogate pair
    ["%FF", null],
    ["é", null],
    ["\u0080", null],
    ["a\tb", null],
  ];
  for (const [value, text] of cases) equal(headerText(value), text, value);
});

Deno.test("attributes that a header can not say are refused, all of them told", () => {
  const refusal = refusalOf(
    PROTOCOL,
    binary({ "ce-subject": "100%", "ce-ext": "\u00e9", "ce-my-ext": "1", "ce-data": "x" }),
  );
  equal(refusal.code, "invalid-event");
  deepEqual(refusal.errors?.map(({ pointer, code }) => [pointer, code]), [
    ["", "header"], // ce-data
    ["/ext", "header"],
    ["", "header"], // ce-my-ext
    ["/subject", "header"],
  ]);
  equal(refusal.events, 1);
  ok(!JSON.stringify(refusal).includes("100%"));
});

Deno.test("the media type has a header of its own, and no other", () => {
  const headers = { "ce-datacontenttype": "text/plain", "content-type": "text/plain" };
  equal(refusalOf(PROTOCOL, binary(headers, "x")).errors?.[0]?.code, "header");
  equal(refusalOf(PROTOCOL, binary({ "content-type": "xyz" })).errors?.[0]?.code, "media-type");
});

Deno.test("what was decoded is held to the rules of attributes", () => {
  const problem = (headers: Record<string, string>) => {
    const [first] = refusalOf(PROTOCOL, binary(headers)).errors ?? [];
    return `${first?.pointer} ${first?.code}`;
  };
  equal(problem({ "ce-id": "a%0Ab" }), "/id text");
  equal(problem({ "ce-type": "" }), "/type text");
  equal(problem({ "ce-source": "/a%20b" }), "/source uri");
  equal(problem({ "ce-specversion": "0.3" }), "/specversion specversion");
  equal(problem({ "ce-time": "yesterday" }), "/time timestamp");
  equal(problem({ "ce-subject": "" }), "/subject text");
});

Deno.test("a header that was sent twice comes joined: most attributes can not be that", () => {
  const twice = (name: string) => {
    const headers = new Headers(REQUIRED);
    headers.append(name, headers.get(name) ?? "2018-04-05T03:56:24Z");
    if (name === "ce-time") headers.append(name, "2018-04-05T03:56:24Z");
    return binary(Object.fromEntries(headers));
  };
  equal(refusalOf(PROTOCOL, twice("ce-specversion")).errors?.[0]?.code, "specversion");
  equal(refusalOf(PROTOCOL, twice("ce-source")).errors?.[0]?.code, "uri");
  equal(refusalOf(PROTOCOL, twice("ce-time")).errors?.[0]?.code, "timestamp");
  ok(decoded(PROTOCOL, twice("ce-id")).submission !== null); // "a, a" may be an id
});

Deno.test("what is missing is told by name", () => {
  const { "ce-id": _, ...others } = REQUIRED;
  const refusal = refusalOf(PROTOCOL, { target: "/cloudevents", headers: others });
  deepEqual(refusal.errors?.map(({ pointer, code }) => [pointer, code]), [["/id", "missing"]]);
});

Deno.test("the size of an event counts its headers", () => {
  const length = metadataOf(binary({}))?.length ?? 0;
  const protocol = cloudEventsProtocol({ ...LIMITS, maxEventBytes: length });
  ok(decoded(protocol, binary({})).submission !== null);
  equal(refusalOf(protocol, binary({ "ce-a": "" })).code, "event-too-large");
});

Deno.test("the text of a row can be replayed", () => {
  const sent = binary({ "content-type": "image/png" }, new Uint8Array([0, 159]));
  const [row] = rowsOf(decoded(PROTOCOL, sent));
  const raw = new TextEncoder().encode(row?.metadata);
  const again = PROTOCOL.replay(raw, contextOf(PROTOCOL, { target: "/x" }), "");
  ok(!isRefusal(again));
  deepEqual(rowsOf(again), [row]);
});

Deno.test("takes what the JavaScript SDK sends", () => {
  // Version 10.0.0 leaves spaces in header values as they are.
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "ce-id": "A 1",
    "ce-time": "2018-04-05T15:31:00.500Z",
    "ce-type": "com.example.someevent",
    "ce-source": "/mycontext",
    "ce-specversion": "1.0",
    "ce-subject": "sub ject",
    "ce-ext1": "5",
    "ce-extb": "true",
  };
  const body = '{"a":1,"big":"12345678901234567890"}';
  const [row] = rowsOf(decoded(PROTOCOL, { target: "/cloudevents", headers, body }));
  equal(
    row?.metadata,
    '{"specversion":"1.0","id":"A 1","source":"/mycontext","type":"com.example.someevent",' +
      '"ext1":"5","extb":"true","subject":"sub ject","time":"2018-04-05T15:31:00.500Z",' +
      `"datacontenttype":"application/json; charset=utf-8","data":${body}}`,
  );
  equal(row?.eventId, "/mycontext A 1");
});
