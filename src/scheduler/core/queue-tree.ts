// The queue tree as one planning pass sees it: what each queue holds, will hold and has used, who is
// served next, and what limits allow. Owns the order between queues; knows no nodes and no jobs.

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
  /** Leaf queues at or below it that still have jobs to look at. */
  openLeaves: number;
}

/** What it holds once the leaving have left and the reserved have started. */
export const futureUse = (queue: QueueNode): number =>
  queue.allocated + queue.reserved - queue.leaving;

export class QueueTree {
  readonly #byPath = new Map<QueuePath, QueueNode>();
  readonly #top: QueueNode[] = [];
  readonly #timeConstantMs: number;

  constructor(state: ClusterState, nowMs: number) {
    this.#timeConstantMs = usageTimeConstantMs(state.usageHalfLifeMs);
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

  open(leaf: QueueNode): void {
    for (const queue of leaf.lineage) queue.openLeaves += 1;
  }

  close(leaf: QueueNode): void {
    for (const queue of leaf.lineage) queue.openLeaves -= 1;
  }

  /** The open leaf that is served next, or null. */
  next(): QueueNode | null {
    let found = this.#first(this.#top);
    while (found !== null) {
      const below = this.#first(found.children);
      if (below === null) return found;
      found = below;
    }
    return null;
  }

  #first(queues: readonly QueueNode[]): QueueNode | null {
    let best: QueueNode | null = null;
    for (const queue of queues) {
      if (queue.openLeaves === 0) continue;
      if (best === null || compareQueues(queue, best, this.#timeConstantMs) < 0) best = queue;
    }
    return best;
  }

  #add(state: ClusterState, path: QueuePath, nowMs: number): void {
    const { spec, allocated, usageGpuMs, usageAtMs } = must(state.queues.get(path), path);
    const above = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    const parent = above === "" ? null : this.queue(queuePath(above));
    const lineage: QueueNode[] = [];
    const halfLifeMs = state.usageHalfLifeMs;
    const queue: QueueNode = {
      spec,
      parent,
      children: [],
      lineage,
      allocated: allocated.gpus,
      leaving: 0,
      reserved: 0,
      usageGpuMs: chargedUsage(usageGpuMs, usageAtMs, allocated.gpus, nowMs, halfLifeMs),
      openLeaves: 0,
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
}

/** The nearest queue whose limit is below `gpus` whatever runs, or null. */
export function limitExceeded(leaf: QueueNode, gpus: number): QueueNode | null {
  return leaf.lineage.find(({ spec }) => spec.limit !== null && gpus > spec.limit) ?? null;
}

/** What counts against a limit: what is held now, or will be once reservations have come true. */
export const countedUse = (queue: QueueNode): number => Math.max(queue.allocated, futureUse(queue));

/**
 * The nearest queue that `gpus` more would take over its limit now, or null. A job without GPUs is
 * never in the way, not even of a limit that was lowered under what is held.
 */
export function limitReached(leaf: QueueNode, gpus: number): QueueNode | null {
  if (gpus === 0) return null;
  const isOver = (queue: QueueNode): boolean =>
    queue.spec.limit !== null && countedUse(queue) + gpus > queue.spec.limit;
  return leaf.lineage.find(isOver) ?? null;
}

/**
 * Which of two siblings is served first. A queue under its guarantee goes before one that is not; of
 * two such, the one that has the smaller part of its guarantee. Beyond the guarantee the one with the
 * smaller excess for its weight, weight 0 last; then by path.
 */
export function compareQueues(a: QueueNode, b: QueueNode, timeConstantMs: number): number {
  const isUnder = (queue: QueueNode): boolean => futureUse(queue) < queue.spec.guarantee;
  if (isUnder(a) !== isUnder(b)) return isUnder(a) ? -1 : 1;
  const order = isUnder(a)
    ? compareProducts(futureUse(a), b.spec.guarantee, futureUse(b), a.spec.guarantee)
    : compareExcess(a, b, timeConstantMs);
  return order === 0 ? compareText(a.spec.path, b.spec.path) : order;
}

function compareExcess(a: QueueNode, b: QueueNode, timeConstantMs: number): number {
  if ((a.spec.weight === 0) !== (b.spec.weight === 0)) return a.spec.weight === 0 ? 1 : -1;
  const ofA = excess(a, timeConstantMs);
  const ofB = excess(b, timeConstantMs);
  if (a.spec.weight === 0) return ofA - ofB;
  return compareProducts(ofA, b.spec.weight, ofB, a.spec.weight);
}

/**
 * What a queue has had and has beyond its guarantee, in GPU milliseconds: its decayed usage over what
 * steady use of the guarantee would leave, and what it holds over the guarantee as if held for ever.
 * Without a half-life, the GPUs alone. Use within the guarantee is never held against a queue, and
 * not using it saves nothing up.
 */
function excess(queue: QueueNode, timeConstantMs: number): number {
  const { guarantee } = queue.spec;
  const over = Math.max(0, futureUse(queue) - guarantee);
  if (timeConstantMs === 0) return over;
  return over * timeConstantMs + Math.max(0, queue.usageGpuMs - guarantee * timeConstantMs);
}
