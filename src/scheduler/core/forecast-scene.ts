// What a forecast starts from: who waits, in the order in which the planner would serve them, who runs,
// and what the nodes have. Taken from the state once and shared by all runs; later changes of the state
// don't reach it, but for queues whose turn to be read has not come.

import type { JobId, QueuePath } from "../../base/ids.ts";
import { fairDues } from "./fair-share.ts";
import { type Need, type Seat, SupplyLayout } from "./forecast-supply.ts";
import type { Job } from "./job.ts";
import { jobOf } from "./lookup.ts";
import { poolOf } from "./node-pools.ts";
import { LeafOrder } from "./order.ts";
import { tasksHeld } from "./pass.ts";
import { eligibleFromMs } from "./pending.ts";
import type { PendingGroup } from "./pending-groups.ts";
import { type QueueNode, QueueTree } from "./queue-tree.ts";
import { limitExceeded } from "./quota.ts";
import { type RunSamples, RunSampler } from "./run-samples.ts";
import { entitledGpus } from "./share-account.ts";
import { type Shape, shapeOf } from "./shape.ts";
import type { ClusterState } from "./state.ts";
import { structuralHold } from "./structural.ts";

/** Somebody who waits. */
export interface Waiting {
  /** Position among all of the scene. */
  readonly at: number;
  readonly job: Job;
  /** Not before: it is in backoff. */
  readonly fromMs: number;
  readonly sinceMs: number;
  readonly samples: RunSamples | null;
}

/** Jobs of one leaf queue and one shape, in the order of the queue. */
export interface WaitingKind {
  readonly need: Need;
  /** On some day, on these nodes and within these limits. */
  readonly isPossible: boolean;
  readonly waiting: readonly Waiting[];
}

export interface WaitingLine {
  readonly path: QueuePath;
  readonly kinds: readonly WaitingKind[];
  /** All of them, the next first. */
  readonly waiting: readonly Waiting[];
  /** Do more wait than are looked at? */
  readonly isCut: boolean;
}

/** Somebody who holds resources, or has them reserved. */
export interface Holder {
  readonly job: Job;
  readonly seats: readonly Seat[];
  readonly samples: RunSamples | null;
  /** By when it leaves, as it was asked to; null = it was not. */
  readonly leavesByMs: number | null;
}

export interface Reserved extends Holder {
  readonly at: number;
  /** Who leaves for it. */
  readonly victims: readonly JobId[];
}

export interface Scene {
  readonly nowMs: number;
  /** For trees: of queues, nodes and the policy only. */
  readonly state: ClusterState;
  readonly layout: SupplyLayout;
  readonly holders: readonly Holder[];
  readonly reserved: readonly Reserved[];
  readonly lines: readonly WaitingLine[];
  /** By queue, GPUs of its fair share; empty = nobody asks for them. */
  readonly dues: ReadonlyMap<QueuePath, number>;
  /** Where each is who waits or has a reservation. */
  readonly positions: ReadonlyMap<JobId, number>;
}

/** Jobs that are looked at, in all queues together; of each queue at least a few. */
const WAITING_MAX = 4_000;
const LINE_MIN = 16;
/** Who is in backoff for no longer than this is in line. */
const BACKOFF_MAX_MS = 3_600_000;

/** Pauses after each queue. */
export function* sceneOf(state: ClusterState, nowMs: number): Generator<void, Scene> {
  const frozen = { ...state, queues: new Map(state.queues), nodes: new Map(state.nodes) };
  const tree = new QueueTree(frozen, nowMs);
  const layout = new SupplyLayout(poolOf(state.nodes));
  const isShared = state.policy.isShareReclaimed && tree.isShared(state.pending);
  const dues = isShared ? duesOf(state, tree) : new Map<QueuePath, number>();
  const sampler = new RunSampler(state, nowMs);
  const holders = holdersOf(state, layout, sampler);
  const positions = new Map<JobId, number>();
  const reserved = reservedOf(state, layout, sampler, positions);
  const reader = new LineReader({ state, nowMs, tree, layout, sampler, positions });
  yield;
  const lines: WaitingLine[] = [];
  for (const leaf of reader.leaves()) {
    lines.push(reader.read(leaf));
    yield;
  }
  return { nowMs, state: frozen, layout, holders, reserved, lines, dues, positions };
}

/**
 * The same for a job that has come since, or is yet to: behind the first `aheadCount` of its queue, and
 * with nobody else who waits.
 */
export function sceneBehind(scene: Scene, job: Job, aheadCount: number): Scene {
  const { layout, lines, nowMs, state } = scene;
  const positions = new Map(scene.positions);
  const sampler = new RunSampler(state, nowMs);
  const tree = new QueueTree(state, nowMs);
  const leaf = tree.queue(job.spec.queue);
  const reader = new LineReader({ state, nowMs, tree, layout, sampler, positions });
  const own = lines.find(({ path }) => path === leaf.spec.path);
  const ahead = own?.waiting.slice(0, aheadCount) ?? [];
  const isAhead = new Set(ahead);
  const kinds = (own?.kinds ?? []).map((kind) => {
    return { ...kind, waiting: kind.waiting.filter((one) => isAhead.has(one)) };
  });
  const { kind, waiting } = reader.readOne(leaf, job);
  const line = {
    path: leaf.spec.path,
    kinds: [...kinds, kind],
    waiting: [...ahead, waiting],
    isCut: false,
  };
  return { ...scene, lines: [line], positions };
}

