import { match, strictEqual as equal } from "node:assert/strict";
import { Access } from "../../lib/access.ts";
import { Gate } from "../../lib/http/gate.ts";
import { createHandler, type HandlerOptions } from "../../lib/http/handler.ts";
import { Responder } from "../../lib/http/respond.ts";
import { textLine } from "../../lib/log.ts";
import { Operator } from "../../lib/operator.ts";
import type { Protocol } from "../../lib/protocol.ts";
import { RequestCounts } from "../../lib/request_counts.ts";
import { Collecting } from "../fakes/collecting.ts";
import { FakeTime } from "../fakes/fake_time.ts";

/** A protocol with a path whose answer fails. */
const FAILING: Protocol = {
  name: "failing",
  routes: new Map(),
  services: new Map([["/fails", {
    method: "GET",
    needsToken: false,
    credential: () => null,
    answer: () => {
      throw new Error("broken\r\nerror: forged\x1b[2J");
    },
    refused: () => ({ status: 400, body: "", type: null }),
  }]]),
  replay: () => ({ code: "internal", detail: "" }),
};

Deno.test("a request that fails is answered with an id that its line in the log has too", async () => {
  await using collecting = await Collecting.start();
  using time = new FakeTime();
  const lines: string[] = [];
  const operator = new Operator((level, message, fields = {}) => {
    lines.push(textLine(level, message, fields));
  });
  const access = new Access({ host: "127.0.0.1", anonymous: "loopback", allowedOrigins: "" });
  const handler = createHandler(
    {
      collector: collecting.collector,
      protocols: [FAILING],
      gate: new Gate(access),
      responder: new Responder(),
      requests: new RequestCounts(),
      hostnames: null,
      onError: (error, id) => operator.requestFailed(error, id),
    } satisfies Partial<HandlerOptions> as unknown as HandlerOptions, // the path needs no more
  );
  const info = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 } } as const;
  const ask = (headers: Record<string, string>) =>
    handler(new Request("http://localhost/fails", { headers }), info);

  const response = await ask({}), id = response.headers.get("x-request-id") ?? "";
  equal(response.status, 500);
  const { type, instance, stored } = await response.json();
  equal(`${type} ${stored} ${instance}`, `/problems/internal unknown /requests/${id}`);
  equal(
    lines[0],
    "error: a request failed: Error: broken\\u000d\n  error: forged\\u001b[2J " +
      `request_id="${id}"`,
  );
  const named = await ask({ "x-request-id": 'from"proxy' });
  await named.body?.cancel();
  match(lines[1] ?? "", / request_id="from\\"proxy"$/);

  for (let i = 0; i < 20; i++) await (await ask({})).body?.cancel();
  equal(lines.length, 10, "the log can be flooded");
  await time.tick(1000);
  equal(lines[10], "error: 12 more requests failed within a second");
});
