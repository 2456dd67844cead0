import { match, strictEqual as equal } from "node:assert/strict";
import { CollectorProcess, event } from "./collector_process.ts";

const hasPrlimit = (() => {
  try {
    return new Deno.Command("prlimit", { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
})();

Deno.test({
  name: "more connections than file descriptors do not end the process" +
    (hasPrlimit ? "" : " (skipped: no prlimit here)"),
  ignore: !hasPrlimit,
  async fn() {
    await using collector = await CollectorProcess.start({
      under: ["prlimit", "--nofile=48:48"],
    });
    const { hostname, port } = new URL(collector.url);
    const connections: Deno.Conn[] = [];
    for (let i = 0; i < 80; i++) {
      try {
        connections.push(await Deno.connect({ hostname, port: Number(port) }));
      } catch { /* refused while it does not listen */ }
    }
    await collector.untilOutput(/the listener ended and is started again: .*open files/);
    for (const connection of connections) connection.close();
    await untilAnswered(collector);
    equal((await collector.settled()).committed, 1);
    equal(await collector.stop(), 0, collector.output);
    match(collector.output, /accepted = 1, .*committed = 1/);
  },
});

async function untilAnswered(collector: CollectorProcess): Promise<void> {
  const endMs = Date.now() + 20_000;
  for (;;) {
    try {
      const { status } = await collector.post("/event", new Blob([event("after")]));
      return equal(status, 202);
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
