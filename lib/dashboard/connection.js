/** Whether the collector answers. What is shown stays while it does not. */

import { byId, say, tell } from "./dom.js";
import { clockTime } from "./zone.js";

/** @type {number | null} */
let lostAtMs = null;

/** Whether nobody answers at present. @returns {boolean} */
export function isLost() {
  return lostAtMs !== null;
}

/** Nobody answered. */
export function lost() {
  if (lostAtMs !== null) return;
  lostAtMs = Date.now();
  document.body.classList.add("lost");
  tell(
    byId("gone", HTMLElement),
    `The collector does not answer since ${clockTime(lostAtMs)}. ` +
      "What is shown is from before; it is tried again and again.",
  );
}

/** The collector answered. */
export function found() {
  if (lostAtMs === null) return;
  lostAtMs = null;
  document.body.classList.remove("lost");
  tell(byId("gone", HTMLElement), "");
  say("The collector answers again.");
}
