import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { counting } from "../lib/http/counted.ts";
import { methodName, routeName } from "../lib/http/route_name.ts";
import { ReceivedCounts } from "../lib/received_counts.ts";
import { RequestCounts } from "../lib/request_counts.ts";

Deno.test("a request is in flight until it has its answer, and then counts under its status", () => {
  const requests = new RequestCounts();
  const counted = counting(requests, "POST", "/event");
  for (let i = 0; i < 3; i++) requests.begin();
  deepEqual([requests.begun, requests.inFlight], [3, 3]);
  for (const status of [202, 503, 202]) {
    equal(counted(new Response(null, { status })).status, status);
  }
  deepEqual([requests.begun, requests.inFlight], [3, 0]);
  const [route, ...others] = requests.routes;
  deepEqual([route?.method, route?.route, others.length], ["POST", "/event", 0]);
  const counts = [...route?.answers.entries() ?? []].filter(([, count]) => count > 0);
  deepEqual(counts, [[202, 2], [503, 1]]);
});

Deno.test("the counts of a route are the same whoever asks for them; another method is another", () => {
  const requests = new RequestCounts();
  equal(requests.route("GET", "/events"), requests.route("GET", "/events"));
  requests.route("POST", "/events");
  equal(requests.routes.length, 2);
});

Deno.test("names without end are misuse: a client must not be able to choose them", () => {
  const requests = new RequestCounts();
  throws(() => {
    for (let i = 0; i <= 500; i++) requests.route("GET", `/${i}`);
  }, RangeError);
});

Deno.test("requests count under a route and a method of ours, whatever was sent", () => {
  for (const path of ["/", "/stats", "/metrics", "/dead-letters", "/dead-letters/export"]) {
    equal(routeName(path), path);
  }
  const names: Record<string, string> = {
    "/receipts/abc-1-2": "/receipts/{id}",
    "/problems/queue-full": "/problems/{code}",
    "/dead-letters/7": "/dead-letters/{id}",
    "/dead-letters/7/replay": "/dead-letters/{id}/replay",
    "/events/7": "/events/{id}",
    "/events/7/8": "other",
    "/receipts/": "other",
    "/x": "other",
    "": "other",
  };
  for (const [path, name] of Object.entries(names)) equal(routeName(path), name, path);
  deepEqual(["GET", "HEAD", "get", "FOO", ""].map(methodName), [
    ...["GET", "HEAD", "other", "other", "other"],
  ]);
});

Deno.test("events count under their protocol, not under what a client put behind it", () => {
  const received = new ReceivedCounts();
  received.add("tinybird/clicks", 2);
  received.add("tinybird/views", 3);
  received.add("native", 1);
  received.add(null, 1);
  deepEqual(Object.fromEntries(received.events), { tinybird: 5, native: 1, replay: 1 });
});
