/** The file of settings, as a start, a command and `config check` read it. */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { CollectorProcess, event } from "./collector_process.ts";
import { createToken, firehouse } from "./firehouse_command.ts";
import { TempFolder } from "./sending.ts";

/** Writes a file of settings, and gives its path. */
function configFile(folder: TempFolder, text: string): string {
  const path = `${folder.path}/firehouse.conf`;
  Deno.writeTextFileSync(path, text);
  return path;
}

Deno.test("a collector starts with the settings of its file, and flags and variables beat them", async () => {
  await using folder = new TempFolder();
  const path = configFile(
    folder,
    "# small\nmax-body-bytes = 50\nqueue-capacity = 7\nqueue-bytes = 2000\nport = 1\n",
  );
  await using collector = await CollectorProcess.start({
    folder: folder.path, // with --port 0
    env: { FIREHOUSE_CONFIG: path, FIREHOUSE_QUEUE_CAPACITY: "9" },
  });
  const { queue } = await collector.stats();
  equal(queue.capacity_events, 9);
  equal(queue.capacity_bytes, 2000);
  const { status, text } = await collector.post("/event", new Blob([event("x".repeat(50))]));
  equal(status, 413);
  match(text, /Expected at most 50 bytes/);
});

Deno.test("a start with mistakes in its file ends with 78 and tells all of them by their lines", async () => {
  await using folder = new TempFolder();
  const path = configFile(folder, "prot = 1\nmax-bodies = many\n");
  const { code, output } = await CollectorProcess.refused({
    folder: folder.path,
    args: ["--config", path],
  });
  equal(code, 78, output);
  ok(output.includes(`${path}:1: unknown setting "prot"`), output);
  ok(output.includes(`${path}:2: max-bodies must be an integer from 1 to`), output);
  const missing = await CollectorProcess.refused({
    folder: folder.path,
    args: ["--config", `${path}.not`],
  });
  equal(missing.code, 78, missing.output);
  match(missing.output, /firehouse\.conf\.not: it can not be read: No such file/);
});

Deno.test("a command finds the database by the file too", async () => {
  await using folder = new TempFolder();
  const path = configFile(folder, `db = ${folder.database}\n`);
  const made = await firehouse("token", "create", "web", "--config", path);
  equal(made.code, 0, made.stderr);
  const { code, stdout } = await firehouse("token", "list", "--db", folder.database);
  equal(code, 0);
  match(stdout, /^web /m);
});

Deno.test("config check says what a start then does: OK and 0, or why not and 78", async () => {
  await using folder = new TempFolder();
  const path = configFile(folder, `db = ${folder.database}\nhost = 0.0.0.0\nport = 0\n`);
  const refused = await firehouse("config", "check", "--config", path);
  equal(refused.code, 78);
  match(refused.stdout, new RegExp(`^host +0\\.0\\.0\\.0 +${path}:2$`, "m"));
  match(refused.stderr, /^error: A start would be refused: 0\.0\.0\.0 is reached/);
  const start = { folder: folder.path, args: ["--config", path] };
  const { code, output } = await CollectorProcess.refused(start);
  equal(code, 78, output);

  const token = await createToken(folder.database, "web", "--scopes=read");
  const checked = await firehouse("config", "check", "--config", path);
  equal(checked.code, 0, checked.stderr);
  match(checked.stderr, /^OK: a collector would start with these settings\.$/m);
  await using collector = await CollectorProcess.start({ ...start, token });
  equal((await collector.stats()).residual, 0);
  const port = new URL(collector.url).port;
  const during = await firehouse("config", "check", "--config", path, "--port", port);
  equal(during.code, 0, during.stderr);
  match(during.stderr, /^A collector uses \S+events\.db now: that its address is free was not/m);

  configFile(folder, "max-bodies = 0\n");
  const wrong = await firehouse("config", "check", "--config", path);
  equal(wrong.code, 78);
  match(wrong.stderr, /Cannot run `firehouse config check`: \S+:1: max-bodies must be an integer/);
  equal((await firehouse("config", "check", "--nope")).code, 64);
});

Deno.test("the task firehouse has the permissions of the start task, and so runs every command", () => {
  equal(config.tasks.firehouse.command, config.tasks.start.command);
});
