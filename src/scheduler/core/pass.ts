// The working state of one planning pass: what the plan has promised so far and what that leaves.
// The steps of the pass (reservations, drains, walk, claims, preemption) change it only through
// here.

import { must } from "../../base/assert.ts";
import type { JobId, NodeId, QueuePath } from "../../base/ids.ts";
import { NO_RESOURCES, type Resources } from "../../base/resources.ts";
import type { DropReason } from "./events.ts";
import { fairDues } from "./fair-share.ts";
import { NodePool } from "./fit.ts";
import { fitGang, type Taste } from "./gang.ts";
import {
  activeAttempt,
  gpusHeld,
  type Job,
  resumePoint,
  type TaskPlacement,
  userKey,
} from "./job.ts";
import { jobOf } from "./lookup.ts";
import { poolOf } from "./node-pools.ts";
import type { LeafJobs } from "./order.ts";
import { OwnerBook } from "./owner-limits.ts";
import type { PendingGroup } from "./pending-groups.ts";
import type { Eviction, PlannedReservation, Start } from "./plan-types.ts";
import type { PendingJobs } from "./pending.ts";
import { charge, type QueueNode, QueueTree } from "./queue-tree.ts";
import { entitledGpus } from "./share-account.ts";
import type { Shape } from "./shape.ts";
import type { ClusterState, Policy } from "./state.ts";
import { Warmth } from "./warmth.ts";

/** What a task holds on its node. */
export interface HeldTask {
  readonly placement: TaskPlacement;
  readonly resources: Resources;
}

/** Tasks of the job that have not ended. */
export function tasksHeld({ phase, spec }: Job): readonly HeldTask[] {
  const attempt = activeAttempt(phase);
  if (attempt === null) return [];
  const held: HeldTask[] = [];
  attempt.placement.forEach((placement, rank) => {
    if (attempt.tasks[rank]?.kind === "ended") return;
    held.push({ placement, resources: spec.perNode });
  });
  return held;
}

/** GPUs of a node that nobody but the holder may take. */
export interface Kept {
  readonly holder: JobId;
  readonly gpus: number;
  /** About when the holder is expected to start; null = nobody knows. */
  readonly untilMs: number | null;
}

/** A placement that is kept for a pending job. */
export interface Keeping extends Omit<PlannedReservation, "jobId"> {
  readonly job: Job;
  /** By task: GPUs of it that were free. */
  readonly fromOpen: readonly (readonly number[])[];
  readonly kept: Kept;
}

/** Whom a job waits for instead of asking them to leave. */
export interface Awaited {
  readonly jobs: readonly JobId[];
  /** When the last of them is expected to have ended. */
  readonly untilMs: number;
}

/** Jobs that have waited too long, looked at in one pass. */
const AGED_MAX = 64;

export class Pass {
  readonly state: ClusterState;
  readonly nowMs: number;
  readonly policy: Policy;
  /** Those who are looked at: all who wait, or a few of them. */
  readonly pending: PendingJobs;
  readonly tree: QueueTree;
  readonly owners: OwnerBook;
  /** Jobs that hold resources, the ones that are being stopped too, by their queue. */
  readonly active: ReadonlyMap<QueueNode, readonly Job[]>;
  /** When the first of those that run reaches its time limit; null = none has one. */
  timeLimitAtMs: number | null = null;
  /** What nobody holds. */
  readonly raw: NodePool;
  /**
   * What anyone may take now: `raw` without GPUs that are reserved or claimed. CPU and memory have
   * no indexes to keep, so who takes them must find them here and in `later`.
   */
  readonly open: NodePool;
  /**
   * What is left once every attempt that is being stopped has left and reservations have started.
   */
  readonly later: NodePool;
  readonly starts: Start[] = [];
  readonly evictions: Eviction[] = [];
  readonly reservations: PlannedReservation[] = [];
  readonly drops: { readonly jobId: JobId; readonly why: DropReason }[] = [];
  /** Goes up when `later` gets more room. */
  laterVersion = 0;
  /** Reservations that stand, old and new. */
  readonly reserved = new Map<JobId, Keeping>();
  /** By who waits. His room is reserved in this pass alone: no event tells of it. */
  readonly awaited = new Map<JobId, Awaited>();
  readonly #kept = new Map<NodeId, Kept[]>();
  readonly #leaving = new Set<JobId>();
  readonly #started = new Set<JobId>();
  /** Started or reserved: one set, for it is asked of the first job of every group. */
  readonly #served = new Set<JobId>();
  /** By user, what has changed since the pass began of the GPUs that he holds, or is about to. */
  readonly #userChanges = new Map<QueueNode, Map<string, number>>();
  readonly #warmth: Warmth;
  /** Jobs that have become eligible since the last event. */
  readonly lateCount: number;
  readonly #late = new Map<QueuePath, PendingGroup[]>();
  readonly #aged = new Map<QueuePath, PendingGroup[]>();

