// A second opinion on placements, worked out from the nodes' allocations alone, so that a mistake in
// the core's own bookkeeping does not hide itself.

import type { QueuePath } from "../base/ids.ts";
import type { EventOf, LoggedEvent } from "../scheduler/core/events.ts";
import { gpusOf, jobOf, queueLineage } from "../scheduler/core/lookup.ts";
import type { ClusterState, Node } from "../scheduler/core/state.ts";

/** In words; empty = all is well. */
export function placementFaults(
  state: ClusterState,
  events: readonly LoggedEvent[],
): readonly string[] {
  const placed = events.flatMap(({ event }) => (event.kind === "job.placed" ? [event] : []));
  if (placed.length === 0) return [];
  const used = usedByQueue(state);
  return [
    ...[...state.nodes.values()].flatMap(sharedGpus),
    ...placed.flatMap((event) => gangFaults(state, event)),
    ...placed.flatMap((event) => limitFaults(state, event, used)),
  ];
}

function sharedGpus(node: Node): readonly string[] {
  const all = node.allocations.flatMap((held) => held.gpus);
  const known = new Set(node.spec.gpus.map((gpu) => gpu.index));
  const isSound = new Set(all).size === all.length && all.every((gpu) => known.has(gpu));
  return isSound ? [] : [`${node.spec.id} gives GPUs ${all.join()} of ${[...known].join()}`];
}

function gangFaults(state: ClusterState, event: EventOf<"job.placed">): readonly string[] {
  const { spec } = jobOf(state, event.jobId);
  const faults: string[] = [];
  const nodes = new Set(event.placement.map((task) => task.nodeId));
  if (nodes.size < spec.nodesMin || nodes.size > spec.nodes)
    faults.push(`${event.jobId} got ${nodes.size} nodes`);
  for (const { nodeId, gpus } of event.placement) {
    const node = state.nodes.get(nodeId);
    if (gpus.length !== spec.perNode.gpus) faults.push(`${event.jobId} got GPUs ${gpus.join()}`);
    const isOpen = node?.schedulability === "open" && node.conditions.length === 0;
    if (node?.health !== "up" || !isOpen) {
      faults.push(`${event.jobId} is placed on ${nodeId}, which takes none`);
    }
  }
  return faults;
}

function limitFaults(
  state: ClusterState,
  event: EventOf<"job.placed">,
  used: ReadonlyMap<QueuePath, number>,
): readonly string[] {
  const { spec } = jobOf(state, event.jobId);
  if (gpusOf(spec) === 0) return [];
  return queueLineage(spec.queue).flatMap((path) => {
    const limit = state.queues.get(path)?.spec.limit ?? null;
    const gpus = used.get(path) ?? 0;
    return limit === null || gpus <= limit ? [] : [`${path} uses ${gpus} GPUs of ${limit}`];
  });
}

function usedByQueue(state: ClusterState): ReadonlyMap<QueuePath, number> {
  const used = new Map<QueuePath, number>();
  for (const node of state.nodes.values()) {
    for (const { jobId, gpus } of node.allocations) {
      for (const path of queueLineage(jobOf(state, jobId).spec.queue)) {
        used.set(path, (used.get(path) ?? 0) + gpus.length);
      }
    }
  }
  return used;
}
