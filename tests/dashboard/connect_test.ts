/** The commands and programs that the page shows are run as they are shown, and their events stored. */

import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { CollectorProcess } from "../e2e/collector_process.ts";
import { storedEvents } from "../e2e/rows.ts";
import { browserTest, Visit } from "./visit.ts";

/** Has the packages at the versions that were tried. */
const PACKAGES = new URL("../deno.json", import.meta.url).pathname;
const SNIPPET_TIMEOUT_MS = 60_000;

/** What the snippets send, by their names. */
const SENT: Readonly<Record<string, readonly (string | null)[]>> = {
  "One event": ["native"],
  "Many events": ["native", "native"],
  "Segment": ["segment"],
  "CloudEvents": ["cloudevents"],
  "Splunk HEC": ["splunk_hec"],
  "PostHog": ["posthog"],
  "Tinybird Events API": ["tinybird"],
};

async function run(code: string): Promise<void> {
  const isShell = /^(curl|printf)/.test(code);
  const file = Deno.makeTempFileSync({ prefix: "firehouse-", suffix: ".ts" });
  try {
    Deno.writeTextFileSync(file, code);
    const [program, args] = isShell
      ? ["sh", [file]] as const
      : [Deno.execPath(), ["run", "-A", "--no-check", `--import-map=${PACKAGES}`, file]] as const;
    const { success, stderr } = await new Deno.Command(program, {
      args: [...args],
      signal: AbortSignal.timeout(SNIPPET_TIMEOUT_MS),
    }).output();
    ok(success, code + new TextDecoder().decode(stderr));
  } finally {
    Deno.removeSync(file);
  }
}

browserTest(
  "each snippet has this collector's address, and what can be run stores its events",
  async (browser) => {
    await using collector = await CollectorProcess.start();
    await using visit = await Visit.begin(browser, { url: collector.url, hash: "/connect" });
    await visit.shows("connect-note", /No token is needed here/);
    const count = Object.keys(SENT).length + 1; // that of OpenTelemetry is made whole by its SDK
    await visit.until(`document.querySelectorAll("#snippets section").length === ${count}`);
    const snippets: [name: string, code: string][] = await visit.page.evaluate(
      `[...document.querySelectorAll("#snippets section")].map((section) =>
      [section.querySelector("h3").textContent, section.querySelector("pre").textContent])`,
    );
    deepEqual(
      snippets.map(([name]) => name).filter((name) => name !== "OpenTelemetry logs").sort(),
      Object.keys(SENT).sort(),
    );
    for (const [name, code] of snippets) {
      ok(code.includes(collector.url), `${name}: ${code}`);
      const expected = SENT[name];
      if (expected === undefined) continue;
      const before = storedEvents(collector.database).length;
      await run(code);
      await collector.settled();
      const stored = storedEvents(collector.database).slice(before);
      deepEqual(stored.map(({ source }) => source), expected, name);
    }
    const { dead_lettered, refused_requests } = await collector.stats();
    deepEqual([dead_lettered, refused_requests], [0, {}]);
    visit.quiet();
  },
);
