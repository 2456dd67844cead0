/** The chart of the last minutes: a sample about once a second, before them what is stored. */

import { askJson } from "./api.js";
import { TimeChart } from "./chart.js";
import { byId, el, fill, tell } from "./dom.js";
import { rate } from "./format.js";
import { clockTime } from "./zone.js";

/** How much of the past is shown, in ms. */
export const SHOWN_MS = 300_000;
/** Most samples kept. */
const SAMPLES_MAX = 400;

/** @typedef {import("./rates.js").Rates} Rates */
/** @typedef {{ atMs: number, received: number | null, accepted: number | null, committed: number }} Sample */

const LINES = /** @type {const} */ ([
  { label: "received", color: "--received", look: "area" },
  { label: "accepted", color: "--accepted", look: "dashes" },
  { label: "committed", color: "--committed", look: "line" },
]);

/** @type {Sample[]} */
let samples = [];
/** @type {TimeChart | null} */
let chart = null;
/** Where the cursor is. @type {number | null} */
let pointed = null;

/** Makes the chart, and fills it with what was stored before the page was opened. */
export async function startThroughput() {
  chart = new TimeChart(byId("throughput-chart", HTMLElement), {
    height: 220,
    lines: [...LINES],
    axis: (value) =>
      value < 10 ? rate(value) : Intl.NumberFormat("en", {
        notation: "compact",
      }).format(value),
    onCursor: (index) => {
      pointed = index;
      showPointed();
    },
  });
  await fillHistory();
}

/**
 * Adds a sample; null while there is nothing to compare with.
 * @param {Rates | null} rates
 */
export function addSample(rates) {
  if (rates !== null) {
    const { received, accepted, committed } = rates;
    samples.push({ atMs: Date.now(), received, accepted, committed });
    samples = samples.slice(-SAMPLES_MAX);
  }
  draw();
}

/** How many events were committed a second at most, of what is shown. @returns {number} */
export function peak() {
  return samples.reduce((most, { committed }) => Math.max(most, committed), 0);
}

async function fillHistory() {
  const toMs = Math.floor(Date.now() / 1000) * 1000, fromMs = toMs - SHOWN_MS;
  try {
    const { starts, series } = await askJson(`series?interval=1s&from=${fromMs}&to=${toMs}`);
    /** @type {number[]} */
    const counts = series[0]?.counts ?? [];
    const stored = counts.map((committed, index) => (
      { atMs: Number(starts[index]) + 1000, received: null, accepted: null, committed }
    ));
    const firstMs = samples[0]?.atMs ?? Infinity;
    samples = [...stored.filter(({ atMs }) => atMs < firstMs), ...samples];
    draw();
  } catch { /* the chart then begins with the page */ }
}

function draw() {
  const nowMs = Date.now(), fromMs = nowMs - SHOWN_MS;
  const shown = samples.filter(({ atMs }) => atMs >= fromMs);
  chart?.show(
    shown.map(({ atMs }) => atMs),
    [
      shown.map(({ received }) => received),
      shown.map(({ accepted }) => accepted),
      shown.map(({ committed }) => committed),
    ],
    [fromMs, nowMs],
  );
  const now = shown.at(-1);
  const text = now === undefined
    ? "Nothing was received in the last 5 minutes."
    : `Last 5 minutes: now ${rate(now.committed)}, at most ${rate(peak())} committed a second.`;
  byId("throughput-chart", HTMLElement).setAttribute("aria-label", `Events a second. ${text}`);
  tell(byId("throughput-note", HTMLElement), `last 5 minutes, at most ${rate(peak())}`);
  showPointed();
}

function showPointed() {
  const shown = samples.filter(({ atMs }) => atMs >= Date.now() - SHOWN_MS);
  const sample = shown[pointed ?? -1] ?? shown.at(-1);
  if (sample === undefined) return;
  const values = LINES.map(({ label }) => [label, sample[label]]);
  const shownValues = values.map(([label, value]) =>
    el(
      "div",
      {},
      el("dt", {}, el("span", { class: `swatch swatch-${label}` }), ` ${label}`),
      el("dd", {}, typeof value === "number" ? rate(value) : "–"),
    )
  );
  fill(
    byId("throughput-readout", HTMLElement),
    el("div", {}, el("dt", {}, clockTime(sample.atMs))),
    ...shownValues,
  );
}
