// The figures of one simulation, as `trainyard simulate --json` prints them. Each field's formula is
// in its comment; docs/simulate.md repeats them for people.

import { HOUR_MS } from "../../base/time.ts";
import { finishTimeFairness, shareError } from "./fairness.ts";
import type { JobWork } from "./job-work.ts";
import type { Recorder } from "./recorder.ts";
import type { SimulationEnd } from "./simulation.ts";
import { ascending, largest, mean, quantile } from "./stats.ts";
import { type ClusterShape, gpusOfCluster } from "./cluster.ts";

/** Jobs of at least so many GPUs are the large ones of `avgWaitHoursLarge`. */
export const LARGE_GPUS = 8;

export interface Figures {
  /** Submitted up to the end of the simulation. */
  readonly jobs: number;
  /** Of these, the ones that did all their work. */
  readonly finished: number;
  /** Job completion time, from submission to end, of finished jobs. */
  readonly avgJctHours: number;
  readonly p50JctHours: number;
  readonly p99JctHours: number;
  /** First wait, from submission to first placement, of jobs that were placed. */
  readonly avgWaitHours: number;
  readonly p99WaitHours: number;
  /** The same over jobs of 8 GPUs and more. */
  readonly avgWaitHoursLarge: number;
  /** The largest average first wait of one tenant. */
  readonly worstTenantAvgWaitHours: number;
  /** Orders to leave for another job. */
  readonly preemptions: number;
  readonly maxPreemptionsOfOneJob: number;
  /** GPU time that was held and led nowhere: work after the last checkpoint, restarts, stopping. */
  readonly lostGpuHours: number;
  /** Preemptions whose preemptor did not start on what was freed. */
  readonly thrash: number;
  /** GPU time held over the cluster's GPUs × makespan, 0..1. */
  readonly utilization: number;
  /** From the first submission to the last end. */
  readonly makespanHours: number;
  /** The largest ρ of a finished job; see `finishTimeFairness`. */
  readonly finishTimeFairnessWorst: number;
  /** Finished jobs with ρ > 1, in percent. */
  readonly unfairJobsPercent: number;
  /** The largest error of a tenant's share over 24 hours; see `shareError`. 0 when none had that. */
  readonly shareErrorMax: number;
  /** Placements, evictions and reservations. */
  readonly decisions: number;
  /** Time of one core for a planning pass, proof and events included. Differs from run to run. */
  readonly passMsP50: number;
  readonly passMsP99: number;
}

/** Figures of one tenant, for the report. */
export interface TenantFigures {
  readonly tenant: string;
  readonly jobs: number;
  readonly avgWaitHours: number;
  readonly avgJctHours: number;
  readonly gpuHours: number;
  /** Null when it never had demand for 24 hours on end. */
  readonly shareError: number | null;
}

export function figuresOf(
  { works, state, endedAtMs }: SimulationEnd,
  recorder: Recorder,
  cluster: ClusterShape,
): Figures {
  const completion = ascending(completionHours(works));
  const wait = ascending(waitHours(works));
  const fairness = finishTimeFairness(works, gpusOfCluster(cluster));
  const makespanMs = works.some(({ endedAtMs: end }) => end === null)
    ? endedAtMs
    : largest(works.map(({ endedAtMs: end }) => end ?? 0));
  const tenants = tenantFigures(works, recorder, endedAtMs);
  const passes = ascending(recorder.passMs);
  // Whatever kinds there are: each was an order to leave.
  const preemptions = Object.values(state.totals.preemptions).reduce((sum, of) => sum + of, 0);
  const lostGpuMs = works.reduce((sum, work) => sum + work.lostGpuMs, 0);
  const capacityGpuMs = gpusOfCluster(cluster) * makespanMs;
  return {
    jobs: works.length,
    finished: completion.length,
    avgJctHours: rounded(mean(completion)),
    p50JctHours: rounded(quantile(completion, 0.5)),
    p99JctHours: rounded(quantile(completion, 0.99)),
    avgWaitHours: rounded(mean(wait)),
    p99WaitHours: rounded(quantile(wait, 0.99)),
    avgWaitHoursLarge: rounded(mean(waitHours(works.filter(({ gpus }) => gpus >= LARGE_GPUS)))),
    worstTenantAvgWaitHours: rounded(largest(tenants.map(({ avgWaitHours }) => avgWaitHours))),
    preemptions,
    maxPreemptionsOfOneJob: largest(works.map(({ preemptions }) => preemptions)),
    lostGpuHours: rounded(lostGpuMs / HOUR_MS),
    thrash: state.totals.thrash,
    utilization: capacityGpuMs === 0 ? 0 : rounded(recorder.heldGpuMs(endedAtMs) / capacityGpuMs),
    makespanHours: rounded(makespanMs / HOUR_MS),
    finishTimeFairnessWorst: rounded(largest(fairness)),
    unfairJobsPercent: rounded(
      (100 * fairness.filter((ratio) => ratio > 1).length) / Math.max(1, fairness.length),
    ),
    shareErrorMax: rounded(largest(tenants.map(({ shareError: error }) => error ?? 0))),
    decisions: recorder.decisions,
    passMsP50: rounded(quantile(passes, 0.5)),
    passMsP99: rounded(quantile(passes, 0.99)),
  };
}

/** In the order of the recorder's tenants. */
export function tenantFigures(
  works: readonly JobWork[],
  recorder: Recorder,
  nowMs: number,
): readonly TenantFigures[] {
  const byTenant = new Map<string, JobWork[]>();
  for (const work of works) {
    const known = byTenant.get(work.job.tenant);
    if (known === undefined) byTenant.set(work.job.tenant, [work]);
    else known.push(work);
  }
  return recorder.tenants.map((series) => {
    const own = byTenant.get(series.tenant) ?? [];
    const meter = recorder.heldGpuMsOf(series.tenant, nowMs);
    return {
      tenant: series.tenant,
      jobs: own.length,
      avgWaitHours: rounded(mean(waitHours(own))),
      avgJctHours: rounded(mean(completionHours(own))),
      gpuHours: rounded(meter / HOUR_MS),
      shareError: roundedOrNull(shareError(recorder.sampledAtMs, series)),
    };
  });
}

/** Of finished jobs, in the order of the workload. */
export function completionHours(works: readonly JobWork[]): readonly number[] {
  const hours: number[] = [];
  for (const { job, endedAtMs, isFinished } of works) {
    if (isFinished && endedAtMs !== null) hours.push((endedAtMs - job.submitMs) / HOUR_MS);
  }
  return hours;
}

/** First waits of jobs that were placed, in the order of the workload. */
export function waitHours(works: readonly JobWork[]): readonly number[] {
  const hours: number[] = [];
  for (const { job, firstPlacedAtMs } of works) {
    if (firstPlacedAtMs !== null) hours.push((firstPlacedAtMs - job.submitMs) / HOUR_MS);
  }
  return hours;
}

/** Six decimals: more than anybody reads, and no digits that only say how a sum was added up. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function roundedOrNull(value: number | null): number | null {
  return value === null ? null : rounded(value);
}
