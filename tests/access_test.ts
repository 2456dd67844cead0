import {
  deepStrictEqual as deepEqual,
  match,
  ok,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import {
  Access,
  type AccessRequest,
  type AccessSettings,
  type Grant,
  refuseOpenDoor,
  type Scope,
} from "../lib/access.ts";
import { CollectorError, EXIT_CODES, isRefusal, type Refusal } from "../lib/errors.ts";
import { SCOPES, sha256Of, type Token } from "../lib/token.ts";
import { secretOf, tokenOf } from "./fakes/tokens.ts";

const LOOPBACK: AccessSettings = { host: "127.0.0.1", anonymous: "loopback", allowedOrigins: "" };
const PUBLIC: AccessSettings = { ...LOOPBACK, host: "0.0.0.0" };
const ALWAYS: AccessSettings = { ...PUBLIC, anonymous: "always" };
const APP = "https://app.example", OTHER = "https://other.example";

/** Access with these tokens in force, and a clock to move. */
function start(
  settings: AccessSettings,
  tokens: readonly Token[] = [],
): { access: Access; clock: { nowMs: number } } {
  const clock = { nowMs: 1000 };
  const access = new Access(settings, () => clock.nowMs);
  access.replace(tokens);
  return { access, clock };
}

interface Asked extends Partial<Omit<AccessRequest, "remote">> {
  /** What is sent as a token. */
  readonly token?: string;
  readonly isInUrl?: boolean;
  readonly remote?: string;
}

function ask(access: Access, asked: Asked): Grant | Refusal {
  const { token, isInUrl = false, scope = "ingest", origin = null, remote = "192.0.2.1" } = asked;
  const credential = token === undefined ? null : { token, isInUrl };
  return access.authorize(credential, { scope, origin, remote: () => remote });
}

/** The name of a refusal, or whose grant it is. */
function outcome(access: Access, asked: Asked): string {
  const answer = ask(access, asked);
  return isRefusal(answer) ? answer.code : answer.source ?? "anonymous";
}

function granted(access: Access, asked: Asked): Grant {
  const answer = ask(access, asked);
  if (isRefusal(answer)) throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer;
}

function refused(access: Access, asked: Asked): Refusal {
  const answer = ask(access, asked);
  if (!isRefusal(answer)) throw new Error(`granted: ${answer.source}`);
  return answer;
}

Deno.test("a token grants its scopes under its name, and names the one that it lacks", () => {
  const { access } = start(PUBLIC, [
    tokenOf("web"),
    tokenOf("reader", { scopes: ["read"] }),
    tokenOf("boss", { scopes: ["admin"] }),
    tokenOf("all", { scopes: ["ingest", "read", "admin"] }),
  ]);
  const expected: Record<string, string[]> = {
    web: ["web", "forbidden", "forbidden"],
    reader: ["forbidden", "reader", "forbidden"],
    boss: ["forbidden", "boss", "boss"],
    all: ["all", "all", "all"],
  };
  for (const [name, outcomes] of Object.entries(expected)) {
    const token = secretOf(name);
    deepEqual(SCOPES.map((scope) => outcome(access, { token, scope })), outcomes, name);
  }
  deepEqual(refused(access, { token: secretOf("web"), scope: "read" }), {
    code: "forbidden",
    detail: "The token lacks the scope read.",
  });
});

Deno.test("a missing token and a wrong one have refusals of the same status, so that HEC can tell them apart", () => {
  const { access } = start(PUBLIC, [tokenOf("web")]);
  const headers = { "www-authenticate": "Bearer" };
  deepEqual(refused(access, {}), {
    code: "token-missing",
    detail: "Expected a token.",
    headers,
  });
  deepEqual(refused(access, { token: "fh_wrong" }), {
    code: "unauthorized",
    detail: "The token is not valid.",
    headers,
  });
});

Deno.test("only the token itself is the token", () => {
  const { access } = start(PUBLIC, [tokenOf("web"), tokenOf("long")]);
  const secret = secretOf("web");
  equal(outcome(access, { token: secret }), "web");
  const wrong = [
    "",
    " ",
    "\0",
    secret.slice(1),
    secret.slice(0, -1),
    `${secret} `,
    `${secret}\0`,
    secret.toUpperCase(),
    sha256Of(secret),
    "web",
    "__proto__",
    "x".repeat(8192),
    "\ud800",
  ];
  for (const [index, token] of wrong.entries()) {
    equal(outcome(access, { token, remote: `192.0.2.${index}` }), "unauthorized", token);
  }
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 600 }), (token) => {
    fc.pre(token !== secret);
    ok(outcome(start(PUBLIC, [tokenOf("web")]).access, { token }) === "unauthorized");
  }));
});

