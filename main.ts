/** Firehouse Collector: the program, wired top to bottom. Stopping is the same list backwards. */

import { Collector } from "./lib/collector.ts";
import { type Config, readCommand } from "./lib/config.ts";
import { CollectorError, EXIT_BUG, EXIT_CODES, EXIT_NOT_STORED } from "./lib/errors.ts";
import { BodyReader } from "./lib/http/body.ts";
import { createHandler } from "./lib/http/handler.ts";
import { Listener } from "./lib/http/listener.ts";
import { servedHostnames } from "./lib/http/target.ts";
import { createLog, write } from "./lib/log.ts";
import { Operator } from "./lib/operator.ts";
import { nativeRoutes } from "./lib/protocols/native.ts";
import { onStopSignal } from "./lib/stop_signal.ts";
import { lockDatabase, lockExisting, realPath } from "./lib/store/files.ts";
import { keepOptions } from "./lib/store/keep_options.ts";
import { verifyDatabase, WorkerStore } from "./lib/store/worker_store.ts";
import { writerOptions } from "./lib/writer_options.ts";

async function run(config: Config, operator: Operator): Promise<void> {
  using _lock = lockDatabase(config.db, config.onCorrupt);
  const store = new WorkerStore({
    keep: keepOptions(config),
    hangMs: config.storeTimeoutMs,
    onHang: ({ code, message, hint }) => endNow(`${message} ${hint}`, EXIT_CODES[code]),
    onGone: (reason) => operator.storeGone(reason),
  });
  const collector = new Collector({
    ...config,
    writer: writerOptions(config),
    store,
    onFailed: (failure) => operator.commitFailed(failure),
    onNotice: (text) => operator.notice(text),
    onWriterEnded: (error) => endNow(`The writer ended: ${error}`, EXIT_BUG),
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
    handler: createHandler({
      collector,
      bodies,
      routes: nativeRoutes(config),
      decodedBytesMax: config.maxDecodedBytes,
      durability: config.durability,
      ackTimeoutMs: config.ackTimeoutMs,
      hostnames: servedHostnames(config.allowedHosts, config.host),
      serverStats: () => ({ bodies_in_flight: bodies.inFlight, relistens: listener.relistens }),
      onError: (error) => operator.requestFailed(error),
    }),
    onRelisten: (error, count) => operator.listenerEnded(error, count),
  });
  const endNow = (why: string, exitCode: number): never => {
    collector.abandon();
    operator.notStored(why, collector.account());
    Deno.exit(exitCode);
  };

  const signals = onStopSignal(config.shutdownTimeoutMs);
  signals.expired.then((why) => endNow(why, EXIT_NOT_STORED));
  operator.opened(await collector.start());
  operator.started(await listen(listener, collector), config);

  operator.stopping(await signals.stop);
  collector.startDraining();
  await bodies.idle(config.bodyTimeoutMs);
  await collector.drain(); // new requests are answered 503 until it is done
  await listener.stop();
  operator.stopped(collector.account());
}

/** Starts to listen; if it can not, the database is closed as after any run. */
async function listen(listener: Listener, collector: Collector): Promise<Deno.NetAddr> {
  try {
    return listener.start();
  } catch (error) {
    await collector.drain();
    throw error;
  }
}

/** Audits the database, and gives the exit status. */
async function verify(config: Config, operator: Operator): Promise<number> {
  using _lock = lockExisting(config.db);
  return operator.verified(await verifyDatabase(config.db)) ? 0 : EXIT_CODES["database-corrupt"];
}

if (import.meta.main) {
  let operator = new Operator(createLog("text"));
  try {
    const command = readCommand(Deno.args, Deno.env.toObject());
    if (command.kind === "help") {
      write(Deno.stdout, command.text);
    } else {
      const config = { ...command.config, db: realPath(command.config.db) };
      operator = new Operator(createLog(config.logFormat));
      if (command.kind === "verify") Deno.exit(await verify(config, operator));
      await run(config, operator);
    }
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    operator.failed(error);
    Deno.exit(EXIT_CODES[error.code]);
  }
  Deno.exit(0);
}
