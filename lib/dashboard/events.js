/** The view in which stored events are found: a page of them, the newest first. */

import { askText, sentence } from "./api.js";
import { byId, el, fill, say, tell } from "./dom.js";
import { readEvents } from "./event.js";
import { eventRow, eventTable } from "./event_table.js";
import { filterOf, queryOf, rangeOf } from "./filter.js";
import { counted } from "./format.js";
import { changed, go, route } from "./route.js";
import { dayAndTime, zoneName } from "./zone.js";

/** @typedef {import("./event.js").StoredEvent} StoredEvent */

/** Events a page. */
const PAGE = 50;

const host = byId("events-table", HTMLElement);
const [newest, newer, older, searchOn] = [
  byId("newest-page", HTMLButtonElement),
  byId("newer-page", HTMLButtonElement),
  byId("older-page", HTMLButtonElement),
  byId("search-on", HTMLButtonElement),
];

/** What is shown, so that it is not asked for again when only a detail is opened. */
let shownKey = "";
/** @type {StoredEvent[]} */
let shown = [];
/** Where the page after it begins. @type {string | null} */
let next = null;
/** From when to when the page is, as it was asked for. */
let times = { from: "", to: "" };
/** Where the pages began through which the reader came here. @type {string[]} */
let trail = [];
/** @type {AbortController | null} */
let asking = null;

/** Wires the buttons. */
export function startEvents() {
  newest.addEventListener("click", () => {
    trail = [];
    turnTo("");
  });
  newer.addEventListener("click", () => turnTo(trail.pop() ?? ""));
  older.addEventListener("click", () => {
    trail.push(route().params.get("after") ?? "");
    turnTo(next ?? "");
  });
  searchOn.addEventListener("click", () => load(next, "more"));
}

/**
 * Shows what the hash asks for.
 * @param {URLSearchParams} params
 * @param {"new" | "again"} how
 */
export function showEvents(params, how) {
  const after = params.get("after") ?? "";
  const key = `${filterOf(params)}#${after}`;
  if (key === shownKey && how === "new") return;
  if (after === "") trail = [];
  shownKey = key;
  load(after === "" ? null : after, "page");
}

/** Times are shown in another zone. */
export function redrawEvents() {
  if (shown.length > 0) fill(host, eventTable(shown, "Events"));
}

/**
 * @param {string} after
 */
function turnTo(after) {
  const { params } = route();
  const isOpen = after === "" && rangeOf(params) !== "custom";
  go("events", changed(params, { ...(isOpen ? { from: "", to: "" } : times), after, id: "" }));
  byId("events-title", HTMLElement).focus();
}

/**
 * Asks for a page, or for what is missing of the one that is shown.
 * @param {string | null} after
 * @param {"page" | "more"} what
 */
async function load(after, what) {
  asking?.abort();
  const own = asking = new AbortController();
  const query = queryOf(route().params);
  if (what === "page") times = { from: query.get("from") ?? "", to: query.get("to") ?? "" };
  else for (const [name, value] of Object.entries(times)) if (value !== "") query.set(name, value);
  query.set("limit", String(what === "page" ? PAGE : PAGE - shown.length));
  if (after !== null) query.set("after", after);
  host.setAttribute("aria-busy", "true");
  try {
    const page = readEvents(await askText(`events?${query}`, { signal: own.signal }));
    next = page.next;
    if (what === "page") showPage(page.events);
    else addToPage(page.events);
    showEnd(page.complete);
    tell(byId("events-problem", HTMLElement), "");
  } catch (error) {
    if (own.signal.aborted) return;
    shownKey = ""; // asked for again as soon as somebody wants it
    tell(byId("events-problem", HTMLElement), sentence(error));
  } finally {
    if (asking === own) host.removeAttribute("aria-busy");
  }
}

/**
 * @param {StoredEvent[]} events
 */
function showPage(events) {
  shown = events;
  if (events.length > 0) fill(host, eventTable(events, "Events"));
  else fill(host, el("p", { class: "empty" }, "No event is like this."));
}

/**
 * @param {StoredEvent[]} events
 */
function addToPage(events) {
  shown = [...shown, ...events];
  const body = host.querySelector("tbody");
  if (body === null) showPage(shown);
  else body.append(...events.map(eventRow));
}

/**
 * @param {boolean} isComplete
 */
function showEnd(isComplete) {
  const isCut = !isComplete && next !== null;
  newest.hidden = !route().params.has("after");
  newer.hidden = trail.length === 0;
  older.hidden = next === null || isCut;
  searchOn.hidden = !isCut;
  const last = shown.at(-1),
    since = last === undefined ? "" : dayAndTime(Date.parse(last.received_at));
  tell(
    byId("events-cut", HTMLElement),
    isCut
      ? "There was no time to look at everything: older events may be like this too. " +
        (since === "" ? "Search on." : `The oldest found so far is of ${since}. Search on.`)
      : "",
  );
  const place = next === null ? "no older ones" : "there are older ones";
  const text = `${counted(shown.length, "event")}, ${isCut ? "search cut short" : place}`;
  tell(byId("events-note", HTMLElement), `${text} · times in ${zoneName()}`);
  say(text);
}
