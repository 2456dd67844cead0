/** `firehouse token create`, `list` and `revoke`, and what it takes to start without a token. */

import {
  deepStrictEqual as deepEqual,
  doesNotMatch,
  match,
  strictEqual as equal,
} from "node:assert/strict";
import { createHash } from "node:crypto";
import { CollectorProcess, event } from "./collector_process.ts";
import { createToken, firehouse } from "./firehouse_command.ts";
import { storedEvents } from "./rows.ts";
import { JSON_BODY, TempFolder } from "./sending.ts";

const SECRET = /^fh_[\w-]{43}\n$/;

function sources(database: string): string[] {
  return storedEvents(database).map(({ source }) => source);
}

Deno.test("a collector on loopback without tokens serves everyone everything", async () => {
  await using collector = await CollectorProcess.start();
  equal((await collector.post("/event", event(1))).status, 202);
  equal((await collector.stats()).committed, 1);
  const purged = await fetch(`${collector.url}/dead-letters?through=1`, { method: "DELETE" });
  deepEqual(await purged.json(), { removed: 0 });
  deepEqual(sources(collector.database), ["native"]);
});

Deno.test("without tokens it does not start on 0.0.0.0: exit 78, and one line names the way out", async () => {
  await using folder = new TempFolder();
  const args = ["--host", "0.0.0.0"], tokens = `${folder.path}/events.db.tokens.json`;
  const refused = await CollectorProcess.refused({ folder: folder.path, args });
  equal(refused.code, 78, refused.output);
  equal(refused.output.trim().split("\n").length, 1, refused.output);
  match(refused.output, /0\.0\.0\.0 is reached from other machines, and there are no tokens/);
  match(refused.output, /--anonymous always/);
  deepEqual(folder.names(/./), [], "it has made files");

  // The way out, as it is told.
  const [, words = ""] = /`firehouse (token create [^`]+)`/.exec(refused.output) ?? [];
  equal(words, `token create NAME --tokens ${tokens}`);
  const created = await firehouse(...words.replace("NAME", "phone").split(" "));
  equal(created.code, 0, created.stderr);
  await using collector = await CollectorProcess.start({ folder: folder.path, args });
  const headers = { ...JSON_BODY, authorization: `Bearer ${created.stdout.trim()}` };
  equal((await collector.post("/event", event(1), headers)).status, 202);
  equal((await collector.post("/event", event(2))).status, 401);
  deepEqual(sources(folder.database), ["phone"]);
});

Deno.test("with --anonymous always it starts on 0.0.0.0, and takes events but shows nothing", async () => {
  await using collector = await CollectorProcess.start({
    args: ["--host", "0.0.0.0", "--anonymous", "always"],
  });
  equal((await collector.post("/event", event(1))).status, 202);
  for (const path of ["/stats", "/dead-letters", "/dead-letters/export"]) {
    const answer = await fetch(collector.url + path);
    equal(answer.status, 401, path);
    equal((await answer.json()).type, "/problems/token-missing");
  }
  deepEqual(sources(collector.database), ["native"]);
});

Deno.test("a token is shown once, and only its hash is in the file, which its owner alone may read", async () => {
  await using folder = new TempFolder();
  const path = `${folder.database}.tokens.json`;
  const created = await firehouse("token", "create", "web", "--db", folder.database);
  equal(created.code, 0, created.stderr);
  match(created.stdout, SECRET);
  const secret = created.stdout.trim();
  doesNotMatch(created.stderr, new RegExp(secret.slice(3)));
  match(created.stderr, /^Token web \(ingest\) was added to \S+\. It is shown only this once/);

  const text = Deno.readTextFileSync(path);
  doesNotMatch(text, new RegExp(secret.slice(3)));
  const { tokens: [token] } = JSON.parse(text);
  equal(token.sha256, createHash("sha256").update(secret).digest("hex"));
  equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);

  await createToken(folder.database, "second", "--scopes", "admin,read");
  equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  for (const { name } of Deno.readDirSync(folder.path)) {
    doesNotMatch(Deno.readTextFileSync(`${folder.path}/${name}`), new RegExp(secret.slice(3)));
  }
  const listed = await firehouse("token", "list", "--db", folder.database);
  equal(listed.code, 0, listed.stderr);
  doesNotMatch(listed.stdout + listed.stderr, /fh_|[\da-f]{64}/);
});

Deno.test("token list shows what each may do; revoke takes one away; what can not be done ends with 64", async () => {
  await using folder = new TempFolder();
  const db = ["--db", folder.database];
  const none = await firehouse("token", "list", ...db);
  deepEqual([none.code, none.stdout], [0, ""]);
  match(none.stderr, /There are no tokens in .*token create NAME/);

  const limits = ["--events-per-second", "5", "--bytes-per-second", "6", "--body-bytes", "7"];
  const origins = ["--origins", "https://a.example, https://b.example"];
  await createToken(folder.database, "web", ...limits, ...origins);
  await createToken(folder.database, "boss", "--scopes", "admin,ingest");
  const listed = await firehouse("token", "list", ...db);
  const rows = listed.stdout.trim().split("\n").map((line) => line.split(/\s\s+/));
  deepEqual(rows.map((row) => row.slice(0, 6)), [
    ["NAME", "SCOPES", "EVENTS/S", "BYTES/S", "BODY BYTES", "ORIGINS"],
    ["web", "ingest", "5", "6", "7", "https://a.example,https://b.example"],
    ["boss", "ingest,admin", "-", "-", "-", "-"],
  ]);

  const file = () => Deno.readTextFileSync(`${folder.database}.tokens.json`);
  const before = file();
  for (
    const [words, told] of [
      [["create", "web"], /There is a token web in .* already/],
      [["create", "native"], /no protocol's name/],
      [["create", "-x"], /-x/],
      [["create", "x", "--scopes", "all"], /--scopes.*ingest, read, admin/],
      [["create", "x", "--events-per-second", "0"], /--events-per-second/],
      [["create", "x", "--origins", "https://a.example/path"], /--origins.*without a path/],
      [["create"], /needs NAME/],
      [["revoke", "nobody"], /There is no token nobody in /],
      [["rotate", "web"], /expected create or list or revoke/],
    ] as const
  ) {
    const refused = await firehouse("token", ...words, ...db);
    equal(refused.code, 64, `${words}: ${refused.stderr}`);
    equal(refused.stdout, "");
    match(refused.stderr, told);
  }
  equal(file(), before, "a command that was refused has changed the file");

  const revoked = await firehouse("token", "revoke", "web", ...db);
  equal(revoked.code, 0);
  match(revoked.stderr, /Token web was removed from /);
  doesNotMatch(file(), /"web"/);
  const last = await firehouse("token", "revoke", "boss", ...db);
  match(last.stderr, /It was the last one: .*loopback/s);
});

Deno.test("tokens made at the same time are all there", async () => {
  await using folder = new TempFolder();
  const names = Array.from({ length: 6 }, (_, i) => `t${i}`);
  const secrets = await Promise.all(names.map((name) => createToken(folder.database, name)));
  const { tokens } = JSON.parse(Deno.readTextFileSync(`${folder.database}.tokens.json`));
  deepEqual(tokens.map(({ name }: { name: string }) => name).sort(), names);
  equal(new Set(secrets).size, names.length);
});

Deno.test("a tokens file that is broken is refused at the start: exit 78, and one line says where", async () => {
  await using folder = new TempFolder();
  await createToken(folder.database, "web");
  const path = `${folder.database}.tokens.json`, good = Deno.readTextFileSync(path);
  for (
    const [text, told] of [
      ["", /it is not JSON/],
      [good.slice(0, -10), /it is not JSON/],
      [good.replace('"ingest"', '"all"'), /tokens\[0\]\.scopes must be/],
      [good.replace('"version": 1', '"version": 2'), /version must be 1/],
    ] as const
  ) {
    Deno.writeTextFileSync(path, text);
    const refused = await CollectorProcess.refused({ folder: folder.path });
    equal(refused.code, 78, refused.output);
    equal(refused.output.trim().split("\n").length, 1, refused.output);
    match(refused.output, told);
    match(refused.output, /Mend it there/);
  }
});
