/** One event in full: all its columns, `metadata` for reading and as sent. */

import { ask, askText, BASE, sentence } from "./api.js";
import { copyButton } from "./copy.js";
import { byId, dialogHead, el, fill, foreign, none } from "./dom.js";
import { saveBlob } from "./download.js";
import { readEvent } from "./event.js";
import { canFilterBy } from "./filter.js";
import { indented } from "./json_text.js";
import { changed, go, link, route } from "./route.js";
import { token } from "./token.js";
import { dayAndTime, zoneName } from "./zone.js";

/** @typedef {import("./event.js").StoredEvent} StoredEvent */

/** Longest metadata that is shown whole, in UTF-16 code units: twice what is taken by default. */
const SHOWN_MAX = 524_288;
const CUT = "Only its beginning is shown, since it is long; copied or raw it is whole.";
/** Most pieces of JSON that are coloured; longer ones are shown plain. */
const COLOURED_MAX = 5000;

const dialog = byId("event-dialog", HTMLDialogElement);
let shownId = "";

/** Wires the dialog. */
export function startDetail() {
  dialog.addEventListener("close", () => {
    shownId = "";
    const { view, params } = route();
    if (params.has("id")) go(view, changed(params, { id: "" }));
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
}

/**
 * Shows the event that the hash names, if it names one.
 * @param {URLSearchParams} params
 */
export async function showDetail(params) {
  const id = params.get("id") ?? "";
  if (id === shownId) return;
  shownId = id;
  if (id === "") return dialog.close();
  fill(dialog, dialogHead(dialog, "Event"), el("p", { class: "note" }, "Looking for it …"));
  if (!dialog.open) dialog.showModal();
  try {
    if (!/^\d{1,15}$/.test(id)) {
      throw new RangeError("The link names no event: its id is no number.");
    }
    const event = readEvent(await askText(`events/${id}`));
    if (shownId === id) fill(dialog, ...content(event));
  } catch (error) {
    const problem = el("p", { class: "banner bad", role: "alert" }, sentence(error));
    if (shownId === id) fill(dialog, dialogHead(dialog, "Event"), problem);
  }
}

/** Times are shown in another zone. */
export function redrawDetail() {
  shownId = "";
  showDetail(route().params);
}

/**
 * @param {StoredEvent} event
 * @returns {(Node | null)[]}
 */
function content(event) {
  const received = Date.parse(event.received_at);
  const metadata = event.metadata.slice(0, SHOWN_MAX).toWellFormed();
  const box = { tabindex: "0", role: "region" };
  return [
    dialogHead(dialog, `Event ${event.id}`),
    el(
      "dl",
      { class: "columns" },
      column("id", el("span", {}, String(event.id))),
      column("user_id", text(event.user_id), { user_id: event.user_id }),
      column("actor", text(event.actor), { user_id: event.actor }),
      column("timestamp", text(event.timestamp)),
      column(
        "received_at",
        text(event.received_at),
        {},
        el("span", { class: "note" }, `${dayAndTime(received)} ${zoneName()}`),
      ),
      column("source", text(event.source), { source: event.source }),
      column("type", text(event.type), { type: event.type }),
      column("event_id", text(event.event_id), { event_id: event.event_id }),
    ),
    el(
      "div",
      { class: "panel-head" },
      el("h3", {}, "metadata"),
      copyButton(() => event.metadata, "metadata"),
      copyButton(() => event.text, "the whole event"),
      rawLink(event.id),
    ),
    metadata === event.metadata ? null : el("p", { class: "banner warn" }, CUT),
    el(
      "pre",
      { ...box, class: "json", "aria-label": "metadata for reading" },
      pretty(metadata),
    ),
    el(
      "details",
      {},
      el("summary", {}, "As sent"),
      el("pre", { ...box, class: "json raw", "aria-label": "as sent" }, metadata),
    ),
  ];
}

/**
 * @param {string} name
 * @param {Node} value
 * @param {Readonly<Record<string, string | null>>} [filter] what finds others like it
 * @param {Node} [note]
 * @returns {HTMLElement}
 */
function column(name, value, filter = {}, note) {
  const [[parameter, wanted] = ["", null]] = Object.entries(filter);
  const like = !canFilterBy(wanted) ? null : el(
    "a",
    { class: "like", href: link("events", new URLSearchParams({ [parameter]: wanted })) },
    "others like it",
  );
  return el("div", {}, el("dt", {}, name), el("dd", {}, value, " ", like, note ?? null));
}

/**
 * @param {string | null} value
 * @returns {HTMLElement}
 */
function text(value) {
  return value === null ? none() : foreign(value);
}

/**
 * @param {string} metadata
 * @returns {Node}
 */
function pretty(metadata) {
  const pieces = [...indented(metadata)], all = document.createDocumentFragment();
  if (pieces.length > COLOURED_MAX) {
    all.append(pieces.map(([, piece]) => piece).join(""));
    return all;
  }
  for (const [kind, piece] of pieces) {
    all.append(kind === "mark" ? piece : el("bdi", { class: `json-${kind}` }, piece));
  }
  return all;
}

/**
 * A link to the event's own address; where a token is needed, which a link can not send, a button
 * that saves what is there.
 * @param {number} id
 * @returns {HTMLElement}
 */
function rawLink(id) {
  const href = `${BASE}events/${id}`;
  if (token() === null) return el("a", { href, target: "_blank", rel: "noreferrer" }, "Raw JSON");
  const save = async () => {
    const response = await ask(`events/${id}`);
    saveBlob(await response.blob(), `event-${id}.json`);
  };
  return el("button", { type: "button", onclick: save }, "Save raw JSON");
}
