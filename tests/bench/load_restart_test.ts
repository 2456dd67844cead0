/** What issue 3 asks of the load generator: it outlives its collector, and finds what is wrong. */

import { match, ok, strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { LoadProcess } from "./load_process.ts";

const KILLS = 3;
const EVENTS_BETWEEN = 300;

/** Endless, until SIGINT, at a pace at which a small machine has time for restarts. */
function endless(database: string, batch = 1): string[] {
  const pace = ["--duration", "600", "--rate", String(300 / batch), "--concurrency", "50"];
  return [...pace, "--batch", String(batch), "--ids", "--db", database];
}

for (const batch of [1, 5]) {
  Deno.test(`killed and started again three times under it, ${batch} a request: 0 missing, 0 twice`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "firehouse-" });
    let collector = await CollectorProcess.start({ folder });
    const { url, database } = collector, { port } = new URL(url);
    const run = new LoadProcess(url, endless(database, batch));
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        await collector.until(({ accepted = 0 }) => accepted >= EVENTS_BETWEEN);
        await collector.stop("SIGKILL");
        collector = await CollectorProcess.start({ folder, args: ["--port", port] });
      }
      await collector.until(({ accepted = 0 }) => accepted >= EVENTS_BETWEEN);
      run.kill("SIGINT");
      const { code, stdout, stderr } = await run.finished;
      equal(code, 0, stdout + stderr);
      const [, stored, acknowledged] =
        /\nstored (\d+) of (\d+) acknowledged, 0 missing, 0 twice\n$/.exec(stdout) ?? [];
      equal(stored, acknowledged, stdout);
      ok(Number(stored) > KILLS * EVENTS_BETWEEN, stdout);
      match(stdout, /^accounting cannot be checked: the collector was restarted: started_at was/m);
      const [, repeats] = /^repeats +(\d+), after no answer/m.exec(stdout) ?? [];
      ok(Number(repeats) >= KILLS, stdout);
    } finally {
      run.kill("SIGKILL");
      await collector[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const COLUMNS = "user_id, timestamp, metadata, received_at, source, event_id";

for (
  const [what, sql, verdict] of [
    [
      "deleted",
      "DELETE FROM events WHERE id = 7",
      /\nstored \d+ of \d+ acknowledged, 1 missing, 0 twice\n$/,
    ],
    [
      "inserted twice",
      `INSERT INTO events (${COLUMNS}) SELECT ${COLUMNS} FROM events WHERE id = 7`,
      /\nstored (\d+) of \1 acknowledged, 0 missing, 1 twice\n$/,
    ],
  ] as const
) {
  Deno.test(`a row that is ${what} by hand is found`, async () => {
    await using collector = await CollectorProcess.start();
    const run = new LoadProcess(collector.url, endless(collector.database));
    try {
      await collector.until(({ committed = 0 }) => committed >= 20);
      change(collector.database, sql);
      run.kill("SIGINT");
      const { code, stdout, stderr } = await run.finished;
      match(stdout, verdict);
      match(stdout, /^accounting closes: /m);
      equal(code, 1, stdout + stderr);
    } finally {
      run.kill("SIGKILL");
    }
  });
}

function change(path: string, sql: string): void {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  try {
    equal(database.prepare(sql).run().changes, 1);
  } finally {
    database.close();
  }
}
