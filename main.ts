/** Firehouse Collector: the program, wired top to bottom. Stopping is the same list backwards. */

import { Access, refuseOpenDoor } from "./lib/access.ts";
import { Collector } from "./lib/collector.ts";
import { type Command, type Config, readAgain, readCommand } from "./lib/config.ts";
import { runBackupCommand } from "./lib/commands/backup.ts";
import { runConfigCommand } from "./lib/commands/config.ts";
import { runDeadLetterCommand } from "./lib/commands/dead_letters.ts";
import { type ExportSource, runExportCommand } from "./lib/commands/export.ts";
import { runRestoreCommand } from "./lib/commands/restore.ts";
import { runTailCommand } from "./lib/commands/tail.ts";
import { CollectorError, EXIT_BUG, EXIT_CODES, EXIT_NOT_STORED } from "./lib/errors.ts";
import { BodyReader } from "./lib/http/body.ts";
import { bodyLimits } from "./lib/http/body_limits.ts";
import { Gate } from "./lib/http/gate.ts";
import { createHandler } from "./lib/http/handler.ts";
import { Listener } from "./lib/http/listener.ts";
import { logged } from "./lib/http/logged.ts";
import { Reference } from "./lib/http/reference.ts";
import { renewCertificate } from "./lib/http/renewal.ts";
import { Responder } from "./lib/http/respond.ts";
import { servedHostnames } from "./lib/http/target.ts";
import { Tails } from "./lib/http/tails.ts";
import { readTlsPair } from "./lib/http/tls_files.ts";
import { LiveConfig } from "./lib/live_config.ts";
import { createLog, write } from "./lib/log.ts";
import { gateMemory } from "./lib/log_gate.ts";
import { LoopLag } from "./lib/loop_lag.ts";
import { scrape } from "./lib/metrics/metrics.ts";
import { Operator } from "./lib/operator.ts";
import type { Protocol } from "./lib/protocol.ts";
import { cloudEventsProtocol } from "./lib/protocols/cloudevents.ts";
import { bearerToken } from "./lib/protocols/credentials.ts";
import { HecAcks } from "./lib/protocols/hec_acks.ts";
import { nativeProtocol } from "./lib/protocols/native.ts";
import { otlpProtocol } from "./lib/protocols/otlp.ts";
import { posthogProtocol } from "./lib/protocols/posthog.ts";
import { segmentProtocol } from "./lib/protocols/segment.ts";
import { splunkHecProtocol } from "./lib/protocols/splunk_hec.ts";
import { tinybirdProtocol } from "./lib/protocols/tinybird.ts";
import { checkDatabase, WorkerReader } from "./lib/reader/worker_reader.ts";
import type { ReaderState } from "./lib/reader.ts";
import { Replayer } from "./lib/replay.ts";
import { RequestCounts } from "./lib/request_counts.ts";
import { RequestLog } from "./lib/request_log.ts";
import { retentionStats } from "./lib/retention.ts";
import { onSignals } from "./lib/signals.ts";
import {
  checkExisting,
  databaseSize,
  lockDatabase,
  lockExisting,
  realPath,
} from "./lib/store/files.ts";
import { inspectDatabase } from "./lib/store/inspection.ts";
import { keepOptions } from "./lib/store/keep_options.ts";
import { finishRestore, refuseHalfRestored, restoreDatabase } from "./lib/store/restoring.ts";
import { verifyDatabase, WorkerStore } from "./lib/store/worker_store.ts";
import { runTokenCommand } from "./lib/commands/tokens.ts";
import { tokensPath } from "./lib/token_file.ts";
import { TokenWatch } from "./lib/token_watch.ts";
import { writerOptions } from "./lib/writer_options.ts";

