import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { cloudEventsProtocol } from "../../lib/protocols/cloudevents.ts";
import {
  contextOf,
  decoded,
  LIMITS,
  RECEIVED,
  refusalOf,
  rowsOf,
  type Sent,
} from "../fakes/decoding.ts";
import { isRefusal } from "../../lib/errors.ts";

const PROTOCOL = cloudEventsProtocol(LIMITS);

/** The least an event has, with these members instead or besides; `undefined` leaves one out. */
function event(members: Record<string, unknown> = {}): string {
  return JSON.stringify({
    specversion: "1.0",
    id: "e-1",
    type: "org.example.made",
    source: "https://example.org/shop",
    ...members,
  });
}

function structured(body: string): Sent {
  const headers = { "content-type": "application/cloudevents+json; charset=UTF-8" };
  return { target: "/cloudevents", headers, body };
}

function batched(body: string): Sent {
  const headers = { "content-type": "application/cloudevents-batch+json" };
  return { target: "/cloudevents", headers, body };
}

Deno.test("a structured event becomes a row with its text as sent", () => {
  const body = ` { "specversion":"1.0", "id" : "A234-1234-1234","source":"/mycontext",
    "type":"com.example.someevent", "time":"2018-04-05T19:31:00.50+02:00", "subject": null,
    "comexampleothervalue":5, "datacontenttype":"application/json",
    "data":{"n":12345678901234567890, "e":1e400, "a":1, "a":2}} `;
  const [row, ...others] = rowsOf(decoded(PROTOCOL, structured(body)));
  equal(others.length, 0);
  equal(row?.metadata, body.trim());
  equal(row?.timestamp, "2018-04-05T17:31:00.50Z");
  equal(row?.type, "com.example.someevent");
  equal(row?.eventId, "/mycontext A234-1234-1234");
  equal(row?.actor, null);
  equal(row?.userId, null);
  equal(row?.protocol, "cloudevents");
  equal(row?.source, "cloudevents");
});

Deno.test("an event without a time, or with a time of null, happened when it was received", () => {
  for (const time of [undefined, null]) {
    equal(rowsOf(decoded(PROTOCOL, structured(event({ time }))))[0]?.timestamp, RECEIVED);
  }
});

// The cases of the conformance suite of CloudEvents, its valid events first.
const VALID: Readonly<Record<string, Record<string, unknown>>> = {
  "nothing but what is required": {},
  "null for all that is optional": {
    datacontenttype: null,
    dataschema: null,
    subject: null,
    time: null,
  },
  "all attributes of the specification": {
    datacontenttype: "text/plain",
    dataschema: "https://example.org/schema",
    subject: "tests",
    time: "2018-04-05T17:31:00Z",
  },
  "time in nanoseconds": { time: "2018-04-05T17:31:00.000000000Z" },
  "time east of Greenwich": { time: "2018-04-05T18:31:00+01:00" },
  "time west of Greenwich": { time: "2018-04-05T16:31:00-01:00" },
  "a source that is only a fragment": { source: "#fragment" },
  "a source that looks like a telephone number": { source: "1-555-123-4567" },
  "text as data": { datacontenttype: "text/plain", data: "Simple text" },
  "binary data": { datacontenttype: "image/png", data_base64: "AQL/" },
  "binary data without a type": { data_base64: "eyAieHl6IjogMTIzIH0=" },
  "no data at all in base64": { data_base64: "" },
  "data that is null": { data: null },
  "extensions of all types": {
    extinteger: 10,
    extnegative: -2147483648,
    extboolean: true,
    extstring: "text",
    extempty: "",
    exturi: "https://example.org",
    exturiref: "//authority/path",
    exttimestamp: "2023-03-31T15:12:00Z",
    extbinary: "TWE=",
    extnull: null,
    "0": "a digit is a name too",
  },
  "a media type with parameters, in capitals": { datacontenttype: "TEXT/Plain; CharSet=utf-8" },
  "characters beyond ASCII": { id: "é😀", type: "日", subject: "\u00a0" },
};

for (const [name, members] of Object.entries(VALID)) {
  Deno.test(`valid: ${name}`, () => {
    const body = event(members);
    equal(rowsOf(decoded(PROTOCOL, structured(body)))[0]?.metadata, body);
    equal(rowsOf(decoded(PROTOCOL, batched(`[${body}]`)))[0]?.metadata, body);
  });
}

