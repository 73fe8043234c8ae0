// Claims: a gang that has waited past its patience keeps GPUs on the nodes where it will fit
// soonest, so that smaller jobs behind it in the order can't take each GPU as it comes free. A
// claim lives for one pass and is made again in the next: by what is known of the jobs that run, its
// nodes come free no later than they were to before. It binds who comes after the holder in the
// order, not who comes before, and never evicts. At most `Policy.claimsMax` gangs claim at once, and
// only GPUs that they themselves can use.
//
// Mostly nobody behind a claim would fit anyway. So who may claim is only noted at first: the claims
// are made when somebody behind has found room, who then looks again (`bind`). Nothing is placed in
// between, so they are those that would have been made at once.
//
// Backfill (EASY, Lifka 1995, for several reservations). A claim has a start: when the last of its
// nodes is expected to have room. A job behind may run on what is claimed and free now, if it is
// expected to end before that; where nobody knows the start, if anybody knows its end. So who keeps
// coming can't put the start off, but run times that were guessed can: who has waited for
// `Policy.gangLatestStartMs` gives nothing away any more.

import type { Bank } from "./fit.ts";
import type { JobId, NodeId } from "../../base/ids.ts";
import { NO_RESOURCES, type Resources } from "../../base/resources.ts";
import { NEVER_MS } from "../../base/time.ts";
import { Ends } from "./ends.ts";
import { fitGang, NO_TASTE } from "./gang.ts";
import type { TaskPlacement } from "./job.ts";
import type { WaitingJob } from "./order.ts";
import type { Kept, Pass } from "./pass.ts";
import type { PendingKind } from "./pending-groups.ts";
import { lastOf, type Seat, Seats } from "./seats.ts";
import { needsIsland, type Shape } from "./shape.ts";
import { isEverOffered } from "./structural.ts";

/** What one gang claims of one node. */
interface Claim {
  readonly kept: Kept;
  /** When the gang is expected to start; `NEVER_MS` = nobody knows. */
  readonly startMs: number;
  readonly isStrict: boolean;
  readonly nodeId: TaskPlacement["nodeId"];
  readonly resources: Resources;
  fromOpen: readonly number[];
  fromLater: readonly number[];
}

/** Jobs behind claims whose end is looked up in one walk, and of these the looks for room. */
const AHEAD_ASKED_MAX = 1_024;
const AHEAD_TRIES_MAX = 256;

/** Before any start. */
const NOBODY_LENDS_MS = -1;

export class Claims {
  readonly #pass: Pass;
  readonly #claims: Claim[] = [];
  readonly #holders = new Map<JobId, PendingKind>();
  /** Of the holders, those whose claims are still to be made, in their order. */
  #noted: WaitingJob[] = [];
  readonly #ends: Ends;
  readonly #seats: Seats;
  /** See `#refusedAheadFrom`. */
  readonly #refusedAhead = new Map<Shape, number>();
  #askedAhead = 0;
  #triesAhead = 0;
  /** See `#lendingUntil`; null = it is to be worked out again. */
  #lendingUntilMs: number | null = null;
  /** GPUs that claims on a node still wait for. */
  readonly #owed = new Map<NodeId, number>();

  constructor(pass: Pass) {
    this.#pass = pass;
    this.#ends = new Ends(pass);
    this.#seats = new Seats(pass, this.#ends, (nodeId) => this.#owed.get(nodeId) ?? 0);
  }

  /** Does anybody keep anything? */
  get isEmpty(): boolean {
    return this.#claims.length === 0;
  }

