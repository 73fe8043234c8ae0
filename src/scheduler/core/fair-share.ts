// What each queue is due now: guarantees first, the rest by weighted max-min among those that want
// it, level by level. For `queue shares`, metrics and explanations; the walk's own order is in
// queue-tree.ts and moves the cluster towards these shares.

import { must } from "../../base/assert.ts";
import type { QueuePath } from "../../base/ids.ts";
import { jobOf } from "./lookup.ts";
import { type QueueNode, QueueTree } from "./queue-tree.ts";
import type { ClusterState } from "./state.ts";

const MILLI = 1_000;

export interface FairShare {
  /** Thousandths of a GPU that the queue is due, given what everyone wants. */
  readonly dueMilliGpus: number;
  /** GPUs held, by it and below it. */
  readonly heldGpus: number;
  /** GPUs held and waited for, as far as its limit allows. */
  readonly demandGpus: number;
  readonly pendingGpus: number;
  readonly pendingJobs: number;
  readonly runningJobs: number;
  /** Decayed to `nowMs`. */
  readonly usageGpuMs: number;
}

/** By path, parents before children. The GPUs shared are those of nodes that are up. */
export function fairShares(state: ClusterState, nowMs: number): ReadonlyMap<QueuePath, FairShare> {
  const tree = new QueueTree(state, nowMs);
  const claims = new Map<QueueNode, Claim>();
  for (const queue of tree.all()) {
    claims.set(queue, { pendingGpus: 0, pendingJobs: 0, runningJobs: 0, demand: 0, due: 0 });
  }
  countJobs(state, tree, claims);
  const tops = [...tree.all()].filter(({ parent }) => parent === null);
  for (const top of tops) setDemand(top, claims);
  let capacity = 0;
  for (const node of state.nodes.values()) {
    if (node.health === "up") capacity += node.spec.gpus.length * MILLI;
  }
  share(tops, capacity, claims);
  return new Map([...claims].map(([queue, claim]) => [queue.spec.path, shareOf(queue, claim)]));
}

/** One queue's figures while they are worked out; `demand` and `due` in thousandths of a GPU. */
interface Claim {
  pendingGpus: number;
  pendingJobs: number;
  runningJobs: number;
  demand: number;
  due: number;
}

type Claims = ReadonlyMap<QueueNode, Claim>;

function claimOf(claims: Claims, queue: QueueNode): Claim {
  return must(claims.get(queue), queue.spec.path);
}

function countJobs(state: ClusterState, tree: QueueTree, claims: Claims): void {
  for (const [path, { admitted }] of state.pending.queues()) {
    for (const queue of tree.queue(path).lineage) {
      claimOf(claims, queue).pendingGpus += admitted.asked.gpus;
      claimOf(claims, queue).pendingJobs += admitted.size;
    }
  }
  for (const id of state.active) {
    const { lineage } = tree.queue(jobOf(state, id).spec.queue);
    for (const queue of lineage) claimOf(claims, queue).runningJobs += 1;
  }
}

function setDemand(queue: QueueNode, claims: Claims): number {
  const claim = claimOf(claims, queue);
  const { limit } = queue.spec;
  const own =
    queue.children.length === 0
      ? (queue.allocated + claim.pendingGpus) * MILLI
      : queue.children.reduce((sum, child) => sum + setDemand(child, claims), 0);
  claim.demand = limit === null ? own : Math.min(own, limit * MILLI);
  return claim.demand;
}

/** Splits `amount` among siblings and, in each, among its children. */
function share(queues: readonly QueueNode[], amount: number, claims: Claims): void {
  let rest = amount;
  const guaranteed = queues.map((queue) => ({
    queue,
    weight: queue.spec.guarantee,
    most: Math.min(claimOf(claims, queue).demand, queue.spec.guarantee * MILLI),
  }));
  rest = fill(guaranteed, rest, claims);
  const wanting = queues.map((queue) => ({
    queue,
    weight: queue.spec.weight,
    most: claimOf(claims, queue).demand,
  }));
  rest = fill(wanting, rest, claims);
  fill(
    wanting.map((one) => ({ ...one, weight: 1 })),
    rest,
    claims,
  );
  for (const queue of queues) share(queue.children, claimOf(claims, queue).due, claims);
}

interface Filling {
  readonly queue: QueueNode;
  readonly weight: number;
  /** Its due may grow up to here. */
  readonly most: number;
}

/**
 * Pours by weight until all are full or nothing is left; returns what is left. Each round fills at
 * least one queue or pours the last drop. What does not divide goes to the first by name.
 */
function fill(fillings: readonly Filling[], amount: number, claims: Claims): number {
  let rest = amount;
  const lacking = ({ queue, most }: Filling): number => most - claimOf(claims, queue).due;
  for (;;) {
    const open = fillings.filter((one) => one.weight > 0 && lacking(one) > 0);
    const weights = open.reduce((sum, { weight }) => sum + weight, 0);
    if (open.length === 0 || rest === 0) return rest;
    const poured = open.map((one) =>
      Math.min(lacking(one), Math.floor((rest * one.weight) / weights)),
    );
    const total = poured.reduce((sum, gpus) => sum + gpus, 0);
    open.forEach(({ queue }, at) => {
      claimOf(claims, queue).due += total === 0 && at < rest ? 1 : (poured[at] ?? 0);
    });
    rest -= total === 0 ? Math.min(rest, open.length) : total;
  }
}

function shareOf(queue: QueueNode, claim: Claim): FairShare {
  return {
    dueMilliGpus: claim.due,
    heldGpus: queue.allocated,
    demandGpus: claim.demand / MILLI,
    pendingGpus: claim.pendingGpus,
    pendingJobs: claim.pendingJobs,
    runningJobs: claim.runningJobs,
    usageGpuMs: queue.usageGpuMs,
  };
}
