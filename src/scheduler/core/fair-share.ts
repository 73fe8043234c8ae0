// What each queue is due now: guarantees first, the rest by weighted max-min of dominant shares
// (DRF) among those that want it, level by level, so that no queue loses to a sibling's children.
// For the right to take one's share back, `queue shares`, metrics and explanations; the walk's own
// order is in queue-tree.ts and moves the cluster towards these shares.

import { must } from "../../base/assert.ts";
import type { QueuePath } from "../../base/ids.ts";
import {
  NO_RESOURCES,
  RESOURCE_KINDS,
  type ResourceKind,
  type Resources,
} from "../../base/resources.ts";
import type { DominantShare } from "./capacity.ts";
import { type QueueNode, QueueTree } from "./queue-tree.ts";
import { scaleDown } from "./ratio.ts";
import type { ClusterState } from "./state.ts";
import { type Bounds, fill, plus } from "./water-filling.ts";

const MILLI = 1_000;

export interface FairShare {
  /** Thousandths of a GPU that the queue is due, given what everyone wants. */
  readonly dueMilliGpus: number;
  /** The resource of which what is due is the largest part of the cluster. */
  readonly due: DominantShare;
  /** GPUs held, by it and below it. */
  readonly heldGpus: number;
  /** The same for what it holds. */
  readonly held: DominantShare;
  /** Of the whole cluster, in the unit of the dominant shares. */
  readonly clusterMilliGpus: number;
  /** GPUs held and waited for, as far as its limit allows. */
  readonly demandGpus: number;
  readonly pendingGpus: number;
  readonly pendingJobs: number;
  readonly runningJobs: number;
  /** Decayed to `nowMs`. */
  readonly usageGpuMs: number;
}

/** By path, parents before children. Shared is what nodes that are up have. */
export function fairShares(state: ClusterState, nowMs: number): ReadonlyMap<QueuePath, FairShare> {
  const tree = new QueueTree(state, nowMs);
  const claims = claimsOf(state, tree);
  countRunning(state, tree, claims);
  return new Map([...claims].map(([queue, claim]) => [queue.spec.path, shareOf(queue, claim)]));
}

/** Thousandths of a GPU that each queue is due: the same as `fairShares` says, and nothing else. */
export function fairDues(state: ClusterState, tree: QueueTree): Iterable<[QueueNode, number]> {
  return [...claimsOf(state, tree)].map(([queue, { due }]) => [queue, due.gpus]);
}

function claimsOf(state: ClusterState, tree: QueueTree): Claims {
  const claims = new Map<QueueNode, Claim>();
  for (const queue of tree.all()) claims.set(queue, { ...NO_CLAIM });
  countPending(state, tree, claims);
  for (const top of tree.tops) setDemand(top, claims);
  shareAll(tree, claims);
  return claims;
}

/** One queue's figures while they are worked out; in amounts of them GPUs are thousandths. */
interface Claim {
  pending: Resources;
  pendingJobs: number;
  runningJobs: number;
  demand: Resources;
  /** Of the demand, what this round may fill. */
  wanted: Resources;
  due: Resources;
}

const NO_CLAIM: Claim = {
  pending: NO_RESOURCES,
  pendingJobs: 0,
  runningJobs: 0,
  demand: NO_RESOURCES,
  wanted: NO_RESOURCES,
  due: NO_RESOURCES,
};

type Claims = ReadonlyMap<QueueNode, Claim>;

const inMilli = (amounts: Resources): Resources => ({ ...amounts, gpus: amounts.gpus * MILLI });

function claimOf(claims: Claims, queue: QueueNode): Claim {
  return must(claims.get(queue), queue.spec.path);
}

function countPending(state: ClusterState, tree: QueueTree, claims: Claims): void {
  for (const [path, { admitted }] of state.pending.queues()) {
    for (const queue of tree.queue(path).lineage) {
      const claim = claimOf(claims, queue);
      claim.pending = plus(claim.pending, admitted.asked);
      claim.pendingJobs += admitted.size;
    }
  }
}

function countRunning(state: ClusterState, tree: QueueTree, claims: Claims): void {
  for (const { spec } of state.active.values()) {
    const { lineage } = tree.queue(spec.queue);
    for (const queue of lineage) claimOf(claims, queue).runningJobs += 1;
  }
}

