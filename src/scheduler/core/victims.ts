// Who may be asked to leave for whom, and at what cost. Owns the rules of reclaim and of priority
// and the measure of lost work; finding the set that suffices is preempt.ts's.

import { must } from "../../base/assert.ts";
import { compareJobIds } from "../../base/ids.ts";
import {
  NO_RESOURCES,
  RESOURCE_KINDS,
  type ResourceKind,
  type Resources,
} from "../../base/resources.ts";
import { MINUTE_MS, SECOND_MS } from "../../base/time.ts";
import { isChangingSize, spareTasks } from "./elastic.ts";
import {
  type Attempt,
  activeAttempt,
  type Checkpoint,
  gpusHeld,
  type Job,
  type PreemptionKind,
  resumePoint,
} from "./job.ts";
import { comingLevel, lasLevel, priorityOf, turnLevelMax, type WaitingJob } from "./order.ts";
import type { HeldTask, Keeping, Pass } from "./pass.ts";
import { attainedLevelOf, countedGpuMs } from "./service-levels.ts";
import { futureUse, isWithinGuarantee, isWithinShare, type QueueNode } from "./queue-tree.ts";
import { expectedRemainingMs } from "./remaining-time.ts";
import { shapeOf } from "./shape.ts";
import type { ClusterState, Policy } from "./state.ts";

/** What a candidate would lose: its attempt, or only the room that is kept for it. */
export type Holding =
  | { readonly kind: "running" }
  | { readonly kind: "reserved"; readonly keeping: Keeping };

const RUNNING: Holding = { kind: "running" };

/** A job that could be asked to leave, or to give up its reservation. */
export interface Candidate {
  readonly job: Job;
  readonly holding: Holding;
  readonly leaf: QueueNode;
  readonly priority: number;
  readonly gpus: number;
  readonly tasks: readonly HeldTask[];
  /** How many of its tasks it can give up and go on: those beyond its least. Mostly 0. */
  readonly spare: number;
  /** Up to now. */
  readonly attainedGpuMs: number;
  /** Was preempted so often, or would lose so much, that only a better right moves it. */
  readonly isLeftAlone: boolean;
  /** See `lasLevel`; 0 for those who are left alone. */
  readonly level: number;
  /** Running time to be done again if it left now. */
  readonly lossMs: number;
  /** When its next checkpoint is due, going by the last two; null = nobody knows. */
  readonly savesAtMs: number | null;
  /**
   * What orders victims of a class: GPU time to be done again if it left now, and what its restart
   * costs. With `victimOrder` newest, how long it has had its place.
   */
  readonly costGpuMs: number;
  readonly placedAtMs: number;
  /** From here on it may be asked to leave: see `protectedMs`. */
  readonly isFairGameAtMs: number;
}

/**
 * Everyone who runs and is not being stopped, and every reservation that stood when this was made.
 * Worked out queue by queue, as they are asked for: most jobs may only take from a few.
 *
 * Lost work is the time since the newest committed checkpoint, or since the attempt ran, plus
 * `restartCostMs`, for each GPU. A job that never had a checkpoint counts with the median of those
 * in its class that have: it is neither immune nor always first. A reservation costs nothing:
 * whoever could evict its holder the moment it runs takes the room over now. But what an elastic
 * job keeps to go on with is not taken over: it has just given up the rest.
 */
export class Candidates {
  /** Leaf queues that may have any. */
  readonly leaves: readonly QueueNode[];
  readonly #pass: Pass;
  readonly #running = new Map<QueueNode, readonly Running[]>();
  readonly #lowest = new Map<QueueNode, number>();
  readonly #kept = new Map<QueueNode, Keeping[]>();
  readonly #holds = new Map<QueueNode, readonly Resources[]>();
  #medians: ReadonlyMap<number, number> | null = null;

