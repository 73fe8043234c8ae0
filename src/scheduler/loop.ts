// The one writer of the cluster: commands in, durable events out. Owns the state, the queue, the
// clock of events and the order decide → apply → commit → publish → reply; decides nothing itself.
//
// The state in memory is ahead of the disk while a commit is under way (a millisecond). Who reads it
// then may see something that a crash takes back; a reply or a published event never is.

import { assert } from "../base/assert.ts";
import { type Refusal, RefusalError, refuse } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import type { Clock } from "../base/time.ts";
import type { Logger } from "../obs/log.ts";
import { crashPoint } from "../store/crash-points.ts";
import type { Accepted, Envelope } from "./core/commands.ts";
import { countHolds, type HoldCounts, holdOf } from "./core/admission.ts";
import { planStep, step } from "./core/cycle.ts";
import type { LoggedEvent } from "./core/events.ts";
import { type Leftovers, leftoversOf } from "./core/explain-when.ts";
import { momentOf } from "./core/fork.ts";
import type { Hold, Holds } from "./core/hold.ts";
import { changesNextPlan, changesPlan, outdatesFindings } from "./core/plan-changes.ts";
import type { Findings } from "./core/plan-types.ts";
import { encodeState } from "./core/snapshot.ts";
import type { ClusterState, MutableClusterState, Policy } from "./core/state.ts";
import { LoopClock } from "./loop-clock.ts";
import type { LoopObserver, LoopStats } from "./loop-observer.ts";
import { PlanPacer } from "./loop-planning.ts";
import { restore } from "./loop-restore.ts";
import type { LoopStore } from "./loop-store.ts";
import { Alarm, nextTurn, type TimerPort } from "./loop-timers.ts";

export interface LoopLimits {
  /** Commands that may wait; more are refused with TOO_MANY_REQUESTS. Default 10,000. */
  readonly queueMax: number;
  /** Commands decided and committed together. Default 256. */
  readonly batchMax: number;
  /** A snapshot is written after so many events. Default 100,000. */
  readonly snapshotEveryEvents: number;
  /** Older events are removed once a snapshot covers them. Default 5,000,000. */
  readonly eventsKeptMax: number;
}

export const DEFAULT_LOOP_LIMITS: LoopLimits = {
  queueMax: 10_000,
  batchMax: 256,
  snapshotEveryEvents: 100_000,
  eventsKeptMax: 5_000_000,
};

export interface LoopDependencies {
  readonly store: LoopStore;
  /** Taken over at the start where it differs from the log's; null = the log's stays. */
  readonly policy: Policy | null;
  readonly clock: Clock;
  readonly timers: TimerPort;
  readonly observer: LoopObserver;
  readonly logger: Logger;
  /** The log could not be written, or a bug was found: the process must end. Called once. */
  readonly onFatal: (error: unknown) => void;
  readonly limits: LoopLimits;
}

export type CommitListener = (events: readonly LoggedEvent[]) => void;

interface Waiting {
  readonly envelope: Envelope;
  readonly reply: (reply: Accepted | Refusal) => void;
}

/** Decided and applied, and on its way to the disk. */
interface Pass {
  readonly kind: "commands" | "plan";
  readonly events: readonly LoggedEvent[];
  /** Resolves when the events are on disk. */
  readonly written: Promise<void>;
  /** Answers and reports, once it is written. */
  readonly finish: () => void;
}

interface Running {
  readonly state: MutableClusterState;
  readonly clock: LoopClock;
}

const TICK: Envelope = { command: { kind: "clock.tick" }, actor: "scheduler", request: null };
/**
 * Of more than so many commands that wait, half make a batch: its answers go out, and its callers
 * come again, while the disk has the other half. Otherwise all move in step, and the disk, this
 * thread and the callers wait for each other in turn. Smaller ones cost more in commits than they
 * save.
 */
const BATCH_MIN = 32;

