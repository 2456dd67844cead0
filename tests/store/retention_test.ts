/** Retention turn by turn, on a real database: what it removes, and what it tells. */

import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { times } from "./aged.ts";
import { LOOK_MS, NOW, OLD, Retaining, THIRTY, YOUNG } from "./retaining.ts";

const LARGE = "x".repeat(100_000);
const EXPORTED = { retainDays: 30, retainUnexported: "yes" } as const;

Deno.test("old events go, the others stay, and it says where it stands", () => {
  using retaining = new Retaining(THIRTY);
  retaining.add([...times(500, OLD), ...times(10, YOUNG)]);
  retaining.finish();
  deepEqual(retaining.ids, Array.from({ length: 10 }, (_, i) => 501 + i));
  const { oldest, removed, removedThisRun, heldBy, heldUp, longestStepMs } = retaining.state;
  deepEqual({ oldest, removed, removedThisRun, heldBy, heldUp }, {
    oldest: { id: 501, receivedAt: YOUNG },
    removed: 500,
    removedThisRun: 500,
    heldBy: null,
    heldUp: null,
  });
  ok(longestStepMs > 0);
  deepEqual(retaining.notices, []);
});

Deno.test("it goes in turns, and between two it leaves most of the time to others", () => {
  using retaining = new Retaining(THIRTY);
  for (let i = 0; i < 4; i++) retaining.add(times(10_000, OLD));
  for (let pauseMs = 0; pauseMs !== LOOK_MS;) {
    const startMs = performance.now();
    pauseMs = retaining.retention.turn();
    const busyMs = performance.now() - startMs;
    ok(pauseMs === LOOK_MS || pauseMs > busyMs, `a pause of ${pauseMs} ms after ${busyMs} ms`);
  }
  equal(retaining.state.removed, 39_999);
});

Deno.test("told to keep events for another time, it does so from its next turn on", () => {
  using retaining = new Retaining({});
  retaining.add([...times(500, OLD), ...times(10, YOUNG)]);
  retaining.finish();
  equal(retaining.state.removed, 0);
  const thirty = { retainBytes: 0, retainUnexported: "no", ...THIRTY } as const;
  for (let times = 0; times < 2; times++) { // SIGHUP tells it whether it has changed or not
    retaining.retention.keepTo({ ...thirty, retainUnexported: "yes" });
    retaining.finish();
    match(retaining.state.heldUp ?? "", /there is no export point/);
    equal(retaining.notices.length, 1);
  }
  retaining.retention.keepTo(thirty);
  retaining.finish();
  deepEqual([retaining.state.removed, retaining.state.heldUp], [500, null]);
  retaining.retention.keepTo({ ...thirty, retainUnexported: "yes" });
  retaining.add(times(5, OLD));
  retaining.finish();
  retaining.retention.keepTo({ ...thirty, retainDays: 0 });
  retaining.finish();
  deepEqual([retaining.ids.length, retaining.state.heldUp], [15, null]);
});

Deno.test("without limits it removes nothing, and says what there is", () => {
  using retaining = new Retaining({});
  retaining.add(times(100, OLD));
  deepEqual(retaining.finish(), [LOOK_MS]);
  deepEqual([retaining.ids.length, retaining.state.oldest?.id, retaining.state.removed], [
    100,
    1,
    0,
  ]);
});

Deno.test("over --retain-bytes the oldest go, and the file is then within it", () => {
  const retainBytes = 6_000_000;
  using retaining = new Retaining({ retainBytes });
  retaining.add(times(200, YOUNG), LARGE);
  ok(retaining.fileBytes > 3 * retainBytes);
  retaining.finish();
  ok(retaining.fileBytes <= retainBytes, `the file has ${retaining.fileBytes} bytes`);
  const [first = 0] = retaining.ids;
  ok(first > 100 && first < 190, `it begins at ${first}`);
  equal(retaining.removed, first - 1);
});

Deno.test("while more is in use than the file may have, it makes a step after each batch", () => {
  using retaining = new Retaining({ retainBytes: 6_000_000 });
  const { retention } = retaining;
  retention.turn();
  retaining.add(times(200, YOUNG), LARGE);
  deepEqual([retention.turn(), retention.stored(1)], [0, true]);
  retaining.finish();
  equal(retention.stored(1), false);
});

Deno.test("where little is left of a large file its room is given back", () => {
  using retaining = new Retaining(THIRTY);
  retaining.add(times(200, OLD), LARGE);
  retaining.add(times(10, YOUNG), LARGE);
  const before = retaining.fileBytes;
  retaining.finish();
  ok(retaining.fileBytes < before / 5, `${before} bytes became ${retaining.fileBytes}`);
  ok(retaining.state.freeBytes <= retaining.fileBytes / 10);
});

Deno.test("what was not exported stays if that is asked for, and that is told once", () => {
  using retaining = new Retaining(EXPORTED);
  retaining.add(times(100, OLD));
  const { upkeep } = retaining.database;
  const set = (name: string, id: number) =>
    retaining.database.change(() => upkeep.setExportPoint({ name, id, updatedAt: NOW }));
  retaining.finish();
  retaining.finish();
  deepEqual([retaining.ids.length, retaining.state.heldBy], [100, null]);
  match(retaining.state.heldUp ?? "", /there is no export point/);
  set("lake", 30);
  set("copy", 50);
  retaining.finish();
  deepEqual([retaining.ids[0], retaining.state.heldBy], [31, "lake"]);
  set("lake", 60);
  retaining.finish();
  deepEqual([retaining.ids[0], retaining.state.heldBy], [51, "copy"]);
  set("copy", 99);
  set("lake", 99);
  retaining.finish();
  deepEqual([retaining.ids, retaining.state.heldBy, retaining.state.heldUp], [[100], null, null]);
  deepEqual(retaining.notices.map((text) => text.replace(/.*: (?:export )?/, "")), [
    "there is no export point, and --retain-unexported is yes",
    "point lake has not come further",
    "point copy has not come further",
  ]);
});

Deno.test("export points are looked at only if that is asked for", () => {
  using retaining = new Retaining(THIRTY);
  retaining.add(times(100, OLD));
  const { database } = retaining, point = { name: "lake", id: 10, updatedAt: NOW };
  database.change(() => database.upkeep.setExportPoint(point));
  retaining.finish();
  deepEqual(retaining.ids, [100]);
});

Deno.test("a first event, and much stored under a limit of bytes, bring its next turn on", () => {
  using retaining = new Retaining({ retainBytes: 1e9 });
  const { retention } = retaining;
  equal(retention.stored(10), false, "it has not begun");
  retention.turn();
  equal(retention.stored(10), true);
  retaining.add([YOUNG]);
  retention.turn();
  equal(retention.stored(10), false);
  equal(retention.stored(20_000_000), true);
  retention.turn();
  equal(retention.stored(10), false);
  retaining.isBusy = true;
  retention.turn();
  equal(retention.stored(20_000_000), false, "it did not keep to its pause");
});
