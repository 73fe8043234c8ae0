// The queue tree as one planning pass sees it: what each queue holds, will hold and has used, who
// is served next, and what limits allow. Owns the order between queues; knows no nodes and no jobs.

import { must } from "../../base/assert.ts";
import { compareText, type QueuePath, queuePath } from "../../base/ids.ts";
import { RESOURCE_KINDS, type ResourceKind, type Resources } from "../../base/resources.ts";
import { Capacity } from "./capacity.ts";
import type { PendingJobs } from "./pending.ts";
import { compareProducts, scaleDown } from "./ratio.ts";
import { guaranteeOf, halfLifeOf, keptGpus, limitOf, type Quota } from "./queue-spec.ts";
import type { ClusterState, QueueSpec } from "./state.ts";
import { chargedAccount } from "./share-account.ts";
import { chargedPast, MIB_PER_GIB, usageTimeConstantMs } from "./usage.ts";

type Amounts = { -readonly [K in keyof Resources]: Resources[K] };

/** A gang, as far as quotas are concerned. */
export interface Asked {
  readonly nodes: number;
  readonly perNode: Resources;
}

export interface QueueNode {
  readonly spec: QueueSpec;
  readonly guarantee: Quota;
  /** With what it may borrow. */
  readonly limit: Quota;
  /** GPUs that nobody else may use even while they are idle. */
  readonly keptGpus: number;
  readonly parent: QueueNode | null;
  readonly children: QueueNode[];
  /** This queue and all above it, nearest first. */
  readonly lineage: readonly QueueNode[];
  readonly tree: QueueTree;
  /** Held now, by this queue and those below it. */
  readonly allocated: Amounts;
  /** See `Queue.heldByUser`. */
  readonly heldByUser: ReadonlyMap<string, number>;
  /** Of these, what attempts hold that are being stopped. */
  readonly leaving: Amounts;
  /** Of reservations: not held yet, but as good as. */
  readonly reserved: Amounts;
  /** GPUs of its fair share, as the pass found it; null = it was not asked for. */
  dueGpus: number | null;
  /** See `chargedAccount`. */
  readonly accountGpuMs: number;
  /** Decayed. */
  readonly usageGpuMs: number;
  readonly usageCoreMs: number;
  readonly usageGibMs: number;
  /** Milliseconds by which a GPU that is held for ever is charged; 0 = the past does not count. */
  readonly timeConstantMs: number;
  /** Of a leaf: the job that it would place next; null = it has none to look at. */
  head: Asked | null;
  /** The leaf at or below it that is served next; kept until something at or below it changes. */
  nextLeaf: QueueNode | null;
  isNextKnown: boolean;
  /** Of `excess`; null until it is asked for again. */
  excess: number | null;
}

/** What it holds once the leaving have left and the reserved have started. */
export const futureUse = (queue: QueueNode, kind: ResourceKind = "gpus"): number =>
  queue.allocated[kind] + queue.reserved[kind] - queue.leaving[kind];

export class QueueTree {
  readonly #byPath = new Map<QueuePath, QueueNode>();
  readonly #top: QueueNode[] = [];
  readonly capacity: Capacity;
  /** Do shares hold over a window? */
  readonly hasAccounts: boolean;
  /** Does any queue keep GPUs to itself? */
  hasLendingLimits = false;

  constructor(state: ClusterState, nowMs: number) {
    this.capacity = new Capacity(state);
    this.hasAccounts = state.policy.shareWindowMs > 0;
    const paths = [...state.queues.keys()].sort(compareText);
    for (const path of paths) this.#add(state, path, nowMs);
  }

  /** Every queue, parents before children. */
  all(): Iterable<QueueNode> {
    return this.#byPath.values();
  }

  /** The queues at the top. */
  get tops(): readonly QueueNode[] {
    return this.#top;
  }

  queue(path: QueuePath): QueueNode {
    return must(this.#byPath.get(path), `queue ${path}`);
  }

  /** Do jobs wait in a queue while others hold GPUs? */
  isShared(pending: PendingJobs): boolean {
    let holders = 0;
    for (const queue of this.#byPath.values()) {
      if (queue.children.length === 0 && queue.allocated.gpus > 0) holders += 1;
    }
    for (const [path] of pending.queues()) {
      if (holders > (this.queue(path).allocated.gpus > 0 ? 1 : 0)) return true;
    }
    return false;
  }

  /** Says what a leaf would place next: the job's shape, or null when it has no more. */
  setHead(leaf: QueueNode, head: Asked | null): void {
    if (leaf.head === head) return;
    leaf.head = head;
    forgetNext(leaf);
  }

  /** The leaf that is served next, or null when none has a job. */
  next(): QueueNode | null {
    return this.#first(this.#top);
  }

  #first(queues: readonly QueueNode[]): QueueNode | null {
    let best: QueueNode | null = null;
    let bestLeaf: QueueNode | null = null;
    for (const queue of queues) {
      const leaf = this.#nextOf(queue);
      if (leaf === null) continue;
      if (best !== null && bestLeaf !== null) {
        if (compareQueues(queue, leaf, best, bestLeaf) >= 0) continue;
      }
      best = queue;
      bestLeaf = leaf;
    }
    return bestLeaf;
  }

