/** Saves the events that are filtered, as a file or by a command. */

import { ask, askJson, BASE, sentence } from "./api.js";
import { byId, dialogHead, el, fill, tell } from "./dom.js";
import { COLLECTED_MAX, saveResponse, TooLargeError } from "./download.js";
import { inWords, queryOf } from "./filter.js";
import { bytes, counted } from "./format.js";
import { route } from "./route.js";
import { codeBlock } from "./snippets.js";
import { token } from "./token.js";

const FORMATS = /** @type {const} */ ([
  ["ndjson", "NDJSON", "one event a line, metadata as sent"],
  ["csv", "CSV", "for spreadsheets; a text that looks like a formula gets a ' before it"],
  ["parquet", "Parquet", "for DuckDB, pandas, Spark"],
]);

const dialog = byId("export-dialog", HTMLDialogElement);
/** @type {AbortController | null} */
let saving = null;

/** Wires the button and the dialog. */
export function startExport() {
  byId("export-open", HTMLElement).addEventListener("click", open);
  dialog.addEventListener("close", () => saving?.abort());
}

/** Closes the dialog: it is about the filter that was shown when it was opened. */
export function closeExport() {
  dialog.close();
}

function open() {
  const query = queryOf(route().params);
  const command = el("div", { class: "command" });
  const note = el("p", { class: "note" }, "Counting …");
  const progress = el("p", { class: "note", role: "status" });
  const actions = el("div", { class: "actions" });
  const show = (/** @type {string} */ format) => {
    query.set("format", format);
    fill(command, codeBlock(curl(query), "the command"));
    fill(actions, saver(query, progress));
  };
  fill(
    dialog,
    dialogHead(dialog, "Export"),
    el("p", {}, describe()),
    note,
    el("fieldset", {}, el("legend", {}, "Format"), ...FORMATS.map((each) => choice(each, show))),
    actions,
    progress,
    el("h3", {}, "The same by a command"),
    command,
  );
  show("ndjson");
  dialog.showModal();
  countInto(note);
}

/**
 * @param {typeof FORMATS[number]} format
 * @param {(format: string) => void} onChoice
 * @returns {HTMLElement}
 */
function choice([value, name, what], onChoice) {
  const attributes = { type: "radio", name: "format", value, checked: value === "ndjson" };
  const input = el("input", { ...attributes, onchange: () => onChoice(value) });
  return el("label", { class: "choice" }, input, el("span", {}, name, " ", el("small", {}, what)));
}

/** @returns {string} */
function describe() {
  const words = inWords(route().params);
  return words === "" ? "All events, the oldest first." : `Events: ${words}; the oldest first.`;
}

/**
 * Without a token the browser saves it by itself, however large it is.
 * @param {URLSearchParams} query
 * @param {HTMLElement} progress
 * @returns {HTMLElement}
 */
function saver(query, progress) {
  const name = `events.${query.get("format")}`, path = `export?${query}`;
  if (token() === null) {
    return el("a", { class: "button primary", href: BASE + path, download: name }, "Save");
  }
  const button = el("button", { type: "button", class: "primary" }, "Save");
  button.addEventListener("click", async () => {
    button.disabled = true;
    await save(path, name, progress);
    button.disabled = false;
  });
  return button;
}

/**
 * @param {string} path
 * @param {string} name
 * @param {HTMLElement} progress
 */
async function save(path, name, progress) {
  saving?.abort();
  const own = saving = new AbortController();
  let total = 0;
  tell(progress, "Asking for it …");
  try {
    const response = await ask(path, { signal: own.signal });
    await saveResponse(response, name, (all) => {
      total = all;
      tell(progress, `${bytes(total)} so far; closing this stops it.`);
    });
    tell(progress, `Saved ${bytes(total)} as ${name}.`);
  } catch (error) {
    own.abort();
    const reason = error instanceof TooLargeError
      ? `It is larger than ${bytes(COLLECTED_MAX)}, the most that a page can collect. ` +
        "Use the command below."
      : sentence(error);
    tell(progress, reason);
  }
}

/**
 * @param {HTMLElement} note
 */
async function countInto(note) {
  try {
    const query = queryOf(route().params);
    query.set("by", "source");
    query.set("limit", "100");
    const { values, others, complete } = await askJson(`top?${query}`);
    const total = /** @type {{ count: number }[]} */ (values)
      .reduce((sum, { count }) => sum + count, others);
    tell(note, `${complete ? "" : "At least "}${counted(total, "event")} at present.`);
  } catch {
    tell(note, "");
  }
}

/**
 * @param {URLSearchParams} query
 * @returns {string}
 */
function curl(query) {
  const name = `events.${query.get("format")}`;
  const header = token() === null ? "" : ' -H "authorization: Bearer TOKEN"';
  return `curl -fo ${name}${header} ${quoted(`${BASE}export?${query}`)}`;
}

/**
 * For a shell.
 * @param {string} text
 * @returns {string}
 */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
