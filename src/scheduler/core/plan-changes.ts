// Which events call for another planning pass. The live loop and the trace simulator plan by the same
// list.

import { unreachable } from "../../base/assert.ts";
import type { ClusterEvent } from "./events.ts";

/** Whether a plan made before `event` may be another one after it. */
export function changesPlan(event: ClusterEvent): boolean {
  switch (event.kind) {
    case "request.noted":
    case "attempt.rendezvous-set":
    case "task.preparing":
    case "checkpoint.part-stored":
    case "checkpoint.committed":
    case "checkpoint.rejected":
    case "checkpoint.deleted":
      return false;
    // Starts the time limit, and with it the next instant to look again.
    case "task.started":
    case "policy.set":
    case "policy.usage-half-life-set":
    case "queue.set":
    case "queue.deleted":
    case "node.registered":
    case "node.lost":
    case "node.schedulability-set":
    case "node.removed":
    case "job.submitted":
    case "array.submitted":
    case "job.dependency-met":
    case "job.held":
    case "job.released":
    case "job.placed":
    case "task.ended":
    case "job.stopping":
    case "attempt.ended":
    case "job.requeued":
    case "job.ended":
    case "reservation.made":
    case "reservation.dropped":
      return true;
    default:
      return unreachable(event);
  }
}

/** The same for what a pass did itself: its own decisions call for no other pass, what followed does. */
export function changesNextPlan(event: ClusterEvent): boolean {
  switch (event.kind) {
    case "job.placed":
    case "job.stopping":
    case "reservation.made":
      return false;
    // Whom the taker passed over on its way may fit now, under limits and claims that have moved.
    case "reservation.dropped":
      return event.why === "outranked";
    default:
      return changesPlan(event);
  }
}