// What each is refused for: the pointer and the code of the first problem.
const INVALID: Readonly<Record<string, readonly [Record<string, unknown>, string, string]>> = {
  "no specversion": [{ specversion: undefined }, "/specversion", "missing"],
  "no id": [{ id: undefined }, "/id", "missing"],
  "no type": [{ type: undefined }, "/type", "missing"],
  "no source": [{ source: undefined }, "/source", "missing"],
  "an id of null": [{ id: null }, "/id", "missing"],
  "a time that is none": [{ time: "lunchtime" }, "/time", "timestamp"],
  "a time without seconds": [{ time: "2018-04-05T18:31Z" }, "/time", "timestamp"],
  "an offset X": [{ time: "2018-04-05T18:31:00X" }, "/time", "timestamp"],
  "an offset of more than a day": [{ time: "2018-04-05T18:31:00+25:00" }, "/time", "timestamp"],
  "an offset of letters": [{ time: "2018-04-05T18:31:00+xx:00" }, "/time", "timestamp"],
  "an offset of hours alone": [{ time: "2018-04-05T18:31:00+05" }, "/time", "timestamp"],
  "a time without an offset": [{ time: "2018-04-05T18:31:00" }, "/time", "timestamp"],
  "a day that does not exist": [{ time: "2018-02-30T18:31:00Z" }, "/time", "timestamp"],
  "24 o'clock": [{ time: "2018-04-05T24:00:00Z" }, "/time", "timestamp"],
  "a time in seconds": [{ time: 1523000000 }, "/time", "type"],
  "an empty id": [{ id: "" }, "/id", "text"],
  "an empty type": [{ type: "" }, "/type", "text"],
  "an empty source": [{ source: "" }, "/source", "uri"],
  "an empty specversion": [{ specversion: "" }, "/specversion", "specversion"],
  "another specversion": [{ specversion: "0.9" }, "/specversion", "specversion"],
  "a media type that is none": [{ datacontenttype: "xyz" }, "/datacontenttype", "media-type"],
  "an empty media type": [{ datacontenttype: "" }, "/datacontenttype", "media-type"],
  "an empty schema": [{ dataschema: "" }, "/dataschema", "uri"],
  "a schema that is no absolute URI": [{ dataschema: "/schema" }, "/dataschema", "uri"],
  "an empty subject": [{ subject: "" }, "/subject", "text"],
  "an id that is a number": [{ id: 25 }, "/id", "type"],
  "an id that is an object": [{ id: { xyz: "abc" } }, "/id", "type"],
  "an extension in capitals": [{ MyExtension: "bad" }, "/MyExtension", "attribute-name"],
  "an extension with a point": [{ "my.extension": "bad" }, "/my.extension", "attribute-name"],
  "an extension without a name": [{ "": "bad" }, "/", "attribute-name"],
  "an extension with slash and tilde": [{ "a/b~": "bad" }, "/a~1b~0", "attribute-name"],
  "an extension that is a fraction": [{ ext: 1.5 }, "/ext", "integer"],
  "an extension beyond 32 bits": [{ ext: 2147483648 }, "/ext", "integer"],
  "an extension that is an object": [{ ext: {} }, "/ext", "type"],
  "an extension that is an array": [{ ext: [] }, "/ext", "type"],
  "an extension with a line break": [{ ext: "a\nb" }, "/ext", "text"],
  "data twice": [{ data: "text", data_base64: "eyAieHl6IjogMTIzIH0=" }, "/data_base64", "data"],
  "base64 with a space": [{ data_base64: "AQ L/" }, "/data_base64", "base64"],
  "base64 without its padding": [{ data_base64: "TWE" }, "/data_base64", "base64"],
  "base64 for URLs": [{ data_base64: "_-8=" }, "/data_base64", "base64"],
  "base64 that is a number": [{ data_base64: 5 }, "/data_base64", "base64"],
  "a line break in the id": [{ id: "a\nb" }, "/id", "text"],
  "a NUL in the type": [{ type: "a\0" }, "/type", "text"],
  "a C1 control character": [{ id: "a\u0085b" }, "/id", "text"],
  "half a character": [{ id: "\ud800" }, "/id", "text"],
  "a character that is none": [{ subject: "\uffff" }, "/subject", "text"],
  "a source with a space": [{ source: "/a b" }, "/source", "uri"],
  "a source with a bad escape": [{ source: "/a%2" }, "/source", "uri"],
  "a source that is not ASCII": [{ source: "/é" }, "/source", "uri"],
  "source and id too long together": [{ id: "x".repeat(1010) }, "/id", "id"],
};

for (const [name, [members, pointer, code]] of Object.entries(INVALID)) {
  Deno.test(`invalid: ${name}`, () => {
    const alone = refusalOf(PROTOCOL, structured(event(members)));
    equal(alone.code, "invalid-event");
    equal(alone.errors?.[0]?.pointer, pointer);
    equal(alone.errors?.[0]?.code, code);
    equal(alone.errors?.[0]?.index, undefined);
    const refusal = refusalOf(PROTOCOL, batched(`[${event()}, ${event(members)}]`));
    equal(refusal.errors?.[0]?.index, 1);
    equal(refusal.errors?.[0]?.pointer, `/1${pointer}`);
    equal(refusal.events, 2);
  });
}

