/** Dead letters in a table, each with what can be done about it. */

import { cut, el } from "./dom.js";
import { dayAndTime } from "./zone.js";

/**
 * @typedef {{ id: number, received_at: string, source: string, protocol: string, reason: string,
 *   raw: string }} Letter
 */
/** @typedef {Readonly<Record<"open" | "replay" | "purge", (letter: Letter) => void>>} LetterActions */

/**
 * A table of dead letters.
 * @param {readonly Letter[]} letters
 * @param {LetterActions} actions
 * @returns {HTMLElement}
 */
export function letterTable(letters, actions) {
  const names = ["Received", "Source", "Protocol", "Reason", "Text", "What to do"];
  const head = names.map((name) => el("th", { scope: "col", role: "columnheader" }, name));
  return el(
    "table",
    { class: "letters", role: "table" },
    el("caption", { class: "visually-hidden" }, "Dead letters"),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...head)),
    el("tbody", { role: "rowgroup" }, ...letters.map((letter) => row(letter, actions))),
  );
}

/**
 * @param {Letter} letter
 * @param {LetterActions} actions
 * @returns {HTMLElement}
 */
function row(letter, actions) {
  const cell = (/** @type {string} */ label, /** @type {Node} */ content) =>
    el("td", { role: "cell", "data-label": label }, content);
  const name = `dead letter ${letter.id}`;
  const button = (
    /** @type {string} */ text,
    /** @type {string} */ verb,
    /** @type {() => void} */ onclick,
  ) => el("button", { type: "button", "aria-label": `${verb} ${name}`, onclick }, text);
  return el(
    "tr",
    { role: "row" },
    cell("Received", el("span", { class: "time" }, dayAndTime(Date.parse(letter.received_at)))),
    cell("Source", cut(letter.source)),
    cell("Protocol", cut(letter.protocol)),
    cell("Reason", cut(letter.reason)),
    cell("Text", el("code", {}, cut(letter.raw))),
    cell(
      "What to do",
      el(
        "div",
        { class: "actions" },
        button("Open", "Open", () => actions.open(letter)),
        button("Replay", "Replay", () => actions.replay(letter)),
        button("Purge …", "Purge", () => actions.purge(letter)),
      ),
    ),
  );
}
