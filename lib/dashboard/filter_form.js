/** The form that filters: one for all views, so that what was found in one is seen in the others. */

import { askJson } from "./api.js";
import { byId, el, fill, tell } from "./dom.js";
import {
  conditions,
  instantOf,
  inWords,
  iso,
  memberPath,
  MEMBERS_MAX,
  rangeOf,
  timesOf,
} from "./filter.js";
import { go, route } from "./route.js";
import { fromField, startOfDay, toField } from "./zone.js";

/** Views that can be filtered; the tail has no times. */
const FILTERED = ["events", "trends", "tail"];
/** Parameters that belong to a view and stay when the filter changes. */
const KEPT = ["by", "interval"];

const form = byId("filters", HTMLFormElement);
const box = byId("filter-box", HTMLDetailsElement);
const members = byId("members", HTMLElement);

/** Wires the form. */
export function startFilterForm() {
  box.open = matchMedia("(min-width: 701px)").matches;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  field("range").addEventListener("change", () => {
    showTimes(route().view);
    if (field("range").value === "custom") fillTimes();
    else apply();
  });
  byId("add-member", HTMLElement).addEventListener("click", () => addMember("", "").focus());
  byId("reset-filters", HTMLElement).addEventListener("click", () => {
    go(route().view, kept());
  });
  for (const [name, list] of [["type", "types"], ["source", "sources"]]) {
    field(name ?? "").addEventListener("focus", () => suggest(name ?? "", list ?? ""));
  }
}

/**
 * Shows the filter of the hash.
 * @param {import("./route.js").Route} shown
 */
export function showFilter({ view, params }) {
  box.hidden = !FILTERED.includes(view);
  const shown = view === "tail" ? conditions(params) : params;
  tell(byId("filter-summary", HTMLElement), inWords(shown));
  field("range").value = rangeOf(params);
  for (const name of ["from", "to"]) {
    const ms = instantOf(params.get(name) ?? "");
    field(name).value = Number.isNaN(ms) ? "" : toField(ms);
  }
  for (const name of ["user_id", "type", "source", "event_id"]) {
    field(name).value = params.get(name) ?? "";
  }
  fill(members);
  for (const [name, value] of params) {
    const path = memberPath(name);
    if (path !== null) addMember(path, value);
  }
  showTimes(view);
}

/** Puts into empty fields when what is shown begins and ends, or else today: a field wants all its parts. */
function fillTimes() {
  const { from, to } = timesOf(route().params);
  const [fromMs, toMs] = [instantOf(from), instantOf(to)];
  const times = {
    from: Number.isNaN(fromMs) ? startOfDay(0) : fromMs,
    to: Number.isNaN(toMs) ? startOfDay(-1) : toMs,
  };
  for (const [name, ms] of Object.entries(times)) {
    if (field(name).value === "") field(name).value = toField(ms);
  }
}

function apply() {
  const params = kept(), range = field("range").value;
  if (range === "custom") {
    for (const name of ["from", "to"]) {
      const ms = fromField(field(name).value);
      if (!Number.isNaN(ms)) params.set(name, iso(ms));
    }
    if (!params.has("from") && !params.has("to")) params.set("range", "custom");
  } else if (range !== "all") params.set("range", range);
  for (const name of ["user_id", "type", "source", "event_id"]) {
    const value = field(name).value;
    if (value !== "") params.set(name, value);
  }
  for (const row of members.children) {
    const [path = "", value = ""] = [...row.querySelectorAll("input")].map(({ value }) => value);
    if (path !== "") params.set(`where[${path}]`, value);
  }
  go(route().view, params);
}

/** @returns {URLSearchParams} */
function kept() {
  return new URLSearchParams([...route().params].filter(([name]) => KEPT.includes(name)));
}

/**
 * @param {string} view
 */
function showTimes(view) {
  const isTimed = view !== "tail", isCustom = field("range").value === "custom";
  for (const label of form.querySelectorAll("label")) {
    const needs = label.dataset.needs;
    if (needs === "time") label.hidden = !isTimed;
    if (needs === "custom") label.hidden = !isTimed || !isCustom;
  }
}

/**
 * @param {string} path
 * @param {string} value
 * @returns {HTMLInputElement} where the path is written
 */
function addMember(path, value) {
  const attributes = { autocomplete: "off", spellcheck: "false", dir: "auto" };
  const pathField = el("input", { ...attributes, placeholder: "cart.items.0.sku" });
  const valueField = el("input", { ...attributes, placeholder: "A-17, 12.5, true or null" });
  pathField.value = path;
  valueField.value = value;
  const row = el(
    "div",
    { class: "member" },
    el("label", {}, el("span", {}, "Member of metadata"), pathField),
    el("label", {}, el("span", {}, "is"), valueField),
    el("button", {
      type: "button",
      onclick: () => {
        row.remove();
        byId("add-member", HTMLButtonElement).disabled = false;
        byId("add-member", HTMLElement).focus();
      },
    }, "Remove"),
  );
  members.append(row);
  byId("add-member", HTMLButtonElement).disabled = members.children.length >= MEMBERS_MAX;
  return pathField;
}

/**
 * Offers the values that are there most often.
 * @param {string} by
 * @param {string} listId
 */
async function suggest(by, listId) {
  try {
    const { values } = await askJson(`top?by=${by}&limit=50`);
    const known = /** @type {{ value: string | null }[]} */ (values).map(({ value }) => value);
    const options = known.filter((value) => value !== null).map((value) => el("option", { value }));
    fill(byId(listId, HTMLDataListElement), ...options);
  } catch { /* the field works without them */ }
}

/**
 * @param {string} name
 * @returns {HTMLInputElement | HTMLSelectElement}
 */
function field(name) {
  const found = form.elements.namedItem(name);
  if (found instanceof HTMLInputElement || found instanceof HTMLSelectElement) return found;
  throw new TypeError(`The page has no field ${name}.`);
}
