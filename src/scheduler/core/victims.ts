// Who may be asked to leave, and at what cost. Owns the measure of lost work and who is spared for it;
// by which right is in rights.ts, finding the set that suffices in victim-search.ts.

import { must } from "../../base/assert.ts";
import type { Resources } from "../../base/resources.ts";
import { MINUTE_MS, SECOND_MS } from "../../base/time.ts";
import type { Candidate, Holding } from "./candidate.ts";
import { isChangingSize, spareTasks } from "./elastic.ts";
import {
  type Attempt,
  activeAttempt,
  type Checkpoint,
  gpusHeld,
  type Job,
  resumePoint,
} from "./job.ts";
import { comingLevel, lasLevel, priorityOf, turnLevelMax, type WaitingJob } from "./order.ts";
import type { Keeping, Pass } from "./pass.ts";
import { attainedLevelOf, countedGpuMs } from "./service-levels.ts";
import type { QueueNode } from "./queue-tree.ts";
import { expectedRemainingMs } from "./remaining-time.ts";
import { hasReclaimRight, isOwed, isShareOver, mayReclaim, NO_CUT } from "./rights.ts";
import { shapeOf } from "./shape.ts";
import type { ClusterState, Policy } from "./state.ts";

const RUNNING: Holding = { kind: "running" };

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