  #nextOf(queue: QueueNode): QueueNode | null {
    if (!queue.isNextKnown) {
      const own = queue.head === null ? null : queue;
      queue.nextLeaf = queue.children.length === 0 ? own : this.#first(queue.children);
      queue.isNextKnown = true;
    }
    return queue.nextLeaf;
  }

  #add(state: ClusterState, path: QueuePath, nowMs: number): void {
    const found = must(state.queues.get(path), path);
    const { spec, allocated, heldByUser } = found;
    const above = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const parent = above === "" ? null : this.queue(queuePath(above));
    const lineage: QueueNode[] = [];
    const halfLifeMs = halfLifeOf(parent?.lineage.at(-1)?.spec ?? spec, state.policy);
    const past = chargedPast(found, allocated, nowMs, halfLifeMs);
    const { usageGpuMs, usageCoreMs, usageGibMs } = past;
    const queue: QueueNode = {
      spec,
      guarantee: guaranteeOf(spec),
      limit: limitOf(spec),
      keptGpus: keptGpus(spec),
      parent,
      children: [],
      lineage,
      tree: this,
      allocated: { ...allocated },
      heldByUser,
      leaving: { gpus: 0, cpuMilli: 0, memoryMib: 0 },
      reserved: { gpus: 0, cpuMilli: 0, memoryMib: 0 },
      dueGpus: null,
      usageGpuMs,
      usageCoreMs,
      usageGibMs,
      accountGpuMs: chargedAccount(found, nowMs, state.policy),
      timeConstantMs: usageTimeConstantMs(halfLifeMs),
      head: null,
      nextLeaf: null,
      isNextKnown: false,
      excess: null,
    };
    lineage.push(queue, ...(parent === null ? [] : parent.lineage));
    (parent === null ? this.#top : parent.children).push(queue);
    this.#byPath.set(path, queue);
    if (queue.keptGpus > 0) this.hasLendingLimits = true;
  }
}

/** Adds to one of a queue's counters, and to those of all queues above it. */
export function charge(
  leaf: QueueNode,
  counter: "allocated" | "leaving" | "reserved",
  { nodes, perNode }: Asked,
  sign: 1 | -1,
): void {
  for (const queue of leaf.lineage) {
    for (const kind of RESOURCE_KINDS) queue[counter][kind] += sign * nodes * perNode[kind];
    queue.excess = null;
  }
  forgetNext(leaf);
}

function forgetNext(leaf: QueueNode): void {
  for (const queue of leaf.lineage) queue.isNextKnown = false;
}

/**
 * Which of two siblings is served first, given the leaf that each would serve. A queue whose next
 * job stays within its guarantee goes before one whose next job does not: else a small debt would
 * let a large job in, only to be taken back from. Of two such, the one that has the smaller part of
 * its guarantee. Beyond the guarantee one whose next job stays within its fair share goes first, if
 * shares are reclaimed: what another took would be taken back; then the one with the smaller excess
 * for its weight, weight 0 last; then by path.
 */
export function compareQueues(
  a: QueueNode,
  leafOfA: QueueNode,
  b: QueueNode,
  leafOfB: QueueNode,
): number {
  const isOwed = isWithinGuarantee(a, leafOfA.head);
  if (isOwed !== isWithinGuarantee(b, leafOfB.head)) return isOwed ? -1 : 1;
  const isDue = isWithinShare(a, leafOfA.head);
  if (!isOwed && isDue !== isWithinShare(b, leafOfB.head)) return isDue ? -1 : 1;
  const order = isOwed ? compareFulfilled(a, b) : compareExcess(a, b);
  return order === 0 ? compareText(a.spec.path, b.spec.path) : order;
}

/**
 * Has the queue room inside its guarantee for the job? Counted are the resources that the job asks
 * for and the queue is guaranteed an amount of; if there is none, the GPUs.
 */
export function isWithinGuarantee(queue: QueueNode, asked: Asked | null): boolean {
  let isCounted = false;
  let isGuaranteed = false;
  for (const kind of RESOURCE_KINDS) {
    const own = queue.guarantee[kind];
    const more = asked === null ? 0 : asked.nodes * asked.perNode[kind];
    if (own === null || more === 0) continue;
    if (futureUse(queue, kind) + more > own) return false;
    isCounted = true;
    isGuaranteed ||= own > 0;
  }
  if (isCounted) return isGuaranteed;
  const { guarantee } = queue.spec;
  return guarantee > 0 && futureUse(queue) <= guarantee;
}

