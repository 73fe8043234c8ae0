// How events and planning passes belong together: which events call for another pass, and with which
// a pass begins. The live loop, the trace simulator and the replay of a log go by the same lists.

import { unreachable } from "../../base/assert.ts";
import type { ClusterEvent, LoggedEvent } from "./events.ts";

/** Whether a plan made before `event` may be another one after it. */
export function changesPlan(event: ClusterEvent): boolean {
  switch (event.kind) {
    case "request.noted":
    case "shares.noted":
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
    case "node.conditions-set":
    case "node.notice-given":
    case "node.removed":
    case "job.submitted":
    case "array.submitted":
    case "job.dependency-met":
    case "job.held":
    case "job.released":
    // Whether it may run ahead of a gang that nodes are kept for hangs on it.
    case "job.forecast-set":
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

/** Whether what a pass found may no longer hold after `event`, and not only others come to wait. */
export function outdatesFindings(event: ClusterEvent): boolean {
  switch (event.kind) {
    case "job.submitted":
    case "array.submitted":
    case "job.dependency-met":
      return false;
    default:
      return changesPlan(event);
  }
}

/**
 * As `changesPlan`, for what a pass did itself: its own decisions call for no other pass, what
 * followed does.
 */
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

/**
 * Whether a planning pass wrote this event: only passes place, reserve, drop what no longer holds
 * and ask somebody to leave for another.
 */
export function isPlanned({ actor, request, event }: LoggedEvent): boolean {
  if (actor !== "scheduler" || request !== null) return false;
  switch (event.kind) {
    case "job.placed":
    case "reservation.made":
    case "shares.noted":
      return true;
    // What an ended job kept is dropped with its end.
    case "reservation.dropped":
      return event.why !== "job_ended";
    case "job.stopping":
      return event.cause.kind === "preempted";
    default:
      return false;
  }
}
