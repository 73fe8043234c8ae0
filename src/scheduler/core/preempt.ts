// Room for a waiting gang that is not free yet: what leaves by itself, or what others are asked to
// leave. Either way a whole placement is proven first, and reserved. Who may be asked is in
// rights.ts and victims.ts, the search for the set in victim-search.ts.

import { must } from "../../base/assert.ts";
import type { JobId } from "../../base/ids.ts";
import { HOUR_MS } from "../../base/time.ts";
import type { Candidate, Holding, Victim } from "./candidate.ts";
import type { Claims } from "./claims.ts";
import { fitGang } from "./gang.ts";
import type { Job, TaskPlacement } from "./job.ts";
import { strengthOf, type WaitingJob } from "./order.ts";
import type { Pass } from "./pass.ts";
import type { Eviction } from "./plan-types.ts";
import { futureUse, type QueueNode } from "./queue-tree.ts";
import { isOverLimitLater, limitReached } from "./quota.ts";
import { expectedRemainingMs, nextGuessAtMs, SAFE_PERMILLE } from "./remaining-time.ts";
import {
  addCut,
  type Cut,
  cutOf,
  hasReclaimRight,
  type Right,
  rightOver,
  sideOf,
} from "./rights.ts";
import { Roster } from "./roster.ts";
import type { Shape } from "./shape.ts";
import { gpusIn, VictimSearch } from "./victim-search.ts";
import { Candidates, fairGameAtMs } from "./victims.ts";

/** Searches for victims in one pass; what is left over is looked at in the next. */
export const PROOFS_MAX = 256;

export class Preemption {
  readonly #pass: Pass;
  readonly #claims: Claims;
  #roster: Roster | null = null;
  /**
   * By queue, shape and class, the strongest that was refused: it and whoever is weaker are refused
   * for the rest of the pass.
   */
  readonly #refused = new Map<QueueNode, Map<Shape, Map<number, number>>>();
  /** What did not fit on what leaves, and when that was. */
  readonly #failsAt = new Map<Shape, number>();
  #proofs = 0;
  /**
   * Another walk may find more: someone who is owed room was refused, perhaps only because nobody
   * was over a guarantee yet, or lost a reservation.
   */
  isOpen = false;
  /** When the first protected victim may be asked; null = none was met. */
  wakeAtMs: number | null = null;

  constructor(pass: Pass, claims: Claims) {
    this.#pass = pass;
    this.#claims = claims;
  }

  /** May another job search for victims? */
  get hasSearchesLeft(): boolean {
    return this.#proofs < PROOFS_MAX;
  }

