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
import type { Shape } from "./shape.ts";
import type { Hold } from "./hold.ts";
import { HoldBook } from "./holds.ts";
import { activeAttempt, type Job } from "./job.ts";
import { jobOf } from "./lookup.ts";
import { LeafOrder, priorityOf, type WaitingJob } from "./order.ts";
import { Pass } from "./pass.ts";
import type { Plan } from "./plan-types.ts";
import { Preemption } from "./preempt.ts";
import { futureUse, limitExceeded, limitReached, type QueueNode } from "./queue-tree.ts";
import { startReservations, takeUpReservations } from "./reservations.ts";
import type { ClusterState, Policy } from "./state.ts";
import { hasReclaimRight } from "./victims.ts";

/** Rounds in one pass; each but the last placed something. */
const ROUNDS_MAX = 8;

/** Decides over every pending job. Costs are bounded by counts, never by time. */
export function plan(state: ClusterState, nowMs: number, policy: Policy): Plan {
  const pass = new Pass(state, nowMs, policy);
  evictFromDraining(pass);
  takeUpReservations(pass);
  const planner = new Planner(pass);
  planner.walkAll();
  startReservations(pass);
  return {
    starts: pass.starts,
    evictions: pass.evictions,
    reservations: pass.reservations.filter(({ jobId }) => pass.reserved.has(jobId)),
    drops: pass.drops,
    holds: planner.finish(),
    wakeAtMs: planner.wakeAtMs,
  };
}

function evictFromDraining(pass: Pass): void {
  for (const node of pass.state.nodes.values()) {
    if (node.schedulability !== "draining") continue;
    for (const { jobId } of node.allocations) {
      if (pass.isLeaving(jobId)) continue;
      const note = node.note === "" ? "" : `: ${node.note}`;
      const why = `Node ${node.spec.id} is being drained${note}.`;
      pass.evict({ victim: jobId, how: "drain", preemptor: null, why });
    }
  }
}

type IsMeant = (waiting: WaitingJob) => boolean;
type OnBlocked = (waiting: WaitingJob) => void;

class Planner {
  wakeAtMs: number | null = null;
  readonly #pass: Pass;
  readonly #book: HoldBook;
  readonly #claims: Claims;
  readonly #preemption: Preemption;
  readonly #waiting: ReadonlyMap<QueueNode, readonly WaitingJob[]>;
  readonly #doesNotFit = new Set<Shape>();
  /** By leaf queue, in the order of the last walk over all. */
  readonly #blocked = new Map<QueueNode, WaitingJob[]>();

  constructor(pass: Pass) {
    this.#pass = pass;
    this.#book = new HoldBook(pass);
    this.#claims = new Claims(pass);
    this.#preemption = new Preemption(pass);
    this.#waiting = this.#collect();
  }

