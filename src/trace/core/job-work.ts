// How far a simulated job has come. Owns the work model: progress is made while an attempt runs,
// a restart costs time before it goes on, and a checkpoint each interval is what outlives an
// attempt. Knows nothing of scheduling.

import type { CheckpointId, JobId, NodeId } from "../../base/ids.ts";
import { gpusOfJob, type TraceJob } from "./workload.ts";

export interface WorkModel {
  /** Running time between two checkpoints of an attempt; 0 = none is ever taken. */
  readonly checkpointIntervalMs: number;
  /** From the placement of every attempt but the first until progress goes on. */
  readonly restartCostMs: number;
  /** From the order to stop until the GPUs are free; no progress is made in between. */
  readonly stopMs: number;
  /** Whether who is asked to stop saves what it has first. */
  readonly savesOnStop: boolean;
}

/** One attempt. Instants are virtual milliseconds. */
export interface AttemptWork {
  readonly number: number;
  /** By rank. */
  readonly nodes: readonly NodeId[];
  readonly placedAtMs: number;
  /** Progress goes on from here. */
  readonly runningAtMs: number;
  /** Progress at `runningAtMs`. */
  readonly fromMs: number;
  stoppedAtMs: number | null;
  /** Checkpoints taken so far that the scheduler knows of. */
  checkpointsStored: number;
}

export class JobWork {
  readonly job: TraceJob;
  readonly id: JobId;
  readonly gpus: number;
  attempt: AttemptWork | null = null;
  /** Progress that the newest committed checkpoint holds. */
  savedMs = 0;
  savedIn: CheckpointId | null = null;
  firstPlacedAtMs: number | null = null;
  endedAtMs: number | null = null;
  isFinished = false;
  preemptions = 0;
  /** GPU time that led nowhere: work done twice, restarts, waiting to be stopped. */
  lostGpuMs = 0;
  readonly #model: WorkModel;

  constructor(id: JobId, job: TraceJob, model: WorkModel) {
    this.id = id;
    this.job = job;
    this.gpus = gpusOfJob(job);
    this.#model = model;
  }

  begin(attempt: number, nodes: readonly NodeId[], nowMs: number): AttemptWork {
    const startMs = attempt === 1 ? 0 : this.#model.restartCostMs;
    this.firstPlacedAtMs ??= nowMs;
    this.attempt = {
      number: attempt,
      nodes,
      placedAtMs: nowMs,
      runningAtMs: nowMs + startMs,
      fromMs: this.savedMs,
      stoppedAtMs: null,
      checkpointsStored: 0,
    };
    return this.attempt;
  }

  /** When the attempt has done what is left, if nobody stops it. */
  finishAtMs({ runningAtMs, fromMs }: AttemptWork): number {
    return runningAtMs + this.job.durationMs - fromMs;
  }

  progressMs(attempt: AttemptWork, nowMs: number): number {
    const untilMs = Math.min(nowMs, attempt.stoppedAtMs ?? nowMs);
    return attempt.fromMs + Math.max(0, untilMs - attempt.runningAtMs);
  }

  /** The instant of the attempt's next checkpoint that is not stored yet; null when there is none. */
  nextCheckpointMs(attempt: AttemptWork): number | null {
    const { checkpointIntervalMs } = this.#model;
    if (checkpointIntervalMs === 0) return null;
    const atMs = attempt.runningAtMs + (attempt.checkpointsStored + 1) * checkpointIntervalMs;
    return atMs < (attempt.stoppedAtMs ?? this.finishAtMs(attempt)) ? atMs : null;
  }

  /** The newest instant up to `nowMs` at which a checkpoint was taken; `nextCheckpointMs` is due. */
  takeCheckpoints(attempt: AttemptWork, nowMs: number): number {
    const { checkpointIntervalMs } = this.#model;
    const untilMs = Math.min(nowMs, attempt.stoppedAtMs ?? nowMs);
    const taken = Math.floor((untilMs - attempt.runningAtMs) / checkpointIntervalMs);
    attempt.checkpointsStored = taken;
    return attempt.runningAtMs + taken * checkpointIntervalMs;
  }

  /** The attempt is over; what it did beyond `savedMs` is lost unless the job is finished. */
  end(attempt: AttemptWork, nowMs: number, isFinished: boolean): void {
    const heldMs = nowMs - attempt.placedAtMs;
    const keptMs = (isFinished ? this.job.durationMs : this.savedMs) - attempt.fromMs;
    this.lostGpuMs += (heldMs - keptMs) * this.gpus;
    this.attempt = null;
  }
}
