import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { classify } from "./answer.ts";
import { runLoad } from "./load.ts";
import { EventLog } from "./oracle.ts";

/** A server that answers request number `n` (from 0) so; null closes the connection. */
function serve(answer: (n: number, body: string) => Response | null) {
  let n = 0;
  const bodies: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const body = await request.text();
    bodies.push(body);
    return answer(n++, body) ?? new Response(new ReadableStream({ pull: (c) => c.error("cut") }));
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  return { url, bodies, [Symbol.asyncDispose]: () => server.shutdown() };
}

function stored(level: string, more: Record<string, unknown> = {}): Response {
  return Response.json({ status: "accepted", stored: level, ...more }, { status: 202 });
}

Deno.test("answers are classed by what they promise", () => {
  const cases: [status: number, stored: string, outcome: string][] = [
    [202, "committed", "durable"],
    [200, "committed", "durable"],
    [202, "journaled", "durable"],
    [202, "queued", "accepted"],
    [400, "none", "refused"],
    [422, "none", "refused"],
    [429, "none", "refused"],
    [503, "none", "refused"],
    [409, "unknown", "unknown"],
    [500, "unknown", "unknown"],
    [504, "unknown", "unknown"],
  ];
  for (const [status, stored, outcome] of cases) {
    const answer = classify(status, JSON.stringify({ stored }));
    deepEqual([answer.outcome, answer.complaint], [outcome, null], `${status} ${stored}`);
  }
});

Deno.test("an answer that contradicts itself is a complaint", () => {
  const cases: [number, string][] = [[202, "none"], [500, "none"], [503, "unknown"], [422, ""]];
  for (const [status, stored] of cases) {
    ok(classify(status, JSON.stringify({ stored })).complaint !== null, `${status} ${stored}`);
  }
});

Deno.test("a request that gets no answer is unknown, and ends a client that sends once", async () => {
  await using server = serve((n) => n < 2 ? stored("committed") : null);
  const log = new EventLog();
  const load = { url: () => server.url, log, clients: 1, firstClient: 1, requests: 9 };
  await runLoad({ ...load, delivery: "once" });
  equal(server.bodies.length, 3, "fetch or the client sent one again");
  equal(log.events("durable").length, 2);
  equal(log.events("unknown").length, log.events().length - 2);
});

Deno.test("a client that repeats sends the same ids until they are durable", async () => {
  const answers = [
    () => Response.json({ stored: "none" }, { status: 503 }),
    () => null,
    () => Response.json({ stored: "unknown" }, { status: 500 }),
    () => stored("queued"),
    () => stored("journaled"),
  ];
  await using server = serve((n) => answers[n]?.() ?? null);
  const log = new EventLog();
  const load = { url: () => server.url, log, clients: 1, firstClient: 1, requests: 1 };
  await runLoad({ ...load, delivery: "until-durable" });
  equal(server.bodies.length, answers.length);
  equal(new Set(server.bodies).size, 1, "a repeat was not the same");
  deepEqual(log.events("durable").map(({ id }) => id), ["id-1/0"]);
});

Deno.test("a repeat that is not answered as a duplicate is a complaint", async () => {
  for (const [known, complaints] of [[1, 0], [0, 1]] as const) {
    const seen = new Set<string>();
    await using server = serve((_, body) => {
      const duplicates = seen.has(body) ? known : 0;
      seen.add(body);
      return stored("committed", { duplicates });
    });
    const log = new EventLog();
    const load = { url: () => server.url, log, clients: 1, firstClient: 1, requests: 2 };
    await runLoad({ ...load, delivery: "until-durable" });
    equal(server.bodies.length, 3, "none was repeated");
    equal(log.complaints.length, complaints);
  }
});

Deno.test("a valid event that is refused for good ends the load", async () => {
  await using server = serve(() => Response.json({ stored: "none" }, { status: 422 }));
  const load = { url: () => server.url, log: new EventLog(), clients: 1, firstClient: 1 };
  await rejects(runLoad({ ...load, requests: 1, delivery: "until-durable" }), /refused: 422/);
});
