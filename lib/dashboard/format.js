/** Numbers, sizes and times as people read them. */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const TENTHS = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const PRECISE = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/**
 * A whole number, with commas.
 * @param {number} value
 * @returns {string}
 */
export function count(value) {
  return WHOLE.format(value);
}

/**
 * A number for an axis: 1.2K.
 * @param {number} value
 * @returns {string}
 */
export function short(value) {
  return SHORT.format(value);
}

/**
 * So many a second; small rates with a decimal.
 * @param {number} value
 * @returns {string}
 */
export function rate(value) {
  return (value < 10 ? TENTHS : WHOLE).format(value);
}

/**
 * A time span given in ms: 0.42 ms, 12 s, 3 h 5 min.
 * @param {number} ms
 * @returns {string}
 */
export function span(ms) {
  if (ms < 1000) return `${PRECISE.format(ms)} ms`;
  if (ms < 60_000) return `${PRECISE.format(ms / 1000)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/**
 * A size: 512 B, 1.4 MiB.
 * @param {number} value
 * @returns {string}
 */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${PRECISE.format(value)} ${units[unit]}`;
}

/**
 * A number and its noun: 1 event, 2 events.
 * @param {number} value
 * @param {string} noun
 * @returns {string}
 */
export function counted(value, noun) {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}
