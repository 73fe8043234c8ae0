// What names a task, and a checkpoint of it.

import { type CheckpointId, checkpointId, type JobId } from "../../base/ids.ts";

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

/** Whether the scheduler has committed this attempt's checkpoint of the step. */
export function isCommitted(
  key: TaskKey,
  step: number,
  committed: readonly CheckpointId[],
): boolean {
  const digits = String(step).padStart(12, "0");
  return committed.includes(checkpointId(`${key.jobId}/${digits}-${key.attempt}`));
}
