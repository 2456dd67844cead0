import { match, ok, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";
import { storedCount } from "./rows.ts";

const SIZE = "8m";

/** A small file system of its own; null, with the reason, where none can be mounted. */
function smallDisk(): { readonly path: string } | { readonly reason: string } {
  const path = Deno.makeTempDirSync({ prefix: "firehouse-disk-" });
  try {
    const { success, stderr } = new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", path],
    }).outputSync();
    if (success) return { path };
    return { reason: new TextDecoder().decode(stderr).trim() };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

function unmount(path: string): void {
  new Deno.Command("umount", { args: ["-l", path] }).outputSync();
}

const probe = smallDisk();
if ("path" in probe) unmount(probe.path);
const skipped = "path" in probe ? "" : ` (skipped: cannot mount a tmpfs: ${probe.reason})`;

const LEVELS = {
  memory: ["--durability", "memory", "--queue-capacity", "2000"],
  disk: ["--durability", "disk", "--ack-timeout-ms", "500"],
};

for (const [level, args] of Object.entries(LEVELS)) {
  Deno.test({
    name:
      `${level}: a full disk loses nothing that was accepted, and is noticed when it has room [G6]` +
      skipped,
    ignore: !("path" in probe),
    async fn() {
      const disk = smallDisk();
      if (!("path" in disk)) throw new Error(disk.reason);
      try {
        await fillAndFree(disk.path, args);
      } finally {
        unmount(disk.path);
      }
    },
  });
}

async function fillAndFree(folder: string, args: readonly string[]): Promise<void> {
  await using collector = await CollectorProcess.start({ folder, args });
  const ballast = `${folder}/ballast`;
  Deno.writeFileSync(ballast, new Uint8Array(4 * 1024 * 1024));

  let accepted = 0, refused = 0, unknown = 0;
  const lines = Array.from({ length: 100 }, (_, i) => event("x".repeat(900) + i)).join("\n");
  for (let i = 0; i < 200 && refused === 0; i++) {
    const { status, text } = await collector.post("/events", new Blob([lines]), {
      "content-type": "application/x-ndjson",
    });
    if (status === 202) accepted += 100;
    else if (status === 500) {
      match(text, /unconfirmed/);
      unknown += 100;
    } else {
      equal(status, 503, text);
      match(text, /queue-full|store-failing/);
      const stats = await collector.until(({ queue, last_commit_error }) =>
        queue.events === 0 || last_commit_error !== null
      );
      if (stats.last_commit_error !== null) refused += 100; // else the sender was the quicker one
    }
  }
  ok(refused > 0, "the disk did not fill");
  ok(unknown <= 100, "it goes on taking events that it can not store");
  const full = await collector.until(({ last_commit_error }) => last_commit_error !== null);
  match(full.last_commit_error ?? "", /full|space/);
  equal(full.accepted, accepted + unknown);
  equal(full.residual, 0);

  Deno.removeSync(ballast);
  equal((await collector.settled()).committed, accepted + unknown);
  equal((await collector.post("/event", event("room again"))).status, 202);
  equal(await collector.stop(), 0);
  equal(storedCount(collector.database), accepted + unknown + 1);
}