  walkAll(): void {
    let isForAll = true;
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const dropsBefore = this.#pass.drops.length;
      let hasPlaced = this.#walkOwed();
      if (isForAll && this.#walkRest()) hasPlaced = true;
      if (!hasPlaced) return;
      // Without a claim or a lost reservation, only who was owed room may find more than before.
      isForAll = !this.#claims.isEmpty || this.#pass.drops.length > dropsBefore;
      if (!isForAll && !this.#preemption.isOpen) return;
      this.#preemption.forgetRefusals();
      if (!isForAll || round === ROUNDS_MAX - 1) continue;
      this.#claims.release();
      this.#doesNotFit.clear();
    }
  }

  finish(): ReadonlyMap<JobId, Hold> {
    for (const [leaf, blocked] of this.#blocked) {
      const still = blocked.filter(({ job }) => this.#pass.isWaiting(job.id));
      this.#book.write(leaf, still);
    }
    this.#book.writeReserved();
    this.#wakeAt(this.#preemption.wakeAtMs);
    for (const id of this.#pass.state.active) {
      const { phase, spec } = jobOf(this.#pass.state, id);
      const runningAtMs = activeAttempt(phase)?.runningAtMs ?? null;
      if (phase.kind !== "running" || runningAtMs === null || spec.timeLimitMs === null) continue;
      this.#wakeAt(runningAtMs + spec.timeLimitMs);
    }
    return this.#book.holds;
  }

  /** Pending jobs that may be placed, by leaf queue; those in backoff get their hold at once. */
  #collect(): ReadonlyMap<QueueNode, readonly WaitingJob[]> {
    const { state, nowMs, policy, tree } = this.#pass;
    const waiting = new Map<QueueNode, readonly WaitingJob[]>();
    for (const [path, ids] of state.pendingByQueue) {
      if (ids.size === 0) continue;
      const leaf = tree.queue(path);
      const jobs: WaitingJob[] = [];
      for (const id of ids) {
        const job = jobOf(state, id);
        if (job.phase.kind !== "pending") continue;
        const { notBeforeMs, sinceMs } = job.phase;
        if (notBeforeMs > nowMs) {
          this.#book.holds.set(id, delayHold(job, notBeforeMs));
          this.#wakeAt(notBeforeMs);
          continue;
        }
        const shape = this.#pass.shape(job.spec);
        jobs.push({ job, shape, leaf, priority: priorityOf(job, policy), sinceMs });
      }
      if (jobs.length > 0) waiting.set(leaf, jobs);
    }
    return waiting;
  }

  /** Looks at the jobs that stay inside a guarantee. True when any was placed. */
  #walkOwed(): boolean {
    const hasRoom = (leaf: QueueNode): boolean =>
      leaf.lineage.some((queue) => futureUse(queue) < queue.spec.guarantee);
    const leaves = [...this.#waiting.keys()].filter(hasRoom);
    return this.#walk(leaves, this.#owedOnly(), () => undefined);
  }

  /** Looks at every job that still waits, and notes who is left. True when any was placed. */
  #walkRest(): boolean {
    this.#blocked.clear();
    for (const leaf of this.#waiting.keys()) this.#blocked.set(leaf, []);
    return this.#walk(
      [...this.#waiting.keys()],
      () => true,
      (waiting) => this.#blocked.get(waiting.leaf)?.push(waiting),
    );
  }

  #walk(leaves: readonly QueueNode[], isMeant: IsMeant, onBlocked: OnBlocked): boolean {
    const { tree } = this.#pass;
    const orders = new Map<QueueNode, LeafOrder>();
    for (const leaf of leaves) {
      const jobs = this.#waiting.get(leaf) ?? [];
      const rest = jobs.filter((waiting) => this.#pass.isWaiting(waiting.job.id));
      if (rest.length === 0) continue;
      const order = new LeafOrder(leaf, rest, this.#pass.usersOf(leaf));
      orders.set(leaf, order);
      tree.setHead(leaf, headOf(order, isMeant));
    }
    let hasPlaced = false;
    for (let leaf = tree.next(); leaf !== null; leaf = tree.next()) {
      const order = must(orders.get(leaf), leaf.spec.path);
      if (this.#serve(order, isMeant, onBlocked)) hasPlaced = true;
      tree.setHead(leaf, headOf(order, isMeant));
    }
    return hasPlaced;
  }

  /** Goes through a leaf's jobs up to the first that is placed: then shares have changed. */
  #serve(order: LeafOrder, isMeant: IsMeant, onBlocked: OnBlocked): boolean {
    for (let waiting = order.next(); waiting !== null; waiting = order.next()) {
      if (!isMeant(waiting)) continue;
      if (this.#place(waiting)) {
        order.charge(waiting.shape.gpus);
        return true;
      }
      onBlocked(waiting);
    }
    return false;
  }

  /**
   * Jobs that stay inside a guarantee. Where one that does not is passed over, no lower class of
   * its queue gets ahead of it: it would only be evicted for it.
   */
  #owedOnly(): IsMeant {
    const passedOver = new Map<QueueNode, number>();
    return (waiting) => {
      const { leaf, priority } = waiting;
      if (!this.#isPossible(waiting)) return false;
      const bar = passedOver.get(leaf) ?? Number.NEGATIVE_INFINITY;
      if (priority >= bar && hasReclaimRight(waiting)) return true;
      passedOver.set(leaf, Math.max(bar, priority));
      return false;
    };
  }

  /** On some day, on these nodes and within these limits. */
  #isPossible({ shape, leaf }: WaitingJob): boolean {
    return this.#book.structural(shape) === null && limitExceeded(leaf, shape.gpus) === null;
  }

  /** Starts it or reserves for it. */
  #place(waiting: WaitingJob): boolean {
    const { shape, leaf } = waiting;
    if (!this.#isPossible(waiting)) return false;
    const isAtLimit = limitReached(leaf, shape.gpus) !== null;
    if (!isAtLimit && this.#start(waiting)) return true;
    if (this.#preemption.waitForLeaving(waiting)) return true;
    if (this.#preemption.makeRoomFor(waiting)) return true;
    if (!isAtLimit) this.#claim(waiting);
    return false;
  }

  #start({ job, shape }: WaitingJob): boolean {
    if (this.#doesNotFit.has(shape)) return false;
    const placement = this.#pass.fit(job);
    if (placement === null) this.#doesNotFit.add(shape);
    else this.#pass.start(job, placement);
    return placement !== null;
  }

  #claim(waiting: WaitingJob): void {
    const dueAtMs = this.#claims.dueAtMs(waiting);
    if (dueAtMs === null) return;
    if (dueAtMs > this.#pass.nowMs) this.#wakeAt(dueAtMs);
    else this.#claims.claim(waiting);
  }

  #wakeAt(atMs: number | null): void {
    if (atMs !== null) this.wakeAtMs = Math.min(this.wakeAtMs ?? atMs, atMs);
  }
}

function delayHold({ phase, failures }: Job, untilMs: number): Hold {
  const isFirst = phase.kind === "pending" && phase.cause === "submitted";
  return isFirst ? { code: "BEGIN_TIME", untilMs } : { code: "BACKOFF", untilMs, failures };
}

/** GPUs of the next job that is meant; passes over the others. */
function headOf(order: LeafOrder, isMeant: IsMeant): number | null {
  for (let waiting = order.peek(); waiting !== null; waiting = order.peek()) {
    if (isMeant(waiting)) return waiting.shape.gpus;
    order.next();
  }
  return null;
}
