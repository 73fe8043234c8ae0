// Queues as the command line shows them.

import type { Queue__Output } from "../../rpc/gen/trainyard/v1/Queue.ts";

export interface QueueView {
  readonly path: string;
  readonly guarantee: number;
  /** null = the parent's. */
  readonly limit: number | null;
  readonly weight: number;
  readonly order: string;
  readonly allocatedGpus: number;
  readonly fairShareGpus: number;
  readonly pendingJobs: number;
  readonly pendingGpus: number;
  readonly runningJobs: number;
  readonly usageGpuHours: number;
}

export function queueView(queue: Queue__Output): QueueView {
  const { spec } = queue;
  return {
    path: spec?.path ?? "",
    guarantee: spec?.guarantee ?? 0,
    limit: spec?.limit ?? null,
    weight: spec?.weight ?? 1,
    order: spec?.order === undefined || spec.order === "" ? "fifo" : spec.order,
    allocatedGpus: queue.allocatedGpus,
    fairShareGpus: queue.fairShareGpus,
    pendingJobs: queue.pendingJobs,
    pendingGpus: queue.pendingGpus,
    runningJobs: queue.runningJobs,
    usageGpuHours: queue.usageGpuHours,
  };
}

export function depthOf(queue: { readonly path: string }): number {
  return queue.path.split("/").length - 1;
}
