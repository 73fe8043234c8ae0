// The part of the fold that is a job's life: submitted, placed, its tasks, stopped, ended, requeued.
// Called by `apply` only.

import { assert, unreachable } from "../../base/assert.ts";
import type { Digest, JobId, NodeId } from "../../base/ids.ts";
import { fileJob, releaseTask, takeTask } from "./allocate.ts";
import {
  admitNext,
  applyAdmissionEvent,
  countEnded,
  countForgotten,
  enterPending,
  leavePending,
  noteDependent,
  readmit,
} from "./apply-admission.ts";
import { count, countPreemption } from "./apply-counts.ts";
import { isClosed } from "./admission.ts";
import { arrayIndexes, elementAt } from "./array.ts";
import type { EventOf } from "./events.ts";
import {
  type Attempt,
  type AttemptOutcome,
  type AttemptRecord,
  activeAttempt,
  ATTEMPTS_KEPT,
  type Identity,
  isResize,
  type Job,
  type JobArray,
  type JobPhase,
  type JobSpec,
  type StopCause,
  type TaskExit,
  type TaskState,
} from "./job.ts";
import { jobOf, oldestBeyond } from "./lookup.ts";
import { usefulRunMs } from "./remaining-time.ts";
import { learnRunTime } from "./run-times.ts";
import { ENDED_JOBS_KEPT, type MutableClusterState, NODE_BUNDLES_KEPT } from "./state.ts";
import { upgradeSpec } from "./upgrade.ts";

/** How many failing nodes a job remembers to avoid. */
const AVOID_NODES_KEPT = 8;

export type JobLifeEvent = EventOf<
  | "job.submitted"
  | "array.submitted"
  | "job.dependency-met"
  | "job.held"
  | "job.released"
  | "job.forecast-set"
  | "job.placed"
  | "attempt.rendezvous-set"
  | "task.preparing"
  | "task.started"
  | "task.ended"
  | "job.stopping"
  | "attempt.ended"
  | "job.requeued"
  | "job.ended"
>;

export function applyJobEvent(state: MutableClusterState, event: JobLifeEvent): void {
  switch (event.kind) {
    case "job.submitted":
      return submitJob(state, event);
    case "array.submitted":
      return submitArray(state, event);
    case "job.dependency-met":
    case "job.held":
    case "job.released":
      return applyAdmissionEvent(state, event);
    case "job.forecast-set":
      return setForecast(state, event);
    case "job.placed":
      return placeJob(state, event);
    case "attempt.rendezvous-set":
      return updateAttempt(state, event, (attempt) => ({
        ...attempt,
        rendezvous: event.rendezvous,
      }));
    case "task.preparing":
    case "task.started":
    case "task.ended":
      return changeTask(state, event);
    case "job.stopping":
      return stopJob(state, event);
    case "attempt.ended":
      return endAttempt(state, event);
    case "job.requeued":
      return requeueJob(state, event);
    case "job.ended":
      return endJob(state, event);
    default:
      return unreachable(event);
  }
}

function submitJob(state: MutableClusterState, event: EventOf<"job.submitted">): void {
  state.jobNumberLast += 1;
  const spec = upgradeSpec(event.spec);
  const gate = { userHold: holdOf(spec, event.owner, state.atMs), waitsFor: spec.after };
  const admittedAtMs = isClosed(gate) ? null : state.atMs;
  const job = { ...newJob(state, event.jobId, spec, event.owner), ...gate, admittedAtMs };
  enterPending(state, job);
  noteDependent(state, job);
  count(state, spec, "submitted", 1);
}

function submitArray(state: MutableClusterState, event: EventOf<"array.submitted">): void {
  const { jobId: id, owner } = event;
  const spec = upgradeSpec(event.spec);
  const indexes = arrayIndexes(spec);
  const array: JobArray = {
    id,
    spec,
    owner,
    submittedAtMs: state.atMs,
    indexes,
    userHold: holdOf(spec, owner, state.atMs),
    waitsFor: spec.after,
    admittedCount: 0,
    cursor: 0,
    ended: { succeeded: 0, failed: 0, cancelled: 0 },
    forgottenCount: 0,
  };
  state.jobNumberLast += 1 + indexes.length;
  state.arrays.set(id, array);
  noteDependent(state, array);
  indexes.forEach((index, position) => {
    const job = newJob(state, elementAt(array, position), spec, owner);
    enterPending(state, { ...job, array: { id, index } });
  });
  admitNext(state, id);
  count(state, spec, "submitted", indexes.length);
}

function holdOf(spec: JobSpec, { user, tenant }: Identity, atMs: number): Job["userHold"] {
  return spec.isHeld ? { by: `${user}@${tenant}`, why: "submitted held", atMs } : null;
}

