// The queue tree as one planning pass sees it: what each queue holds, will hold and has used, who
// is served next, and what limits allow. Owns the order between queues; knows no nodes and no jobs.

import { must } from "../../base/assert.ts";
import { compareText, type QueuePath, queuePath } from "../../base/ids.ts";
import { compareProducts } from "./ratio.ts";
import type { ClusterState, QueueSpec } from "./state.ts";
import { chargedUsage, usageTimeConstantMs } from "./usage.ts";

export interface QueueNode {
  readonly spec: QueueSpec;
  readonly parent: QueueNode | null;
  readonly children: QueueNode[];
  /** This queue and all above it, nearest first. */
  readonly lineage: readonly QueueNode[];
  /** GPUs held now, by this queue and those below it. */
  allocated: number;
  /** Of these, GPUs of attempts that are being stopped. */
  leaving: number;
  /** GPUs of reservations: not held yet, but as good as. */
  reserved: number;
  /** Decayed. */
  readonly usageGpuMs: number;
  /** Of a leaf: GPUs of the job that it would place next; null = it has none to look at. */
  headGpus: number | null;
  /** The leaf at or below it that is served next; kept until something at or below it changes. */
  nextLeaf: QueueNode | null;
  isNextKnown: boolean;
}

/** What it holds once the leaving have left and the reserved have started. */
export const futureUse = (queue: QueueNode): number =>
  queue.allocated + queue.reserved - queue.leaving;

export class QueueTree {
  readonly #byPath = new Map<QueuePath, QueueNode>();
  readonly #top: QueueNode[] = [];
  readonly #timeConstantMs: number;

  constructor(state: ClusterState, nowMs: number) {
    this.#timeConstantMs = usageTimeConstantMs(state.policy.usageHalfLifeMs);
    const paths = [...state.queues.keys()].sort(compareText);
    for (const path of paths) this.#add(state, path, nowMs);
  }

  /** Every queue, parents before children. */
  all(): Iterable<QueueNode> {
    return this.#byPath.values();
  }

  queue(path: QueuePath): QueueNode {
    return must(this.#byPath.get(path), `queue ${path}`);
  }

  /** Says what a leaf would place next: GPUs of the job, or null when it has no more. */
  setHead(leaf: QueueNode, gpus: number | null): void {
    if (leaf.headGpus === gpus) return;
    leaf.headGpus = gpus;
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
        if (compareQueues(queue, leaf, best, bestLeaf, this.#timeConstantMs) >= 0) continue;
      }
      best = queue;
      bestLeaf = leaf;
    }
    return bestLeaf;
  }

  #nextOf(queue: QueueNode): QueueNode | null {
    if (!queue.isNextKnown) {
      const own = queue.headGpus === null ? null : queue;
      queue.nextLeaf = queue.children.length === 0 ? own : this.#first(queue.children);
      queue.isNextKnown = true;
    }
    return queue.nextLeaf;
  }

  #add(state: ClusterState, path: QueuePath, nowMs: number): void {
    const { spec, allocated, usageGpuMs, usageAtMs } = must(state.queues.get(path), path);
    const above = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const parent = above === "" ? null : this.queue(queuePath(above));
    const lineage: QueueNode[] = [];
    const halfLifeMs = state.policy.usageHalfLifeMs;
    const queue: QueueNode = {
      spec,
      parent,
      children: [],
      lineage,
      allocated: allocated.gpus,
      leaving: 0,
      reserved: 0,
      usageGpuMs: chargedUsage(usageGpuMs, usageAtMs, allocated.gpus, nowMs, halfLifeMs),
      headGpus: null,
      nextLeaf: null,
      isNextKnown: false,
    };
    lineage.push(queue, ...(parent === null ? [] : parent.lineage));
    (parent === null ? this.#top : parent.children).push(queue);
    this.#byPath.set(path, queue);
  }
}

