// When a turn comes though nothing happens. Who runs in a `las` queue sinks a level by running on, and
// from that instant those who wait on his level may take from him: no event says so, so the plan that
// refused them has to wake then.

import { activeAttempt } from "./job.ts";
import { priorityOf, type WaitingJob } from "./order.ts";
import type { Pass } from "./pass.ts";
import { attainedLevelOf, beginOfAttainedLevel } from "./service-levels.ts";

/** A waiting job that found nobody, as far as turns are concerned. */
export type Refused = Pick<WaitingJob, "leaf" | "priority" | "level">;

/** When the first of those who run in its queue sinks below it; null = nobody does. */
export function nextTurnAtMs(pass: Pass, { leaf, priority, level }: Refused): number | null {
  const { policy, nowMs } = pass;
  const fromGpuMs = policy.lasLevelsGpuMs[level];
  if (!policy.isPreemptionEnabled || leaf.spec.order !== "las" || fromGpuMs === undefined) {
    return null;
  }
  const sinksGpuMs = beginOfAttainedLevel(attainedLevelOf(fromGpuMs));
  let firstMs: number | null = null;
  for (const job of pass.active.get(leaf) ?? []) {
    const attempt = activeAttempt(job.phase);
    const gpus = pass.gpusHeld(job);
    if (attempt === null || gpus === 0 || pass.isLeaving(job.id)) continue;
    if (job.preemptions >= policy.lasPreemptionsMax) continue;
    if (priorityOf(job.spec.priorityClass, policy) !== priority) continue;
    const leftGpuMs = sinksGpuMs - job.attainedGpuMs - (nowMs - attempt.placedAtMs) * gpus;
    if (leftGpuMs <= 0) continue;
    const atMs = nowMs + Math.ceil(leftGpuMs / gpus);
    firstMs = Math.min(firstMs ?? atMs, atMs);
  }
  return firstMs;
}