  constructor(pass: Pass) {
    this.#pass = pass;
    for (const keeping of pass.reserved.values()) {
      const { id, spec } = keeping.job;
      if (!pass.state.reservations.has(id) || isChangingSize(keeping.job)) continue;
      const leaf = pass.tree.queue(spec.queue);
      const others = this.#kept.get(leaf);
      if (others === undefined) this.#kept.set(leaf, [keeping]);
      else others.push(keeping);
    }
    this.leaves = [...new Set([...pass.active.keys(), ...this.#kept.keys()])];
  }

  /** Could `waiting` have a right over any job of its own queue? */
  mayTakeWithin({ leaf, priority, level }: WaitingJob): boolean {
    let lowest = this.#lowest.get(leaf);
    if (lowest === undefined) this.#lowest.set(leaf, (lowest = this.#lowestIn(leaf)));
    return lowest < priority || level < turnLevelMax(leaf.spec.order, this.#pass.policy);
  }

  #lowestIn(leaf: QueueNode): number {
    let lowest = Number.POSITIVE_INFINITY;
    const see = ({ spec }: Job): void => {
      lowest = Math.min(lowest, priorityOf(spec.priorityClass, this.#pass.policy));
    };
    for (const job of this.#pass.active.get(leaf) ?? []) see(job);
    for (const { job } of this.#kept.get(leaf) ?? []) see(job);
    return lowest;
  }

  /** Could `waiting` have a right over any job of this other leaf queue? */
  mayTakeFrom(waiting: WaitingJob, leaf: QueueNode): boolean {
    if (isShareOver(waiting, leaf)) return true;
    if (!isOwed(waiting, leaf)) return false;
    let holds = this.#holds.get(leaf);
    if (holds === undefined) this.#holds.set(leaf, (holds = this.#holdsOf(leaf)));
    return holds.some((resources) => mayReclaim(waiting, { leaf, tasks: [{ resources }] }, NO_CUT));
  }

  /** What a task holds on its node, once for each set of resources of which tasks there hold any. */
  #holdsOf(leaf: QueueNode): readonly Resources[] {
    const byKinds = new Map<number, Resources>();
    for (const list of [this.#runningIn(leaf), this.#kept.get(leaf) ?? []]) {
      for (const { job } of list) {
        const { gpus, cpuMilli, memoryMib } = job.spec.perNode;
        const kinds = Number(gpus > 0) + 2 * Number(cpuMilli > 0) + 4 * Number(memoryMib > 0);
        byKinds.set(kinds, job.spec.perNode);
      }
    }
    return [...byKinds.values()];
  }

  of(leaf: QueueNode): readonly Candidate[] {
    const pass = this.#pass;
    const candidates = this.#runningIn(leaf).map((one) =>
      candidateOf(pass, one, this.#medianOf(one)),
    );
    for (const keeping of this.#kept.get(leaf) ?? []) candidates.push(reservedOf(pass, keeping));
    return candidates;
  }

  /** What counts for a job that never had a checkpoint; undefined for the others. */
  #medianOf({ saved, priority }: Running): number | undefined {
    if (saved !== null) return undefined;
    this.#medians ??= this.#listMedians();
    return this.#medians.get(priority);
  }

  #listMedians(): ReadonlyMap<number, number> {
    const all = [...this.#pass.active].flatMap(([leaf, jobs]) => {
      const saved = jobs.filter(({ checkpoints }) => checkpoints.length > 0);
      return this.#running.get(leaf) ?? runningOf(this.#pass, saved);
    });
    return medianLossByClass(this.#pass, all);
  }

  #runningIn(leaf: QueueNode): readonly Running[] {
    let running = this.#running.get(leaf);
    if (running === undefined) {
      running = runningOf(this.#pass, this.#pass.active.get(leaf) ?? []);
      this.#running.set(leaf, running);
    }
    return running;
  }
}

/**
 * The order in which they are asked: lower priority class first, inside a class least lost work
 * first, then the youngest.
 */
export function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    a.priority - b.priority ||
    a.costGpuMs - b.costGpuMs ||
    b.placedAtMs - a.placedAtMs ||
    compareJobIds(a.job.id, b.job.id)
  );
}

function reservedOf(pass: Pass, keeping: Keeping): Candidate {
  const { job, placement } = keeping;
  const resources = job.spec.perNode;
  return {
    job,
    holding: { kind: "reserved", keeping },
    leaf: pass.tree.queue(job.spec.queue),
    priority: priorityOf(job.spec.priorityClass, pass.policy),
    gpus: placement.length * resources.gpus,
    tasks: placement.map((task) => ({ placement: task, resources })),
    spare: 0,
    attainedGpuMs: job.attainedGpuMs,
    isLeftAlone: false,
    level: levelOf(pass, job, job.attainedGpuMs, 0),
    lossMs: 0,
    savesAtMs: null,
    costGpuMs: 0,
    placedAtMs: pass.nowMs,
    isFairGameAtMs: 0,
  };
}

interface Running {
  readonly job: Job;
  readonly attempt: Attempt;
  readonly priority: number;
  /** See `resumePoint`. */
  readonly saved: Checkpoint | null;
}

function runningOf(pass: Pass, jobs: readonly Job[]): Running[] {
  const running: Running[] = [];
  for (const job of jobs) {
    const attempt = activeAttempt(job.phase);
    if (attempt === null || pass.isLeaving(job.id)) continue;
    const priority = priorityOf(job.spec.priorityClass, pass.policy);
    running.push({ job, attempt, priority, saved: resumePoint(job) });
  }
  return running;
}

/** `median`: see `Candidates`. */
function candidateOf(pass: Pass, running: Running, median: number | undefined): Candidate {
  const { job, attempt, priority } = running;
  const { restartCostMs, victimOrder } = pass.policy;
  const gpus = gpusHeld(job);
  const lossMs = lossOf(pass, running);
  const placedForMs = pass.nowMs - attempt.placedAtMs;
  const hadHereGpuMs = placedForMs * gpus;
  const costGpuMs = ((median ?? lossMs) + restartCostMs) * gpus;
  return {
    job,
    holding: RUNNING,
    leaf: pass.tree.queue(job.spec.queue),
    priority,
    gpus,
    tasks: pass.heldBy(job),
    spare: spareTasks(pass, job),
    attainedGpuMs: job.attainedGpuMs + hadHereGpuMs,
    isLeftAlone: isLeftAlone(pass, job, lossMs),
    level: levelOf(
      pass,
      job,
      countedGpuMs(job, attempt, pass.policy.lasAgingMs) + hadHereGpuMs,
      lossMs,
    ),
    lossMs,
    savesAtMs: savesAtMs(job),
    costGpuMs: victimOrder === "newest" ? placedForMs : costGpuMs,
    placedAtMs: attempt.placedAtMs,
    isFairGameAtMs: (attempt.runningAtMs ?? attempt.placedAtMs) + protectedMs(pass.policy, job),
  };
}

/** To so many times `minRunMs` protection grows, evenly, as a job uses up its preemptions. */
const PROTECTION_MAX = 10;

/** For how long an attempt is no victim, whoever has the right. Bounded, so nobody waits for ever. */
function protectedMs({ minRunMs, lasPreemptionsMax }: Policy, { preemptions }: Job): number {
  const used = Math.min(preemptions, lasPreemptionsMax);
  if (used === 0) return minRunMs;
  return minRunMs + Math.floor(((PROTECTION_MAX - 1) * minRunMs * used) / lasPreemptionsMax);
}

function isLeftAlone({ policy }: Pass, { preemptions }: Job, lossMs: number): boolean {
  return preemptions >= policy.lasPreemptionsMax || lossMs > policy.lasLossMaxMs;
}

/** Who has been preempted often, or would lose much, had no service as far as others may take. */
function levelOf(pass: Pass, job: Job, attainedGpuMs: number, lossMs: number): number {
  const { policy, tree, nowMs } = pass;
  if (isLeftAlone(pass, job, lossMs)) return 0;
  const { phase } = job;
  if (phase.kind === "pending" && phase.sinceMs < nowMs - policy.lasAgingMs) return 0;
  const { order } = tree.queue(job.spec.queue).spec;
  if (order === "las") return lasLevel(attainedLevelOf(attainedGpuMs), policy);
  return order === "shortest" ? comingLevelOf(pass.state, job, nowMs) : 0;
}

/** Of who runs in a `shortest` queue: see `comingLevel`; 0, the lowest, where nobody knows. */
export function comingLevelOf(state: ClusterState, job: Job, nowMs: number): number {
  const leftMs = expectedRemainingMs(state, job, nowMs, 500);
  return leftMs === null ? 0 : comingLevel(Math.ceil(leftMs / SECOND_MS), shapeOf(job.spec).gpus);
}

export function savesAtMs({ checkpoints }: Job): number | null {
  let beforeMs: number | null = null;
  let lastMs: number | null = null;
  for (const { state, takenAtMs } of checkpoints) {
    if (state !== "committed") continue;
    beforeMs = lastMs;
    lastMs = takenAtMs;
  }
  return beforeMs === null || lastMs === null ? null : 2 * lastMs - beforeMs;
}

/** 0 before every process has started: there is nothing to lose yet. */
export function lossOf(pass: Pass, { attempt, saved }: Pick<Running, "attempt" | "saved">): number {
  if (attempt.runningAtMs === null) return 0;
  return Math.max(0, pass.nowMs - Math.max(attempt.runningAtMs, saved?.takenAtMs ?? 0));
}

function medianLossByClass(pass: Pass, running: readonly Running[]): ReadonlyMap<number, number> {
  const losses = new Map<number, number[]>();
  for (const one of running) {
    if (one.saved === null) continue;
    const known = losses.get(one.priority);
    if (known === undefined) losses.set(one.priority, [lossOf(pass, one)]);
    else known.push(lossOf(pass, one));
  }
  const medians = new Map<number, number>();
  for (const [priority, values] of losses) {
    values.sort((a, b) => a - b);
    medians.set(priority, must(values[(values.length - 1) >> 1], "median"));
  }
  return medians;
}

/** Quarter octaves: who has half as much to come may take from who has it. */
export const SHORTER_BY = 4;

/** A checkpoint that comes this soon is worth waiting for, whoever has the right. */
const NEAR_CHECKPOINT_MS = MINUTE_MS;
/** By then a checkpoint that was taken should be committed, and its job a cheap victim. */
const COMMIT_MS = 5_000;

/**
 * From when on `waiting` may ask the candidate to leave. Before its patience ends it spares those
 * who would lose much: taking turns or shares is never urgent, and with any other right a
 * checkpoint that is near is waited for.
 */
export function fairGameAtMs(pass: Pass, waiting: WaitingJob, candidate: Candidate): number {
  const { policy, nowMs } = pass;
  const { lossMs, savesAtMs, isFairGameAtMs } = candidate;
  if (waiting.isImpatient || lossMs <= policy.cheapLossMs) return isFairGameAtMs;
  const untilMs = waiting.sinceMs + policy.preemptionPatienceMs;
  const isTurn =
    waiting.leaf === candidate.leaf
      ? waiting.priority === candidate.priority
      : !hasReclaimRight(waiting);
  const savedAtMs = savesAtMs === null ? null : savesAtMs + COMMIT_MS;
  const isComing = savedAtMs !== null && savedAtMs > nowMs;
  const nextMs = isComing ? Math.min(untilMs, savedAtMs) : untilMs;
  const isWorthIt = isTurn || (isComing && savedAtMs - nowMs <= NEAR_CHECKPOINT_MS);
  return isWorthIt ? Math.max(isFairGameAtMs, nextMs) : isFairGameAtMs;
}

/** What has been decided about some victims so far: what is gone from each queue. */
export type Cut = Map<QueueNode, Record<ResourceKind, number>>;

/** What a candidate gives: all that it holds, or, if it goes on smaller, some of its tasks. */
export interface Victim {
  readonly candidate: Candidate;
  readonly gives: readonly HeldTask[];
}

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
function mayReclaim(waiting: WaitingJob, { leaf, tasks }: Holder, cut: ReadonlyCut): boolean {
  if (!isOwed(waiting, leaf)) return false;
  return sideOf(leaf, waiting.leaf).every((queue) => !isCovered(queue, tasks, cut));
}

/** Does the waiting job's side stay within its guarantee with it? */
function isOwed({ leaf, shape }: WaitingJob, other: QueueNode): boolean {
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
function isShareOver({ leaf, shape }: WaitingJob, other: QueueNode): boolean {
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