function duesOf(state: ClusterState, tree: QueueTree): ReadonlyMap<QueuePath, number> {
  const dues = [...fairDues(state, tree)];
  return new Map(
    dues.map(([{ spec, accountGpuMs }, milliGpus]) => {
      return [spec.path, entitledGpus(milliGpus, accountGpuMs, state.policy)];
    }),
  );
}

function holdersOf(
  state: ClusterState,
  layout: SupplyLayout,
  sampler: RunSampler,
): readonly Holder[] {
  return [...state.active.values()].map((job) => {
    const seats = tasksHeld(job).flatMap(({ placement }) => layout.seatOf(placement) ?? []);
    const leavesByMs = job.phase.kind === "stopping" ? job.phase.deadlineMs : null;
    return { job, seats, samples: leavesByMs === null ? sampler.of(job) : null, leavesByMs };
  });
}

function reservedOf(
  state: ClusterState,
  layout: SupplyLayout,
  sampler: RunSampler,
  positions: Map<JobId, number>,
): readonly Reserved[] {
  const reserved: Reserved[] = [];
  for (const { jobId, placement, victims } of state.reservations.values()) {
    const job = jobOf(state, jobId);
    if (job.phase.kind !== "pending") continue; // An elastic job that goes on with another size.
    const seats = placement.flatMap((task) => layout.seatOf(task) ?? []);
    const at = positions.size;
    positions.set(jobId, at);
    reserved.push({ job, seats, samples: sampler.of(job), leavesByMs: null, at, victims });
  }
  return reserved;
}

interface LineParts {
  readonly state: ClusterState;
  readonly nowMs: number;
  readonly tree: QueueTree;
  readonly layout: SupplyLayout;
  readonly sampler: RunSampler;
  readonly positions: Map<JobId, number>;
}

/** Reads the queues one by one. */
class LineReader {
  readonly #parts: LineParts;
  readonly #late = new Map<QueuePath, PendingGroup[]>();
  readonly #needs = new Map<Shape, Need>();
  readonly #lineMax: number;

  constructor(parts: LineParts) {
    const { state, nowMs } = parts;
    this.#parts = parts;
    for (const group of state.pending.late(nowMs + BACKOFF_MAX_MS, state.jobs)) {
      const others = this.#late.get(group.kind.queue);
      if (others === undefined) this.#late.set(group.kind.queue, [group]);
      else others.push(group);
    }
    this.#lineMax = Math.max(LINE_MIN, Math.floor(WAITING_MAX / Math.max(1, this.leaves().length)));
  }

  /** Those in which somebody waits. */
  leaves(): readonly QueueNode[] {
    const { state, tree } = this.#parts;
    const paths = new Set(this.#late.keys());
    for (const [path, { classes }] of state.pending.queues()) if (classes.size > 0) paths.add(path);
    return [...tree.all()].filter(({ spec }) => paths.has(spec.path));
  }

  read(leaf: QueueNode): WaitingLine {
    const { state, nowMs, positions } = this.#parts;
    const { path } = leaf.spec;
    const order = new LeafOrder(
      {
        nowMs,
        leaf,
        pending: state.pending.queue(path),
        late: this.#late.get(path) ?? [],
        aged: [],
        runTimes: state.runTimes,
        heldBy: (ownerKey) => leaf.heldByUser.get(ownerKey) ?? 0,
        isWaiting: (id) => !positions.has(id),
      },
      state.policy,
    );
    const kinds = new Map<Shape, { need: Need; isPossible: boolean; waiting: Waiting[] }>();
    const waiting: Waiting[] = [];
    let head = order.next();
    for (; head !== null && waiting.length < this.#lineMax; head = order.next()) {
      const { shape } = head.group.kind;
      const one = this.#waitingOf(jobOf(state, head.entry.id));
      waiting.push(one);
      let kind = kinds.get(shape);
      if (kind === undefined) kinds.set(shape, (kind = this.#kindOf(leaf, shape)));
      kind.waiting.push(one);
      order.charge(shape.gpus);
    }
    return { path, kinds: [...kinds.values()], waiting, isCut: head !== null };
  }

  /** A job that need not wait. */
  readOne(leaf: QueueNode, job: Job): { readonly kind: WaitingKind; readonly waiting: Waiting } {
    const waiting = this.#waitingOf(job);
    return { kind: { ...this.#kindOf(leaf, shapeOf(job.spec)), waiting: [waiting] }, waiting };
  }

  #waitingOf(job: Job): Waiting {
    const { nowMs, positions, sampler } = this.#parts;
    const at = positions.size;
    positions.set(job.id, at);
    const sinceMs = job.phase.kind === "pending" ? job.phase.sinceMs : nowMs;
    return { at, job, fromMs: eligibleFromMs(job) ?? nowMs, sinceMs, samples: sampler.of(job) };
  }

  #kindOf(leaf: QueueNode, shape: Shape): { need: Need; isPossible: boolean; waiting: Waiting[] } {
    const { layout } = this.#parts;
    const isPossible =
      structuralHold(layout.pool, shape) === null && limitExceeded(leaf, shape) === null;
    let need = this.#needs.get(shape);
    if (need === undefined) this.#needs.set(shape, (need = layout.needOf(shape)));
    return { need, isPossible, waiting: [] };
  }
}
