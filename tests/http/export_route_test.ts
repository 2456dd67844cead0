import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import type { Refusal } from "../../lib/errors.ts";
import { ExportRoute } from "../../lib/http/export_route.ts";
import type { ExportChunk, Reader } from "../../lib/reader.ts";
import { FakeTime, turn } from "../fakes/fake_time.ts";

const MINUTE_MS = 60_000;

/** A reader whose exports never end. */
class EndlessReader {
  /** Exports that were begun and not given up. */
  open = 0;

  async *export(): AsyncGenerator<ExportChunk, void> {
    this.open++;
    try {
      while (true) yield { bytes: new Uint8Array(1000), events: 1, throughId: 1, isLast: false };
    } finally {
      this.open--;
    }
  }
}

type Ask = () => Promise<Response | Refusal>;

function setUp(): { readonly reader: EndlessReader; readonly ask: Ask } {
  const reader = new EndlessReader();
  const route = new ExportRoute({ reader: reader as unknown as Reader });
  const request = new Request("http://localhost/export");
  const head = { path: "/export", query: "", headers: request.headers };
  return { reader, ask: () => route.answer({ request, head, page: null, remote: () => "" }) };
}

/** Opens one, which must be possible. */
async function opened(ask: Ask): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const answer = await ask();
  ok(answer instanceof Response && answer.body !== null);
  return answer.body.getReader();
}

Deno.test("of eight exports at once one that is read keeps its place, those that nobody reads lose it", async () => {
  using time = new FakeTime();
  const { reader, ask } = setUp();
  const read = await opened(ask);
  const unread = await Promise.all(Array.from({ length: 7 }, () => opened(ask)));
  const refused = await ask();
  deepEqual(refused instanceof Response ? null : refused.code, "overloaded");
  for (let minute = 0; minute < 11; minute++) {
    equal((await read.read()).done, false);
    await time.tick(MINUTE_MS);
    await turn();
  }
  equal(reader.open, 1);
  for (const each of unread) await rejects(each.read(), /nobody reads the export/);
  await read.cancel();
  equal(reader.open, 0);
  equal(time.timers, 0);
  for (let i = 0; i < 8; i++) await opened(ask);
});
