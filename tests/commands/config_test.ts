import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { runConfigCommand } from "../../lib/commands/config.ts";
import { readCommand } from "../../lib/config.ts";
import { CollectorError } from "../../lib/errors.ts";
import { readTlsPair } from "../../lib/http/tls_files.ts";
import { OPTIONS } from "../../lib/options.ts";
import { lockDatabase } from "../../lib/store/files.ts";
import { inspectDatabase } from "../../lib/store/inspection.ts";
import { makeCertificate, NO_OPENSSL, tlsFlags, writePair } from "../e2e/certificates.ts";
import { TempFolder } from "../e2e/sending.ts";

/** What `config check` says of a database in this folder, and of everything else it is given. */
interface Checked {
  readonly stdout: string;
  readonly lines: readonly string[];
  /** What is wrong, a line each; null if nothing is. */
  readonly problems: readonly string[] | null;
}

function check(folder: TempFolder, ...args: readonly string[]): Checked {
  const command = readCommand(
    ["config", "check", "--db", folder.database, "--port=0", ...args],
    {},
  );
  if (command.kind !== "config") throw new TypeError(`asked for ${command.kind}`);
  let stdout = "", problems: string[] | null = null;
  const lines: string[] = [];
  const output = {
    print: (text: string) => void (stdout += text),
    tell: (line: string) => void lines.push(line),
  };
  const before = folder.names(/./);
  try {
    runConfigCommand(command, output, {
      database: ({ db, onCorrupt }) => inspectDatabase(db, onCorrupt),
      tls: readTlsPair,
    });
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    equal(error.code, "config");
    problems = error.message.replace(/^A start would be refused:\s+/, "").split("\n  ");
  }
  deepEqual(folder.names(/./), before, "it left something behind");
  return { stdout, lines, problems };
}

const OK = ["OK: a collector would start with these settings."];

Deno.test("it shows every setting with its value and where that came from, and says OK", async () => {
  await using folder = new TempFolder();
  const file = `${folder.path}/firehouse.conf`;
  Deno.writeTextFileSync(file, "# few\nmax-bodies = 7\n");
  const { stdout, lines, problems } = check(folder, "--config", file, "--port=0");
  deepEqual([lines, problems], [OK, null]);
  const rows = stdout.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
  deepEqual(rows[0], ["SETTING", "VALUE", "FROM"]);
  equal(rows.length, Object.keys(OPTIONS).length + 1);
  const row = (name: string) => rows.find(([setting]) => setting === name)?.slice(1);
  deepEqual(row("max-bodies"), ["7", `${file}:2`]);
  deepEqual(row("db"), [folder.database, "flag --db"]);
  deepEqual(row("host"), ["127.0.0.1", "default"]);
  deepEqual(row("tls-cert"), ["-", "default"]);
});

Deno.test("a database of ours is OK, one of another program or version is not", async () => {
  await using folder = new TempFolder();
  const database = new DatabaseSync(folder.database);
  database.exec("PRAGMA application_id = 0x46484331; PRAGMA user_version = 1; CREATE TABLE t (a)");
  equal(check(folder).problems, null, "a start brings it up to date");
  database.exec("PRAGMA user_version = 99");
  match(check(folder).problems?.join() ?? "", /^Cannot use .*schema version is 99/);
  database.exec("PRAGMA application_id = 7");
  match(check(folder).problems?.join() ?? "", /it is a database of another program/);
  database.close();
  Deno.writeTextFileSync(folder.database, "This is no database.".repeat(10));
  match(check(folder).problems?.join() ?? "", /it is not a SQLite database/);
});

Deno.test("a folder or a file beside the database that can not be written is told", async () => {
  await using folder = new TempFolder();
  const missing = check(folder, "--db", `${folder.path}/none/events.db`);
  match(missing.problems?.join() ?? "", /^Cannot write .*\/none: .*Make the folder/);
  for (const name of ["events.db-shm", "events.db.journal.000001"]) {
    Deno.mkdirSync(`${folder.path}/${name}`); // root may write any file
    match(check(folder).problems?.join() ?? "", new RegExp(`Cannot write \\S+/${name}: `));
    Deno.removeSync(`${folder.path}/${name}`);
  }
});

Deno.test("a log without its database is told, unless it may be moved aside", async () => {
  await using folder = new TempFolder();
  Deno.writeTextFileSync(`${folder.database}-wal`, "x");
  match(check(folder).problems?.join() ?? "", /is missing or empty, but its log/);
  equal(check(folder, "--on-corrupt=rotate").problems, null);
});

Deno.test("an address that is taken or is none is told", async () => {
  await using folder = new TempFolder();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken = check(folder, "--port", String(listener.addr.port));
  match(taken.problems?.join() ?? "", /^Cannot listen on 127\.0\.0\.1:\d+: .*in use/i);
  const none = check(folder, "--host", "192.0.2.1", "--anonymous=always");
  match(none.problems?.join() ?? "", /^Cannot listen on 192\.0\.2\.1:0: /);
});

Deno.test("while a collector uses the database, its address is not held against it", async () => {
  await using folder = new TempFolder();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  lockDatabase(folder.database)[Symbol.dispose]();
  // Locks of one process do not exclude each other: another one holds this.
  const holder = new Deno.Command("flock", {
    args: ["--exclusive", `${folder.database}.lock`, "sh", "-c", "echo held; exec sleep 60"],
    stdout: "piped",
  }).spawn();
  const reader = holder.stdout.getReader();
  await reader.read();
  const { lines, problems } = check(folder, "--port", String(listener.addr.port));
  holder.kill("SIGKILL");
  await holder.status;
  await reader.cancel();
  equal(problems, null);
  match(lines[0] ?? "", /^A collector uses .*events\.db now: that its address is free was not/);
  equal(lines[1], OK[0]);
});

Deno.test("no tokens on an address that others reach, and a tokens file that is none, are told", async () => {
  await using folder = new TempFolder();
  match(check(folder, "--host=0.0.0.0").problems?.join() ?? "", /there are no tokens/);
  equal(check(folder, "--host=0.0.0.0", "--anonymous=always").problems, null);
  Deno.writeTextFileSync(`${folder.database}.tokens.json`, "{");
  match(check(folder).problems?.join() ?? "", /^The tokens file .* is malformed/);
});

Deno.test({
  name:
    `certificate and key that can not be read or do not match are told, all else as well${NO_OPENSSL}`,
  ignore: NO_OPENSSL !== "",
  async fn() {
    await using folder = new TempFolder();
    const [one, two] = [makeCertificate("one"), makeCertificate("two")];
    const paths = writePair(folder.path, one);
    equal(check(folder, ...tlsFlags(paths)).problems, null);
    writePair(folder.path, { cert: one.cert, key: two.key });
    Deno.writeTextFileSync(folder.database, "This is no database.".repeat(10));
    const { problems } = check(folder, "--host=0.0.0.0", ...tlsFlags(paths));
    const told = [
      /^Cannot use .*cert\.pem with .*key\.pem: /,
      /no tokens/,
      /not a SQLite database/,
    ];
    equal(problems?.length, told.length, problems?.join("\n"));
    told.forEach((expected, index) => match(problems?.[index] ?? "", expected));
    ok(problems?.every((problem) => /[.`]$/.test(problem)), "each ends with its way out");
  },
});
