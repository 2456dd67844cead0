/** `firehouse export --point`: from where the last one ended, moved once the file is whole. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { firehouse, startFirehouse } from "./firehouse_command.ts";
import { storeOld } from "./old_events.ts";
import { LINES, TempFolder } from "./sending.ts";
import { until } from "./steady_sender.ts";

function idsIn(path: string): number[] {
  return Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line).id);
}

async function points({ url }: CollectorProcess): Promise<string[]> {
  const { export_points } = await (await fetch(`${url}/export-points`)).json() as {
    export_points: { name: string; id: number }[];
  };
  return export_points.map(({ name, id }) => `${name}@${id}`);
}

async function send(collector: CollectorProcess, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, i) => event(i));
  equal((await collector.post("/events", lines.join("\n"), LINES)).status, 202);
}

const rising = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

Deno.test("each export begins where the last one ended, and none leaves anything out", async () => {
  await using collector = await CollectorProcess.start();
  const flags = ["--db", collector.database, "--point", "lake", "--url", collector.url];
  const out = (name: string) => `${collector.folder}/${name}`;
  const exported = (name: string, ...more: string[]) =>
    firehouse("export", ...flags, "--output", out(name), ...more);
  await send(collector, 10);
  equal((await exported("1")).code, 0);
  deepEqual([idsIn(out("1")), await points(collector)], [rising(1, 10), ["lake@10"]]);
  await send(collector, 5);
  const { code, stderr } = await exported("2");
  equal(code, 0, stderr);
  match(stderr, /5 events were exported, through id 15: .*The export point lake is at 15 now/s);
  deepEqual([idsIn(out("2")), await points(collector)], [rising(11, 15), ["lake@15"]]);

  equal((await exported("2")).code, 69);
  await send(collector, 5);
  const failed = await exported("none/3");
  equal(failed.code, 69);
  deepEqual(await points(collector), ["lake@15"]);
  equal((await exported("3", "--user-id", "99")).code, 0);
  deepEqual([Deno.readTextFileSync(out("3")), await points(collector)], ["", ["lake@20"]]);
});

Deno.test("killed before the file is whole, the point stays, and --resume goes on to it", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 60_000, ageDays: 0, mark: "x".repeat(500) });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const out = `${folder.path}/out`;
  const flags = ["export", "--db", folder.database, "--output", out, "--point", "lake"]
    .concat("--url", collector.url);
  const killed = startFirehouse(...flags);
  await until(
    () => folder.names(/^out\.part$/).length > 0 && Deno.statSync(`${out}.part`).size > 1e6,
    "it writes",
  );
  killed.kill("SIGKILL");
  await killed.output();
  deepEqual([folder.names(/^out/), await points(collector)], [["out.part"], ["lake@0"]]);
  const { code, stderr } = await firehouse(...flags, "--resume");
  equal(code, 0, stderr);
  deepEqual(idsIn(out), rising(1, 60_000));
  deepEqual(await points(collector), ["lake@60000"]);
});

Deno.test("a collector that goes away meanwhile: the file is whole, the point stays, exit 69", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 60_000, ageDays: 0, mark: "x".repeat(500) });
  await using collector = await CollectorProcess.start({ folder: folder.path });
  const out = `${folder.path}/out`;
  const process = startFirehouse(
    ...["export", "--db", folder.database, "--output", out, "--point", "lake"],
    ...["--url", collector.url],
  );
  await until(() => folder.names(/^out\.part$/).length > 0, "it begins");
  collector.kill("SIGKILL");
  const stderr = new TextDecoder().decode((await process.output()).stderr);
  equal((await process.status).code, 69, stderr);
  match(stderr, /out is whole, but the export point lake stays at 0: No collector answers/);
  match(stderr, /The next export from it has these events again/);
  deepEqual(idsIn(out), rising(1, 60_000));
});

Deno.test("no collector, or one with another database: refused before anything is exported", async () => {
  await using folder = new TempFolder();
  storeOld(folder.database, { count: 5, ageDays: 0, mark: "here" });
  await using collector = await CollectorProcess.start();
  await send(collector, 5);
  const flags = ["export", "--db", folder.database, "--output", `${folder.path}/out`]
    .concat("--point", "lake");
  const other = await firehouse(...flags, "--url", collector.url);
  equal(other.code, 69, other.stderr);
  match(other.stderr, /uses another database than .*: its event 5 is not there/);
  const { url } = collector;
  await collector.stop();
  const none = await firehouse(...flags, "--url", url);
  equal(none.code, 69, none.stderr);
  match(none.stderr, /No collector answers/);
  ok(folder.names(/^out/).length === 0);
});
