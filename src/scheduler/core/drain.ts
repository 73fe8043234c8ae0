// Who leaves a node that is being drained. An elastic job that can go on without it gives up only what it
// has there: evicted whole it would wait behind everybody for room that it had. Nobody is asked to
// leave for those who do.

import { remainingTasks } from "./elastic.ts";
import { widerFit } from "./grow.ts";
import type { Job, TaskPlacement } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { Pass } from "./pass.ts";
import type { Node } from "./state.ts";

/** Call before anything else of the pass is decided. */
export function evictFromDraining(pass: Pass): void {
  for (const node of pass.state.nodes.values()) {
    if (node.schedulability !== "draining") continue;
    for (const { jobId } of node.allocations) {
      if (!pass.isLeaving(jobId)) evict(pass, jobOf(pass.state, jobId), node);
    }
  }
}

function evict(pass: Pass, job: Job, { spec, note }: Node): void {
  const why = `Node ${spec.id} is being drained${note === "" ? "" : `: ${note}`}.`;
  const next = goesOnWith(pass, job);
  const how = next.length === 0 ? "drain" : "shrink";
  pass.evict({ victim: job.id, how, preemptor: null, next, why });
}

/**
 * What is left to it, if that is enough; nothing where idle nodes would make it larger and nobody
 * waits for them: then it is back at once, and need not be stopped a second time to grow.
 */
function goesOnWith(pass: Pass, job: Job): readonly TaskPlacement[] {
  const left = remainingTasks(pass, job);
  if (left.length === 0) return [];
  const { pending } = pass.state;
  const isAlone = pending.size === pending.withheldCount;
  return isAlone && widerFit(pass, job, left) !== null ? [] : left;
}