function newJob(state: MutableClusterState, id: JobId, spec: JobSpec, owner: Identity): Job {
  const beginAtMs = Math.max(state.atMs, spec.beginAtMs ?? state.atMs);
  return {
    id,
    spec,
    owner,
    submittedAtMs: state.atMs,
    array: null,
    userHold: null,
    waitsFor: [],
    admittedAtMs: null,
    phase: { kind: "pending", sinceMs: beginAtMs, notBeforeMs: beginAtMs, cause: "submitted" },
    attemptLast: 0,
    history: [],
    failures: 0,
    preemptions: 0,
    nodeLosses: 0,
    attainedGpuMs: 0,
    lostGpuMs: 0,
    checkpoints: [],
    avoidNodes: [],
    forecast: null,
  };
}

function setForecast(state: MutableClusterState, event: EventOf<"job.forecast-set">): void {
  const job = jobOf(state, event.jobId);
  const { remainingMs } = event;
  const { atMs } = state;
  const forecast = { remainingMs, atMs, ranMs: usefulRunMs(job, atMs) };
  if (job.phase.kind !== "pending") {
    fileJob(state, { ...job, forecast });
    return;
  }
  leavePending(state, job);
  enterPending(state, { ...job, forecast });
}

function placeJob(state: MutableClusterState, event: EventOf<"job.placed">): void {
  const job = jobOf(state, event.jobId);
  assert(job.phase.kind === "pending", `${job.id} placed while ${job.phase.kind}`);
  assert(job.admittedAtMs !== null, `${job.id} placed while it is withheld`);
  assert(event.attempt === job.attemptLast + 1, `${job.id} attempt ${event.attempt} out of order`);
  const attempt: Attempt = {
    number: event.attempt,
    placement: event.placement,
    placedSeq: state.seq,
    placedAtMs: state.atMs,
    runningAtMs: null,
    resumeFrom: event.resumeFrom,
    rendezvous: null,
    tasks: event.placement.map(() => ({ kind: "assigned" })),
  };
  state.reservations.delete(job.id);
  leavePending(state, job);
  fileJob(state, {
    ...job,
    attemptLast: event.attempt,
    phase: { kind: "placed", attempt },
  });
  event.placement.forEach((task, rank) => takeTask(state, job, event.attempt, rank, task));
  if (job.spec.bundle !== null) noteBundle(state, job.spec.bundle.digest, event.placement);
  count(state, job.spec, "placements", 1);
}

/** The agents keep what they fetched: who comes with the same code starts sooner there. */
function noteBundle(
  state: MutableClusterState,
  bundle: Digest,
  placement: Attempt["placement"],
): void {
  for (const { nodeId } of placement) {
    const node = state.nodes.get(nodeId);
    if (node === undefined || node.bundles.at(-1) === bundle) continue;
    const bundles = [...node.bundles.filter((other) => other !== bundle), bundle];
    state.nodes.set(nodeId, { ...node, bundles: bundles.slice(-NODE_BUNDLES_KEPT) });
  }
}

function updateAttempt(
  state: MutableClusterState,
  event: { readonly jobId: JobId; readonly attempt: number },
  change: (attempt: Attempt) => Attempt,
): void {
  const job = jobOf(state, event.jobId);
  const attempt = activeAttempt(job.phase);
  assert(attempt?.number === event.attempt, `${job.id} has no active attempt ${event.attempt}`);
  fileJob(state, { ...job, phase: phaseWith(job.phase, change(attempt), state.atMs) });
}

/** The phase follows from the tasks, except that a stopping attempt stays so to its end. */
function phaseWith(phase: JobPhase, attempt: Attempt, nowMs: number): JobPhase {
  if (phase.kind === "stopping") return { ...phase, attempt };
  if (attempt.tasks.every((task) => task.kind === "assigned")) return { kind: "placed", attempt };
  const allStarted = attempt.tasks.every(
    (task) => task.kind === "running" || task.kind === "ended",
  );
  if (!allStarted) return { kind: "starting", attempt };
  return { kind: "running", attempt: { ...attempt, runningAtMs: attempt.runningAtMs ?? nowMs } };
}

function changeTask(
  state: MutableClusterState,
  event: EventOf<"task.preparing" | "task.started" | "task.ended">,
): void {
  updateAttempt(state, event, (attempt) => ({
    ...attempt,
    tasks: attempt.tasks.map((task, rank) => {
      if (rank !== event.rank) return task;
      assert(task.kind !== "ended", `${event.jobId} rank ${rank}: ${event.kind} after its end`);
      return nextTaskState(event, state.atMs);
    }),
  }));
  if (event.kind === "task.ended") releaseTask(state, event);
}

function nextTaskState(
  event: EventOf<"task.preparing" | "task.started" | "task.ended">,
  nowMs: number,
): TaskState {
  switch (event.kind) {
    case "task.preparing":
      return { kind: "preparing" };
    case "task.started":
      return { kind: "running", sinceMs: nowMs };
    case "task.ended":
      return { kind: "ended", atMs: nowMs, exit: event.exit };
  }
}

