/** The tables of the view of counts. */

import { cut, el, none } from "./dom.js";
import { canFilterBy, filterOf } from "./filter.js";
import { count } from "./format.js";
import { changed, link, route } from "./route.js";
import { dayAndTime } from "./zone.js";

/**
 * A line of the chart; `color` is the name of a variable of theme.css.
 * @typedef {{ name: string | null, color: string, total: number, counts: number[] }} Drawn
 */
/** @typedef {{ value: string | null, count: number }} TopValue */

/**
 * What the lines of the chart are; the cells for the numbers at the cursor are empty.
 * @param {readonly Drawn[]} lines
 * @returns {HTMLElement}
 */
export function legend(lines) {
  const rows = lines.map(({ name, color, total }) => {
    const swatch = el("span", { class: `swatch swatch${color.replace(/^-*/, "-")}` });
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, swatch, " ", name === null ? none() : cut(name)),
      el("td", { class: "number" }, count(total)),
      el("td", { class: "number", "data-line": true }),
    );
  });
  const head = ["Line", "Total", "At the cursor"].map((name, column) =>
    el("th", { scope: "col", class: column === 0 ? "" : "number" }, name)
  );
  return el(
    "table",
    { class: "legend" },
    el("thead", {}, el("tr", {}, ...head)),
    el("tbody", {}, ...rows),
  );
}

/**
 * All numbers of the chart.
 * @param {readonly number[]} starts
 * @param {readonly Drawn[]} lines
 * @returns {HTMLElement}
 */
export function numbers(starts, lines) {
  const names = lines.map(({ name }) =>
    el("th", { scope: "col" }, name === null ? none() : cut(name))
  );
  const rows = starts.map((start, index) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, dayAndTime(start)),
      ...lines.map(({ counts }) => el("td", { class: "number" }, count(counts[index] ?? 0))),
    )
  );
  const head = el("tr", {}, el("th", { scope: "col" }, "From"), ...names);
  return el("table", { class: "numbers" }, el("thead", {}, head), el("tbody", {}, ...rows));
}

/**
 * The most frequent values, each a link to its events.
 * @param {"type" | "source"} by
 * @param {{ values: TopValue[], others: number }} top
 * @returns {HTMLElement}
 */
export function topTable(by, { values, others }) {
  const most = Math.max(1, ...values.map((each) => each.count));
  if (values.length === 0) return el("p", { class: "note" }, "No events.");
  const rows = values.map(({ value, count: events }) => {
    const bar = el("meter", { max: String(most), value: String(events), "aria-hidden": "true" });
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, valueLink(by, value)),
      el("td", { class: "bar" }, bar),
      el("td", { class: "number" }, count(events)),
    );
  });
  const rest = el(
    "tr",
    {},
    el("th", { scope: "row" }, "all others"),
    el("td", {}),
    el("td", { class: "number" }, count(others)),
  );
  return el("table", { class: "top" }, el("tbody", {}, ...rows, ...(others > 0 ? [rest] : [])));
}

/**
 * @param {string} by
 * @param {string | null} value
 * @returns {HTMLElement}
 */
function valueLink(by, value) {
  if (value === null) return none();
  if (!canFilterBy(value)) return cut(value);
  return el(
    "a",
    { href: link("events", changed(filterOf(route().params), { [by]: value })) },
    cut(value),
  );
}
