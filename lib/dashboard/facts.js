/** Lists of names and values that change once a second: only what changed is touched. */

import { el } from "./dom.js";

/** A list of facts, in a `dl`. */
export class Facts {
  /** @type {HTMLElement} */
  #list;
  /** @type {Map<string, { row: HTMLElement, value: HTMLElement, note: HTMLElement }>} */
  #rows = new Map();

  /**
   * @param {HTMLElement} list
   */
  constructor(list) {
    this.#list = list;
  }

  /**
   * Shows a value under its name, and beneath it a note. The look is `bad`, `warn` or empty.
   * @param {string} name
   * @param {string} value
   * @param {{ note?: string, look?: string }} [how]
   */
  set(name, value, { note = "", look = "" } = {}) {
    const { row, ...shown } = this.#rows.get(name) ?? this.#add(name);
    if (shown.value.textContent !== value) shown.value.textContent = value;
    if (shown.note.textContent !== note) shown.note.textContent = note;
    if (row.className !== look) row.className = look;
  }

  /**
   * @param {string} name
   */
  #add(name) {
    const value = el("span", { class: "value" }), note = el("span", { class: "note" });
    const row = el("div", {}, el("dt", {}, name), el("dd", {}, value, " ", note));
    this.#list.append(row);
    const shown = { row, value, note };
    this.#rows.set(name, shown);
    return shown;
  }
}
