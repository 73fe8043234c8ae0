// Whether a pending job may be looked at by the planner at all: holds, dependencies, its turn in an
// array. Reads the state; what follows from it is done in apply-admission.ts and react.ts.

import type { JobId, QueuePath } from "../../base/ids.ts";
import { endedCount, isArrayOver } from "./array.ts";
import type { Hold, HoldCode, Holds } from "./hold.ts";
import { type Dependency, type Gate, isEnded, type Job } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { ClusterState } from "./state.ts";

/** Why a pending job is withheld from the planner; null when it is not. */
export function withheldBecause(state: ClusterState, job: Job): Hold | null {
  if (job.phase.kind !== "pending" || job.admittedAtMs !== null) return null;
  const array = job.array === null ? undefined : state.arrays.get(job.array.id);
  const closed = gateHold(state, gateOf(state, job));
  if (closed !== null || array === undefined) return closed;
  const parallel = array.spec.array?.parallel ?? array.indexes.length;
  return { code: "ARRAY_PARALLEL", array: array.id, underWay: array.admittedCount, parallel };
}

/** Null when the gate is open. */
export function gateHold(state: ClusterState, { userHold, waitsFor }: Gate): Hold | null {
  if (userHold !== null) return { code: "HELD_BY_USER", ...userHold };
  const [first, ...others] = waitsFor;
  if (first === undefined) return null;
  const phase = state.jobs.get(first.job)?.phase.kind ?? null;
  return { code: "WAITING_FOR_JOB", ...first, phase, others: others.length };
}

/** Why a pending job is not placed: withheld, or as the last planning pass said. */
export function holdOf(state: ClusterState, planned: Pick<Holds, "of"> | null, id: JobId): Hold {
  const job = state.jobs.get(id);
  const withheld = job === undefined ? null : withheldBecause(state, job);
  return withheld ?? planned?.of(id) ?? { code: "EVALUATING" };
}

export type HoldCounts = ReadonlyMap<QueuePath, ReadonlyMap<HoldCode, number>>;

/** Pending jobs of each queue by why they wait; `planned` null = no pass has looked at them yet. */
export function countHolds(state: ClusterState, planned: Holds | null): HoldCounts {
  const counts = new Map<QueuePath, Map<HoldCode, number>>();
  const add = (path: QueuePath, code: HoldCode, jobs: number): void => {
    const ofQueue = counts.get(path) ?? new Map<HoldCode, number>();
    counts.set(path, ofQueue);
    ofQueue.set(code, (ofQueue.get(code) ?? 0) + jobs);
  };
  for (const [path, codes] of planned?.counts() ?? []) {
    for (const [code, jobs] of codes) add(path, code, jobs);
  }
  if (planned === null) {
    for (const [path, { admitted }] of state.pending.queues()) {
      if (admitted.size > 0) add(path, "EVALUATING", admitted.size);
    }
  }
  for (const id of state.pending.withheld()) {
    const job = jobOf(state, id);
    const why = withheldBecause(state, job);
    if (why !== null) add(job.spec.queue, why.code, 1);
  }
  return counts;
}

/** What keeps the job back: its own gate, or its array's. */
function gateOf(state: ClusterState, job: Job): Gate {
  const array = job.array === null ? undefined : state.arrays.get(job.array.id);
  return {
    userHold: job.userHold ?? array?.userHold ?? null,
    waitsFor: job.array === null ? job.waitsFor : (array?.waitsFor ?? []),
  };
}

export const isClosed = ({ userHold, waitsFor }: Gate): boolean =>
  userHold !== null || waitsFor.length > 0;

/** `never` = whatever still happens, it will not end so. */
export type Verdict = "met" | "open" | "never";

/** A target that the state does not have was forgotten, which only ended ones are. */
export function verdictOn(state: ClusterState, { job: target, on }: Dependency): Verdict {
  const array = state.arrays.get(target);
  if (array !== undefined) {
    const isAllWell = array.ended.succeeded === endedCount(array);
    if (on === "ok" && !isAllWell) return "never";
    if (!isArrayOver(array)) return "open";
    return on === "any" || isAllWell === (on === "ok") ? "met" : "never";
  }
  const phase = state.jobs.get(target)?.phase;
  if (phase !== undefined && !isEnded(phase)) return "open";
  if (on === "any") return "met";
  return (phase?.kind === "succeeded") === (on === "ok") ? "met" : "never";
}

/** Why a job whose dependency can no longer be met is over. */
export function neverMessage(state: ClusterState, { job: target, on }: Dependency): string {
  const kind = state.jobs.get(target)?.phase.kind;
  const how = on === "ok" ? `${target} to succeed` : `${target} to fail`;
  const instead =
    kind !== undefined
      ? `which ${kind === "cancelled" ? "was cancelled" : kind}`
      : on === "ok"
        ? "of which an element did not"
        : "which succeeded";
  return `it waited for ${how}, ${instead}`;
}

/** Jobs and arrays that wait for this one, the oldest first. */
export function dependentsOf(state: ClusterState, target: JobId): readonly JobId[] {
  const ids = [...(state.dependents.get(target) ?? [])];
  return ids.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}
