/** What answers requests: the listener with all that its answers need. */

import type { Access } from "../access.ts";
import type { Collector } from "../collector.ts";
import type { Config } from "../config.ts";
import type { BodyReader } from "../http/body.ts";
import { Gate } from "../http/gate.ts";
import { createHandler } from "../http/handler.ts";
import { Listener } from "../http/listener.ts";
import { logged } from "../http/logged.ts";
import { Reference } from "../http/reference.ts";
import { Responder } from "../http/respond.ts";
import { servedHostnames } from "../http/target.ts";
import type { Tails } from "../http/tails.ts";
import type { TlsPair } from "../http/tls_files.ts";
import type { LoopLag } from "../loop_lag.ts";
import { scrape } from "../metrics/metrics.ts";
import type { Operator } from "../operator.ts";
import { bearerToken } from "../protocols/credentials.ts";
import type { WorkerReader } from "../reader/worker_reader.ts";
import type { ReaderState } from "../reader.ts";
import { Replayer } from "../replay.ts";
import { RequestCounts } from "../request_counts.ts";
import type { RequestLog } from "../request_log.ts";
import { retentionStats } from "../retention.ts";
import type { WorkerStore } from "../store/worker_store.ts";
import { protocolsOf } from "./protocols.ts";

/** What the answers are made of. */
export interface ListeningParts {
  /** The settings in force: those that are read again are asked for each time. */
  readonly config: Config;
  /** Certificate and key; null for plain HTTP. */
  readonly tls: TlsPair | null;
  /** Who may do what. */
  readonly access: Access;
  /** Takes the events. */
  readonly collector: Collector;
  /** Keeps dead letters and export points. */
  readonly store: WorkerStore;
  /** Answers queries. */
  readonly reader: WorkerReader;
  /** Live tails that are open. */
  readonly tails: Tails;
  /** Reads the bodies of requests. */
  readonly bodies: BodyReader;
  /** Has a line for each request that the operator wants to see. */
  readonly requestLog: RequestLog;
  /** How late the event loop is. */
  readonly loopLag: LoopLag;
  /** Told what goes wrong. */
  readonly operator: Operator;
}

/** Makes the listener, which does not listen yet. */
export function listenerOf(parts: ListeningParts): Listener {
  const { config, access, collector, store, reader, tails, bodies, loopLag, operator } = parts;
  const protocols = protocolsOf(config, collector), requests = new RequestCounts();
  const { durability } = config;
  const handler = createHandler({
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
    pages: () => import("../dashboard/assets.ts").then(({ ASSETS }) => ASSETS),
    reference: new Reference({
      settings: config,
      load: async () => (await import("../openapi/assets.ts")).referenceAssets(protocols, config),
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
        ...{ collector, requests, config, tails, loopLagMs: loopLag.ms },
        bodiesInFlight: () => bodies.inFlight,
        relistens: () => listener.relistens,
        workerRestarts: () => ({ store: store.restarts, reader: reader.restarts }),
        retention: () => store.retention,
      }),
    onError: (error, requestId) => operator.requestFailed(error, requestId),
  });
  const listener: Listener = new Listener({
    hostname: config.host,
    port: config.port,
    tls: parts.tls,
    handler: logged(handler, { log: parts.requestLog, protocols }),
    onRelisten: (error, count) => operator.listenerEnded(error, count),
  });
  return listener;
}

/** How the read side is, as `GET /stats` shows it. */
function readerStats(state: ReaderState | null): object | null {
  if (state === null) return null;
  const { lastId: last_id, indexedBlocks: indexed_blocks, indexError: index_error } = state;
  return { last_id, indexed_blocks, index_error };
}