  /** Those who claim, whether their claims were made or not. */
  get claimants(): readonly JobId[] {
    return [...this.#holders.keys()];
  }

  /** May another job look for room on what is claimed? */
  get hasLooksLeft(): boolean {
    return this.#askedAhead < AHEAD_ASKED_MAX && this.#triesAhead < AHEAD_TRIES_MAX;
  }

  /** Of those who claim, made or not. */
  holderKinds(): ReadonlySet<PendingKind> {
    return new Set(this.#holders.values());
  }

  /** May another job of the shape claim? */
  isOpenFor(shape: Shape): boolean {
    const isLeft = this.#holders.size < this.#pass.policy.claimsMax;
    return isLeft && shape.gpus > 0 && isEverOffered(this.#pass.later, shape);
  }

  /** Has it waited past its patience? */
  isDue({ sinceMs }: Pick<WaitingJob, "sinceMs">): boolean {
    return sinceMs + this.#pass.policy.gangPatienceMs <= this.#pass.nowMs;
  }

  /** Lets a job claim that does not fit now. */
  note(waiting: WaitingJob, kind: PendingKind): void {
    const { id } = waiting;
    if (!this.isOpenFor(waiting.shape) || !this.isDue(waiting) || this.#holders.has(id)) return;
    this.#holders.set(id, kind);
    this.#noted.push(waiting);
  }

  /**
   * Makes the claims of those who were noted. Call when a job behind them has found room, before it
   * takes it: true = some of it may be kept by now.
   */
  bind(): boolean {
    if (this.#noted.length === 0) return false;
    for (const waiting of this.#noted) this.#claim(waiting);
    this.#noted = [];
    return true;
  }

  /** Does nothing when too few nodes could ever serve the job beside what others keep. */
  #claim(waiting: WaitingJob): void {
    const seats = this.#seats.soonest(waiting.shape);
    if (seats === null) return;
    const { id } = waiting;
    const { policy, nowMs } = this.#pass;
    const isStrict = nowMs - waiting.sinceMs >= policy.gangLatestStartMs;
    const startMs = lastOf(seats);
    const kept = {
      holder: id,
      gpus: waiting.shape.perNode.gpus,
      untilMs: startMs === NEVER_MS ? null : startMs,
    };
    for (const seat of seats) this.#take({ kept, startMs, isStrict }, seat, waiting.shape);
  }

  /** May it look for room on what is claimed, or the next of its group? */
  get isOpenAhead(): boolean {
    return this.hasLooksLeft && this.#lendingUntil() > NOBODY_LENDS_MS;
  }

  /**
   * Might one of the shape that does not fit elsewhere fit on what is claimed for later? What an
   * elastic job takes beyond its least is not bound by claims, so it does not go ahead on any.
   */
  isOpenAheadFor(shape: Shape): boolean {
    if (shape.gpus === 0 || shape.nodes < shape.nodesMax || !this.isOpenAhead) return false;
    return this.#refusedAheadFrom(shape) > this.#pass.nowMs;
  }

  /**
   * Starts a job for whose shape it is open ahead on GPUs that are claimed for later, if it is
   * expected to have left by then. False changes nothing.
   */
  startAhead(waiting: WaitingJob): boolean {
    const { id, shape } = waiting;
    const refusedMs = this.#refusedAheadFrom(shape);
    this.#askedAhead += 1;
    const endMs = this.#ends.of(id);
    if (endMs >= refusedMs || endMs > this.#lendingUntil()) return false;
    const lent = this.#claims.filter((claim) => isLending(claim) && endMs <= claim.startMs);
    this.#triesAhead += 1;
    for (const claim of lent) this.#give(claim);
    const { job } = waiting;
    const placement = this.#pass.fit(job, shape);
    if (placement === null) this.#refusedAhead.set(shape, endMs);
    else this.#pass.start(job, placement);
    for (const claim of lent) this.#takeAgain(claim);
    return placement !== null;
  }

  /** When the last of those who lend anything is to start. */
  #lendingUntil(): number {
    this.#lendingUntilMs ??= this.#claims
      .filter(isLending)
      .reduce((last, { startMs }) => Math.max(last, startMs), NOBODY_LENDS_MS);
    return this.#lendingUntilMs;
  }

  /** Whoever ends then or later finds no room: at first everyone, if all that is lent is too little. */
  #refusedAheadFrom(shape: Shape): number {
    let fromMs = this.#refusedAhead.get(shape);
    if (fromMs === undefined) {
      const lent = this.#claims.filter(isLending);
      for (const claim of lent) this.#give(claim);
      const { open, later, nowMs } = this.#pass;
      fromMs = fitGang(open, shape, NO_TASTE, later) === null ? nowMs : NEVER_MS;
      for (const claim of lent) this.#takeAgain(claim);
      this.#refusedAhead.set(shape, fromMs);
    }
    return fromMs;
  }

  /** Gives everything back, for another walk over the queues. */
  release(): void {
    this.#holders.clear();
    this.#noted = [];
    if (this.isEmpty) return;
    for (const claim of this.#claims) {
      this.#give(claim);
      this.#pass.unkeep(claim.nodeId, claim.kept);
    }
    this.#pass.laterVersion += 1;
    this.#claims.length = 0;
    this.#lendingUntilMs = null;
    this.#owed.clear();
    this.#refusedAhead.clear();
    this.#askedAhead = 0;
  }

  #give({ nodeId, resources, fromOpen, fromLater }: Claim): void {
    this.#pass.open.give({ nodeId, gpus: fromOpen }, NO_RESOURCES);
    this.#pass.later.give({ nodeId, gpus: fromLater }, resources);
  }

  /** What is still there of it: the rest comes free again in time. */
  #takeAgain(claim: Claim): void {
    const { nodeId, resources, fromOpen, fromLater } = claim;
    this.#lendingUntilMs = null;
    claim.fromOpen = this.#pass.open.take({ nodeId, gpus: fromOpen }, NO_RESOURCES);
    claim.fromLater = this.#pass.later.take({ nodeId, gpus: fromLater }, resources);
    this.#owe(nodeId, fromLater.length - claim.fromLater.length);
  }

  #owe(nodeId: NodeId, gpus: number): void {
    this.#owed.set(nodeId, (this.#owed.get(nodeId) ?? 0) + gpus);
  }

  #take(terms: Pick<Claim, "kept" | "startMs" | "isStrict">, seat: Seat, shape: Shape): void {
    const { open, later } = this.#pass;
    const { slot, bank } = seat;
    const nodeId = slot.id;
    const { gpus } = shape.perNode;
    const candidates = needsIsland(shape) ? inBestIsland(bank) : bank.free;
    const openNow = open.bankAt(slot.order, bank.type).free;
    const free = candidates.filter((gpu) => openNow.includes(gpu)).slice(0, gpus);
    const coming = candidates.filter((gpu) => !free.includes(gpu)).slice(0, gpus - free.length);
    const fromOpen = open.take({ nodeId, gpus: free }, NO_RESOURCES);
    const fromLater = later.take({ nodeId, gpus: [...free, ...coming] }, shape.perNode);
    this.#pass.keep(nodeId, terms.kept);
    this.#lendingUntilMs = null;
    this.#claims.push({ ...terms, nodeId, resources: shape.perNode, fromOpen, fromLater });
    this.#owe(nodeId, gpus - fromLater.length);
  }
}

/** Does it give away what it claims? */
const isLending = ({ isStrict, fromOpen }: Claim): boolean => !isStrict && fromOpen.length > 0;

/** The free GPUs of the island that has most of them. */
function inBestIsland({ free, islands }: Bank): readonly number[] {
  let best: readonly number[] = [];
  for (const name of new Set(islands.values())) {
    const gpus = free.filter((gpu) => islands.get(gpu) === name);
    if (gpus.length > best.length) best = gpus;
  }
  return best;
}
