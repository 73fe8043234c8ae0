// Why each job that stays pending is not placed, with the numbers as they are once the plan is
// carried out. Reads the finished pass; decides nothing.

import type { JobId } from "../../base/ids.ts";
import { fitGang } from "./gang.ts";
import type { Hold } from "./hold.ts";
import { jobOf } from "./lookup.ts";
import type { WaitingJob } from "./order.ts";
import type { Pass } from "./pass.ts";
import { countedUse, limitExceeded, limitReached, type QueueNode } from "./queue-tree.ts";
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
  readonly holder: JobId | null;
  /** Set when only its topology is in the way. */
  readonly topology: Hold | null;
}

export class HoldBook {
  readonly holds = new Map<JobId, Hold>();
  readonly #pass: Pass;
  readonly #structural = new Map<Shape, Hold | null>();
  readonly #supplies = new Map<Shape, Supply>();

  constructor(pass: Pass) {
    this.#pass = pass;
  }

  /** Set when no cluster state but another set of nodes could help; null when the shape can fit. */
  structural(shape: Shape): Hold | null {
    let hold = this.#structural.get(shape);
    if (hold === undefined) {
      hold = structuralHold(this.#pass.raw, shape);
      this.#structural.set(shape, hold);
    }
    return hold;
  }

  /** Writes the holds of one leaf queue's blocked jobs, given in the order of the walk. */
  write(leaf: QueueNode, blocked: readonly WaitingJob[]): void {
    const ahead: JobId[] = [];
    let aheadCount = 0;
    let named: readonly JobId[] = [];
    // One object for all jobs of a shape, but where it tells who is ahead.
    const shared = new Map<Shape, Hold>();
    for (const { job, shape } of blocked) {
      let hold = shared.get(shape);
      hold ??= this.#holdFor(leaf, shape, named, aheadCount);
      if (hold.code !== "WAITING_FOR_GPUS") shared.set(shape, hold);
      this.holds.set(job.id, hold);
      aheadCount += 1;
      if (ahead.length >= AHEAD_NAMED) continue;
      ahead.push(job.id);
      named = [...ahead];
    }
  }

  #holdFor(leaf: QueueNode, shape: Shape, ahead: readonly JobId[], aheadCount: number): Hold {
    const never = this.structural(shape) ?? quotaHold(leaf, shape);
    return never ?? this.#supplyHold(shape, ahead, aheadCount);
  }

  writeReserved(): void {
    for (const [jobId, { victims }] of this.#pass.reserved) {
      const still = victims.filter((id) => this.#pass.isLeaving(id));
      const deadlines = still.map((id) => deadlineOf(this.#pass, id));
      const deadlineMs = deadlines.reduce((latest, at) => Math.max(latest, at), this.#pass.nowMs);
      this.holds.set(jobId, { code: "WAITING_FOR_PREEMPTED", victims: still, deadlineMs });
    }
  }

  #supplyHold(shape: Shape, ahead: readonly JobId[], aheadCount: number): Hold {
    let supply = this.#supplies.get(shape);
    if (supply === undefined) this.#supplies.set(shape, (supply = supplyOf(this.#pass, shape)));
    const { free, nodesFit, holder, topology } = supply;
    const asked = shape.gpus;
    if (topology !== null) return topology;
    if (holder !== null) return { code: "RESERVED_FOR_OTHER", holder, asked, free };
    if (free < asked) return { code: "WAITING_FOR_GPUS", asked, free, ahead, aheadCount };
    const { nodes: nodesAsked, perNode } = shape;
    return { code: "FRAGMENTED", nodesAsked, gpusPerNode: perNode.gpus, free, nodesFit };
  }
}

function quotaHold(leaf: QueueNode, shape: Shape): Hold | null {
  const asked = shape.gpus;
  const never = limitExceeded(leaf, asked);
  if (never?.spec.limit !== undefined && never.spec.limit !== null) {
    const { path, limit } = never.spec;
    return { code: "EXCEEDS_QUEUE_LIMIT", queue: path, asked, limit };
  }
  const now = limitReached(leaf, asked);
  if (now?.spec.limit === undefined || now.spec.limit === null) return null;
  const { path, limit } = now.spec;
  return { code: "WAITING_FOR_QUOTA", queue: path, asked, allocated: countedUse(now), limit };
}

function supplyOf(pass: Pass, shape: Shape): Supply {
  const types = alternatives(shape, pass.raw.types).flat();
  const free = types.reduce((sum, type) => sum + pass.raw.indexOf(type).freeTotal, 0);
  const nodesFit = fullestSite(pass.raw, shape)?.nodesFit ?? 0;
  const isRoom = nodesFit >= shape.nodes;
  const holder = isRoom ? holderOf(pass, shape) : null;
  return { free, nodesFit, holder, topology: isRoom ? null : topologyHoldNow(pass.raw, shape) };
}

/** Of those who keep something where it would fit, the one with the oldest promise. */
function holderOf(pass: Pass, shape: Shape): JobId | null {
  const fitted = fitGang(pass.raw, shape) ?? [];
  for (const { nodeId } of fitted) {
    const kept = pass.keptOn(nodeId)[0];
    if (kept !== undefined) return kept.holder;
  }
  return null;
}

function deadlineOf(pass: Pass, id: JobId): number {
  const { phase, spec } = jobOf(pass.state, id);
  return phase.kind === "stopping" ? phase.deadlineMs : pass.nowMs + spec.graceMs;
}
