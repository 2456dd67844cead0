/** A run of the collector, top to bottom. Stopping is the same list backwards. */

import { Access, refuseOpenDoor } from "../access.ts";
import { Collector } from "../collector.ts";
import { type Config, readAgain } from "../config.ts";
import { EXIT_BUG, EXIT_CODES, EXIT_NOT_STORED } from "../errors.ts";
import { BodyReader } from "../http/body.ts";
import { bodyLimits } from "../http/body_limits.ts";
import type { Listener } from "../http/listener.ts";
import { renewCertificate } from "../http/renewal.ts";
import { Tails } from "../http/tails.ts";
import { readTlsPair, type TlsPaths } from "../http/tls_files.ts";
import type { LiveConfig } from "../live_config.ts";
import { gateMemory } from "../log_gate.ts";
import { LoopLag } from "../loop_lag.ts";
import type { Operator } from "../operator.ts";
import { WorkerReader } from "../reader/worker_reader.ts";
import { RequestLog } from "../request_log.ts";
import { onSignals } from "../signals.ts";
import { lockDatabase, realPath } from "../store/files.ts";
import { keepOptions, retentionPolicy } from "../store/keep_options.ts";
import { finishRestore } from "../store/restoring.ts";
import { WorkerStore } from "../store/worker_store.ts";
import { tokensPath } from "../token_file.ts";
import { TokenWatch } from "../token_watch.ts";
import { writerOptions } from "../writer_options.ts";
import { listenerOf } from "./listening.ts";

/**
 * Collects until it is told to stop. What is read again on SIGHUP asks `config` each time: see
 * `live_config.ts`.
 *
 * @throws {CollectorError} if it can not start.
 */
export async function collect(live: LiveConfig, operator: Operator): Promise<void> {
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
  const reader = new WorkerReader({
    path: config.db,
    indexing: config.index,
    budgetMs: config.queryTimeoutMs,
    gate,
    onGone: (reason) => operator.readerGone(reason),
  });
  const tails = new Tails({ reader, committed: () => collector.account().committed });
  const listener = listenerOf({
    ...{ config, tls, access, collector, store, reader, tails, bodies },
    ...{ requestLog, loopLag, operator },
  });
  const endNow = (why: string, exitCode: number): never => {
    collector.abandon();
    operator.notStored(why, collector.account());
    Deno.exit(exitCode);
  };

  const signals = onSignals({
    get timeoutMs() {
      return config.shutdownTimeoutMs;
    },
    onReload: () => reload(live, { access, tokens, bodies, store, listener, tlsPaths, operator }),
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

/** What is read again. */
interface ReloadedParts {
  readonly access: Access;
  readonly tokens: TokenWatch;
  readonly bodies: BodyReader;
  readonly store: WorkerStore;
  readonly listener: Listener;
  readonly tlsPaths: TlsPaths | null;
  readonly operator: Operator;
}

function reload(live: LiveConfig, parts: ReloadedParts): void {
  const { config } = live, { access, tokens, bodies, store, listener, tlsPaths, operator } = parts;
  const onNotice = (level: "info" | "warn", text: string) => operator.reloaded(level, text);
  if (config.config !== "") {
    const { level, text } = live.reload(readSettingsAgain);
    onNotice(level, text);
    bodies.limit(bodyLimits(config));
    access.refresh();
    store.retain(retentionPolicy(config));
  }
  tokens.reload();
  const renewal = { listener, bodies, waitMs: config.bodyTimeoutMs, onNotice };
  if (tlsPaths !== null) renewCertificate(tlsPaths, renewal);
}

/** The settings as they would be now at a start, or what is wrong with them. */
function readSettingsAgain(): Config | readonly string[] {
  const config = readAgain(Deno.args, Deno.env.toObject());
  return "db" in config ? { ...config, db: realPath(config.db) } : config;
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
