// Preemption, proven before anyone is asked to leave: finds running jobs whose leaving lets a waiting
// gang in, shows that the set suffices and that none of it can be spared, and reserves the placement.

import { must } from "../../base/assert.ts";
import type { JobId } from "../../base/ids.ts";
import type { NodeSlot } from "./fit.ts";
import { fitGang } from "./gang.ts";
import type { Job, PreemptionKind, TaskPlacement } from "./job.ts";
import { jobOf } from "./lookup.ts";
import { priorityOf, type WaitingJob } from "./order.ts";
import type { HeldTask, Pass } from "./pass.ts";
import type { Eviction } from "./plan-types.ts";
import { futureUse, limitReached, type QueueNode } from "./queue-tree.ts";
import {
  type Candidate,
  type Cut,
  compareCandidates,
  hasReclaimRight,
  listCandidates,
  rightOver,
  sideOf,
} from "./victims.ts";
import { WhatIf } from "./what-if.ts";

/** Searches for victims in one pass; what is left over is looked at in the next. */
export const PROOFS_MAX = 256;

type Right = Exclude<PreemptionKind, "drain">;

export class Preemption {
  readonly #pass: Pass;
  #candidates: readonly Candidate[] | null = null;
  /** Queue, class and shape of what was refused: it is refused for the rest of the pass. */
  readonly #refused = new Set<string>();
  #proofs = 0;
  /**
   * Another walk may find more: someone who is owed room was refused, perhaps only because nobody
   * was over a guarantee yet, or lost a reservation.
   */
  isOpen = false;
  /** When the first protected victim may be asked; null = none was met. */
  wakeAtMs: number | null = null;

  constructor(pass: Pass) {
    this.#pass = pass;
  }

  /**
   * Evicts whom it takes and reserves a placement for the job, or starts it where others only gave up
   * reservations; false changes nothing. Guarantees are
   * of GPUs, so a job without any takes from nobody.
   */
  makeRoomFor(waiting: WaitingJob): boolean {
    if (!this.#pass.policy.isPreemptionEnabled || waiting.shape.gpus === 0) return false;
    const key = `${waiting.leaf.spec.path}|${waiting.priority}|${waiting.shape.key}`;
    if (this.#refused.has(key) || this.#proofs >= PROOFS_MAX) return false;
    const victims = this.#search(waiting);
    if (victims === null) this.#refuse(waiting, key);
    else this.#carryOut(waiting, victims);
    return victims !== null;
  }

  /** For another walk over the queues. */
  forgetRefusals(): void {
    this.#refused.clear();
    this.isOpen = false;
  }

  #refuse(waiting: WaitingJob, key: string): void {
    this.#refused.add(key);
    if (hasReclaimRight(waiting)) this.isOpen = true;
  }

  /** Taking back a guarantee goes before taking from the own queue's lower classes. */
  #search(waiting: WaitingJob): readonly Candidate[] | null {
    const eligible = this.#eligible(waiting);
    // Whom it may not wait for, nor ask, it has no better right to follow than those behind it.
    if (eligible.length === 0 && !hasReclaimRight(waiting) && !this.#outranksLeaving(waiting)) {
      return null;
    }
    this.#proofs += 1;
    const reclaimable = eligible.filter(({ leaf }) => leaf !== waiting.leaf);
    const victims = new Search(this.#pass, waiting, reclaimable).run();
    if (victims !== null || reclaimable.length === eligible.length) return victims;
    return new Search(this.#pass, waiting, eligible).run();
  }

  #eligible(waiting: WaitingJob): readonly Candidate[] {
    this.#candidates ??= listCandidates(this.#pass);
    const hasRight = new Map<string, boolean>();
    return this.#candidates.filter((candidate) => {
      const { leaf, priority, gpus } = candidate;
      const key = `${leaf.spec.path}|${leaf === waiting.leaf ? priority : gpus > 0}`;
      let isRight = hasRight.get(key);
      if (isRight === undefined) {
        isRight = rightOver(waiting, candidate, new Map()) !== null;
        hasRight.set(key, isRight);
      }
      return isRight && this.#isFairGame(candidate);
    });
  }

  #outranksLeaving({ leaf, priority }: WaitingJob): boolean {
    const { state, policy, tree } = this.#pass;
    return [...state.active].some((id) => {
      const job = jobOf(state, id);
      const isOurs = this.#pass.isLeaving(id) && tree.queue(job.spec.queue) === leaf;
      return isOurs && priorityOf(job, policy) < priority;
    });
  }

  #isFairGame({ job, holding, isFairGameAtMs }: Candidate): boolean {
    const isThere = holding.kind === "running" ? !this.#pass.isLeaving(job.id) : this.#isKept(job);
    if (!isThere) return false;
    if (isFairGameAtMs <= this.#pass.nowMs) return true;
    this.wakeAtMs = Math.min(this.wakeAtMs ?? Number.MAX_SAFE_INTEGER, isFairGameAtMs);
    return false;
  }

  /** Room that was kept for another may be free by now. */
  #start({ job, leaf, shape }: WaitingJob): boolean {
    if (limitReached(leaf, shape.gpus) !== null) return false;
    const placement = this.#pass.fit(job);
    if (placement !== null) this.#pass.start(job, placement);
    return placement !== null;
  }

  /** Not lost already, nor made anew in this pass. */
  #isKept(job: Job): boolean {
    return this.#pass.reserved.has(job.id) && !this.#pass.isDropped(job.id);
  }

  #carryOut(waiting: WaitingJob, victims: readonly Candidate[]): void {
    const pass = this.#pass;
    const cut: Cut = new Map();
    const evictions: Eviction[] = [];
    for (const victim of victims) {
      const how = must(rightOver(waiting, victim, cut), `right over ${victim.job.id}`);
      const why = reason(waiting, victim, how, cut);
      addCut(cut, victim, 1);
      if (victim.holding.kind === "reserved") continue;
      evictions.push({ victim: victim.job.id, how, preemptor: waiting.job.id, why });
    }
    for (const { holding } of victims) {
      if (holding.kind !== "reserved") continue;
      pass.drop(holding.keeping, "outranked");
      this.isOpen = true;
    }
    if (evictions.length === 0 && this.#start(waiting)) return;
    for (const eviction of evictions) pass.evict(eviction);
    const fitted = fitGang(pass.later, waiting.shape, waiting.job.avoidNodes);
    const placement = must(fitted, `proven placement of ${waiting.job.id}`);
    const leaving = [...evictions.map(({ victim }) => victim), ...holdersOf(pass, placement)];
    if (leaving.length === 0) leaving.push(...leavingBelow(pass, waiting.leaf));
    const reservation = { jobId: waiting.job.id, placement, victims: [...new Set(leaving)] };
    pass.reservations.push(reservation);
    pass.reserve(waiting.job, reservation);
  }
}

