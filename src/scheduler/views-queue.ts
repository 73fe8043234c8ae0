// Queues as the API shows them: what each was given, what it holds and what waits. Pure.

import { compareText, type QueuePath } from "../base/ids.ts";
import { HOUR_MS } from "../base/time.ts";
import type { Queue as QueueMessage } from "../rpc/gen/trainyard/v1/Queue.ts";
import { gpusOf, jobOf, queueLineage } from "./core/lookup.ts";
import type { ClusterState, Queue } from "./core/state.ts";
import { chargedUsage } from "./core/usage.ts";

interface Load {
  pendingJobs: number;
  pendingGpus: number;
  runningJobs: number;
}

/** Parents before children, siblings by name. `shares`: GPUs that are due to each queue now. */
export function queueViews(
  state: ClusterState,
  shares: ReadonlyMap<QueuePath, number>,
  nowMs: number,
): QueueMessage[] {
  const loads = loadsOf(state);
  const queues = [...state.queues.values()].sort((a, b) => compareTree(a.spec.path, b.spec.path));
  return queues.map((queue) => ({
    spec: specView(queue),
    allocatedGpus: queue.allocated.gpus,
    ...(loads.get(queue.spec.path) ?? NO_LOAD),
    fairShareGpus: shares.get(queue.spec.path) ?? 0,
    usageGpuHours: usageGpuHours(state, queue, nowMs),
  }));
}

const NO_LOAD: Load = { pendingJobs: 0, pendingGpus: 0, runningJobs: 0 };

function specView({ spec }: Queue): NonNullable<QueueMessage["spec"]> {
  const { path, guarantee, limit, weight, order } = spec;
  return { path, guarantee, weight, order, ...(limit === null ? {} : { limit }) };
}

function usageGpuHours(state: ClusterState, queue: Queue, nowMs: number): number {
  const { usageGpuMs, usageAtMs, allocated } = queue;
  const halfLifeMs = state.usageHalfLifeMs;
  return chargedUsage(usageGpuMs, usageAtMs, allocated.gpus, nowMs, halfLifeMs) / HOUR_MS;
}

/** Of each queue with all below it. */
function loadsOf(state: ClusterState): ReadonlyMap<QueuePath, Load> {
  const loads = new Map<QueuePath, Load>();
  const add = (path: QueuePath, change: (load: Load) => void): void => {
    for (const above of queueLineage(path)) {
      const load = loads.get(above) ?? { ...NO_LOAD };
      loads.set(above, load);
      change(load);
    }
  };
  for (const [path, pending] of state.pendingByQueue) {
    let gpus = 0;
    for (const id of pending) gpus += gpusOf(jobOf(state, id).spec);
    add(path, (load) => {
      load.pendingJobs += pending.size;
      load.pendingGpus += gpus;
    });
  }
  for (const id of state.active) {
    add(jobOf(state, id).spec.queue, (load) => {
      load.runningJobs += 1;
    });
  }
  return loads;
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
