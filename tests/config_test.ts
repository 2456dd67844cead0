import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { type Command, type Config, readCommand } from "../lib/config.ts";
import { CollectorError, EXIT_CODES } from "../lib/errors.ts";
import { OPTIONS } from "../lib/options.ts";
import { subcommands } from "../lib/subcommands.ts";

type Env = Readonly<Record<string, string>>;

function configOf(args: readonly string[], env: Env = {}): Config {
  const command = readCommand(args, env);
  if (command.kind !== "run") throw new TypeError(`asked for ${command.kind}`);
  return command.config;
}

function refusal(args: readonly string[], env: Env = {}): CollectorError {
  try {
    const command = readCommand(args, env);
    throw new TypeError(`accepted: ${JSON.stringify(command)}`);
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    return error;
  }
}

/** A file of settings that sets nothing. */
const EMPTY_FILE = new URL("fakes/empty.conf", import.meta.url).pathname;

/** The flag and the variable of each setting, said here a second time. */
const NAMES = Object.keys(configOf([])).map((name) => {
  const words = name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
  return {
    name,
    flag: `--${words.join("-")}`,
    variable: `FIREHOUSE_${words.join("_").toUpperCase()}`,
  };
});

Deno.test("without flags and variables the defaults are in force", () => {
  deepEqual(configOf([], { PATH: "/bin", FIRE: "1" }), {
    host: "127.0.0.1",
    port: 8000,
    allowedHosts: "",
    tlsCert: "",
    tlsKey: "",
    maxBodyBytes: 1024 ** 2,
    maxDecodedBytes: 8 * 1024 ** 2,
    maxRequestEvents: 10_000,
    maxEventBytes: 256 * 1024,
    bodyTimeoutMs: 10_000,
    maxBodies: 10_000,
    maxBodiesBytes: 64 * 1024 ** 2,
    tokens: "",
    anonymous: "loopback",
    allowedOrigins: "",
    queueCapacity: 30_000,
    queueBytes: 64 * 1024 ** 2,
    durability: "disk",
    ackTimeoutMs: 10_000,
    recentEventIds: 1_000_000,
    recentRequests: 1_000_000,
    batchSize: 200,
    batchLingerMs: 5,
    transactionEvents: 10_000,
    db: "events.db",
    synchronous: "full",
    journalBytes: 1024 ** 3,
    walBytes: 1024 ** 3,
    onCorrupt: "refuse",
    retainDays: 0,
    retainBytes: 0,
    retainUnexported: "no",
    storeTimeoutMs: 60_000,
    readyStallMs: 10_000,
    shutdownTimeoutMs: 30_000,
    queryTimeoutMs: 5000,
    index: "on",
    logFormat: "text",
    logRequests: "none",
    config: "",
  });
});

Deno.test("a flag may have its value after a space or an equals sign", () => {
  for (const args of [["--port=1"], ["--port", "1"], ["--", "--port", "1"], ["--port=1", "--"]]) {
    equal(configOf(args).port, 1, args.join(" "));
  }
  equal(configOf(["--db=a=b.db"]).db, "a=b.db");
});

Deno.test("each setting can be given as a flag and as a variable", () => {
  for (const { name, flag, variable } of NAMES) {
    const given = {
      synchronous: "normal",
      durability: "memory",
      onCorrupt: "rotate",
      index: "off",
      logFormat: "json",
      logRequests: "all",
      config: EMPTY_FILE,
      maxBodiesBytes: "9999999",
      batchSize: "7",
      journalBytes: "2000000",
      walBytes: "99999999",
      retainBytes: "999999999",
      retainUnexported: "yes",
      anonymous: "always",
      allowedOrigins: "https://app.example",
    }[name] ??
      "4096";
    const needed = {
      synchronous: ["--durability=memory"],
      tlsCert: ["--tls-key=key.pem"],
      tlsKey: ["--tls-cert=cert.pem"],
    }[name] ?? [];
    const fromFlag: unknown = configOf([flag, given, ...needed])[name as keyof Config];
    equal(String(fromFlag), given, flag);
    equal(configOf(needed, { [variable]: given })[name as keyof Config], fromFlag, variable);
  }
});

