import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { type BodyLimits, BodyReader, SWEEP_MS } from "../../lib/http/body.ts";
import { REFUSALS } from "../../lib/refusals.ts";
import { FakeTime, turn } from "../fakes/fake_time.ts";
import { CAN_MEASURE_PEAK, measurePeak } from "../fakes/peak_memory.ts";

const LIMITS: BodyLimits = {
  bytesMax: 100,
  timeoutMs: 1000,
  inFlightMax: 4,
  inFlightBytesMax: 250,
};

function readerOf(limits: Partial<BodyLimits> = {}): BodyReader {
  return new BodyReader({ ...LIMITS, ...limits });
}

/** A request whose body the test sends piece by piece. */
function upload() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: () => void (cancelled = true),
  });
  return {
    request: new Request("http://x/", { method: "POST", body: stream }),
    send: (bytes: number) => controller?.enqueue(new Uint8Array(bytes).fill(7)),
    end: () => controller?.close(),
    fail: () => controller?.error(new Error("the client is gone")),
    isCancelled: () => cancelled,
  };
}

/** A request whose body is all there. */
function requestOf(bytes: number): Request {
  return new Request("http://x/", { method: "POST", body: new Uint8Array(bytes).fill(7) });
}

/** The length of the body that was read, or the code of the refusal. */
async function outcome(reading: ReturnType<BodyReader["read"]>): Promise<number | string> {
  const result = await reading;
  return "code" in result ? result.code : result.length;
}

/** What has become of a read so far; `undefined` while it goes on. */
function watched(reading: ReturnType<BodyReader["read"]>): () => number | string | undefined {
  let became: number | string | undefined;
  outcome(reading).then((result) => became = result);
  return () => became;
}

Deno.test("a body is read whole, its length declared or not, and is no longer in flight", async () => {
  using bodies = readerOf();
  for (const declared of ["6", null]) {
    const { request, send, end } = upload();
    const reading = bodies.read(request, declared);
    equal(bodies.inFlight, 1);
    for (const bytes of [1, 2, 3]) {
      send(bytes);
      await turn();
    }
    end();
    deepEqual(new Uint8Array(await reading as Uint8Array), new Uint8Array(6).fill(7));
    equal(bodies.inFlight, 0);
  }
});

Deno.test("a request without a body is empty or refused as empty, and is not in flight", async () => {
  using bodies = readerOf();
  for (const declared of ["0", null]) {
    const result = await outcome(
      bodies.read(new Request("http://x/", { method: "POST" }), declared),
    );
    ok(result === 0 || result === "empty-body", String(result));
    equal(bodies.inFlight, 0);
  }
});

Deno.test("a body of bytesMax is read, one byte more is refused, declared or not", async () => {
  using bodies = readerOf();
  for (const declared of [true, false]) {
    const read = (bytes: number) =>
      outcome(bodies.read(requestOf(bytes), declared ? String(bytes) : null));
    equal(await read(100), 100);
    equal(await read(101), "body-too-large");
    equal(bodies.inFlight, 0);
  }
});

Deno.test("a declared length over the limit is refused before anything is read", async () => {
  using bodies = readerOf();
  const { request, isCancelled } = upload();
  equal(await outcome(bodies.read(request, "101")), "body-too-large");
  deepEqual([bodies.inFlight, request.bodyUsed, isCancelled()], [0, false, false]);
});

Deno.test("a body of unknown length is given up at the limit, not read to its end", async () => {
  using bodies = readerOf();
  const { request, send, isCancelled } = upload();
  const reading = bodies.read(request, null);
  send(60);
  send(41);
  equal(await outcome(reading), "body-too-large");
  deepEqual([bodies.inFlight, isCancelled()], [0, true]);
});

