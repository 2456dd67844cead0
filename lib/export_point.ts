/** How far somebody who copies the events elsewhere has got. */

/** An export point: every event up to its id was exported. */
export interface ExportPoint {
  /** Whose it is, see {@linkcode isExportPointName}. */
  readonly name: string;
  /** Id of the last event that was exported; 0 if none was yet. */
  readonly id: number;
  /** Collector's clock when it was set last, Unix epoch in ms. */
  readonly updatedAt: number;
}

/** What became of setting a point. Only the first changed anything. */
export type PointOutcome =
  | { readonly kind: "set"; readonly point: ExportPoint }
  /** It is further already, at this id. */
  | { readonly kind: "behind"; readonly id: number }
  /** No event has this id yet; the newest has that one. */
  | { readonly kind: "beyond"; readonly newestId: number }
  /** There are {@linkcode EXPORT_POINTS_MAX} others. */
  | { readonly kind: "too-many" };

/** Where export points are kept. Null everywhere: the database could not be asked. */
export interface ExportPointStore {
  /** All of them, the lowest first. */
  exportPoints(): Promise<readonly ExportPoint[] | null>;
  /**
   * Sets a point, making it if it is not there. It goes forward, or back to 0: what was exported was
   * exported, and an answer that comes late must not undo a later one.
   */
  setExportPoint(name: string, id: number): Promise<PointOutcome | null>;
  /** Removes a point and gives whether it was there. */
  removeExportPoint(name: string): Promise<boolean | null>;
}

/** Most export points. */
export const EXPORT_POINTS_MAX = 100;

/** Whether a text can be the name of an export point. */
export function isExportPointName(text: string): boolean {
  return /^[A-Za-z\d][A-Za-z\d._-]{0,63}$/.test(text);
}

/** What {@linkcode isExportPointName} expects, in words. */
export const EXPORT_POINT_NAME_EXPECTED =
  "1 to 64 letters, digits, dots, dashes and underscores, the first a letter or a digit";
