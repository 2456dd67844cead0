/**
 * A simulated machine with a collector on it: the real collector, channel, writer, keeper, journal
 * and recovery; files, database, clock and chance are models. The same seed and steps give the same
 * run, to the last operation.
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { Collector } from "../../lib/collector.ts";
import { isRefusal } from "../../lib/errors.ts";
import { generator } from "../fakes/model_chance.ts";
import { ModelClock } from "../fakes/model_clock.ts";
import { ModelDisk } from "../fakes/model_database.ts";
import { type Ending, ModelMachine } from "../fakes/model_machine.ts";
import { checkAccount, checkReceipt, checkStored, type Found } from "./oracle.ts";
import { type Bugs, NO_BUGS, removingFirst } from "./bugs.ts";
import { ModelStore } from "./model_store.ts";
import {
  Clients,
  keyedOf,
  type SentAdmission,
  type SentEvent,
  type SentRequest,
  submissionOf,
} from "./requests.ts";
import type { Step } from "./steps.ts";

interface Life {
  readonly collector: Collector;
  readonly run: string;
}

const ACK_TIMEOUT_MS = 30_000;
const HEAL_MS = 20_000;
const TIMERS_MAX = 20_000;
const RECENT = 1000;
const JOURNAL_BYTES = 4000;
const QUEUE_CAPACITY = 12;

/** Does the steps and lets all come to rest. @throws what is wrong. */
export async function simulate(
  seed: number,
  steps: readonly Step[],
  bugs = NO_BUGS,
): Promise<void> {
  using world = new World(seed, bugs);
  await world.start();
  for (const step of steps) await world.do(step);
  await world.finish();
}

class World implements Disposable {
  readonly #chance: () => number;
  readonly #clock: ModelClock;
  readonly #machine = new ModelMachine();
  readonly #disk: ModelDisk;
  readonly #clients = new Clients();
  readonly #bugs: Bugs;
  /** What clients were told to be in the database since the last check. */
  readonly #committed: SentEvent[] = [];
  #life: Life | null = null;
  #runs = 0;
  #places = 0;

  constructor(seed: number, bugs: Bugs) {
    this.#bugs = bugs;
    this.#chance = generator(seed);
    this.#clock = new ModelClock(this.#chance);
    this.#disk = new ModelDisk(this.#machine, this.#chance, bugs);
    this.#machine.files.flushes = bugs.journalFlushes;
  }

  [Symbol.dispose](): void {
    this.#clock[Symbol.dispose]();
  }

