// The people of the cluster: one who submits and cancels, one who sets queues and empties nodes, often
// at a bad moment.

import type { JobId, NodeId } from "../base/ids.ts";
import type { Prng } from "../base/prng.ts";
import type { JobSpec } from "../scheduler/core/job.ts";
import type { Policy, QueueSpec } from "../scheduler/core/state.ts";
import type { Client } from "./client.ts";
import { EPOCH_MS } from "./scheduler.ts";
import type { Timeline } from "./timeline.ts";
import { drawQueues, type PlannedJob, type Workload } from "./workload.ts";

/** The queues may not be there yet when the first job is submitted. */
const RESUBMIT_MS = 3_000;

export class Operator {
  private readonly admin: Client;
  private readonly workload: Workload;
  private readonly prng: Prng;
  private unsubmittedCount = 0;
  private acceptedLast: JobId | null = null;

  constructor(admin: Client, workload: Workload, prng: Prng) {
    this.admin = admin;
    this.workload = workload;
    this.prng = prng;
  }

  /** Every planned job has been accepted. */
  get isDone(): boolean {
    return this.unsubmittedCount === 0;
  }

  setQueues(queues: readonly QueueSpec[]): void {
    this.admin.call({ kind: "queue.apply", queues, prune: false });
  }

  setPolicy(change: Partial<Policy>): void {
    this.admin.call({ kind: "policy.apply", policy: { ...this.workload.policy, ...change } });
  }

  reopen(nodeId: NodeId): void {
    this.admin.call({ kind: "node.uncordon", nodeId });
  }

  submitLater(user: Client, job: PlannedJob, timeline: Timeline): void {
    this.unsubmittedCount += 1;
    const submit = (): void =>
      user.call({ kind: "job.submit", spec: this.specOf(job, timeline.nowMs) }, (reply) => {
        if (reply.kind === "refusal") {
          timeline.after(RESUBMIT_MS, submit);
          return;
        }
        this.unsubmittedCount -= 1;
        const { jobId } = reply;
        if (jobId === null) return;
        this.acceptedLast = jobId;
        this.holdLater(user, job, jobId, timeline);
        if (job.cancelAfterMs === null) return;
        timeline.after(job.cancelAfterMs, () =>
          user.call({ kind: "job.cancel", jobId, why: "changed my mind" }),
        );
      });
    timeline.after(job.submitAtMs, submit);
  }

  private specOf({ spec, life }: PlannedJob, nowMs: number): JobSpec {
    const { afterLast: on, beginAfterMs } = life;
    const job = this.acceptedLast;
    return {
      ...spec,
      after: on === null || job === null ? [] : [{ job, on }],
      beginAtMs: beginAfterMs === null ? null : EPOCH_MS + nowMs + beginAfterMs,
    };
  }

  private holdLater(
    user: Client,
    { spec, life }: PlannedJob,
    jobId: JobId,
    timeline: Timeline,
  ): void {
    const { holdAfterMs, releaseAfterMs } = life;
    if (holdAfterMs === null && !spec.isHeld) return;
    timeline.after(holdAfterMs ?? 0, () => {
      if (holdAfterMs !== null) user.call({ kind: "job.hold", jobId, why: "a closer look" });
      timeline.after(releaseAfterMs, () => user.call({ kind: "job.release", jobId }));
    });
  }

  /** One change of mind. */
  act(): void {
    const { prng, admin, workload } = this;
    const nodeId = prng.pick(workload.nodes).id;
    switch (prng.below(6)) {
      case 0:
        return admin.call({ kind: "node.cordon", nodeId, note: "looking at it" });
      case 1:
        return admin.call({ kind: "node.drain", nodeId, note: "maintenance" });
      case 2:
      case 3:
        return this.reopen(nodeId);
      case 4:
        return this.setPolicy({ usageHalfLifeMs: 1 + prng.below(600_000) });
      default:
        return this.setQueues(drawQueues(prng, workload.nodes));
    }
  }
}
