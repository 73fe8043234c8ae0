// Why each job that stays pending is not placed, with the numbers as they are once the plan is
// carried out. Reads the finished pass; decides nothing.

import { must } from "../../base/assert.ts";
import type { JobId, QueuePath } from "../../base/ids.ts";
import { fitGang, NO_TASTE } from "./gang.ts";
import type { Hold, HoldCode, Holds } from "./hold.ts";
import type { Identity, Job } from "./job.ts";
import { jobOf } from "./lookup.ts";
import { comesBefore, countAhead, firstOf, type LeafJobs } from "./order.ts";
import type { Kept, Pass } from "./pass.ts";
import { eligibleFromMs, type PendingEntry } from "./pending.ts";
import type { PendingKind, PendingQueue } from "./pending-groups.ts";
import type { QueueNode } from "./queue-tree.ts";
import { countedUse, limitExceeded, limitReached } from "./quota.ts";
import { alternatives, type Shape } from "./shape.ts";
import { fullestSite } from "./sites.ts";
import { structuralHold, topologyHoldNow } from "./structural.ts";

/** How many of the jobs ahead a hold names. */
export const AHEAD_NAMED = 5;

/** What a shape finds on the nodes. */
interface Supply {
  /** Free GPUs of the right type on schedulable nodes, reserved ones too. */
  readonly free: number;
  /** Schedulable nodes that could serve one task now, reserved or not. */
  readonly nodesFit: number;
  /** Who keeps what it would fit on; null when it would not fit anyway. */
  readonly kept: Kept | null;
  /** Set when only its topology is in the way. */
  readonly topology: Hold | null;
}

/** What a pass knows of the shapes that wait. */
export class HoldBook {
  readonly #pass: Pass;
  readonly #supplies = new Map<Shape, Supply>();

  constructor(pass: Pass) {
    this.#pass = pass;
  }

  /** Set when no cluster state but another set of nodes could help; null when the shape can fit. */
  structural(shape: Shape): Hold | null {
    return structuralHold(this.#pass.raw, shape);
  }

  /** Once the pass is over. `owner` null = nobody has a limit. `ahead` is only asked where it is told. */
  holdFor(leaf: QueueNode, shape: Shape, owner: Identity | null, ahead: () => Ahead): Hold {
    return (
      this.structural(shape) ??
      excessHold(leaf, shape) ??
      this.#ownerHold(owner, shape) ??
      quotaHold(leaf, shape) ??
      this.#supplyHold(shape, ahead)
    );
  }

  #ownerHold(identity: Identity | null, { gpus }: Shape): Hold | null {
    const block = identity === null ? null : this.#pass.owners.reached(identity, gpus);
    if (block === null) return null;
    const { owner, ...numbers } = block;
    const code = owner.kind === "tenant" ? "TENANT_LIMIT" : "USER_LIMIT";
    return { code, owner: owner.name, ...numbers };
  }

  #supplyHold(shape: Shape, ahead: () => Ahead): Hold {
    let supply = this.#supplies.get(shape);
    if (supply === undefined) this.#supplies.set(shape, (supply = supplyOf(this.#pass, shape)));
    const { free, nodesFit, kept, topology } = supply;
    const asked = shape.gpus;
    if (topology !== null) return topology;
    if (kept !== null) {
      const { holder, untilMs } = kept;
      return { code: "RESERVED_FOR_OTHER", holder, untilMs, asked, free };
    }
    const isInOrder = !this.#pass.policy.isBackfillEnabled;
    const { nodes: nodesAsked, perNode, gpuTypes } = shape;
    if (free < asked || isInOrder) {
      return { code: "WAITING_FOR_GPUS", gpuTypes, asked, free, ...ahead() };
    }
    const { gpus: gpusPerNode, cpuMilli: cpuMilliPerNode, memoryMib: memoryMibPerNode } = perNode;
    const each = { gpusPerNode, cpuMilliPerNode, memoryMibPerNode };
    return { code: "FRAGMENTED", gpuTypes, nodesAsked, ...each, free, nodesFit };
  }
}

/** Who comes before a job in its queue. */
type Ahead = Pick<Extract<Hold, { readonly code: "WAITING_FOR_GPUS" }>, "ahead" | "aheadCount">;

const nobody = (): Ahead => ({ ahead: [], aheadCount: 0 });

/** The holds of a finished pass. It keeps what the pass knew, and reads who waits from the state. */
export class PlanHolds implements Holds {
  readonly size: number;
  readonly #pass: Pass;
  readonly #book: HoldBook;
  /** Whoever came later was not seen. */
  readonly #seq: number;
  readonly #reserved = new Map<JobId, Hold>();
  #line: { readonly seq: number; readonly byLeaf: Map<QueueNode, Line> } | null = null;

