// What each node is to do, derived from the state alone: the whole of it, never a difference. An agent
// that missed ten messages needs only the newest.

import type { CheckpointId, Digest, JobId, NodeId } from "../../base/ids.ts";
import type { ClusterEvent } from "./events.ts";
import {
  type Attempt,
  activeAttempt,
  type Checkpoint,
  type Job,
  type JobSpec,
  type Rendezvous,
  resumePoint,
  type StopCause,
} from "./job.ts";
import type { ClusterState } from "./state.ts";

export interface StopOrder {
  readonly reason: "preempted" | "cancelled" | "time_limit" | "gang_failed";
  /** The agent ends what still runs then. By the scheduler's clock. */
  readonly deadlineMs: number;
  /** The task is over only when its last checkpoint is stored, or the deadline has passed. */
  readonly wantsCheckpoint: boolean;
}

/** A committed checkpoint, as an agent needs it. */
export interface CheckpointRef {
  readonly checkpointId: CheckpointId;
  readonly step: number;
  readonly manifestDigest: Digest;
}

export interface DesiredTask {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly rank: number;
  /** Null = run. */
  readonly stop: StopOrder | null;
  readonly spec: JobSpec;
  readonly gpus: readonly number[];
  /** By rank. */
  readonly nodeNames: readonly NodeId[];
  /** Null until rank 0 has said where it listens. */
  readonly rendezvous: Rendezvous | null;
  readonly resume: CheckpointRef | null;
  /** Of this attempt: parts of these need not be reported any more. */
  readonly committedCheckpoints: readonly CheckpointId[];
  /** Other ranks stored a part for these and this one did not yet: it says so if it has none. */
  readonly gatheringSteps: readonly number[];
  /** Files that this checkpoint has need no second upload. */
  readonly dedupeAgainst: CheckpointRef | null;
  /** Tracker run that the metrics go to. */
  readonly runId: string;
}

/**
 * Tasks that `nodeId` is to have, oldest placement first. A task whose end was recorded is not in
 * here, which tells the agent to forget it.
 */
export function desiredFor(state: ClusterState, nodeId: NodeId): readonly DesiredTask[] {
  const node = state.nodes.get(nodeId);
  if (node === undefined || node.health === "lost") return [];
  const tasks: DesiredTask[] = [];
  for (const allocation of node.allocations) {
    const job = state.jobs.get(allocation.jobId);
    const attempt = job === undefined ? null : activeAttempt(job.phase);
    if (job === undefined || attempt === null) continue;
    tasks.push(desiredTask(job, attempt, allocation.rank, allocation.gpus));
  }
  return tasks;
}

function desiredTask(
  job: Job,
  attempt: Attempt,
  rank: number,
  gpus: readonly number[],
): DesiredTask {
  const resume = job.checkpoints.find((checkpoint) => checkpoint.id === attempt.resumeFrom);
  const committed = job.checkpoints.filter(
    (checkpoint) => checkpoint.attempt === attempt.number && checkpoint.state === "committed",
  );
  return {
    jobId: job.id,
    attempt: attempt.number,
    rank,
    stop: job.phase.kind === "stopping" ? stopOrder(job.phase.cause, job.phase.deadlineMs) : null,
    spec: specOf(job),
    gpus,
    nodeNames: attempt.placement.map((task) => task.nodeId),
    rendezvous: attempt.rendezvous,
    resume: checkpointRef(resume ?? null),
    committedCheckpoints: committed.map((checkpoint) => checkpoint.id),
    gatheringSteps: job.checkpoints
      .filter((checkpoint) => isMissing(checkpoint, attempt.number, rank))
      .map((checkpoint) => checkpoint.step),
    dedupeAgainst: checkpointRef(resumePoint(job)),
    runId: job.id,
  };
}

/** An element of an array knows which one it is from its environment. */
function specOf({ spec, array }: Job): JobSpec {
  if (array === null) return spec;
  const { id, index } = array;
  const own = { TRAINYARD_ARRAY_ID: id, TRAINYARD_ARRAY_INDEX: String(index) };
  return { ...spec, env: { ...spec.env, ...own } };
}

function isMissing(checkpoint: Checkpoint, attempt: number, rank: number): boolean {
  if (checkpoint.state !== "gathering" || checkpoint.attempt !== attempt) return false;
  return !checkpoint.parts.some((part) => part.rank === rank);
}

function stopOrder(cause: StopCause, deadlineMs: number): StopOrder {
  switch (cause.kind) {
    case "preempted":
      return { reason: "preempted", deadlineMs, wantsCheckpoint: true };
    case "time_limit":
      return { reason: "time_limit", deadlineMs, wantsCheckpoint: true };
    case "cancelled":
      return { reason: "cancelled", deadlineMs, wantsCheckpoint: false };
    case "task_failed":
    case "node_lost":
    case "node_failed":
      return { reason: "gang_failed", deadlineMs, wantsCheckpoint: false };
  }
}

function checkpointRef(checkpoint: Checkpoint | null): CheckpointRef | null {
  if (checkpoint === null || checkpoint.manifestDigest === null) return null;
  return {
    checkpointId: checkpoint.id,
    step: checkpoint.step,
    manifestDigest: checkpoint.manifestDigest,
  };
}

/**
 * Nodes whose desired state these events may have changed. Looks at the state after the events;
 * `task.ended` and `node.*` name their node through the event's job or directly.
 */
export function nodesTouched(
  events: readonly ClusterEvent[],
  state: ClusterState,
): ReadonlySet<NodeId> {
  const touched = new Set<NodeId>();
  for (const event of events) {
    if (event.kind === "node.registered") touched.add(event.spec.id);
    else if (event.kind === "job.placed") addPlacement(touched, event.placement);
    else if (changesDesired(event)) {
      const job = state.jobs.get(event.jobId);
      const attempt = job === undefined ? null : activeAttempt(job.phase);
      const placement = attempt?.placement ?? job?.history.at(-1)?.placement;
      if (placement !== undefined) addPlacement(touched, placement);
    }
  }
  return touched;
}

type JobEvent = Extract<ClusterEvent, { readonly jobId: JobId }>;

function changesDesired(event: ClusterEvent): event is JobEvent {
  switch (event.kind) {
    case "attempt.rendezvous-set":
    case "task.ended":
    case "job.stopping":
    case "attempt.ended":
    case "checkpoint.part-stored":
    case "checkpoint.committed":
    case "checkpoint.rejected":
    case "checkpoint.deleted":
      return true;
    default:
      return false;
  }
}

function addPlacement(touched: Set<NodeId>, placement: readonly { nodeId: NodeId }[]): void {
  for (const task of placement) touched.add(task.nodeId);
}
