// One planning pass over the whole cluster: who starts where, who is asked to leave for whom, and
// why everyone else waits. Pure: the same state, instant and policy give the same plan.
//
// Kueue looks at the head of each queue per cycle and evicts before it knows where the freed room
// is, Slurm fits by priority with a backfill pass beside it and says "Resources" to whoever waits.
// Here one pass walks every queue with one shared "does not fit" for each shape, nobody is asked to
// leave before a whole placement is proven and held for who comes, and the reason of each wait is
// data.
//
// The walk. Queues are served by fair share (queue-tree.ts), jobs of a queue by class, user and age
// (order.ts). Jobs that stay inside a guarantee come first, over all queues, then those that
// borrow: else a small debt would let a large job in, only to be taken back from. A job that does
// not fit blocks nobody: those behind it may go ahead, unless it has waited so long that it claims
// nodes (claims.ts) or has a right to room that others hold (preempt.ts).
//
// During a round room only shrinks, so what did not fit once does not fit again. But claims bind
// those behind them, and shares change who is behind; a queue that just went over its guarantee may
// owe room to one that was refused before; and a job may have lost its reservation to a better
// right. Then there is another round over what is left, so that planning again right after places
// nothing.

import { must } from "../../base/assert.ts";
import type { JobId } from "../../base/ids.ts";
import { Claims } from "./claims.ts";
import { isDueAlike, queuesLeft } from "./findings.ts";
import { evictFromDraining } from "./drain.ts";
import { elasticStarts, widen } from "./elastic.ts";
import { fitGang, NO_TASTE } from "./gang.ts";
import { growRunning } from "./grow.ts";
import type { Holds } from "./hold.ts";
import { HoldBook, PlanHolds } from "./holds.ts";
import { jobOf } from "./lookup.ts";
import {
  groupsOf,
  levelOfStrength,
  type Head,
  type LeftOut,
  LeafOrder,
  strengthOf,
  type WaitingJob,
} from "./order.ts";
import { Pass } from "./pass.ts";
import type { PendingJobs } from "./pending.ts";
import type { PendingKind } from "./pending-groups.ts";
import type { Findings, Plan } from "./plan-types.ts";
import { Preemption } from "./preempt.ts";
import { hasGuaranteeLeft, type QueueNode } from "./queue-tree.ts";
import { limitReached } from "./quota.ts";
import { hasReclaimRight } from "./rights.ts";
import { startReservations, takeUpReservations } from "./reservations.ts";
import { noteIntervalMs } from "./share-account.ts";
import type { Shape } from "./shape.ts";
import type { ClusterState, Policy } from "./state.ts";
import { nextAgedAtMs, nextTurnAtMs, type Refused, waitingSince } from "./turns.ts";
import { type Kind, WalkKinds } from "./walk-kinds.ts";

/** Rounds in one pass; each but the last placed something. */
const ROUNDS_MAX = 8;

/** Jobs of a group that are looked at, whether they may run on what others claim for later. */
const AHEAD_LOOKED_MAX = 4;

/** Jobs past their patience that are looked up: so many that wait fill the claims soon. */
const DUE_LOOKED_MAX = 64;

/**
 * Whom a pass looks at that is to tell about some jobs for less; left out = all who wait. For what
 * queues are due all of them count.
 */
export interface Focus {
  /** Whoever comes after this job is not looked at. */
  readonly until?: JobId;
  /** Nobody else is. */
  readonly among?: PendingJobs;
  /**
   * Of a pass before: whom that refused is refused, so that of the queues only those are looked at
   * in which somebody has come to wait since or keeps nodes.
   */
  readonly known?: Findings | null;
}

/** Decides over every pending job. Costs are bounded by counts, never by time. */
export function plan(state: ClusterState, nowMs: number, policy: Policy, focus: Focus = {}): Plan {
  const pass = new Pass(state, nowMs, policy, focus.among);
  const planner = new Planner(pass, focus);
  planner.begin();
  planner.walkAll();
  if (planner.isUnsure) return plan(state, nowMs, policy, { ...focus, known: null });
  // Who is not looked at may want what is left over.
  const isWhole = focus.until === undefined && focus.among === undefined;
  const isLeftOver = isWhole && !planner.isAnyoneWaiting();
  if (isLeftOver || (isWhole && policy.isBackfillEnabled)) planner.widenStarts();
  startReservations(pass);
  if (isLeftOver) planner.wakeAt(growRunning(pass));
  return {
    starts: pass.starts,
    evictions: pass.evictions,
    reservations: pass.reservations.filter(({ jobId }) => pass.reserved.has(jobId)),
    drops: pass.drops,
    holds: planner.finish(),
    wakeAtMs: planner.wakeAtMs,
    findings: planner.findings(),
  };
}

