// One way in which things may go: jobs end at times drawn from what is known of them, and what comes
// free goes to who waits, queue by queue as the planner serves them (queue-tree.ts). Who has waited past
// its patience keeps nodes, as in claims.ts, but lends none of them. It knows of nobody who is yet to
// come, of no node that fails, and preempts nobody.

import { must } from "../../base/assert.ts";
import { popHeap, pushHeap } from "../../base/heap.ts";
import { NEVER_MS, SECOND_MS } from "../../base/time.ts";
import { numberOfJob } from "./array.ts";
import type { Holder, Scene, Waiting, WaitingKind, WaitingLine } from "./forecast-scene.ts";
import { type Seat, Supply } from "./forecast-supply.ts";
import type { Job } from "./job.ts";
import { OwnerBook } from "./owner-limits.ts";
import { charge, type QueueNode, QueueTree } from "./queue-tree.ts";
import { limitReached } from "./quota.ts";
import { drawEndMs, type RunSamples } from "./run-samples.ts";
import type { Shape } from "./shape.ts";

/** What happens within this, or a part of the way there, is one instant. */
const STEP_MS_MIN = 5 * SECOND_MS;
const STEP_PARTS = 32;
/** Starts between two pauses. */
const STARTS_PER_TURN = 128;

/** Of who waits, those of one leaf that have not started in this run. */
interface Line {
  readonly leaf: QueueNode;
  readonly kinds: readonly Kind[];
}

interface Kind {
  readonly source: WaitingKind;
  /** Of its waiting: the first that may not have started yet. */
  next: number;
}

interface Ending {
  readonly atMs: number;
  readonly order: number;
  readonly job: Job;
  readonly leaf: QueueNode;
  readonly seats: readonly Seat[];
  /** Was it asked to leave? */
  readonly isLeaving: boolean;
}

/** Who keeps nodes until all of them are free. */
interface Claimant {
  readonly waiting: Waiting;
  readonly kind: Kind;
  readonly leaf: QueueNode;
  readonly seats: readonly Seat[];
}

export class ForecastRun {
  /** By position in the scene, when it starts; infinite = not known to. */
  readonly startsAtMs: Float64Array;
  /** By position: 1 = it kept nodes, so that its start tells nothing of others. */
  readonly hasKept: Uint8Array;
  /** Does anybody run on for a time that nobody knows? */
  isEndless = false;
  #nowMs: number;
  readonly #scene: Scene;
  readonly #permille: number;
  readonly #supply: Supply;
  readonly #tree: QueueTree;
  readonly #owners: OwnerBook;
  readonly #lines = new Map<QueueNode, Line>();
  readonly #ends: Ending[] = [];
  #claimants: readonly Claimant[] = [];
  /** By type, by node, when all that runs there will have ended. */
  readonly #wholeAtMs: readonly Float64Array[];
  /** Started, or keeping nodes. */
  readonly #served: Uint8Array;
  /** By what does not fit any more at this instant. */
  readonly #doesNotFit = new Set<Shape>();
  #left = 0;
  #endings = 0;

  /** `permille`: where in the distributions this run lies; evenly spread over the runs. */
  constructor(scene: Scene, supply: Supply, permille: number) {
    const { state, nowMs, positions, lines } = scene;
    this.#scene = scene;
    this.#permille = permille;
    this.#nowMs = nowMs;
    this.#supply = supply;
    this.#tree = new QueueTree(state, nowMs);
    this.#owners = new OwnerBook(state.policy.limits);
    this.startsAtMs = new Float64Array(positions.size).fill(Number.POSITIVE_INFINITY);
    this.#served = new Uint8Array(positions.size);
    this.hasKept = new Uint8Array(positions.size);
    this.#wholeAtMs = scene.layout.types.map(() => new Float64Array(scene.layout.nodes));
    for (const [path, gpus] of scene.dues) this.#tree.queue(path).dueGpus = gpus;
    for (const line of lines) this.#addLine(line);
    this.#begin();
  }

