// What names a task, and a part of a checkpoint that it stored.

import { type CheckpointId, checkpointId, type JobId } from "../../base/ids.ts";
import type { StoredPart } from "../../scheduler/core/commands.ts";

export interface TaskKey {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly rank: number;
}

export function isSameTask(a: TaskKey, b: TaskKey): boolean {
  return a.jobId === b.jobId && a.attempt === b.attempt && a.rank === b.rank;
}

/** `job-7/2/0`: for maps, logs and as the source of metrics. */
export function taskName(key: TaskKey): string {
  return `${key.jobId}/${key.attempt}/${key.rank}`;
}

/** Whether the scheduler has committed the checkpoint that this part belongs to. */
export function isCommitted(
  key: TaskKey,
  part: StoredPart,
  committed: readonly CheckpointId[],
): boolean {
  const step = String(part.step).padStart(12, "0");
  return committed.includes(checkpointId(`${key.jobId}/${step}-${key.attempt}`));
}