  constructor(
    state: ClusterState,
    nowMs: number,
    policy: Policy,
    pending: PendingJobs = state.pending,
  ) {
    this.state = state;
    this.nowMs = nowMs;
    this.policy = policy;
    this.pending = pending;
    this.tree = new QueueTree(state, nowMs);
    if (policy.isShareReclaimed && this.tree.isShared(state.pending)) this.#setDues();
    this.owners = new OwnerBook(policy.limits);
    this.raw = poolOf(state.nodes);
    this.open = new NodePool(this.raw);
    this.later = new NodePool(this.raw);
    this.#warmth = new Warmth(state);
    const late = pending.late(nowMs, state.jobs);
    this.lateCount = late.length;
    for (const group of late) addTo(this.#late, group);
    for (const group of pending.aged(nowMs - policy.lasAgingMs, AGED_MAX, state.jobs)) {
      addTo(this.#aged, group);
    }
    this.active = activeByQueue(state, this.tree);
    for (const jobs of this.active.values()) for (const job of jobs) this.#note(job);
  }

  #setDues(): void {
    for (const [queue, dueMilliGpus] of fairDues(this.state, this.tree)) {
      queue.dueGpus = entitledGpus(dueMilliGpus, queue.accountGpuMs, this.policy);
    }
  }

  heldBy(job: Job): readonly HeldTask[] {
    return tasksHeld(job);
  }

  get hasLeaving(): boolean {
    return this.#leaving.size > 0;
  }

  isLeaving(id: JobId): boolean {
    return this.#leaving.has(id);
  }

  /** Has it lost its reservation in this pass? */
  isDropped(id: JobId): boolean {
    return this.drops.some(({ jobId }) => jobId === id);
  }

  /** Neither started nor reserved: still to be looked at, or held. */
  readonly isWaiting = (id: JobId): boolean => !this.#served.has(id);

  isStarted(id: JobId): boolean {
    return this.#started.has(id);
  }

  /** Leaf queues with jobs that may be placed, as far as time goes. */
  leaves(): readonly QueueNode[] {
    const paths = new Set(this.#late.keys());
    for (const [path, { classes }] of this.pending.queues()) {
      if (classes.size > 0) paths.add(path);
    }
    return [...paths].map((path) => this.tree.queue(path));
  }

  jobsOf(leaf: QueueNode): LeafJobs {
    const { path } = leaf.spec;
    return {
      nowMs: this.nowMs,
      leaf,
      pending: this.pending.queue(path),
      late: this.#late.get(path) ?? [],
      aged: this.#aged.get(path) ?? [],
      runTimes: this.state.runTimes,
      heldBy: (ownerKey) => this.#heldByUser(leaf, ownerKey),
      isWaiting: this.isWaiting,
    };
  }

  /** Who keeps GPUs of the node, the oldest promise first. */
  keptOn(node: NodeId): readonly Kept[] {
    return this.#kept.get(node) ?? [];
  }

  /** A placement that may be started at once, or null. */
  fit(job: Job, shape: Shape): readonly TaskPlacement[] | null {
    return fitGang(this.open, shape, this.tasteOf(job), this.later);
  }

  tasteOf(job: Job): Taste {
    return { avoid: job.avoidNodes, warm: this.#warmth.of(job) };
  }

  start(job: Job, placement: readonly TaskPlacement[]): void {
    for (const task of placement) {
      this.raw.take(task, job.spec.perNode);
      this.open.take(task, job.spec.perNode);
      this.later.take(task, job.spec.perNode);
    }
    this.#chargeUser(job, this.#chargeQueue(job, placement, "allocated", 1));
    this.owners.add(job.owner, 1, gpusOn(job, placement));
    this.#begin(job, placement);
  }

  /** Undoes a start of this pass: the job is to be started again, elsewhere or larger. */
  takeBack(start: Start): Start {
    const job = jobOf(this.state, start.jobId);
    for (const task of start.placement) {
      for (const pool of [this.raw, this.open, this.later]) pool.give(task, job.spec.perNode);
    }
    this.#chargeUser(job, -this.#chargeQueue(job, start.placement, "allocated", -1));
    this.owners.add(job.owner, -1, -gpusOn(job, start.placement));
    this.starts.splice(this.starts.indexOf(start), 1);
    this.#started.delete(job.id);
    this.#served.delete(job.id);
    return start;
  }

  /** Starts what was reserved: all of it must be free by now. */
  startReserved({ job, placement }: Keeping): void {
    for (const task of placement) this.raw.take(task, job.spec.perNode);
    this.#chargeQueue(job, placement, "reserved", -1);
    this.#chargeQueue(job, placement, "allocated", 1);
    this.reserved.delete(job.id);
    this.#begin(job, placement);
  }

  /** An elastic job that goes on with another size keeps its next placement from everyone else. */
  evict(eviction: Eviction): void {
    const { victim: id, next: placement } = eviction;
    const job = jobOf(this.state, id);
    this.evictions.push(eviction);
    this.#leave(job);
    if (placement.length === 0) return;
    const reservation = { jobId: id, placement, victims: [] };
    this.reservations.push(reservation);
    this.reserve(job, reservation);
  }

  /** Keeps a placement, which must be whole in `later`, from everyone else. */
  reserve(job: Job, { placement, victims }: Omit<PlannedReservation, "jobId">): void {
    const kept = { holder: job.id, gpus: job.spec.perNode.gpus, untilMs: null };
    const fromOpen = placement.map((task) => this.open.take(task, NO_RESOURCES));
    for (const task of placement) {
      this.later.take(task, job.spec.perNode);
      this.keep(task.nodeId, kept);
    }
    this.#chargeUser(job, this.#chargeQueue(job, placement, "reserved", 1));
    this.#addOwner(job, placement, 1);
    this.reserved.set(job.id, { job, placement, victims, fromOpen, kept });
    this.#served.add(job.id);
  }

  /** Keeps a placement and its quota from those behind, while others end by themselves. */
  reserveUntilEnds(job: Job, placement: readonly TaskPlacement[], awaited: Awaited): void {
    this.reserve(job, { placement, victims: [] });
    this.awaited.set(job.id, awaited);
  }

  /** Gives up a standing reservation; the job waits again. */
  drop({ job, placement, fromOpen, kept }: Keeping, why: DropReason): void {
    placement.forEach((task, rank) => {
      const gpus = fromOpen[rank] ?? [];
      this.open.give({ nodeId: task.nodeId, gpus }, NO_RESOURCES);
      this.later.give(task, job.spec.perNode);
      this.unkeep(task.nodeId, kept);
    });
    this.#chargeUser(job, -this.#chargeQueue(job, placement, "reserved", -1));
    this.#addOwner(job, placement, -1);
    this.laterVersion += 1;
    this.reserved.delete(job.id);
    this.#served.delete(job.id);
    this.drops.push({ jobId: job.id, why });
  }

  /** Does it keep anything from the others, as far as they asked? */
  isKeeping(id: JobId): boolean {
    for (const kept of this.#kept.values())
      if (kept.some(({ holder }) => holder === id)) return true;
    return false;
  }

  keep(node: NodeId, kept: Kept): void {
    const before = this.#kept.get(node);
    if (before === undefined) this.#kept.set(node, [kept]);
    else before.push(kept);
  }

  unkeep(node: NodeId, kept: Kept): void {
    const before = this.#kept.get(node) ?? [];
    this.#kept.set(
      node,
      before.filter((other) => other !== kept),
    );
  }

  #begin(job: Job, placement: readonly TaskPlacement[]): void {
    const resumeFrom = resumePoint(job)?.id ?? null;
    this.starts.push({ jobId: job.id, placement, resumeFrom });
    this.#started.add(job.id);
    this.#served.add(job.id);
  }

  #leave(job: Job): void {
    this.#leaving.add(job.id);
    this.laterVersion += 1;
    for (const { placement, resources } of this.heldBy(job)) {
      this.later.give(placement, resources);
    }
    const leaf = this.tree.queue(job.spec.queue);
    for (const { resources } of this.heldBy(job)) {
      charge(leaf, "leaving", { nodes: 1, perNode: resources }, 1);
    }
    this.#chargeUser(job, -gpusHeld(job));
  }

  /** A job that holds resources, as the pass finds it. */
  #note(job: Job): void {
    const { phase, spec } = job;
    if (this.owners.hasLimits) this.owners.add(job.owner, 1, gpusHeld(job));
    if (phase.kind === "stopping") this.#leave(job);
    if (phase.kind !== "running" || spec.timeLimitMs === null) return;
    const atMs = must(phase.attempt.runningAtMs, `${job.id} runs`) + spec.timeLimitMs;
    this.timeLimitAtMs = Math.min(this.timeLimitAtMs ?? atMs, atMs);
  }