  /** Pauses after each instant, and after each so many starts. */
  *go(): Generator<void, void> {
    for (;;) {
      this.#startClaimants();
      this.#setHeads();
      while (this.#placeSome()) yield;
      for (const leaf of this.#lines.keys()) this.#tree.setHead(leaf, null);
      if (this.#left === 0) return;
      this.#claim();
      yield;
      if (!this.#goOn()) return;
    }
  }

  #addLine({ path, kinds, waiting }: WaitingLine): void {
    const leaf = this.#tree.queue(path);
    this.#lines.set(leaf, { leaf, kinds: kinds.map((source) => ({ source, next: 0 })) });
    this.#left += waiting.length;
  }

  #begin(): void {
    const endsAtMs = new Map<string, number>();
    for (const holder of this.#scene.holders) {
      const { job, seats } = holder;
      this.#owners.add(job.owner, 1, seats.length * job.spec.perNode.gpus);
      endsAtMs.set(job.id, this.#endOfHolder(holder));
    }
    for (const { job, seats, samples, at, victims } of this.#scene.reserved) {
      const leaf = this.#tree.queue(job.spec.queue);
      const leaveMs = victims.map((id) => endsAtMs.get(id) ?? this.#nowMs);
      const startMs = Math.max(this.#nowMs, ...leaveMs);
      this.startsAtMs[at] = startMs;
      this.#occupy(job, leaf, seats);
      this.#endLater({ job, leaf, seats, isLeaving: false }, this.#endOf(job, samples, startMs));
    }
  }

  #endOfHolder({ job, seats, samples, leavesByMs }: Holder): number {
    const leaf = this.#tree.queue(job.spec.queue);
    const isLeaving = leavesByMs !== null;
    if (isLeaving) charge(leaf, "leaving", { nodes: seats.length, perNode: job.spec.perNode }, 1);
    const graceMs = Math.max(0, (leavesByMs ?? 0) - this.#nowMs);
    const atMs = isLeaving
      ? this.#nowMs + Math.floor((graceMs * this.#permilleOf(job)) / 1_000)
      : this.#endOf(job, samples, this.#nowMs);
    this.#endLater({ job, leaf, seats, isLeaving }, atMs);
    return atMs;
  }

  /** Starts who is next, again and again; true when that took a turn and there is more to do. */
  #placeSome(): boolean {
    for (let starts = 0; starts < STARTS_PER_TURN; ) {
      const leaf = this.#tree.next();
      if (leaf === null) return false;
      const line = must(this.#lines.get(leaf), leaf.spec.path);
      const first = this.#firstOf(line);
      if (first !== null && this.#start(line, first)) starts += 1;
      this.#tree.setHead(leaf, this.#firstOf(line)?.kind.source.need.shape ?? null);
    }
    return true;
  }

  #setHeads(): void {
    this.#doesNotFit.clear();
    for (const line of this.#lines.values()) {
      this.#tree.setHead(line.leaf, this.#firstOf(line)?.kind.source.need.shape ?? null);
    }
  }

  /** The first of the line who may fit. */
  #firstOf({ leaf, kinds }: Line): { readonly kind: Kind; readonly waiting: Waiting } | null {
    const isInOrder = !this.#scene.state.policy.isBackfillEnabled;
    let first: { kind: Kind; waiting: Waiting } | null = null;
    for (const kind of kinds) {
      const { isPossible, need } = kind.source;
      const { shape } = need;
      if (!isPossible || (!isInOrder && this.#isHeld(leaf, shape))) continue;
      const waiting = this.#nextOf(kind);
      if (waiting === null || (first !== null && first.waiting.at < waiting.at)) continue;
      first = { kind, waiting };
    }
    const isBlocked =
      isInOrder && first !== null && this.#isHeld(leaf, first.kind.source.need.shape);
    return isBlocked ? null : first;
  }

  #isHeld(leaf: QueueNode, shape: Shape): boolean {
    return this.#doesNotFit.has(shape) || limitReached(leaf, shape) !== null;
  }

  /** Of the kind, the first whose owner may have one more. */
  #nextOf(kind: Kind): Waiting | null {
    const { waiting, need } = kind.source;
    while (kind.next < waiting.length && this.#isServed(waiting[kind.next])) kind.next += 1;
    for (let at = kind.next; at < waiting.length; at += 1) {
      const one = must(waiting[at], "waiting");
      if (this.#isServed(one)) continue;
      if (!this.#owners.hasLimits) return one;
      if (this.#owners.reached(one.job.owner, need.shape.gpus) === null) return one;
    }
    return null;
  }

  #isServed(waiting: Waiting | undefined): boolean {
    return waiting !== undefined && this.#served[waiting.at] === 1;
  }

  #start({ leaf }: Line, { kind, waiting }: { kind: Kind; waiting: Waiting }): boolean {
    const { need } = kind.source;
    const seats = this.#supply.take(need);
    if (seats === null) {
      this.#doesNotFit.add(need.shape);
      return false;
    }
    this.#served[waiting.at] = 1;
    this.#begun(waiting, leaf, seats);
    return true;
  }

  #begun({ at, job, fromMs, samples }: Waiting, leaf: QueueNode, seats: readonly Seat[]): void {
    const startMs = Math.max(this.#nowMs, fromMs);
    this.startsAtMs[at] = startMs;
    this.#left -= 1;
    this.#charge(job, leaf, seats, 1);
    this.#endLater({ job, leaf, seats, isLeaving: false }, this.#endOf(job, samples, startMs));
  }

  #occupy(job: Job, leaf: QueueNode, seats: readonly Seat[]): void {
    this.#supply.change(seats, job.spec, -1);
    this.#charge(job, leaf, seats, 1);
  }

  #charge(job: Job, leaf: QueueNode, seats: readonly Seat[], sign: 1 | -1): void {
    const { perNode } = job.spec;
    charge(leaf, "allocated", { nodes: seats.length, perNode }, sign);
    this.#owners.add(job.owner, sign, sign * seats.length * perNode.gpus);
  }

  /** To when the next jobs end, those that end soon after too; false when none does. */
  #goOn(): boolean {
    const next = this.#ends[0];
    if (next === undefined || next.atMs === NEVER_MS) return false;
    const wayMs = next.atMs - this.#scene.nowMs;
    const untilMs = next.atMs + Math.max(STEP_MS_MIN, Math.floor(wayMs / STEP_PARTS));
    while (this.#ends[0] !== undefined && this.#ends[0].atMs <= untilMs) {
      const { atMs, job, leaf, seats, isLeaving } = popHeap(this.#ends, compareEndings);
      this.#nowMs = Math.max(this.#nowMs, atMs);
      this.#supply.change(seats, job.spec, 1);
      this.#charge(job, leaf, seats, -1);
      const asked = { nodes: seats.length, perNode: job.spec.perNode };
      if (isLeaving) charge(leaf, "leaving", asked, -1);
    }
    return true;
  }

  /** Lets the longest waiters keep nodes, as many at once as the policy allows. */
  #claim(): void {
    const { claimsMax, gangPatienceMs } = this.#scene.state.policy;
    const room = claimsMax - this.#claimants.length;
    if (room <= 0) return;
    const due: Omit<Claimant, "seats">[] = [];
    for (const { leaf, kinds } of this.#lines.values()) {
      for (const kind of kinds) {
        const { isPossible, need } = kind.source;
        // A single GPU comes free again and again.
        const waiting = isPossible && need.shape.gpus > 1 ? this.#nextOf(kind) : null;
        if (waiting === null || waiting.sinceMs + gangPatienceMs > this.#nowMs) continue;
        if (limitReached(leaf, need.shape) === null) due.push({ waiting, kind, leaf });
      }
    }
    if (due.length === 0) return;
    due.sort((a, b) => a.waiting.sinceMs - b.waiting.sinceMs || a.waiting.at - b.waiting.at);
    for (const one of due.slice(0, room)) {
      const seats = this.#supply.keep(one.kind.source.need, this.#nowMs, this.#wholeAtMs);
      if (seats === null) continue;
      this.#served[one.waiting.at] = 1;
      this.hasKept[one.waiting.at] = 1;
      this.#claimants = [...this.#claimants, { ...one, seats }];
    }
  }

  /** Those whose nodes are free by now. */
  #startClaimants(): void {
    this.#claimants = this.#claimants.filter(({ waiting, kind, leaf, seats }) => {
      const { shape } = kind.source.need;
      if (!this.#supply.isReady(seats, shape) || limitReached(leaf, shape) !== null) return true;
      this.#supply.unkeep(seats);
      this.#supply.change(seats, shape, -1);
      this.#begun(waiting, leaf, seats);
      return false;
    });
  }

  #endLater(ending: Omit<Ending, "atMs" | "order">, atMs: number): void {
    if (atMs === NEVER_MS) this.isEndless = true;
    this.#endings += 1;
    const { job, leaf, seats, isLeaving } = ending;
    const order = this.#endings;
    pushHeap(this.#ends, { atMs, order, job, leaf, seats, isLeaving }, compareEndings);
    for (const { node, type } of seats) {
      const times = this.#wholeAtMs[type];
      if (times !== undefined && atMs > (times[node] ?? 0)) times[node] = atMs;
    }
  }

  #endOf(job: Job, samples: RunSamples | null, startMs: number): number {
    return samples === null ? NEVER_MS : startMs + drawEndMs(samples, this.#permilleOf(job));
  }

  /** 1 to 999: as if at random over the jobs of a run, and for each job evenly over the runs. */
  #permilleOf({ id }: Job): number {
    const mixed = Math.imul(numberOfJob(id) + 1, 0x9e3779b1) >>> 8;
    return 1 + ((mixed + this.#permille) % 999);
  }
}

const compareEndings = (a: Ending, b: Ending): number => a.atMs - b.atMs || a.order - b.order;