/** Adds to one of a queue's counters, and to those of all queues above it. */
export function charge(
  leaf: QueueNode,
  counter: "allocated" | "leaving" | "reserved",
  gpus: number,
): void {
  for (const queue of leaf.lineage) queue[counter] += gpus;
  forgetNext(leaf);
}

function forgetNext(leaf: QueueNode): void {
  for (const queue of leaf.lineage) queue.isNextKnown = false;
}

/** The nearest queue whose limit is below `gpus` whatever runs, or null. */
export function limitExceeded(leaf: QueueNode, gpus: number): QueueNode | null {
  for (const queue of leaf.lineage) {
    if (queue.spec.limit !== null && gpus > queue.spec.limit) return queue;
  }
  return null;
}

/** What counts against a limit: what is held now, or will be once reservations have come true. */
export const countedUse = (queue: QueueNode): number => Math.max(queue.allocated, futureUse(queue));

/**
 * The nearest queue that `gpus` more would take over its limit now, or null. A job without GPUs is
 * never in the way, not even of a limit that was lowered under what is held.
 */
export function limitReached(leaf: QueueNode, gpus: number): QueueNode | null {
  if (gpus === 0) return null;
  for (const queue of leaf.lineage) {
    if (queue.spec.limit !== null && countedUse(queue) + gpus > queue.spec.limit) return queue;
  }
  return null;
}

/** Would `gpus` more still be over a limit once the leaving have left? */
export function isOverLimitLater(leaf: QueueNode, gpus: number): boolean {
  for (const queue of leaf.lineage) {
    if (queue.spec.limit !== null && futureUse(queue) + gpus > queue.spec.limit) return true;
  }
  return false;
}

/**
 * Which of two siblings is served first, given the leaf that each would serve. A queue whose next
 * job stays within its guarantee goes before one whose next job does not: else a small debt would
 * let a large job in, only to be taken back from. Of two such, the one that has the smaller part of
 * its guarantee. Beyond the guarantee the one with the smaller excess for its weight, weight 0
 * last; then by path.
 */
export function compareQueues(
  a: QueueNode,
  leafOfA: QueueNode,
  b: QueueNode,
  leafOfB: QueueNode,
  timeConstantMs: number,
): number {
  const isOwed = isWithinGuarantee(a, leafOfA.headGpus ?? 0);
  if (isOwed !== isWithinGuarantee(b, leafOfB.headGpus ?? 0)) return isOwed ? -1 : 1;
  const order = isOwed
    ? compareProducts(futureUse(a), b.spec.guarantee, futureUse(b), a.spec.guarantee)
    : compareExcess(a, b, timeConstantMs);
  return order === 0 ? compareText(a.spec.path, b.spec.path) : order;
}

/** Has the queue room inside its guarantee for that many GPUs more? */
export function isWithinGuarantee(queue: QueueNode, gpus: number): boolean {
  const { guarantee } = queue.spec;
  return guarantee > 0 && futureUse(queue) + gpus <= guarantee;
}

function compareExcess(a: QueueNode, b: QueueNode, timeConstantMs: number): number {
  if ((a.spec.weight === 0) !== (b.spec.weight === 0)) return a.spec.weight === 0 ? 1 : -1;
  const ofA = excess(a, timeConstantMs);
  const ofB = excess(b, timeConstantMs);
  if (a.spec.weight === 0) return ofA - ofB;
  return compareProducts(ofA, b.spec.weight, ofB, a.spec.weight);
}

/**
 * What a queue has had and has beyond its guarantee, in GPU milliseconds: its decayed usage over
 * what steady use of the guarantee would leave, and what it holds over the guarantee as if held for
 * ever. Without a half-life, the GPUs alone. Use within the guarantee is never held against a
 * queue, and not using it saves nothing up.
 */
function excess(queue: QueueNode, timeConstantMs: number): number {
  const { guarantee } = queue.spec;
  const over = Math.max(0, futureUse(queue) - guarantee);
  if (timeConstantMs === 0) return over;
  return over * timeConstantMs + Math.max(0, queue.usageGpuMs - guarantee * timeConstantMs);
}