  /**
   * Reserves room that comes free by itself: those who are being stopped leave it to the first in
   * the order whom it fits, and not to whoever is small enough for the first GPU. False changes
   * nothing.
   */
  waitForLeaving(waiting: WaitingJob): boolean {
    const { leaf, shape } = waiting;
    const pass = this.#pass;
    if (shape.gpus === 0 || !pass.hasLeaving) return false;
    if (isOverLimitLater(leaf, shape)) return false;
    if (this.#failsAt.get(shape) === pass.laterVersion) return false;
    const { job } = waiting;
    const find = (): readonly TaskPlacement[] | null =>
      fitGang(pass.later, shape, pass.tasteOf(job));
    let placement = find();
    if (placement !== null && this.#claims.bind()) placement = find();
    if (placement === null) this.#failsAt.set(shape, pass.laterVersion);
    else this.#reserve(job, placement, []);
    return placement !== null;
  }

  /**
   * Evicts whom it takes and reserves a placement for the job, or starts it where others only gave
   * up reservations; false changes nothing. Guarantees are of GPUs, so a job without any takes from
   * nobody.
   */
  makeRoomFor(waiting: WaitingJob): boolean {
    if (!this.#pass.policy.isPreemptionEnabled || waiting.shape.gpus === 0) return false;
    const refused = this.#refusedLike(waiting);
    const strongest = refused.get(waiting.priority) ?? Number.POSITIVE_INFINITY;
    if (strengthOf(waiting) >= strongest || !this.hasSearchesLeft) return false;
    let victims = this.#search(waiting);
    if (victims !== null && this.#claims.bind()) victims = this.#search(waiting);
    if (victims !== null) {
      if (!this.#waitForEnds(waiting, victims)) this.#carryOut(waiting, victims);
      return true;
    }
    refused.set(waiting.priority, strengthOf(waiting));
    if (hasReclaimRight(waiting)) this.isOpen = true;
    return false;
  }

  /**
   * Lets them end by themselves, if all are expected to within what a restart costs: to evict them
   * gains nothing. Only where nodes have room and a limit is in the way, so that what they leave
   * can be kept from those behind; and not beyond the patience of who waits. The next pass looks
   * again: who runs on for longer than others did is about to end no more.
   */
  #waitForEnds(waiting: WaitingJob, victims: readonly Victim[]): boolean {
    const pass = this.#pass;
    const { job, shape } = waiting;
    const { state, policy, nowMs } = pass;
    if (waiting.isImpatient || victims.length === 0) return false;
    let untilMs = nowMs;
    let lookAtMs = waiting.sinceMs + policy.preemptionPatienceMs;
    for (const { candidate } of victims) {
      if (candidate.holding.kind !== "running") return false;
      const leftMs = expectedRemainingMs(state, candidate.job, nowMs, SAFE_PERMILLE);
      if (leftMs === null || leftMs > policy.restartCostMs) return false;
      untilMs = Math.max(untilMs, nowMs + leftMs);
      lookAtMs = this.#endsNoMoreAtMs(candidate.job, lookAtMs) ?? lookAtMs;
    }
    const placement = fitGang(pass.later, shape, pass.tasteOf(job));
    if (placement === null) return false;
    const jobs = victims.map(({ candidate }) => candidate.job.id);
    pass.reserveUntilEnds(job, placement, { jobs, untilMs });
    const atMs = Math.min(untilMs, lookAtMs);
    this.wakeAtMs = Math.min(this.wakeAtMs ?? atMs, atMs);
    return true;
  }

  /** When, before `beforeMs`, it may turn out not to be about to end. */
  #endsNoMoreAtMs(job: Job, beforeMs: number): number | null {
    const { state, policy, nowMs } = this.#pass;
    const isLater = (atMs: number): boolean => {
      const leftMs = expectedRemainingMs(state, job, atMs, SAFE_PERMILLE);
      return leftMs === null || leftMs > policy.restartCostMs;
    };
    return nextGuessAtMs(state, job, nowMs, isLater, beforeMs);
  }

  /** For another walk over the queues. */
  forgetRefusals(): void {
    this.#refused.clear();
    this.isOpen = false;
  }

  #refusedLike({ leaf, shape }: WaitingJob): Map<number, number> {
    let byShape = this.#refused.get(leaf);
    if (byShape === undefined) this.#refused.set(leaf, (byShape = new Map()));
    let classes = byShape.get(shape);
    if (classes === undefined) byShape.set(shape, (classes = new Map()));
    return classes;
  }

  /** Taking back a guarantee goes before taking from the own queue's lower classes. */
  #search(waiting: WaitingJob): readonly Victim[] | null {
    const eligible = this.#eligible(waiting);
    if (eligible.length === 0) return null;
    this.#proofs += 1;
    const reclaimable = eligible.filter(({ leaf }) => leaf !== waiting.leaf);
    const victims = new VictimSearch(this.#pass, waiting, reclaimable).run();
    if (victims !== null || reclaimable.length === eligible.length) return victims;
    return new VictimSearch(this.#pass, waiting, eligible).run();
  }

  #eligible(waiting: WaitingJob): readonly Candidate[] {
    this.#roster ??= new Roster(new Candidates(this.#pass));
    return this.#roster.over(waiting).filter((candidate) => this.#isFairGame(waiting, candidate));
  }

  #isFairGame(waiting: WaitingJob, candidate: Candidate): boolean {
    const { job, holding } = candidate;
    const isThere = holding.kind === "running" ? !this.#pass.isLeaving(job.id) : this.#isKept(job);
    if (!isThere) return false;
    const atMs = fairGameAtMs(this.#pass, waiting, candidate);
    if (atMs <= this.#pass.nowMs) return true;
    this.wakeAtMs = Math.min(this.wakeAtMs ?? Number.MAX_SAFE_INTEGER, atMs);
    return false;
  }

  /** Room that was kept for another may be free by now. */
  #start({ job, leaf, shape }: WaitingJob): boolean {
    if (limitReached(leaf, shape) !== null) return false;
    const placement = this.#pass.fit(job, shape);
    if (placement !== null) this.#pass.start(job, placement);
    return placement !== null;
  }

  /** Not lost already, nor made anew in this pass. */
  #isKept(job: Job): boolean {
    return this.#pass.reserved.has(job.id) && !this.#pass.isDropped(job.id);
  }

  #carryOut(waiting: WaitingJob, victims: readonly Victim[]): void {
    const pass = this.#pass;
    const cut: Cut = new Map();
    const evictions: Eviction[] = [];
    for (const victim of victims) {
      const { candidate, gives } = victim;
      const right = rightOver(waiting, candidate, cut, gpusIn(gives));
      const how = must(right, `right over ${candidate.job.id}`);
      const why = reason(waiting, candidate, how, cut);
      addCut(cut, candidate, gives, 1);
      if (candidate.holding.kind === "reserved") continue;
      evictions.push(evictionOf(waiting, victim, how, why));
    }
    for (const { candidate } of victims) {
      if (candidate.holding.kind === "reserved") this.#takeOver(candidate.holding);
    }
    if (evictions.length === 0 && this.#start(waiting)) return;
    for (const eviction of evictions) pass.evict(eviction);
    const placement = fitGang(pass.later, waiting.shape, pass.tasteOf(waiting.job));
    const evicted = evictions.map(({ victim }) => victim);
    this.#reserve(waiting.job, must(placement, `proven placement of ${waiting.job.id}`), evicted);
  }

  #takeOver({ keeping }: Extract<Holding, { readonly kind: "reserved" }>): void {
    this.#pass.drop(keeping, "outranked");
    this.isOpen = true;
  }