function stopJob(state: MutableClusterState, event: EventOf<"job.stopping">): void {
  const job = jobOf(state, event.jobId);
  const attempt = activeAttempt(job.phase);
  assert(attempt?.number === event.attempt, `${job.id} has no active attempt ${event.attempt}`);
  const { cause, deadlineMs } = event;
  const askedAtMs = job.phase.kind === "stopping" ? job.phase.askedAtMs : state.atMs;
  fileJob(state, {
    ...job,
    phase: { kind: "stopping", attempt, cause, askedAtMs, deadlineMs },
  });
  // A second order, with a nearer deadline, is no second preemption.
  const isKnown = job.phase.kind === "stopping" && job.phase.cause.kind === "preempted";
  if (cause.kind !== "preempted" || isKnown) return;
  countPreemption(state, job.spec, cause.how);
}

/** Back to pending for a moment: `job.requeued` or `job.ended`, which follow at once, say for how long. */
function endAttempt(state: MutableClusterState, event: EventOf<"attempt.ended">): void {
  const job = jobOf(state, event.jobId);
  const attempt = activeAttempt(job.phase);
  assert(attempt?.number === event.attempt, `${job.id} has no active attempt ${event.attempt}`);
  assert(
    attempt.tasks.every((task) => task.kind === "ended"),
    `${job.id} ended with live tasks`,
  );
  const cause = job.phase.kind === "stopping" ? job.phase.cause : null;
  const failedOn = failingNode(attempt, cause);
  state.active.delete(job.id);
  enterPending(state, {
    ...job,
    phase: { kind: "pending", sinceMs: state.atMs, notBeforeMs: state.atMs, cause: "failed" },
    history: [...job.history, attemptRecord(attempt, cause, event, state.atMs)].slice(
      -ATTEMPTS_KEPT,
    ),
    failures: job.failures + (event.outcome === "failed" ? 1 : 0),
    preemptions: job.preemptions + (event.outcome === "preempted" && !isResize(cause) ? 1 : 0),
    nodeLosses: job.nodeLosses + (isNodesFault(event.outcome) ? 1 : 0),
    lostGpuMs: job.lostGpuMs + event.lostGpuMs,
    avoidNodes: failedOn === null ? job.avoidNodes : avoiding(job.avoidNodes, failedOn),
  });
  readmit(state, job.id);
  state.totals = { ...state.totals, lostGpuMs: state.totals.lostGpuMs + event.lostGpuMs };
}

function isNodesFault(outcome: AttemptOutcome): boolean {
  return outcome === "node_lost" || outcome === "node_failed";
}

function attemptRecord(
  attempt: Attempt,
  cause: StopCause | null,
  event: EventOf<"attempt.ended">,
  nowMs: number,
): AttemptRecord {
  return {
    number: attempt.number,
    placement: attempt.placement,
    placedAtMs: attempt.placedAtMs,
    runningAtMs: attempt.runningAtMs,
    endedAtMs: nowMs,
    resumeFrom: attempt.resumeFrom,
    outcome: event.outcome,
    cause,
    exit: firstExit(attempt, cause),
    lostGpuMs: event.lostGpuMs,
  };
}

/** What a person should read first: the failure that stopped the gang, else the first bad exit. */
function firstExit(attempt: Attempt, cause: StopCause | null): TaskExit | null {
  if (cause?.kind === "task_failed" || cause?.kind === "node_failed") return cause.exit;
  for (const task of attempt.tasks) {
    if (task.kind === "ended" && task.exit.code !== 0) return task.exit;
  }
  return null;
}

function requeueJob(state: MutableClusterState, event: EventOf<"job.requeued">): void {
  const job = jobOf(state, event.jobId);
  assert(job.phase.kind === "pending", `${job.id} requeued while ${job.phase.kind}`);
  const { cause, notBeforeMs } = event;
  leavePending(state, job);
  enterPending(state, { ...job, phase: { ...job.phase, cause, notBeforeMs } });
}

function endJob(state: MutableClusterState, event: EventOf<"job.ended">): void {
  const job = jobOf(state, event.jobId);
  leavePending(state, job);
  fileJob(state, { ...job, phase: { ...event.result, endedAtMs: state.atMs } });
  const kind = event.result.kind;
  if (kind === "succeeded") {
    learnRunTime(state.runTimes, job.spec, job.owner, usefulRunMs(job, state.atMs));
  }
  countEnded(state, job, kind);
  count(state, job.spec, kind, 1);
  state.ended.add(job.id);
  for (const oldest of oldestBeyond(state.ended, ENDED_JOBS_KEPT)) {
    state.ended.delete(oldest);
    countForgotten(state, jobOf(state, oldest));
    state.jobs.delete(oldest);
  }
}

function failingNode(attempt: Attempt, cause: StopCause | null): NodeId | null {
  if (cause?.kind === "node_failed") return cause.nodeId;
  if (cause?.kind !== "task_failed") return null;
  return attempt.placement[cause.rank]?.nodeId ?? null;
}

function avoiding(nodes: readonly NodeId[], failedOn: NodeId): readonly NodeId[] {
  return [...nodes.filter((node) => node !== failedOn), failedOn].slice(-AVOID_NODES_KEPT);
}
