/** No room on the disk for the index: it is what gives way, not the events. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { growDatabase } from "./large_database.ts";
import { type PageJson, readJson } from "./reading.ts";
import { storedCount } from "./rows.ts";
import { until } from "./steady_sender.ts";

const COUNT = 200_000, SIZE = "160m";
const LEFT_BYTES = 8 * 1024 * 1024;

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
  Deno.removeSync(path);
}

/** Bytes that are free where a path is. */
function freeBytes(path: string): number {
  const { stdout } = new Deno.Command("df", { args: ["--output=avail", "-B1", path] }).outputSync();
  return Number(new TextDecoder().decode(stdout).split("\n")[1]);
}

const probe = Deno.makeTempDirSync({ prefix: "firehouse-disk-" });
const canMount = mount(probe);
if (canMount) unmount(probe);
else Deno.removeSync(probe);

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

interface ReaderJson {
  readonly indexed_blocks: number;
  readonly index_error: string | null;
}

async function fillAndFree(folder: string): Promise<void> {
  const path = await growDatabase(folder, COUNT);
  const ballast = `${folder}/ballast`;
  Deno.writeFileSync(ballast, new Uint8Array(freeBytes(folder) - LEFT_BYTES));
  await using collector = await CollectorProcess.start({ folder });
  const reader = async () =>
    (await collector.stats() as unknown as { reader: ReaderJson | null }).reader;
  await until(async () => typeof (await reader())?.index_error === "string", "it is told");
  for (let i = 0; i < 60; i++) {
    const { status, text } = await collector.post("/event", new Blob([event(i)]));
    equal(status, 202, text);
  }
  const page: PageJson = await readJson(collector, "/events?event_id=event-2");
  deepEqual(page.events.map(({ id }) => id), [2]);
  equal((await reader())?.indexed_blocks, 0);
  match((await reader())?.index_error ?? "", /less than 64 MiB are free/);
  ok(freeBytes(folder) > LEFT_BYTES / 2, "the index took the room");

  Deno.removeSync(ballast);
  await until(async () => (await reader())?.indexed_blocks === 3, "the index");
  equal((await reader())?.index_error, null);
  equal(await collector.stop(), 0);
  equal(storedCount(path), COUNT + 60);
}