Deno.test("a token longer than 512 characters is wrong", () => {
  const secrets = ["x".repeat(512), "x".repeat(513)];
  const tokens = secrets.map((secret, i) => tokenOf(`t${i}`, { sha256: sha256Of(secret) }));
  const { access } = start(PUBLIC, tokens);
  deepEqual(secrets.map((token) => outcome(access, { token })), ["t0", "unauthorized"]);
});

/** What is granted without a token, by scope. */
function anonymous(settings: AccessSettings, tokens: readonly Token[], token?: string): string {
  const { access } = start(settings, tokens);
  const asked = token === undefined ? {} : { token };
  return SCOPES.filter((scope) => outcome(access, { ...asked, scope }) === "anonymous").join();
}

Deno.test("without a token all is granted on loopback without tokens, else only what --anonymous says", () => {
  const loopbackAlways: AccessSettings = { ...LOOPBACK, anonymous: "always" };
  const all = "ingest,read,admin", one = [tokenOf("web")];
  for (
    const [settings, withoutTokens, withTokens] of [
      [LOOPBACK, all, ""],
      [PUBLIC, "", ""],
      [loopbackAlways, all, "ingest"],
      [ALWAYS, "ingest", "ingest"],
    ] as const
  ) {
    const told = `${settings.host} ${settings.anonymous}`;
    equal(anonymous(settings, []), withoutTokens, told);
    equal(anonymous(settings, one), withTokens, `${told} with tokens`);
    equal(anonymous(settings, [], "any"), withoutTokens, `${told}, something sent for a token`);
    equal(anonymous(settings, one, "wrong"), "", `${told} with tokens, a wrong one`);
  }
});

Deno.test("what is granted without a token has no name and no limits", () => {
  const { access } = start(LOOPBACK);
  const { source, maxBodyBytes, takeBytes, takeEvents } = granted(access, {});
  deepEqual([source, maxBodyBytes, takeBytes(1e12), takeEvents(1e12)], [null, null, null, null]);
});

Deno.test("a wrong token is refused also where one without a token would be served", () => {
  const { access } = start(ALWAYS, [tokenOf("web")]);
  equal(outcome(access, {}), "anonymous");
  equal(outcome(access, { token: "wrong" }), "unauthorized");
  equal(outcome(access, { scope: "read" }), "token-missing");
});

Deno.test("when the last token is revoked, all is refused, but on loopback all is granted", () => {
  for (
    const [settings, missing, wrong] of [
      [PUBLIC, "token-missing", "unauthorized"],
      [LOOPBACK, "anonymous", "anonymous"],
    ] as const
  ) {
    const { access } = start(settings, [tokenOf("web")]);
    access.replace([]);
    equal(outcome(access, {}), missing);
    equal(outcome(access, { token: secretOf("web") }), wrong);
  }
});

Deno.test("a token in the URL is refused if it may do more than send", () => {
  const { access } = start(PUBLIC, [
    tokenOf("web"),
    tokenOf("reader", { scopes: ["ingest", "read"] }),
    tokenOf("boss", { scopes: ["admin", "ingest"] }),
  ]);
  const inUrl = (name: string, scope: Scope = "ingest") =>
    outcome(access, { token: secretOf(name), isInUrl: true, scope });
  equal(inUrl("web"), "web");
  equal(inUrl("reader"), "token-in-url");
  equal(inUrl("boss"), "token-in-url");
  equal(inUrl("reader", "admin"), "token-in-url");
  equal(inUrl("unknown"), "unauthorized");
  equal(outcome(start(LOOPBACK).access, { token: "any", isInUrl: true }), "anonymous");
});

