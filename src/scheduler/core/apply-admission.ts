// The part of the fold that admits pending jobs: the gates of jobs and arrays, and whose turn it is
// in an array. Called by `apply` only.
//
// An array of %K keeps at most K elements admitted that have not ended. So a planning pass needs no
// count of its own, and an element that was preempted keeps its turn.

import { must } from "../../base/assert.ts";
import type { JobId } from "../../base/ids.ts";
import { isClosed } from "./admission.ts";
import { fileJob } from "./allocate.ts";
import { elementAt, elementsOf, isArrayOver, positionOf } from "./array.ts";
import type { EventOf } from "./events.ts";
import type { Dependency, Gate, Job, JobArray } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { MutableClusterState } from "./state.ts";

export type AdmissionEvent = EventOf<"job.dependency-met" | "job.held" | "job.released">;

export function applyAdmissionEvent(state: MutableClusterState, event: AdmissionEvent): void {
  const { jobId } = event;
  const array = state.arrays.get(jobId);
  const gate = changedGate(state, array ?? jobOf(state, jobId), event);
  if (array !== undefined) {
    state.arrays.set(jobId, { ...array, ...gate });
    return reconsiderArray(state, jobId);
  }
  fileJob(state, { ...jobOf(state, jobId), ...gate });
  reconsiderJob(state, jobId);
}

function changedGate(
  state: MutableClusterState,
  { id, waitsFor, userHold }: Gate & { readonly id: JobId },
  event: AdmissionEvent,
): Gate {
  switch (event.kind) {
    case "job.held":
      return { waitsFor, userHold: { by: event.by, why: event.why, atMs: state.atMs } };
    case "job.released":
      return { waitsFor, userHold: null };
    case "job.dependency-met":
      forgetDependent(state, id, [{ job: event.on, on: "any" }]);
      return { userHold, waitsFor: waitsFor.filter(({ job }) => job !== event.on) };
  }
}

/** Admits what may be placed now; withdraws what may not any more. */
function reconsiderJob(state: MutableClusterState, id: JobId): void {
  const job = jobOf(state, id);
  if (job.phase.kind !== "pending") return;
  const array = job.array === null ? undefined : state.arrays.get(job.array.id);
  const mustWait = isClosed(job) || (array !== undefined && isClosed(array));
  if (isAdmitted(job) && mustWait) withdraw(state, job);
  if (array === undefined) {
    if (!isAdmitted(job) && !mustWait) admit(state, job);
    return;
  }
  // Also while the array is held: once it is not, this one's turn comes.
  if (!isAdmitted(job) && !isClosed(job)) rewind(state, array.id, positionOf(array, id));
  admitNext(state, array.id);
}

function reconsiderArray(state: MutableClusterState, id: JobId): void {
  const array = arrayOf(state, id);
  if (!isClosed(array)) return admitNext(state, id);
  for (const job of elementsOf(state, array)) {
    if (job.phase.kind === "pending" && isAdmitted(job)) withdraw(state, job);
  }
}

/** Admits elements in the order of their indexes, as many as may be under way. */
export function admitNext(state: MutableClusterState, id: JobId): void {
  const array = arrayOf(state, id);
  if (isClosed(array)) return;
  const parallel = array.spec.array?.parallel ?? array.indexes.length;
  let { cursor, admittedCount } = array;
  for (; cursor < array.indexes.length && admittedCount < parallel; cursor += 1) {
    const job = state.jobs.get(elementAt(array, cursor));
    if (job?.phase.kind !== "pending" || isAdmitted(job) || isClosed(job)) continue;
    admittedCount += 1;
    admit(state, job);
  }
  state.arrays.set(id, { ...array, cursor, admittedCount });
}

/** An attempt of it has ended, and it is not placed again while its array is held. */
export function readmit(state: MutableClusterState, id: JobId): void {
  const { array } = jobOf(state, id);
  if (array !== null && isClosed(arrayOf(state, array.id))) reconsiderJob(state, id);
}

/** After the job's phase says so. */
export function countEnded(state: MutableClusterState, job: Job, how: keyof JobArray["ended"]) {
  forgetDependent(state, job.id, job.waitsFor);
  if (job.array === null) return;
  const array = arrayOf(state, job.array.id);
  const ended = { ...array.ended, [how]: array.ended[how] + 1 };
  const admittedCount = array.admittedCount - (isAdmitted(job) ? 1 : 0);
  state.arrays.set(array.id, { ...array, ended, admittedCount });
  if (isArrayOver(arrayOf(state, array.id))) forgetDependent(state, array.id, array.waitsFor);
  else admitNext(state, array.id);
}

/** The state is about to lose an ended element; the array goes with its last one. */
export function countForgotten(state: MutableClusterState, job: Job): void {
  if (job.array === null) return;
  const array = arrayOf(state, job.array.id);
  const forgottenCount = array.forgottenCount + 1;
  if (forgottenCount === array.indexes.length) state.arrays.delete(array.id);
  else state.arrays.set(array.id, { ...array, forgottenCount });
}

export function noteDependent(state: MutableClusterState, { id, waitsFor }: Waiting): void {
  for (const { job: target } of waitsFor) {
    const known = state.dependents.get(target);
    if (known === undefined) state.dependents.set(target, new Set([id]));
    else known.add(id);
  }
}

type Waiting = Pick<Gate, "waitsFor"> & { readonly id: JobId };

function forgetDependent(
  state: MutableClusterState,
  id: JobId,
  waitsFor: readonly Dependency[],
): void {
  for (const { job: target } of waitsFor) {
    const known = state.dependents.get(target);
    known?.delete(id);
    if (known?.size === 0) state.dependents.delete(target);
  }
}

function admit(state: MutableClusterState, job: Job): void {
  const phase = job.phase.kind === "pending" ? { ...job.phase, sinceMs: state.atMs } : job.phase;
  leavePending(state, job);
  enterPending(state, { ...job, phase, admittedAtMs: state.atMs });
}

function withdraw(state: MutableClusterState, job: Job): void {
  leavePending(state, job);
  enterPending(state, { ...job, admittedAtMs: null });
  if (job.array === null) return;
  const array = arrayOf(state, job.array.id);
  state.arrays.set(array.id, { ...array, admittedCount: array.admittedCount - 1 });
  rewind(state, array.id, positionOf(array, job.id));
}

/** The element at this position is to be looked at again when a turn is free. */
function rewind(state: MutableClusterState, id: JobId, position: number): void {
  const array = arrayOf(state, id);
  if (position < array.cursor) state.arrays.set(id, { ...array, cursor: position });
}

/** Files a pending job, also in the map of jobs. */
export function enterPending(state: MutableClusterState, job: Job): void {
  fileJob(state, job);
  state.pending.add(job, state.atMs, state.seq);
}

export function leavePending(state: MutableClusterState, job: Job): void {
  state.pending.remove(job);
}

const isAdmitted = ({ admittedAtMs }: Job): boolean => admittedAtMs !== null;

const arrayOf = (state: MutableClusterState, id: JobId): JobArray =>
  must(state.arrays.get(id), `array ${id}`);
