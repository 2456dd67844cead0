/** The view of events that can not be stored: looked at, mended, replayed, purged. */

import { ask, askJson, BASE, sentence } from "./api.js";
import { confirmed } from "./confirm.js";
import { byId, dialogHead, el, fill, foreign, say, tell } from "./dom.js";
import { saveResponse } from "./download.js";
import { counted } from "./format.js";
import { letterTable } from "./letter_table.js";
import { token } from "./token.js";

/** @typedef {import("./letter_table.js").Letter} Letter */

/** Letters a page. */
const PAGE = 50;
/** So many are counted beside the view's name. */
const BADGE_MAX = 9;
const BADGE_EVERY_MS = 3000;

const dialog = byId("letter-dialog", HTMLDialogElement);
const problem = byId("letters-problem", HTMLElement);
const purge = byId("letters-purge", HTMLButtonElement);

/** @type {Letter[]} */
let shown = [];
let hasMore = false;
let after = 0;
/** How many had become one when the badge was counted. @type {number | null} */
let badgeOf = null;
let badgeAtMs = -Infinity;

/** Wires the buttons. */
export function startDeadLetters() {
  byId("letters-refresh", HTMLElement).addEventListener("click", () => showDeadLetters());
  byId("letters-first", HTMLElement).addEventListener("click", () => turnTo(0));
  byId("letters-next", HTMLElement).addEventListener("click", () => turnTo(shown.at(-1)?.id ?? 0));
  byId("letters-export", HTMLElement).addEventListener("click", exportAll);
  purge.addEventListener("click", purgeShown);
}

/** Asks for the page and shows it. */
export async function showDeadLetters() {
  try {
    shown = await letters(after, PAGE);
    const last = shown.at(-1)?.id ?? after;
    hasMore = shown.length > 0 && (await letters(last, 1)).length > 0;
    tell(problem, "");
  } catch (error) {
    return tell(problem, sentence(error));
  }
  draw();
}

/**
 * @param {number} after
 * @param {number} limit
 * @returns {Promise<Letter[]>}
 */
async function letters(after, limit) {
  return (await askJson(`dead-letters?after=${after}&limit=${limit}`)).dead_letters;
}

/**
 * Counts them beside the view's name, if there may be others than before.
 * @param {number} deadLettered how many events ever became one
 */
export async function countDeadLetters(deadLettered) {
  if (deadLettered === badgeOf || performance.now() - badgeAtMs < BADGE_EVERY_MS) return;
  [badgeOf, badgeAtMs] = [deadLettered, performance.now()];
  try {
    const found = (await letters(0, BADGE_MAX + 1)).length;
    const text = found === 0 ? "" : found > BADGE_MAX ? `${BADGE_MAX}+` : String(found);
    tell(byId("letters-badge", HTMLElement), text);
  } catch {
    badgeOf = null;
  }
}

/** Times are shown in another zone. */
export function redrawDeadLetters() {
  draw();
}

function draw() {
  const host = byId("letters-table", HTMLElement), last = shown.at(-1);
  const note = shown.length === 0
    ? "none" + (after === 0 ? "" : " after these")
    : `${counted(shown.length, "letter")}, the oldest first${hasMore ? "; there are more" : ""}`;
  tell(byId("letters-note", HTMLElement), note);
  purge.hidden = last === undefined;
  purge.textContent = `Purge all up to ${last?.id ?? 0} …`;
  byId("letters-first", HTMLElement).hidden = after === 0;
  byId("letters-next", HTMLElement).hidden = !hasMore;
  byId("letters-export", HTMLElement).hidden = last === undefined;
  if (last === undefined) {
    fill(host, el("p", { class: "empty" }, "There are no dead letters here."));
  } else {fill(
      host,
      letterTable(shown, {
        open,
        purge: purgeOne,
        replay: (letter) => replay(letter, null),
      }),
    );}
}

/**
 * @param {number} id
 */
function turnTo(id) {
  after = id;
  showDeadLetters();
  byId("letters-title", HTMLElement).focus();
}

/**
 * @param {Letter} letter
 */
function open(letter) {
  const field = el("textarea", { id: "letter-raw", rows: "14", spellcheck: "false", dir: "auto" });
  field.value = letter.raw;
  // The field may write line breaks in its own way.
  const before = field.value;
  const replayIt = () => {
    dialog.close();
    replay(letter, field.value === before ? null : field.value);
  };
  const purgeIt = () => {
    dialog.close();
    purgeOne(letter);
  };
  fill(
    dialog,
    dialogHead(dialog, `Dead letter ${letter.id}`),
    el("p", {}, foreign(letter.reason)),
    el(
      "p",
      { class: "note" },
      foreign(`${letter.source} · ${letter.protocol} · ${letter.received_at}`),
    ),
    el("label", { for: "letter-raw" }, "Its text; mend it here if that is what it needs"),
    field,
    el(
      "div",
      { class: "actions" },
      el("button", { type: "button", class: "primary", onclick: replayIt }, "Replay"),
      el("button", { type: "button", class: "danger", onclick: purgeIt }, "Purge …"),
    ),
  );
  dialog.showModal();
}

/**
 * @param {Letter} letter
 * @param {string | null} mended
 */
async function replay({ id }, mended) {
  try {
    const options = mended === null ? {} : { body: mended };
    const answer = await askJson(`dead-letters/${id}/replay`, { method: "POST", ...options });
    await changedBy(replayed(id, answer));
  } catch (error) {
    tell(problem, `Dead letter ${id} was not replayed: ${sentence(error)}`);
  }
}

/**
 * @param {number} id
 * @param {{ status: string, stored: string, duplicates: number }} answer
 * @returns {string}
 */
function replayed(id, { status, stored, duplicates }) {
  if (status === "dead_lettered") {
    return `The database refused letter ${id} again; it is a new one.`;
  }
  if (duplicates > 0) return `Letter ${id} was stored before; it is gone from here.`;
  return `Letter ${id} was replayed: ${stored}.`;
}

/**
 * @param {Letter} letter
 */
async function purgeOne({ id }) {
  const question = `Dead letter ${id} and its text will be gone for good.`;
  if (!await confirmed(`Purge dead letter ${id}?`, question, "Purge")) return;
  await remove(`dead-letters/${id}`, `Letter ${id} was purged.`);
}

async function purgeShown() {
  const through = shown.at(-1)?.id ?? 0;
  const question = `Every dead letter up to number ${through} will be gone for good.`;
  if (!await confirmed(`Purge all up to ${through}?`, question, "Purge them")) return;
  await remove(`dead-letters?through=${through}`, `All up to ${through} were purged.`);
}

/**
 * @param {string} path
 * @param {string} told
 */
async function remove(path, told) {
  try {
    await ask(path, { method: "DELETE" });
    await changedBy(told);
  } catch (error) {
    tell(problem, `Nothing was purged: ${sentence(error)}`);
  }
}

/**
 * @param {string} told
 */
async function changedBy(told) {
  [badgeOf, badgeAtMs] = [null, -Infinity];
  await showDeadLetters();
  say(told);
  tell(byId("letters-note", HTMLElement), told);
}

async function exportAll() {
  const path = "dead-letters/export", name = "dead-letters.ndjson";
  if (token() === null) return location.assign(BASE + path);
  try {
    await saveResponse(await ask(path), name, () => {});
  } catch (error) {
    tell(problem, sentence(error));
  }
}
