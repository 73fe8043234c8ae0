// What happened, in sentences for people: causes, outcomes, exits and events. Pure; the numbers are
// in the data, the words are here.

import { unreachable } from "../base/assert.ts";
import { causeMessage } from "./core/explain-past.ts";
import type { ClusterEvent, EventOf } from "./core/events.ts";
import type { AttemptRecord, JobPhase, TaskExit, TaskPlacement } from "./core/job.ts";
import { gpusOf } from "./core/lookup.ts";
import { count, duration, sentence } from "./core/wording.ts";

/** `4 GPUs on gpu-1, gpu-2`; long gangs are cut. */
export function placementText(placement: readonly TaskPlacement[]): string {
  const gpus = placement.reduce((sum, task) => sum + task.gpus.length, 0);
  return `${count(gpus, "GPU")} on ${nodesText(placement)}`;
}

const NODES_NAMED = 8;

function nodesText(placement: readonly TaskPlacement[]): string {
  const names = placement.map((task) => task.nodeId);
  if (names.length <= NODES_NAMED) return names.join(", ");
  return `${names.slice(0, NODES_NAMED).join(", ")} and ${names.length - NODES_NAMED} more`;
}

export function exitText(exit: TaskExit): string {
  const said = exit.message === "" ? "" : `: ${exit.message}`;
  switch (exit.reason) {
    case "exited":
      return `exited with code ${exit.code}${said}`;
    case "signalled":
      return `was ended by signal ${exit.code - 128} from outside${said}`;
    case "stopped":
      return `stopped in time${said}`;
    case "killed":
      return `was killed after its grace period${said}`;
    case "prepare_failed":
      return `could not be prepared${said}`;
    case "restore_failed":
      return `could not restore its checkpoint${said}`;
    case "lease_expired":
      return `was stopped by its agent, which had lost the scheduler${said}`;
    case "lost":
      return `is lost${said}`;
    case "disk_full":
      return `found no room on its node${said}`;
    case "supervisor_lost":
      return `lost the process that watches over it${said}`;
    default:
      return unreachable(exit.reason);
  }
}

const because = (why: string): string => (why === "" ? "" : `: ${why}`);

/** Why a past attempt ended; empty when it simply succeeded. */
export function attemptWhy(record: AttemptRecord): string {
  if (record.cause !== null) return causeMessage(record.cause);
  if (record.exit !== null) return sentence(exitText(record.exit));
  return "";
}

/** Why a job ended or is stopping; empty while it waits or runs. */
export function phaseWhy(phase: JobPhase): string {
  switch (phase.kind) {
    case "stopping":
      return causeMessage(phase.cause);
    case "cancelled":
      return sentence(`cancelled by ${phase.by}${because(phase.why)}`);
    case "failed":
      return failedWhy(phase);
    case "pending":
    case "placed":
    case "starting":
    case "running":
    case "succeeded":
      return "";
    default:
      return unreachable(phase);
  }
}

function failedWhy(phase: Extract<JobPhase, { readonly kind: "failed" }>): string {
  if (phase.reason === "time_limit") return "Its time limit was reached.";
  if (phase.exit === null) return sentence(phase.reason.replace("_", " "));
  return sentence(`a task ${exitText(phase.exit)}`);
}

/** One line of a timeline. */
export function eventMessage(event: ClusterEvent): string {
  switch (event.kind) {
    case "request.noted":
      return "A request that changed nothing.";
    case "policy.set":
      return "The scheduling policy was set.";
    case "policy.usage-half-life-set":
      return `Past use of a queue counts half after ${seconds(event.usageHalfLifeMs)}.`;
    case "queue.set":
      return `Queue ${event.spec.path} set: guarantee ${count(event.spec.guarantee, "GPU")}.`;
    case "shares.noted":
      return "What queues are due was noted.";
    case "queue.deleted":
      return `Queue ${event.path} deleted.`;
    case "node.registered":
      return `Node ${event.spec.id} registered with ${count(event.spec.gpus.length, "GPU")}.`;
    case "node.lost":
      return `Node ${event.nodeId} did not answer within its lease: lost.`;
    case "node.schedulability-set":
      return sentence(`node ${event.nodeId} is ${event.schedulability}${because(event.note)}`);
    case "node.conditions-set":
      return conditionsMessage(event);
    case "node.notice-given": {
      const goesAt = new Date(event.goesAtMs).toISOString();
      return sentence(`node ${event.nodeId} goes away at ${goesAt}${because(event.note)}`);
    }
    case "node.removed":
      return `Node ${event.nodeId} removed.`;
    case "reservation.made":
      return reservedMessage(event);
    case "reservation.dropped":
      return `Its reservation was dropped (${event.why.replace("_", " ")}).`;
    case "checkpoint.part-stored":
    case "checkpoint.committed":
    case "checkpoint.rejected":
    case "checkpoint.deleted":
      return checkpointMessage(event);
    default:
      return jobMessage(event);
  }
}

