import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { type Config, readCommand } from "../lib/config.ts";
import { LiveConfig } from "../lib/live_config.ts";
import { OPTIONS, RELOADABLE } from "../lib/options.ts";

function start(): Config {
  const command = readCommand([], {});
  if (command.kind !== "run") throw new TypeError(`asked for ${command.kind}`);
  return { ...command.config, config: "f.conf" };
}

Deno.test("settings that can change do so in the same object, the others at the next start", () => {
  const live = new LiveConfig(start()), { config } = live;
  const next: Config = { ...start(), port: 1, maxBodies: 7, db: "x", logFormat: "json" };
  deepEqual(live.reload(() => next), {
    level: "info",
    text: "f.conf was read: max-bodies = 7; log-format = json; " +
      "changed, takes effect at the next start: port, db",
  });
  deepEqual(config, { ...start(), maxBodies: 7, logFormat: "json" });
  equal(live.config, config);
  deepEqual(live.reload(() => next), {
    level: "info",
    text: "f.conf was read: changed, takes effect at the next start: port, db",
  });
  live.reload(start);
  deepEqual(config, start());
  deepEqual(live.reload(start), { level: "info", text: "f.conf was read: nothing changed" });
});

Deno.test("a file that is wrong changes nothing, and what is wrong is told", () => {
  const live = new LiveConfig(start());
  deepEqual(live.reload(() => ["f.conf:1: a", "f.conf:2: b"]), {
    level: "warn",
    text: "the settings in force stay, f.conf was not taken:\n  f.conf:1: a\n  f.conf:2: b",
  });
  deepEqual(live.config, start());
});

Deno.test("of every setting a change is either taken or said to need a start", () => {
  for (const name of Object.keys(OPTIONS) as (keyof Config)[]) {
    const live = new LiveConfig(start());
    const value = typeof start()[name] === "number" ? 4321 : "another";
    const { text } = live.reload(() => ({ ...start(), [name]: value }) as Config);
    const isTaken = (RELOADABLE as readonly string[]).includes(name);
    equal(live.config[name] === value, isTaken, name);
    equal(/at the next start: [a-z-]+$/.test(text), !isTaken, text);
  }
});
