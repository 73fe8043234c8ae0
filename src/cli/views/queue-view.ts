// Queues as the command line shows them.

import type { QueueSettings } from "../../config/queues-file.ts";
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
  readonly demandGpus: number;
  /** What it was due over the share window, less what it had. */
  readonly accountGpuHours: number;
  /** Of the whole cluster, 0..1; of the resource of which that is the largest part. */
  readonly heldShare: number;
  readonly heldResource: string;
  readonly dueShare: number;
  readonly dueResource: string;
  /** All that is set, null where nothing is said. */
  readonly spec: QueueSettings;
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
    demandGpus: queue.demandGpus,
    accountGpuHours: queue.accountGpuHours,
    heldShare: queue.heldShare,
    heldResource: queue.heldResource,
    dueShare: queue.dueShare,
    dueResource: queue.dueResource,
    spec: settingsOf(spec),
  };
}

function settingsOf(spec: Queue__Output["spec"]): QueueSettings {
  return {
    path: spec?.path ?? "",
    guarantee: spec?.guarantee ?? 0,
    guaranteeCpuMilli: spec?.guaranteeCpuMilli ?? null,
    guaranteeMemoryMib: spec?.guaranteeMemoryMib ?? null,
    limit: spec?.limit ?? null,
    limitCpuMilli: spec?.limitCpuMilli ?? null,
    limitMemoryMib: spec?.limitMemoryMib ?? null,
    borrowingLimit: spec?.borrowingLimit ?? null,
    lendingLimit: spec?.lendingLimit ?? null,
    weight: spec?.weight ?? 1,
    order: ORDERS.find((order) => order === spec?.order) ?? "fifo",
    usageHalfLifeMs: spec?.usageHalfLifeMs ?? null,
  };
}

const ORDERS = ["las", "edf", "shortest"] as const;

export function depthOf(queue: { readonly path: string }): number {
  return queue.path.split("/").length - 1;
}
