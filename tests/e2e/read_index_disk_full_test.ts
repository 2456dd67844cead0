/** No room on the disk for the index: it is what gives way, not the events. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { growDatabase } from "./large_database.ts";
import { type PageJson, readJson } from "./reading.ts";
import { storedCount } from "./rows.ts";
import { sleep, until } from "./steady_sender.ts";

const COUNT = 200_000, SIZE = "64m";
const MIB = 1024 * 1024;

/** Whether a small file system of its own can be mounted at a path. */
function mount(path: string): boolean {
  try {
    const args = ["-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", path];
    return new Deno.Command("mount", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

function unmount(path: string): void {
  new Deno.Command("umount", { args: ["-l", path] }).outputSync();
}

/** Bytes that are free where a path is. */
function freeBytes(path: string): number {
  const { stdout } = new Deno.Command("df", { args: ["--output=avail", "-B1", path] }).outputSync();
  return Number(new TextDecoder().decode(stdout).split("\n")[1]);
}

const probe = Deno.makeTempDirSync({ prefix: "firehouse-disk-" });
const canMount = mount(probe);
if (canMount) unmount(probe);

Deno.test({
  name:
    "the disk has no room for the index: events are stored, answers are right; with room it is made" +
    (canMount ? "" : " (skipped: cannot mount a tmpfs)"),
  ignore: !canMount,
  async fn() {
    const folder = Deno.makeTempDirSync({ prefix: "firehouse-disk-" });
    mount(folder);
    try {
      await fillAndFree(folder);
    } finally {
      unmount(folder);
    }
  },
});

async function fillAndFree(folder: string): Promise<void> {
  const path = await growDatabase(folder, COUNT);
  const ballast = `${folder}/ballast`;
  Deno.writeFileSync(ballast, new Uint8Array(freeBytes(folder) - MIB));
  await using collector = await CollectorProcess.start({ folder });
  const blocks = async () =>
    (await collector.stats() as unknown as { reader: { indexed_blocks: number } | null }).reader
      ?.indexed_blocks;
  const refused: string[] = [];
  for (let i = 0; i < 60; i++) {
    const { status, text } = await collector.post("/event", new Blob([event(i)]));
    if (status !== 202) refused.push(`${i}: ${status} ${text}`);
    await sleep(50);
  }
  console.log(
    refused.length,
    refused.slice(0, 3),
    await blocks(),
    freeBytes(folder),
    [...Deno.readDirSync(folder)].map(({ name }) =>
      name + " " + Deno.statSync(folder + "/" + name).size
    ),
    collector.output,
  );
  deepEqual(refused, []);
  const page: PageJson = await readJson(collector, "/events?event_id=event-2");
  deepEqual(page.events.map(({ id }) => id), [2]);
  ok((await blocks() ?? 0) < 3, "there is room for the index: nothing is shown");
  Deno.removeSync(ballast);
  await until(async () => await blocks() === 3, "the index");
  equal(await collector.stop(), 0);
  equal(storedCount(path), COUNT + 60);
}