type IsMeant = (kind: Kind) => boolean;

/** One pass over everyone who waits. */
class Planner {
  wakeAtMs: number | null = null;
  readonly #pass: Pass;
  readonly #book: HoldBook;
  readonly #claims: Claims;
  readonly #preemption: Preemption;
  readonly #leaves: readonly QueueNode[];
  readonly #kinds: WalkKinds;
  readonly #doesNotFit = new Set<Shape>();
  /** Nobody else needs to be looked at in this round; null = everyone does. */
  #hopeful: ReadonlySet<PendingKind> | null = null;
  #hasClaimants = false;
  /** Kinds of which somebody may claim; null = of any. */
  readonly #dueKinds: ReadonlySet<PendingKind> | null;
  readonly #until: JobId | null;
  readonly #known: Findings | null;
  /** Was what is known of the pass before too little? */
  isUnsure = false;
  #isOver = false;
  #hasRoundsLeft = true;

  constructor(pass: Pass, { until, known }: Focus) {
    this.#pass = pass;
    this.#until = until ?? null;
    this.#known = known && isDueAlike(pass, known) ? known : null;
    this.#book = new HoldBook(pass);
    this.#claims = new Claims(pass);
    this.#preemption = new Preemption(pass, this.#claims);
    this.#kinds = new WalkKinds(pass, (shape) => this.#book.structural(shape) === null);
    const queues = this.#known === null ? null : queuesLeft(pass, this.#known);
    this.#leaves = pass.leaves().filter(({ spec }) => queues?.has(spec.path) !== false);
    this.#dueKinds = findDueKinds(pass);
  }