Deno.test("a member that comes twice is refused: which of them counts is anybody's guess", () => {
  const twice = event().replace("}", ',"id":"other"}');
  equal(refusalOf(PROTOCOL, structured(twice)).errors?.[0]?.code, "duplicate-member");
  const escaped = event().replace("}", ',"\\u0069d":"other"}');
  equal(refusalOf(PROTOCOL, structured(escaped)).errors?.[0]?.code, "duplicate-member");
});

Deno.test("all problems of all events are counted and the first 20 told", () => {
  const refusal = refusalOf(PROTOCOL, batched(`[${Array(12).fill("{}").join()}]`));
  equal(refusal.errorsTotal, 48);
  equal(refusal.errors?.length, 20);
  equal(refusal.errors?.[19]?.index, 4);
  equal(refusal.events, 12);
});

Deno.test("no value of an event is echoed", () => {
  const secret = "s3cret value";
  const refusal = refusalOf(
    PROTOCOL,
    structured(event({ id: { secret }, time: secret, source: secret, ext: [secret] })),
  );
  equal(refusal.errorsTotal, 4);
  ok(!JSON.stringify(refusal).includes("s3cret"));
});

Deno.test("a batch keeps the order of its events, and its repeats: the store tells them", () => {
  const body = `[ ${event({ id: "a" })},${event({ id: "b" })}\n, ${event({ id: "a" })} ]`;
  const rows = rowsOf(decoded(PROTOCOL, batched(body)));
  deepEqual(
    rows.map(({ eventId }) => eventId?.split(" ")[1]),
    ["a", "b", "a"],
  );
});

Deno.test("an empty batch is well formed and holds nothing", () => {
  deepEqual(decoded(PROTOCOL, batched(" [ ] ")), { submission: null });
});

Deno.test("a batch that is no array of objects is refused", () => {
  equal(refusalOf(PROTOCOL, batched(event())).code, "invalid-event");
  const refusal = refusalOf(PROTOCOL, batched(`["not an object", ${event()}]`));
  equal(refusal.errors?.[0]?.index, 0);
  equal(refusal.errors?.[0]?.pointer, "/0");
  equal(refusal.errors?.[0]?.code, "type");
  equal(refusal.errorsTotal, 1);
});

Deno.test("a structured body that is no object is refused", () => {
  for (const body of ["[]", "5", '"x"', "null", `[${event()}]`]) {
    equal(refusalOf(PROTOCOL, structured(body)).errors?.[0]?.code, "type", body);
  }
});

Deno.test("what is no JSON, empty, or too deep is refused whole", () => {
  const code = (body: string) => refusalOf(PROTOCOL, structured(body)).code;
  equal(code(""), "empty-body");
  equal(code(" \n"), "empty-body");
  equal(code("{"), "malformed-json");
  equal(code(event() + event()), "malformed-json");
  equal(code("\ufeff" + event() + ","), "malformed-json");
  const nested = (depth: number) =>
    event({ data: 0 }).replace('"data":0', `"data":${"[".repeat(depth) + "]".repeat(depth)}`);
  ok(decoded(PROTOCOL, structured(nested(63))).submission !== null);
  equal(code(nested(64)), "too-deep");
});

Deno.test("events and requests over their limits are refused as too large", () => {
  const protocol = cloudEventsProtocol({ maxRequestEvents: 2, maxEventBytes: event().length });
  equal(rowsOf(decoded(protocol, batched(`[${event()},${event()}]`))).length, 2);
  const many = refusalOf(protocol, batched(`[${event()},${event()},${event()}]`));
  equal(many.code, "too-many-events");
  equal(many.events, 3);
  const large = refusalOf(protocol, batched(`[${event()},${event({ ext: 1 })}]`));
  equal(large.code, "event-too-large");
  equal(large.errors?.[0]?.index, 1);
  equal(large.events, 2);
});

Deno.test("the text of a row can be replayed", () => {
  const sent = structured(event({ time: "2020-01-01T00:00:00Z", data: [1] }));
  const [row] = rowsOf(decoded(PROTOCOL, sent));
  const raw = new TextEncoder().encode(row?.metadata);
  const again = PROTOCOL.replay(raw, contextOf(PROTOCOL, { target: "/x" }), "");
  ok(!isRefusal(again));
  deepEqual(rowsOf(again), [row]);
  const bad = PROTOCOL.replay(new TextEncoder().encode("{}"), contextOf(PROTOCOL, sent), "");
  ok(isRefusal(bad) && bad.errorsTotal === 4);
});
