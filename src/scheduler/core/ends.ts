// When the GPUs of each node are expected to come free: what the jobs on them are expected to need,
// those too that start in this pass. Made when it is first asked for; knows nothing of who waits.

import type { JobId, NodeId } from "../../base/ids.ts";
import type { Job, TaskPlacement } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { Pass } from "./pass.ts";
import { expectedRemainingMs, SAFE_PERMILLE } from "./remaining-time.ts";

/** Nobody knows. */
export const NEVER_MS = Number.POSITIVE_INFINITY;

/** GPUs of a node that a job holds. */
export interface Holder {
  readonly job: Job;
  readonly gpus: readonly number[];
}

export class Ends {
  readonly #pass: Pass;
  readonly #byNode = new Map<NodeId, Holder[]>();
  readonly #ends = new Map<JobId, number>();
  #isMade = false;
  #startsSeen = 0;

  constructor(pass: Pass) {
    this.#pass = pass;
  }

  /**
   * When the job will have ended if it starts now, or runs already; of who was asked to leave, its
   * deadline.
   */
  of(job: Job): number {
    const { nowMs } = this.#pass;
    if (job.phase.kind === "stopping") return job.phase.deadlineMs;
    if (this.#pass.isLeaving(job.id)) return nowMs + job.spec.graceMs;
    let endMs = this.#ends.get(job.id);
    if (endMs === undefined) this.#ends.set(job.id, (endMs = this.#endOf(job)));
    return endMs;
  }

  on(node: NodeId): readonly Holder[] {
    this.#catchUp();
    return this.#byNode.get(node) ?? [];
  }

  #endOf(job: Job): number {
    const { state, nowMs } = this.#pass;
    const remainingMs = expectedRemainingMs(state, job, nowMs, SAFE_PERMILLE);
    return remainingMs === null ? NEVER_MS : nowMs + remainingMs;
  }

  #catchUp(): void {
    const { active, starts, state } = this.#pass;
    if (!this.#isMade) {
      this.#isMade = true;
      for (const jobs of active.values()) {
        for (const job of jobs) {
          for (const { placement } of this.#pass.heldBy(job)) this.#add(job, placement);
        }
      }
    }
    for (; this.#startsSeen < starts.length; this.#startsSeen += 1) {
      const start = starts[this.#startsSeen];
      if (start === undefined) return;
      const job = jobOf(state, start.jobId);
      for (const task of start.placement) this.#add(job, task);
    }
  }

  #add(job: Job, { nodeId, gpus }: TaskPlacement): void {
    const there = this.#byNode.get(nodeId);
    if (there === undefined) this.#byNode.set(nodeId, [{ job, gpus }]);
    else there.push({ job, gpus });
  }
}
