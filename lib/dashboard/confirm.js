/** Asks before something is destroyed. */

import { byId, dialogHead, el, fill } from "./dom.js";

/**
 * Whether the person wants it.
 * @param {string} title
 * @param {string} question
 * @param {string} verb what the button says
 * @returns {Promise<boolean>}
 */
export function confirmed(title, question, verb) {
  const dialog = byId("confirm-dialog", HTMLDialogElement);
  const { promise, resolve } = Promise.withResolvers();
  const close = (/** @type {boolean} */ isWanted) => {
    resolve(isWanted);
    dialog.close();
  };
  const no = el("button", { type: "button", onclick: () => close(false) }, "Keep");
  const yes = el("button", { type: "button", class: "danger", onclick: () => close(true) }, verb);
  fill(
    dialog,
    dialogHead(dialog, title),
    el("p", {}, question),
    el("div", { class: "actions" }, no, yes),
  );
  dialog.onclose = () => resolve(false);
  dialog.showModal();
  no.focus();
  return promise;
}
