import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { type Config, optionsTable, readCommand } from "../lib/config.ts";
import { CollectorError, EXIT_CODES } from "../lib/errors.ts";

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

function helpText(args: readonly string[], env: Env = {}): string {
  const command = readCommand(args, env);
  if (command.kind !== "help") throw new TypeError(`asked for ${command.kind}`);
  return command.text;
}

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
    maxBodyBytes: 1024 ** 2,
    maxDecodedBytes: 8 * 1024 ** 2,
    maxRequestEvents: 10_000,
    maxEventBytes: 256 * 1024,
    bodyTimeoutMs: 10_000,
    maxBodies: 10_000,
    maxBodiesBytes: 64 * 1024 ** 2,
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
    storeTimeoutMs: 60_000,
    readyStallMs: 10_000,
    shutdownTimeoutMs: 30_000,
    logFormat: "text",
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
      logFormat: "json",
      maxBodiesBytes: "9999999",
      batchSize: "7",
      journalBytes: "2000000",
      walBytes: "99999999",
    }[name] ??
      "4096";
    const needed = name === "synchronous" ? ["--durability=memory"] : [];
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
  match(refusal(["serve"]).message, /unexpected argument "serve"/);
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

Deno.test("--help lists every setting with its default, whatever else is wrong", () => {
  for (const args of [["--help"], ["-h"], ["--port=x", "--help"], ["--nope", "stray", "-h"]]) {
    const text = helpText(args, { FIREHOUSE_TYPO: "1" });
    for (const { flag } of NAMES) {
      match(text, new RegExp(`^ +${flag} .+\n.+\\(default .+\\)$`, "m"));
    }
    equal(text.match(/\(default /g)?.length, NAMES.length);
    for (const code of new Set(Object.values(EXIT_CODES))) {
      ok(text.includes(String(code)), String(code));
    }
    ok(text.endsWith("\n"));
  }
});

Deno.test("the table for the README has one row a setting", () => {
  const rows = optionsTable().split("\n").slice(2);
  equal(rows.length, NAMES.length);
  for (const { flag } of NAMES) equal(rows.filter((row) => row.includes(`\`${flag}\``)).length, 1);
  for (const row of rows) match(row, /^\|[^|]+\|[^|]+\|[^|]+\|$/);
});

Deno.test("any arguments are answered with a command or a CollectorError", () => {
  const words = fc.constantFrom(
    "--port",
    "--db",
    "--help",
    "-h",
    "verify",
    "--",
    "-",
    "1",
    "--x",
    "=",
    "--=1",
    "--port=",
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
