// When the writer loop plans. Owns the pacing and the list of what may change a plan; the plan itself
// is the core's.

import { unreachable } from "../base/assert.ts";
import type { ClusterEvent } from "./core/events.ts";

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

/** After a pass of t ms the next one waits 2 t: planning takes a third of the time at most. */
const PAUSE_PER_PASS = 2;
/** In a burst it takes a tenth: what comes in is to be acknowledged first, and is planned soon after. */
const PAUSE_PER_PASS_BURST = 9;
/** Commands since the pass before that make a burst. */
const BURST_COMMANDS = 64;
/** So that a slow pass does not put off the next one for ever. */
const PAUSE_MS_MAX = 1_000;

/**
 * Keeps planning from eating the time of commands under load, and commands from starving planning:
 * the pause has an end, whatever else waits. When nothing was planned lately there is no pause.
 */
export class PlanPacer {
  #notBeforeMs = 0;
  #commands = 0;

  decided(commands: number): void {
    this.#commands += commands;
  }

  passed(startedMs: number, endedMs: number): void {
    const perPass = this.#commands >= BURST_COMMANDS ? PAUSE_PER_PASS_BURST : PAUSE_PER_PASS;
    this.#notBeforeMs = endedMs + Math.min(PAUSE_MS_MAX, perPass * (endedMs - startedMs));
    this.#commands = 0;
  }

  /** Monotonic milliseconds until the next pass may start; 0 = now. */
  waitMs(monotonicMs: number): number {
    return Math.max(0, this.#notBeforeMs - monotonicMs);
  }
}
