import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { type Config, readAgain, readCommand, type Sources } from "../lib/config.ts";
import { parseConfigFile, readConfigFile } from "../lib/config_file.ts";
import { CollectorError } from "../lib/errors.ts";
import { OPTIONS } from "../lib/options.ts";

/** A file of settings in a folder of its own. */
class File implements Disposable {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "firehouse-" });
  readonly path: string = `${this.folder}/firehouse.conf`;

  constructor(text: string | Uint8Array) {
    if (typeof text === "string") Deno.writeTextFileSync(this.path, text);
    else Deno.writeFileSync(this.path, text);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** The settings in force with a file, as `config check` is given them. */
function read(
  file: File,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): { config: Config; sources: Sources } {
  const command = readCommand(["config", "check", "--config", file.path, ...args], env);
  if (command.kind !== "config") throw new TypeError(`asked for ${command.kind}`);
  return command;
}

/** The problems of a file, a line each, without its path. */
function problems(text: string | Uint8Array): string[] {
  using file = new File(text);
  const found = readAgain(["--config", file.path], {});
  if (!Array.isArray(found)) throw new TypeError("it was accepted");
  return found.map((problem: string) => {
    ok(problem.startsWith(`${file.path}:`), problem);
    return problem.slice(file.path.length + 1);
  });
}

Deno.test("blank lines and comments say nothing; a value goes to the end of its line", () => {
  const text =
    "\ufeff# Our collector\r\n\r\n  port=9000\n\tdb =  /var/lib/a b=c.db \n#host = x\n  # y\n" +
    "allowed-hosts = a.example, b.example\nallowed-origins =\n";
  using file = new File(text);
  const { config, sources } = read(file);
  deepEqual(
    [config.port, config.db, config.host, config.allowedHosts, config.allowedOrigins],
    [9000, "/var/lib/a b=c.db", "127.0.0.1", "a.example, b.example", ""],
  );
  deepEqual(
    [sources.port, sources.db, sources.host, sources.allowedOrigins, sources.config],
    [`${file.path}:3`, `${file.path}:4`, "default", `${file.path}:8`, "flag --config"],
  );
});

Deno.test("a flag beats a variable, that the file, and that the default", () => {
  using file = new File("port = 1\nmax-bodies = 2\nqueue-capacity = 3\n");
  const env = { FIREHOUSE_PORT: "10", FIREHOUSE_MAX_BODIES: "20" };
  const { config, sources } = read(file, ["--port", "100"], env);
  deepEqual(
    [config.port, config.maxBodies, config.queueCapacity, config.batchSize],
    [100, 20, 3, 200],
  );
  deepEqual(
    [sources.port, sources.maxBodies, sources.queueCapacity, sources.batchSize],
    ["flag --port", "variable FIREHOUSE_MAX_BODIES", `${file.path}:3`, "default"],
  );
});

Deno.test("the file can be named by a variable, and the flag wins", () => {
  using one = new File("port = 1"), two = new File("port = 2");
  const env = { FIREHOUSE_CONFIG: one.path };
  const port = (args: string[]) => {
    const command = readCommand(args, env);
    if (command.kind === "help") throw new TypeError();
    return command.config.port;
  };
  equal(port([]), 1);
  equal(port(["--config", two.path]), 2);
  equal(port(["--config="]), 8000);
  equal(port(["token", "list"]), 1, "each command reads it");
  equal(port(["token", "list", "--config", two.path]), 2);
});

Deno.test("everything that is wrong is told at once, by its line and in their order", () => {
  const text = [
    "prot = 1",
    "port",
    "port = x",
    "PORT = 1",
    "host =",
    "synchronous = off",
    "config = other.conf",
    "port = 2",
    "= 3",
    'db = "events.db"',
    "FIREHOUSE_MAX_BODIES = 7 # few",
    "--log-format = json",
    "__proto__ = 1",
    "constructor = 1",
  ].join("\n");
  deepEqual(problems(text), [
    '1: unknown setting "prot"',
    "2: expected name = value, or a comment that begins with #",
    '3: port must be an integer from 0 to 65535, got "x"',
    '4: unknown setting "PORT", expected port',
    "5: host must not be empty",
    '6: synchronous must be full or normal, got "off"',
    "7: a file can not name another: config",
    "8: port was set in line 3 already",
    "9: expected name = value, or a comment that begins with #",
    "10: expected the value without quotes",
    "11: expected the comment on a line of its own",
    '11: unknown setting "FIREHOUSE_MAX_BODIES", expected max-bodies',
    '12: unknown setting "--log-format", expected log-format',
    '13: unknown setting "__proto__"',
    '14: unknown setting "constructor"',
  ]);
});

Deno.test("a mistake in the file refuses the start with 78, with a bad flag too with 64", () => {
  using file = new File("prot = 1\nport = x");
  const refused = (args: readonly string[], env: Record<string, string> = {}) => {
    try {
      throw new TypeError(`accepted: ${readCommand(args, env)}`);
    } catch (error) {
      if (!(error instanceof CollectorError)) throw error;
      return error;
    }
  };
  const { code, message } = refused([`--config=${file.path}`], { FIREHOUSE_X: "1" });
  equal(code, "config");
  equal(message.split("\n").length, 4, "the two problems and the variable, after a line");
  match(message, /^Cannot start:\n/);
  match(refused(["token", "list", `--config=${file.path}`]).message, /firehouse\.conf:1: unknown/);
  equal(refused([`--config=${file.path}`, "--nope"]).code, "usage");
  const beaten = refused([`--config=${file.path}`, "--port=1"]).message;
  match(beaten, /firehouse\.conf:2: port must be/, "it is told though a flag beats it");
  match(refused(["--config"]).message, /--config needs a value/);
});

Deno.test("settings of the file are held against those of flags", () => {
  using file = new File("tls-cert = cert.pem");
  const again = readAgain(["--config", file.path], {});
  deepEqual(again, ["--tls-cert and --tls-key must be given together"]);
  equal(read(file, ["--tls-key=key.pem"]).config.tlsCert, "cert.pem");
});

Deno.test("a file that is none, is missing, too large or not UTF-8 is a problem of it", () => {
  using file = new File("port = 1");
  const whole = (path: string) => {
    const { lines, problems } = readConfigFile(path);
    deepEqual([lines, problems.length, problems[0]?.number], [[], 1, 0]);
    return problems[0]?.problem ?? "";
  };
  equal(whole(file.folder), "it is not a file");
  match(whole(`${file.path}.not`), /^it can not be read: .*No such file/);
  deepEqual(problems(new Uint8Array([0x70, 0xff])), [" it is not UTF-8"]);
  deepEqual(problems("#".repeat(1024 * 1024 + 1)), [" it is larger than 1048576 bytes"]);
});

Deno.test("each setting but the file's own can be in the file, and reads as its flag does", () => {
  for (const [name, option] of Object.entries(OPTIONS)) {
    if (name === "config") continue;
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const text = name === "allowedOrigins" ? "https://a.example" : "a.example";
    const value = option.kind === "text" ? text : String(option.default);
    const needed = { tlsCert: ["--tls-key=k"], tlsKey: ["--tls-cert=c"] }[name] ?? [];
    using file = new File(`${flag} = ${value}`);
    const { config, sources } = read(file, needed);
    equal(String(config[name as keyof Config]), value, name);
    equal(sources[name as keyof Config], `${file.path}:1`, name);
  }
});

Deno.test("any text is lines and problems, each line number in order and within the text", () => {
  const piece = fc.constantFrom("port", "=", " ", "#", "\n", "\r\n", '"', "a-b", "1", "\0", "é");
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
      const text = pieces.join(""), { lines, problems } = parseConfigFile(text);
      const count = text.split("\n").length;
      for (const { number } of [...lines, ...problems]) ok(number >= 1 && number <= count);
      equal(new Set(lines.map(({ name }) => name)).size, lines.length);
      for (const { number, name, value } of lines) {
        ok((text.split("\n")[number - 1] ?? "").includes(name));
        equal(value.trim(), value);
        ok(name !== "" && !/[\s=]/.test(name));
      }
      const meant = text.split("\n").map((line) => line.trim())
        .filter((line) => line !== "" && !line.startsWith("#")).length;
      ok(new Set([...lines, ...problems].map(({ number }) => number)).size === meant);
    }),
    { numRuns: 2000 },
  );
});
