/** Server-sent events are read from a stream, however it is cut into pieces. */

import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { messages } from "../../lib/dashboard/sse.js";

async function read(pieces: readonly string[]): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const message of messages(ReadableStream.from(pieces))) all.push(message);
  return all;
}

const TEXT = [
  ": hello\n",
  'id: 7\ndata: {"a":1}\n\n',
  'event: gap\ndata: {"skipped":3}\n\n',
  "data: two\r\ndata: lines\r\n\r\n",
  "data:no space\rid:8\r\r",
  "event: nothing\n\n",
  "data:\n\n",
  "data: cut off before its end\n",
].join("");
const MESSAGES = [
  { event: "comment", data: "hello", id: "" },
  { event: "", data: '{"a":1}', id: "7" },
  { event: "gap", data: '{"skipped":3}', id: "7" },
  { event: "", data: "two\nlines", id: "7" },
  { event: "", data: "no space", id: "8" },
  { event: "", data: "", id: "8" },
];

Deno.test("fields, comments, several lines, every kind of line end", async () => {
  deepEqual(await read([TEXT]), MESSAGES);
});

Deno.test("the same, wherever it is cut", async () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 0, max: TEXT.length }), { maxLength: 30 });
  await fc.assert(fc.asyncProperty(cuts, async (places) => {
    const borders = [0, ...places.sort((a, b) => a - b), TEXT.length];
    const pieces = borders.slice(1).map((end, at) => TEXT.slice(borders[at], end));
    deepEqual(await read(pieces), MESSAGES);
  }));
});

Deno.test("who stops reading ends the stream", async () => {
  let isCancelled = false;
  const stream = new ReadableStream({
    pull: (controller) => controller.enqueue("data: x\n\n"),
    cancel: () => void (isCancelled = true),
  });
  for await (const _ of messages(stream)) break;
  equal(isCancelled, true);
});

Deno.test("a line without end is refused", async () => {
  const stream = new ReadableStream({
    pull: (controller) => controller.enqueue("x".repeat(8 * 1024 * 1024)),
  });
  await rejects(async () => {
    for await (const _ of messages(stream));
  }, RangeError);
});
