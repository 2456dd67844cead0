/** `firehouse export`, as an operator types it: from a database in use, cut off, filtered, to a point. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CollectorProcess, event } from "./collector_process.ts";
import { createTokens, firehouse, startFirehouse } from "./firehouse_command.ts";
import { LockHolder } from "./lock_holder.ts";
import { storeOld } from "./old_events.ts";
import { storedEvents } from "./rows.ts";
import { JSON_BODY, LINES, TempFolder } from "./sending.ts";
import { SteadySender, until } from "./steady_sender.ts";

interface Exported {
  readonly id: number;
  readonly metadata: { readonly m: unknown };
}

function linesOf(text: string): Exported[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** How far an export says it is. */
function throughId(stderr: string): number {
  return Number(/through id (\d+)/.exec(stderr)?.[1] ?? NaN);
}

Deno.test("while events come in, it gives each stored event up to its last id, once, in order", async () => {
  await using collector = await CollectorProcess.start();
  await using sender = new SteadySender((mark) =>
    fetch(`${collector.url}/event`, {
      method: "POST",
      body: new Blob([event(mark)]),
      headers: JSON_BODY,
    })
  );
  for (const format of ["ndjson", "csv"]) {
    await sender.more(300);
    const { code, stdout, stderr } = await firehouse(
      ...["export", "--db", collector.database, "--format", format],
    );
    equal(code, 0, stderr);
    const last = throughId(stderr), stored = storedEvents(collector.database).slice(0, last);
    ok(last >= 300);
    const ids = format === "ndjson"
      ? linesOf(stdout).map(({ id }) => id)
      : stdout.split("\r\n").slice(1, -1).map((line) => parseInt(line));
    deepEqual(ids, stored.map(({ id }) => Number(id)));
    if (format === "csv") continue;
    deepEqual(
      linesOf(stdout).map(({ metadata }) => metadata.m),
      stored.map(({ metadata }) => JSON.parse(metadata).m),
    );
  }
});

Deno.test("killed in the middle, --resume makes the file that an export in one go makes", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 30_000, ageDays: 0, mark: 'é\n"'.repeat(250) });
  const at = ["export", "--db", folder.database],
    output = (name: string) => `${folder.path}/${name}`;
  for (const format of ["ndjson", "csv"]) {
    const flags = [...at, "--format", format, "--output"];
    const whole = await firehouse(...flags, output(`whole.${format}`));
    equal(whole.code, 0, whole.stderr);
    const cut = output(`cut.${format}`), sizeOf = (path: string) => Deno.statSync(path).size;
    const killed = startFirehouse(...flags, cut);
    await until(
      () => folder.names(/^cut\..*\.part$/).length > 0 && sizeOf(`${cut}.part`) > 1e6,
      "it writes",
    );
    killed.kill("SIGKILL");
    await killed.output();
    deepEqual(folder.names(/^cut.*part$/), [`cut.${format}.part`]);
    equal(folder.names(/^cut/).includes(`cut.${format}`), false);
    ok(sizeOf(`${cut}.part`) < sizeOf(output(`whole.${format}`)), "it was done already");

    const refused = await firehouse(...flags, cut);
    equal(refused.code, 69);
    match(refused.stderr, /cut\.\w+\.part is there already\. Go on with it by --resume/);
    const resumed = await firehouse(...flags, cut, "--resume");
    equal(resumed.code, 0, resumed.stderr);
    match(resumed.stderr, /(\d+) events were there already; going on after id \1\./);
    match(resumed.stderr, /30000 events were exported, \d+ of them from before, through id 30000/);
    ok(Buffer.compare(Deno.readFileSync(cut), Deno.readFileSync(output(`whole.${format}`))) === 0);
    deepEqual(folder.names(/part$/), []);
  }
});

Deno.test("a Parquet file that was cut off is begun anew, and says so", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 100, ageDays: 0, mark: "x" });
  const flags = ["export", "--db", folder.database, "--format", "parquet", "--output"];
  const [one, two] = [`${folder.path}/one`, `${folder.path}/two`];
  equal((await firehouse(...flags, one)).code, 0);
  Deno.writeFileSync(`${two}.part`, Deno.readFileSync(one).subarray(0, 50));
  const { code, stderr } = await firehouse(...flags, two, "--resume");
  equal(code, 0, stderr);
  match(stderr, /What there is of it is thrown away/);
  deepEqual(Deno.readFileSync(two), Deno.readFileSync(one));
});

