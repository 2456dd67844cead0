/** The view of what happens now, made of `GET /stats`. */

import { askText } from "./api.js";
import { TimeChart } from "./chart.js";
import { byId, el, fill } from "./dom.js";
import { readEvents } from "./event.js";
import { eventTable } from "./event_table.js";
import { Facts } from "./facts.js";
import { bytes, count, counted, rate, span } from "./format.js";
import { codeBlock, firstEvent } from "./snippets.js";
import { refusedRequests } from "./rates.js";
import { addSample, SHOWN_MS, startThroughput } from "./throughput.js";

/** @typedef {import("./rates.js").Stats} Stats */
/** @typedef {import("./rates.js").Rates} Rates */
/** @typedef {import("./rates.js").Quantiles} Quantiles */

/** Less than this, in bytes, is told. */
const DISK_LOW = 1024 ** 3;
const NEWEST = 8, NEWEST_EVERY_MS = 2000;
const tiles = new Facts(byId("tiles", HTMLElement));
const queueFacts = new Facts(byId("queue-facts", HTMLElement));
const accountFacts = new Facts(byId("account-facts", HTMLElement));
const diskFacts = new Facts(byId("disk-facts", HTMLElement));
const collectorFacts = new Facts(byId("collector-facts", HTMLElement));

/** @type {{ atMs: number, events: number }[]} */
let depths = [];
/** @type {TimeChart | null} */
let queueChart = null;
/** Committed events when the newest ones were asked for. @type {number | null} */
let newestOf = null;
let newestAtMs = -Infinity;

/** Makes the charts. */
export function startLive() {
  queueChart = new TimeChart(byId("queue-chart", HTMLElement), {
    height: 110,
    lines: [{ label: "in the queue", color: "--received", look: "area" }],
  });
  fill(byId("first-event-code", HTMLElement), codeBlock(firstEvent(), "the first event"));
  startThroughput();
}

/**
 * Shows an answer.
 * @param {Stats} stats
 * @param {Rates | null} rates
 */
export function showStats(stats, rates) {
  addSample(rates);
  showTiles(stats, rates);
  showQueue(stats);
  showAccount(stats);
  showRefusals(stats);
  showDisk(stats);
  showCollector(stats);
}

/** Shows the newest events if there are others than before; call it once in a while. */
export async function showNewest(/** @type {Stats} */ { committed }) {
  if (committed === newestOf || performance.now() - newestAtMs < NEWEST_EVERY_MS) return;
  [newestOf, newestAtMs] = [committed, performance.now()];
  try {
    const events = readEvents(await askText(`events?limit=${NEWEST}`)).events;
    byId("first-event", HTMLElement).hidden = events.length > 0;
    const host = byId("newest", HTMLElement);
    if (events.length === 0) fill(host, el("p", { class: "note" }, "No events yet."));
    else fill(host, eventTable(events, "Newest events"));
  } catch {
    newestOf = null; // asked again the next time
  }
}

/** Times are shown in another zone. */
export function redrawLive() {
  newestOf = null;
  newestAtMs = -Infinity;
}

/**
 * @param {Stats} stats
 * @param {Rates | null} rates
 */
function showTiles(stats, rates) {
  const a = (/** @type {number | undefined} */ value) => value === undefined ? "…" : rate(value);
  tiles.set("Received a second", a(rates?.received), { note: `${count(stats.received)} in all` });
  tiles.set("Accepted a second", a(rates?.accepted), { note: `${count(stats.accepted)} in all` });
  tiles.set("Committed a second", a(rates?.committed), {
    note: `${count(stats.committed)} in all`,
  });
  const { events, capacity_events } = stats.queue, part = events / capacity_events;
  tiles.set("In the queue", count(events), {
    note: `${percent(part)} of ${count(capacity_events)}`,
    look: part > 0.9 ? "bad" : part > 0.5 ? "warn" : "",
  });
  tiles.set("Committed within", ...quantiles(stats.commit_ms));
  if (stats.ack_ms !== undefined) tiles.set("Acknowledged within", ...quantiles(stats.ack_ms));
  tiles.set("Refused a second", a(rates?.refused), {
    note: `${counted(refusedRequests(stats), "request")} in all`,
    look: (rates?.refused ?? 0) > 0 ? "warn" : "",
  });
}

/**
 * @param {Quantiles} of in ms
 * @returns {[value: string, how: { note: string }]}
 */
function quantiles({ count: recorded, p50, p99 }) {
  if (recorded === 0) return ["–", { note: "nothing yet" }];
  return [span(p50), { note: `p50 · p99 ${span(p99)}` }];
}

/**
 * @param {Stats} stats
 */