  #chargeQueue(
    job: Job,
    placement: readonly TaskPlacement[],
    counter: "allocated" | "reserved",
    sign: 1 | -1,
  ): number {
    const { queue, perNode } = job.spec;
    const asked = { nodes: placement.length, perNode };
    charge(this.tree.queue(queue), counter, asked, sign);
    return gpusOn(job, placement);
  }

  /** Who leaves counts until it has left: for a job that changes its size, that is enough. */
  #addOwner(job: Job, placement: readonly TaskPlacement[], sign: 1 | -1): void {
    if (this.#leaving.has(job.id)) return;
    this.owners.add(job.owner, sign, sign * gpusOn(job, placement));
  }

  #chargeUser(job: Job, gpus: number): void {
    const leaf = this.tree.queue(job.spec.queue);
    let changes = this.#userChanges.get(leaf);
    if (changes === undefined) this.#userChanges.set(leaf, (changes = new Map<string, number>()));
    const key = userKey(job.owner);
    changes.set(key, (changes.get(key) ?? 0) + gpus);
  }

  /** GPUs that the user holds, or is about to hold, in the leaf queue. */
  #heldByUser(leaf: QueueNode, ownerKey: string): number {
    const change = this.#userChanges.get(leaf)?.get(ownerKey) ?? 0;
    return (leaf.heldByUser.get(ownerKey) ?? 0) + change;
  }
}

function activeByQueue(
  state: ClusterState,
  tree: QueueTree,
): ReadonlyMap<QueueNode, readonly Job[]> {
  const byQueue = new Map<QueuePath, Job[]>();
  for (const job of state.active.values()) {
    const { queue } = job.spec;
    const jobs = byQueue.get(queue);
    if (jobs === undefined) byQueue.set(queue, [job]);
    else jobs.push(job);
  }
  return new Map([...byQueue].map(([path, jobs]) => [tree.queue(path), jobs]));
}

const gpusOn = ({ spec }: Job, placement: readonly TaskPlacement[]): number =>
  placement.length * spec.perNode.gpus;

function addTo(groups: Map<QueuePath, PendingGroup[]>, group: PendingGroup): void {
  const { queue } = group.kind;
  const before = groups.get(queue);
  if (before === undefined) groups.set(queue, [group]);
  else before.push(group);
}
