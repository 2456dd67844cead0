/**
 * The token: asked for once one is needed, kept for this tab (sessionStorage), and sent in a header,
 * never in a URL.
 */

import { byId, el, fill } from "./dom.js";

const KEY = "firehouse.token";

/** @type {Promise<void> | null} */
let asked = null;

/**
 * The token that was given; null if there is none.
 * @returns {string | null}
 */
export function token() {
  return sessionStorage.getItem(KEY);
}

/** Wires the button that forgets it. */
export function startToken() {
  const button = byId("forget-token", HTMLButtonElement);
  button.hidden = token() === null;
  button.addEventListener("click", () => {
    sessionStorage.removeItem(KEY);
    location.reload();
  });
}

/**
 * Asks for a token, however many need one, and resolves once one is given.
 * @param {string} reason why the one before will not do; empty if there was none
 * @returns {Promise<void>}
 */
export function wantToken(reason) {
  asked ??= askPerson(reason).finally(() => asked = null);
  return asked;
}

/**
 * @param {string} reason
 * @returns {Promise<void>}
 */
function askPerson(reason) {
  const dialog = byId("token-dialog", HTMLDialogElement);
  const field = el("input", {
    type: "password",
    name: "token",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    "aria-describedby": "token-problem",
  });
  const problem = el("p", { id: "token-problem", class: "problem", role: "alert" }, reason);
  const { promise, resolve } = Promise.withResolvers();
  let isGiven = false;
  const take = (/** @type {Event} */ event) => {
    event.preventDefault();
    const given = field.value.trim();
    if (!/^[\x21-\x7e]+$/.test(given)) {
      problem.textContent = "A token has no spaces and no letters beyond ASCII.";
      return;
    }
    isGiven = true;
    sessionStorage.setItem(KEY, given);
    byId("forget-token", HTMLElement).hidden = false;
    dialog.close();
    resolve(undefined);
  };
  fill(
    dialog,
    el("h2", { id: "token-title" }, "This collector needs a token"),
    problem,
    el(
      "p",
      {},
      "Give one with the scope read; to replay and purge dead letters it needs admin too. ",
      el("code", {}, "firehouse token create me --scopes read,admin"),
      " makes one.",
    ),
    el(
      "form",
      { onsubmit: take },
      el("label", {}, el("span", {}, "Token"), field),
      el("div", { class: "actions" }, el("button", { class: "primary" }, "Use this token")),
      el("p", { class: "note" }, "It is kept until this tab is closed."),
    ),
  );
  // Nothing can be seen without it, so there is no way round it.
  dialog.oncancel = (event) => event.preventDefault();
  dialog.onclose = () => {
    if (!isGiven) dialog.showModal();
  };
  if (!dialog.open) dialog.showModal();
  field.focus();
  return promise;
}
