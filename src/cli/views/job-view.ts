// A job as the command line shows it: the stable JSON of `trainyard/v1`, from which the tables are
// made too. Times are ISO 8601 in UTC, durations seconds.

import type { Attempt__Output } from "../../rpc/gen/trainyard/v1/Attempt.ts";
import type { Checkpoint__Output } from "../../rpc/gen/trainyard/v1/Checkpoint.ts";
import type { Job__Output } from "../../rpc/gen/trainyard/v1/Job.ts";
import type { JobSpec__Output } from "../../rpc/gen/trainyard/v1/JobSpec.ts";
import { isoTime, timeMs } from "../wire.ts";

export interface PlacementView {
  readonly node: string;
  readonly gpus: readonly number[];
}

export interface AttemptView {
  readonly number: number;
  /** By rank. */
  readonly placement: readonly PlacementView[];
  readonly placedAt: string | null;
  readonly runningAt: string | null;
  readonly endedAt: string | null;
  /** Empty = from scratch. */
  readonly resumeFrom: string;
  readonly resumedFromStep: number;
  /** Empty while it goes on. */
  readonly outcome: string;
  readonly why: string;
  readonly exit: {
    readonly reason: string;
    readonly code: number;
    readonly message: string;
  } | null;
  readonly lostGpuSeconds: number;
}

export interface CheckpointView {
  readonly id: string;
  readonly jobId: string;
  readonly attempt: number;
  readonly step: number;
  readonly state: string;
  readonly takenAt: string | null;
  readonly committedAt: string | null;
  readonly sizeBytes: number;
  readonly uploadedBytes: number;
  readonly manifestDigest: string;
}

export interface JobView {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly priority: string;
  readonly tenant: string;
  readonly user: string;
  readonly phase: string;
  /** At most. */
  readonly nodes: number;
  /** The fewest that it runs with. */
  readonly nodesMin: number;
  readonly gpusPerNode: number;
  readonly gpuTypes: readonly string[];
  readonly topology: { readonly level: string; readonly mode: string } | null;
  readonly spot: string;
  readonly command: readonly string[];
  /** Running time of one attempt; null = no limit. */
  readonly timeLimitSeconds: number | null;
  /** Running time that it still needs, as its steps tell; null = they don't. */
  readonly remainingSeconds: number | null;
  /** By when it should have ended; null = whenever. */
  readonly deadline: string | null;
  readonly submittedAt: string | null;
  readonly endedAt: string | null;
  readonly attempts: readonly AttemptView[];
  readonly failures: number;
  readonly preemptions: number;
  readonly nodeLosses: number;
  readonly gpuSeconds: number;
  readonly lostGpuSeconds: number;
  readonly checkpoint: CheckpointView | null;
  /** Why it waits; null when it does not. */
  readonly hold: {
    readonly code: string;
    readonly message: string;
    readonly details: Readonly<Record<string, string>>;
  } | null;
  readonly runId: string;
  /** null until it has ended. */
  readonly exitCode: number | null;
  readonly why: string;
  /** null = it was submitted alone. */
  readonly array: { readonly id: string; readonly index: number } | null;
}

const ENDED: ReadonlySet<string> = new Set(["SUCCEEDED", "FAILED", "CANCELLED"]);

export function hasEnded(job: { readonly phase: string }): boolean {
  return ENDED.has(job.phase);
}

export function jobView(job: Job__Output): JobView {
  const { spec } = job;
  return {
    id: job.id,
    name: spec?.name ?? "",
    queue: spec?.queue ?? "",
    priority: spec?.priorityClass ?? "",
    tenant: job.tenant,
    user: job.user,
    phase: job.phase,
    nodes: spec?.nodes ?? 0,
    nodesMin: spec?.nodesMin || (spec?.nodes ?? 0),
    gpusPerNode: spec?.perNode?.gpus ?? 0,
    gpuTypes: spec?.gpuTypes ?? [],
    topology: spec?.topology ?? null,
    spot: spec?.spot ?? "",
    command: spec === null ? [] : commandWords(spec),
    timeLimitSeconds: (spec?.timeLimit ?? null) === null ? null : Number(spec?.timeLimit?.seconds),
    remainingSeconds: job.remaining === null ? null : Number(job.remaining.seconds),
    deadline: isoTime(timeMs(spec?.deadlineAt ?? null)),
    submittedAt: isoTime(timeMs(job.submittedAt)),
    endedAt: isoTime(timeMs(job.endedAt)),
    attempts: job.attempts.map(attemptView),
    failures: job.failures,
    preemptions: job.preemptions,
    nodeLosses: job.nodeLosses,
    gpuSeconds: job.gpuSeconds,
    lostGpuSeconds: job.lostGpuSeconds,
    checkpoint: job.checkpoint === null ? null : checkpointView(job.checkpoint),
    hold: job.hold === null ? null : { ...job.hold },
    runId: job.runId,
    exitCode: hasEnded(job) ? job.exitCode : null,
    why: job.why,
    array: job.arrayId === "" ? null : { id: job.arrayId, index: job.arrayIndex },
  };
}