Deno.test("what is there is not overwritten, and what can not be resumed is not touched", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 5, ageDays: 0, mark: "x" });
  const at = ["export", "--db", folder.database, "--output"], file = `${folder.path}/out`;
  Deno.writeTextFileSync(file, "mine");
  for (const more of [[], ["--resume"]]) {
    const { code, stderr } = await firehouse(...at, file, ...more);
    equal(code, 69);
    match(stderr, /out is there already/);
  }
  equal(Deno.readTextFileSync(file), "mine");
  for (
    const [text, says] of [["1,2\n3,4\n", /is no export as ndjson/], [
      '{"id":9,}\n',
      /ends with event 9, the database with 5/,
    ]] as const
  ) {
    Deno.writeTextFileSync(`${folder.path}/other.part`, text);
    const { code, stderr } = await firehouse(...at, `${folder.path}/other`, "--resume");
    equal(code, 69);
    match(stderr, says);
    equal(Deno.readTextFileSync(`${folder.path}/other.part`), text);
  }
  const noFolder = await firehouse(...at, `${folder.path}/none/out`);
  equal(noFolder.code, 69);
  match(noFolder.stderr, /Cannot write .*none\/out\.part/);
});

Deno.test("filters narrow it, and what they can not be is refused before anything is written", async () => {
  await using collector = await CollectorProcess.start();
  const lines = Array.from({ length: 20 }, (_, i) => event({ n: i % 4, "a=b": "c=d" }, i % 2 + 1));
  await collector.post("/events", lines.join("\n"), LINES);
  await collector.settled();
  const at = ["export", "--db", collector.database];
  const count = async (...flags: string[]) => {
    const { code, stdout, stderr } = await firehouse(...at, ...flags);
    equal(code, 0, stderr);
    return linesOf(stdout).length;
  };
  equal(await count("--user-id", "2"), 10);
  equal(await count("--where", "m.n=3"), 5);
  equal(await count("--where", "m.n=1", "--where", "m.n.x=1"), 0);
  equal(await count("--from", "2026-01-01", "--to", "2027-01-01", "--source", "native"), 20);
  equal(await count("--from", "2099-01-01"), 0);
  const output = `${collector.folder}/out`;
  for (
    const [flags, says] of [
      [["--from", "2026-02-01", "--to", "2026-01-01"], /Expected from to be before to/],
      [["--where", "a[0]=1"], /Expected where\[path\] to name a member/],
      [["--point", "lake"], /--point needs a file/],
      [["--resume"], /Only an export into a file/],
    ] as const
  ) {
    const { code, stdout, stderr } = await firehouse(
      ...[...at, ...flags],
      ...says.source.includes("file") ? [] : ["--output", output],
    );
    deepEqual([code, stdout], [64, ""], stderr);
    match(stderr, says);
  }
  deepEqual([...Deno.readDirSync(collector.folder)].filter(({ name }) => name === "out"), []);
});

Deno.test("what is only in the journal is told, and a reader of stdout that goes away is no error", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 50_000, ageDays: 0, mark: "x".repeat(100) });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  await using _lock = await LockHolder.start(folder.database);
  match((await collector.post("/event", event("late"))).text, /"journaled"/);
  const process = startFirehouse("export", "--db", folder.database);
  const reader = process.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const stderr = await new Response(process.stderr).text();
  equal((await process.status).code, 0, stderr);
  match(stderr, /The journal of .* holds \d+ bytes of events that are not exported yet/);
  match(stderr, /nobody reads it any more/);
});

Deno.test("a token that may not move the point is refused before anything is exported", async () => {
  await using folder = new TempFolder();
  const { reader } = await createTokens(folder.database, { reader: ["--scopes", "read"] });
  Deno.writeTextFileSync(`${folder.path}/token`, reader);
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const { code, stderr } = await firehouse(
    ...["export", "--db", folder.database, "--output", `${folder.path}/out`, "--point", "lake"],
    ...["--url", collector.url, "--token-file", `${folder.path}/token`],
  );
  equal(code, 69, stderr);
  match(stderr, /PUT \/export-points\/lake was answered 403/);
  deepEqual(folder.names(/^out/), []);
});
