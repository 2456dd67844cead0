/** Where the time of a single event goes: CPU of the main thread, rung by rung. */

import { CollectorProcess } from "../../tests/e2e/collector_process.ts";
import { sampleEvent } from "../sample.ts";
import { median } from "./numbers.ts";
import { serveRung } from "./rung.ts";
import { mainThreadCpuMs, wrk } from "./tools.ts";

const RUNGS: readonly (readonly [rung: string, what: string])[] = [
  ["bare", "bare: `await req.text()`, `JSON.parse`, 202 without a body"],
  ["headers", "+ URL, method and three headers"],
  [
    "body",
    "body under a deadline and a limit instead of `text()` and the parse; 202 with a JSON body",
  ],
  ["decode", "+ checking the event and cutting out its fields"],
  ["collector", "+ queue, batches and the store Worker: the collector"],
];

/** Markdown lines: medians of `rounds` runs in turn. */
export async function ladder(rounds: number, seconds: number): Promise<string[]> {
  const microseconds = RUNGS.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, [rung]] of RUNGS.entries()) {
      microseconds[i]?.push(
        rung === "collector" ? await collectorCpu(seconds) : await rungCpu(rung, seconds),
      );
    }
  }
  const medians = microseconds.map((values) => median(values));
  return [
    "| up to | main thread, CPU/event | added |",
    "| --- | --- | --- |",
    ...RUNGS.map(([, what], i) => {
      const here = medians[i] ?? NaN, before = medians[i - 1] ?? here;
      return `| ${what} | ${here.toFixed(1)} µs | ${(here - before).toFixed(1)} µs |`;
    }),
  ];
}

async function rungCpu(rung: string, seconds: number): Promise<number> {
  await using server = await serveRung(rung);
  return await measure(server.url, server.pid, seconds);
}

async function collectorCpu(seconds: number): Promise<number> {
  await using collector = await CollectorProcess.start({ args: ["--durability", "memory"] });
  return await measure(`${collector.url}/event`, collector.process.pid, seconds);
}

async function measure(url: string, pid: number, seconds: number): Promise<number> {
  const options = {
    connections: 64,
    seconds,
    body: sampleEvent(1),
    contentType: "application/json",
  };
  await wrk(url, { ...options, seconds: 2 });
  const beforeMs = await mainThreadCpuMs(pid);
  const { requests } = await wrk(url, options);
  return (await mainThreadCpuMs(pid) - beforeMs) * 1000 / requests;
}
