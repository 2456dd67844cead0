/** A chart of numbers over time, drawn by uPlot in the colours of the theme. */

import { el } from "./dom.js";
import { short } from "./format.js";
import { chartZone, clockTime, dayAndTime } from "./zone.js";

/** @import uPlot from "uplot" */

/**
 * @typedef {{
 *   readonly label: string,
 *   readonly color: string,
 *   readonly look: "line" | "area" | "dashes" | "steps" | "bars",
 * }} Line `color` is the name of a variable of theme.css.
 */

/**
 * @typedef {{
 *   readonly lines: readonly Line[],
 *   readonly height: number,
 *   readonly axis?: (value: number) => string,
 *   readonly onCursor?: (index: number | null) => void,
 *   readonly onSelect?: (fromMs: number, toMs: number) => void,
 * }} ChartOptions
 */

const FONT = "12px system-ui, sans-serif";
const MINUTE_MS = 60_000, DAY_MS = 86_400_000;

/** See the head of this file. It fills the width of its host. */
export class TimeChart {
  /** @type {HTMLElement} */
  #host;
  /** @type {uPlot | null} */
  #plot = null;
  /** @type {uPlot.AlignedData} */
  #data = [[]];
  /** @type {[number, number]} */
  #span = [0, 1];
  /** @type {ChartOptions} */
  #options;
  #resizes = new ResizeObserver(() => this.#fit());
  #onTheme = () => {
    colors.clear();
    this.#plot?.redraw(false, true);
  };

  /**
   * @param {HTMLElement} host
   * @param {ChartOptions} options
   */
  constructor(host, options) {
    this.#host = host;
    this.#options = options;
    this.#resizes.observe(host);
    document.addEventListener("themechange", this.#onTheme);
  }

  /**
   * Draws numbers: times (Unix epoch in ms, rising), then one list a line, null where nothing is
   * known.
   * @param {readonly number[]} times
   * @param {readonly (readonly (number | null)[])[]} values
   * @param {[number, number]} span the first and the last time that are shown
   */
  show(times, values, span) {
    this.#data = /** @type {uPlot.AlignedData} */ ([times, ...values]);
    this.#span = span;
    if (this.#plot === null) this.#fit();
    else this.#plot.setData(this.#data);
  }

  /** Removes it. */
  destroy() {
    this.#resizes.disconnect();
    document.removeEventListener("themechange", this.#onTheme);
    this.#plot?.destroy();
    this.#plot = null;
  }

  #fit() {
    const width = this.#host.clientWidth, { height } = this.#options;
    if (width === 0) return;
    if (this.#plot === null) {
      const options = this.#plotOptions(width);
      this.#plot = new globalThis.uPlot(options, this.#data, this.#host);
    } else if (this.#plot.width !== width) this.#plot.setSize({ width, height });
  }

  /**
   * @param {number} width
   * @returns {uPlot.Options}
   */
  #plotOptions(width) {
    const { lines, height, axis = short, onCursor, onSelect } = this.#options;
    const grid = { stroke: () => color("--grid"), width: 1 };
    const axisLook = { stroke: () => color("--muted"), font: FONT, grid, ticks: { show: false } };
    return {
      ...{ width, height, ms: 1, padding: [8, 22, 0, 0] },
      legend: { show: false },
      cursor: { y: false, drag: { x: onSelect !== undefined, y: false, setScale: false } },
      tzDate: (ms) => globalThis.uPlot.tzDate(new Date(ms), chartZone()),
      scales: {
        x: { time: true, range: () => this.#span },
        y: { range: (_plot, _min, max) => [0, Math.max(4, (max ?? 0) * 1.1)] },
      },
      axes: [
        {
          ...axisLook,
          ...{ space: 70, size: 30 },
          values: (_plot, times, _axis, _space, step) => labels(times, step),
        },
        { ...axisLook, size: 52, values: (_plot, values) => values.map(axis) },
      ],
      series: [{}, ...lines.map(seriesOf)],
      hooks: {
        setCursor: [({ cursor }) => onCursor?.(cursor.idx ?? null)],
        setSelect: [(plot) => this.#select(plot)],
      },
    };
  }

  /**
   * @param {uPlot} plot
   */
  #select(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#options.onSelect?.(from, to);
  }
}

/**
 * @param {Line} line
 * @returns {uPlot.Series}
 */
function seriesOf({ label, color: name, look }) {
  const stroke = () => color(name);
  /** @type {uPlot.Series} */
  const series = { label, stroke, width: look === "dashes" ? 1.5 : 2, points: { show: false } };
  if (look === "area") return { ...series, width: 1, fill: () => color(`${name}-soft`) };
  if (look === "dashes") return { ...series, dash: [4, 4] };
  const { stepped, bars } = globalThis.uPlot.paths;
  if (look === "steps" && stepped !== undefined) {
    return { ...series, paths: stepped({ align: 1 }) };
  }
  if (look !== "bars" || bars === undefined) return series;
  const paths = bars({ align: 1, size: [0.9, 60] });
  return { ...series, width: 1, fill: () => color(`${name}-soft`), paths };
}

/**
 * @param {readonly number[]} times
 * @param {number} stepMs
 * @returns {string[]}
 */
function labels(times, stepMs) {
  return times.map((ms) => {
    const day = dayAndTime(ms).slice(5, 10), time = clockTime(ms);
    if (stepMs >= DAY_MS) return day;
    if (time === "00:00:00") return day;
    return stepMs >= MINUTE_MS ? time.slice(0, 5) : time;
  });
}

/** The colours of the theme that were asked for. @type {Map<string, string>} */
const colors = new Map();

/**
 * A colour of the theme, as a canvas takes it.
 * @param {string} name
 * @returns {string}
 */
function color(name) {
  const known = colors.get(name);
  if (known !== undefined) return known;
  // Only as the colour of an element is light-dark() resolved.
  const probe = el("span", { class: "visually-hidden" });
  document.body.append(probe);
  probe.style.color = `var(${name})`;
  const found = getComputedStyle(probe).color;
  probe.remove();
  colors.set(name, found);
  return found;
}
