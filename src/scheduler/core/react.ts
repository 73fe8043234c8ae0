// What follows by itself from an event, given the state right after it. Together with `decide` this
// is the whole life of a job; `step` in cycle.ts runs both and writes everything to the log, so a
// restart needs only `apply`.

import { must } from "../../base/assert.ts";
import type { JobId } from "../../base/ids.ts";
import { taskEnded } from "./decide-report.ts";
import { isWhole } from "./decide-checkpoint.ts";
import { elementIds } from "./array.ts";
import type { ClusterEvent, DropReason, EventOf } from "./events.ts";
import {
  type Attempt,
  type AttemptOutcome,
  activeAttempt,
  type Checkpoint,
  isResize,
  type Job,
  type StopCause,
  type TaskExit,
  type TaskState,
} from "./job.ts";
import { jobOf, nodeOf } from "./lookup.ts";
import { afterJobEnd, startedWaiting } from "./react-dependency.ts";
import type { ClusterState, Policy } from "./state.ts";

/** So often in a row a job that a node failed starts again at once; then it waits longer each time. */
const NODE_FAILURES_AT_ONCE = 3;

/** How long a preempted job waits for its last checkpoint to be committed before it may start. */
const COMMIT_WAIT_MS = 5_000;

export function react(
  state: ClusterState,
  event: ClusterEvent,
  nowMs: number,
  policy: Policy,
): readonly ClusterEvent[] {
  switch (event.kind) {
    case "node.lost":
      return nodeOf(state, event.nodeId).allocations.map((held) =>
        taskEnded(held, "lost", `node ${event.nodeId} did not answer within its lease`),
      );
    case "task.ended":
      return afterTaskEnd(state, event, nowMs, policy);
    case "job.stopping":
      return [...giveUpResize(state, event), ...endIfDone(jobOf(state, event.jobId), nowMs)];
    case "attempt.ended":
      return afterAttempt(jobOf(state, event.jobId), event, nowMs, policy);
    case "job.submitted":
    case "array.submitted":
      return startedWaiting(state, event.jobId);
    case "job.held":
      return dropReservations(state, event.jobId, "job_held");
    case "job.ended":
      return [
        ...dropReservations(state, event.jobId, "job_ended"),
        ...afterJobEnd(state, event.jobId),
      ];
    case "checkpoint.part-stored":
      return partsOfEnded(jobOf(state, event.jobId), event);
    case "checkpoint.committed":
      return startSooner(jobOf(state, event.jobId), nowMs);
    default:
      return [];
  }
}

/** What was kept for its next size is free again if it is told to stop for another reason. */
function giveUpResize(
  state: ClusterState,
  { jobId, cause }: EventOf<"job.stopping">,
): readonly ClusterEvent[] {
  if (isResize(cause)) return [];
  return dropReservations(state, jobId, cause.kind === "preempted" ? "node_gone" : "job_ended");
}

const endedWell = (exit: TaskExit): boolean => exit.reason === "exited" && exit.code === 0;

function afterTaskEnd(
  state: ClusterState,
  event: EventOf<"task.ended">,
  nowMs: number,
  policy: Policy,
): readonly ClusterEvent[] {
  const job = jobOf(state, event.jobId);
  const attempt = must(activeAttempt(job.phase), `attempt of ${job.id}`);
  const empty = emptyParts(job, attempt, [event.rank]);
  if (job.phase.kind === "stopping" || endedWell(event.exit)) {
    return [...empty, ...endIfDone(job, nowMs)];
  }
  // One bad end breaks the gang: the others would only hang in a collective.
  const deadlineMs = nowMs + policy.stopGraceMs;
  const cause = breakCause(attempt, event);
  const number = attempt.number;
  return [...empty, { kind: "job.stopping", jobId: job.id, attempt: number, cause, deadlineMs }];
}

/** A task that is over adds nothing more: what its gang is gathering need not wait for it. */
function emptyParts(job: Job, attempt: Attempt, ranks: readonly number[]): readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  for (const { id, step, takenAtMs, parts, state, attempt: of } of job.checkpoints) {
    if (state !== "gathering" || of !== attempt.number) continue;
    for (const rank of ranks) {
      if (!isDone(attempt.tasks[rank]) || parts.some((part) => part.rank === rank)) continue;
      const part = { rank, digest: null, sizeBytes: 0, uploadedBytes: 0 };
      const at = { jobId: job.id, attempt: of, checkpointId: id, step, takenAtMs };
      events.push({ kind: "checkpoint.part-stored", ...at, part });
    }
  }
  return events;
}