Deno.test("a page may use a token only if the token lists its origin, and never if it has none", () => {
  const { access } = start({ ...PUBLIC, allowedOrigins: OTHER }, [
    tokenOf("none"),
    tokenOf("app", { origins: [APP] }),
    tokenOf("any", { origins: ["*"] }),
  ]);
  const from = (name: string) =>
    [null, APP, OTHER, "null"].map((origin) => outcome(access, { token: secretOf(name), origin }));
  deepEqual(from("none"), ["none", "origin", "origin", "origin"]);
  deepEqual(from("app"), ["app", "app", "origin", "origin"]);
  deepEqual(from("any"), ["any", "any", "any", "origin"]);
});

Deno.test("a page without a token may send if --allowed-origins has it; to read it must be listed", () => {
  const from = (allowedOrigins: string, scope: Scope) => {
    const { access } = start({ ...LOOPBACK, allowedOrigins });
    return [null, APP, OTHER, "null"].map((origin) => outcome(access, { origin, scope })).join(" ");
  };
  equal(from("", "ingest"), "anonymous origin origin origin");
  for (const scope of SCOPES) {
    equal(from(` ${APP} , https://x.example`, scope), "anonymous anonymous origin origin");
  }
  equal(from("*", "ingest"), "anonymous anonymous anonymous origin");
  equal(from("*", "read"), "anonymous origin origin origin");
  equal(from(`*,${APP}`, "admin"), "anonymous anonymous origin origin");
});

Deno.test("an origin is served at all if any token has it, or pages without a token may", () => {
  const allows = (settings: AccessSettings, tokens: readonly Token[]) => {
    const { access } = start(settings, tokens);
    return [APP, OTHER, "null"].filter((origin) => access.allowsOrigin(origin));
  };
  const app = tokenOf("app", { origins: [APP] }), any = tokenOf("any", { origins: ["*"] });
  const listed = { allowedOrigins: OTHER };
  deepEqual(allows(LOOPBACK, []), []);
  deepEqual(allows({ ...LOOPBACK, ...listed }, []), [OTHER]);
  deepEqual(allows({ ...LOOPBACK, ...listed }, [app]), [APP], "without a token none is served");
  deepEqual(allows({ ...ALWAYS, ...listed }, [app]), [APP, OTHER]);
  deepEqual(allows(PUBLIC, [app, any]), [APP, OTHER]);
  deepEqual(allows({ ...ALWAYS, allowedOrigins: "*" }, []), [APP, OTHER]);
});

Deno.test("the 11th wrong token of an address within a minute is answered 429, a good one is served", () => {
  const { access, clock } = start(PUBLIC, [tokenOf("web")]);
  const wrong = { token: "wrong" };
  for (let i = 0; i < 10; i++) equal(outcome(access, wrong), "unauthorized");
  clock.nowMs += 20_000;
  deepEqual(refused(access, wrong), {
    code: "too-many-auth-failures",
    detail: "More than 10 wrong tokens came from this address within a minute.",
    headers: { "retry-after": "40" },
  });
  equal(outcome(access, { token: secretOf("web") }), "web");
  equal(outcome(access, {}), "token-missing", "no token is no wrong one");
  equal(outcome(access, { ...wrong, remote: "192.0.2.2" }), "unauthorized");
  clock.nowMs += 40_000;
  equal(outcome(access, wrong), "unauthorized");
});

Deno.test("neither a missing token, nor a scope or an origin that is not allowed, is a failure", () => {
  const { access } = start(PUBLIC, [tokenOf("web")]);
  const token = secretOf("web");
  for (let i = 0; i < 20; i++) {
    ask(access, {});
    ask(access, { token, scope: "admin" });
    ask(access, { token, origin: APP });
  }
  equal(outcome(access, { token: "wrong" }), "unauthorized");
});