function conditionsMessage({ nodeId, conditions }: EventOf<"node.conditions-set">): string {
  if (conditions.length === 0) return `Node ${nodeId} is fit for tasks again.`;
  const what = conditions.map(({ kind, message }) => `${words(kind)}${because(message)}`);
  return sentence(`node ${nodeId} takes no new tasks: ${what.join("; ")}`);
}

function reservedMessage({ placement, victims }: EventOf<"reservation.made">): string {
  if (victims.length === 0) return `Reserved ${placementText(placement)} for its next attempt.`;
  const verb = victims.length === 1 ? "leaves" : "leave";
  return `Reserved ${placementText(placement)} while ${victims.join(", ")} ${verb}.`;
}

type CheckpointEvent = EventOf<
  "checkpoint.part-stored" | "checkpoint.committed" | "checkpoint.rejected" | "checkpoint.deleted"
>;

function checkpointMessage(event: CheckpointEvent): string {
  switch (event.kind) {
    case "checkpoint.part-stored":
      return partMessage(event);
    case "checkpoint.committed":
      return `Checkpoint ${event.checkpointId} committed.`;
    case "checkpoint.rejected":
      return sentence(`checkpoint ${event.checkpointId} rejected${because(event.why)}`);
    case "checkpoint.deleted":
      return `Checkpoint ${event.checkpointId} deleted.`;
    default:
      return unreachable(event);
  }
}

function partMessage({ part, step }: EventOf<"checkpoint.part-stored">): string {
  if (part.digest === null) return `Rank ${part.rank} wrote nothing for step ${step}.`;
  const size = `${mebibytes(part.sizeBytes)}, ${mebibytes(part.uploadedBytes)} of it new`;
  return `Rank ${part.rank} stored its part of step ${step} (${size}).`;
}

type JobLifeEvent = Exclude<
  ClusterEvent,
  | CheckpointEvent
  | EventOf<"request.noted" | "policy.set" | "policy.usage-half-life-set">
  | EventOf<"queue.set" | "queue.deleted" | "shares.noted">
  | EventOf<"node.registered" | "node.lost" | "node.schedulability-set" | "node.conditions-set">
  | EventOf<"node.notice-given" | "node.removed">
  | EventOf<"reservation.made" | "reservation.dropped">
>;

function jobMessage(event: JobLifeEvent): string {
  switch (event.kind) {
    case "job.submitted":
    case "array.submitted":
      return submittedMessage(event);
    case "job.dependency-met":
      return `It waits no longer for ${event.on}.`;
    case "job.held":
      return sentence(`held by ${event.by}${because(event.why)}`);
    case "job.released":
      return "Released.";
    case "job.forecast-set":
      return `It is expected to run for ${duration(event.remainingMs)} more.`;
    case "job.placed":
      return placedMessage(event);
    case "attempt.rendezvous-set":
      return `Rank 0 listens on ${event.rendezvous.host}:${event.rendezvous.port}.`;
    case "task.preparing":
      return `Rank ${event.rank} prepares.`;
    case "task.started":
      return `Rank ${event.rank} started.`;
    case "task.ended":
      return sentence(`rank ${event.rank} ${exitText(event.exit)}`);
    case "job.stopping":
      return `Stopping. ${causeMessage(event.cause)}`;
    case "attempt.ended":
      return attemptMessage(event);
    case "job.requeued":
      return `Waits again (${event.cause.replace("_", " ")}).`;
    case "job.ended":
      return endedMessage(event);
    default:
      return unreachable(event);
  }
}

function submittedMessage({ spec }: EventOf<"job.submitted" | "array.submitted">): string {
  const many = spec.array?.indexes === undefined ? "" : `, indexes ${spec.array.indexes}`;
  const { nodes, nodesMin } = spec;
  const range = nodesMin === nodes ? "" : `${nodesMin} to `;
  const most = nodesMin === nodes ? "" : "at most ";
  const size = `${range}${count(nodes, "node")}, ${most}${count(gpusOf(spec), "GPU")}`;
  return `Submitted to ${spec.queue} as ${spec.priorityClass}: ${size}${many}.`;
}

function placedMessage({ attempt, placement, resumeFrom }: EventOf<"job.placed">): string {
  const start = resumeFrom === null ? "from scratch" : `from checkpoint ${resumeFrom}`;
  return `Attempt ${attempt} placed with ${placementText(placement)}, ${start}.`;
}

function attemptMessage({ attempt, outcome, lostGpuMs }: EventOf<"attempt.ended">): string {
  const lost = lostGpuMs === 0 ? "" : `; ${seconds(lostGpuMs)} of GPU time are to be done again`;
  return `Attempt ${attempt} ended: ${outcome.replace("_", " ")}${lost}.`;
}

function endedMessage({ result }: EventOf<"job.ended">): string {
  switch (result.kind) {
    case "succeeded":
      return "Succeeded.";
    case "failed":
      return sentence(
        `failed: ${result.exit === null ? words(result.reason) : exitText(result.exit)}`,
      );
    case "cancelled":
      return sentence(`cancelled by ${result.by}${because(result.why)}`);
    default:
      return unreachable(result);
  }
}

const words = (code: string): string => code.replaceAll("_", " ");
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 100_000 ? 1 : 0)} s`;
const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;