/** One search for the victims of one job. */
class Search {
  readonly #pass: Pass;
  readonly #waiting: WaitingJob;
  /** In the order in which they are asked. */
  readonly #eligible: readonly Candidate[];
  readonly #whatIf: WhatIf;
  readonly #chosen = new Set<Candidate>();
  readonly #cut: Cut = new Map();

  constructor(pass: Pass, waiting: WaitingJob, eligible: readonly Candidate[]) {
    this.#pass = pass;
    this.#waiting = waiting;
    this.#eligible = eligible;
    this.#whatIf = new WhatIf(pass.later, waiting.shape);
  }

  /** Victims of whom none can be spared, perhaps none at all; null when no set suffices. */
  run(): readonly Candidate[] | null {
    this.#makeRoom();
    this.#makeQuota();
    if (!this.#suffices()) return null;
    const asked = [...this.#chosen];
    for (const candidate of [...asked].sort(compareCandidates).reverse()) {
      this.#spare(candidate);
      if (!this.#suffices()) this.#choose(candidate);
    }
    // In the order of asking: each right was checked with those before it gone.
    return asked.filter((candidate) => this.#chosen.has(candidate));
  }

  #suffices(): boolean {
    return this.#whatIf.count >= this.#waiting.shape.nodes && this.#overLimit() === undefined;
  }

  /** Empties nodes, the cheapest first, until enough of them can serve a task. */
  #makeRoom(): void {
    for (const { slot, victims } of this.#offers()) {
      if (this.#whatIf.count >= this.#waiting.shape.nodes) return;
      if (!this.#whatIf.fits(slot)) this.#empty(slot, victims);
    }
  }

  /** Nodes that could be made to fit, with who would have to leave, the cheapest first. */
  #offers(): readonly Offer[] {
    if (this.#whatIf.count >= this.#waiting.shape.nodes) return [];
    const bySlot = new Map<NodeSlot, Tenant[]>();
    for (const candidate of this.#eligible) {
      for (const task of candidate.tasks) {
        const slot = this.#pass.later.slot(task.placement.nodeId);
        if (slot === undefined || !slot.isOffered || this.#whatIf.fits(slot)) continue;
        const there = bySlot.get(slot);
        if (there === undefined) bySlot.set(slot, [{ candidate, task }]);
        else there.push({ candidate, task });
      }
    }
    const offers: Offer[] = [];
    for (const [slot, there] of bySlot) {
      const offer = this.#offer(slot, there);
      if (offer !== null) offers.push(offer);
    }
    return offers.sort(compareOffers);
  }

  /** Null when not even all of them suffice. What leaves here is back before it returns. */
  #offer(slot: NodeSlot, tenants: readonly Tenant[]): Offer | null {
    const left: HeldTask[] = [];
    let priority = Number.MIN_SAFE_INTEGER;
    let costGpuMs = 0;
    for (const { candidate, task } of tenants) {
      if (this.#whatIf.fits(slot)) break;
      left.push(task);
      this.#whatIf.leave([task]);
      priority = Math.max(priority, candidate.priority);
      costGpuMs += Math.round(candidate.costGpuMs / this.#usefulNodes(candidate));
    }
    const isEnough = this.#whatIf.fits(slot);
    this.#whatIf.stay(left);
    const victims = tenants.map(({ candidate }) => candidate);
    return isEnough ? { slot, victims, priority, costGpuMs } : null;
  }

  /** A gang that leaves may serve several tasks: each bears its part of the cost. */
  #usefulNodes(victim: Candidate): number {
    return Math.min(victim.tasks.length, this.#waiting.shape.nodes);
  }

  /** All or nothing: a node that can't be emptied within everyone's rights costs nobody. */
  #empty(slot: NodeSlot, victims: readonly Candidate[]): void {
    const asked: Candidate[] = [];
    for (const victim of victims) {
      if (this.#whatIf.fits(slot)) return;
      if (this.#chosen.has(victim) || !this.#mayTake(victim)) continue;
      this.#choose(victim);
      asked.push(victim);
    }
    if (!this.#whatIf.fits(slot)) for (const victim of asked) this.#spare(victim);
  }

  /** Where a limit is in the way, those who leave must come from below it. */
  #makeQuota(): void {
    for (const candidate of this.#eligible) {
      const limited = this.#overLimit();
      if (limited === undefined) return;
      if (this.#chosen.has(candidate) || !candidate.leaf.lineage.includes(limited)) continue;
      if (candidate.gpus > 0 && this.#mayTake(candidate)) this.#choose(candidate);
    }
  }

  #overLimit(): QueueNode | undefined {
    const { leaf, shape } = this.#waiting;
    return leaf.lineage.find((queue) => {
      const { limit } = queue.spec;
      return limit !== null && futureUse(queue) - (this.#cut.get(queue) ?? 0) + shape.gpus > limit;
    });
  }

  #mayTake(candidate: Candidate): boolean {
    return rightOver(this.#waiting, candidate, this.#cut) !== null;
  }

  #choose(candidate: Candidate): void {
    this.#chosen.add(candidate);
    this.#whatIf.leave(candidate.tasks);
    addCut(this.#cut, candidate, 1);
  }

  #spare(candidate: Candidate): void {
    this.#chosen.delete(candidate);
    this.#whatIf.stay(candidate.tasks);
    addCut(this.#cut, candidate, -1);
  }
}

/** An eligible job on one node. */
interface Tenant {
  readonly candidate: Candidate;
  readonly task: HeldTask;
}

interface Offer {
  readonly slot: NodeSlot;
  /** All who are eligible there, in the order in which they are asked. */
  readonly victims: readonly Candidate[];
  /** Highest class among those who would have to leave. */
  readonly priority: number;
  readonly costGpuMs: number;
}

/** Class first, cost second: cheap work of a higher class is not traded for dear work of a lower. */
function compareOffers(a: Offer, b: Offer): number {
  return a.priority - b.priority || a.costGpuMs - b.costGpuMs || a.slot.order - b.slot.order;
}

function addCut(cut: Cut, { leaf, gpus }: Candidate, sign: 1 | -1): void {
  for (const queue of leaf.lineage) cut.set(queue, (cut.get(queue) ?? 0) + sign * gpus);
}

/** Jobs that still hold GPUs of the placement. */
function holdersOf(pass: Pass, placement: readonly TaskPlacement[]): readonly JobId[] {
  const holders = new Set<JobId>();
  for (const { nodeId, gpus } of placement) {
    for (const held of pass.state.nodes.get(nodeId)?.allocations ?? []) {
      if (held.gpus.some((gpu) => gpus.includes(gpu))) holders.add(held.jobId);
    }
  }
  return [...holders];
}

/** Who leaves a queue that is at its limit, or one beside it: the job waits for them alone. */
function leavingBelow(pass: Pass, leaf: QueueNode): readonly JobId[] {
  const top = leaf.lineage.at(-1);
  return [...pass.state.active].filter((id) => {
    const { lineage } = pass.tree.queue(jobOf(pass.state, id).spec.queue);
    return pass.isLeaving(id) && lineage.at(-1) === top;
  });
}

function reason({ job, leaf, shape }: WaitingJob, victim: Candidate, how: Right, cut: Cut): string {
  const asks = `${job.id} needs ${shape.gpus} GPUs`;
  if (how === "priority") {
    const { queue, priorityClass } = victim.job.spec;
    return `${asks} and goes before it in ${queue}: ${job.spec.priorityClass} over ${priorityClass}.`;
  }
  const taker = must(sideOf(leaf, victim.leaf).at(-1), "taker's side");
  const giver = must(sideOf(victim.leaf, leaf).at(-1), "giver's side");
  const has = futureUse(giver) - (cut.get(giver) ?? 0);
  return (
    `${asks} of the ${taker.spec.guarantee} that ${taker.spec.path} is guaranteed and has ` +
    `${futureUse(taker)} of; ${giver.spec.path} had ${has} with ${giver.spec.guarantee} guaranteed.`
  );
}
