// Elastic jobs: those that run with any number of nodes from `nodesMin` to `nodes`. Owns when they get
// more than their least. That they give it up first when others have a right to it is
// victim-search.ts's.
//
// An elastic job waits, preempts and is held against limits as the gang of its least; what it gets
// beyond that is what is left over once everyone else was served. So it never keeps anybody waiting
// who could have been started in the same pass, and takes as much as its limits leave.

import { activeAttempt, isResize, type Job, type TaskPlacement } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { Pass } from "./pass.ts";
import type { Start } from "./plan-types.ts";
import { limitReached } from "./quota.ts";
import { shapeOf, sizedTo } from "./shape.ts";
import { keepsRules } from "./sites.ts";

export const isElastic = ({ spec }: Pick<Job, "spec">): boolean => spec.nodesMin < spec.nodes;

/** Has it been told to go on with another size, and not started so yet? */
export function isChangingSize({ phase, history }: Job): boolean {
  if (phase.kind === "stopping") return isResize(phase.cause);
  return phase.kind === "pending" && isResize(history.at(-1)?.cause ?? null);
}

/**
 * Tasks that a running job can give up, any of them, and go on with the others where they are: none
 * when some of its nodes would not be given to it now.
 */
export function spareTasks(pass: Pass, job: Job): number {
  const attempt = activeAttempt(job.phase);
  if (!isElastic(job) || attempt === null) return 0;
  const { placement, tasks } = attempt;
  if (tasks.some(({ kind }) => kind === "ended")) return 0;
  const isOffered = placement.every(({ nodeId }) => pass.later.slot(nodeId)?.isOffered === true);
  if (!isOffered) return 0;
  const shape = shapeOf(sizedTo(job.spec, placement.length));
  return keepsRules(pass.later, shape, placement) ? placement.length - job.spec.nodesMin : 0;
}

/** What it would still have if it left the nodes that take nobody new; empty = too little to go on. */
export function remainingTasks(pass: Pass, job: Job): readonly TaskPlacement[] {
  const attempt = activeAttempt(job.phase);
  if (!isElastic(job) || attempt === null) return [];
  if (attempt.tasks.some(({ kind }) => kind === "ended")) return [];
  const left = attempt.placement.filter(({ nodeId }) => {
    return pass.later.slot(nodeId)?.isOffered === true;
  });
  if (left.length < job.spec.nodesMin) return [];
  return keepsRules(pass.later, shapeOf(sizedTo(job.spec, left.length)), left) ? left : [];
}

/** Those who start in this pass and could take more. */
export const elasticStarts = (pass: Pass): readonly Start[] =>
  pass.starts.filter(({ jobId }) => isElastic(jobOf(pass.state, jobId)));

/** Gives one of them what is left over. Call when nobody else is to be placed. */
export function widen(pass: Pass, start: Start): void {
  const job = jobOf(pass.state, start.jobId);
  const { placement } = pass.takeBack(start);
  const leaf = pass.tree.queue(job.spec.queue);
  const larger = largestFit(placement.length + 1, job.spec.nodes, (nodes) => {
    const shape = shapeOf(sizedTo(job.spec, nodes));
    if (limitReached(leaf, shape) !== null) return null;
    if (pass.owners.reached(job.owner, shape.gpus) !== null) return null;
    return pass.fit(job, shape);
  });
  pass.start(job, larger ?? placement);
}

/** A placement of a gang of so many nodes, or null. */
type FitOf = (nodes: number) => readonly TaskPlacement[] | null;

/** Whoever fits with n nodes fits with fewer: halving finds the most. Null = not even `least`. */
export function largestFit(
  least: number,
  most: number,
  fitOf: FitOf,
): readonly TaskPlacement[] | null {
  let best: readonly TaskPlacement[] | null = null;
  let fitting = least - 1;
  let tooMany = most + 1;
  while (tooMany - fitting > 1) {
    const nodes = (fitting + tooMany) >> 1;
    const found = fitOf(nodes);
    if (found === null) tooMany = nodes;
    else [best, fitting] = [found, nodes];
  }
  return best;
}
