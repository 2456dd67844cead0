/** Events in a table; on a narrow screen each is a card. A row leads to the event. */

import { cut, el, none } from "./dom.js";
import { changed, go, link, route } from "./route.js";
import { dayAndTime } from "./zone.js";

/** @typedef {import("./event.js").StoredEvent} StoredEvent */

const COLUMNS = ["Received", "User", "Type", "Source", "Event id", "Metadata"];

/**
 * A table of events.
 * @param {readonly StoredEvent[]} events
 * @param {string} caption what they are, for screen readers
 * @returns {HTMLTableElement}
 */
export function eventTable(events, caption) {
  return el(
    "table",
    { class: "events", role: "table" },
    el("caption", { class: "visually-hidden" }, caption),
    el(
      "thead",
      { role: "rowgroup" },
      el(
        "tr",
        { role: "row" },
        ...COLUMNS.map((name) => el("th", { scope: "col", role: "columnheader" }, name)),
      ),
    ),
    el("tbody", { role: "rowgroup" }, ...events.map(eventRow)),
  );
}

/**
 * A row of it.
 * @param {StoredEvent} event
 * @returns {HTMLTableRowElement}
 */
export function eventRow(event) {
  const here = route();
  const target = changed(here.params, { id: String(event.id) });
  const time = dayAndTime(Date.parse(event.received_at));
  const open = (/** @type {Event} */ { target: clicked }) => {
    // Who marks text, or follows the link itself, is not led away.
    if (getSelection()?.isCollapsed === false || isLink(clicked)) return;
    const { view, params } = route();
    go(view, changed(params, { id: String(event.id) }));
  };
  return el(
    "tr",
    { role: "row", onclick: open },
    cell("Received", el("a", { href: link(here.view, target), class: "time" }, time)),
    cell("User", shown(event.user)),
    cell("Type", shown(event.type)),
    cell("Source", shown(event.source)),
    cell("Event id", shown(event.event_id)),
    cell("Metadata", el("code", {}, cut(event.metadata))),
  );
}

/**
 * A row that says something instead of an event.
 * @param {string} text
 * @returns {HTMLTableRowElement}
 */
export function noticeRow(text) {
  const across = { role: "cell", colspan: String(COLUMNS.length) };
  return el("tr", { role: "row", class: "notice" }, el("td", across, text));
}

/**
 * @param {string} label
 * @param {Node} content
 * @returns {HTMLTableCellElement}
 */
function cell(label, content) {
  const look = content instanceof Element && content.className === "none" ? "absent" : "";
  return el("td", { role: "cell", "data-label": label, class: look }, content);
}

/**
 * @param {string | null} text
 * @returns {HTMLElement}
 */
function shown(text) {
  if (text === "") return el("span", { class: "none" }, '""');
  return text === null ? none() : cut(text);
}

/**
 * @param {EventTarget | null} target
 * @returns {boolean}
 */
function isLink(target) {
  return target instanceof Element && target.closest("a") !== null;
}