Deno.test("a body shorter or longer than declared, or cut off, is incomplete", async () => {
  using bodies = readerOf();
  equal(await outcome(bodies.read(requestOf(5), "6")), "body-incomplete");
  equal(await outcome(bodies.read(requestOf(7), "6")), "body-incomplete");
  for (const declared of ["6", null]) {
    const { request, send, fail } = upload();
    const reading = bodies.read(request, declared);
    send(3);
    await turn();
    fail();
    equal(await outcome(reading), "body-incomplete");
  }
  equal(bodies.inFlight, 0);
});

Deno.test("as many bodies as the limit are read at once, one more is refused until one ends", async () => {
  using bodies = readerOf({ inFlightMax: 2 });
  const first = upload(), second = upload();
  const readings = [bodies.read(first.request, "1"), bodies.read(second.request, null)];
  const refused = await bodies.read(requestOf(1), "1");
  ok("code" in refused);
  deepEqual([refused.code, refused.headers], ["too-many-bodies", { "retry-after": "1" }]);
  equal(bodies.inFlight, 2);
  first.send(1);
  first.end();
  equal(await outcome(readings[0] ?? refused), 1);
  equal(await outcome(bodies.read(requestOf(1), "1")), 1);
  second.end();
  equal(await outcome(readings[1] ?? refused), 0);
  equal(bodies.inFlight, 0);
});

Deno.test("declared lengths count in full against the bytes in flight until the body ends", async () => {
  using bodies = readerOf({ inFlightBytesMax: 150 });
  const first = upload();
  const reading = bodies.read(first.request, "100");
  equal(await outcome(bodies.read(requestOf(51), "51")), "too-many-bodies");
  equal(await outcome(bodies.read(requestOf(50), "50")), 50);
  first.fail();
  equal(await outcome(reading), "body-incomplete");
  equal(await outcome(bodies.read(requestOf(100), "100")), 100);
});

Deno.test("bytes of unknown length count as they come, and no more once their body ended", async () => {
  using bodies = readerOf({ inFlightBytesMax: 150 });
  for (const end of ["end", "fail"] as const) {
    const first = upload();
    const reading = bodies.read(first.request, null);
    first.send(60);
    await turn();
    equal(await outcome(bodies.read(requestOf(91), "91")), "too-many-bodies", end);
    first[end]();
    await reading;
    equal(await outcome(bodies.read(requestOf(91), "91")), 91, end);
  }
});

Deno.test("a body of unknown length for which others leave no room may be sent again", async () => {
  using bodies = readerOf({ inFlightBytesMax: 150 });
  const first = upload(), second = upload();
  const firstReading = bodies.read(first.request, null);
  first.send(90);
  await turn();
  const secondReading = bodies.read(second.request, null);
  second.send(90); // below bytesMax, but there are 60 left
  const refused = await secondReading;
  ok("code" in refused);
  equal(refused.code, "too-many-bodies");
  equal(REFUSALS[refused.code].retryable, true);
  first.end();
  equal(await outcome(firstReading), 90);
});

Deno.test("a Content-Length that came twice is refused and leaves the counts alone", async () => {
  using bodies = readerOf({ inFlightBytesMax: 150 });
  // The runtime lets two equal headers pass, and joins them.
  const result = await outcome(bodies.read(requestOf(5), "5, 5"));
  ok(result === 5 || typeof result === "string");
  const reading = bodies.read(upload().request, "100");
  equal(await outcome(bodies.read(requestOf(100), "100")), "too-many-bodies", "the limit is gone");
  ok(reading instanceof Promise);
});

Deno.test("a body that takes too long is refused to within a sweep, its length declared or not", async () => {
  for (const declared of ["50", null]) {
    using time = new FakeTime();
    using bodies = readerOf();
    const slow = upload();
    const became = watched(bodies.read(slow.request, declared));
    await time.tick(1000 - SWEEP_MS);
    slow.send(1);
    await time.tick(SWEEP_MS - 1);
    equal(became(), undefined, "refused too early");
    await time.tick(SWEEP_MS + 1);
    equal(became(), "body-timeout");
    slow.end();
    await turn();
  }
});

