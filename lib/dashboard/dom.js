/**
 * Elements of the page. What comes from events is only ever put in as text: there is no way here to
 * put in HTML, a style, or a link that was not made by `route.js`.
 */

/** @typedef {Node | string | null} Child */
/** @typedef {Readonly<Record<string, string | boolean | ((event: Event) => void)>>} Attributes */

/**
 * Makes an element. An attribute that is `true` is there without a value, one that is `false` is not
 * there; `onclick` and the like are listeners.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * A text of somebody else's: its direction is its own, and does not turn what is around it.
 * @param {string} text
 * @returns {HTMLElement}
 */
export function foreign(text) {
  return el("bdi", { class: "foreign" }, text);
}

/** Longest text of somebody else's that is shown in a table, in UTF-16 code units. */
const SHOWN_MAX = 240;

/**
 * The same, cut where it is too long for a table.
 * @param {string} text
 * @returns {HTMLElement}
 */
export function cut(text) {
  if (text.length <= SHOWN_MAX) return foreign(text);
  const head = text.slice(0, SHOWN_MAX).toWellFormed().replace(/\ufffd$/, "");
  return foreign(`${head}…`);
}

/**
 * What stands where there is nothing.
 * @returns {HTMLElement}
 */
export function none() {
  return el("span", { class: "none" }, "–");
}

/**
 * The element with an id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 * @throws {TypeError} if there is none of this type.
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new TypeError(`The page has no ${type.name} #${id}.`);
  return element;
}

/**
 * Puts other children into an element.
 * @param {Element} parent
 * @param {...Child} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...children.filter((child) => child !== null));
}

/**
 * Shows a text in an element, or hides it if there is none.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}

/**
 * Has screen readers say a text, once they have time.
 * @param {string} text
 */
export function say(text) {
  byId("status", HTMLElement).textContent = text;
}

/**
 * A dialog's head: its title, and a button that closes it.
 * @param {HTMLDialogElement} dialog
 * @param {string} title
 * @returns {HTMLElement}
 */
export function dialogHead(dialog, title) {
  const id = dialog.getAttribute("aria-labelledby") ?? "";
  return el(
    "div",
    { class: "dialog-head" },
    el("h2", { id }, title),
    el("button", { type: "button", onclick: () => dialog.close() }, "Close"),
  );
}
