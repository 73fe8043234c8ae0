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
 * attempt started from, what is pinned), and whatever an agent may still report: gathering and
 * rejected ones go only when a later attempt has committed, since reports of older attempts are
 * not heard.
 */
export function checkpointsToDelete(
  checkpoints: readonly RetainedCheckpoint[],
  keep: number,
  protectedIds: ReadonlySet<CheckpointId>,
): readonly CheckpointId[] {
  const sorted = [...checkpoints].sort(byAge);
  const committed = sorted.filter(({ state }) => state === "committed");
  const kept = new Set(committed.slice(-Math.max(1, keep)).map(({ id }) => id));
  const attemptCommitted = Math.max(-1, ...committed.map(({ attempt }) => attempt));
  return sorted
    .filter(({ id }) => !kept.has(id) && !protectedIds.has(id))
    .filter(({ state, attempt }) => state === "committed" || attempt < attemptCommitted)
    .map(({ id }) => id);
}

/** The order of `resumePoint`: the last one is what the job would resume from. */
function byAge(a: RetainedCheckpoint, b: RetainedCheckpoint): number {
  return a.step - b.step || a.attempt - b.attempt || compareText(a.id, b.id);
}
