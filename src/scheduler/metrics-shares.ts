// What each queue would hold if every GPU were shared fairly right now, for reports. Pure. The plan
// decides by order, one placement at a time; this is the same rule in one sum: guarantees first, then
// what is left by weight, level by level, no one more than asked for or allowed.

import type { QueuePath } from "../base/ids.ts";
import { gpusOf, jobOf, queueLineage, queueOf } from "./core/lookup.ts";
import type { ClusterState, QueueSpec } from "./core/state.ts";

interface Demand {
  readonly spec: QueueSpec;
  /** GPUs that it holds and that its pending jobs ask for, capped by its limit; with those below. */
  readonly gpus: number;
  readonly children: readonly Demand[];
}

/** GPUs by queue, with fractions. A queue that asks for nothing has 0. */
export function fairShares(state: ClusterState): ReadonlyMap<QueuePath, number> {
  let capacity = 0;
  for (const node of state.nodes.values()) {
    if (node.health === "up" && node.schedulability === "open") capacity += node.spec.gpus.length;
  }
  const shares = new Map<QueuePath, number>();
  divide(demandTree(state), capacity, shares);
  return shares;
}

function divide(
  siblings: readonly Demand[],
  capacity: number,
  shares: Map<QueuePath, number>,
): void {
  const granted = divideLevel(siblings, capacity);
  siblings.forEach((queue, position) => {
    const share = granted[position] ?? 0;
    shares.set(queue.spec.path, share);
    divide(queue.children, share, shares);
  });
}

function divideLevel(siblings: readonly Demand[], capacity: number): readonly number[] {
  const granted = siblings.map((queue) => Math.min(queue.spec.guarantee, queue.gpus));
  let left = capacity - granted.reduce((sum, gpus) => sum + gpus, 0);
  // Each round satisfies at least one queue or uses everything up: as many rounds as queues.
  for (let round = 0; round < siblings.length && left > 0; round += 1) {
    const hungry = siblings.map((queue, at) => queue.gpus > (granted[at] ?? 0));
    const weights = siblings.map((queue, at) => (hungry[at] === true ? queue.spec.weight : 0));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (total === 0) break;
    const pool = left;
    siblings.forEach((queue, at) => {
      const held = granted[at] ?? 0;
      const part = Math.min(queue.gpus - held, (pool * (weights[at] ?? 0)) / total);
      granted[at] = held + part;
      left -= part;
    });
  }
  return granted;
}

function demandTree(state: ClusterState): readonly Demand[] {
  const below = new Map<QueuePath | null, QueueSpec[]>();
  for (const { spec } of state.queues.values()) {
    const parent = queueLineage(spec.path)[1] ?? null;
    const siblings = below.get(parent);
    if (siblings === undefined) below.set(parent, [spec]);
    else siblings.push(spec);
  }
  const grow = (spec: QueueSpec): Demand => {
    const children = (below.get(spec.path) ?? []).map(grow);
    const asked =
      children.length === 0
        ? askedByLeaf(state, spec.path)
        : children.reduce((sum, child) => sum + child.gpus, 0);
    return { spec, gpus: Math.min(asked, spec.limit ?? asked), children };
  };
  return (below.get(null) ?? []).map(grow);
}

function askedByLeaf(state: ClusterState, path: QueuePath): number {
  return queueOf(state, path).allocated.gpus + pendingGpus(state, path);
}

/** GPUs that the jobs waiting in a leaf queue ask for. */
export function pendingGpus(state: ClusterState, path: QueuePath): number {
  let gpus = 0;
  for (const id of state.pendingByQueue.get(path) ?? []) gpus += gpusOf(jobOf(state, id).spec);
  return gpus;
}