Deno.test("the address is asked for only when a token is wrong", () => {
  const { access } = start(PUBLIC, [tokenOf("web")]);
  const remote = () => {
    throw new Error("it was asked for");
  };
  const request = { scope: "ingest", origin: null, remote } as const;
  access.authorize({ token: secretOf("web"), isInUrl: false }, request);
  access.authorize(null, request);
  throws(() => access.authorize({ token: "wrong", isInUrl: false }, request), /asked for/);
});

Deno.test("a token's limits are kept, each for itself, with the wait in Retry-After", () => {
  const { access, clock } = start(PUBLIC, [
    tokenOf("web", { eventsPerSecond: 10, bytesPerSecond: 1000, bodyBytes: 500 }),
    tokenOf("free"),
  ]);
  const web = granted(access, { token: secretOf("web") });
  equal(web.maxBodyBytes, 500);
  equal(web.takeBytes(2000), null);
  deepEqual(web.takeBytes(1500), {
    code: "rate-limited",
    detail: "Expected at most 1000 bytes a second with this token.",
    headers: { "retry-after": "2" },
  });
  equal(web.takeEvents(20), null);
  deepEqual(web.takeEvents(3), {
    code: "rate-limited",
    detail: "Expected at most 10 events a second with this token.",
    headers: { "retry-after": "1" },
    events: 3,
  });
  const free = granted(access, { token: secretOf("free") });
  deepEqual([free.maxBodyBytes, free.takeBytes(1e12), free.takeEvents(1e12)], [null, null, null]);
  clock.nowMs += 300;
  equal(granted(access, { token: secretOf("web") }).takeEvents(3), null);
});

Deno.test("tokens that are replaced keep what is left of their limits unless they were changed", () => {
  const limited = { eventsPerSecond: 10 };
  const { access } = start(PUBLIC, [tokenOf("same", limited), tokenOf("changed", limited)]);
  const take = (name: string, events: number) =>
    granted(access, { token: secretOf(name) }).takeEvents(events)?.code ?? "taken";
  const before = granted(access, { token: secretOf("same") });
  deepEqual([take("same", 20), take("changed", 20)], ["taken", "taken"]);
  access.replace([
    tokenOf("changed", { eventsPerSecond: 5 }),
    tokenOf("same", limited),
    tokenOf("new"),
  ]);
  deepEqual([take("same", 1), take("changed", 10)], ["rate-limited", "taken"]);
  equal(take("new", 1e9), "taken");
  equal(before.takeEvents(1)?.code, "rate-limited", "a grant from before has a limit of its own");
});

Deno.test("a token is refused once it is replaced, a grant from before stays one", () => {
  const { access } = start(PUBLIC, [tokenOf("old", { eventsPerSecond: 10 })]);
  const grant = granted(access, { token: secretOf("old") });
  access.replace([tokenOf("new")]);
  equal(outcome(access, { token: secretOf("old") }), "unauthorized");
  equal(grant.source, "old");
  equal(grant.takeEvents(20), null);
  equal(grant.takeEvents(20)?.code, "rate-limited");
});

Deno.test("a renamed token is known by its new name, with the same secret", () => {
  const { access } = start(PUBLIC, [tokenOf("web")]);
  access.replace([tokenOf("web", { name: "app" })]);
  equal(outcome(access, { token: secretOf("web") }), "app");
});

Deno.test("an open door is refused at the start, with the way out", () => {
  const config = { ...PUBLIC, db: "a.db", tokens: "" };
  throws(() => refuseOpenDoor(config, 0), (error) => {
    ok(error instanceof CollectorError);
    equal(EXIT_CODES[error.code], 78);
    match(error.message, /^Cannot start: 0\.0\.0\.0 is reached from other machines, and there are/);
    match(
      error.hint,
      /`firehouse token create NAME --tokens a\.db\.tokens\.json`, .*--anonymous always/,
    );
    return true;
  });
  refuseOpenDoor(config, 1);
  refuseOpenDoor({ ...config, anonymous: "always" }, 0);
  for (const host of ["127.0.0.1", "localhost", "::1"]) refuseOpenDoor({ ...config, host }, 0);
  for (const host of ["::", "192.0.2.1", "collector.example"]) {
    throws(() => refuseOpenDoor({ ...config, host }, 0), CollectorError);
  }
});
