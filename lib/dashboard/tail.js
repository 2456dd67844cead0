/** The view that shows events as they are committed. */

import { ApiError, ask, sentence } from "./api.js";
import { byId, el, fill, say, tell } from "./dom.js";
import { readEvent } from "./event.js";
import { eventRow, eventTable, noticeRow } from "./event_table.js";
import { conditions } from "./filter.js";
import { count, counted } from "./format.js";
import { messages } from "./sse.js";

/** @typedef {import("./event.js").StoredEvent} StoredEvent */

/** Most rows that are shown, and most that wait while it is paused. */
const ROWS_MAX = 500;
/** How often rows are put in, in ms. */
const DRAW_MS = 200;
/** What is shown of the time before. */
const BEGIN_WITH = 20;
/** The collector writes a comment every 15 s: after this silence it is gone, in ms. */
const SILENCE_MS = 40_000;
const RETRY_MS = 2000;
const BROKE_OFF = "The tail broke off; it is asked for again.";

const host = byId("tail-table", HTMLElement);
const pauseButton = byId("tail-pause", HTMLButtonElement);

/** What waits to be shown, the oldest first. @type {(StoredEvent | string)[]} */
let waiting = [];
/** What did not even get a place there. */
let passedOver = 0;
let isPaused = false;
let received = 0;
/** @type {string | null} */
let shownKey = null;
/** What the view that is shown asks for. @type {URLSearchParams | null} */
let shownParams = null;
/** Id of the newest event that came. */
let lastId = "";
/** @type {AbortController | null} */
let running = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let drawing;

/** Wires the buttons. */
export function startTail() {
  pauseButton.addEventListener("click", () => {
    isPaused = !isPaused;
    pauseButton.setAttribute("aria-pressed", String(isPaused));
    pauseButton.textContent = isPaused ? "Resume" : "Pause";
    say(isPaused ? "Paused." : "Goes on.");
    draw();
  });
  byId("tail-clear", HTMLElement).addEventListener("click", clear);
  document.addEventListener("visibilitychange", () => {
    if (shownParams === null) return;
    // Six open connections are all that a browser has for one address.
    if (document.hidden) running?.abort();
    else begin(shownParams);
  });
}

/**
 * Begins, or begins anew with another filter.
 * @param {URLSearchParams} params
 * @param {"new" | "again"} how
 */
export function showTail(params, how) {
  const key = conditions(params).toString();
  if (running !== null && key === shownKey && how === "new") return;
  if (key !== shownKey || how === "again") {
    clear();
    lastId = "";
  }
  shownKey = key;
  shownParams = params;
  begin(params);
}

/** @param {URLSearchParams} params */
function begin(params) {
  running?.abort();
  running = new AbortController();
  follow(conditions(params), running.signal);
}

/** Ends it, and keeps what is shown. */
export function hideTail() {
  running?.abort();
  running = null;
  shownParams = null;
}

function clear() {
  [waiting, passedOver, received] = [[], 0, 0];
  fill(host, eventTable([], "Events as they come"));
  tellState();
}

/**
 * @param {URLSearchParams} query
 * @param {AbortSignal} signal
 */
async function follow(query, signal) {
  const problem = byId("tail-problem", HTMLElement);
  while (!signal.aborted) {
    let waitMs = RETRY_MS;
    try {
      await listen(query, signal);
      tell(problem, BROKE_OFF);
    } catch (error) {
      if (signal.aborted) return;
      tell(problem, error instanceof TypeError ? BROKE_OFF : sentence(error));
      if (error instanceof ApiError) waitMs = Math.max(waitMs, error.retryAfterSeconds * 1000);
      if (error instanceof ApiError && error.status === 400) return;
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

/**
 * @param {URLSearchParams} query
 * @param {AbortSignal} signal
 */
async function listen(query, signal) {
  const parameters = new URLSearchParams(query);
  if (lastId === "") parameters.set("last", String(BEGIN_WITH));
  else parameters.set("last_event_id", lastId);
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const either = AbortSignal.any([signal, silence.signal]);
  try {
    const response = await ask(`tail?${parameters}`, { signal: either });
    tell(byId("tail-problem", HTMLElement), "");
    if (response.body === null) return;
    for await (const message of messages(response.body.pipeThrough(new TextDecoderStream()))) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      if (signal.aborted) return;
      take(message);
    }
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {import("./sse.js").Message} message
 */
function take({ event, data, id }) {
  if (event === "") {
    lastId = id;
    received++;
    waiting.push(readEvent(data));
  } else if (event === "gap") {
    waiting.push(`${counted(Number(JSON.parse(data).skipped), "event")} more came than is shown`);
  } else return;
  if (waiting.length > ROWS_MAX) {
    passedOver += waiting.length - ROWS_MAX;
    waiting = waiting.slice(-ROWS_MAX);
  }
  drawing ??= setTimeout(draw, DRAW_MS);
}

function draw() {
  drawing = undefined;
  if (!isPaused && waiting.length > 0) {
    const body = host.querySelector("tbody"), rows = waiting.reverse().map(rowOf);
    if (passedOver > 0) rows.push(noticeRow(`${count(passedOver)} were passed over`));
    [waiting, passedOver] = [[], 0];
    body?.prepend(...rows);
    while ((body?.children.length ?? 0) > ROWS_MAX) body?.lastElementChild?.remove();
  }
  tellState();
}

/**
 * @param {StoredEvent | string} each
 * @returns {HTMLElement}
 */
function rowOf(each) {
  return typeof each === "string" ? noticeRow(each) : eventRow(each);
}

function tellState() {
  const held = waiting.length + passedOver;
  const text = isPaused
    ? `paused, ${counted(held, "event")} waiting` +
      (passedOver > 0 ? `, the last ${ROWS_MAX} of them are kept` : "")
    : `${counted(received, "event")}; the last ${ROWS_MAX} are shown`;
  tell(byId("tail-note", HTMLElement), text);
  const isEmpty = host.querySelector("tbody tr") === null;
  host.classList.toggle("is-empty", isEmpty);
  if (isEmpty && host.querySelector(".empty") === null) {
    host.append(
      el("p", { class: "empty" }, "Nothing has come yet. It shows here as it is committed."),
    );
  } else if (!isEmpty) host.querySelector(".empty")?.remove();
}
