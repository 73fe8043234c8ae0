// How long jobs may still run, as a distribution to draw from: what the forecasts of starts take where
// remaining-time.ts gives the planner one number. Where too little is known of jobs like this one, it
// goes on with less: all jobs of the cluster, and then what the job itself has run. Decides nothing.

import { SECOND_MS } from "../../base/time.ts";
import type { Job } from "./job.ts";
import { forecastRemainingMs, limitLeftMs, usefulRunMs } from "./remaining-time.ts";
import {
  drawRemainingMs,
  isTelling,
  learnedTimes,
  mergeTimes,
  type RunTimes,
} from "./run-times.ts";
import type { ClusterState } from "./state.ts";

/** What is known of a job's end; `draw` makes a time of it. */
export interface RunSamples {
  /** As somebody said; null = nobody did. */
  readonly toldMs: number | null;
  /** Null = no jobs like it are known that ran as long. */
  readonly times: RunTimes | null;
  /** That it has run, or will have when it starts. */
  readonly ranMs: number;
  /** Until its time limit; infinite = it has none. */
  readonly leftMs: number;
}

/** A job that has run for less says nothing by that. */
const TELLING_RAN_MS = 60 * SECOND_MS;
/** What was told is told anew when it is off by more (step-pace.ts): more or less, at the ends. */
const TOLD_SPREAD = 0.2;

export class RunSampler {
  readonly #state: Pick<ClusterState, "runTimes">;
  readonly #nowMs: number;
  #all: RunTimes | null = null;
  /** Of jobs that have not run yet; by all that decides what is known of them. */
  readonly #fresh = new Map<string, RunTimes | null>();

  constructor(state: Pick<ClusterState, "runTimes">, nowMs: number) {
    this.#state = state;
    this.#nowMs = nowMs;
  }

  /** Null when nobody knows anything. */
  of(job: Job): RunSamples | null {
    const ranMs = usefulRunMs(job, this.#nowMs);
    const toldMs = forecastRemainingMs(job, ranMs);
    const times = toldMs === null ? this.#timesOf(job, ranMs) : null;
    const limitMs = limitLeftMs(job, this.#nowMs);
    const isRunKnown = toldMs !== null || times !== null || ranMs >= TELLING_RAN_MS;
    if (!isRunKnown && limitMs === null) return null;
    return { toldMs, times, ranMs, leftMs: limitMs ?? Number.POSITIVE_INFINITY };
  }

  #timesOf(job: Job, ranMs: number): RunTimes | null {
    if (ranMs > 0) return this.#lookUp(job, ranMs);
    const { spec, owner } = job;
    const key = `${spec.queue}|${owner.tenant}|${owner.user}|${spec.name}`;
    let times = this.#fresh.get(key);
    if (times === undefined) this.#fresh.set(key, (times = this.#lookUp(job, 0)));
    return times;
  }

  #lookUp({ spec, owner }: Job, ranMs: number): RunTimes | null {
    const times = learnedTimes(this.#state.runTimes, spec, owner, ranMs);
    if (times !== null) return times;
    this.#all ??= mergeTimes(this.#state.runTimes);
    return isTelling(this.#all, ranMs) ? this.#all : null;
  }
}

/**
 * In how many milliseconds it ends if `permille` (1 to 999) of those like it end sooner. Who has no time
 * limit and has outrun all that is known goes on as heavy tails do: one half for as long again.
 */
export function drawEndMs({ toldMs, times, ranMs, leftMs }: RunSamples, permille: number): number {
  if (toldMs !== null) {
    const off = 1 + TOLD_SPREAD * (permille / 500 - 1);
    return Math.min(leftMs, Math.max(SECOND_MS, Math.floor(toldMs * off)));
  }
  if (times !== null) return Math.min(leftMs, drawRemainingMs(times, ranMs, permille));
  if (Number.isFinite(leftMs)) return leftMs;
  return Math.max(SECOND_MS, Math.floor((ranMs * permille) / (1_000 - permille)));
}
