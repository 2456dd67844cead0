import { notStrictEqual, ok, strictEqual as equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import { isLoopback } from "../lib/loopback.ts";
import { includesOrigin, isOrigin } from "../lib/origin.ts";
import { areScopes, hasScope, isTokenName, newSecret, sha256Of } from "../lib/token.ts";
import { tokenOf } from "./fakes/tokens.ts";

Deno.test("a secret is fh_ and 32 random bytes in base64url, each time others", () => {
  const secrets = Array.from({ length: 100 }, newSecret);
  for (const secret of secrets) ok(/^fh_[A-Za-z0-9_-]{43}$/.test(secret), secret);
  equal(new Set(secrets).size, secrets.length);
});

Deno.test("what is kept of a secret is its SHA-256", () => {
  const secret = newSecret();
  equal(sha256Of(secret), createHash("sha256").update(secret).digest("hex"));
  notStrictEqual(sha256Of(secret), sha256Of(`${secret} `));
  equal(
    sha256Of("abc"), // FIPS 180-4, appendix B.1
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

Deno.test("a token's name is short, plain, and no protocol's", () => {
  for (const name of ["a", "0", "web-app_1.2", "x".repeat(64), "Native", "native2"]) {
    ok(isTokenName(name), name);
  }
  const protocols = [
    "native",
    "segment",
    "otlp",
    "cloudevents",
    "splunk_hec",
    "posthog",
    "tinybird",
  ];
  for (const name of [...protocols, "", "-a", "_a", ".", "a b", "a\n", "é", "x".repeat(65)]) {
    ok(!isTokenName(name), name);
  }
});

Deno.test("admin may read, and nothing else may what it is not for", () => {
  const may = (...scopes: ("ingest" | "read" | "admin")[]) =>
    (["ingest", "read", "admin"] as const).filter((scope) =>
      hasScope(tokenOf("a", { scopes }), scope)
    ).join();
  equal(may("ingest"), "ingest");
  equal(may("read"), "read");
  equal(may("admin"), "read,admin");
  equal(may("ingest", "admin"), "ingest,read,admin");
});

Deno.test("scopes are those there are, at least one, none twice", () => {
  ok(areScopes(["read"]) && areScopes(["admin", "ingest", "read"]));
  for (const wrong of [[], ["write"], ["read", "read"], [""], [null]]) ok(!areScopes(wrong));
});

Deno.test("an origin is written as browsers send it", () => {
  for (
    const origin of [
      "https://app.example",
      "http://localhost:5173",
      "http://127.0.0.1",
      "http://[::1]:8080",
      "https://xn--bcher-kva.example",
      "chrome-extension://abcdefghijklmnop",
      "capacitor://localhost",
      "*",
    ]
  ) ok(isOrigin(origin), origin);
  for (
    const text of [
      "",
      "null",
      "app.example",
      "https://",
      "https://app.example/",
      "https://app.example/path",
      "https://App.example",
      "HTTPS://app.example",
      "https://app.example:443",
      "http://app.example:80",
      "https://*.example",
      "https://a@app.example",
      "https://bücher.example",
      "https://a.example https://b.example",
      "https://a.example\n",
      "**",
      `https://${"a".repeat(300)}.example`,
    ]
  ) ok(!isOrigin(text), text);
});

Deno.test("a listed origin is the same to the letter; * is any but null", () => {
  const listed = new Set(["https://app.example"]);
  ok(includesOrigin(listed, "https://app.example"));
  for (
    const other of ["http://app.example", "https://app.example:8443", "https://a.app.example"]
  ) {
    ok(!includesOrigin(listed, other), other);
    ok(includesOrigin(new Set(["*"]), other), other);
  }
  ok(!includesOrigin(new Set(["*", "null"]), "null"));
  ok(!includesOrigin(new Set(), "https://app.example"));
});

Deno.test("loopback is what only this machine reaches, however it is written", () => {
  for (
    const host of [
      "127.0.0.1",
      "127.255.255.254",
      "127.1",
      "localhost",
      "LOCALHOST",
      "::1",
      "[::1]",
      "0:0:0:0:0:0:0:1",
      "::ffff:127.0.0.1",
    ]
  ) ok(isLoopback(host), host);
  for (
    const host of [
      "0.0.0.0",
      "::",
      "[::]",
      "192.0.2.1",
      "10.0.0.1",
      "128.0.0.1",
      "::ffff:192.0.2.1",
      "::ffff:7f:1",
      "fe80::1",
      "localhost.example",
      "127.0.0.1.example",
      "collector.example",
      "",
      "not a host",
    ]
  ) ok(!isLoopback(host), host);
});
