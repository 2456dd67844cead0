/** Asks the collector. Knows tokens, refusals, and when nobody answers. */

import { found, lost } from "./connection.js";
import { token, wantToken } from "./token.js";

/** Longest wait for the head of an answer, in ms. */
const ANSWER_TIMEOUT_MS = 30_000;
/** Where the collector is: the page's own address. */
export const BASE = new URL(".", location.href).href;

/** A refusal of the collector, in its words. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} detail
   * @param {number} retryAfterSeconds 0 if the answer does not say
   */
  constructor(status, code, detail, retryAfterSeconds) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Nobody answered. */
export class GoneError extends Error {
  constructor() {
    super("The collector does not answer.");
  }
}

/**
 * Asks for a path and gives the answer once its head is there. Where a token is needed it asks for
 * one and tries again.
 * @param {string} path without a slash at its beginning
 * @param {{ method?: string, body?: string, headers?: Record<string, string>,
 *   signal?: AbortSignal }} [options]
 * @returns {Promise<Response>}
 * @throws {ApiError} if it is refused.
 * @throws {GoneError} if nobody answers.
 */
export async function ask(path, options = {}) {
  for (;;) {
    const used = token();
    const response = await reach(path, options, used);
    if (response.ok) return response;
    const error = await refusalOf(response);
    if (!isAboutToken(error, options.method ?? "GET")) throw error;
    // Another request may have asked for a token meanwhile.
    if (used === token()) await wantToken(used === null ? "" : reasonOf(error));
  }
}

/**
 * The same, for the JSON of an answer. Large integers lose digits: events are read by `event.js`.
 * @param {string} path
 * @param {Parameters<typeof ask>[1]} [options]
 * @returns {Promise<any>}
 */
export async function askJson(path, options) {
  return JSON.parse(await askText(path, options));
}

/**
 * The same, for its text.
 * @param {string} path
 * @param {Parameters<typeof ask>[1]} [options]
 * @returns {Promise<string>}
 */
export async function askText(path, options) {
  const response = await ask(path, options);
  try {
    return await response.text();
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    lost();
    throw new GoneError();
  }
}

/**
 * What went wrong, in a sentence; empty if it was only given up.
 * @param {unknown} error
 * @returns {string}
 */
export function sentence(error) {
  if (error instanceof DOMException && error.name === "AbortError") return "";
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const { retryAfterSeconds } = error;
  if (error.code === "forbidden") {
    return `${error.message} Choose “Forget token” and give one that has it.`;
  }
  return retryAfterSeconds === 0
    ? error.message
    : `${error.message} Try again in ${retryAfterSeconds} s.`;
}

/**
 * @param {string} path
 * @param {NonNullable<Parameters<typeof ask>[1]>} options
 * @param {string | null} used
 * @returns {Promise<Response>}
 */
async function reach(path, { method = "GET", body, headers = {}, signal }, used) {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), ANSWER_TIMEOUT_MS);
  try {
    const response = await fetch(BASE + path, {
      method,
      body: body ?? null,
      headers: used === null ? headers : { ...headers, authorization: `Bearer ${used}` },
      signal: signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]),
      cache: "no-store",
    });
    // A proxy answers for a collector that is gone.
    const isProxys = response.status >= 502 && !isProblem(response);
    if (isProxys) throw new TypeError(`status ${response.status}`);
    found();
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    lost();
    throw new GoneError();
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {Response} response
 * @returns {boolean}
 */
function isProblem(response) {
  return (response.headers.get("content-type") ?? "").includes("json");
}

/**
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function refusalOf(response) {
  const problem = await response.json().catch(() => ({}));
  const code = String(problem.type ?? "").replace(/^.*\//, "");
  const detail = String(problem.detail ?? `The collector answered ${response.status}.`);
  const seconds = Number(response.headers.get("retry-after") ?? 0);
  return new ApiError(response.status, code, detail, Number.isFinite(seconds) ? seconds : 0);
}

/**
 * Whether another token may help. What only changes something is refused to the person, who chooses.
 * @param {ApiError} error
 * @param {string} method
 * @returns {boolean}
 */
function isAboutToken({ status, code }, method) {
  if (status === 401 || code === "too-many-auth-failures") return true;
  return status === 403 && code === "forbidden" && method === "GET";
}

/**
 * @param {ApiError} error
 * @returns {string}
 */
function reasonOf(error) {
  if (error.code === "unauthorized") return "This token is not valid.";
  if (error.code === "too-many-auth-failures") {
    return `Too many wrong tokens came from here. Wait ${error.retryAfterSeconds} s.`;
  }
  return error.message;
}
