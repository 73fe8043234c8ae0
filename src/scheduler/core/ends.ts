// When the GPUs of each node are expected to come free: what the jobs on them are expected to need,
// those too that start in this pass. Made when it is first asked for; knows nothing of who waits.

import { must } from "../../base/assert.ts";
import type { JobId, NodeId } from "../../base/ids.ts";
import { NEVER_MS } from "../../base/time.ts";
import { jobOf, nodeOf } from "./lookup.ts";
import type { Pass } from "./pass.ts";
import { expectedRemainingMs, SAFE_PERMILLE } from "./remaining-time.ts";
import type { Allocation } from "./state.ts";

/** What a job holds of a node. */
export type Holding = Pick<Allocation, "jobId" | "gpus" | "resources">;

export class Ends {
  readonly #pass: Pass;
  readonly #ends = new Map<JobId, number>();
  /** By node, of the starts of this pass that were seen. */
  readonly #started = new Map<NodeId, Holding[]>();
  #startsSeen = 0;

  constructor(pass: Pass) {
    this.#pass = pass;
  }

  /**
   * When the job will have ended if it starts now, or runs already; of who was asked to leave, its
   * deadline. `NEVER_MS` = nobody knows.
   */
  of(id: JobId): number {
    if (this.#pass.isLeaving(id)) return this.#deadlineOf(id);
    let endMs = this.#ends.get(id);
    if (endMs === undefined) this.#ends.set(id, (endMs = this.#endOf(id)));
    return endMs;
  }

  on(node: NodeId): readonly Holding[] {
    this.#seeStarts();
    const { allocations } = nodeOf(this.#pass.state, node);
    const started = this.#started.get(node);
    return started === undefined ? allocations : [...allocations, ...started];
  }

  #deadlineOf(id: JobId): number {
    const { phase, spec } = jobOf(this.#pass.state, id);
    return phase.kind === "stopping" ? phase.deadlineMs : this.#pass.nowMs + spec.graceMs;
  }

  #endOf(id: JobId): number {
    const { state, nowMs } = this.#pass;
    const job = state.active.get(id) ?? jobOf(state, id); // Found sooner among few, as most are.
    const remainingMs = expectedRemainingMs(state, job, nowMs, SAFE_PERMILLE);
    return remainingMs === null ? NEVER_MS : nowMs + remainingMs;
  }

  #seeStarts(): void {
    const { starts, state } = this.#pass;
    for (; this.#startsSeen < starts.length; this.#startsSeen += 1) {
      const { jobId, placement } = must(starts[this.#startsSeen], "start");
      const resources = jobOf(state, jobId).spec.perNode;
      for (const { nodeId, gpus } of placement) {
        const before = this.#started.get(nodeId);
        if (before === undefined) this.#started.set(nodeId, [{ jobId, gpus, resources }]);
        else before.push({ jobId, gpus, resources });
      }
    }
  }
}
