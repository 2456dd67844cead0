/** Large answers that wait for clients which do not read. */

import { ok, strictEqual as equal } from "node:assert/strict";
import { LargeBodies } from "../../lib/http/large_bodies.ts";

const MIB = 1024 * 1024;

Deno.test("answers that wait for their clients are bounded, and what is read or left makes room", async () => {
  const bodies = new LargeBodies(), waiting: ReadableStream[] = [];
  for (let body = bodies.bodyOf("x".repeat(MIB)); body !== null;) {
    ok(body instanceof ReadableStream);
    waiting.push(body);
    body = bodies.bodyOf("x".repeat(MIB));
  }
  equal(waiting.length, 64);
  const [read, left] = waiting.splice(0, 2) as [ReadableStream, ReadableStream];
  equal((await new Response(read).text()).length, MIB);
  await left.cancel();
  for (const more of [1, 2]) {
    const body = bodies.bodyOf("é".repeat(MIB / 2));
    ok(body instanceof ReadableStream, `no room for ${more}`);
    waiting.push(body);
  }
  equal(bodies.bodyOf("x".repeat(MIB)), null);
  await Promise.all(waiting.map((body) => body.cancel()));
});

Deno.test("a small answer is given whole, and is never refused", () => {
  equal(new LargeBodies().bodyOf("small"), "small");
});
