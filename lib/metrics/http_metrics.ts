/** Metrics of requests. */

import type { RefusalCode } from "../errors.ts";
import { REFUSALS } from "../refusals.ts";
import type { RequestCounts } from "../request_counts.ts";
import type { Stats } from "../stats.ts";
import { by, counter, gauge, type Metric, type Sample } from "./metric.ts";
import type { MetricsSources } from "./sources.ts";

const CODES = Object.keys(REFUSALS) as RefusalCode[];
/** The refusals of those who may not do what they want. */
const AUTH_CODES: readonly RefusalCode[] = [
  "forbidden",
  "origin",
  "token-in-url",
  "token-missing",
  "too-many-auth-failures",
  "unauthorized",
];

/** See the head of this file. */
export function httpMetrics(sources: MetricsSources, stats: Stats): readonly Metric[] {
  const { requests, bodiesInFlight, relistens, tails } = sources;
  // With 0 for those that never came: what appears at 1 has not risen, for Prometheus.
  const refused = (codes: readonly RefusalCode[]) =>
    codes.map((code) => [code, stats.refused_requests[code] ?? 0] as const);
  return [
    counter(
      "firehouse_http_requests_total",
      "Requests answered, by method, route and HTTP status.",
      answered(requests),
    ),
    counter("firehouse_http_requests_received_total", "Requests that came.", requests.begun),
    gauge("firehouse_http_requests_in_flight", "Requests without an answer.", requests.inFlight),
    gauge(
      "firehouse_http_bodies_in_flight",
      "Bodies being received, those that took too long included.",
      bodiesInFlight(),
    ),
    counter("firehouse_http_request_bytes_total", "Bodies of events as sent.", requests.sentBytes),
    counter(
      "firehouse_http_decoded_bytes_total",
      "The same with their Content-Encoding undone.",
      requests.decodedBytes,
    ),
    counter(
      "firehouse_http_requests_refused_total",
      "Requests refused, by the code of the refusal; GET /problems/{code} explains it.",
      by("code", refused(CODES)),
    ),
    counter(
      "firehouse_auth_failures_total",
      "Those of them that were not allowed to do what they wanted.",
      by("reason", refused(AUTH_CODES)),
    ),
    gauge("firehouse_tails_open", "Live tails that are open.", tails.open),
    counter(
      "firehouse_tails_dropped_total",
      "Live tails that were ended since their client did not read.",
      tails.dropped,
    ),
    counter(
      "firehouse_listener_restarts_total",
      "How often the listener ended and was started again.",
      relistens(),
    ),
  ];
}

function answered({ routes }: RequestCounts): Sample[] {
  return routes.flatMap(({ method, route, answers }) =>
    answers.flatMap((value, status) =>
      value === 0 ? [] : [{ labels: { method, route, code: String(status) }, value }]
    )
  );
}
