// What an agent sees, held against what it was given. A report is the whole truth about a node, so
// what is missing from it is gone, unless the report is older than the placement.

import { refuse } from "../../base/errors.ts";
import { type CheckpointId, checkpointId, type JobId } from "../../base/ids.ts";
import type { Command, NodeReport, ObservedTask, StoredPart } from "./commands.ts";
import { type Decision, noSuchNode } from "./decision.ts";
import type { ClusterEvent } from "./events.ts";
import { type Attempt, activeAttempt, type Job, nodesOfAttempt, type TaskExit } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { Allocation, ClusterState, Node, NodeCondition } from "./state.ts";

const STEP_DIGITS = 12;

/** Sorts by step as text, so that listings of the object store are in order too. */
export function checkpointIdOf(jobId: JobId, step: number, attempt: number): CheckpointId {
  return checkpointId(`${jobId}/${String(step).padStart(STEP_DIGITS, "0")}-${attempt}`);
}

export function decideRegister(
  state: ClusterState,
  command: Extract<Command, { readonly kind: "node.register" }>,
): Decision {
  const { spec, instance, report } = command;
  const before = state.nodes.get(spec.id);
  const events: ClusterEvent[] = [
    { kind: "node.registered", spec, instance },
    ...conditionChanges(before?.conditions ?? [], report),
  ];
  if (before === undefined || before.health === "lost") return events;
  const isSameLife = before.instance === instance;
  const indexes = new Set(spec.gpus.map((gpu) => gpu.index));
  for (const held of before.allocations) {
    if (held.gpus.every((gpu) => indexes.has(gpu))) continue;
    events.push(taskEnded(held, "lost", `the node came back without GPU ${held.gpus.join(", ")}`));
  }
  const keeps = before.allocations.filter((held) => held.gpus.every((gpu) => indexes.has(gpu)));
  // A new life of the agent has read its disk: what it does not know of is gone, whenever it was placed.
  const generation = isSameLife ? report.generation : Number.MAX_SAFE_INTEGER;
  return [
    ...events,
    ...observed(state, { ...before, allocations: keeps }, { ...report, generation }),
  ];
}

export function decideReport(state: ClusterState, report: NodeReport): Decision {
  const node = state.nodes.get(report.nodeId);
  if (node === undefined) return noSuchNode(report.nodeId);
  if (node.health === "lost" || node.instance !== report.instance) {
    const message = `Node ${report.nodeId} was given up, or another agent serves it now.`;
    return refuse("STALE_ATTEMPT", message, "Register again.", "instance");
  }
  // First: what its tasks' ends free must not look like room on a node that has none.
  return [...conditionChanges(node.conditions, report), ...observed(state, node, report)];
}

/** The words alone are no change: they hold numbers that never stand still. */
function conditionChanges(
  known: readonly NodeCondition[],
  { nodeId, conditions }: NodeReport,
): readonly ClusterEvent[] {
  const kinds = (list: readonly NodeCondition[]): string => list.map(({ kind }) => kind).join();
  if (kinds(known) === kinds(conditions)) return [];
  return [{ kind: "node.conditions-set", nodeId, conditions }];
}

function observed(state: ClusterState, node: Node, report: NodeReport): readonly ClusterEvent[] {
  const events: ClusterEvent[] = [];
  const seen = new Map(report.tasks.map((task) => [taskKey(task), task]));
  for (const task of report.tasks) events.push(...storedParts(state, task));
  for (const held of node.allocations) {
    const attempt = activeAttempt(jobOf(state, held.jobId).phase);
    if (attempt === null || attempt.number !== held.attempt) continue;
    const task = seen.get(taskKey(held));
    if (task !== undefined) events.push(...taskChanges(attempt, held, task));
    else if (report.generation >= attempt.placedSeq) {
      events.push(taskEnded(held, "lost", `the agent of ${node.spec.id} has no trace of the task`));
    }
  }
  return events;
}

const taskKey = (task: { jobId: string; attempt: number; rank: number }): string =>
  `${task.jobId}/${task.attempt}/${task.rank}`;

function taskChanges(
  attempt: Attempt,
  held: Allocation,
  task: ObservedTask,
): readonly ClusterEvent[] {
  const { jobId, rank } = held;
  const at = { jobId, attempt: attempt.number };
  const known = attempt.tasks[rank]?.kind;
  const events: ClusterEvent[] = [];
  if (rank === 0 && task.rendezvous !== null && attempt.rendezvous === null) {
    events.push({ kind: "attempt.rendezvous-set", ...at, rendezvous: task.rendezvous });
  }
  if (task.state.kind === "ended") {
    events.push({ kind: "task.ended", ...at, rank, exit: task.state.exit });
  } else if (task.state.kind === "running" && (known === "assigned" || known === "preparing")) {
    events.push({ kind: "task.started", ...at, rank });
  } else if (task.state.kind === "preparing" && known === "assigned") {
    events.push({ kind: "task.preparing", ...at, rank });
  }
  return events;
}

/** Parts count as long as no newer attempt was placed, also when the task itself is over. */
function storedParts(state: ClusterState, task: ObservedTask): readonly ClusterEvent[] {
  const job = state.jobs.get(task.jobId);
  if (job === undefined || task.attempt !== job.attemptLast) return [];
  if (task.rank >= nodesOfAttempt(job, task.attempt)) return [];
  return task.parts.filter((part) => isNews(job, task, part)).map((part) => partStored(task, part));
}

/** Below a committed step nothing new begins: it was deleted as passed, and is of no more use. */
function isNews(job: Job, task: ObservedTask, part: StoredPart): boolean {
  const id = checkpointIdOf(job.id, part.step, task.attempt);
  const known = job.checkpoints.find((checkpoint) => checkpoint.id === id);
  if (known === undefined) return !isPassed(job, task.attempt, part.step);
  if (known.state !== "gathering") return false;
  return known.parts.find(({ rank }) => rank === task.rank)?.digest !== part.digest;
}

function isPassed(job: Job, attempt: number, step: number): boolean {
  return job.checkpoints.some(
    (other) => other.state === "committed" && other.attempt === attempt && other.step > step,
  );
}

function partStored(task: ObservedTask, part: StoredPart): ClusterEvent {
  const { jobId, attempt, rank } = task;
  const { step, takenAtMs, digest, sizeBytes, uploadedBytes } = part;
  return {
    kind: "checkpoint.part-stored",
    jobId,
    attempt,
    checkpointId: checkpointIdOf(jobId, step, attempt),
    step,
    takenAtMs,
    part: { rank, digest, sizeBytes, uploadedBytes },
  };
}

export function taskEnded(
  held: Pick<Allocation, "jobId" | "attempt" | "rank">,
  reason: TaskExit["reason"],
  message: string,
): ClusterEvent {
  const { jobId, attempt, rank } = held;
  return { kind: "task.ended", jobId, attempt, rank, exit: { reason, code: -1, message } };
}