Deno.test("a flag beats its variable, and the last of two flags the first", () => {
  equal(configOf(["--port", "1"], { FIREHOUSE_PORT: "2" }).port, 1);
  equal(configOf([], { FIREHOUSE_PORT: "2" }).port, 2);
  equal(configOf(["--port", "1", "--port=3"]).port, 3);
});

Deno.test("integers are taken at their borders and refused beyond", () => {
  for (const value of ["0", "1", "65535", "007"]) {
    equal(configOf(["--port", value]).port, Number(value));
  }
  const wrong = [
    "65536",
    "1.5",
    "1e3",
    "0x10",
    "",
    " ",
    " 1",
    "1 ",
    "+1",
    "NaN",
    "Infinity",
    "٣",
    "1_000",
  ];
  for (const value of [...wrong, "9".repeat(15), "9".repeat(400), "-1"]) {
    const error = refusal([`--port=${value}`]);
    equal(error.code, "usage", value);
    match(error.message, /--port must be an integer from 0 to 65535, got /);
    ok(error.message.includes(`"${value}"`), error.message);
    const fromEnv = refusal([], { FIREHOUSE_PORT: value });
    equal(fromEnv.code, "config", value);
    match(fromEnv.message, /FIREHOUSE_PORT must be an integer/);
  }
  match(refusal(["--queue-capacity=0"]).message, /from 1 to/);
});

Deno.test("a choice that is none of the choices is refused with the choices", () => {
  match(refusal(["--synchronous", "off"]).message, /must be full or normal, got "off"/);
  match(refusal([], { FIREHOUSE_LOG_FORMAT: "TEXT" }).message, /must be text or json/);
});

Deno.test("what is acknowledged as on the disk is flushed: synchronous normal needs memory", () => {
  match(refusal(["--synchronous=normal"]).message, /needs --durability memory/);
  match(refusal([], { FIREHOUSE_SYNCHRONOUS: "normal" }).message, /needs --durability memory/);
  equal(configOf(["--synchronous=normal", "--durability=memory"]).synchronous, "normal");
});

Deno.test("verify is a command of its own, with the same settings, and is said once", () => {
  const command = readCommand(["verify", "--db=a.db"], {});
  ok(command.kind === "verify");
  equal(command.config.db, "a.db");
  equal(readCommand(["--db", "verify"], {}).kind, "run", "a value was taken for the command");
  match(refusal(["verify", "verify"]).message, /unexpected argument "verify"/);
  equal(readCommand(["verify", "--help"], {}).kind, "help");
});

type TokenCommand = Extract<Command, { kind: "token" }>;

function tokenCommand(args: readonly string[], env: Env = {}): TokenCommand {
  const command = readCommand(args, env);
  if (command.kind !== "token") throw new TypeError(`asked for ${command.kind}`);
  return command;
}

Deno.test("token create takes a name, what the token is for and its limits", () => {
  const { config, sources: _sources, ...command } = tokenCommand([
    "token",
    "create",
    "web",
    "--scopes=ingest,read",
    "--events-per-second",
    "100",
    "--bytes-per-second=1000000",
    "--body-bytes=4096",
    "--origins",
    "https://app.example, http://localhost:5173",
    "--db=a.db",
  ]);
  deepEqual(command, {
    kind: "token",
    action: "create",
    given: {
      name: "web",
      scopes: "ingest,read",
      eventsPerSecond: 100,
      bytesPerSecond: 1_000_000,
      bodyBytes: 4096,
      origins: "https://app.example, http://localhost:5173",
    },
  });
  equal(config.db, "a.db");
});

Deno.test("what token create is not given is null, and flags may stand anywhere", () => {
  const none = {
    scopes: null,
    eventsPerSecond: null,
    bytesPerSecond: null,
    bodyBytes: null,
    origins: null,
  };
  deepEqual(tokenCommand(["token", "create", "web"]).given, { name: "web", ...none });
  const args = ["--scopes", "admin", "token", "--tokens", "t.json", "create", "web"];
  const command = tokenCommand(args);
  deepEqual(command.given, { name: "web", ...none, scopes: "admin" });
  equal(command.config.tokens, "t.json");
});

