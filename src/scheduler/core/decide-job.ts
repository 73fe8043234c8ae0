// Submitting, cancelling, holding and releasing: of jobs, and of arrays as a whole.

import { type Refusal, refuse } from "../../base/errors.ts";
import { compareText, type JobId, type QueuePath } from "../../base/ids.ts";
import { RESOURCE_KINDS } from "../../base/resources.ts";
import { elementsOf, isArrayOver, jobOfNumber, arrayIndexes } from "./array.ts";
import type { Command } from "./commands.ts";
import { priorityProblem } from "./decide-policy.ts";
import { type Decision, noSuchJob } from "./decision.ts";
import type { ClusterEvent } from "./events.ts";
import { amountText } from "./hold.ts";
import { activeAttempt, type Identity, isEnded, type Job, type JobSpec } from "./job.ts";
import { queueLineage, queueOf } from "./lookup.ts";
import { poolOf } from "./node-pools.ts";
import { ownerLimit, ownersOf, ownerText } from "./owner-limits.ts";
import { limitOf } from "./queue-spec.ts";
import { shapeOf } from "./shape.ts";
import { largestSite } from "./sites.ts";
import type { ClusterState, Policy } from "./state.ts";

export function decideSubmit(
  state: ClusterState,
  spec: JobSpec,
  owner: Identity,
  policy: Policy,
): Decision {
  const refusal =
    queueProblem(state, spec) ??
    priorityProblem(spec, owner, policy) ??
    dependencyProblem(state, spec) ??
    deadlineProblem(spec) ??
    backlogProblem(state, spec, policy) ??
    ownerBacklogProblem(state, spec, owner, policy) ??
    (policy.oversize === "refuse" ? sizeProblem(state, spec) : null);
  if (refusal !== null) return refusal;
  const kind = spec.array === null ? "job.submitted" : "array.submitted";
  return [{ kind, jobId: jobOfNumber(state.jobNumberLast + 1), spec, owner }];
}

/** Jobs that a submission makes. */
const countOf = (spec: JobSpec): number => (spec.array === null ? 1 : arrayIndexes(spec).length);

function dependencyProblem(state: ClusterState, { after }: JobSpec): Refusal | null {
  const seen = new Set<JobId>();
  for (const [at, { job }] of after.entries()) {
    const field = `spec.after[${at}].job`;
    if (seen.has(job)) {
      const remedy = "Name each job once.";
      return refuse("INVALID_SPEC", `${job} is waited for twice.`, remedy, field);
    }
    seen.add(job);
    if (state.jobs.has(job) || state.arrays.has(job)) continue;
    const remedy = "Leave it out when it ended long ago; `trainyard ps -a` lists what is known.";
    return refuse("JOB_NOT_FOUND", `No job is "${job}", which is to be waited for.`, remedy, field);
  }
  return null;
}

/** Else urgency would cost nothing. */
function deadlineProblem({ deadlineMs, timeLimitMs }: JobSpec): Refusal | null {
  if (deadlineMs === null || timeLimitMs !== null) return null;
  return refuse(
    "INVALID_SPEC",
    `The deadline ${new Date(deadlineMs).toISOString()} comes without a time limit.`,
    "Set the time limit: the latest start is the deadline less that.",
    "spec.timeLimit",
  );
}

/** Null when the queue exists; `field` is where it was named. */
export function unknownQueue(state: ClusterState, path: QueuePath, field: string): Refusal | null {
  if (state.queues.has(path)) return null;
  const known = [...state.queues.keys()].sort(compareText).slice(0, 20).join(", ");
  return refuse(
    "QUEUE_NOT_FOUND",
    `Queue "${path}" does not exist.`,
    known === "" ? "Create it with `trainyard queue apply`." : `Queues: ${known}.`,
    field,
  );
}

