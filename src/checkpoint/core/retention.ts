// Which checkpoints a job no longer needs. Deciding only: deleting is `commit.ts`'s work.

import { compareText, type CheckpointId } from "../../base/ids.ts";

export interface RetainedCheckpoint {
  readonly id: CheckpointId;
  readonly attempt: number;
  readonly step: number;
  readonly state: "gathering" | "committed" | "rejected";
}

/**
 * The ids to delete, oldest first. Kept are the newest `keep` committed ones (at least one,
 * whatever `keep` says: it is where the job resumes), everything in `protectedIds` (what a running
 * attempt started from, what is pinned), and whatever may still become the newest: gathering and
 * rejected ones go when their own or a later attempt has committed a higher step, since then no
 * report of them is heard any more. Ranks that upload slower than they save skip steps, each
 * others: what is left of those would fill the store for as long as the attempt runs.
 */
export function checkpointsToDelete(
  checkpoints: readonly RetainedCheckpoint[],
  keep: number,
  protectedIds: ReadonlySet<CheckpointId>,
): readonly CheckpointId[] {
  const sorted = [...checkpoints].sort(byAge);
  const committed = sorted.filter(({ state }) => state === "committed");
  const kept = new Set(committed.slice(-Math.max(1, keep)).map(({ id }) => id));
  const isPassed = ({ attempt, step }: RetainedCheckpoint): boolean =>
    committed.some(
      (other) => other.attempt > attempt || (other.attempt === attempt && other.step > step),
    );
  return sorted
    .filter(({ id }) => !kept.has(id) && !protectedIds.has(id))
    .filter((checkpoint) => checkpoint.state === "committed" || isPassed(checkpoint))
    .map(({ id }) => id);
}

/** The order of `resumePoint`: the last one is what the job would resume from. */
function byAge(a: RetainedCheckpoint, b: RetainedCheckpoint): number {
  return a.step - b.step || a.attempt - b.attempt || compareText(a.id, b.id);
}
