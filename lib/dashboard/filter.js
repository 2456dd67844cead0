/** Which events are asked for: from the page's hash to the parameters of the API. */

import { dayAndTime, startOfDay } from "./zone.js";

const FIELDS = ["user_id", "type", "source", "event_id"];
const TIMES = ["range", "from", "to"];
/** Most members of `metadata` that can be filtered by at once. */
export const MEMBERS_MAX = 8;

/** @type {Readonly<Record<string, number>>} */
const SPANS_MS = {
  "5m": 300_000,
  "15m": 900_000,
  "1h": 3_600_000,
  "6h": 21_600_000,
  "24h": 86_400_000,
  "7d": 604_800_000,
};

/**
 * Whether a parameter of the hash is part of the filter.
 * @param {string} name
 * @returns {boolean}
 */
function isFilter(name) {
  return FIELDS.includes(name) || TIMES.includes(name) || memberPath(name) !== null;
}

/**
 * The path in `where[path]`; null if it is no such parameter.
 * @param {string} name
 * @returns {string | null}
 */
export function memberPath(name) {
  return /^where\[(.*)\]$/s.exec(name)?.[1] ?? null;
}

/**
 * What of the hash is filter: goes along from view to view.
 * @param {URLSearchParams} params
 * @returns {URLSearchParams}
 */
export function filterOf(params) {
  return new URLSearchParams([...params].filter(([name, value]) => isFilter(name) && value !== ""));
}

/**
 * The API's parameters for the filter, without its times.
 * @param {URLSearchParams} params
 * @returns {URLSearchParams}
 */
export function conditions(params) {
  return new URLSearchParams([...filterOf(params)].filter(([name]) => !TIMES.includes(name)));
}

/**
 * The API's parameters for the filter, a range as the times it is now.
 * @param {URLSearchParams} params
 * @returns {URLSearchParams}
 */
export function queryOf(params) {
  const query = conditions(params), { from, to } = timesOf(params);
  if (from !== "") query.set("from", from);
  if (to !== "") query.set("to", to);
  return query;
}

/** @type {Readonly<Record<string, string>>} */
const WORDS = {
  "5m": "in the last 5 minutes",
  "15m": "in the last 15 minutes",
  "1h": "in the last hour",
  "6h": "in the last 6 hours",
  "24h": "in the last 24 hours",
  "7d": "in the last 7 days",
  today: "today",
  yesterday: "yesterday",
};

/**
 * The filter in words; empty if there is none.
 * @param {URLSearchParams} params
 * @returns {string}
 */
export function inWords(params) {
  const words = WORDS[rangeOf(params)], { from, to } = timesOf(params);
  const time = words ??
    [from && `from ${shownTime(from)}`, to && `to ${shownTime(to)}`].filter(Boolean).join(" ");
  const others = [...conditions(params)].map(([name, value]) => {
    const path = memberPath(name);
    return path === null
      ? `${name.replace("_id", " id").replace("user id", "user")} ${value}`
      : `${path} = ${value}`;
  });
  return [...time === "" ? [] : [`received ${time}`], ...others].join(", ");
}

/**
 * @param {string} text
 * @returns {string}
 */
function shownTime(text) {
  const ms = instantOf(text);
  return Number.isNaN(ms) ? text : dayAndTime(ms);
}

/** Longest value that the API filters by, in UTF-16 code units. */
const VALUE_MAX = 1024;

/**
 * Whether the API filters by a value.
 * @param {string | null} value
 * @returns {value is string}
 */
export function canFilterBy(value) {
  return value !== null && value !== "" && value.length <= VALUE_MAX;
}

/**
 * From when to when, as the API wants it; empty where there is no end. With a cursor the times are
 * those of the hash, also for a range such as the last hour: a cursor is good for its query alone.
 * @param {URLSearchParams} params
 * @returns {{ from: string, to: string }}
 */
export function timesOf(params) {
  const range = params.has("after") ? "" : params.get("range") ?? "";
  const spanMs = SPANS_MS[range];
  if (spanMs !== undefined) return { from: iso(Date.now() - spanMs), to: "" };
  if (range === "today") return { from: iso(startOfDay(0)), to: iso(startOfDay(-1)) };
  if (range === "yesterday") return { from: iso(startOfDay(1)), to: iso(startOfDay(0)) };
  return { from: params.get("from") ?? "", to: params.get("to") ?? "" };
}

/**
 * Which of the ranges is chosen.
 * @param {URLSearchParams} params
 * @returns {string}
 */
export function rangeOf(params) {
  const range = params.get("range") ?? "";
  if (range in SPANS_MS || range === "today" || range === "yesterday") return range;
  return params.has("from") || params.has("to") || range === "custom" ? "custom" : "all";
}

/**
 * A time of the hash in Unix epoch ms; NaN if it is none.
 * @param {string} text
 * @returns {number}
 */
export function instantOf(text) {
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text);
}

/**
 * @param {number} ms
 * @returns {string}
 */
export function iso(ms) {
  return new Date(ms).toISOString();
}
