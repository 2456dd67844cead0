/** The table of export points: who has exported the events how far. */

import { EXPORT_POINTS_MAX, type ExportPoint, type PointOutcome } from "../export_point.ts";
import type { Connection } from "../sqlite/driver.ts";

/** All of them, the lowest first. @throws {SqliteError} */
export function exportPoints(connection: Connection): ExportPoint[] {
  return connection.prepare("SELECT name, id, updated_at FROM export_points ORDER BY id, name")
    .all([]).map(pointOf);
}

/**
 * Sets a point, see `ExportPointStore.setExportPoint`. In a transaction of the caller's.
 *
 * @throws {SqliteError}
 */
export function setExportPoint(
  connection: Connection,
  { name, id, updatedAt }: ExportPoint,
): PointOutcome {
  const one = (sql: string, ...values: (string | number)[]) =>
    Number(Object.values(connection.prepare(sql).get(values) ?? {})[0] ?? 0);
  const newestId = one("SELECT max(id) FROM events");
  if (id > newestId) return { kind: "beyond", newestId };
  const before = one("SELECT id FROM export_points WHERE name = ?", name);
  if (id < before && id !== 0) return { kind: "behind", id: before };
  const others = one("SELECT count(*) FROM export_points WHERE name <> ?", name);
  if (others >= EXPORT_POINTS_MAX) return { kind: "too-many" };
  connection.prepare(
    `INSERT INTO export_points (name, id, updated_at) VALUES (?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET id = excluded.id, updated_at = excluded.updated_at`,
  ).run([name, id, updatedAt]);
  return { kind: "set", point: { name, id, updatedAt } };
}

/** Removes a point and gives whether it was there. In a transaction of the caller's. @throws {SqliteError} */
export function removeExportPoint(connection: Connection, name: string): boolean {
  connection.prepare("DELETE FROM export_points WHERE name = ?").run([name]);
  return Number(connection.prepare("SELECT changes() AS n").get([])?.n) > 0;
}

function pointOf(row: Record<string, unknown>): ExportPoint {
  return { name: String(row.name), id: Number(row.id), updatedAt: Number(row.updated_at) };
}
