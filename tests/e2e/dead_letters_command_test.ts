/** `firehouse dead-letters list`, `export`, `replay` and `purge`, as an operator types them. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { CollectorProcess, event } from "./collector_process.ts";
import { allLetters, allowEvents, refuseEvents } from "./dead_letters.ts";
import { type CommandOutcome, createTokens } from "./firehouse_command.ts";
import { LINES, marks, TempFolder } from "./sending.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const LENIENT = { ...LINES, prefer: "handling=lenient" };

/** Runs `firehouse dead-letters` with exactly the permissions of its task. */
async function deadLetters(words: readonly string[], stdin = ""): Promise<CommandOutcome> {
  const [, ...args] = config.tasks["dead-letters"].command.split(" ");
  const process = new Deno.Command(Deno.execPath(), {
    args: [...args, ...words],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin)).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await process.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A collector with a dead letter for each of these lines, and the flag that names it. */
async function withLetters(lines: readonly string[]) {
  const collector = await CollectorProcess.start();
  if (lines.length > 0) {
    const { status, text } = await collector.post("/events", lines.join("\n"), LENIENT);
    equal(status, 202, text);
  }
  await collector.settled();
  return {
    collector,
    at: ["--url", collector.url],
    [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose](),
  };
}

/** That a command ended with a status, after it had told this and printed nothing. */
function ended({ code, stdout, stderr }: CommandOutcome, status: number, told: RegExp): void {
  equal(code, status, stderr);
  equal(stdout, "");
  match(stderr, told);
}

Deno.test("list prints a letter a line, export their whole text, over several pages", async () => {
  const lines = Array.from({ length: 1500 }, (_, i) => `bad\t${i} ${"é".repeat(i % 7)}.`);
  await using letters = await withLetters(lines);
  const listed = await deadLetters(["list", ...letters.at]);
  equal(listed.code, 0, listed.stderr);
  const rows = listed.stdout.trimEnd().split("\n").map((line) => line.split("\t"));
  deepEqual(rows.map(([id]) => Number(id)), lines.map((_, i) => i + 1));
  deepEqual(rows[0]?.slice(2), ["native", "native", "malformed-json: Expected JSON."]);

  const exported = await deadLetters(["export", ...letters.at]);
  equal(exported.code, 0, exported.stderr);
  const found = exported.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  deepEqual(found.map(({ raw }) => raw), lines);
  const answer = await fetch(`${letters.collector.url}/dead-letters/export`);
  equal(exported.stdout, await answer.text(), "it is not what the collector exports");
});

Deno.test("without letters nothing is printed, and replaying or purging all of them is no error", async () => {
  await using letters = await withLetters([]);
  for (const words of [["list"], ["export"]]) {
    const stderr = words[0] === "list" ? "There are no dead letters.\n" : "";
    deepEqual(await deadLetters([...words, ...letters.at]), { code: 0, stdout: "", stderr });
  }
  ended(await deadLetters(["replay", "all", ...letters.at]), 0, /0 stored, 0 not/);
  ended(await deadLetters(["purge", "all", ...letters.at]), 0, /0 removed/);
});

Deno.test("replay takes mended text from a file or from stdin, byte for byte", async () => {
  await using folder = new TempFolder();
  await using letters = await withLetters(["a", "b", "c"]);
  const { collector, at } = letters, file = `${folder.path}/mended.json`;
  Deno.writeTextFileSync(file, `${event("é 1.0")}\n`);
  ended(await deadLetters(["replay", "2", "--raw", file, ...at]), 0, /2 was stored\s*$/);
  ended(await deadLetters(["replay", "1", "--raw", "-", ...at], event("stdin")), 0, /1 was stored/);
  deepEqual(marks(collector.database), ["é 1.0", "stdin"]);

  Deno.writeFileSync(
    file,
    new Uint8Array([...new TextEncoder().encode('{"a":"'), 0xff, 0x22, 0x7d]),
  );
  ended(await deadLetters(["replay", "3", "--raw", file, ...at]), 69, /UTF-8/);
  Deno.writeTextFileSync(file, "");
  ended(await deadLetters(["replay", "3", "--raw", file, ...at]), 69, /is empty/);
  ended(await deadLetters(["replay", "3", "--raw", "-", ...at]), 69, /is empty/);
  ended(await deadLetters(["replay", "3", "--raw", `${file}.not`, ...at]), 69, /Cannot read/);
  ended(await deadLetters(["replay", "all", "--raw", file, ...at]), 69, /--raw is for one/);
  ended(await deadLetters(["replay", "3", ...at]), 69, /400: .*JSON/);
  ended(await deadLetters(["replay", "99", ...at]), 69, /404: No dead letter has this id/);
  deepEqual((await allLetters(collector)).map(({ id }) => id), [3]);
});

Deno.test("replay all stores what can be stored, tells what can not, and ends with 69 if any", async () => {
  await using letters = await withLetters(["bad 1"]);
  const { collector, at } = letters;
  refuseEvents(collector.database, "refuse");
  const events = ["refuse a", "refuse b"].map((mark) => event(mark));
  await collector.post("/events", events.join("\n"), LINES);
  await collector.settled();

  // Each becomes a letter anew: it must not be met again in the same go.
  const refused = await deadLetters(["replay", "all", ...at]);
  ended(refused, 69, /0 stored, 3 not/);
  match(refused.stderr, /1: POST \/dead-letters\/1\/replay was answered 400: /);
  match(refused.stderr, /2: The database refused the event again/);
  ended(await deadLetters(["replay", "4", ...at]), 69, /refused the event again/);
  deepEqual((await allLetters(collector)).map(({ id }) => id), [1, 5, 6]);

  allowEvents(collector.database);
  ended(await deadLetters(["replay", "all", ...at]), 69, /2 stored, 1 not/);
  deepEqual((marks(collector.database) as string[]).toSorted(), ["refuse a", "refuse b"]);
  deepEqual((await allLetters(collector)).map(({ id }) => id), [1]);
  ended(await deadLetters(["purge", "1", ...at]), 0, /1 removed/);
  ended(await deadLetters(["replay", "all", ...at]), 0, /0 stored, 0 not/);
});

Deno.test("purge throws one away, or all, and verify finds nothing wrong after it", async () => {
  await using letters = await withLetters(["a", "b", "c", "d"]);
  const { collector, at } = letters;
  ended(await deadLetters(["purge", "2", ...at]), 0, /1 removed/);
  ended(await deadLetters(["purge", "2", ...at]), 69, /404/);
  ended(await deadLetters(["replay", "3", "--raw", "-", ...at], event("c")), 0, /3 was stored/);
  ended(await deadLetters(["purge", "all", ...at]), 0, /2 removed/);
  equal(await collector.stop(), 0);
  const [, ...args] = config.tasks.verify.command.split(" ");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, "--db", collector.database],
    cwd: ROOT,
  }).output();
  const output = new TextDecoder().decode(stderr);
  equal(code, 0, output);
  match(
    output,
    /1 events, 1 counted.*4 dead letters, those replayed or purged included, 4 counted/,
  );
});