  async do(step: Step): Promise<void> {
    if (this.#life === null) await this.start();
    switch (step.kind) {
      case "submit":
        this.#submit(this.#clients.request(step.events, step.key));
        break;
      case "resend": {
        const request = this.#clients.again(step.which);
        if (request !== null) this.#submit(request);
        break;
      }
      case "pass":
        await this.#pass(step.ms);
        break;
      case "database":
        this.#disk.fault = step.fault;
        break;
      case "move-away":
        this.#disk.moveAway();
        break;
      case "disk":
        this.#machine.files.room = step.room;
        break;
      case "incident":
        this.#machine.plan(step.incident, step.operations);
        break;
      case "crash":
        await this.#crash(step.ending);
        if (step.again > 0) this.#machine.plan(step.incident ?? step.ending, step.again);
        await this.start();
        break;
      case "restart":
        await this.#stop();
        await this.start();
        break;
      case "clock":
        this.#clock.wallMs += step.ms;
    }
    this.#check();
  }

  /** Starts the collector; it stays down if it can not start now. */
  async start(): Promise<void> {
    const run = `${++this.#runs}`.padStart(16, "0");
    const recentEventIds = this.#bugs.remembersIds ? RECENT : 0;
    const store = new ModelStore({
      disk: this.#disk,
      run,
      recentEventIds,
      recentRequests: RECENT,
      journalBytes: JOURNAL_BYTES,
      journalOf: this.#bugs.removesAfterCommit ? (journal) => journal : removingFirst,
    });
    const failed = (error: unknown): never => {
      throw error;
    };
    const collector = new Collector({
      durability: "disk",
      queueCapacity: QUEUE_CAPACITY,
      queueBytes: 1e6,
      recentEventIds,
      recentRequests: RECENT,
      writer: {
        batchSize: "load",
        lingerMs: 1,
        transactionEvents: 6,
        transactionBytes: 1e6,
        retryMs: { min: 10, max: 1000 },
      },
      readyStallMs: 1e6,
      store,
      onFailed: () => {},
      onNotice: () => {},
      onWriterEnded: failed,
    });
    const isStarted = await this.#until(collector.start().then(() => true, () => false));
    if (isStarted) this.#life = { collector, run };
    else await this.#crash(this.#machine.down ?? "kill");
  }

  /** Ends all trouble, and sees that everything comes to rest where it belongs. */
  async finish(): Promise<void> {
    this.#machine.plan(null);
    this.#machine.files.room = Infinity;
    this.#disk.fault = null;
    if (this.#life === null) await this.start();
    await this.#pass(2000); // what failed before is tried again, until which all is refused
    this.#submit(this.#clients.request(["plain"], "none")); // a Worker that died starts again
    await this.#pass(HEAL_MS);
    const found = this.#check();
    ok(this.#life, "it does not start");
    const { collector, run } = this.#life, account = collector.account();
    const { queued, in_flight, journaled } = account;
    equal(
      queued + in_flight + journaled,
      0,
      `it does not come to rest: ${JSON.stringify(account)}`,
    );
    equal(found.journaled.size, 0, "the journal is not applied");
    for (const admission of this.#clients.admissions) {
      if (admission.run === run) ok(admission.isAcknowledged, "it was never acknowledged");
      if (this.#disk.moved.length > 0) continue; // a moved database takes its receipts with it
      const status = await this.#until(collector.receipt(admission.receiptId));
      checkReceipt(admission, status, found);
    }
    await this.#stop();
    await this.start(); // which also removes the files that it could not remove before
    const names = this.#machine.files.list().filter((name) => !name.includes(".damaged"));
    deepEqual(names, [], "the journal has files");
    equal(this.#life?.collector.account().recovered, 0, "something is left over");
    this.#check();
  }

  #submit(request: SentRequest): void {
    if (this.#life === null) return;
    const { collector, run } = this.#life, life = this.#life;
    const answer = collector.submit(submissionOf(request, Date.now()), {
      keyed: keyedOf(request),
    });
    if (isRefusal(answer)) return;
    const admission: SentAdmission = {
      ...answer,
      request,
      run,
      receiptId: collector.receiptId(answer),
      isAcknowledged: false,
    };
    if (!answer.isReplay) this.#clients.admissions.push(admission);
    for (const event of request.events) {
      event.isAdmitted = true;
      if (!event.places.has(run)) event.places.set(run, ++this.#places);
    }
    collector.flushed(answer, ACK_TIMEOUT_MS).then((isFlushed) => {
      if (!isFlushed || this.#life !== life) return;
      admission.isAcknowledged = true;
      for (const event of request.events) event.isAcknowledged = true;
    });
    collector.committed(answer, ACK_TIMEOUT_MS).then((isCommitted) => {
      if (isCommitted && this.#life === life) this.#committed.push(...request.events);
    });
  }

  #check(): Found {
    if (this.#life !== null) checkAccount(this.#life.collector.account());
    const found = checkStored(this.#clients, this.#disk);
    const { rows, deadLetters, movedAway } = found;
    for (const { n } of this.#committed.splice(0)) {
      const isThere = rows.has(n) || deadLetters.has(n) || movedAway.has(n);
      ok(isThere, `event ${n} is said to be committed and is not`);
    }
    return found;
  }

  /** Lets time pass, or less of it if the process ends. */
  async #pass(ms: number): Promise<void> {
    const endMs = this.#clock.nowMs + ms;
    for (let timers = 0; await this.#clock.runNext(endMs); timers++) {
      ok(timers < TIMERS_MAX, "it never comes to rest");
      if (this.#machine.down === null) continue;
      await this.#crash(this.#machine.down);
      return;
    }
    this.#clock.nowMs = endMs;
  }

  /** Lets time pass until this resolves; null if the process ends before. */
  async #until<T>(promise: Promise<T>): Promise<T | null> {
    let result: T | null = null, isDone = false;
    promise.then((value) => [result, isDone] = [value, true]);
    for (let timers = 0; !isDone && this.#machine.down === null; timers++) {
      ok(timers < TIMERS_MAX, "it never ends");
      if (!await this.#clock.runNext()) break;
    }
    return result;
  }

  async #stop(): Promise<void> {
    if (this.#life === null) return;
    const { collector } = this.#life;
    const endMs = this.#clock.nowMs + ACK_TIMEOUT_MS;
    let isDone = false;
    collector.drain().then(() => isDone = true);
    while (!isDone && this.#machine.down === null && await this.#clock.runNext(endMs));
    if (isDone) checkAccount(collector.account());
    await this.#crash(this.#machine.down ?? "kill");
  }

  async #crash(ending: Ending): Promise<void> {
    this.#life = null;
    await this.#clock.clear();
    this.#machine.plan(null);
    this.#machine.down = null;
    if (ending !== "power") return;
    this.#machine.files.cutPower(this.#chance);
    this.#disk.cutPower();
  }
}