  constructor(pass: Pass, book: HoldBook) {
    this.#pass = pass;
    this.#book = book;
    this.#seq = pass.state.seq;
    const { size, withheldCount } = pass.state.pending;
    this.size = size - withheldCount - pass.starts.length;
    for (const [id, { victims }] of pass.reserved) {
      const awaited = pass.awaited.get(id);
      const hold =
        awaited === undefined
          ? reservedHold(pass, victims)
          : ({ code: "WAITING_FOR_END", ...awaited } as const);
      this.#reserved.set(id, hold);
    }
  }

  of(id: JobId): Hold | null {
    if (!this.#isSeen(id)) return null;
    const reserved = this.#reserved.get(id);
    if (reserved !== undefined) return reserved;
    const { state, nowMs, tree } = this.#pass;
    const job = jobOf(state, id);
    const untilMs = eligibleFromMs(job) ?? nowMs;
    if (untilMs > nowMs) return delayHold(job, untilMs);
    const leaf = tree.queue(job.spec.queue);
    const shape = state.pending.shapeOf(job.spec);
    return this.#book.holdFor(leaf, shape, job.owner, () => this.#aheadOf(leaf, job));
  }

  isRoomFor(shape: Shape, instead: JobId): boolean {
    const { open, later } = this.#pass;
    if (this.#pass.isKeeping(instead)) return true;
    return fitGang(open, shape, NO_TASTE, later) !== null;
  }

  *[Symbol.iterator](): Iterator<readonly [JobId, Hold]> {
    for (const id of this.#pass.state.jobs.keys()) {
      const hold = this.of(id);
      if (hold !== null) yield [id, hold];
    }
  }

  counts(): ReadonlyMap<QueuePath, ReadonlyMap<HoldCode, number>> {
    const { tree, state } = this.#pass;
    const leaves = new Map([...tree.all()].map((queue) => [queue.spec.path, queue]));
    const codeOf = ({ queue, shape }: PendingKind, owner: Identity | null): HoldCode => {
      const leaf = leaves.get(queue);
      if (leaf === undefined) return "EVALUATING";
      return this.#book.holdFor(leaf, shape, owner, nobody).code;
    };
    const counts = new Map<QueuePath, Counts>();
    for (const [path, queue] of state.pending.queues()) {
      const ofQueue = new Counts();
      counts.set(path, ofQueue);
      for (const { kind, owner, size } of this.#alike(queue)) {
        ofQueue.add(codeOf(kind, owner), size);
      }
    }
    const count = (id: JobId): void => {
      if (this.#pass.isStarted(id)) return;
      counts.get(jobOf(state, id).spec.queue)?.add(this.of(id)?.code ?? "EVALUATING", 1);
    };
    for (const { id } of state.pending.delayed) count(id);
    for (const { id, kind } of this.#odd()) {
      if (kind === null) continue;
      counts.get(kind.queue)?.add(codeOf(kind, jobOf(state, id).owner), -1);
      count(id);
    }
    return counts;
  }

  /** Jobs that wait for the same reason: by kind, and by owner too where owners have limits. */
  *#alike({ classes }: PendingQueue): Iterable<Alike> {
    const { owners, state } = this.#pass;
    for (const { kinds, lines } of classes.values()) {
      if (!owners.hasLimits) {
        for (const { kind, size } of kinds.values()) yield { kind, owner: null, size };
        continue;
      }
      for (const { groups } of lines.values()) {
        for (const { kind, jobs } of groups.values()) {
          const { id } = must(jobs.first, "a group has jobs");
          yield { kind, owner: jobOf(state, id).owner, size: jobs.size };
        }
      }
    }
  }

  /** Those who are not as the others of their kind are: few, since they came or moved just now. */
  *#odd(): Iterable<PendingEntry> {
    const { state, starts, nowMs } = this.#pass;
    const { pending } = state;
    const odd = new Set<JobId>(this.#reserved.keys());
    for (const { jobId } of starts) odd.add(jobId);
    for (const { id, eligibleFromMs: fromMs } of pending.delayed) {
      if (fromMs > nowMs) break;
      odd.add(id);
    }
    for (const { id } of pending.newerThan(this.#seq)) odd.add(id);
    for (const id of odd) {
      const entry = pending.get(id);
      if (entry !== undefined) yield entry;
    }
  }

  #isSeen(id: JobId): boolean {
    const { jobs, pending } = this.#pass.state;
    const entry = pending.get(id);
    const job = jobs.get(id);
    if (entry === undefined || job === undefined || eligibleFromMs(job) === null) return false;
    return entry.seq <= this.#seq && !this.#pass.isStarted(id);
  }

  #aheadOf(leaf: QueueNode, job: Job): Ahead {
    const { jobs, first, odd } = this.#lineOf(leaf);
    const { policy } = this.#pass;
    let aheadCount = countAhead(jobs, policy, job);
    for (const other of odd) if (comesBefore(jobs, policy, other, job)) aheadCount -= 1;
    return { ahead: first.slice(0, aheadCount), aheadCount };
  }

  /** Who waits in a leaf queue, kept until the next event. */
  #lineOf(leaf: QueueNode): Line {
    const { state, nowMs, policy, isWaiting } = this.#pass;
    if (this.#line?.seq !== state.seq) this.#line = { seq: state.seq, byLeaf: new Map() };
    let line = this.#line.byLeaf.get(leaf);
    if (line === undefined) {
      const { path } = leaf.spec;
      const late = state.pending.late(nowMs, state.jobs).filter(({ kind }) => kind.queue === path);
      const isCounted = (id: JobId): boolean => isWaiting(id) && this.#isSeen(id);
      const jobs = { ...this.#pass.jobsOf(leaf), late, isWaiting: isCounted };
      const odd = [...this.#odd()]
        .filter(({ id }) => !isCounted(id))
        .map(({ id }) => jobOf(state, id))
        .filter((job) => job.spec.queue === path && (eligibleFromMs(job) ?? nowMs + 1) <= nowMs);
      line = { jobs, odd, first: firstOf(jobs, policy, AHEAD_NAMED) };
      this.#line.byLeaf.set(leaf, line);
    }
    return line;
  }
}

interface Alike {
  readonly kind: PendingKind;
  readonly owner: Identity | null;
  readonly size: number;
}

interface Line {
  readonly jobs: LeafJobs;
  /** In its groups, but not in line. */
  readonly odd: readonly Job[];
  readonly first: readonly JobId[];
}

class Counts extends Map<HoldCode, number> {
  add(code: HoldCode, jobs: number): void {
    const count = (this.get(code) ?? 0) + jobs;
    if (count === 0) this.delete(code);
    else this.set(code, count);
  }
}

function delayHold({ phase, failures }: Job, untilMs: number): Hold {
  const cause = phase.kind === "pending" ? phase.cause : "submitted";
  if (cause === "submitted") return { code: "BEGIN_TIME", untilMs };
  return { code: "BACKOFF", untilMs, failures, cause };
}

function reservedHold(pass: Pass, victims: readonly JobId[]): Hold {
  const still = victims.filter((id) => pass.isLeaving(id));
  const deadlines = still.map((id) => deadlineOf(pass, id));
  const deadlineMs = deadlines.reduce((latest, at) => Math.max(latest, at), pass.nowMs);
  return { code: "WAITING_FOR_PREEMPTED", victims: still, deadlineMs };
}

function excessHold(leaf: QueueNode, shape: Shape): Hold | null {
  const never = limitExceeded(leaf, shape);
  if (never === null) return null;
  const { queue, resource, asked, limit } = never;
  return { code: "EXCEEDS_QUEUE_LIMIT", queue: queue.spec.path, resource, asked, limit };
}

function quotaHold(leaf: QueueNode, shape: Shape): Hold | null {
  const now = limitReached(leaf, shape);
  if (now === null) return null;
  if (now.kind === "lending") {
    const { path, guarantee, lendingLimit } = now.lender.spec;
    const lent = lendingLimit ?? guarantee;
    const asked = shape.gpus;
    return { code: "KEPT_BY_QUEUE", queue: path, asked, lendingLimit: lent, guarantee };
  }
  const { queue, resource, asked, limit } = now;
  const allocated = countedUse(queue, resource);
  return { code: "WAITING_FOR_QUOTA", queue: queue.spec.path, resource, asked, allocated, limit };
}

function supplyOf(pass: Pass, shape: Shape): Supply {
  const types = alternatives(shape, pass.raw.types).flat();
  const free = types.reduce((sum, type) => sum + pass.raw.indexOf(type).freeTotal, 0);
  const nodesFit = fullestSite(pass.raw, shape)?.nodesFit ?? 0;
  const isRoom = nodesFit >= shape.nodes;
  const kept = isRoom ? keeperOf(pass, shape) : null;
  return { free, nodesFit, kept, topology: isRoom ? null : topologyHoldNow(pass.raw, shape) };
}

/** Of those who keep something where it would fit, the one with the oldest promise. */
function keeperOf(pass: Pass, shape: Shape): Kept | null {
  const fitted = fitGang(pass.raw, shape) ?? [];
  for (const { nodeId } of fitted) {
    const kept = pass.keptOn(nodeId)[0];
    if (kept !== undefined) return kept;
  }
  return null;
}

function deadlineOf(pass: Pass, id: JobId): number {
  const { phase, spec } = jobOf(pass.state, id);
  return phase.kind === "stopping" ? phase.deadlineMs : pass.nowMs + spec.graceMs;
}