function showQueue({ queue, queued, in_flight }) {
  const nowMs = Date.now(), fromMs = nowMs - SHOWN_MS;
  depths.push({ atMs: nowMs, events: queue.events });
  depths = depths.filter(({ atMs }) => atMs >= fromMs);
  const times = depths.map(({ atMs }) => atMs), events = depths.map(({ events }) => events);
  queueChart?.show(times, [events], [fromMs, nowMs]);
  const share = queue.events / queue.capacity_events;
  byId("queue-chart", HTMLElement).setAttribute(
    "aria-label",
    `Queue depth of the last 5 minutes; now ${count(queue.events)}, ${percent(share)} of it.`,
  );
  byId("queue-meter", HTMLMeterElement).value = share;
  queueFacts.set("Events", `${count(queue.events)} of ${count(queue.capacity_events)}`, {
    note: `${count(queued)} queued, ${count(in_flight)} being written`,
  });
  queueFacts.set("Memory", `${bytes(queue.bytes)} of ${bytes(queue.capacity_bytes)}`);
  queueFacts.set("Oldest", queue.events === 0 ? "–" : span(queue.oldest_age_ms));
}

/**
 * @param {Stats} stats
 */
function showAccount(stats) {
  for (
    const [name, value] of /** @type {const} */ ([
      ["Received", stats.received],
      ["Accepted", stats.accepted],
      ["Rejected", stats.rejected],
      ["Duplicates", stats.duplicates],
      ["Recovered from the journal", stats.recovered],
      ["Committed", stats.committed],
      ["Dead letters", stats.dead_lettered],
      ["In the journal", stats.journaled],
      ["Dropped", stats.dropped],
    ])
  ) accountFacts.set(name, count(value), { look: name === "Dropped" && value > 0 ? "bad" : "" });
  const isOff = stats.residual !== 0;
  accountFacts.set("Residual", count(stats.residual), {
    note: isOff ? "the account does not add up: report it" : "the account adds up",
    look: isOff ? "bad" : "",
  });
}

/**
 * @param {Stats} stats
 */
function showRefusals({ refused_requests }) {
  const reasons = Object.entries(refused_requests).sort(([, a], [, b]) => b - a);
  const host = byId("refusals", HTMLElement);
  if (reasons.length === 0) return fill(host, el("p", { class: "note" }, "None since the start."));
  const rows = reasons.map(([code, requests]) =>
    el("div", {}, el("dt", {}, code), el("dd", {}, count(requests)))
  );
  const text = JSON.stringify(reasons);
  if (host.dataset.shown === text) return;
  host.dataset.shown = text;
  fill(host, el("dl", { class: "facts" }, ...rows));
}

/**
 * @param {Stats} stats
 */
function showDisk(stats) {
  diskFacts.set("Database", bytes(stats.database_bytes));
  diskFacts.set("Its log", bytes(stats.wal_bytes));
  diskFacts.set("Journal", bytes(stats.journal_bytes), {
    note: stats.journaled > 0 ? counted(stats.journaled, "event") : "",
    look: stats.journal_bytes > 0 ? "warn" : "",
  });
  const free = stats.disk_free_bytes;
  if (typeof free === "number") {
    diskFacts.set("Free on the disk", bytes(free), { look: free < DISK_LOW ? "bad" : "" });
  }
}

/**
 * @param {Stats} stats
 */
function showCollector(stats) {
  const { batch_events: batch } = stats;
  collectorFacts.set("Running for", span(stats.uptime_seconds * 1000));
  collectorFacts.set("Durability", stats.durability, {
    note: stats.durability === "disk" ? "2xx means flushed" : "202 means queued",
  });
  collectorFacts.set("Batch", batch.count === 0 ? "–" : counted(batch.p50, "event"), {
    note: batch.count === 0 ? "" : `p50 · p99 ${count(batch.p99)}`,
  });
  if (stats.requests_in_flight !== undefined) {
    collectorFacts.set("Requests under way", count(stats.requests_in_flight));
  }
  const lag = stats.event_loop_lag_ms;
  if (lag !== undefined && lag.count > 0) {
    collectorFacts.set("Event loop lag", span(lag.p50), { note: `p50 · p99 ${span(lag.p99)}` });
  }
  const error = stats.last_commit_error;
  collectorFacts.set("Failed commits", count(stats.commit_retries), {
    note: error ?? "",
    look: error === null ? "" : "bad",
  });
  collectorFacts.set("Unclean stops before", count(stats.unclean_runs), {
    note: stats.lost_at_most > 0 ? `at most ${counted(stats.lost_at_most, "event")} lost` : "",
    look: stats.lost_at_most > 0 ? "warn" : "",
  });
}

/**
 * @param {number} part
 * @returns {string}
 */
function percent(part) {
  return `${rate(part * 100)} %`;
}
