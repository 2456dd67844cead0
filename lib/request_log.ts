/** Which requests get a line in the log, if any: each one, or those that were refused. */

import { LineLimit } from "./line_limit.ts";

/** A request that was answered. */
export interface AnsweredRequest {
  /** GET, POST, … */
  readonly method: string;
  /** Its path without the query, where tokens may be; null if the URL is none. */
  readonly path: string | null;
  /** HTTP status of the answer. */
  readonly status: number;
  /** From its head to the head of the answer. */
  readonly ms: number;
  /** Length of its body as declared; null if it was not. */
  readonly bytes: number | null;
  /** Address at the other end of the connection. */
  readonly remote: string;
  /** Wire protocol that the path belongs to; null if none. */
  readonly protocol: string | null;
  /** The id it was refused under; null if it was not refused. */
  readonly request_id: string | null;
}

/** Which requests get a line: see `options.ts`. It is asked at each request, since it may change. */
export interface RequestLogSettings {
  /** None, those answered 4xx or 5xx, or all. */
  readonly logRequests: "none" | "refused" | "all";
}

/** Who is told. */
export interface RequestLogEvents {
  /** Told a request that gets a line. */
  readonly onRequest: (request: AnsweredRequest) => void;
  /** Told once a second how many refused requests got none, if there were any. */
  readonly onLeftOut: (count: number) => void;
}

/** Most lines about refused requests a second. */
export const REFUSED_PER_SECOND = 100;
/** Longest path told, in characters. */
const PATH_MAX = 256;

/** See the head of this file. Dispose of it to have told what was left out by then. */
export class RequestLog implements Disposable {
  readonly #settings: RequestLogSettings;
  readonly #onRequest: RequestLogEvents["onRequest"];
  readonly #limit: LineLimit;

  /** Its timer does not keep the process alive. */
  constructor(settings: RequestLogSettings, { onRequest, onLeftOut }: RequestLogEvents) {
    this.#settings = settings;
    this.#onRequest = onRequest;
    this.#limit = new LineLimit({ perSecond: REFUSED_PER_SECOND, onLeftOut });
  }

  /** Whether any request gets a line. */
  get isOn(): boolean {
    return this.#settings.logRequests !== "none";
  }

  /** Tells of a request, if it gets a line. */
  answered(request: AnsweredRequest): void {
    const isAll = this.#settings.logRequests === "all";
    if (!isAll && (request.status < 400 || !this.#limit.take())) return;
    const { path, ms } = request;
    const isLong = path !== null && path.length > PATH_MAX;
    this.#onRequest({
      ...request,
      path: isLong ? `${path.slice(0, PATH_MAX)}…` : path,
      ms: Math.round(ms * 1000) / 1000,
    });
  }

  /** See the class. */
  [Symbol.dispose](): void {
    this.#limit[Symbol.dispose]();
  }
}
