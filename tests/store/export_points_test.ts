/** The table of export points. */

import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { EXPORT_POINTS_MAX, isExportPointName, type PointOutcome } from "../../lib/export_point.ts";
import { Aged, times } from "./aged.ts";

/** A database of 100 events and its points. */
class Points extends Aged {
  constructor() {
    super();
    this.add(times(100, 1));
  }

  set(name: string, id: number, updatedAt = 1): PointOutcome {
    const { database } = this;
    return database.change(() => database.upkeep.setExportPoint({ name, id, updatedAt }));
  }

  remove(name: string): boolean {
    return this.database.change(() => this.database.upkeep.removeExportPoint(name));
  }

  /** As `name@id`. */
  get all(): string[] {
    return this.database.upkeep.exportPoints().map(({ name, id }) => `${name}@${id}`);
  }
}

Deno.test("points are made when they are set, and come the lowest first", () => {
  using points = new Points();
  deepEqual(points.all, []);
  deepEqual(points.set("b", 50, 7), { kind: "set", point: { name: "b", id: 50, updatedAt: 7 } });
  points.set("a", 99);
  points.set("c", 0);
  deepEqual(points.all, ["c@0", "b@50", "a@99"]);
  deepEqual(points.database.upkeep.exportPoints()[1], { name: "b", id: 50, updatedAt: 7 });
});

Deno.test("a point goes forward, stays, or begins anew, and does not go back otherwise", () => {
  using points = new Points();
  points.set("lake", 50);
  equal(points.set("lake", 60).kind, "set");
  equal(points.set("lake", 60).kind, "set");
  deepEqual(points.set("lake", 59), { kind: "behind", id: 60 });
  deepEqual(points.all, ["lake@60"]);
  equal(points.set("lake", 0).kind, "set");
  equal(points.set("lake", 10).kind, "set");
  deepEqual(points.all, ["lake@10"]);
});

Deno.test("a point can not be where no event is yet", () => {
  using points = new Points();
  deepEqual(points.set("lake", 101), { kind: "beyond", newestId: 100 });
  equal(points.set("lake", 100).kind, "set");
  using empty = new Aged();
  const { database } = empty, point = { name: "lake", id: 1, updatedAt: 1 };
  deepEqual(database.change(() => database.upkeep.setExportPoint(point)), {
    kind: "beyond",
    newestId: 0,
  });
});

Deno.test("a point that is removed is gone, and only that one", () => {
  using points = new Points();
  points.set("a", 1);
  points.set("b", 2);
  deepEqual([points.remove("a"), points.remove("a")], [true, false]);
  deepEqual(points.all, ["b@2"]);
});

Deno.test("there are so many points at most, and those that are there can still be set", () => {
  using points = new Points();
  for (let i = 0; i < EXPORT_POINTS_MAX; i++) equal(points.set(`p${i}`, 1).kind, "set");
  deepEqual(points.set("more", 1), { kind: "too-many" });
  equal(points.set("p0", 2).kind, "set");
  equal(points.remove("p1"), true);
  equal(points.set("more", 1).kind, "set");
});

Deno.test("names are short and need no escape in a URL", () => {
  for (const name of ["a", "Lake-2.b_c", "9", "native", "x".repeat(64)]) {
    equal(isExportPointName(name), true, name);
  }
  for (const name of ["", "-a", ".", "..", "a b", "a/b", "ä", "a%20", "x".repeat(65), "a\n"]) {
    equal(isExportPointName(name), false, name);
  }
});
