// Keeps the runs of jobs where the jobs are. Told the newest state of a job each time it changes, it
// writes the newest state it was told: level-triggered, so a change that is missed or repeated does
// no harm, and the scheduler never waits for the tracker.
//
// A job's run is made when the job is submitted. Metrics that arrive before make it themselves
// (append.ts); after a restart `reconcile` catches up on whatever was committed in between.

import { setTimeout as delay } from "node:timers/promises";
import type { JobState } from "./run-ops.ts";

/** What it needs of the tracker. */
export interface RunLifecycle {
  followJobs(jobs: readonly JobState[]): Promise<void>;
  openJobRuns(): readonly string[];
  abandonRuns(runIds: readonly string[]): Promise<void>;
}

export interface JobRunsOptions {
  readonly tracker: RunLifecycle;
  /** Called with each failed write; it is tried again. */
  readonly onFault: (error: unknown) => void;
}

const AT_ONCE = 1_000;
/**
 * For so long changes gather before they are written: the scheduler's log shares the disk, and the
 * start of a job, which takes less, waits for its commits and not for these.
 */
const GATHER_MS = 100;
const RETRY_MS_FIRST = 100;
const RETRY_MS_MAX = 10_000;

export class JobRuns {
  readonly #options: JobRunsOptions;
  readonly #stop = new AbortController();
  /** Newest state by job; at most one entry a job, however often it changes. */
  readonly #pending = new Map<string, JobState>();
  #writing: Promise<void> | null = null;

  constructor(options: JobRunsOptions) {
    this.#options = options;
  }

  /** Returns at once. */
  onJobChanged(job: JobState): void {
    if (this.#stop.signal.aborted) return;
    // Taken out first, so that the map stays in the order of changes.
    this.#pending.delete(job.jobId);
    this.#pending.set(job.jobId, job);
    this.#writing ??= this.#write();
  }

  /**
   * For the start: brings all runs to where the jobs are, and ends the runs of jobs that are not
   * there any more. Subscribe to changes before, in the same turn of the event loop: `jobs` is read
   * at once, so that whatever changes after that comes by `onJobChanged` and wins.
   */
  async reconcile(jobs: Iterable<JobState>): Promise<void> {
    const { tracker } = this.#options;
    const known = new Set<string>();
    for (const job of jobs) {
      known.add(job.jobId);
      this.onJobChanged(job);
    }
    const abandoned = tracker.openJobRuns().filter((runId) => !known.has(runId));
    await this.settled();
    if (abandoned.length > 0) await tracker.abandonRuns(abandoned);
  }

  /** Resolves when all that was told is written; tests and a graceful stop wait for it. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  /** Gives up on retries; what is not written then is caught up on by the next `reconcile`. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.settled();
  }

  async #write(): Promise<void> {
    let retryMs = RETRY_MS_FIRST;
    while (this.#pending.size > 0) {
      await this.#pause(GATHER_MS);
      const some = this.#take();
      try {
        await this.#options.tracker.followJobs(some);
        retryMs = RETRY_MS_FIRST;
      } catch (error) {
        this.#options.onFault(error);
        if (this.#stop.signal.aborted) break;
        this.#putBack(some);
        await this.#pause(retryMs);
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
      }
    }
    this.#writing = null;
  }

  #take(): readonly JobState[] {
    const some = [...this.#pending.values()].slice(0, AT_ONCE);
    for (const job of some) this.#pending.delete(job.jobId);
    return some;
  }

  /** What came in between is newer. */
  #putBack(jobs: readonly JobState[]): void {
    for (const job of jobs) {
      if (!this.#pending.has(job.jobId)) this.#pending.set(job.jobId, job);
    }
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error;
    });
  }
}
