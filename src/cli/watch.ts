// Watches jobs until they have ended, over restarts of the scheduler.

import type { Cluster } from "./cluster.ts";
import { isTransient } from "./failure.ts";
import { pause } from "./io.ts";
import type { JobView } from "./views/job-view.ts";
import { hasEnded, jobView } from "./views/job-view.ts";

/** Tries to come back to a scheduler that went away for so long. */
const OUTAGE_MAX_MS = 600_000;
const RETRY_MS = 500;

export interface WatchHooks {
  /** Each state that was seen, the present one first. */
  readonly onJob: (job: JobView) => void;
  /** Once at the beginning of an outage. */
  readonly onOutage: (error: unknown) => void;
}

/**
 * Resolves to the last state of each job, by id; null when the signal was aborted before. Throws
 * when a job is unknown, or the scheduler stays away.
 */
export async function watchUntilEnded(
  cluster: Pick<Cluster, "watchJobs">,
  ids: readonly string[],
  hooks: WatchHooks,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, JobView> | null> {
  const ended = new Map<string, JobView>();
  const pending = new Set(ids);
  await persist({
    signal,
    onOutage: hooks.onOutage,
    act: async (progress) => {
      const stop = new AbortController();
      const both = AbortSignal.any([signal, stop.signal]);
      try {
        for await (const reply of cluster.watchJobs({ jobs: [...pending] }, both)) {
          progress();
          if (reply.job === null) continue;
          const job = jobView(reply.job);
          hooks.onJob(job);
          if (!hasEnded(job) || !pending.delete(job.id)) continue;
          ended.set(job.id, job);
          if (pending.size === 0) return "done";
        }
        // The server ends the stream when it stops; the next one goes on.
        return pending.size === 0 ? "done" : "again";
      } finally {
        stop.abort();
      }
    },
  });
  return pending.size === 0 ? ended : null;
}

interface Persistence {
  readonly signal: AbortSignal;
  readonly onOutage: (error: unknown) => void;
  /** Calls `progress` whenever something came: an outage is then over. */
  readonly act: (progress: () => void) => Promise<"done" | "again">;
}

/** Repeats an act until it is done, through outages that are not too long. */
export async function persist({ signal, onOutage, act }: Persistence): Promise<void> {
  let attemptsInVain = 0;
  const progress = (): void => {
    attemptsInVain = 0;
  };
  while (!signal.aborted) {
    try {
      if ((await act(progress)) === "done") return;
      attemptsInVain += 1;
    } catch (error) {
      if (signal.aborted) return;
      if (!isTransient(error)) throw error;
      if (attemptsInVain === 0) onOutage(error);
      attemptsInVain += 1;
      if (attemptsInVain * RETRY_MS > OUTAGE_MAX_MS) throw error;
    }
    await pause(RETRY_MS, signal);
  }
}
