/** What counting costs a request: by route and status, events by protocol, bytes, and the time to its acknowledgement. */

import { DURATION_BOUNDS_MS } from "../lib/buckets.ts";
import { Histogram } from "../lib/histogram.ts";
import { counting } from "../lib/http/counted.ts";
import { ReceivedCounts } from "../lib/received_counts.ts";
import { RequestCounts } from "../lib/request_counts.ts";

const requests = new RequestCounts();
const counted = counting(requests, "POST", "/event");
const received = new ReceivedCounts();
const ackMs = new Histogram(0.001, DURATION_BOUNDS_MS);
const response = new Response("", { status: 202 });
const TIMES = 1000;
let ms = 0;

Deno.bench(`${TIMES} requests: all that is counted`, { group: "counting", baseline: true }, () => {
  for (let i = 0; i < TIMES; i++) {
    requests.begin();
    requests.body(80, 80);
    received.add("native", 1);
    ackMs.record(ms = (ms + 0.37) % 8);
    counted(response);
  }
});

Deno.bench(`${TIMES} requests: by route and status`, { group: "counting" }, () => {
  for (let i = 0; i < TIMES; i++) {
    requests.begin();
    counted(response);
  }
});

Deno.bench(`${TIMES} requests: the acknowledgement`, { group: "counting" }, () => {
  for (let i = 0; i < TIMES; i++) ackMs.record(ms = (ms + 0.37) % 8);
});

Deno.bench(`${TIMES} requests: events by protocol`, { group: "counting" }, () => {
  for (let i = 0; i < TIMES; i++) received.add("native", 1);
});
