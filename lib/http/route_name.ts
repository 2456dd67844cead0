/** The names that requests are counted under: routes and methods of ours, never what a client sent. */

import { PROBLEMS_PATH } from "../problem.ts";
import { RECEIPTS_PATH } from "../receipt.ts";
import { DEAD_LETTERS_PATH } from "./dead_letter_routes.ts";
import { EXPORT_POINTS_PATH } from "./export_point_routes.ts";

/** What is no route or method of ours. */
export const OTHER = "other";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);

/** The name of a method. */
export function methodName(method: string): string {
  return METHODS.has(method) ? method : OTHER;
}

const PATHS = new Set([
  ...[
    "/",
    "/livez",
    "/readyz",
    "/stats",
    "/metrics",
    "/openapi.json",
    "/reference",
    "/reference/style.css",
  ],
  ...["/events", "/series", "/top", "/export", "/tail"],
  ...[DEAD_LETTERS_PATH, `${DEAD_LETTERS_PATH}/export`, EXPORT_POINTS_PATH],
]);

const PATTERNS: readonly (readonly [path: RegExp, name: string])[] = [
  [new RegExp(`^${RECEIPTS_PATH}[^/]+$`), `${RECEIPTS_PATH}{id}`],
  [new RegExp(`^${PROBLEMS_PATH}[^/]+$`), `${PROBLEMS_PATH}{code}`],
  [new RegExp(`^${DEAD_LETTERS_PATH}/[^/]+$`), `${DEAD_LETTERS_PATH}/{id}`],
  [new RegExp(`^${DEAD_LETTERS_PATH}/[^/]+/replay$`), `${DEAD_LETTERS_PATH}/{id}/replay`],
  [new RegExp(`^${EXPORT_POINTS_PATH}/[^/]+$`), `${EXPORT_POINTS_PATH}/{name}`],
  [/^\/events\/[^/]+$/, "/events/{id}"],
  [/^\/dashboard\/[^/]+$/, "/dashboard/{name}"],
];

/** The route of a path that takes no events. */
export function routeName(path: string): string {
  if (PATHS.has(path)) return path;
  return PATTERNS.find(([pattern]) => pattern.test(path))?.[1] ?? OTHER;
}
