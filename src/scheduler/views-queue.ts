// Queues as the API shows them: what each was given, what it holds and what waits. Pure.

import { must } from "../base/assert.ts";
import { compareText, type QueuePath } from "../base/ids.ts";
import { HOUR_MS } from "../base/time.ts";
import type { Queue as QueueMessage } from "../rpc/gen/trainyard/v1/Queue.ts";
import { fairShares } from "./core/fair-share.ts";
import { chargedAccount } from "./core/share-account.ts";
import type { ClusterState, Queue } from "./core/state.ts";

/** Parents before children, siblings by name. */
export function queueViews(state: ClusterState, nowMs: number): QueueMessage[] {
  const shares = fairShares(state, nowMs);
  const queues = [...state.queues.values()].sort((a, b) => compareTree(a.spec.path, b.spec.path));
  return queues.map((queue) => {
    const share = must(shares.get(queue.spec.path), `share of ${queue.spec.path}`);
    return {
      spec: specView(queue),
      allocatedGpus: queue.allocated.gpus,
      pendingJobs: share.pendingJobs,
      pendingGpus: share.pendingGpus,
      runningJobs: share.runningJobs,
      fairShareGpus: share.dueMilliGpus / 1_000,
      usageGpuHours: share.usageGpuMs / HOUR_MS,
      heldShare: share.held.milliGpus / share.clusterMilliGpus,
      heldResource: RESOURCE_NAMES[share.held.kind],
      dueShare: share.due.milliGpus / share.clusterMilliGpus,
      dueResource: RESOURCE_NAMES[share.due.kind],
      demandGpus: share.demandGpus,
      accountGpuHours: chargedAccount(queue, nowMs, state.policy) / HOUR_MS,
    };
  });
}

const RESOURCE_NAMES = { gpus: "gpus", cpuMilli: "cpus", memoryMib: "memory" } as const;

/** What is null is absent on the wire. */
function specView({ spec }: Queue): NonNullable<QueueMessage["spec"]> {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null));
}

/** As text `a-b` would come between `a` and `a/b`: compare segment by segment. */
function compareTree(a: QueuePath, b: QueuePath): number {
  const [left, right] = [a.split("/"), b.split("/")];
  for (const [at, segment] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    if (segment !== other) return compareText(segment, other);
  }
  return left.length - right.length;
}
