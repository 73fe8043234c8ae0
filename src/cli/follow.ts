// Follows a job's output live from its first attempt to its end: over preemptions, moves to other
// nodes, and restarts of the scheduler. Every byte comes once, in the order of its stream.

import type { ReadLogsResponse__Output } from "../rpc/gen/trainyard/v1/ReadLogsResponse.ts";
import type { Cluster } from "./cluster.ts";
import { isTransient } from "./failure.ts";
import type { JobView } from "./views/job-view.ts";
import { lastAttempt } from "./views/job-view.ts";
import { persist, watchUntilEnded } from "./watch.ts";

export interface FollowOptions {
  readonly jobId: string;
  /** -1 = every rank. */
  readonly rank: number;
  /** Of the first attempt that is shown; 0 = all. */
  readonly tailLines: number;
  /** The first attempt to show: 1 for a job just submitted. */
  readonly fromAttempt: number;
}

export interface FollowHooks {
  readonly onJob: (job: JobView) => void;
  readonly onChunk: (chunk: ReadLogsResponse__Output) => Promise<void>;
  /** Something a person should know; the following goes on. */
  readonly onTrouble: (text: string) => void;
}

type LogsCluster = Pick<Cluster, "watchJobs" | "readLogs">;

/** Resolves to the ended job, or to null when the signal was aborted before. */
export async function followJob(
  cluster: LogsCluster,
  options: FollowOptions,
  hooks: FollowHooks,
  signal: AbortSignal,
): Promise<JobView | null> {
  const latest = createLatest();
  const stop = new AbortController();
  const reading = readAttempts(
    cluster,
    options,
    hooks,
    latest,
    AbortSignal.any([signal, stop.signal]),
  );
  // A failure of the watch must not leave the reading unobserved.
  reading.catch(() => undefined);
  try {
    const jobs = await watchUntilEnded(
      cluster,
      [options.jobId],
      {
        onJob: (job) => {
          latest.set(job);
          hooks.onJob(job);
        },
        onOutage: () => hooks.onTrouble("The scheduler does not answer; trying again."),
      },
      signal,
    );
    if (jobs === null) return null;
    await reading;
    return jobs.get(options.jobId) ?? null;
  } finally {
    stop.abort();
    latest.close();
  }
}

/** Attempt by attempt, each to its end. */
async function readAttempts(
  cluster: LogsCluster,
  options: FollowOptions,
  hooks: FollowHooks,
  latest: Latest,
  signal: AbortSignal,
): Promise<void> {
  let next = options.fromAttempt;
  let tailLines = options.tailLines;
  while (!signal.aborted) {
    const job = latest.current();
    const newest = job === null ? 0 : attemptWithOutput(job);
    if (next <= newest) {
      await readAttempt(cluster, { ...options, attempt: next, tailLines }, hooks, signal);
      next += 1;
      tailLines = 0;
      continue;
    }
    if (latest.isOver()) return;
    await latest.changed();
  }
}

/** The newest attempt whose tasks may have written something. */
function attemptWithOutput(job: JobView): number {
  const attempt = lastAttempt(job);
  if (attempt === null) return 0;
  return job.phase === "PLACED" ? attempt.number - 1 : attempt.number;
}

interface AttemptOptions {
  readonly jobId: string;
  readonly attempt: number;
  readonly rank: number;
  readonly tailLines: number;
}

async function readAttempt(
  cluster: LogsCluster,
  options: AttemptOptions,
  hooks: FollowHooks,
  signal: AbortSignal,
): Promise<void> {
  const positions = createPositions();
  const { jobId: job, attempt, rank, tailLines } = options;
  try {
    await persist({
      signal,
      onOutage: () => hooks.onTrouble(`The output of attempt ${attempt} breaks off; trying again.`),
      act: async (progress) => {
        // After a break everything is asked for again: the positions say what was shown.
        const request = {
          job,
          attempt,
          rank,
          follow: true,
          tailLines: positions.hasAny() ? 0 : tailLines,
        };
        for await (const chunk of cluster.readLogs(request, signal)) {
          progress();
          const fresh = positions.fresh(chunk);
          if (fresh !== null) await hooks.onChunk(fresh);
        }
        return "done";
      },
    });
  } catch (error) {
    if (isTransient(error)) throw error;
    const text = error instanceof Error ? error.message : String(error);
    hooks.onTrouble(`No output of attempt ${attempt}: ${text}`);
  }
}

/** How far each stream of each rank was shown. */
function createPositions() {
  const ends = new Map<string, number>();
  return {
    hasAny: (): boolean => ends.size > 0,
    /** The part of a chunk that was not shown yet; null when all of it was. */
    fresh: (chunk: ReadLogsResponse__Output): ReadLogsResponse__Output | null => {
      const key = `${chunk.rank}/${chunk.stream}`;
      const end = ends.get(key) ?? chunk.offset;
      const skip = Math.max(0, end - chunk.offset);
      if (skip >= chunk.data.length) return null;
      ends.set(key, chunk.offset + chunk.data.length);
      return { ...chunk, offset: chunk.offset + skip, data: chunk.data.subarray(skip) };
    },
  };
}

interface Latest {
  current(): JobView | null;
  set(job: JobView): void;
  /** True once no newer state will come. */
  isOver(): boolean;
  /** Resolves at the next state, or when it is over. */
  changed(): Promise<void>;
  close(): void;
}

function createLatest(): Latest {
  let job: JobView | null = null;
  let isClosed = false;
  let waiting: (() => void)[] = [];
  const wake = (): void => {
    const woken = waiting;
    waiting = [];
    for (const resolve of woken) resolve();
  };
  return {
    current: () => job,
    set: (next) => {
      job = next;
      wake();
    },
    isOver: () => isClosed || (job?.endedAt !== null && job !== null),
    changed: () => new Promise((resolve) => waiting.push(resolve)),
    close: () => {
      isClosed = true;
      wake();
    },
  };
}
