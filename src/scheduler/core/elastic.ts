// Elastic jobs: those that run with any number of nodes from `nodesMin` to `nodes`. Owns when they get
// more than their least. That they give it up first when others have a right to it is
// victim-search.ts's.
//
// An elastic job waits, preempts and is held against limits as the gang of its least; what it gets
// beyond that is what is left over once everyone else was served. So it never keeps anybody waiting
// who could have been started in the same pass, and takes as much as its limits leave.

import type { Job, TaskPlacement } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { Pass } from "./pass.ts";
import { limitReached } from "./quota.ts";
import { shapeOf, sizedTo } from "./shape.ts";

export const isElastic = ({ spec }: Pick<Job, "spec">): boolean => spec.nodesMin < spec.nodes;

/** Gives those who start in this pass what is left over. Call when nobody else is to be placed. */
export function widenStarts(pass: Pass): void {
  const starts = pass.starts.filter(({ jobId }) => isElastic(jobOf(pass.state, jobId)));
  for (const start of starts) {
    const job = jobOf(pass.state, start.jobId);
    const { placement } = pass.takeBack(start);
    pass.start(job, largestFit(pass, job, placement.length + 1) ?? placement);
  }
}

/** Whoever fits with n nodes fits with fewer: halving finds the most. Null = not even `least`. */
function largestFit(pass: Pass, job: Job, least: number): readonly TaskPlacement[] | null {
  let best: readonly TaskPlacement[] | null = null;
  let fitting = least - 1;
  let tooMany = job.spec.nodes + 1;
  while (tooMany - fitting > 1) {
    const nodes = (fitting + tooMany) >> 1;
    const found = fitOf(pass, job, nodes);
    if (found === null) tooMany = nodes;
    else [best, fitting] = [found, nodes];
  }
  return best;
}

function fitOf(pass: Pass, job: Job, nodes: number): readonly TaskPlacement[] | null {
  const shape = shapeOf(sizedTo(job.spec, nodes));
  if (limitReached(pass.tree.queue(job.spec.queue), shape) !== null) return null;
  if (pass.owners.reached(job.owner, shape.gpus) !== null) return null;
  return pass.fit(job, shape);
}
