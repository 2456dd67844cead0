import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { ALL_EVENTS } from "../../lib/query.ts";
import { encoderOf } from "../../lib/reader/encoders.ts";
import { ExportRun } from "../../lib/reader/export_run.ts";
import { findPage } from "../../lib/reader/finding.ts";
import { newsOf } from "./news.ts";
import { OpenSource } from "../../lib/reader/open_source.ts";
import { MIGRATIONS } from "../../lib/store/schema.ts";

const EVENTS = 60, CHARACTERS = 1024 * 1024;
/** What is read at once when it is not known yet how large it is. */
const AT_ONCE_MAX = 16 * 1.1 * CHARACTERS;
const IDS = Array.from({ length: EVENTS }, (_, i) => i + 1);

/** A database of events of 1 MiB each, behind a small one. */
function withLarge(use: (source: OpenSource) => void): void {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/events.db`;
  {
    using database = new DatabaseSync(path);
    for (const sql of MIGRATIONS.flat()) database.exec(sql);
    database.exec(
      `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${EVENTS})
       INSERT INTO events SELECT n, n, NULL, 'now',
         '{"x":"' || CASE WHEN n = 1 THEN '' ELSE hex(zeroblob(${CHARACTERS / 2})) END || '"}',
         0, 'native', NULL, NULL FROM numbers`,
    );
  }
  const source = new OpenSource({ path, indexing: "off" });
  try {
    use(source);
  } finally {
    source.close();
    Deno.removeSync(folder, { recursive: true });
  }
}

function length(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

Deno.test("a page of huge events ends early, and the next goes on", () => {
  withLarge((source) => {
    const ids: number[] = [];
    let after: number | null = null;
    do {
      const page: ReturnType<typeof findPage> = findPage(source.get(), {
        filter: ALL_EVENTS,
        order: "asc",
        after,
        limit: 1000,
      });
      while (!page.isDone) page.step();
      const { events, next, isComplete } = page.result();
      ok(isComplete && length(events) < 8 * CHARACTERS + AT_ONCE_MAX);
      ids.push(...events.map((json) => Number(/\d+/.exec(json))));
      after = next;
    } while (after !== null);
    deepEqual(ids, IDS);
  });
});

Deno.test("of huge events a tail gets the newest, and a gap for the others", () => {
  withLarge((source) => {
    const { events, skipped } = newsOf(source.get(), {
      filter: ALL_EVENTS,
      throughId: null,
      database: null,
      afterId: 0,
      limit: 250,
    });
    ok(length(events.map(({ json }) => json)) < CHARACTERS + AT_ONCE_MAX);
    deepEqual(events.map(({ id }) => id), IDS.slice(skipped));
    ok(skipped > 0);
  });
});

Deno.test("an export of huge events comes in parts", async () => {
  const encoder = await encoderOf("ndjson");
  withLarge((source) => {
    const run = new ExportRun(
      source.get(),
      { filter: ALL_EVENTS, afterId: 0, format: "ndjson" },
      encoder,
    );
    let bytes = 0, isLast = false;
    while (!isLast) {
      while (!run.step(source.get()));
      const chunk = run.chunk();
      ok(chunk.bytes.length < AT_ONCE_MAX);
      bytes += chunk.bytes.length;
      isLast = chunk.isLast;
    }
    ok(bytes > (EVENTS - 1) * CHARACTERS);
  });
});