/** What is read again on SIGHUP asks `config` each time: see `live_config.ts`. */
async function run(live: LiveConfig, operator: Operator): Promise<void> {
  const { config } = live;
  const access = new Access(config, undefined, (remote) => operator.wrongToken(remote));
  using tokens = new TokenWatch(tokensPath(config), {
    onTokens: (all) => access.replace(all),
    onNotice: (level, text) => operator.reloaded(level, text),
  });
  refuseOpenDoor(config, tokens.tokens.length);
  const tlsPaths = config.tlsCert === "" ? null : { cert: config.tlsCert, key: config.tlsKey };
  const tls = tlsPaths === null ? null : readTlsPair(tlsPaths);
  const restored = finishRestore(config.db);
  if (restored !== null) operator.notice(restored);
  using _lock = lockDatabase(config.db, config.onCorrupt);
  const gate = gateMemory();
  const store = new WorkerStore({
    keep: { ...keepOptions(config), gate },
    hangMs: config.storeTimeoutMs,
    onHang: ({ code, message, hint }) => endNow(`${message} ${hint}`, EXIT_CODES[code]),
    onGone: (reason) => operator.storeGone(reason),
  });
  const collector = new Collector({
    ...config,
    get readyStallMs() {
      return config.readyStallMs;
    },
    writer: writerOptions(config),
    store,
    onFailed: (failure) => operator.commitFailed(failure),
    onNotice: (text) => operator.notice(text),
    onWriterEnded: (error) => endNow(`The writer ended: ${error}`, EXIT_BUG),
  });
  using bodies = new BodyReader(bodyLimits(config));
  using requestLog = new RequestLog(config, {
    onRequest: (request) => operator.request(request),
    onLeftOut: (count) => operator.requestsLeftOut(count),
  });
  using loopLag = new LoopLag();
  const requests = new RequestCounts();
  const reader = new WorkerReader({
    path: config.db,
    indexing: config.index,
    budgetMs: config.queryTimeoutMs,
    gate,
    onGone: (reason) => operator.readerGone(reason),
  });
  const tails = new Tails({ reader, committed: () => collector.account().committed });
  const protocols = protocolsOf(config, collector);
  const { durability } = config;
  const listener: Listener = new Listener({
    hostname: config.host,
    port: config.port,
    tls,
    handler: logged(
      createHandler({
        ...{ collector, bodies, protocols, store, reader, tails, durability, requests },
        exportPoints: store,
        get ackTimeoutMs() {
          return config.ackTimeoutMs;
        },
        get decodedBytesMax() {
          return config.maxDecodedBytes;
        },
        gate: new Gate(access),
        responder: new Responder(),
        replayer: new Replayer({ collector, protocols }),
        credential: bearerToken,
        pages: () => import("./lib/dashboard/assets.ts").then(({ ASSETS }) => ASSETS),
        reference: new Reference({
          settings: config,
          load: async () =>
            (await import("./lib/openapi/assets.ts")).referenceAssets(protocols, config),
        }),
        hostnames: servedHostnames(config.allowedHosts, config.host),
        serverStats: () => ({
          bodies_in_flight: bodies.inFlight,
          requests_in_flight: requests.inFlight,
          event_loop_lag_ms: loopLag.ms.quantiles(),
          relistens: listener.relistens,
          tails: { open: tails.open, dropped: tails.dropped },
          reader: readerStats(reader.lastState),
          retention: retentionStats(store.retention),
        }),
        metrics: () =>
          scrape({
            ...{ collector, requests, config, loopLagMs: loopLag.ms },
            bodiesInFlight: () => bodies.inFlight,
            relistens: () => listener.relistens,
            workerRestarts: () => ({ store: store.restarts, reader: reader.restarts }),
            ...{ tails, retention: () => store.retention },
          }),
        onError: (error, requestId) => operator.requestFailed(error, requestId),
      }),
      { log: requestLog, protocols },
    ),
    onRelisten: (error, count) => operator.listenerEnded(error, count),
  });
  const endNow = (why: string, exitCode: number): never => {
    collector.abandon();
    operator.notStored(why, collector.account());
    Deno.exit(exitCode);
  };
  const reload = () => {
    if (config.config !== "") {
      const { level, text } = live.reload(readSettingsAgain);
      operator.reloaded(level, text);
      bodies.limit(bodyLimits(config));
      access.refresh();
    }
    tokens.reload();
    const onNotice = (level: "info" | "warn", text: string) => operator.reloaded(level, text);
    const renewal = { listener, bodies, waitMs: config.bodyTimeoutMs, onNotice };
    if (tlsPaths !== null) renewCertificate(tlsPaths, renewal);
  };

  const signals = onSignals({
    get timeoutMs() {
      return config.shutdownTimeoutMs;
    },
    onReload: reload,
  });
  signals.expired.then((why) => endNow(why, EXIT_NOT_STORED));
  operator.opened(await collector.start());
  reader.start();
  operator.started(await listen(listener, collector), config, tokens.tokens.length);

  operator.stopping(await signals.stop);
  collector.startDraining();
  tails.close("The collector is stopping.");
  await bodies.idle(config.bodyTimeoutMs);
  await reader.close(); // it would keep the database's log from being emptied
  await collector.drain(); // new requests are answered 503 until it is done
  await listener.stop();
  operator.stopped(collector.account());
}

