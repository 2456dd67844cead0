/** What retention is to remove and to give back, and why something stays. */

import type { ExportPoint } from "../export_point.ts";
import type { OldestEvent, RetentionPolicy } from "../retention.ts";
import type { Removal, RemovalLimits, Room } from "./upkeep.ts";

/** Why events stay that were to be removed. */
export interface HeldUp {
  /** The export point behind which they are, if they are behind one. */
  readonly by: string | null;
  /** In words. */
  readonly why: string;
}

/** What a step went by. */
export interface Situation {
  /** The rules. */
  readonly policy: RetentionPolicy;
  /** The lowest export point; null if there is none. */
  readonly lowest: ExportPoint | null;
  /** The time, Unix epoch in ms. */
  readonly nowMs: number;
  /** Whether the system's clock says something later, which is not believed. */
  readonly isClockAhead: boolean;
}

/** What is left after it. */
export interface Left {
  /** The oldest event. */
  readonly oldest: OldestEvent | null;
  /** The room in the file. */
  readonly room: Room;
}

const DAY_MS = 24 * 3_600_000;
/** What is kept free below the limit of the file, so that what comes next needs no more room. */
const SLACK = 1 / 32;
const LOOK_BYTES_MAX = 16 * 1024 * 1024;
/** If more than the first part of the file is free, it is given back down to the second. */
const FREE_MAX = 1 / 10, FREE_KEPT = 1 / 20;

/** Which events may be removed. */
export function removalLimits({ policy, lowest, nowMs }: Situation): RemovalLimits {
  const { retainDays, retainBytes, retainUnexported } = policy;
  return {
    receivedBefore: retainDays > 0 ? Math.floor(nowMs - retainDays * DAY_MS) : null,
    usedBytesMax: retainBytes > 0 ? retainBytes * (1 - SLACK) : null,
    throughId: retainUnexported === "yes" ? lowest?.id ?? 0 : Infinity,
  };
}

/** Whether more of the file is in use than all of it may have. */
export function isOverLimit(
  { fileBytes, freeBytes }: Room,
  { retainBytes }: RetentionPolicy,
): boolean {
  return retainBytes > 0 && fileBytes - freeBytes > retainBytes;
}

/** After how many bytes stored it looks again, so that the file does not outgrow its limit. */
export function lookBytes({ retainBytes }: RetentionPolicy): number {
  return retainBytes > 0 ? Math.min(LOOK_BYTES_MAX, retainBytes * SLACK / 2) : Infinity;
}

/** How many free bytes of the file are to be given back. */
export function surplusBytes(
  { fileBytes, freeBytes }: Room,
  { retainBytes }: RetentionPolicy,
): number {
  const over = retainBytes > 0 ? Math.min(freeBytes, fileBytes - retainBytes) : 0;
  const unused = freeBytes > fileBytes * FREE_MAX ? freeBytes - fileBytes * FREE_KEPT : 0;
  return Math.max(0, over, unused);
}

/** What holds retention up after a step; null if nothing does. */
export function heldUpBy(
  { endedBy }: Removal,
  { policy, lowest, nowMs, isClockAhead }: Situation,
  { oldest, room }: Left,
): HeldUp | null {
  if (endedBy === "limit") {
    return lowest === null
      ? { by: null, why: "there is no export point, and --retain-unexported is yes" }
      : { by: lowest.name, why: `export point ${lowest.name} has not come further` };
  }
  if (endedBy === "newest" && isOverLimit(room, policy)) {
    return {
      by: null,
      why: "only the newest event is left, and the database is still over --retain-bytes: dead " +
        "letters, and what is remembered of ids and keys, are in it too",
    };
  }
  if (endedBy !== "nothing" || policy.retainDays === 0 || oldest === null) return null;
  if (oldest.receivedAt > nowMs + DAY_MS) {
    return {
      by: null,
      why: "the oldest event was received in the future: the clock is wrong, or was wrong then",
    };
  }
  return isClockAhead
    ? { by: null, why: "the clock went forward by a step, which is believed after a day" }
    : null;
}