function commandWords(spec: JobSpec__Output): readonly string[] {
  const { torchrun, exec } = spec;
  if (torchrun !== undefined && torchrun !== null) {
    return ["torchrun", torchrun.script, ...torchrun.args];
  }
  return exec?.argv ?? [];
}

function attemptView(attempt: Attempt__Output): AttemptView {
  return {
    number: attempt.number,
    placement: attempt.placement.map(({ node, gpus }) => ({ node, gpus })),
    placedAt: isoTime(timeMs(attempt.placedAt)),
    runningAt: isoTime(timeMs(attempt.runningAt)),
    endedAt: isoTime(timeMs(attempt.endedAt)),
    resumeFrom: attempt.resumeFrom,
    resumedFromStep: attempt.resumedFromStep,
    outcome: attempt.outcome,
    why: attempt.why,
    exit: attempt.exit === null ? null : { ...attempt.exit },
    lostGpuSeconds: attempt.lostGpuSeconds,
  };
}

export function checkpointView(checkpoint: Checkpoint__Output): CheckpointView {
  return {
    id: checkpoint.id,
    jobId: checkpoint.jobId,
    attempt: checkpoint.attempt,
    step: checkpoint.step,
    state: checkpoint.state,
    takenAt: isoTime(timeMs(checkpoint.takenAt)),
    committedAt: isoTime(timeMs(checkpoint.committedAt)),
    sizeBytes: checkpoint.sizeBytes,
    uploadedBytes: checkpoint.uploadedBytes,
    manifestDigest: checkpoint.manifestDigest,
  };
}

/** The attempt that runs or ran last; null before the first. */
export function lastAttempt(job: JobView): AttemptView | null {
  return job.attempts.at(-1) ?? null;
}

/** `node-1[0,1] node-2[0-3]`. */
export function placementText(placement: readonly PlacementView[]): string {
  return placement
    .map(({ node, gpus }) => (gpus.length === 0 ? node : `${node}[${ranges(gpus)}]`))
    .join(" ");
}

function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let from = 0; from < numbers.length; ) {
    let to = from;
    while (numbers[to + 1] === (numbers[to] ?? 0) + 1) to += 1;
    parts.push(from === to ? `${numbers[from]}` : `${numbers[from]}-${numbers[to]}`);
    from = to + 1;
  }
  return parts.join(",");
}

/**
 * `2×8`, `8`, `cpu`: nodes times GPUs of each. Of an elastic job the range, and while it runs the size
 * that it has: `2..4×8`, `3×8 (2..4)`.
 */
export function gpusText(job: Pick<JobView, "nodes" | "nodesMin" | "gpusPerNode" | "attempts">) {
  const { nodes, nodesMin, gpusPerNode } = job;
  const each = gpusPerNode === 0 ? "cpu" : String(gpusPerNode);
  if (nodesMin === nodes) return nodes > 1 ? `${nodes}×${each}` : each;
  const last = job.attempts.at(-1);
  const isThere = last !== undefined && last.endedAt === null;
  const range = `${nodesMin}..${nodes}`;
  return isThere ? `${last.placement.length}×${each} (${range})` : `${range}×${each}`;
}

/** One phrase: where it runs, why it waits, or how it ended. */
export function situation(job: JobView): string {
  if (hasEnded(job)) return job.phase === "SUCCEEDED" ? "" : job.why;
  if (job.hold !== null) return `${job.hold.code}: ${job.hold.message}`;
  if (job.why !== "") return job.why;
  return placementText(lastAttempt(job)?.placement ?? []);
}

/** How long it has been in what it does: running, waiting, or ran in total. */
export function phaseAgeMs(job: JobView, nowMs: number): number {
  const attempt = lastAttempt(job);
  const end = job.endedAt === null ? nowMs : Date.parse(job.endedAt);
  const started = attempt?.runningAt ?? attempt?.placedAt;
  const isWaiting = job.phase === "PENDING" || started === undefined || started === null;
  const since = isWaiting ? (attempt?.endedAt ?? job.submittedAt) : started;
  return since === null ? 0 : end - Date.parse(since);
}
