// The queues of a simulated cluster: one for each tenant, with its part of the cluster as guarantee.

import { queuePath } from "../../base/ids.ts";
import { completeQueueSpec } from "../../scheduler/core/queue-spec.ts";
import type { QueueSpec } from "../../scheduler/core/state.ts";
import { type ClusterShape, gpusOfCluster } from "./cluster.ts";
import { gpusOfJob, type Workload } from "./workload.ts";

/**
 * `equal`: each tenant is guaranteed the same part of the cluster; `demand`: in proportion to the
 * GPU time that its jobs need; `none`: nothing. Whole GPUs, rounded down.
 */
export const GUARANTEES = ["equal", "demand", "none"] as const;
export type Guarantee = (typeof GUARANTEES)[number];

export function tenantQueues(
  workload: Workload,
  cluster: ClusterShape,
  guarantee: Guarantee,
  order: QueueSpec["order"],
): readonly QueueSpec[] {
  const parts = partsOf(workload, guarantee);
  const total = parts.reduce((sum, part) => sum + part, 0);
  return workload.tenants.map((tenant, index) => {
    const part = gpusOfCluster(cluster) * (parts[index] ?? 0);
    const guarantee = total === 0 ? 0 : Math.floor(part / total);
    return completeQueueSpec({ path: queuePath(tenant), guarantee, order });
  });
}

function partsOf({ jobs, tenants }: Workload, guarantee: Guarantee): readonly number[] {
  switch (guarantee) {
    case "none":
      return tenants.map(() => 0);
    case "equal":
      return tenants.map(() => 1);
    case "demand": {
      const needed = new Map<string, number>();
      for (const job of jobs) {
        const before = needed.get(job.tenant) ?? 0;
        needed.set(job.tenant, before + gpusOfJob(job) * job.durationMs);
      }
      return tenants.map((tenant) => needed.get(tenant) ?? 0);
    }
  }
}