/** Has the queue room inside its fair share for the job? False where shares are not reclaimed. */
export function isWithinShare(queue: QueueNode, asked: Asked | null): boolean {
  if (queue.dueGpus === null || asked === null) return false;
  const more = asked.nodes * asked.perNode.gpus;
  return more > 0 && futureUse(queue) + more <= queue.dueGpus;
}

/** Is there any resource of which it has less than it is guaranteed? */
export const hasGuaranteeLeft = (queue: QueueNode): boolean =>
  RESOURCE_KINDS.some((kind) => futureUse(queue, kind) < (queue.guarantee[kind] ?? 0));

/** By the part that they have of their guarantees, of the resource of which that is the largest. */
function compareFulfilled(a: QueueNode, b: QueueNode): number {
  const [ofA, ofB] = [fulfilled(a), fulfilled(b)];
  return compareProducts(ofA.used, ofB.own, ofB.used, ofA.own);
}

function fulfilled(queue: QueueNode): { readonly used: number; readonly own: number } {
  let most = { used: 0, own: 1 };
  for (const kind of RESOURCE_KINDS) {
    const own = queue.guarantee[kind] ?? 0;
    const used = futureUse(queue, kind);
    if (own > 0 && compareProducts(used, most.own, most.used, own) > 0) most = { used, own };
  }
  return most;
}

/** By excess for the weight, on average over the time that counts. */
function compareExcess(a: QueueNode, b: QueueNode): number {
  const weightOfA = a.spec.weight;
  const weightOfB = b.spec.weight;
  if ((weightOfA === 0) !== (weightOfB === 0)) return weightOfA === 0 ? 1 : -1;
  if (a.tree.hasAccounts && a.dueGpus !== null && b.dueGpus !== null) {
    return futureUse(a) - a.dueGpus - (futureUse(b) - b.dueGpus);
  }
  const isOneTime = a.timeConstantMs === b.timeConstantMs;
  const divisorOf = (queue: QueueNode): number =>
    Math.max(1, queue.spec.weight) * (isOneTime ? 1 : secondsOf(queue));
  return compareProducts(excessOf(a), divisorOf(b), excessOf(b), divisorOf(a));
}

/** The time that counts, in seconds: `timeConstantMs`, or 1 when the past does not count. */
const secondsOf = ({ timeConstantMs }: QueueNode): number =>
  Math.max(1, Math.round(timeConstantMs / 1_000));

/**
 * What a queue has had and has beyond its guarantee, in GPU milliseconds: its decayed usage over
 * what steady use of the guarantee would leave, and its dominant share over the guarantee as if
 * held for ever; of the past, too, what is the largest part of the cluster. Without a half-life,
 * what it holds alone. Use within the guarantee is never held against a queue, and not using it
 * saves nothing up.
 */
function excessOf(queue: QueueNode): number {
  if (queue.excess === null) {
    queue.excess = overMilliGpus(queue) * secondsOf(queue) + pastOverGpuMs(queue);
  }
  return queue.excess;
}

/** In GPU milliseconds, as a tenth of the cluster's CPU time is that of its GPU time. */
function pastOverGpuMs(queue: QueueNode): number {
  const { usageGpuMs, usageCoreMs, usageGibMs, timeConstantMs, spec } = queue;
  const { totals, milliGpus } = queue.tree.capacity;
  let over = Math.max(0, usageGpuMs - spec.guarantee * timeConstantMs);
  const see = (kind: ResourceKind, usedGpuMs: number): void => {
    const ownGpuMs = scaleDown(guaranteedMilliGpus(queue, kind), timeConstantMs, MILLI_PER_GPU);
    over = Math.max(over, usedGpuMs - ownGpuMs);
  };
  // What the cluster has now: as with shares, a node that goes makes what is left weigh more.
  if (usageCoreMs > 0 && totals.cpuMilli > 0) {
    see("cpuMilli", scaleDown(usageCoreMs, milliGpus, totals.cpuMilli));
  }
  if (usageGibMs > 0 && totals.memoryMib > 0) {
    const whole = totals.memoryMib * MILLI_PER_GPU;
    see("memoryMib", scaleDown(usageGibMs, milliGpus * MIB_PER_GIB, whole));
  }
  return over;
}

const MILLI_PER_GPU = 1_000;

/**
 * How far the dominant share is over the guarantee. Where nothing is said about CPUs or memory, as
 * large a part of them goes with the GPUs.
 */
function overMilliGpus(queue: QueueNode): number {
  const { capacity } = queue.tree;
  let over = 0;
  for (const kind of RESOURCE_KINDS) {
    const own = guaranteedMilliGpus(queue, kind);
    over = Math.max(over, capacity.shareOf(kind, futureUse(queue, kind)) - own);
  }
  return over;
}

function guaranteedMilliGpus({ guarantee, spec, tree }: QueueNode, kind: ResourceKind): number {
  const own = guarantee[kind];
  return own === null
    ? tree.capacity.shareOf("gpus", spec.guarantee)
    : tree.capacity.shareOf(kind, own);
}
