/** The page, wired: the hash chooses a view, the collector's numbers go where they are shown. */

import { sentence } from "./api.js";
import { isLost } from "./connection.js";
import {
  countDeadLetters,
  redrawDeadLetters,
  showDeadLetters,
  startDeadLetters,
} from "./dead_letters.js";
import { redrawDetail, showDetail, startDetail } from "./detail.js";
import { byId } from "./dom.js";
import { redrawEvents, showEvents, startEvents } from "./events.js";
import { closeExport, startExport } from "./export.js";
import { filterOf } from "./filter.js";
import { showFilter, startFilterForm } from "./filter_form.js";
import { span } from "./format.js";
import { redrawLive, showNewest, showStats, startLive } from "./live.js";
import { link, route, VIEWS, watchRoute } from "./route.js";
import { showSnippets } from "./snippets.js";
import { watchStats } from "./stats.js";
import { hideTail, showTail, startTail } from "./tail.js";
import { startToken } from "./token.js";
import { redrawTrends, showTrends, startTrends } from "./trends.js";
import { watchZone } from "./zone.js";

/** Views that filter: the links to them take the filter along. */
const FILTERED = ["events", "trends", "tail"];

/** @type {string | null} */
let shownView = null;

/**
 * @param {import("./route.js").Route} asked
 * @param {"new" | "again"} how
 */
function show(asked, how) {
  const { view, params } = asked, isOther = view !== shownView;
  if (how === "new") closeExport();
  if (isOther) {
    for (const name of VIEWS) byId(name, HTMLElement).hidden = name !== view;
    if (shownView === "tail") hideTail();
    if (shownView !== null) byId(view, HTMLElement).querySelector("h2")?.focus();
    document.title = `${titleOf(view)} · Firehouse`;
  }
  shownView = view;
  showNav(asked);
  showFilter(asked);
  if (view === "events") showEvents(params, how);
  else if (view === "trends") showTrends(params, how);
  else if (view === "tail") showTail(params, how);
  else if (view === "dead-letters" && isOther) showDeadLetters();
  else if (view === "connect") showSnippets();
  showDetail(params);
}

/**
 * @param {import("./route.js").Route} shown
 */
function showNav({ view, params }) {
  for (const anchor of byId("nav", HTMLElement).querySelectorAll("a")) {
    const name = /^#\/([\w-]+)/.exec(anchor.getAttribute("href") ?? "")?.[1] ?? "";
    if (name === view) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
    if (FILTERED.includes(name)) anchor.setAttribute("href", link(name, filterOf(params)));
  }
}

/**
 * @param {string} view
 * @returns {string}
 */
function titleOf(view) {
  return byId(view, HTMLElement).querySelector("h2")?.textContent ?? "";
}

/**
 * @param {import("./rates.js").Stats} stats
 * @param {import("./rates.js").Rates | null} rates
 */
function showNumbers(stats, rates) {
  showStats(stats, rates);
  if (route().view === "live") showNewest(stats);
  countDeadLetters(stats.dead_lettered);
  const error = stats.last_commit_error;
  tellHealth(
    error === null
      ? `up ${span(stats.uptime_seconds * 1000)}`
      : stats.journaled > 0
      ? "the database takes nothing; events go to the journal"
      : "commits fail",
    error === null ? "good" : "bad",
  );
}

/**
 * @param {string} text
 * @param {"good" | "bad"} look
 */
function tellHealth(text, look) {
  const health = byId("health", HTMLElement);
  if (health.textContent !== text) health.textContent = text;
  health.className = `health ${look}`;
}

function redraw() {
  redrawLive();
  redrawEvents();
  redrawTrends();
  redrawDeadLetters();
  redrawDetail();
  showFilter(route());
}

document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault(); // the hash is the view's
  byId("main", HTMLElement).focus();
});
startToken();
startFilterForm();
startLive();
startEvents();
startTrends();
startTail();
startDeadLetters();
startExport();
startDetail();
watchZone(redraw);
watchRoute(show);
watchStats(showNumbers, (error) => {
  if (!isLost()) tellHealth(sentence(error), "bad");
});
