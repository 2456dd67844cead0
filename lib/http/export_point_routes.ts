/** Export points over HTTP: looked at, set, removed. */

import { isUtf8 } from "node:buffer";
import { isRefusal, type Refusal } from "../errors.ts";
import {
  EXPORT_POINT_NAME_EXPECTED,
  EXPORT_POINTS_MAX,
  type ExportPoint,
  type ExportPointStore,
  isExportPointName,
  type PointOutcome,
} from "../export_point.ts";
import type { BodyReader } from "./body.ts";
import type { Arrived } from "./gate.ts";
import { jsonResponse } from "./json_response.ts";

/** What they work on. */
export interface ExportPointRoutesOptions {
  /** Keeps the points. */
  readonly exportPoints: ExportPointStore;
  /** Reads the bodies. */
  readonly bodies: BodyReader;
}

/** Where they are. */
export const EXPORT_POINTS_PATH = "/export-points";

/** See the head of this file. */
export class ExportPointRoutes {
  readonly #options: ExportPointRoutesOptions;

  /** Holds no resources. */
  constructor(options: ExportPointRoutesOptions) {
    this.#options = options;
  }

  /** Answers a request to a path under {@linkcode EXPORT_POINTS_PATH}; null if nothing is there. */
  async answer({ request, head: { path } }: Arrived): Promise<Response | Refusal | null> {
    const { method } = request;
    if (path === EXPORT_POINTS_PATH) {
      return method === "GET" ? await this.#list() : otherMethod("GET");
    }
    const [, name] = /^\/([^/]+)$/.exec(path.slice(EXPORT_POINTS_PATH.length)) ?? [];
    if (name === undefined) return null;
    if (method !== "PUT" && method !== "DELETE") return otherMethod("PUT, DELETE");
    if (!isExportPointName(name)) {
      return parameter(`Expected the name to have ${EXPORT_POINT_NAME_EXPECTED}.`);
    }
    return method === "PUT" ? await this.#set(name, request) : await this.#remove(name);
  }

  async #list(): Promise<Response | Refusal> {
    const points = await this.#options.exportPoints.exportPoints();
    return points === null ? BUSY : jsonResponse({ export_points: points.map(shown) });
  }

  async #set(name: string, request: Request): Promise<Response | Refusal> {
    const { exportPoints, bodies } = this.#options;
    const body = await bodies.read(request, request.headers.get("content-length"));
    if (isRefusal(body)) return body;
    const id = idOf(body);
    if (typeof id !== "number") return id;
    const outcome = await exportPoints.setExportPoint(name, id);
    if (outcome === null) return BUSY;
    return outcome.kind === "set"
      ? jsonResponse(shown(outcome.point))
      : parameter(reasonOf(outcome, name));
  }

  async #remove(name: string): Promise<Response | Refusal> {
    const wasThere = await this.#options.exportPoints.removeExportPoint(name);
    if (wasThere === null) return BUSY;
    return wasThere ? jsonResponse({ removed: 1 }) : UNKNOWN;
  }
}

/** The id in a body, or what is wrong with it. */
function idOf(body: Uint8Array): number | Refusal {
  if (!isUtf8(body)) return { code: "invalid-utf8", detail: "Expected the body to be UTF-8." };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return { code: "malformed-json", detail: 'Expected JSON: {"id": 1234}.' };
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const { id, ...others } = (isObject ? value : {}) as Record<string, unknown>;
  const isId = Number.isSafeInteger(id) && Number(id) >= 0;
  if (isId && Object.keys(others).length === 0) return Number(id);
  return parameter('Expected {"id": n}: the id of the last event that was exported, 0 for none.');
}

function reasonOf(outcome: Exclude<PointOutcome, { kind: "set" }>, name: string): string {
  switch (outcome.kind) {
    case "behind":
      return `Expected ${outcome.id} or more, where ${name} is already, or 0 to begin anew.`;
    case "beyond":
      return `Expected the id of an event that is stored: the newest has ${outcome.newestId}.`;
    case "too-many":
      return `There are ${EXPORT_POINTS_MAX} export points, which is the most; remove one.`;
  }
}

function shown({ name, id, updatedAt }: ExportPoint): object {
  return { name, id, updated_at: new Date(updatedAt).toISOString() };
}

function otherMethod(allow: string): Refusal {
  return { code: "method", detail: `Expected ${allow}.`, headers: { allow } };
}

function parameter(detail: string): Refusal {
  return { code: "parameter", detail };
}

const UNKNOWN: Refusal = {
  code: "unknown-export-point",
  detail: "No export point has this name.",
};
const BUSY: Refusal = {
  code: "store-failing",
  detail: "The database can not be asked at present. Try again later.",
  headers: { "retry-after": "1" },
};
