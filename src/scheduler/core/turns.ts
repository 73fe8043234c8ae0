// When a turn comes though nothing happens. Who runs in a `las` queue sinks a level by running on, who
// runs in a `shortest` queue turns out to have more to come than was thought, and who has waited too
// long counts as new: from that instant those who wait may take what they could not before. No event
// says so, so the plan that refused them has to wake then.

import { must } from "../../base/assert.ts";
import { jobId } from "../../base/ids.ts";
import { activeAttempt, gpusHeld, type Job } from "./job.ts";
import { jobOf } from "./lookup.ts";
import { priorityOf, type WaitingJob } from "./order.ts";
import type { Pass } from "./pass.ts";
import type { PendingJobs } from "./pending.ts";
import type { PendingJob } from "./pending-groups.ts";
import { nextGuessAtMs } from "./remaining-time.ts";
import { SHORTER_BY } from "./rights.ts";
import { attainedLevelOf, beginOfAttainedLevel, countedGpuMs } from "./service-levels.ts";
import { comingLevelOf } from "./victims.ts";

/** A waiting job that found nobody, as far as turns are concerned. */
export type Refused = Pick<WaitingJob, "leaf" | "priority" | "level">;

/** When it may get a turn over one who runs in its queue, and could not before; null = never. */
export function nextTurnAtMs(pass: Pass, refused: Refused): number | null {
  if (!pass.policy.isPreemptionEnabled) return null;
  switch (refused.leaf.spec.order) {
    case "las":
      return nextSinksAtMs(pass, refused);
    case "shortest":
      return nextLongerAtMs(pass, refused);
    case "fifo":
    case "edf":
      return null;
  }
}

/** When the first of those who run in its queue sinks below it. */
function nextSinksAtMs(pass: Pass, refused: Refused): number | null {
  const { policy, nowMs } = pass;
  const fromGpuMs = policy.lasLevelsGpuMs[refused.level];
  if (fromGpuMs === undefined) return null;
  const sinksGpuMs = beginOfAttainedLevel(attainedLevelOf(fromGpuMs));
  let firstMs: number | null = null;
  for (const job of movable(pass, refused)) {
    const attempt = must(activeAttempt(job.phase), job.id);
    const gpus = gpusHeld(job);
    const hadGpuMs =
      countedGpuMs(job, attempt, policy.lasAgingMs) + (nowMs - attempt.placedAtMs) * gpus;
    const leftGpuMs = sinksGpuMs - hadGpuMs;
    if (leftGpuMs <= 0) continue;
    const atMs = nowMs + Math.ceil(leftGpuMs / gpus);
    firstMs = Math.min(firstMs ?? atMs, atMs);
  }
  return firstMs;
}

/** When the first of those who run in its queue turns out to have that much more to come. */
function nextLongerAtMs(pass: Pass, refused: Refused): number | null {
  const { state, nowMs } = pass;
  const least = refused.level + SHORTER_BY;
  let firstMs: number | null = null;
  for (const job of movable(pass, refused)) {
    const isMet = (atMs: number): boolean => {
      const level = comingLevelOf(state, job, atMs);
      return level >= least && level > comingLevelOf(state, job, atMs - 1);
    };
    firstMs = nextGuessAtMs(state, job, nowMs, isMet, firstMs) ?? firstMs;
  }
  return firstMs;
}

/** Those of its queue and class who run, and may be asked to give way to others of it. */
function movable(pass: Pass, { leaf, priority }: Refused): readonly Job[] {
  const { policy, active } = pass;
  return (active.get(leaf) ?? []).filter((job) => {
    if (gpusHeld(job) === 0 || pass.isLeaving(job.id)) return false;
    if (job.preemptions >= policy.lasPreemptionsMax) return false;
    return priorityOf(job.spec.priorityClass, policy) === priority;
  });
}

/** Waiting jobs that are looked at, before the pass wakes to look at more. */
const AGED_LOOKED_MAX = 64;

/** When the next of those who wait has waited so long that it counts as new; null = nobody will. */
export function nextAgedAtMs({
  state,
  pending,
  policy,
  nowMs,
  tree,
  isWaiting,
}: Pass): number | null {
  let looked = 0;
  for (const { id, sinceMs } of waitingSince(pending, nowMs - policy.lasAgingMs)) {
    const atMs = sinceMs + policy.lasAgingMs + 1;
    looked += 1;
    if (looked === AGED_LOOKED_MAX) return atMs;
    const { attainedGpuMs, spec } = jobOf(state, id);
    const { order } = tree.queue(spec.queue).spec;
    const isServed = attainedLevelOf(attainedGpuMs) > 0;
    if (isServed && (order === "las" || order === "shortest") && isWaiting(id)) return atMs;
  }
  return null;
}

/** Those who began to wait at that instant or later, the longest waiter first. */
export function* waitingSince(
  { bySince }: Pick<PendingJobs, "bySince">,
  sinceMs: number,
): Iterable<PendingJob> {
  let at = bySince.rank({ id: jobId(""), submittedAtMs: 0, sinceMs, seq: 0 });
  for (let next = bySince.at(at); next !== undefined; next = bySince.at(at)) {
    yield next;
    at += 1;
  }
}