/** Ends after which nothing more is stored. */
const CUT_OFF: ReadonlySet<TaskExit["reason"]> = new Set([
  "lost",
  "lease_expired",
  "supervisor_lost",
]);

/** Over, and its agent had the time to store all that it wrote. */
function isDone(task: TaskState | undefined): boolean {
  return task?.kind === "ended" && !CUT_OFF.has(task.exit.reason);
}

/** The first part of a checkpoint may come after other tasks are over. */
function partsOfEnded(job: Job, event: EventOf<"checkpoint.part-stored">): readonly ClusterEvent[] {
  const attempt = activeAttempt(job.phase);
  if (event.part.digest === null || attempt === null || attempt.number !== event.attempt) return [];
  return emptyParts(job, attempt, [...attempt.tasks.keys()]);
}

function breakCause(attempt: Attempt, event: EventOf<"task.ended">): StopCause {
  const { rank, exit } = event;
  const { nodeId } = must(attempt.placement[rank], `placement of rank ${rank}`);
  switch (exit.reason) {
    case "lost":
    case "lease_expired":
      return { kind: "node_lost", nodeId };
    case "disk_full":
    case "supervisor_lost":
      return { kind: "node_failed", nodeId, rank, exit };
    default:
      return { kind: "task_failed", rank, exit };
  }
}

function endIfDone(job: Job, nowMs: number): readonly ClusterEvent[] {
  const attempt = activeAttempt(job.phase);
  if (attempt === null || attempt.tasks.some((task) => task.kind !== "ended")) return [];
  const outcome = outcomeOf(job, attempt);
  const lostGpuMs = outcome === "succeeded" ? 0 : lostWork(job, attempt, nowMs);
  return [{ kind: "attempt.ended", jobId: job.id, attempt: attempt.number, outcome, lostGpuMs }];
}

function outcomeOf(job: Job, attempt: Attempt): AttemptOutcome {
  const cause = job.phase.kind === "stopping" ? job.phase.cause : null;
  const allWell = attempt.tasks.every((task) => task.kind === "ended" && endedWell(task.exit));
  if (cause?.kind === "cancelled") return "cancelled";
  // Every process came to its own good end before the order to stop reached it.
  if (cause === null || allWell) return "succeeded";
  switch (cause.kind) {
    case "preempted":
      return "preempted";
    case "time_limit":
      return "time_limit";
    case "node_lost":
    case "node_failed":
      return cause.kind;
    case "task_failed":
      return cause.exit.reason === "restore_failed" ? "restore_failed" : "failed";
  }
}

/** GPU time since the newest checkpoint of this attempt, or since it ran: to be done again. */
function lostWork(job: Job, attempt: Attempt, nowMs: number): number {
  if (attempt.runningAtMs === null) return 0;
  let savedAtMs = attempt.runningAtMs;
  for (const checkpoint of job.checkpoints) {
    const counts = checkpoint.state === "committed" || willBeWhole(checkpoint, attempt);
    if (checkpoint.attempt !== attempt.number || checkpoint.state === "rejected" || !counts)
      continue;
    savedAtMs = Math.max(savedAtMs, Math.min(checkpoint.takenAtMs, nowMs));
  }
  let lostGpuMs = 0;
  for (const task of attempt.tasks) {
    const endedAtMs = task.kind === "ended" ? task.atMs : nowMs;
    lostGpuMs += Math.max(0, endedAtMs - savedAtMs) * job.spec.perNode.gpus;
  }
  return lostGpuMs;
}

function willBeWhole(checkpoint: Checkpoint, attempt: Attempt): boolean {
  const stored = new Set(checkpoint.parts.map((part) => part.rank));
  return attempt.tasks.every((task, rank) => stored.has(rank) || isDone(task));
}