Deno.test("the other token commands take what they need, and the variables count for all", () => {
  const env = { FIREHOUSE_TOKENS: "env.json", FIREHOUSE_PORT: "1" };
  const list = tokenCommand(["token", "list"], env);
  deepEqual([list.action, list.given, list.config.tokens], ["list", {}, "env.json"]);
  const revoke = tokenCommand(["token", "revoke", "web", "--tokens=flag.json"], env);
  deepEqual([revoke.action, revoke.given, revoke.config.tokens], ["revoke", {
    name: "web",
  }, "flag.json"]);
  equal(refusal(["token", "list"], { FIREHOUSE_PORT: "x" }).code, "config");
});

Deno.test("a token command that lacks something, or has too much, is refused with the way out", () => {
  for (
    const [args, expected] of [
      [["token"], /^Cannot start: token needs to be told what to do: expected create or list or/],
      [["token", "make", "web", "--scopes=read"], /^Cannot start: token can not "make": expected/],
      [
        ["token", "create"],
        /^Cannot run `firehouse token create`: token create needs NAME: 1 to 64 letters/,
      ],
      [["token", "create", "a", "b"], /unexpected argument "b"/],
      [["token", "list", "a"], /unexpected argument "a"/],
      [["token", "revoke"], /token revoke needs NAME/],
      [["create", "token"], /unexpected argument "create"\n.*unexpected argument "token"/],
      [["token", "list", "--scopes=read"], /--scopes is no flag of `firehouse token list`/],
      [["token", "create", "a", "--max-body-bytes=9"], /--max-body-bytes is no flag of `firehouse/],
      [["--origins=*"], /--origins is no flag of `firehouse`/],
      [["token", "create", "a", "--nope"], /unknown flag --nope/],
      [["token", "create", "a", "--scopes"], /--scopes needs a value/],
      [["token", "create", "a", "--scopes="], /--scopes must not be empty/],
    ] as const
  ) {
    const error = refusal(args);
    equal(EXIT_CODES[error.code], 64, error.message);
    match(error.message, expected);
    match(error.hint, /--help/);
  }
});

Deno.test("a token's name, scopes, limits and origins are checked before anything is done", () => {
  const create = (...args: string[]) => refusal(["token", "create", ...args]).message;
  for (const name of ["native", "otlp", ".a", "a b", "a/b", "é", "", "x".repeat(65)]) {
    match(create(name), /NAME must be 1 to 64 letters, .+ \(native, segment, otlp/);
  }
  for (const scopes of ["write", "ingest,ingest", "ingest read", ",", "Ingest"]) {
    match(create("a", `--scopes=${scopes}`), /--scopes must be one or several of ingest, read/);
  }
  for (const flag of ["--events-per-second", "--bytes-per-second", "--body-bytes"]) {
    for (const value of ["0", "-1", "1.5", "many", "9".repeat(15)]) {
      match(create("a", `${flag}=${value}`), /must be an integer from 1 to \d+, got/);
    }
  }
  for (const origins of ["app.example", "https://a.example/", "https://A.example", "null"]) {
    match(create("a", `--origins=${origins}`), /--origins must be origins separated by commas/);
  }
  const most = Array.from({ length: 101 }, (_, i) => `https://${i}.example`);
  match(create("a", `--origins=${most}`), /--origins must be origins/);
  equal(tokenCommand(["token", "create", "x".repeat(64), "--origins=*"]).action, "create");
});

Deno.test("certificate and key must be given together", () => {
  match(refusal(["--tls-cert=c.pem"]).message, /--tls-cert and --tls-key must be given together/);
  match(refusal([], { FIREHOUSE_TLS_KEY: "k.pem" }).message, /must be given together/);
  equal(configOf(["--tls-cert=c.pem"], { FIREHOUSE_TLS_KEY: "k.pem" }).tlsKey, "k.pem");
});

Deno.test("allowed origins are origins, or any", () => {
  equal(configOf(["--allowed-origins=*"]).allowedOrigins, "*");
  equal(configOf(["--allowed-origins="]).allowedOrigins, "");
  const listed = "https://a.example, http://[::1]:8080,chrome-extension://abc";
  equal(configOf(["--allowed-origins", listed]).allowedOrigins, listed);
  match(refusal(["--allowed-origins=https://a.example:443"]).message, /without the scheme's own/);
});

Deno.test("no flag of a subcommand is named like a setting", () => {
  for (const [name, { flags }] of subcommands()) {
    for (const flag of Object.keys(flags)) ok(!Object.hasOwn(OPTIONS, flag), `${name} ${flag}`);
  }
});

Deno.test("a text that must not be empty is refused when it is", () => {
  match(refusal(["--db="]).message, /--db must not be empty/);
  match(refusal([], { FIREHOUSE_HOST: "" }).message, /FIREHOUSE_HOST must not be empty/);
  equal(configOf(["--allowed-hosts="], { FIREHOUSE_ALLOWED_HOSTS: "" }).allowedHosts, "");
});

Deno.test("a flag without its value is refused and does not eat the next flag", () => {
  match(refusal(["--port"]).message, /--port needs a value/);
  for (
    const args of [
      ["--port", "--host", "x"],
      ["--db", "--synchronous=normal"],
      ["--host", "--port=1"],
      ["--db", "--synchronous", "normal"],
    ]
  ) {
    const error = refusal(args);
    equal(error.code, "usage");
    ok(error.message.includes(`${args[0]} needs a value`), error.message);
  }
});

Deno.test("an unknown flag, variable or argument is refused by its name", () => {
  for (const flag of ["--prot", "--no-port", "--Port", "--__proto__", "--constructor"]) {
    const error = refusal([`${flag}=1`]);
    equal(error.code, "usage", flag);
    ok(error.message.includes(`unknown flag ${flag}`), error.message);
  }
  match(refusal(["-p", "1"]).message, /unknown flag -{1,2}p/);
  match(refusal(["serve"]).message, /unexpected argument "serve": without a command the collector/);
  match(refusal(["--", "serve"]).message, /unexpected argument "serve"/);
  const error = refusal([], { FIREHOUSE_PROT: "1" });
  equal(error.code, "config");
  match(error.message, /unknown variable FIREHOUSE_PROT/);
});

Deno.test("every problem is listed at once, each on a line of its own", () => {
  const args = ["--port=x", "--synchronous=off", "--db=", "--nope=1", "stray", "--batch-size"];
  const env = { FIREHOUSE_HOST: "", FIREHOUSE_TYPO: "1", FIREHOUSE_QUEUE_BYTES: "-5" };
  const error = refusal(args, env);
  const expected = [
    "--port ",
    "--synchronous ",
    "--db ",
    "--nope",
    '"stray"',
    "--batch-size needs",
  ];
  for (const part of [...expected, ...Object.keys(env)]) ok(error.message.includes(part), part);
  equal(error.message.split("\n").length, 1 + expected.length + Object.keys(env).length);
  match(error.hint, /--help/);
});

Deno.test("a bad flag exits with 64, only bad variables with 78, both with 64", () => {
  equal(EXIT_CODES[refusal(["--port=x"]).code], 64);
  equal(EXIT_CODES[refusal([], { FIREHOUSE_PORT: "x" }).code], 78);
  equal(EXIT_CODES[refusal(["--port=x"], { FIREHOUSE_HOST: "" }).code], 64);
});

Deno.test("a bad variable is told though a flag beats it", () => {
  match(refusal(["--port=1"], { FIREHOUSE_PORT: "x" }).message, /FIREHOUSE_PORT/);
});

Deno.test("any arguments are answered with a command or a CollectorError", () => {
  const words = fc.constantFrom(
    "--port",
    "--db",
    "--help",
    "-h",
    "verify",
    "config",
    "check",
    "help",
    "token",
    "create",
    "--scopes",
    "constructor",
    "--",
    "-",
    "1",
    "--x",
    "=",
    "--=1",
    "--port=",
    "--config=.",
  );
  const word = fc.oneof(words, fc.string(), fc.string().map((text) => `--${text}`));
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 6 }),
      fc.dictionary(fc.string().map((text) => `FIREHOUSE_${text}`), fc.string(), { maxKeys: 2 }),
      (args, env) => {
        try {
          const command = readCommand(args, env);
          ok(command.kind === "help" || Object.keys(env).length === 0);
        } catch (error) {
          ok(error instanceof CollectorError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});
