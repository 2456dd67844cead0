/** A button that copies a text. */

import { el, say } from "./dom.js";

const SHOWN_MS = 2000;

/**
 * A button for a text, which is asked for when it is pressed.
 * @param {() => string} text
 * @param {string} what names it: Copy metadata
 * @param {string} [label] what it says
 * @returns {HTMLButtonElement}
 */
export function copyButton(text, what, label = `Copy ${what}`) {
  const button = el("button", { type: "button", "aria-label": `Copy ${what}` }, label);
  button.addEventListener("click", async () => {
    const isDone = await copy(text());
    const told = isDone ? "Copied" : "The browser does not allow it";
    button.textContent = told;
    say(told);
    setTimeout(() => button.textContent = label, SHOWN_MS);
  });
  return button;
}

/**
 * @param {string} text
 * @returns {Promise<boolean>}
 */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyMarked(text);
  }
}

/**
 * The old way, which works over plain HTTP too.
 * @param {string} text
 * @returns {boolean}
 */
function copyMarked(text) {
  const field = el("textarea", { class: "visually-hidden", "aria-hidden": "true" });
  field.value = text;
  const host = document.querySelector("dialog[open]") ?? document.body;
  host.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  return isDone;
}