function queueProblem(state: ClusterState, spec: JobSpec): Refusal | null {
  const unknown = unknownQueue(state, spec.queue, "spec.queue");
  if (unknown !== null) return unknown;
  const children = childrenOf(state, spec.queue);
  if (children.length === 0) return null;
  return refuse(
    "QUEUE_NOT_LEAF",
    `Queue "${spec.queue}" has queues below it.`,
    `Submit to one of them: ${children.slice(0, 20).join(", ")}.`,
    "spec.queue",
  );
}

/** Asked at each submission: it looks at every queue, and makes nothing of those that are elsewhere. */
export function childrenOf(state: ClusterState, path: string): readonly string[] {
  const above = `${path}/`;
  const children: string[] = [];
  for (const other of state.queues.keys()) {
    if (other.startsWith(above) && !other.includes("/", above.length)) children.push(other);
  }
  return children.sort(compareText);
}

function backlogProblem(state: ClusterState, spec: JobSpec, policy: Policy): Refusal | null {
  const live = state.jobs.size - state.ended.size - state.active.size;
  if (live + countOf(spec) <= policy.pendingJobsMax) return null;
  return refuse(
    "TOO_MANY_REQUESTS",
    `${live} jobs wait already and this adds ${countOf(spec)}; pendingJobsMax is ` +
      `${policy.pendingJobsMax}.`,
    "Wait until some have started, cancel some, or have the operator raise the limit.",
  );
}

function ownerBacklogProblem(
  state: ClusterState,
  spec: JobSpec,
  identity: Identity,
  { limits }: Policy,
): Refusal | null {
  const counts = state.pending.countOf(identity);
  for (const owner of ownersOf(identity)) {
    const limit = ownerLimit(limits, owner, "queued");
    const queued = counts[owner.kind];
    if (limit === null || queued + countOf(spec) <= limit) continue;
    const message =
      `${queued} jobs of ${ownerText(owner)} wait already and this adds ${countOf(spec)}; the ` +
      `limit is ${limit}.`;
    const remedy = "Wait until some have started, cancel some, or have the operator raise it.";
    return refuse("TOO_MANY_QUEUED", message, remedy);
  }
  return null;
}

/** For the policy `refuse`: what can never run is turned away at once. */
function sizeProblem(state: ClusterState, spec: JobSpec): Refusal | null {
  for (const path of queueLineage(spec.queue)) {
    const limits = limitOf(queueOf(state, path).spec);
    for (const kind of RESOURCE_KINDS) {
      const limit = limits[kind];
      const asked = spec.nodesMin * spec.perNode[kind];
      if (limit === null || asked <= limit) continue;
      const message =
        `The job asks for ${amountText(kind, asked)}; queue "${path}" may use ` +
        `${amountText(kind, limit)}.`;
      const remedy = "Ask for less, or submit to another queue.";
      return refuse("EXCEEDS_QUEUE_LIMIT", message, remedy, `spec.perNode.${kind}`);
    }
  }
  const fitting = nodesFitting(state, spec);
  if (fitting >= spec.nodesMin) return null;
  return refuse(
    "EXCEEDS_CLUSTER",
    `The job asks for ${spec.nodesMin} nodes with ${spec.perNode.gpus} GPUs each; ` +
      `${fitting} nodes are that large.`,
    "Ask for less; `trainyard node ls` shows what there is.",
    "spec.nodes",
  );
}

/** Nodes of the largest site of the gang, were they empty. */
function nodesFitting(state: ClusterState, spec: JobSpec): number {
  const pool = poolOf(state.nodes);
  return largestSite(pool, shapeOf(spec))?.nodesFit ?? 0;
}

export function decideCancel(
  state: ClusterState,
  command: Extract<Command, { readonly kind: "job.cancel" }>,
  by: string,
  nowMs: number,
  policy: Policy,
): Decision {
  const array = state.arrays.get(command.jobId);
  if (array !== undefined) {
    if (isArrayOver(array)) return hasEnded(array.id, "has ended");
    // The last ones first: else each end would admit the next one, only for it to end too.
    const left = elementsOf(state, array).filter(({ phase }) => !isEnded(phase));
    return left.toReversed().flatMap((job) => cancelJob(job, command.why, by, nowMs, policy));
  }
  const job = state.jobs.get(command.jobId);
  if (job === undefined) return noSuchJob(command.jobId);
  if (isEnded(job.phase)) return hasEnded(job.id, endText(job));
  return cancelJob(job, command.why, by, nowMs, policy);
}