Deno.test("a body that timed out counts until its client ends it, and only once", async () => {
  using time = new FakeTime();
  using bodies = readerOf({ inFlightMax: 1 });
  const slow = upload();
  const became = watched(bodies.read(slow.request, "50"));
  await time.tick(1000 + SWEEP_MS);
  equal(became(), "body-timeout");
  equal(bodies.inFlight, 1);
  equal(await outcome(bodies.read(requestOf(1), "1")), "too-many-bodies");
  slow.send(50);
  slow.end();
  await turn();
  equal(bodies.inFlight, 0);
  equal(became(), "body-timeout");
  equal(await outcome(bodies.read(requestOf(1), "1")), 1);
});

Deno.test("a body of unknown length that timed out is given up with its next bytes", async () => {
  using time = new FakeTime();
  using bodies = readerOf();
  const slow = upload();
  const became = watched(bodies.read(slow.request, null));
  await time.tick(1000 + SWEEP_MS);
  deepEqual([became(), bodies.inFlight], ["body-timeout", 1]);
  slow.send(1);
  await turn();
  deepEqual([bodies.inFlight, slow.isCancelled()], [0, true]);
});

Deno.test("a timeout takes the bodies whose time is over and no others", async () => {
  using time = new FakeTime();
  using bodies = readerOf();
  const old = watched(bodies.read(upload().request, "1"));
  await time.tick(600);
  const young = upload();
  const became = watched(bodies.read(young.request, "1"));
  await time.tick(650 + SWEEP_MS);
  deepEqual([old(), became()], ["body-timeout", undefined]);
  young.send(1);
  young.end();
  await turn();
  equal(became(), 1);
});

Deno.test("idle resolves at once when nothing is read", async () => {
  using time = new FakeTime();
  using bodies = readerOf();
  await bodies.idle(1e6);
  await outcome(bodies.read(requestOf(1), "1"));
  await bodies.idle(1e6);
  equal(time.timers, 1, "a timer beside the sweeper was left behind");
});

Deno.test("idle resolves when the last body ended, to within a sweep, and leaves no timer", async () => {
  using time = new FakeTime();
  using bodies = readerOf({ timeoutMs: 1e6 });
  const first = upload(), second = upload();
  bodies.read(first.request, "1");
  bodies.read(second.request, null);
  let idle = false;
  bodies.idle(1e6).then(() => idle = true);
  first.fail();
  await time.tick(2 * SWEEP_MS);
  equal(idle, false, "a body is still being read");
  second.end();
  await time.tick(SWEEP_MS);
  equal(idle, true);
  equal(time.timers, 1);
});

Deno.test("idle gives up after its time", async () => {
  using time = new FakeTime();
  using bodies = readerOf({ timeoutMs: 1e6 });
  bodies.read(upload().request, "1");
  let idle = false;
  bodies.idle(700).then(() => idle = true);
  await time.tick(699);
  equal(idle, false);
  await time.tick(1);
  equal(idle, true);
});

Deno.test({
  name: "a body in many small pieces keeps no more memory than its bytes and a little",
  ignore: !CAN_MEASURE_PEAK,
  fn: async () => {
    using bodies = readerOf({ bytesMax: 1e6, inFlightBytesMax: 1e6, timeoutMs: 1e6 });
    let pieces = 16_000;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) { // a chunk of the runtime is a view of 64 KiB, however few bytes came
        if (pieces-- > 0) controller.enqueue(new Uint8Array(64 * 1024).fill(7).subarray(0, 1));
        else controller.close();
      },
    });
    const request = new Request("http://x/", { method: "POST", body: stream });
    const { result, grownBytes } = await measurePeak(() => outcome(bodies.read(request, null)));
    equal(result, 16_000);
    const mebibytes = Math.round(grownBytes / 1024 ** 2);
    ok(mebibytes < 300, `16,000 bytes took ${mebibytes} MiB`); // 1000 if all pieces are kept
  },
});