Deno.test("a token is read from its file, and what it may not do is told", async () => {
  await using folder = new TempFolder();
  const secrets = await createTokens(folder.database, {
    admin: ["--scopes", "admin,read"],
    reader: ["--scopes", "read"],
    sender: [],
  });
  const flags = (name: keyof typeof secrets) => {
    Deno.writeTextFileSync(`${folder.path}/${name}`, `${secrets[name]}\n`);
    return ["--token-file", `${folder.path}/${name}`];
  };
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const headers = { ...LENIENT, authorization: `Bearer ${secrets.sender}` };
  equal((await collector.post("/events", "bad", headers)).status, 202);
  const at = ["--url", `${collector.url}/`];
  const listed = await deadLetters(["list", ...at, ...flags("reader")]);
  match(listed.stdout, /^1\t\S+\tsender\tnative\tmalformed-json/, "it is not of its token");
  ended(await deadLetters(["list", ...at]), 69, /401: .*[Tt]oken/);
  ended(await deadLetters(["list", ...at, ...flags("sender")]), 69, /403: .*read/);
  ended(await deadLetters(["purge", "all", ...at, ...flags("reader")]), 69, /403: .*admin/);
  ended(
    await deadLetters(["list", ...at, "--token-file", "/nowhere"]),
    69,
    /Cannot read \/nowhere/,
  );
  const mended = ["replay", "1", "--raw", "-", ...at];
  ended(await deadLetters([...mended, ...flags("admin")], event("m")), 0, /1 was stored/);
  deepEqual(marks(collector.database), ["m"]);
});

Deno.test("where no collector answers it ends with 69 and says where it asked", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" }), { port } = listener.addr;
  listener.close();
  for (
    const words of [["list"], ["export"], ["replay", "1"], ["replay", "all"], ["purge", "all"]]
  ) {
    const outcome = await deadLetters([...words, "--port", String(port)]);
    ended(outcome, 69, new RegExp(`No collector answers at http://127\\.0\\.0\\.1:${port}`));
  }
});

Deno.test("a command that is typed wrong ends with 64 and asks nobody", async () => {
  for (
    const words of [["replay"], ["replay", "0"], ["purge", "x"], ["show"], [], [
      "list",
      "--raw",
      "x",
    ]]
  ) {
    const { code, stdout, stderr } = await deadLetters([...words, "--port", "1"]);
    equal(code, 64, `${words}: ${stderr}`);
    equal(stdout, "");
    ok(stderr.length > 20);
  }
});