/** What a leaf wants, and what that comes to above it. Only as far as limits allow. */
function setDemand(queue: QueueNode, claims: Claims): Resources {
  const claim = claimOf(claims, queue);
  const own =
    queue.children.length === 0
      ? accounted(queue, inMilli(plus(queue.allocated, claim.pending)))
      : total(queue.children, (child) => setDemand(child, claims));
  claim.demand = withinLimit(queue, own, NO_RESOURCES);
  return claim.demand;
}

/** Of `wanted`, what goes beyond `due` is cut in proportion. */
function withinLimit({ limit }: QueueNode, wanted: Resources, due: Resources): Resources {
  let more = plus(wanted, due, -1);
  for (const kind of RESOURCE_KINDS) {
    const most = limit[kind];
    if (most === null || more[kind] <= 0) continue;
    const room = Math.max(0, (kind === "gpus" ? most * MILLI : most) - due[kind]);
    if (more[kind] > room) more = inProportion(more, room, more[kind]);
  }
  return plus(due, more);
}

/** Without what no node accounts for: there is any amount of that. */
function accounted({ tree }: QueueNode, amounts: Resources): Resources {
  const { cpuMilli, memoryMib } = tree.capacity.totals;
  return {
    gpus: amounts.gpus,
    cpuMilli: cpuMilli === 0 ? 0 : amounts.cpuMilli,
    memoryMib: memoryMib === 0 ? 0 : amounts.memoryMib,
  };
}

const inProportion = (amounts: Resources, part: number, whole: number): Resources => ({
  gpus: scaleDown(amounts.gpus, part, whole),
  cpuMilli: scaleDown(amounts.cpuMilli, part, whole),
  memoryMib: scaleDown(amounts.memoryMib, part, whole),
});

interface Pouring {
  readonly claims: Claims;
  /** What the cluster has. */
  readonly whole: Resources;
  /** Of these, less than what is wanted. */
  readonly scarce: ReadonlySet<ResourceKind>;
}

/**
 * Splits the cluster. One walk down the tree leaves something over where the children of a queue
 * want different things: a queue is given all resources in proportion, and stops at the first that
 * runs out. So what is left is split again among those who need nothing that has run out.
 */
function shareAll(tree: QueueTree, claims: Claims): void {
  const whole = inMilli(tree.capacity.totals);
  const wanted = total(tree.tops, (queue) => claimOf(claims, queue).demand);
  const scarce = new Set(RESOURCE_KINDS.filter((kind) => wanted[kind] > whole[kind]));
  const pouring: Pouring = { claims, whole, scarce };
  for (let round = 0; round < ROUNDS; round += 1) {
    const due = total(tree.tops, (queue) => claimOf(claims, queue).due);
    const left = unlessPlenty(plus(whole, due, -1), pouring);
    const isOut = (kind: ResourceKind): boolean => left[kind] * NEARLY_ALL < whole[kind];
    for (const top of tree.tops) setWanted(top, claims, round === 0 ? () => false : isOut);
    share(tree.tops, left, pouring, null);
    for (const top of tree.tops) settle(top, claims);
  }
}

/**
 * Of a resource that suffices for everyone there is always enough: else a queue whose children want
 * different things would ration that, too.
 */
function unlessPlenty(amount: Resources, { whole, scarce }: Pouring): Resources {
  const of = (kind: ResourceKind): number => (scarce.has(kind) ? amount[kind] : whole[kind]);
  return { gpus: of("gpus"), cpuMilli: of("cpuMilli"), memoryMib: of("memoryMib") };
}

/** Each but the last finds a resource used up; there are three. */
const ROUNDS = 4;
/** A resource of which a thousandth is left has run out. */
const NEARLY_ALL = 1_000;

function setWanted(
  queue: QueueNode,
  claims: Claims,
  isOut: (kind: ResourceKind) => boolean,
): Resources {
  const claim = claimOf(claims, queue);
  const { demand, due } = claim;
  if (queue.children.length === 0) {
    const isStuck = RESOURCE_KINDS.some((kind) => demand[kind] > due[kind] && isOut(kind));
    claim.wanted = isStuck ? due : demand;
  } else {
    const below = total(queue.children, (child) => setWanted(child, claims, isOut));
    claim.wanted = withinLimit(queue, below, due);
  }
  return claim.wanted;
}

