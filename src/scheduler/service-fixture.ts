// For tests of services and sessions: a brain that decides with the real core and forgets at the
// end, and time that tests turn by hand.

import type { Refusal } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import type { Accepted, Envelope } from "./core/commands.ts";
import { step } from "./core/cycle.ts";
import type { LoggedEvent } from "./core/events.ts";
import { World } from "./core/fixture.ts";
import { holdOf } from "./core/admission.ts";
import { type Leftovers, leftoversOf } from "./core/explain-when.ts";
import type { Hold } from "./core/hold.ts";
import type { ClusterState } from "./core/state.ts";
import { type ForecastMemory, Forecasts } from "./forecasts.ts";
import type { LearnedRatios } from "./core/forecast-errors.ts";
import type { TimerPort } from "./loop-timers.ts";
import type { Brain, JobHistory } from "./service-ports.ts";

/**
 * A World behind the face that services see. Commands take effect in a later turn, as in the loop.
 */
export class TestBrain implements Brain, JobHistory {
  readonly world: World;
  readonly holds = new Map<JobId, Hold>();
  readonly executed: Envelope[] = [];
  /** Set to refuse every command. */
  refusal: Refusal | null = null;
  /** Commands wait for it: a loop that is busy. */
  busy: Promise<void> = Promise.resolve();
  readonly #listeners = new Set<(events: readonly LoggedEvent[]) => void>();
  #published = 0;
  #leftovers: Leftovers | null = null;

  constructor(world = new World()) {
    this.world = world;
    this.#published = world.log.length;
  }

  async execute(envelope: Envelope): Promise<Accepted | Refusal> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.busy;
    this.executed.push(envelope);
    if (this.refusal !== null) return this.refusal;
    const { world } = this;
    const { events, reply } = step(world.state, envelope, world.nowMs);
    world.log.push(...events);
    this.publish();
    return reply;
  }

  /** Tells the listeners what the test did to the world directly. */
  publish(): void {
    const events = this.world.log.slice(this.#published);
    this.#published = this.world.log.length;
    if (events.length > 0) for (const listener of this.#listeners) listener(events);
  }

  plan(): void {
    const { holds, findings } = this.world.plan();
    const { seq } = this.world.state;
    const isSame = (): boolean => this.world.state.seq === seq;
    this.#leftovers = leftoversOf(holds, () => (isSame() ? findings : null));
    for (const [id, hold] of holds) this.holds.set(id, hold);
    this.publish();
  }

  state(): ClusterState {
    return this.world.state;
  }

  hold(jobId: JobId): Hold {
    return holdOf(this.world.state, { of: (id) => this.holds.get(id) ?? null }, jobId);
  }

  leftovers(): Leftovers | null {
    return this.#leftovers;
  }

  onCommitted(listener: (events: readonly LoggedEvent[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  nowMs(): number {
    return this.world.nowMs;
  }

  read(jobId: JobId, fromSeq: number, limit: number): readonly LoggedEvent[] {
    const isOfJob = ({ event, seq }: LoggedEvent): boolean =>
      "jobId" in event && event.jobId === jobId && seq >= fromSeq;
    return this.world.log.filter(isOfJob).slice(0, limit);
  }
}

/** Made when they are asked for, and only then. */
export const forecastsOver = (brain: TestBrain): Forecasts =>
  new Forecasts({
    brain,
    timers: new TestTime(),
    clock: new TestTime(),
    memory: new TestMemory(),
    onError: () => undefined,
  });

/** A clock and its timers, moved by `advance` only. */
export class TestTime implements TimerPort {
  #nowMs = 0;
  readonly #timers = new Set<TestTimer>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Runs what falls due on the way, each at its time; what was due before, now. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#timers.delete(next);
      next.run();
    }
    this.#nowMs = endMs;
  }

  /** The process stands still: time goes on, timers fall due late. */
  stall(ms: number): void {
    this.#nowMs += ms;
  }

  #next(endMs: number): TestTimer | undefined {
    const due = [...this.#timers].filter((timer) => timer.atMs <= endMs);
    return due.sort((a, b) => a.atMs - b.atMs)[0];
  }
}

interface TestTimer {
  readonly atMs: number;
  readonly run: () => void;
}

/** Keeps what was learned as the store does: as text. */
export class TestMemory implements ForecastMemory {
  text = "null";

  read(): unknown {
    return JSON.parse(this.text);
  }

  write(learned: LearnedRatios): Promise<void> {
    this.text = JSON.stringify(learned);
    return Promise.resolve();
  }
}
