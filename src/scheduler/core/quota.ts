// What limits allow: a queue's own and those above it, what it may borrow, and what other queues do
// not lend. Owns no order; that is queue-tree.ts.

import { RESOURCE_KINDS, type ResourceKind } from "../../base/resources.ts";
import { type Asked, futureUse, type QueueNode } from "./queue-tree.ts";

export type QuotaBlock =
  | {
      /** The nearest queue whose limit the job would break. */
      readonly kind: "limit";
      readonly queue: QueueNode;
      readonly resource: ResourceKind;
      readonly asked: number;
      readonly limit: number;
    }
  /** The queue that keeps the most idle GPUs which the job would need. */
  | { readonly kind: "lending"; readonly lender: QueueNode };

type LimitBlock = Extract<QuotaBlock, { readonly kind: "limit" }>;
type UseOf = (queue: QueueNode, kind: ResourceKind) => number;

/** The nearest queue whose limit is below what is asked whatever runs, or null. */
export function limitExceeded(leaf: QueueNode, asked: Asked): LimitBlock | null {
  return overLimit(leaf, asked, () => 0);
}

/** What counts against a limit: what is held now, or will be once reservations have come true. */
export const countedUse = (queue: QueueNode, kind: ResourceKind = "gpus"): number =>
  Math.max(queue.allocated[kind], futureUse(queue, kind));

/**
 * What keeps the job from being started now, or null. A job that asks for nothing of a resource is
 * never in the way of its limit, not even of one that was lowered under what is held.
 */
export function limitReached(leaf: QueueNode, asked: Asked): QuotaBlock | null {
  return overQuota(leaf, asked, countedUse);
}

/** Would the job still be over a limit once the leaving have left? */
export function isOverLimitLater(leaf: QueueNode, asked: Asked): boolean {
  return overQuota(leaf, asked, futureUse) !== null;
}

/** Would it be over a limit with what is held this moment, whatever is reserved for others? */
export function isOverLimitNow(leaf: QueueNode, asked: Asked): boolean {
  return overQuota(leaf, asked, ({ allocated }, kind) => allocated[kind]) !== null;
}

/** `useOf`: what each queue is counted with. */
export function overQuota(leaf: QueueNode, asked: Asked, useOf: UseOf): QuotaBlock | null {
  return overLimit(leaf, asked, useOf) ?? overLent(leaf, asked, useOf);
}

function overLimit(leaf: QueueNode, { nodes, perNode }: Asked, useOf: UseOf): LimitBlock | null {
  for (const queue of leaf.lineage) {
    for (const resource of RESOURCE_KINDS) {
      const limit = queue.limit[resource];
      const asked = nodes * perNode[resource];
      if (limit === null || asked === 0 || useOf(queue, resource) + asked <= limit) continue;
      return { kind: "limit", queue, resource, asked, limit };
    }
  }
  return null;
}

/**
 * A queue with a lending limit takes up at least what it keeps for itself, idle or not. With that,
 * what all children take up must fit into each limit above the job, and into the cluster; a job
 * that only uses what its own queue keeps is never in the way.
 */
function overLent(leaf: QueueNode, { nodes, perNode }: Asked, useOf: UseOf): QuotaBlock | null {
  const { tree } = leaf;
  if (!tree.hasLendingLimits || perNode.gpus === 0) return null;
  let more = nodes * perNode.gpus;
  for (const queue of leaf.lineage) {
    const below = takenBelow(queue, useOf);
    const before = Math.max(queue.keptGpus, below);
    const after = Math.max(queue.keptGpus, below + more);
    if (queue.limit.gpus !== null && after > queue.limit.gpus && after > before) {
      const lender = lenderAmong(queue.children, leaf, useOf);
      if (lender !== null) return { kind: "lending", lender };
    }
    more = after - before;
    if (more === 0) return null;
  }
  const taken = sum(tree.tops, (queue) => takenUp(queue, useOf));
  if (taken + more <= tree.capacity.totals.gpus) return null;
  const lender = lenderAmong(tree.tops, leaf, useOf);
  return lender === null ? null : { kind: "lending", lender };
}

/** GPUs that a queue keeps out of its siblings' reach. */
const takenUp = (queue: QueueNode, useOf: UseOf): number =>
  Math.max(queue.keptGpus, takenBelow(queue, useOf));

function takenBelow(queue: QueueNode, useOf: UseOf): number {
  if (queue.children.length === 0) return useOf(queue, "gpus");
  return sum(queue.children, (child) => takenUp(child, useOf));
}

/** Null when none of them, and nobody below, keeps anything that it does not use. */
function lenderAmong(
  queues: readonly QueueNode[],
  leaf: QueueNode,
  useOf: UseOf,
): QueueNode | null {
  let most: QueueNode | null = null;
  let idleMost = 0;
  for (const queue of queues) {
    const deeper = lenderAmong(queue.children, leaf, useOf);
    const isOwn = leaf.lineage.includes(queue);
    for (const one of deeper === null ? [queue] : [queue, deeper]) {
      const idle = one.keptGpus - takenBelow(one, useOf);
      if ((one === queue && isOwn) || idle <= idleMost) continue;
      most = one;
      idleMost = idle;
    }
  }
  return most;
}

function sum(queues: readonly QueueNode[], of: (queue: QueueNode) => number): number {
  let total = 0;
  for (const queue of queues) total += of(queue);
  return total;
}
