// Submitting and cancelling.

import { type Refusal, refuse } from "../../base/errors.ts";
import { compareText, jobId } from "../../base/ids.ts";
import type { Command } from "./commands.ts";
import { priorityProblem } from "./decide-policy.ts";
import { type Decision, noSuchJob } from "./decision.ts";
import type { ClusterEvent } from "./events.ts";
import { gpuTypeMatches } from "./gang.ts";
import { activeAttempt, type Identity, isEnded, type JobSpec } from "./job.ts";
import { gpusOf, queueLineage } from "./lookup.ts";
import type { ClusterState, NodeSpec, Policy } from "./state.ts";

export function decideSubmit(
  state: ClusterState,
  spec: JobSpec,
  owner: Identity,
  policy: Policy,
): Decision {
  const refusal =
    queueProblem(state, spec) ??
    priorityProblem(spec, owner, policy) ??
    backlogProblem(state, policy) ??
    (policy.oversize === "refuse" ? sizeProblem(state, spec) : null);
  if (refusal !== null) return refusal;
  const id = jobId(`job-${state.jobNumberLast + 1}`);
  return [{ kind: "job.submitted", jobId: id, spec, owner }];
}

function queueProblem(state: ClusterState, spec: JobSpec): Refusal | null {
  if (!state.queues.has(spec.queue)) {
    const known = [...state.queues.keys()].sort(compareText).slice(0, 20).join(", ");
    return refuse(
      "QUEUE_NOT_FOUND",
      `Queue "${spec.queue}" does not exist.`,
      known === "" ? "Create it with `trainyard queue apply`." : `Queues: ${known}.`,
      "spec.queue",
    );
  }
  const children = childrenOf(state, spec.queue);
  if (children.length === 0) return null;
  return refuse(
    "QUEUE_NOT_LEAF",
    `Queue "${spec.queue}" has queues below it.`,
    `Submit to one of them: ${children.slice(0, 20).join(", ")}.`,
    "spec.queue",
  );
}

export function childrenOf(state: ClusterState, path: string): readonly string[] {
  const children = [...state.queues.keys()].filter((other) => queueLineage(other)[1] === path);
  return children.sort(compareText);
}

function backlogProblem(state: ClusterState, policy: Policy): Refusal | null {
  const live = state.jobs.size - state.ended.size - state.active.size;
  if (live < policy.pendingJobsMax) return null;
  return refuse(
    "TOO_MANY_REQUESTS",
    `${live} jobs wait already; pendingJobsMax is ${policy.pendingJobsMax}.`,
    "Wait until some have started, cancel some, or have the operator raise the limit.",
  );
}

/** For the policy `refuse`: what can never run is turned away at once. */
function sizeProblem(state: ClusterState, spec: JobSpec): Refusal | null {
  for (const path of queueLineage(spec.queue)) {
    const limit = state.queues.get(path)?.spec.limit ?? null;
    if (limit === null || gpusOf(spec) <= limit) continue;
    return refuse(
      "EXCEEDS_QUEUE_LIMIT",
      `The job asks for ${gpusOf(spec)} GPUs; queue "${path}" may use ${limit}.`,
      "Ask for fewer, or submit to another queue.",
      "spec.perNode.gpus",
    );
  }
  const fitting = [...state.nodes.values()].filter((node) => isLargeEnough(node.spec, spec));
  if (fitting.length >= spec.nodes) return null;
  return refuse(
    "EXCEEDS_CLUSTER",
    `The job asks for ${spec.nodes} nodes with ${spec.perNode.gpus} GPUs each; ` +
      `${fitting.length} nodes are that large.`,
    "Ask for less; `trainyard node ls` shows what there is.",
    "spec.nodes",
  );
}

/** For one task on an empty node. What a node does not account for (0) is never short. */
function isLargeEnough(node: NodeSpec, { perNode, gpuType }: JobSpec): boolean {
  const gpus = node.gpus.filter(({ type }) => gpuTypeMatches(gpuType, type)).length;
  return (
    perNode.gpus <= gpus &&
    (node.cpuMilli === 0 || perNode.cpuMilli <= node.cpuMilli) &&
    (node.memoryMib === 0 || perNode.memoryMib <= node.memoryMib)
  );
}

export function decideCancel(
  state: ClusterState,
  command: Extract<Command, { readonly kind: "job.cancel" }>,
  by: string,
  nowMs: number,
  policy: Policy,
): Decision {
  const job = state.jobs.get(command.jobId);
  if (job === undefined) return noSuchJob(command.jobId);
  if (isEnded(job.phase)) {
    const verb = job.phase.kind === "cancelled" ? "was" : "has";
    const message = `${job.id} ${verb} ${job.phase.kind} already.`;
    return refuse("JOB_ENDED", message, "Nothing is left to cancel.", "job");
  }
  const attempt = activeAttempt(job.phase);
  if (attempt === null) {
    return [
      { kind: "job.ended", jobId: job.id, result: { kind: "cancelled", by, why: command.why } },
    ];
  }
  if (job.phase.kind === "stopping" && job.phase.cause.kind === "cancelled") return [];
  const event: ClusterEvent = {
    kind: "job.stopping",
    jobId: job.id,
    attempt: attempt.number,
    cause: { kind: "cancelled", by, why: command.why },
    deadlineMs: nowMs + policy.stopGraceMs,
  };
  return [event];
}