export class SchedulerLoop {
  readonly #dependencies: LoopDependencies;
  readonly #listeners = new Set<CommitListener>();
  readonly #pacer = new PlanPacer();
  /** Rings when the plan asked to be looked at again. */
  readonly #wake: Alarm;
  /** Rings when the pause after a planning pass is over. */
  readonly #resume: Alarm;
  #queue: Waiting[] = [];
  #phase: "new" | "running" | "stopping" | "ended" = "new";
  #running: Running | null = null;
  #turns: Promise<void> | null = null;
  #isTickDue = false;
  #isPlanDue = false;
  #holds: Holds | null = null;
  /** Null once something has outdated them. */
  #findings: Findings | null = null;
  #findingsUntilMs = 0;
  #lastPlanAtMs: number | null = null;
  #snapshot: Promise<void> | null = null;
  #snapshotSeq = 0;

  constructor(dependencies: LoopDependencies) {
    this.#dependencies = dependencies;
    this.#wake = new Alarm(dependencies.timers, () => {
      this.#isTickDue = true;
      this.#kick();
    });
    this.#resume = new Alarm(dependencies.timers, () => this.#kick());
  }

  /** Folds the log into the state and begins to work. Throws `DATA_LOG_CORRUPT`. */
  async start(): Promise<void> {
    assert(this.#phase === "new", "the loop is started once");
    const { store, clock, logger, policy } = this.#dependencies;
    const startedMs = clock.monotonicMs();
    const { state, snapshotSeq, eventCount } = await restore(store);
    this.#running = { state, clock: this.#makeClock(state.atMs) };
    this.#snapshotSeq = snapshotSeq;
    this.#phase = "running";
    const tookMs = Math.round(clock.monotonicMs() - startedMs);
    logger.info({ seq: state.seq, snapshotSeq, eventCount, tookMs }, "The event log is read");
    this.#isTickDue = true;
    this.#isPlanDue = true;
    const command = { kind: "policy.apply", policy: policy ?? state.policy } as const;
    const reply = await this.execute({ command, actor: "scheduler", request: null });
    if (reply.kind === "refusal") throw new RefusalError(reply);
  }

  /**
   * Resolves once everything that the command did is on disk, or with why it was refused. Never
   * resolves when the commit fails: nobody is told what may not be true.
   */
  execute(envelope: Envelope): Promise<Accepted | Refusal> {
    if (this.#phase !== "running") return Promise.resolve(shuttingDown());
    const { queueMax } = this.#dependencies.limits;
    if (this.#queue.length >= queueMax) return Promise.resolve(queueFull(queueMax));
    return new Promise((reply) => {
      this.#queue.push({ envelope, reply });
      this.#kick();
    });
  }

  /** The live state. It changes between two turns of the event loop: do not keep it. */
  state(): ClusterState {
    return this.#live().state;
  }

  /** Why a pending job waits, by the last planning pass; `EVALUATING` when that did not see it. */
  hold(jobId: JobId): Hold {
    return holdOf(this.#live().state, this.#holds, jobId);
  }

  /** Of the last planning pass; null before the first. */
  leftovers(): Leftovers | null {
    const holds = this.#holds;
    if (holds === null) return null;
    return leftoversOf(holds, () => this.#findingsNow());
  }

  #findingsNow(): Findings | null {
    if (this.#live().clock.nowMs() >= this.#findingsUntilMs) return null;
    return this.#findings;
  }

  /** Pending jobs of each queue by why they wait. */
  holdCounts(): HoldCounts {
    return countHolds(this.#live().state, this.#holds);
  }

  /**
   * Calls `listener` with the events of each commit, in order, before their commands are answered.
   * It must return soon and not throw. The returned function ends it.
   */
  onCommitted(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Milliseconds since 1970 by the clock that dates the events. */
  nowMs(): number {
    return this.#live().clock.nowMs();
  }

  stats(): LoopStats {
    const { store, limits } = this.#dependencies;
    return {
      queueDepth: this.#queue.length,
      queueDepthMax: limits.queueMax,
      seq: store.log.lastSeq,
      logFirstSeq: store.log.firstSeq,
      snapshotSeq: this.#snapshotSeq,
      lastPlanAtMs: this.#lastPlanAtMs,
      clockSkewMs: this.#running?.clock.skewMs() ?? 0,
    };
  }

  /** Answers what waits, refuses what comes, writes a snapshot. The store may be closed then. */
  async stop(): Promise<void> {
    if (this.#phase !== "running") return;
    this.#phase = "stopping";
    while (this.#turns !== null) await this.#turns;
    await this.#snapshot;
    this.#silence(); // Only now: the last planning pass may have set an alarm.
    if (this.#hasFailed()) return;
    if (this.#live().state.seq > this.#snapshotSeq) await this.#writeSnapshot();
    this.#phase = "ended";
  }

  #makeClock(notBeforeMs: number): LoopClock {
    const { clock, logger } = this.#dependencies;
    const onSkew = (skewMs: number): void => {
      logger.warn(
        { skewMs: Math.round(skewMs) },
        "The wall clock jumped, or disagrees with the log: event times follow it slowly. " +
          "Set it right (NTP) and leave it.",
      );
    };
    return new LoopClock({ source: clock, notBeforeMs, onSkew });
  }

  #live(): Running {
    assert(this.#running !== null, "the loop has not been started");
    return this.#running;
  }

  #hasFailed(): boolean {
    return this.#phase === "ended";
  }

  /** Starts the turns after this turn of the event loop, so that what came together goes together. */
  #kick(): void {
    if (this.#turns !== null || this.#phase === "ended") return;
    this.#turns = nextTurn()
      .then(() => this.#turn())
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#turns = null;
        // Something may have come between the last look and here.
        if (this.#queue.length > 0 || this.#isTickDue) this.#kick();
      });
  }

  /**
   * Works until there is nothing to do now. While the disk has one pass, this thread gives the
   * answers of the one before and takes in what comes.
   */
  async #turn(): Promise<void> {
    let before: Pass | null = null;
    for (;;) {
      // Only here, between two passes, is the state in memory the one that is on disk.
      if (before !== null) this.#publish(before.events);
      this.#snapshotWhenDue();
      const next = this.#begin(before);
      before?.finish();
      if (before === null && next === null) return;
      before = next;
      await Promise.all([next?.written, nextTurn()]);
    }
  }

  /** Decides, applies, and hands to the disk; null = nothing is due. */
  #begin(before: Pass | null): Pass | null {
    const hasCommands = this.#queue.length > 0 || this.#isTickDue;
    // In turns: neither keeps the other waiting.
    if (this.#mayPlan() && (before?.kind === "commands" || !hasCommands)) return this.#planPass();
    return hasCommands ? this.#commandPass() : null;
  }

  #commandPass(): Pass {
    const batch = this.#takeBatch();
    const { clock, observer } = this.#dependencies;
    const startedMs = clock.monotonicMs();
    const { events, replies, refusals } = this.#decide(batch);
    this.#pacer.decided(batch.length);
    if (events.some(({ event }) => changesPlan(event))) this.#isPlanDue = true;
    if (events.some(({ event }) => outdatesFindings(event))) this.#findings = null;
    const decidedMs = clock.monotonicMs();
    let writtenMs = decidedMs;
    const written = this.#commit(events).then(() => {
      writtenMs = clock.monotonicMs();
    });
    const finish = (): void => {
      crashPoint("loop.before-reply");
      batch.forEach((waiting, position) => {
        const reply = replies[position];
        assert(reply !== undefined, "each command has a reply");
        waiting.reply(reply);
      });
      observer.batchDone({
        commands: batch.length,
        refusals,
        events: events.length,
        decideMs: decidedMs - startedMs,
        commitMs: writtenMs - decidedMs,
      });
    };
    return { kind: "commands", events, written, finish };
  }

  #takeBatch(): readonly Waiting[] {
    const { batchMax } = this.#dependencies.limits;
    const count = Math.min(batchMax, Math.max(BATCH_MIN, Math.ceil(this.#queue.length / 2)));
    const batch = this.#queue.splice(0, count);
    if (this.#isTickDue) {
      this.#isTickDue = false;
      this.#isPlanDue = true;
      batch.push({ envelope: TICK, reply: () => undefined });
    }
    return batch;
  }

  #decide(batch: readonly Waiting[]) {
    const { state, clock } = this.#live();
    const nowMs = clock.nowMs();
    const events: LoggedEvent[] = [];
    const replies: (Accepted | Refusal)[] = [];
    let refusals = 0;
    for (const { envelope } of batch) {
      const result = step(state, envelope, nowMs);
      for (const event of result.events) events.push(event);
      replies.push(result.reply);
      if (result.reply.kind === "refusal") refusals += 1;
    }
    return { events, replies, refusals };
  }

  #mayPlan(): boolean {
    if (!this.#isPlanDue || this.#phase !== "running") return false;
    const waitMs = this.#pacer.waitMs(this.#dependencies.clock.monotonicMs());
    if (waitMs > 0) this.#resume.set(waitMs);
    return waitMs === 0;
  }

  #planPass(): Pass {
    const { clock, observer } = this.#dependencies;
    const { state, clock: loopClock } = this.#live();
    this.#isPlanDue = false;
    this.#resume.set(null);
    const startedMs = clock.monotonicMs();
    const atMs = loopClock.nowMs();
    const { events, plan } = planStep(state, atMs);
    const plannedMs = clock.monotonicMs();
    this.#pacer.passed(startedMs, plannedMs);
    const isAgainDue = events.some(({ event }) => changesNextPlan(event));
    if (isAgainDue) this.#isPlanDue = true;
    this.#findings = null;
    crashPoint("loop.before-plan-commit");
    let writtenMs = plannedMs;
    const written = this.#commit(events).then(() => {
      crashPoint("loop.after-plan-commit");
      writtenMs = clock.monotonicMs();
      this.#holds = plan.holds;
      this.#findings = isAgainDue ? null : plan.findings;
      this.#findingsUntilMs = plan.wakeAtMs ?? Number.POSITIVE_INFINITY;
    });
    const finish = (): void => {
      this.#lastPlanAtMs = atMs;
      this.#wake.set(plan.wakeAtMs === null ? null : plan.wakeAtMs - loopClock.nowMs());
      observer.planDone({
        atMs,
        planMs: plannedMs - startedMs,
        commitMs: writtenMs - plannedMs,
        starts: plan.starts.length,
        evictions: plan.evictions.length,
        reservations: plan.reservations.length,
        holds: plan.holds.size,
      });
    };
    return { kind: "plan", events, written, finish };
  }

  async #commit(events: readonly LoggedEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.#dependencies.store.log.append(events);
  }

  #publish(events: readonly LoggedEvent[]): void {
    if (events.length === 0) return;
    for (const listener of this.#listeners) {
      try {
        listener(events);
      } catch (error) {
        this.#dependencies.logger.error({ error }, "A listener to events failed; it missed some");
      }
    }
  }

  #snapshotWhenDue(): void {
    const { limits } = this.#dependencies;
    const sinceLast = this.#live().state.seq - this.#snapshotSeq;
    if (this.#snapshot !== null || sinceLast < limits.snapshotEveryEvents) return;
    this.#snapshot = this.#writeSnapshot()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#snapshot = null;
      });
  }

  async #writeSnapshot(): Promise<void> {
    const { store, limits, logger, clock } = this.#dependencies;
    const { state } = this.#live();
    const startedMs = clock.monotonicMs();
    const { seq, atMs } = state;
    const head = await store.snapshots.write({ seq, atMs }, encodeState(momentOf(state)));
    this.#snapshotSeq = seq;
    const tookMs = Math.round(clock.monotonicMs() - startedMs);
    logger.info({ seq, rows: head.rows, tookMs }, "A snapshot is written");
    const [older, newer] = store.snapshots.seqs();
    // From the older snapshot, too, the newest event must be reached.
    if (older === undefined || newer === undefined) return;
    await store.log.trimBefore(Math.min(older + 1, seq + 1 - limits.eventsKeptMax));
  }

  #fail(error: unknown): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#silence();
    this.#dependencies.onFatal(error);
  }

  #silence(): void {
    this.#wake.set(null);
    this.#resume.set(null);
  }
}

function shuttingDown(): Refusal {
  return refuse(
    "SHUTTING_DOWN",
    "The scheduler is starting or stopping.",
    "Send it again with the same request id.",
  );
}

function queueFull(queueMax: number): Refusal {
  return refuse(
    "TOO_MANY_REQUESTS",
    `${queueMax} commands are waiting already.`,
    "Wait a second and send it again with the same request id.",
  );
}
