// Elastic jobs take idle nodes: a job that runs with fewer than its most is stopped with a checkpoint
// and goes on with more. Owns when that is worth it; nobody is ever asked to leave for it.
//
// A change costs the work since the last checkpoint and a restart. So a job grows only while nobody
// waits for room, not sooner than `growAfterMs` after it last began to run, and if in that time the
// nodes that it gains make up for the cost. Each time it has had to shrink the wait doubles: where
// room comes and goes, a job settles at a size that it can keep.

import { isElastic, largestFit } from "./elastic.ts";
import { NodePool } from "./fit.ts";
import { fitGang } from "./gang.ts";
import { type Attempt, type Job, resumePoint, type StopCause, type TaskPlacement } from "./job.ts";
import type { Pass } from "./pass.ts";
import { limitReached } from "./quota.ts";
import { shapeOf, sizedTo } from "./shape.ts";
import type { Policy } from "./state.ts";
import { lossOf, savesAtMs } from "./victims.ts";

/** The wait doubles up to 64 times `growAfterMs`. */
const DOUBLINGS_MAX = 6;

/**
 * Call last, when nobody waits for room. Returns when to look again for those who may not grow yet;
 * null = there are none.
 */
export function growRunning(pass: Pass): number | null {
  let wakeAtMs: number | null = null;
  if (pass.policy.growAfterMs === 0) return null;
  for (const job of [...pass.active.values()].flat()) {
    if (!isElastic(job) || job.phase.kind !== "running" || pass.isLeaving(job.id)) continue;
    const atMs = growOne(pass, job, job.phase.attempt);
    if (atMs !== null) wakeAtMs = Math.min(wakeAtMs ?? atMs, atMs);
  }
  return wakeAtMs;
}

/** Null when it has grown, or only another event could let it. */
function growOne(pass: Pass, job: Job, attempt: Attempt): number | null {
  const { nowMs, policy } = pass;
  const { placement } = attempt;
  // What was never saved would be lost as a whole.
  const saved = resumePoint(job);
  if (placement.length === job.spec.nodes || saved === null) return null;
  // It is coming to its end, and has given back what those tasks held.
  if (attempt.tasks.some(({ kind }) => kind === "ended")) return null;
  const restedAtMs = mayGrowFromMs(job, attempt.runningAtMs ?? nowMs, policy);
  if (restedAtMs > nowMs) return restedAtMs;
  const next = widerFit(pass, job, placement);
  if (next === null) return null;
  const more = next.length - placement.length;
  const costMs = (lossOf(pass, { attempt, saved }) + policy.restartCostMs) * placement.length;
  if (costMs > more * policy.growAfterMs) {
    const savedAtMs = savesAtMs(job) ?? 0;
    return savedAtMs > nowMs ? savedAtMs + 1 : null;
  }
  const idle = `${more} idle node${more === 1 ? "" : "s"}`;
  const why = `${idle} can join its ${placement.length}, and nobody waits for them.`;
  pass.evict({ victim: job.id, how: "grow", preemptor: null, next, why });
  return null;
}

/** How long after it began to run a job lets idle nodes be. */
export function mayGrowFromMs(
  { history }: Job,
  runningAtMs: number,
  { growAfterMs }: Pick<Policy, "growAfterMs">,
): number {
  const shrinks = history.filter(({ cause }) => isShrink(cause)).length;
  return runningAtMs + growAfterMs * 2 ** Math.min(shrinks, DOUBLINGS_MAX);
}

/** For others: that a node was drained says nothing of what it can keep. */
const isShrink = (cause: StopCause | null): boolean =>
  cause?.kind === "preempted" && cause.how === "shrink" && cause.preemptor !== null;

/** More nodes than `own`: those and what nobody holds or keeps, within every limit. */
export function widerFit(
  pass: Pass,
  job: Job,
  own: readonly TaskPlacement[],
): readonly TaskPlacement[] | null {
  const { spec, owner } = job;
  const { gpus } = spec.perNode;
  const [open, later] = [new NodePool(pass.open), new NodePool(pass.later)];
  for (const task of own) for (const pool of [open, later]) pool.give(task, spec.perNode);
  const leaf = pass.tree.queue(spec.queue);
  pass.owners.add(owner, -1, -own.length * gpus);
  const found = largestFit(own.length + 1, spec.nodes, (nodes) => {
    const more = { nodes: nodes - own.length, perNode: spec.perNode };
    if (limitReached(leaf, more) !== null) return null;
    if (pass.owners.reached(owner, nodes * gpus) !== null) return null;
    return fitGang(open, shapeOf(sizedTo(spec, nodes)), pass.tasteOf(job), later);
  });
  pass.owners.add(owner, 1, own.length * gpus);
  return found;
}
