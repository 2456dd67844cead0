import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { isRefusal } from "../../lib/errors.ts";
import { servedHostnames, TargetResolver } from "../../lib/http/target.ts";

const PATHS = ["/event", "/events"];

function codeOf(resolver: TargetResolver, url: string): string {
  const result = resolver.resolve(url);
  return isRefusal(result) ? result.code : result.path;
}

Deno.test("a URL resolves to its path without query and fragment, also the second time", () => {
  const resolver = new TargetResolver(null, PATHS);
  for (let time = 0; time < 2; time++) {
    equal(codeOf(resolver, "http://x/event"), "/event");
    equal(codeOf(resolver, "http://x:8000/event?a=/events#b"), "/event");
    equal(codeOf(resolver, "http://x"), "/");
    equal(codeOf(resolver, "http://x/a/../events"), "/events");
    equal(codeOf(resolver, "http://x//event"), "//event");
    equal(codeOf(resolver, "http://x/event/"), "/event/");
    equal(codeOf(resolver, "http://x/Event"), "/Event");
    equal(codeOf(resolver, "http://x/%65vent"), "/%65vent");
    equal(codeOf(resolver, "http://[::1]:8000/stats"), "/stats");
  }
});

Deno.test("a URL whose host is missing or malformed is refused", () => {
  const resolver = new TargetResolver(null, PATHS);
  for (
    const url of [
      "",
      "/event",
      "http:///",
      "http://a b/event",
      "http://[::1/event",
      "http://x:99999/",
    ]
  ) {
    equal(codeOf(resolver, url), "host", url);
  }
});

Deno.test("a URL of 8192 characters is served, one of 8193 is refused", () => {
  const resolver = new TargetResolver(null, PATHS);
  const url = (length: number) => "http://x/event?".padEnd(length, "a");
  equal(codeOf(resolver, url(8192)), "/event");
  equal(codeOf(resolver, url(8193)), "uri-too-long");
});

Deno.test("a host that is not served is refused, whatever was served before", () => {
  const resolver = new TargetResolver(new Set(["localhost", "[::1]"]), PATHS);
  for (let time = 0; time < 2; time++) {
    for (
      const host of ["localhost", "localhost:8000", "LOCALHOST", "[::1]:8000"]
    ) {
      equal(codeOf(resolver, `http://${host}/event`), "/event", host);
    }
    for (
      const host of [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1",
        "[::2]",
      ]
    ) {
      equal(codeOf(resolver, `http://${host}/event`), "misdirected", host);
      equal(codeOf(resolver, `http://${host}/nothing`), "misdirected", host);
    }
  }
});

Deno.test("more URLs than are remembered resolve all the same", () => {
  const resolver = new TargetResolver(null, PATHS);
  for (let time = 0; time < 2; time++) {
    for (let i = 0; i < 300; i++) equal(codeOf(resolver, `http://h${i}/event?n=${i}`), "/event");
  }
});

Deno.test("on a loopback address only the names of loopback are served", () => {
  for (const host of ["127.0.0.1", "127.0.0.53", "localhost", "::1"]) {
    const served = servedHostnames("", host);
    for (const name of ["localhost", "127.0.0.1", "[::1]"]) equal(served?.has(name), true, host);
    equal(served?.has("evil.example"), false, host);
  }
  equal(servedHostnames("", "127.0.0.53")?.has("127.0.0.53"), true);
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "collector.example"]) {
    equal(servedHostnames("", host), null, host);
  }
});

Deno.test("a loopback address written otherwise is still one", () => {
  for (const host of ["LOCALHOST", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"]) {
    equal(servedHostnames("", host)?.has("evil.example"), false, host);
  }
});

Deno.test("a list of hosts is served as listed, and nothing else", () => {
  for (const host of ["127.0.0.1", "0.0.0.0"]) {
    deepEqual(
      servedHostnames(" A.example, b.example ,,", host),
      new Set(["a.example", "b.example"]),
    );
  }
  equal(servedHostnames(" , ", "0.0.0.0"), null);
});

Deno.test("a listed name is served as browsers write it: IPv6 in brackets, IDN in ASCII", () => {
  for (
    const [listed, url] of [
      ["::1", "http://[::1]:8000/event"],
      ["[::1]", "http://[::1]/event"],
      ["bücher.example", "http://bücher.example/event"],
    ] as const
  ) {
    const resolver = new TargetResolver(servedHostnames(listed, "0.0.0.0"), PATHS);
    equal(codeOf(resolver, url), "/event", listed);
  }
});

Deno.test("any URL is answered with a path or a refusal", () => {
  const resolver = new TargetResolver(new Set(["localhost"]), PATHS);
  const url = fc.oneof(
    fc.webUrl(),
    fc.string({ unit: "binary" }),
    fc.string().map((s) => `http://${s}`),
  );
  fc.assert(fc.property(url, (text) => {
    const result = codeOf(resolver, text);
    equal(result.startsWith("/") || ["host", "misdirected", "uri-too-long"].includes(result), true);
    equal(codeOf(resolver, text), result);
  }));
});
