// The part of the fold that is a job's checkpoints. Called by `apply` only.

import { must } from "../../base/assert.ts";
import type { CheckpointId } from "../../base/ids.ts";
import { fileJob } from "./allocate.ts";
import type { EventOf } from "./events.ts";
import type { Checkpoint, CheckpointPart, Job } from "./job.ts";
import { jobOf } from "./lookup.ts";
import type { MutableClusterState } from "./state.ts";

type CheckpointEvent = EventOf<
  "checkpoint.part-stored" | "checkpoint.committed" | "checkpoint.rejected" | "checkpoint.deleted"
>;

export function applyCheckpointEvent(state: MutableClusterState, event: CheckpointEvent): void {
  const job = jobOf(state, event.jobId);
  switch (event.kind) {
    case "checkpoint.part-stored":
      return save(state, job, withPart(job, event));
    case "checkpoint.committed":
      state.totals = {
        ...state.totals,
        checkpointsCommitted: state.totals.checkpointsCommitted + 1,
      };
      return save(state, job, [
        ...without(job, event.checkpointId),
        {
          ...find(job, event.checkpointId),
          state: "committed",
          committedAtMs: state.atMs,
          manifestDigest: event.manifestDigest,
        },
      ]);
    case "checkpoint.rejected":
      return save(state, job, [
        ...without(job, event.checkpointId),
        { ...find(job, event.checkpointId), state: "rejected" },
      ]);
    case "checkpoint.deleted":
      return save(state, job, without(job, event.checkpointId));
  }
}

function withPart(job: Job, event: EventOf<"checkpoint.part-stored">): readonly Checkpoint[] {
  const known = job.checkpoints.find((checkpoint) => checkpoint.id === event.checkpointId);
  const before: Checkpoint = known ?? {
    id: event.checkpointId,
    jobId: job.id,
    attempt: event.attempt,
    step: event.step,
    state: "gathering",
    parts: [],
    takenAtMs: event.takenAtMs,
    committedAtMs: null,
    manifestDigest: null,
  };
  const parts = [...before.parts.filter((part) => part.rank !== event.part.rank), event.part];
  const takenAtMs = Math.max(before.takenAtMs, event.takenAtMs);
  return [...without(job, event.checkpointId), { ...before, parts: byRank(parts), takenAtMs }];
}

const byRank = (parts: readonly CheckpointPart[]): readonly CheckpointPart[] =>
  [...parts].sort((a, b) => a.rank - b.rank);

const find = (job: Job, id: CheckpointId): Checkpoint =>
  must(
    job.checkpoints.find((checkpoint) => checkpoint.id === id),
    id,
  );

const without = (job: Job, id: CheckpointId): readonly Checkpoint[] =>
  job.checkpoints.filter((checkpoint) => checkpoint.id !== id);

function save(state: MutableClusterState, job: Job, checkpoints: readonly Checkpoint[]): void {
  const sorted = [...checkpoints].sort((a, b) => a.step - b.step || a.attempt - b.attempt);
  fileJob(state, { ...job, checkpoints: sorted });
}
