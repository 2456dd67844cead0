/** HTTP/2 without TLS, by prior knowledge: the runtime speaks it, with another parser than HTTP/1.1. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { connect, constants } from "node:http2";
import { CollectorProcess, event } from "./collector_process.ts";
import { storedEvents } from "./rows.ts";

/** How a request ends: as it should, or reset by the client. */
type End = "end" | "reset";

/** Sends a body on a stream of its own and gives the status, 0 if there was none. */
async function send(
  collector: CollectorProcess,
  body: string,
  { length, end = "end" }: { readonly length?: number; readonly end?: End },
): Promise<number> {
  const session = connect(collector.url);
  const stream = session.request({
    ":method": "POST",
    ":path": "/events",
    "content-type": "application/x-ndjson",
    ...length !== undefined && { "content-length": length },
  });
  const closed = Promise.withResolvers<void>();
  let status = 0;
  stream.on("response", (headers) => status = Number(headers[":status"]));
  stream.on("data", () => {});
  stream.on("error", () => {});
  stream.on("close", () => closed.resolve());
  stream.write(body);
  if (end === "end") stream.end();
  else {
    await collector.until((stats) => stats.bodies_in_flight === 1);
    stream.close(constants.NGHTTP2_CANCEL);
  }
  await closed.promise;
  session.destroy();
  return status;
}

Deno.test({
  name: "http2: a body that was cut is never taken for a whole one",
  sanitizeOps: false, // the client keeps its session's timers for a moment
  sanitizeResources: false,
  async fn() {
    await using collector = await CollectorProcess.start();
    const body = `${event("a")}\n${event("b")}\n`;
    equal(await send(collector, body, { length: body.length }), 202);
    equal(await send(collector, body, {}), 411);
    equal(await send(collector, body, { length: body.length + 10, end: "reset" }), 0);
    equal(await send(collector, body, { end: "reset" }), 0);
    await collector.until((stats) => stats.bodies_in_flight === 0);
    equal(await collector.stop(), 0);
    deepEqual(storedEvents(collector.database).map(({ metadata }) => metadata), [
      '{"m":"a"}',
      '{"m":"b"}',
    ]);
  },
});
