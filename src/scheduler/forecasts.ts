// Keeps a forecast of starts at hand (core/start-forecast.ts) and its errors in view. The work is done in
// short turns between which the writer loop goes on; one forecast serves everybody who asks for a while.
// Nothing of it is in the log: after a restart it is worked out anew. What its errors taught is kept beside
// the log, from time to time and at the end: a crash forgets the last half minute.

import { SECOND_MS } from "../base/time.ts";
import type { LoggedEvent } from "./core/events.ts";
import type { Starts } from "./core/explain-when.ts";
import { type ForecastError, ForecastErrors, type LearnedRatios } from "./core/forecast-errors.ts";
import { forecast, type StartForecasts } from "./core/start-forecast.ts";
import { nextTurn, type TimerPort } from "./loop-timers.ts";
import type { Brain } from "./service-ports.ts";

/** Where what was learned outlives the process. */
export interface ForecastMemory {
  /** What was written last, by whatever release; null = nothing. */
  read(): unknown;
  /** Never rejects: what can't be kept is learned again. */
  write(learned: LearnedRatios): Promise<void>;
}

export interface ForecastsParts {
  readonly brain: Pick<Brain, "state" | "nowMs" | "onCommitted">;
  readonly timers: TimerPort;
  readonly clock: { monotonicMs(): number };
  readonly memory: ForecastMemory;
  /** A job was placed that had been told when. */
  readonly onError: (error: ForecastError) => void;
}

/** Asked for an older one, a new one is begun; the old one is told meanwhile. */
const FRESH_MS = 10 * SECOND_MS;
/** Where one is made as quickly as this, who asks gets a new one: also a job that has just come. */
const QUICK_MS = 25;
const QUICK_FRESH_MS = SECOND_MS / 4;
/** Older than this it is not told any more: who asks waits for the new one. */
const TOLD_MAX_MS = 120 * SECOND_MS;
/** While anybody waits there is a new one this often, for what is told when a job comes. */
const EVERY_MS = 30 * SECOND_MS;
/** The loop is held no longer than this, and has the rest of the time unless somebody waits. */
const TURN_MS = 4;
const REST_MS = 12;

export class Forecasts {
  readonly #parts: ForecastsParts;
  readonly #errors = new ForecastErrors();
  #newest: StartForecasts | null = null;
  /** How long the newest was worked on. */
  #workMs = 0;
  #making: Promise<void> | null = null;
  /** Each takes a turn of what was asked for, and says whether that was the last. */
  readonly #works: (() => boolean)[] = [];
  #isWorking = false;
  /** How many wait for the one that is being made. */
  #waiting = 0;
  #cancelNext: (() => void) | null = null;
  #unsubscribe: (() => void) | null = null;
  #isStopped = false;
  #keptCount = 0;
  #keeping: Promise<void> = Promise.resolve();

  constructor(parts: ForecastsParts) {
    this.#parts = parts;
    this.#errors.recall(parts.memory.read());
  }

  start(): void {
    this.#unsubscribe = this.#parts.brain.onCommitted((events) => this.#note(events));
    this.#plan();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unsubscribe?.();
    this.#cancelNext?.();
    await this.#making;
    this.#keep();
    await this.#keeping;
  }

  /** As of a few seconds ago at most while people ask; null once this is stopped. */
  async starts(): Promise<Starts | null> {
    const ageMs = this.#ageMs();
    const isQuick = this.#workMs <= QUICK_MS;
    if (ageMs > (isQuick ? QUICK_FRESH_MS : TOLD_MAX_MS)) await this.#made();
    else if (ageMs > FRESH_MS) this.#begin();
    return this.#newest === null ? null : this.#errors.correct(this.#newest);
  }

  /** Does somebody's long work in turns: one of everybody's at a time, and the loop's in between. */
  inTurns<T>(work: () => Generator<void, T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let steps: Generator<void, T> | null = null;
      this.#works.push(() => {
        try {
          steps ??= work();
          const step = this.#turn(steps);
          if (step.done === true) resolve(step.value);
          return step.done === true;
        } catch (error) {
          reject(error as Error);
          return true;
        }
      });
      if (!this.#isWorking) void this.#workOff();
    });
  }

  async #workOff(): Promise<void> {
    this.#isWorking = true;
    for (let next = this.#works.shift(); next !== undefined; next = this.#works.shift()) {
      if (!next()) this.#works.push(next);
      await nextTurn();
    }
    this.#isWorking = false;
  }

  #ageMs(): number {
    if (this.#newest === null) return Number.POSITIVE_INFINITY;
    return this.#parts.brain.nowMs() - this.#newest.nowMs;
  }

  async #made(): Promise<void> {
    this.#waiting += 1;
    this.#begin();
    await this.#making;
    this.#waiting -= 1;
  }

  #begin(): void {
    if (this.#isStopped) return;
    this.#making ??= this.#make().finally(() => {
      this.#making = null;
    });
  }

  async #make(): Promise<void> {
    const { brain, clock } = this.#parts;
    const work = forecast(brain.state(), brain.nowMs());
    let workMs = 0;
    const turn = (): IteratorResult<void, StartForecasts> => {
      const fromMs = clock.monotonicMs();
      const step = this.#turn(work);
      workMs += clock.monotonicMs() - fromMs;
      return step;
    };
    let step = turn();
    while (step.done !== true) {
      await (this.#waiting > 0 ? nextTurn() : this.#rest());
      if (this.#isStopped) return;
      step = turn();
    }
    this.#newest = step.value;
    this.#workMs = workMs;
    this.#tell(step.value);
  }

  #tell(made: StartForecasts): void {
    const state = this.#parts.brain.state();
    for (const id of made.jobs()) {
      const job = state.jobs.get(id);
      if (job?.phase.kind !== "pending" || this.#errors.isTold(id)) continue;
      const raw = made.of(job, 0);
      if (raw !== null) this.#errors.tell(job, raw, made.nowMs);
    }
  }

  #turn<T>(work: Generator<void, T>): IteratorResult<void, T> {
    const { clock } = this.#parts;
    const untilMs = clock.monotonicMs() + TURN_MS;
    let step = work.next();
    while (step.done !== true && clock.monotonicMs() < untilMs) step = work.next();
    return step;
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.timers.after(REST_MS, resolve);
    });
  }

  #plan(): void {
    this.#cancelNext = this.#parts.timers.after(EVERY_MS, () => {
      const { pending } = this.#parts.brain.state();
      if (pending.size > pending.withheldCount) this.#begin();
      this.#keep();
      this.#plan();
    });
  }

  /** One write after the other. */
  #keep(): void {
    const { learnedCount } = this.#errors;
    if (learnedCount === this.#keptCount) return;
    this.#keptCount = learnedCount;
    const learned = this.#errors.learned();
    this.#keeping = this.#keeping.then(() => this.#parts.memory.write(learned));
  }

  #note(events: readonly LoggedEvent[]): void {
    for (const { event, atMs } of events) {
      if (event.kind === "job.ended" || event.kind === "job.held") this.#errors.forget(event.jobId);
      if (event.kind !== "job.placed") continue;
      const error = this.#errors.started(event.jobId, atMs);
      if (error !== null) this.#parts.onError(error);
    }
  }
}
