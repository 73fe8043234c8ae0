// Who has a right to what others hold: reclaim, shares, classes and turns. Knows neither nodes nor
// what leaving costs; that is in victims.ts.

import {
  NO_RESOURCES,
  RESOURCE_KINDS,
  type ResourceKind,
  type Resources,
} from "../../base/resources.ts";
import type { Candidate } from "./candidate.ts";
import type { PreemptionKind } from "./job.ts";
import type { WaitingJob } from "./order.ts";
import type { HeldTask } from "./pass.ts";
import { futureUse, isWithinGuarantee, isWithinShare, type QueueNode } from "./queue-tree.ts";

/** Quarter octaves: who has half as much to come may take from who has it. */
export const SHORTER_BY = 4;

/** What has been decided about some victims so far: what is gone from each queue. */
export type Cut = Map<QueueNode, Record<ResourceKind, number>>;

export function addCut(
  cut: Cut,
  { leaf }: Candidate,
  tasks: readonly HeldTask[],
  sign: 1 | -1,
): void {
  for (const queue of leaf.lineage) {
    let gone = cut.get(queue);
    if (gone === undefined) cut.set(queue, (gone = { ...NO_RESOURCES }));
    for (const { resources } of tasks) {
      for (const kind of RESOURCE_KINDS) gone[kind] += sign * resources[kind];
    }
  }
}

export const cutOf = (cut: ReadonlyCut, queue: QueueNode, kind: ResourceKind): number =>
  cut.get(queue)?.[kind] ?? 0;

type ReadonlyCut = ReadonlyMap<QueueNode, Resources>;

/** Nobody leaves. */
export const NO_CUT: ReadonlyCut = new Map();

/** What gives a waiting job a right over another. */
export type Right = Exclude<PreemptionKind, "drain" | "shrink" | "grow">;

/** GPUs that it gives at least: of one node, if it can go on without. */
export const leastGiven = ({ spare, gpus, job }: Candidate): number =>
  spare > 0 ? job.spec.perNode.gpus : gpus;

/**
 * By which right, if any, `waiting` may take from `candidate`, when `cut` is already gone: from its
 * own leaf queue by priority, if the candidate is in a lower class, or by service, if it is of the
 * same class and on a higher level; from others by reclaim.
 */
export function rightOver(
  waiting: WaitingJob,
  candidate: Candidate,
  cut: ReadonlyCut,
  givesGpus = leastGiven(candidate),
): Right | null {
  if (waiting.leaf !== candidate.leaf) {
    if (mayReclaim(waiting, candidate, cut)) return "reclaim";
    return mayTakeShare(waiting, candidate, cut, givesGpus) ? "share" : null;
  }
  if (candidate.priority !== waiting.priority) {
    return candidate.priority < waiting.priority ? "priority" : null;
  }
  if (waiting.leaf.spec.order === "shortest") {
    return candidate.level >= waiting.level + SHORTER_BY ? "shortest" : null;
  }
  return candidate.level > waiting.level ? "las" : null;
}

/**
 * May `waiting` take back from a job of another queue? Below what the two have in common, the
 * waiting job's side stays within its guarantee even with the job, and every queue on the other
 * side, down to the leaf, is over its own in something that the candidate holds: who is within a
 * guarantee loses nothing. Since the taker ends within its guarantee, nobody can take back from it,
 * and preemptions can't go round in a circle. A job that holds nothing that its queue is guaranteed
 * an amount of, and stands in the way with its CPUs, is covered by no guarantee.
 */
export function mayReclaim(
  waiting: WaitingJob,
  { leaf, tasks }: Holder,
  cut: ReadonlyCut,
): boolean {
  if (!isOwed(waiting, leaf)) return false;
  return sideOf(leaf, waiting.leaf).every((queue) => !isCovered(queue, tasks, cut));
}

/** Does the waiting job's side stay within its guarantee with it? */
export function isOwed({ leaf, shape }: WaitingJob, other: QueueNode): boolean {
  const taker = sideOf(leaf, other).at(-1);
  return taker !== undefined && isWithinGuarantee(taker, shape);
}

/**
 * May `waiting` take from a job of another queue to get its fair share? All queues on its side
 * stay within theirs even with the job, and each on the other side is over its own by at least half
 * of what the candidate holds, and is left with its guarantee. Who ends within his share is asked
 * for nobody's share, and who keeps his guarantee takes nothing back, so this goes round in no
 * circle either.
 */
function mayTakeShare(
  waiting: WaitingJob,
  { leaf, gpus, isLeftAlone }: Candidate,
  cut: ReadonlyCut,
  givesGpus: number,
): boolean {
  if (gpus === 0 || isLeftAlone || !isShareOver(waiting, leaf)) return false;
  return sideOf(leaf, waiting.leaf).every((queue) => {
    const gone = cutOf(cut, queue, "gpus");
    const over = overShare(queue) - gone;
    const keepsGuarantee = futureUse(queue) - gone - givesGpus >= queue.spec.guarantee;
    return over > 0 && 2 * over >= gpus && keepsGuarantee;
  });
}

/** Does the waiting job's side stay within its share with it, while the other is over its own? */
export function isShareOver({ leaf, shape }: WaitingJob, other: QueueNode): boolean {
  if (overShare(other) <= 0) return false; // The first look, for mostly it is the last.
  for (const queue of sideOf(leaf, other)) if (!isWithinShare(queue, shape)) return false;
  return sideOf(other, leaf).every((queue) => overShare(queue) > 0);
}

const overShare = (queue: QueueNode): number => futureUse(queue) - (queue.dueGpus ?? 0);

/** As much of a candidate as its queue's guarantee is held against. */
interface Holder {
  readonly leaf: QueueNode;
  readonly tasks: readonly Pick<HeldTask, "resources">[];
}

/** Is the queue within its guarantee of all that these tasks hold, as far as it has one? */
function isCovered(queue: QueueNode, tasks: Holder["tasks"], cut: ReadonlyCut): boolean {
  let isCounted = false;
  for (const kind of RESOURCE_KINDS) {
    const own = queue.guarantee[kind];
    if (own === null || !tasks.some(({ resources }) => resources[kind] > 0)) continue;
    if (futureUse(queue, kind) - cutOf(cut, queue, kind) > own) return false;
    isCounted = true;
  }
  return isCounted;
}

/** Some queue on the job's path has room for it inside its guarantee. */
export function hasReclaimRight({ leaf, shape }: Pick<WaitingJob, "leaf" | "shape">): boolean {
  for (const queue of leaf.lineage) if (isWithinGuarantee(queue, shape)) return true;
  return false;
}

/** Might the job take from other queues? */
export function mayTakeFromOthers(waiting: Pick<WaitingJob, "leaf" | "shape">): boolean {
  return hasReclaimRight(waiting) || isWithinShare(waiting.leaf, waiting.shape);
}

/** The queues of `leaf` below what it has in common with `other`, nearest first. */
export function sideOf(leaf: QueueNode, other: QueueNode): readonly QueueNode[] {
  if (leaf.lineage.at(-1) !== other.lineage.at(-1)) return leaf.lineage;
  return leaf.lineage.filter((queue) => !other.lineage.includes(queue));
}
