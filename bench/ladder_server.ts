/**
 * The collector's way of one event, up to a rung of the ladder that its first argument names, made
 * of the collector's own parts. What a rung adds to the one before is what that part costs.
 */

import { isAscii } from "node:buffer";
import { isRefusal } from "../lib/errors.ts";
import { BodyReader } from "../lib/http/body.ts";
import { TargetResolver } from "../lib/http/target.ts";
import { nativeProtocol } from "../lib/protocols/native.ts";

const targets = new TargetResolver(null, ["/event"]);
const bodies = new BodyReader({
  bytesMax: 1 << 20,
  timeoutMs: 10_000,
  inFlightMax: 10_000,
  inFlightBytesMax: 64 << 20,
});
const route = nativeProtocol({ maxRequestEvents: 10_000, maxEventBytes: 1 << 18 })
  .routes.get("/event");
const answer = new Response('{"status":"accepted"}', {
  status: 202,
  headers: { "content-type": "application/json" },
});

const RUNGS: Readonly<Record<string, (request: Request) => Promise<Response>>> = {
  async bare(request) {
    JSON.parse(await request.text());
    return new Response(null, { status: 202 });
  },
  async headers(request) {
    readHead(request);
    JSON.parse(await request.text());
    return new Response(null, { status: 202 });
  },
  async body(request) {
    await bodies.read(request, readHead(request));
    return answer.clone();
  },
  async decode(request) {
    const body = await bodies.read(request, readHead(request));
    if (!(body instanceof Uint8Array)) throw new TypeError(body.code);
    const format = route?.formats.get("application/json");
    const head = { path: "/event", query: "", headers: request.headers };
    const source = "native";
    format?.decode(body, { receivedAt: Date.now(), isAscii: isAscii(body), source, head });
    return answer.clone();
  },
};

const handler = RUNGS[Deno.args[0] ?? "bare"];
if (handler === undefined) throw new RangeError(`expected one of ${Object.keys(RUNGS)}`);
Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => Deno.stdout.writeSync(new TextEncoder().encode(`${port}\n`)),
}, handler);

/** What the collector reads of the head; gives the length. */
function readHead(request: Request): string | null {
  const { headers } = request;
  const target = targets.resolve(request.url);
  if (isRefusal(target) || target.path !== "/event" || request.method !== "POST") {
    throw new TypeError("not for this ladder");
  }
  headers.get("content-type");
  headers.get("content-encoding");
  return headers.get("content-length");
}
