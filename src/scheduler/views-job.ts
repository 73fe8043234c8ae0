// A job, its attempts and checkpoints as the API shows them. Pure: the time and the hold come in.

import { unreachable } from "../base/assert.ts";
import { encodeDuration, encodeTimestamp } from "../rpc/decode.ts";
import type { Attempt as AttemptMessage } from "../rpc/gen/trainyard/v1/Attempt.ts";
import type { Checkpoint as CheckpointMessage } from "../rpc/gen/trainyard/v1/Checkpoint.ts";
import type { Hold as HoldMessage } from "../rpc/gen/trainyard/v1/Hold.ts";
import type { Job as JobMessage } from "../rpc/gen/trainyard/v1/Job.ts";
import type { TaskPlacement as PlacementMessage } from "../rpc/gen/trainyard/v1/TaskPlacement.ts";
import { holdDetails, holdMessage } from "./core/hold-words.ts";
import type { Hold } from "./core/hold.ts";
import {
  type Attempt,
  type AttemptRecord,
  activeAttempt,
  type Checkpoint,
  isEnded,
  type Job,
  type JobPhase,
  resumePoint,
  type TaskPlacement,
} from "./core/job.ts";
import { forecastRemainingMs, usefulRunMs } from "./core/remaining-time.ts";
import type { PhaseName } from "../rpc/phase-names.ts";
import { attemptWhy, phaseWhy } from "./views-sentences.ts";
import { specView } from "./views-spec.ts";

export interface JobViewContext {
  readonly nowMs: number;
  readonly hold: Hold;
}

export function jobView(job: Job, context: JobViewContext): JobMessage {
  const { nowMs, hold } = context;
  const attempt = activeAttempt(job.phase);
  const newest = resumePoint(job);
  const past = job.history.map((record) => pastAttemptView(job, record));
  return {
    id: job.id,
    spec: specView(job.spec),
    tenant: job.owner.tenant,
    user: job.owner.user,
    phase: phaseName(job.phase),
    submittedAt: encodeTimestamp(job.submittedAtMs),
    endedAt: encodeTimestamp(endedAtMs(job.phase)),
    attempts: attempt === null ? past : [...past, activeAttemptView(job, attempt)],
    failures: job.failures,
    preemptions: job.preemptions,
    nodeLosses: job.nodeLosses,
    gpuSeconds: (job.attainedGpuMs + runningGpuMs(attempt, nowMs)) / 1_000,
    lostGpuSeconds: job.lostGpuMs / 1_000,
    checkpoint: newest === null ? null : checkpointView(newest),
    hold: job.phase.kind === "pending" ? holdView(hold) : null,
    runId: job.id,
    exitCode: exitCodeOf(job.phase),
    why: phaseWhy(job.phase),
    arrayId: job.array?.id ?? "",
    arrayIndex: job.array?.index ?? 0,
    remaining: isEnded(job.phase) ? null : remainingView(job, nowMs),
  };
}

function remainingView(job: Job, nowMs: number): ReturnType<typeof encodeDuration> | null {
  const remainingMs = forecastRemainingMs(job, usefulRunMs(job, nowMs));
  return remainingMs === null ? null : encodeDuration(remainingMs);
}

export function phaseName(phase: JobPhase): PhaseName {
  switch (phase.kind) {
    case "pending":
      return "PENDING";
    case "placed":
      return "PLACED";
    case "starting":
      return "STARTING";
    case "running":
      return "RUNNING";
    case "stopping":
      return phase.cause.kind === "preempted" ? "PREEMPTING" : "STOPPING";
    case "succeeded":
      return "SUCCEEDED";
    case "failed":
      return "FAILED";
    case "cancelled":
      return "CANCELLED";
    default:
      return unreachable(phase);
  }
}

/** 128 + SIGTERM, as a shell says it. */
const CANCELLED_CODE = 143;
/** As `timeout` says it. */
const TIME_LIMIT_CODE = 124;

function exitCodeOf(phase: JobPhase): number {
  if (phase.kind === "cancelled") return CANCELLED_CODE;
  if (phase.kind !== "failed") return 0;
  if (phase.reason === "time_limit") return TIME_LIMIT_CODE;
  // A job that failed never has 0: nor has one without a process (-1).
  return phase.exit !== null && phase.exit.code > 0 ? phase.exit.code : 1;
}

function endedAtMs(phase: JobPhase): number | null {
  return "endedAtMs" in phase ? phase.endedAtMs : null;
}

/** What tasks that still hold GPUs have used; the ended ones are counted in the job already. */
function runningGpuMs(attempt: Attempt | null, nowMs: number): number {
  if (attempt === null) return 0;
  const gpus = attempt.placement.reduce(
    (sum, task, rank) => (attempt.tasks[rank]?.kind === "ended" ? sum : sum + task.gpus.length),
    0,
  );
  return gpus * Math.max(0, nowMs - attempt.placedAtMs);
}

function pastAttemptView(job: Job, record: AttemptRecord): AttemptMessage {
  return {
    number: record.number,
    placement: record.placement.map(placementView),
    placedAt: encodeTimestamp(record.placedAtMs),
    runningAt: encodeTimestamp(record.runningAtMs),
    endedAt: encodeTimestamp(record.endedAtMs),
    ...resumedFrom(job, record.resumeFrom),
    outcome: record.outcome,
    why: attemptWhy(record),
    exit: record.exit,
    lostGpuSeconds: record.lostGpuMs / 1_000,
  };
}

function activeAttemptView(job: Job, attempt: Attempt): AttemptMessage {
  return {
    number: attempt.number,
    placement: attempt.placement.map(placementView),
    placedAt: encodeTimestamp(attempt.placedAtMs),
    runningAt: encodeTimestamp(attempt.runningAtMs),
    ...resumedFrom(job, attempt.resumeFrom),
    why: phaseWhy(job.phase),
  };
}

/** The step stands in the id, so it is known of deleted checkpoints too. */
function resumedFrom(job: Job, id: string | null): { resumeFrom: string; resumedFromStep: number } {
  if (id === null) return { resumeFrom: "", resumedFromStep: 0 };
  const known = job.checkpoints.find((checkpoint) => checkpoint.id === id);
  const step = known?.step ?? Number(/\/(\d+)-\d+$/.exec(id)?.[1] ?? 0);
  return { resumeFrom: id, resumedFromStep: step };
}

export const placementView = (task: TaskPlacement): PlacementMessage => ({
  node: task.nodeId,
  gpus: [...task.gpus],
});

export function checkpointView(checkpoint: Checkpoint): CheckpointMessage {
  const sum = (size: "sizeBytes" | "uploadedBytes"): number =>
    checkpoint.parts.reduce((total, part) => total + part[size], 0);
  return {
    id: checkpoint.id,
    jobId: checkpoint.jobId,
    attempt: checkpoint.attempt,
    step: checkpoint.step,
    state: checkpoint.state,
    takenAt: encodeTimestamp(checkpoint.takenAtMs),
    committedAt: encodeTimestamp(checkpoint.committedAtMs),
    sizeBytes: sum("sizeBytes"),
    uploadedBytes: sum("uploadedBytes"),
    manifestDigest: checkpoint.manifestDigest ?? "",
  };
}

export function holdView(hold: Hold): HoldMessage {
  return { code: hold.code, message: holdMessage(hold), details: { ...holdDetails(hold) } };
}
