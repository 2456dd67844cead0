/** Firehouse Collector: the program, wired top to bottom. Stopping is the same list backwards. */

import { type Account, Collector } from "./lib/collector.ts";
import { type Config, readCommand } from "./lib/config.ts";
import { CollectorError, EXIT_CODES } from "./lib/errors.ts";
import { BodyReader } from "./lib/http/body.ts";
import { createHandler } from "./lib/http/handler.ts";
import { Listener } from "./lib/http/listener.ts";
import { servedHostnames } from "./lib/http/target.ts";
import { createLog, type Log } from "./lib/log.ts";
import { nativeRoutes } from "./lib/protocols/native.ts";
import { onStopSignal } from "./lib/stop_signal.ts";
import { lockDatabase } from "./lib/store/files.ts";
import { WorkerStore } from "./lib/store/worker_store.ts";

const TRANSACTION_BYTES = 16 * 1024 * 1024;
const EXIT_NOT_STORED = 1;

async function run(config: Config, log: Log): Promise<void> {
  using _lock = lockDatabase(config.db);
  const store = new WorkerStore({
    path: config.db,
    synchronous: config.synchronous,
    openTimeoutMs: 5000,
    hangMs: config.storeTimeoutMs,
    onHang: (error) => fail(error, log, collector.account()),
    onGone: (reason) => log("error", `the store Worker ended and is started again: ${reason}`),
  });
  const collector = new Collector({
    queueCapacity: config.queueCapacity,
    queueBytes: config.queueBytes,
    writer: {
      batchSize: config.batchSize,
      lingerMs: config.batchLingerMs,
      transactionEvents: config.transactionEvents,
      transactionBytes: TRANSACTION_BYTES,
      retryMs: { min: 10, max: 1000 },
    },
    readyStallMs: config.readyStallMs,
    store,
    onFailed: ({ reason, attempt, retryInMs }) => {
      if (attempt > 3 && Math.log2(attempt) % 1 !== 0) return; // the 1st to 4th, 8th, 16th, …
      log("warn", `a commit failed and is tried again in ${Math.round(retryInMs)} ms: ${reason}`);
    },
  });
  using bodies = new BodyReader({
    bytesMax: config.maxBodyBytes,
    timeoutMs: config.bodyTimeoutMs,
    inFlightMax: config.maxBodies,
    inFlightBytesMax: config.maxBodiesBytes,
  });
  const listener: Listener = new Listener({
    hostname: config.host,
    port: config.port,
    bodies,
    handler: createHandler({
      collector,
      bodies,
      routes: nativeRoutes({
        eventsMax: config.maxRequestEvents,
        eventBytesMax: config.maxEventBytes,
      }),
      decodedBytesMax: config.maxDecodedBytes,
      hostnames: servedHostnames(config.allowedHosts, config.host),
      serverStats: () => ({ bodies_in_flight: bodies.inFlight, relistens: listener.relistens }),
      onError: (error) => log("error", `a request failed: ${error}`),
    }),
    onRelisten: (error) => log("error", `the listener ended and is started again: ${error}`),
  });

  await collector.start();
  const { hostname, port } = listener.start();
  const shownHost = hostname.includes(":") ? `[${hostname}]` : hostname;
  log(
    "info",
    `firehouse is listening on http://${shownHost}:${port}, storing in ${config.db} ` +
      `(synchronous ${config.synchronous}); durability memory: 202 means queued, a crash loses ` +
      `at most the ${config.queueCapacity} events of the queue, a normal stop loses none`,
  );

  const overdue = onStopSignal(config.shutdownTimeoutMs);
  const signal = await overdue.stop;
  log("info", `${signal}: refusing new events, storing the rest`);
  overdue.expired.then((why) => notStored(why, collector, log));
  collector.startDraining();
  await listener.stop(config.bodyTimeoutMs);
  await collector.drain();
  log("info", `stopped: ${accountLine(collector.account())}`);
}

function notStored(why: string, collector: Collector, log: Log): never {
  collector.abandon();
  const account = collector.account();
  const lost = account.queued + account.in_flight;
  log("error", `${why}: ${lost} events were not stored; ${accountLine(account)}`);
  Deno.exit(EXIT_NOT_STORED);
}

function fail(error: unknown, log: Log, account?: Account): never {
  if (!(error instanceof CollectorError)) throw error;
  log("error", `${error.message} ${error.hint}${account ? ` ${accountLine(account)}` : ""}`);
  Deno.exit(EXIT_CODES[error.code]);
}

function accountLine(account: Account): string {
  return Object.entries(account).map(([name, value]) => `${name} = ${value}`).join(", ");
}

if (import.meta.main) {
  let log = createLog("text");
  try {
    const command = readCommand(Deno.args, Deno.env.toObject());
    if (command.kind === "help") {
      Deno.stdout.writeSync(new TextEncoder().encode(command.text));
    } else {
      log = createLog(command.config.logFormat);
      await run(command.config, log);
    }
  } catch (error) {
    fail(error, log);
  }
  Deno.exit(0);
}