/** How the read side is, as `GET /stats` shows it. */
function readerStats(state: ReaderState | null): object | null {
  if (state === null) return null;
  const { lastId: last_id, indexedBlocks: indexed_blocks, indexError: index_error } = state;
  return { last_id, indexed_blocks, index_error };
}

function protocolsOf(config: Config, collector: Collector): readonly Protocol[] {
  const isHealthy = () => collector.readiness().ready;
  // What a restart loses must not be taken for what comes after it.
  const firstId = config.durability === "memory" ? Date.now() * 1000 : 0;
  const isCommitted = (sequence: number) => collector.isCommitted(sequence);
  const acks = config.synchronous === "full" ? new HecAcks({ firstId, isCommitted }) : null;
  return [
    nativeProtocol(config),
    segmentProtocol(config),
    otlpProtocol(config),
    cloudEventsProtocol(config),
    splunkHecProtocol({ limits: config, acks, isHealthy }),
    posthogProtocol(config),
    tinybirdProtocol(config),
  ];
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
  refuseHalfRestored(config.db);
  using _lock = lockExisting(config.db);
  return operator.verified(await verifyDatabase(config.db)) ? 0 : EXIT_CODES["database-corrupt"];
}

/** What is read of a database, also while a collector uses it. */
function existing({ db: path, queryTimeoutMs }: Config, operator: Operator): ExportSource {
  refuseHalfRestored(path);
  checkExisting(path);
  const reader = new WorkerReader({
    path,
    indexing: "off",
    budgetMs: queryTimeoutMs,
    onGone: (reason) => operator.readerGone(reason),
  });
  return { reader, journalBytes: async () => (await databaseSize(path)).journalBytes };
}

/** Aborted by Ctrl-C and SIGTERM. */
function stopSignal({ shutdownTimeoutMs: timeoutMs }: Config): AbortSignal {
  const stopping = new AbortController();
  onSignals({ timeoutMs, onReload: null }).stop.then((name) => stopping.abort(name));
  return stopping.signal;
}

/** The settings as they would be now at a start, or what is wrong with them. */
function readSettingsAgain(): Config | readonly string[] {
  const config = readAgain(Deno.args, Deno.env.toObject());
  return "db" in config ? { ...config, db: realPath(config.db) } : config;
}

async function obey(
  command: Exclude<Command, { kind: "help" }>,
  operator: Operator,
  live: LiveConfig,
) {
  const print = (text: string) => write(Deno.stdout, text);
  const tell = (text: string) => operator.told(text);
  switch (command.kind) {
    case "run":
      return await run(live, operator);
    case "verify":
      return Deno.exit(await verify(command.config, operator));
    case "config":
      return runConfigCommand(command, { print, tell }, {
        database: ({ db, onCorrupt }) => inspectDatabase(db, onCorrupt),
        tls: readTlsPair,
      });
    case "token":
      return await runTokenCommand(command, { print, tell });
    case "dead-letters":
      return await runDeadLetterCommand(command, { print, tell });
    case "export":
      return await runExportCommand(command, { tell }, existing(command.config, operator));
    case "tail":
      return await runTailCommand(command, { tell }, stopSignal(command.config));
    case "backup":
      return await runBackupCommand(command, { tell }, existing(command.config, operator));
    case "restore":
      return await runRestoreCommand(
        command,
        { tell },
        (file, db) => restoreDatabase(db, { file, check: checkDatabase }),
      );
  }
}

/** Does what the command line asks for, and ends the process. */
export async function main(): Promise<void> {
  let operator = new Operator(createLog({ logFormat: "text" }));
  try {
    const command = readCommand(Deno.args, Deno.env.toObject());
    if (command.kind === "help") {
      write(Deno.stdout, command.text);
    } else {
      const live = new LiveConfig({ ...command.config, db: realPath(command.config.db) });
      operator = new Operator(createLog(live.config));
      await obey({ ...command, config: live.config }, operator, live);
    }
  } catch (error) {
    if (!(error instanceof CollectorError)) throw error;
    operator.failed(error);
    Deno.exit(EXIT_CODES[error.code]);
  }
  Deno.exit(0);
}

if (import.meta.main) await main();
