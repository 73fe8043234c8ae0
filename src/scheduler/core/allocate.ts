// Taking and releasing what one task holds: on its node, of its user, in its queue and all above it. The queues'
// decayed use is brought up to date at each change, so that nothing is charged twice or skipped.

import { assert } from "../../base/assert.ts";
import type { JobId, QueuePath } from "../../base/ids.ts";
import { addResources, NO_RESOURCES, subtractResources } from "../../base/resources.ts";
import { activeAttempt, type Job, type TaskPlacement, userKey } from "./job.ts";
import { jobOf, nodeOf, queueLineage, queueOf, topOf } from "./lookup.ts";
import { halfLifeOf } from "./queue-spec.ts";
import type { MutableClusterState } from "./state.ts";
import { chargedAccount } from "./share-account.ts";
import { chargedPast } from "./usage.ts";

export function takeTask(
  state: MutableClusterState,
  job: Job,
  attempt: number,
  rank: number,
  placement: TaskPlacement,
): void {
  const node = nodeOf(state, placement.nodeId);
  const resources = job.spec.perNode;
  const allocation = { jobId: job.id, attempt, rank, gpus: placement.gpus, resources };
  state.nodes.set(placement.nodeId, { ...node, allocations: [...node.allocations, allocation] });
  chargeQueues(state, queueLineage(job.spec.queue), (held) => addResources(held, resources));
  chargeUser(state, job, resources.gpus);
}

/** Files a job as it is by now: if it holds resources, also among those that do. */
export function fileJob(state: MutableClusterState, job: Job): void {
  state.jobs.set(job.id, job);
  if (activeAttempt(job.phase) !== null) state.active.set(job.id, job);
}

/** Call after the task's state is `ended`: its attempt is still the active one. */
export function releaseTask(
  state: MutableClusterState,
  task: { readonly jobId: JobId; readonly attempt: number; readonly rank: number },
): void {
  const job = jobOf(state, task.jobId);
  const attempt = activeAttempt(job.phase);
  const placement = attempt?.placement[task.rank];
  assert(attempt !== null && placement !== undefined, `${task.jobId} holds no rank ${task.rank}`);
  const node = nodeOf(state, placement.nodeId);
  const allocations = node.allocations.filter(
    (held) => held.jobId !== task.jobId || held.rank !== task.rank,
  );
  assert(allocations.length === node.allocations.length - 1, `${task.jobId} released twice`);
  state.nodes.set(placement.nodeId, { ...node, allocations });
  const resources = job.spec.perNode;
  chargeQueues(state, queueLineage(job.spec.queue), (held) => subtractResources(held, resources));
  chargeUser(state, job, -resources.gpus);
  const usedGpuMs = (state.atMs - attempt.placedAtMs) * resources.gpus;
  fileJob(state, { ...job, attainedGpuMs: job.attainedGpuMs + usedGpuMs });
  state.totals = { ...state.totals, usedGpuMs: state.totals.usedGpuMs + usedGpuMs };
}

/** The map is replaced, never changed: copies of the state and passes that are over share it. */
export function chargeUser(state: MutableClusterState, { spec, owner }: Job, gpus: number): void {
  if (gpus === 0) return;
  const queue = queueOf(state, spec.queue);
  const heldByUser = new Map(queue.heldByUser);
  const key = userKey(owner);
  const held = (heldByUser.get(key) ?? 0) + gpus;
  if (held === 0) heldByUser.delete(key);
  else heldByUser.set(key, held);
  state.queues.set(spec.queue, { ...queue, heldByUser });
}

/** Charges what ran up to now, then changes what is held. */
export function chargeQueues(
  state: MutableClusterState,
  paths: readonly QueuePath[],
  change: (held: typeof NO_RESOURCES) => typeof NO_RESOURCES = (held) => held,
): void {
  for (const path of paths) {
    const queue = queueOf(state, path);
    const { allocated } = queue;
    const halfLifeMs = halfLifeOf(topOf(state, path).spec, state.policy);
    const past = chargedPast(queue, allocated, state.atMs, halfLifeMs);
    const accountGpuMs = chargedAccount(queue, state.atMs, state.policy);
    state.queues.set(path, { ...queue, ...past, accountGpuMs, allocated: change(allocated) });
  }
}