/** Splits `amount` among siblings and, in each, what it was given among its children. */
function share(
  queues: readonly QueueNode[],
  amount: Resources,
  pouring: Pouring,
  parent: QueueNode | null,
): void {
  if (queues.length === 0) return;
  const { claims, whole } = pouring;
  const before = queues.map((queue) => claimOf(claims, queue).due);
  const owed = queues.map((queue): Bounds => {
    const claim = claimOf(claims, queue);
    const most = guaranteed(queue, claim.wanted);
    return { most, weight: queue.tree.capacity.dominant(most).milliGpus, claim };
  });
  const rest = withoutKept(fill(owed, amount, whole), queues, claims, parent);
  const wanting = queues.map((queue): Bounds => {
    const claim = claimOf(claims, queue);
    return { most: claim.wanted, weight: queue.spec.weight, claim };
  });
  const last = fill(wanting, rest, whole);
  fill(
    wanting.map((one) => ({ ...one, weight: 1 })),
    last,
    whole,
  );
  queues.forEach((queue, at) => {
    const given = plus(claimOf(claims, queue).due, before[at] ?? NO_RESOURCES, -1);
    share(queue.children, unlessPlenty(given, pouring), pouring, queue);
  });
}

/** What siblings do not lend, and do not want themselves, is nobody else's. */
function withoutKept(
  rest: Resources,
  queues: readonly QueueNode[],
  claims: Claims,
  parent: QueueNode | null,
): Resources {
  const [first] = queues;
  if (first === undefined || !first.tree.hasLendingLimits) return rest;
  const most = parent === null ? first.tree.capacity.totals.gpus : parent.limit.gpus;
  if (most === null) return rest;
  let taken = 0;
  for (const queue of queues) {
    taken += Math.max(queue.keptGpus * MILLI, claimOf(claims, queue).due.gpus);
  }
  return { ...rest, gpus: Math.max(0, Math.min(rest.gpus, most * MILLI - taken)) };
}

/** Of what a queue was given, what its children can't use goes back. */
function settle(queue: QueueNode, claims: Claims): Resources {
  const claim = claimOf(claims, queue);
  if (queue.children.length > 0) {
    claim.due = total(queue.children, (child) => settle(child, claims));
  }
  return claim.due;
}

/**
 * Of the demand, what the guarantee covers. Of CPUs and memory of which nothing is said, as much as
 * goes with the rest.
 */
function guaranteed({ guarantee }: QueueNode, demand: Resources): Resources {
  const stated = (kind: ResourceKind): number => {
    const own = guarantee[kind] ?? 0;
    return Math.min(demand[kind], kind === "gpus" ? own * MILLI : own);
  };
  const lead = RESOURCE_KINDS.find((kind) => guarantee[kind] !== null && demand[kind] > 0);
  if (lead === undefined) return NO_RESOURCES;
  const covered = inProportion(demand, stated(lead), demand[lead]);
  const of = (kind: ResourceKind): number =>
    guarantee[kind] === null ? covered[kind] : stated(kind);
  return { gpus: of("gpus"), cpuMilli: of("cpuMilli"), memoryMib: of("memoryMib") };
}

function total(queues: readonly QueueNode[], of: (queue: QueueNode) => Resources): Resources {
  let all = NO_RESOURCES;
  for (const queue of queues) all = plus(all, of(queue));
  return all;
}

function shareOf(queue: QueueNode, claim: Claim): FairShare {
  const { capacity } = queue.tree;
  const { due } = claim;
  const wholeGpus = capacity.dominant({ ...due, gpus: 0 });
  return {
    dueMilliGpus: due.gpus,
    due: wholeGpus.milliGpus > due.gpus ? wholeGpus : { kind: "gpus", milliGpus: due.gpus },
    heldGpus: queue.allocated.gpus,
    held: capacity.dominant(queue.allocated),
    clusterMilliGpus: capacity.milliGpus,
    demandGpus: claim.demand.gpus / MILLI,
    pendingGpus: claim.pending.gpus,
    pendingJobs: claim.pendingJobs,
    runningJobs: claim.runningJobs,
    usageGpuMs: queue.usageGpuMs,
  };
}
