/**
 * Where a page of events ended, as the client gets it: opaque, and good for the same query alone.
 *
 * ```text
 *  base64url of: version "." order "." id "." 12 characters of SHA-256 over all of these and the filter
 * ```
 */

import { createHash } from "node:crypto";
import type { EventFilter, Order } from "./query.ts";

/** What a cursor is for. */
export interface Ordered {
  /** Which events. */
  readonly filter: EventFilter;
  /** In which order. */
  readonly order: Order;
}

const VERSION = "1";
const LENGTH_MAX = 100;

/** The cursor of an id. */
export function cursorOf(id: number, query: Ordered): string {
  const place = [VERSION, query.order, id].join(".");
  return btoa(`${place}.${checkOf(place, query)}`).replaceAll("=", "")
    .replaceAll("+", "-").replaceAll("/", "_");
}

/** The id of a cursor; null if it is none of this query. */
export function idOfCursor(cursor: string, query: Ordered): number | null {
  const parts = decode(cursor).split(".");
  const [version, order, id, check] = parts;
  if (parts.length !== 4 || version !== VERSION || order !== query.order) return null;
  if (id === undefined || !/^\d{1,16}$/.test(id)) return null;
  return check === checkOf([version, order, id].join("."), query) ? Number(id) : null;
}

function decode(cursor: string): string {
  if (cursor.length > LENGTH_MAX || !/^[\w-]+$/.test(cursor)) return "";
  try {
    return atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return "";
  }
}

function checkOf(place: string, { filter }: Ordered): string {
  const { from, to, userId, type, source, eventId, where } = filter;
  const text = JSON.stringify([place, from, to, userId, type, source, eventId, where]);
  return createHash("sha256").update(text).digest("base64url").slice(0, 12);
}