  /** Before the first walk. */
  begin(): void {
    evictFromDraining(this.#pass);
    takeUpReservations(this.#pass);
  }

  walkAll(): void {
    const { drops, evictions, policy } = this.#pass;
    const isInOrder = !policy.isBackfillEnabled;
    let isForAll = true;
    for (let round = 1; round <= ROUNDS_MAX; round += 1) {
      const [dropsBefore, evictionsBefore] = [drops.length, evictions.length];
      if (!this.#walkRound(isForAll) || this.#isOver) return;
      // Without a claim or a lost reservation, only who was owed room may find more than before; or,
      // where the first in line alone is looked at, who is first once a victim's user holds less.
      const { isOpen } = this.#preemption;
      const hasDropped = drops.length > dropsBefore;
      const isReordered = isInOrder && evictions.length > evictionsBefore;
      isForAll = !this.#claims.isEmpty || hasDropped || isReordered;
      if (!isForAll && !isOpen) return;
      this.#preemption.forgetRefusals();
      this.#kinds.beginRound();
      if (!isForAll || round === ROUNDS_MAX) continue;
      const holders = this.#claims.holderKinds();
      this.#claims.release();
      this.#doesNotFit.clear();
      this.#hopeful = hasDropped || isOpen || isInOrder ? null : this.#findHopeful(holders);
    }
    this.#hasRoundsLeft = false;
  }

  /** When there is no more room than before but what was claimed: who fits on that, or claims it. */
  #findHopeful(holders: ReadonlySet<PendingKind>): ReadonlySet<PendingKind> {
    const { open, later, hasLeaving } = this.#pass;
    const fits = new Map<Shape, boolean>();
    const isFitting = (shape: Shape): boolean => {
      if (fitGang(open, shape, NO_TASTE, later) !== null) return true;
      return hasLeaving && fitGang(later, shape, NO_TASTE) !== null;
    };
    const hopeful = new Set(holders);
    for (const { kind, shape } of this.#kinds.all) {
      let is = fits.get(shape);
      if (is === undefined) fits.set(shape, (is = isFitting(shape)));
      if (is) hopeful.add(kind);
    }
    return hopeful;
  }

  /** Gives those who start in this pass what is left over and kept for nobody. */
  widenStarts(): void {
    const starts = elasticStarts(this.#pass);
    if (starts.length === 0) return;
    this.#claims.bind();
    for (const start of starts) widen(this.#pass, start);
  }

  /** Was anybody refused who could start if there were room, or is about to come? */
  isAnyoneWaiting(): boolean {
    const { nowMs, policy, pending, awaited } = this.#pass;
    if (awaited.size > 0) return true;
    for (const { refusedInRound, leaf, shape } of this.#kinds.all) {
      if (refusedInRound >= 0 && limitReached(leaf, shape) === null) return true;
    }
    const soonMs = nowMs + policy.growAfterMs;
    const next = pending.delayed.at(this.#pass.lateCount);
    return next !== undefined && next.eligibleFromMs <= soonMs && this.#pass.isWaiting(next.id);
  }

  findings(): Findings | null {
    const isWhole = this.#until === null && this.#pass.pending === this.#pass.state.pending;
    if (!isWhole || !this.#hasRoundsLeft || !this.#preemption.hasSearchesLeft) return null;
    const { state, tree, awaited } = this.#pass;
    const dues = new Map([...tree.all()].map(({ spec, dueGpus }) => [spec.path, dueGpus]));
    const { claimants, hasLooksLeft } = this.#claims;
    const awaiting = new Set(awaited.keys());
    return { seq: state.seq, dues, claimants, awaiting, hasLookedAhead: hasLooksLeft };
  }

  /** After everything was decided. */
  finish(): Holds {
    const { pending } = this.#pass;
    if (this.#known !== null) this.#showClaims();
    this.wakeAt(this.#preemption.wakeAtMs);
    if (this.#hasClaimants) this.wakeAt(this.#nextClaimAtMs());
    this.#wakeAtTurns();
    this.wakeAt(pending.delayed.at(this.#pass.lateCount)?.eligibleFromMs ?? null);
    if (!this.#pass.policy.isBackfillEnabled) this.#wakeAtLatestStarts();
    this.wakeAt(this.#pass.timeLimitAtMs);
    const { policy, nowMs } = this.#pass;
    if (policy.shareWindowMs > 0 && this.#leaves.length > 0) {
      this.wakeAt(nowMs + noteIntervalMs(policy));
    }
    return new PlanHolds(this.#pass, this.#book);
  }

  /**
   * First those that stay inside a guarantee; if that was everyone, and none was placed, another
   * look would find the same. True when any was placed.
   */
  #walkRound(isForAll: boolean): boolean {
    const owed = this.#leaves.filter((leaf) => leaf.lineage.some(hasGuaranteeLeft));
    const passedOver = new Map<QueueNode, number>();
    const hasPlaced = this.#walk(owed, this.#owedOnly(passedOver), undefined);
    const wasEveryone = owed.length === this.#leaves.length && passedOver.size === 0;
    if (!isForAll || this.#isOver || (wasEveryone && !hasPlaced)) return hasPlaced;
    return this.#walk(this.#leaves, () => true, this.#hopeless) || hasPlaced;
  }

  /**
   * Whom it would change nothing to look at. Most of a long queue is of kinds that were refused to
   * others.
   */
  readonly #hopeless: LeftOut = {
    isKind: (kind) =>
      this.#isLost(kind) ||
      (this.#isSettled(kind) && this.#kinds.isAllRefused(this.#kinds.of(kind))),
    isGroup: (group, at) =>
      this.#isLost(group.kind) ||
      (this.#isSettled(group.kind) && this.#kinds.isRefused(this.#kinds.of(group.kind), group, at)),
  };

  #isLost(kind: PendingKind): boolean {
    return this.#hopeful?.has(kind) === false;
  }

  /** Would nothing come of another refusal to one of the kind? */
  #isSettled(pending: PendingKind): boolean {
    if (!this.#pass.policy.isBackfillEnabled || this.#isUpTo(pending)) return false;
    const kind = this.#kinds.of(pending);
    if (kind.isPossible && this.#mayClaim(kind)) return false;
    return !(kind.mayGoAhead && this.#claims.isOpenAhead);
  }

  /** May it be the job that the walk goes up to? */
  #isUpTo(kind: PendingKind): boolean {
    if (this.#until === null) return false;
    const its = this.#pass.pending.get(this.#until)?.kind ?? null;
    return its === null || its === kind;
  }

  #mayClaim({ kind, shape }: Kind): boolean {
    return this.#dueKinds?.has(kind) !== false && this.#claims.isOpenFor(shape);
  }

  #walk(leaves: readonly QueueNode[], isMeant: IsMeant, leftOut: LeftOut | undefined): boolean {
    const { tree, policy } = this.#pass;
    const orders = new Map<QueueNode, LeafOrder>();
    for (const leaf of leaves) {
      const order = new LeafOrder(this.#pass.jobsOf(leaf), policy, leftOut);
      orders.set(leaf, order);
      tree.setHead(leaf, this.#headOf(order, isMeant));
    }
    let hasPlaced = false;
    for (let leaf = tree.next(); leaf !== null && !this.#isOver; leaf = tree.next()) {
      const order = must(orders.get(leaf), leaf.spec.path);
      if (this.#serve(order, isMeant)) hasPlaced = true;
      tree.setHead(leaf, this.#headOf(order, isMeant));
    }
    return hasPlaced;
  }

  /** Shape of the next job that is meant; leaves out the groups of others. */
  #headOf(order: LeafOrder, isMeant: IsMeant): Shape | null {
    for (let head = order.peek(); head !== null; head = order.peek()) {
      const kind = this.#kinds.of(head.group.kind);
      if (isMeant(kind) && this.#hasTurn(kind, head)) return kind.shape;
      order.next();
      order.leaveOut();
    }
    return null;
  }

  /** Goes through a leaf's jobs up to the first that is placed: then shares have changed. */
  #serve(order: LeafOrder, isMeant: IsMeant): boolean {
    for (let head = order.next(); head !== null && !this.#isOver; head = order.next()) {
      const kind = this.#kinds.of(head.group.kind);
      if (isMeant(kind) && this.#hasTurn(kind, head)) {
        this.#isOver = head.entry.id === this.#until;
        const isTried = head.isRefused || !this.#isNew(head);
        const mayPlace = !isTried && !this.#kinds.isRefused(kind, head.group, head.at);
        if ((mayPlace && this.#place(kind, head)) || this.#startAhead(kind, head)) {
          order.charge(kind.shape.gpus);
          return true;
        }
        head.isRefused = true;
        if (kind.isPossible && !this.#pass.policy.isBackfillEnabled) return leaveAllOut(order);
        if (this.#claim(kind, head) || this.#mayNextGoAhead(kind, head)) continue;
      }
      order.leaveOut();
    }
    return false;
  }

  /** May its owner have one more such job? If not, nobody but the owner's own group is passed over. */
  #hasTurn({ shape }: Kind, { entry }: Head): boolean {
    const { owners, state } = this.#pass;
    if (!owners.hasLimits) return true;
    return owners.reached(jobOf(state, entry.id).owner, shape.gpus) === null;
  }

  /**
   * Jobs that stay inside a guarantee. Where one that does not is passed over, no lower class of
   * its queue gets ahead of it: it would only be evicted for it. `passedOver` is filled with the
   * highest class of each queue that was.
   */
  #owedOnly(passedOver: Map<QueueNode, number>): IsMeant {
    const { isBackfillEnabled } = this.#pass.policy;
    return (kind) => {
      const { leaf, priority, isPossible } = kind;
      if (!isPossible) return false;
      const bar = passedOver.get(leaf) ?? Number.NEGATIVE_INFINITY;
      const mayPass = isBackfillEnabled ? priority >= bar : priority > bar;
      if (mayPass && hasReclaimRight(kind)) return true;
      passedOver.set(leaf, Math.max(bar, priority));
      return false;
    };
  }

  /** Starts it or reserves for it. */
  #place(kind: Kind, head: Head): boolean {
    const { shape, leaf } = kind;
    const waiting = this.#kinds.waitingOf(kind, head);
    if (limitReached(leaf, shape) === null && this.#start(waiting)) return true;
    if (this.#preemption.waitForLeaving(waiting)) return true;
    if (this.#preemption.makeRoomFor(waiting)) return true;
    this.#kinds.refuse(kind, strengthOf(waiting), !this.#claims.isEmpty);
    return false;
  }

  #start(waiting: WaitingJob): boolean {
    const { shape } = waiting;
    if (this.#doesNotFit.has(shape)) return false;
    const { job } = waiting;
    let placement = this.#pass.fit(job, shape);
    if (placement !== null && this.#claims.bind()) placement = this.#pass.fit(job, shape);
    if (placement === null) {
      this.#doesNotFit.add(shape);
    } else this.#pass.start(job, placement);
    return placement !== null;
  }

  /** Starts one that was refused on what others claim for later, if it ends in time. */
  #startAhead(kind: Kind, head: Head): boolean {
    const { leaf, shape, mayGoAhead } = kind;
    if (!mayGoAhead || !this.#claims.isOpenAhead || !this.#isNew(head)) return false;
    if (limitReached(leaf, shape) !== null || !this.#claims.isOpenAheadFor(shape)) return false;
    const isStarted = this.#claims.startAhead(this.#kinds.waitingOf(kind, head));
    // Others may have used up the looks before it.
    if (isStarted && this.#known?.hasLookedAhead === false) this.isUnsure = true;
    return isStarted;
  }

  /** Who was refused with others like it, or after them, is told who keeps its room. */
  #showClaims(): void {
    const { state, isWaiting } = this.#pass;
    const job = this.#until === null ? null : jobOf(state, this.#until);
    if (job === null || !isWaiting(job.id)) return;
    if (this.#pass.fit(job, state.pending.shapeOf(job.spec)) !== null) this.#claims.bind();
  }

  /** Or one whom the pass before refused, and this one would again? */
  #isNew({ entry }: Head): boolean {
    if (this.#known === null || entry.seq > this.#known.seq) return true;
    return this.#known.awaiting.has(entry.id);
  }

  /** Jobs of a group may be expected to end at different times: its first few are looked at. */
  #mayNextGoAhead({ mayGoAhead }: Kind, { at }: Head): boolean {
    return mayGoAhead && this.#claims.isOpenAhead && at < AHEAD_LOOKED_MAX;
  }

  /** Lets a refused job claim. True when the next of its group may claim too. */
  #claim(kind: Kind, head: Head): boolean {
    const { leaf, shape, isPossible } = kind;
    if (!isPossible || shape.gpus === 0) return false;
    const isOpen = this.#claims.isOpenFor(shape);
    if (!isOpen && this.#hasClaimants) return false; // Nothing more would come of it.
    if (limitReached(leaf, shape) !== null) return false;
    this.#hasClaimants = true;
    if (!isOpen) return false;
    if (this.#claims.isDue(head.entry)) {
      this.#claims.note(this.#kinds.waitingOf(kind, head), kind.kind);
    }
    if (!this.#claims.isOpenFor(shape)) return false;
    const next = head.group.jobs.at(head.at + 1);
    return next !== undefined && this.#claims.isDue({ sinceMs: next.submittedAtMs });
  }

  /** Where nobody gets ahead, one whose deadline can't be met any more lets others go first. */
  #wakeAtLatestStarts(): void {
    const { nowMs } = this.#pass;
    for (const { spec } of this.#leaves) {
      if (spec.order !== "edf") continue;
      for (const { deadline } of groupsOf(this.#pass.pending.queue(spec.path))) {
        if (deadline !== null && deadline.latestStartMs >= nowMs) {
          this.wakeAt(deadline.latestStartMs + 1);
        }
      }
    }
  }

  /**
   * Once for each queue, class and level of which somebody was refused; of order `shortest`, for the
   * lowest level: whoever gives way to others does to that one.
   */
  #wakeAtTurns(): void {
    const refused = new Map<string, Refused>();
    for (const { leaf, priority, refusedInRound, refusedStrength } of this.#kinds.all) {
      if (refusedInRound < 0) continue;
      const level = levelOfStrength(refusedStrength);
      const { path, order } = leaf.spec;
      const key = order === "las" ? `${path} ${priority} ${level}` : `${path} ${priority}`;
      if (level < (refused.get(key)?.level ?? Number.POSITIVE_INFINITY)) {
        refused.set(key, { leaf, priority, level });
      }
    }
    for (const one of refused.values()) this.wakeAt(nextTurnAtMs(this.#pass, one));
    this.wakeAt(nextAgedAtMs(this.#pass));
  }

  /** When the next of those who wait may claim, be it of a group that can't. */
  #nextClaimAtMs(): number | null {
    const { pending, policy, nowMs, isWaiting } = this.#pass;
    const fromMs = nowMs - policy.gangPatienceMs + 1;
    for (const { id, sinceMs } of waitingSince(pending, fromMs)) {
      if (isWaiting(id)) return sinceMs + policy.gangPatienceMs;
    }
    return null;
  }

  wakeAt(atMs: number | null): void {
    if (atMs !== null) this.wakeAtMs = Math.min(this.wakeAtMs ?? atMs, atMs);
  }
}

/** Those of whom somebody has waited past his patience, unless these are many. */
function findDueKinds({ pending, policy, nowMs }: Pass): ReadonlySet<PendingKind> | null {
  const due = new Set<PendingKind>();
  let looked = 0;
  for (const { id, sinceMs } of pending.bySince) {
    if (sinceMs + policy.gangPatienceMs > nowMs) return due;
    looked += 1;
    const kind = pending.get(id)?.kind ?? null;
    if (kind === null || looked > DUE_LOOKED_MAX) return null;
    due.add(kind);
  }
  return due;
}

/** Nobody of the queue gets ahead of the one that was refused. */
function leaveAllOut(order: LeafOrder): false {
  while (order.next() !== null) order.leaveOut();
  return false;
}