const endText = ({ phase }: Job): string =>
  `${phase.kind === "cancelled" ? "was" : "has"} ${phase.kind}`;

function hasEnded(id: JobId, how: string): Refusal {
  return refuse("JOB_ENDED", `${id} ${how} already.`, "Nothing is left to do to it.", "job");
}

function cancelJob(
  job: Job,
  why: string,
  by: string,
  nowMs: number,
  policy: Policy,
): readonly ClusterEvent[] {
  const attempt = activeAttempt(job.phase);
  if (attempt === null) {
    return [{ kind: "job.ended", jobId: job.id, result: { kind: "cancelled", by, why } }];
  }
  if (job.phase.kind === "stopping" && job.phase.cause.kind === "cancelled") return [];
  const event: ClusterEvent = {
    kind: "job.stopping",
    jobId: job.id,
    attempt: attempt.number,
    cause: { kind: "cancelled", by, why },
    deadlineMs: nowMs + policy.stopGraceMs,
  };
  return [event];
}

/** What runs of an array goes on; a job that runs can't be held. */
export function decideHold(
  state: ClusterState,
  { jobId: id, why }: Extract<Command, { readonly kind: "job.hold" }>,
  by: string,
): Decision {
  const array = state.arrays.get(id);
  const job = state.jobs.get(id);
  if (array !== undefined) {
    if (isArrayOver(array)) return hasEnded(id, "has ended");
  } else if (job === undefined) return noSuchJob(id);
  else if (isEnded(job.phase)) return hasEnded(id, endText(job));
  else if (job.phase.kind !== "pending") {
    const message = `${id} is ${job.phase.kind}; only a job that waits can be held.`;
    return refuse("JOB_NOT_PENDING", message, "Cancel it to end it.", "job");
  }
  const before = (array ?? job)?.userHold ?? null;
  if (before?.by === by && before.why === why) return [];
  return [{ kind: "job.held", jobId: id, by, why }];
}

/** What is said of a job that has ended, or is gone, comes too late and says nothing. */
export function decideForecast(
  state: ClusterState,
  { jobId, remainingMs }: Extract<Command, { readonly kind: "job.forecast" }>,
): Decision {
  const job = state.jobs.get(jobId);
  if (job === undefined || isEnded(job.phase)) return [];
  if (!Number.isSafeInteger(remainingMs) || remainingMs < 0) {
    const message = `${jobId}: remainingMs ${remainingMs} is not a whole number of 0 or more.`;
    return refuse(
      "INVALID_SPEC",
      message,
      "Say how many milliseconds it still runs.",
      "remainingMs",
    );
  }
  return [{ kind: "job.forecast-set", jobId, remainingMs }];
}

/** Of an array, also the elements that are held one by one. What is not held stays as it is. */
export function decideRelease(state: ClusterState, id: JobId): Decision {
  const array = state.arrays.get(id);
  const job = state.jobs.get(id);
  if (array === undefined && job === undefined) return noSuchJob(id);
  if (array === undefined && job !== undefined && isEnded(job.phase)) {
    return hasEnded(id, endText(job));
  }
  const ofArray = job?.array ?? null;
  const whole = ofArray === null ? undefined : state.arrays.get(ofArray.id);
  if (job?.userHold === null && whole !== undefined && whole.userHold !== null) {
    const remedy = `Release the array: \`trainyard release ${whole.id}\`.`;
    return refuse("JOB_NOT_PENDING", `${id} is held with its array ${whole.id}.`, remedy, "job");
  }
  const elements = array === undefined ? [] : elementsOf(state, array);
  return [array ?? job, ...elements].flatMap((one): readonly ClusterEvent[] =>
    one === undefined || one.userHold === null ? [] : [{ kind: "job.released", jobId: one.id }],
  );
}
