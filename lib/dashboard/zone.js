/** Times in the zone that was chosen, the reader's or UTC. The choice is kept in localStorage. */

import { byId } from "./dom.js";

const KEY = "firehouse.zone";
const DAY_MS = 86_400_000;

/** @returns {boolean} */
function isUtc() {
  return localStorage.getItem(KEY) === "utc";
}

/**
 * Has the choice in the page's head change the zone; `onChange` then shows all times anew.
 * @param {() => void} onChange
 */
export function watchZone(onChange) {
  const choice = byId("zone", HTMLSelectElement);
  choice.value = isUtc() ? "utc" : "local";
  choice.addEventListener("change", () => {
    localStorage.setItem(KEY, choice.value);
    onChange();
  });
}

/**
 * A time (Unix epoch in ms) moved so that the UTC fields of a Date have what the zone's clock shows.
 * @param {number} ms
 * @returns {Date}
 */
function shifted(ms) {
  return new Date(isUtc() ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000);
}

/**
 * Day and time to the ms: 2026-11-24 11:03:40.123.
 * @param {number} ms
 * @returns {string}
 */
export function dayAndTime(ms) {
  return shifted(ms).toISOString().slice(0, 23).replace("T", " ");
}

/**
 * The time to the second: 11:03:40.
 * @param {number} ms
 * @returns {string}
 */
export function clockTime(ms) {
  return shifted(ms).toISOString().slice(11, 19);
}

/**
 * The zone's name, for a caption.
 * @returns {string}
 */
export function zoneName() {
  return isUtc() ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/**
 * The name of the zone as charts want it.
 * @returns {string}
 */
export function chartZone() {
  return isUtc() ? "Etc/UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/**
 * What a `datetime-local` field shows for a time.
 * @param {number} ms
 * @returns {string}
 */
export function toField(ms) {
  return shifted(ms).toISOString().slice(0, 23);
}

/**
 * The time (Unix epoch in ms) that a `datetime-local` field says; NaN if it says none.
 * @param {string} text
 * @returns {number}
 */
export function fromField(text) {
  return Date.parse(isUtc() ? `${text}Z` : text);
}

/**
 * The first instant of a day, so many days before today.
 * @param {number} daysAgo
 * @returns {number}
 */
export function startOfDay(daysAgo) {
  const day = shifted(Date.now()).toISOString().slice(0, 10);
  const before = new Date(Date.parse(`${day}T12:00:00Z`) - daysAgo * DAY_MS);
  return fromField(`${before.toISOString().slice(0, 10)}T00:00`);
}
