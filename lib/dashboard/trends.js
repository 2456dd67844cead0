/** The view of counts: by time, and which values are there most often. */

import { askJson, askText, sentence } from "./api.js";
import { TimeChart } from "./chart.js";
import { byId, fill, tell } from "./dom.js";
import { readEvents } from "./event.js";
import { filterOf, iso, queryOf, rangeOf } from "./filter.js";
import { count, counted, span } from "./format.js";
import { changed, go, route } from "./route.js";
import { legend, numbers, topTable } from "./trend_tables.js";
import { dayAndTime, zoneName } from "./zone.js";

/** @typedef {{ value: string | null, total: number, counts: number[] }} Line */
/**
 * @typedef {{ from: string, to: string, interval_ms: number, starts: number[], series: Line[],
 *   others: number[] | null, complete: boolean, counted_from: string }} Series
 */
/** @typedef {import("./trend_tables.js").Drawn} Drawn */

const LINES_MAX = 8, TOP_MAX = 10;

const bySelect = byId("trends-by", HTMLSelectElement);
const intervalSelect = byId("trends-interval", HTMLSelectElement);

let shownKey = "";
/** @type {Series | null} */
let shown = null;
/** @type {TimeChart | null} */
let chart = null;
/** @type {AbortController | null} */
let asking = null;

/** Wires the choices. */
export function startTrends() {
  const apply = () => {
    const changes = { by: bySelect.value, interval: intervalSelect.value };
    go("trends", changed(route().params, changes));
  };
  bySelect.addEventListener("change", apply);
  intervalSelect.addEventListener("change", apply);
}

/**
 * Shows what the hash asks for.
 * @param {URLSearchParams} params
 * @param {"new" | "again"} how
 */
export function showTrends(params, how) {
  const [by, interval] = [params.get("by") ?? "", params.get("interval") ?? ""];
  bySelect.value = by;
  intervalSelect.value = interval;
  const key = `${filterOf(params)}#${by}#${interval}`;
  if (key === shownKey && how === "new") return;
  shownKey = key;
  load(params);
}

/** Times are shown in another zone. */
export function redrawTrends() {
  if (shown !== null) draw(shown);
}

/**
 * @param {URLSearchParams} params
 */
async function load(params) {
  asking?.abort();
  const { signal } = asking = new AbortController();
  const query = queryOf(params);
  try {
    if (rangeOf(params) === "all") await setAll(query, signal);
    const top = new URLSearchParams(query);
    for (const name of ["by", "interval"]) {
      const value = params.get(name) ?? "";
      if (value !== "") query.set(name, value);
    }
    query.set("limit", String(LINES_MAX));
    const loading = askJson(`series?${query}`, { signal }).then((series) => draw(shown = series));
    await Promise.all([loading, loadTop(top, signal)]);
    tell(byId("trends-problem", HTMLElement), "");
  } catch (error) {
    if (signal.aborted) return;
    shownKey = "";
    tell(byId("trends-problem", HTMLElement), sentence(error));
  }
}

/**
 * From the first event on: without a beginning the API looks at the last hour.
 * @param {URLSearchParams} query
 * @param {AbortSignal} signal
 */
async function setAll(query, signal) {
  const [first] = readEvents(await askText("events?order=asc&limit=1", { signal })).events;
  if (first !== undefined) query.set("from", first.received_at);
}

/**
 * @param {URLSearchParams} query
 * @param {AbortSignal} signal
 */
async function loadTop(query, signal) {
  for (
    const [by, id] of /** @type {const} */ ([["type", "top-types"], ["source", "top-sources"]])
  ) {
    const asked = new URLSearchParams(query);
    asked.set("by", by);
    asked.set("limit", String(TOP_MAX));
    fill(byId(id, HTMLElement), topTable(by, await askJson(`top?${asked}`, { signal })));
  }
}

/**
 * @param {Series} series
 */
function draw(series) {
  const { starts, interval_ms } = series, lines = linesOf(series);
  chart?.destroy();
  const last = (starts.at(-1) ?? Date.now()) + interval_ms;
  chart = new TimeChart(byId("trends-chart", HTMLElement), {
    height: 260,
    lines: lines.map(({ name, color }) => (
      { label: name ?? "", color, look: lines.length === 1 ? "bars" : "steps" }
    )),
    onCursor: (index) => showPointed(index),
    onSelect: (fromMs, toMs) => {
      const times = { range: "", from: iso(fromMs), to: iso(toMs) };
      go("trends", changed(route().params, times));
    },
  });
  // A step ends where the next begins: the last one needs an end of its own.
  const ends = lines.length === 1 ? [] : [last];
  const values = lines.map(({ counts }) =>
    ends.length === 0 ? counts : [...counts, counts.at(-1) ?? 0]
  );
  chart.show([...starts, ...ends], values, [starts[0] ?? 0, last]);
  const total = lines.reduce((sum, each) => sum + each.total, 0);
  const each = `one point is ${span(interval_ms)}`;
  tell(byId("trends-note", HTMLElement), `${counted(total, "event")} · ${each} · ${zoneName()}`);
  byId("trends-chart", HTMLElement).setAttribute(
    "aria-label",
    `Events by time, ${each}: ${counted(total, "event")}. The numbers are in the table below.`,
  );
  tell(
    byId("trends-cut", HTMLElement),
    series.complete ? "" : "There was no time to count everything: what was received before " +
      `${dayAndTime(Date.parse(series.counted_from))} is missing.`,
  );
  fill(byId("trends-legend", HTMLElement), legend(lines));
  fill(byId("trends-numbers", HTMLElement), numbers(series.starts, lines));
  showPointed(null);
}

/**
 * @param {Series} series
 * @returns {Drawn[]}
 */
function linesOf({ series, others }) {
  const isSplit = route().params.has("by");
  const lines = series.map(({ value, total, counts }, index) => (
    { name: isSplit ? value : "events", color: `--line-${index + 1}`, total, counts }
  ));
  if (others === null) return lines;
  const total = others.reduce((sum, each) => sum + each, 0);
  return [...lines, { name: "all others", color: "--muted", total, counts: others }];
}

/**
 * @param {number | null} index
 */
function showPointed(index) {
  const start = shown?.starts[index ?? -1], cells = document.querySelectorAll("[data-line]");
  const readout = byId("trends-readout", HTMLElement);
  readout.textContent = start === undefined
    ? "Draw across the chart to look at a part of it."
    : dayAndTime(start);
  const lines = shown === null ? [] : linesOf(shown);
  cells.forEach((cell, line) => {
    const value = index === null ? undefined : lines[line]?.counts[index];
    cell.textContent = value === undefined ? "" : count(value);
  });
}
