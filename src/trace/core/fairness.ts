// How fair a run was. Owns two formulas: the error of a tenant's share against what was due to it,
// and finish-time fairness of each job.

import { must } from "../../base/assert.ts";
import { DAY_MS } from "../../base/time.ts";
import type { JobWork } from "./job-work.ts";
import type { TenantSeries } from "./recorder.ts";

const WINDOW_MS = DAY_MS;

/**
 * The largest |received / due - 1| of the tenant over all windows of 24 hours, one starting at each
 * sample, in which it had demand at every sample; null when there is no such window.
 *
 * Received is the GPU time that its jobs held, exact. Due is the time integral of the queue's fair
 * share (`fairShares`, as `queue shares` shows it: guarantees first, the rest by weight among those
 * who want it, never more than it asks for) by the trapezoid rule over the samples.
 */
export function shareError(sampledAtMs: readonly number[], series: TenantSeries): number | null {
  const dueGpuMs = [0];
  const idleUpTo = [0];
  for (let at = 1; at < sampledAtMs.length; at += 1) {
    const elapsedMs = sampleAt(sampledAtMs, at) - sampleAt(sampledAtMs, at - 1);
    const due = (sampleAt(series.dueMilliGpus, at) + sampleAt(series.dueMilliGpus, at - 1)) / 2_000;
    dueGpuMs.push(sampleAt(dueGpuMs, at - 1) + due * elapsedMs);
  }
  for (const [at, demand] of series.demandGpus.entries()) {
    idleUpTo[at + 1] = sampleAt(idleUpTo, at) + (demand > 0 ? 0 : 1);
  }
  let worst: number | null = null;
  let end = 0;
  for (let start = 0; start < sampledAtMs.length; start += 1) {
    while (
      end < sampledAtMs.length &&
      sampleAt(sampledAtMs, end) < sampleAt(sampledAtMs, start) + WINDOW_MS
    ) {
      end += 1;
    }
    if (end === sampledAtMs.length) break;
    if (sampleAt(idleUpTo, end + 1) > sampleAt(idleUpTo, start)) continue;
    const due = sampleAt(dueGpuMs, end) - sampleAt(dueGpuMs, start);
    if (due <= 0) continue;
    const received = sampleAt(series.receivedGpuMs, end) - sampleAt(series.receivedGpuMs, start);
    worst = Math.max(worst ?? 0, Math.abs(received / due - 1));
  }
  return worst;
}

function sampleAt(values: readonly number[], index: number): number {
  return must(values[index], "sample");
}

/**
 * Finish-time fairness ρ of each finished job: its completion time over the time that it would take
 * in an equal split of the cluster, T = duration × max(1, N × gpus / G). N is the number of jobs
 * present (submitted and not ended), averaged over the job's own time in the system, G the GPUs of
 * the cluster: with N others of its kind its part is G / N GPUs, and a job that fits into its part
 * runs at full speed. ρ > 1 = it would have been better off with its part. The ratio is that of
 * Themis (Mahajan et al., NSDI '20), with the average contention as in Sia (Subramanya et al.,
 * SOSP '23, section 5).
 */
export function finishTimeFairness(
  works: readonly JobWork[],
  clusterGpus: number,
): readonly number[] {
  const presence = new Presence(works);
  const ratios: number[] = [];
  for (const { job, gpus, endedAtMs, isFinished } of works) {
    if (!isFinished || endedAtMs === null) continue;
    const takenMs = endedAtMs - job.submitMs;
    const present = presence.integral(endedAtMs) - presence.integral(job.submitMs);
    const average = takenMs === 0 ? 1 : present / takenMs;
    const slowdown = Math.max(1, (average * gpus) / clusterGpus);
    ratios.push(takenMs / (job.durationMs * slowdown));
  }
  return ratios;
}

/** How many jobs are in the system, integrated over time. */
class Presence {
  readonly #atMs: number[] = [];
  readonly #integral: number[] = [];
  readonly #count: number[] = [];

  constructor(works: readonly JobWork[]) {
    const changes: { readonly atMs: number; readonly by: number }[] = [];
    for (const { job, endedAtMs } of works) {
      changes.push({ atMs: job.submitMs, by: 1 });
      if (endedAtMs !== null) changes.push({ atMs: endedAtMs, by: -1 });
    }
    changes.sort((a, b) => a.atMs - b.atMs);
    let count = 0;
    let integral = 0;
    let lastMs = 0;
    for (const { atMs, by } of changes) {
      integral += count * (atMs - lastMs);
      count += by;
      lastMs = atMs;
      this.#atMs.push(atMs);
      this.#integral.push(integral);
      this.#count.push(count);
    }
  }

  /** Job milliseconds up to the instant. */
  integral(atMs: number): number {
    let low = 0;
    let high = this.#atMs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#atMs[middle] ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return 0;
    const since = atMs - (this.#atMs[low - 1] ?? 0);
    return (this.#integral[low - 1] ?? 0) + (this.#count[low - 1] ?? 0) * since;
  }
}