  #reserve(job: Job, placement: readonly TaskPlacement[], evicted: readonly JobId[]): void {
    const pass = this.#pass;
    const leaving = [...evicted, ...holdersOf(pass, placement)];
    if (leaving.length === 0) leaving.push(...leavingBelow(pass, pass.tree.queue(job.spec.queue)));
    const reservation = { jobId: job.id, placement, victims: [...new Set(leaving)] };
    pass.reservations.push(reservation);
    pass.reserve(job, reservation);
  }
}

/** Who keeps enough to go on with does so; who does not waits again. */
function evictionOf(
  { job }: WaitingJob,
  { candidate, gives }: Victim,
  right: Right,
  why: string,
): Eviction {
  const kept = candidate.tasks.filter((task) => !gives.includes(task));
  const next = kept.map(({ placement }) => placement);
  const victim = { victim: candidate.job.id, preemptor: job.id, next };
  if (kept.length === 0) return { ...victim, how: right, why };
  const size = `${kept.length} of its ${candidate.tasks.length} nodes`;
  return { ...victim, how: "shrink", why: `It goes on with ${size}. ${why}` };
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
  const leaving = [...pass.state.active.values()].filter(({ id, spec }) => {
    return pass.isLeaving(id) && pass.tree.queue(spec.queue).lineage.at(-1) === top;
  });
  return leaving.map(({ id }) => id);
}

function reason({ job, leaf, shape }: WaitingJob, victim: Candidate, how: Right, cut: Cut): string {
  const asks = `${job.id} needs ${shape.gpus} GPU${shape.gpus === 1 ? "" : "s"}`;
  if (how === "priority") {
    const { queue, priorityClass } = victim.job.spec;
    const classes = `${job.spec.priorityClass} over ${priorityClass}`;
    return `${asks} and goes before it in ${queue}: ${classes}.`;
  }
  if (how === "shortest") {
    return `${asks} and goes before it in ${leaf.spec.path}: it has less than half as much to come.`;
  }
  if (how === "las") {
    const before = `${asks} and goes before it in ${leaf.spec.path}`;
    const had = `${gpuHours(job.attainedGpuMs)} GPU h against ${gpuHours(victim.attainedGpuMs)}`;
    return job.attainedGpuMs < victim.attainedGpuMs
      ? `${before}, which serves first who had less: ${had}.`
      : `${before}: it has waited so long that it counts as new.`;
  }
  const taker = must(sideOf(leaf, victim.leaf).at(-1), "taker's side");
  const giver = must(sideOf(victim.leaf, leaf).at(-1), "giver's side");
  const has = futureUse(giver) - cutOf(cut, giver, "gpus");
  if (how === "share") {
    const over = taker.tree.hasAccounts ? " now, going by its account" : "";
    return (
      `${asks} of the ${taker.dueGpus} that are the fair share of ${taker.spec.path}${over}, which has ` +
      `${futureUse(taker)}; ${giver.spec.path} had ${has}, and ${giver.dueGpus} are its share.`
    );
  }
  return (
    `${asks} of the ${taker.spec.guarantee} that ${taker.spec.path} is guaranteed and has ` +
    `${futureUse(taker)} of; ${giver.spec.path} had ${has} with ${giver.spec.guarantee} guaranteed.`
  );
}

const gpuHours = (gpuMs: number): string => (gpuMs / HOUR_MS).toFixed(1);
