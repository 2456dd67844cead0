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

const disk = smallDisk();
const skipped = "path" in disk ? "" : ` (skipped: cannot mount a tmpfs: ${disk.reason})`;

Deno.test({
  name: `a full disk loses nothing that was accepted, and is noticed when it has room${skipped}`,
  ignore: !("path" in disk),
  async fn() {
    if (!("path" in disk)) return;
    try {
      await fillAndFree(disk.path);
    } finally {
      new Deno.Command("umount", { args: ["-l", disk.path] }).outputSync();
    }
  },
});

async function fillAndFree(folder: string): Promise<void> {
  await using collector = await CollectorProcess.start({
    folder,
    args: ["--queue-capacity", "2000"],
  });
  const ballast = `${folder}/ballast`;
  Deno.writeFileSync(ballast, new Uint8Array(4 * 1024 * 1024));

  let accepted = 0, refused = 0;
  const lines = Array.from({ length: 100 }, (_, i) => event("x".repeat(900) + i)).join("\n");
  for (let i = 0; i < 200 && refused === 0; i++) {
    const { status, text } = await collector.post("/events", lines, {
      "content-type": "application/x-ndjson",
    });
    if (status === 202) accepted += 100;
    else {
      equal(status, 503, text);
      match(text, /queue-full/);
      refused += 100;
    }
  }
  ok(refused > 0, "the disk did not fill");
  const full = await collector.until(({ last_commit_error }) => last_commit_error !== null);
  match(full.last_commit_error ?? "", /full/);
  equal(full.accepted, accepted);
  equal(full.residual, 0);

  Deno.removeSync(ballast);
  equal((await collector.settled()).committed, accepted);
  equal((await collector.post("/event", event("room again"))).status, 202);
  equal(await collector.stop(), 0);
  equal(storedCount(collector.database), accepted + 1);
}