function afterAttempt(
  job: Job,
  event: EventOf<"attempt.ended">,
  nowMs: number,
  policy: Policy,
): readonly ClusterEvent[] {
  const jobId = job.id;
  const record = must(job.history.at(-1), `history of ${jobId}`);
  switch (event.outcome) {
    case "succeeded":
      return [{ kind: "job.ended", jobId, result: { kind: "succeeded" } }];
    case "cancelled": {
      const { by, why } = record.cause?.kind === "cancelled" ? record.cause : { by: "", why: "" };
      return [{ kind: "job.ended", jobId, result: { kind: "cancelled", by, why } }];
    }
    case "time_limit":
      return [
        { kind: "job.ended", jobId, result: { kind: "failed", reason: "time_limit", exit: null } },
      ];
    case "preempted": {
      const notBeforeMs = nowMs + (hasUncommitted(job) ? COMMIT_WAIT_MS : 0);
      return [{ kind: "job.requeued", jobId, cause: "preempted", notBeforeMs }];
    }
    case "node_lost":
      return [{ kind: "job.requeued", jobId, cause: "node_lost", notBeforeMs: nowMs }];
    case "node_failed": {
      const notBeforeMs = nowMs + nodeFailedWait(job, policy);
      return [{ kind: "job.requeued", jobId, cause: "node_failed", notBeforeMs }];
    }
    case "restore_failed":
      return afterBadRestore(job, record.resumeFrom, record.exit, nowMs);
    case "failed":
      return afterFailure(job, record.exit, nowMs, policy);
  }
}

/** The checkpoint is given up; the one before it is tried next, and in the end none. */
function afterBadRestore(
  job: Job,
  resumeFrom: Attempt["resumeFrom"],
  exit: TaskExit | null,
  nowMs: number,
): readonly ClusterEvent[] {
  const jobId = job.id;
  const known = job.checkpoints.find(({ id }) => id === resumeFrom);
  const requeued: ClusterEvent = {
    kind: "job.requeued",
    jobId,
    cause: "restore_failed",
    notBeforeMs: nowMs,
  };
  if (known === undefined || known.state === "rejected") return [requeued];
  const why = exit?.message ?? "it could not be restored";
  return [{ kind: "checkpoint.rejected", jobId, checkpointId: known.id, why }, requeued];
}

/** No job fails for it; but one that fills every disk that it gets must not go round without end. */
function nodeFailedWait(job: Job, policy: Policy): number {
  const others = job.history.findLastIndex(({ outcome }) => outcome !== "node_failed") + 1;
  return backoffMs(job.history.length - others - NODE_FAILURES_AT_ONCE, policy);
}

/** The first wait is `backoffBaseMs`; 0 before that. */
function backoffMs(failures: number, policy: Policy): number {
  if (failures <= 0) return 0;
  return Math.min(policy.backoffBaseMs * 2 ** Math.min(failures - 1, 30), policy.backoffMaxMs);
}

function afterFailure(
  job: Job,
  exit: TaskExit | null,
  nowMs: number,
  policy: Policy,
): readonly ClusterEvent[] {
  const jobId = job.id;
  if (job.failures > job.spec.restartsMax) {
    return [{ kind: "job.ended", jobId, result: { kind: "failed", reason: "task_failed", exit } }];
  }
  const notBeforeMs = nowMs + backoffMs(job.failures, policy);
  return [{ kind: "job.requeued", jobId, cause: "failed", notBeforeMs }];
}

/** Every part of the last checkpoint is stored, and only the manifest is still to be written. */
function hasUncommitted(job: Job): boolean {
  return job.checkpoints.some(
    (checkpoint) =>
      checkpoint.state === "gathering" &&
      checkpoint.attempt === job.attemptLast &&
      isWhole(job, checkpoint),
  );
}

/** Of the job, or of all elements of the array. */
function dropReservations(
  state: ClusterState,
  id: JobId,
  why: DropReason,
): readonly ClusterEvent[] {
  const array = state.arrays.get(id);
  const ids = array === undefined ? [id] : elementIds(array);
  return ids
    .filter((jobId) => state.reservations.has(jobId))
    .map((jobId) => ({ kind: "reservation.dropped", jobId, why }));
}

function startSooner(job: Job, nowMs: number): readonly ClusterEvent[] {
  const { phase } = job;
  if (phase.kind !== "pending" || phase.cause !== "preempted") return [];
  if (phase.notBeforeMs <= nowMs || hasUncommitted(job)) return [];
  return [{ kind: "job.requeued", jobId: job.id, cause: "preempted", notBeforeMs: nowMs }];
}
