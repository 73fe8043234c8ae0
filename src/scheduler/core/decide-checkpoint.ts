// Committing, rejecting and deleting checkpoints. An attempt that a newer one has replaced commits
// nothing: that is the fence against a node that was thought dead.

import { refuse } from "../../base/errors.ts";
import type { Command } from "./commands.ts";
import { type Decision, noSuchJob } from "./decision.ts";
import { activeAttempt, type Checkpoint, type Job, nodesOfAttempt, resumePoint } from "./job.ts";
import type { ClusterState } from "./state.ts";

type CheckpointCommand = Extract<
  Command,
  { readonly kind: "checkpoint.commit" | "checkpoint.reject" | "checkpoint.delete" }
>;

export function decideCheckpoint(state: ClusterState, command: CheckpointCommand): Decision {
  const job = state.jobs.get(command.jobId);
  if (job === undefined) return noSuchJob(command.jobId);
  const checkpoint = job.checkpoints.find(({ id }) => id === command.checkpointId);
  if (checkpoint === undefined) {
    const message = `${job.id} has no checkpoint ${command.checkpointId}.`;
    const remedy = `\`trainyard checkpoint ls ${job.id}\` lists what it has.`;
    return refuse("CHECKPOINT_NOT_FOUND", message, remedy, "checkpoint");
  }
  switch (command.kind) {
    case "checkpoint.commit":
      return decideCommit(job, checkpoint, command);
    case "checkpoint.reject": {
      const { jobId, checkpointId, why } = command;
      if (checkpoint.state === "rejected") return [];
      return [{ kind: "checkpoint.rejected", jobId, checkpointId, why }];
    }
    case "checkpoint.delete":
      return decideDelete(job, checkpoint);
  }
}

function decideCommit(
  job: Job,
  checkpoint: Checkpoint,
  command: Extract<CheckpointCommand, { readonly kind: "checkpoint.commit" }>,
): Decision {
  if (checkpoint.state === "committed") return [];
  if (checkpoint.attempt < job.attemptLast) {
    const message = `${checkpoint.id} is of attempt ${checkpoint.attempt}; ${job.id} is at ${job.attemptLast}.`;
    return refuse("STALE_ATTEMPT", message, "The newer attempt's checkpoints count.", "attempt");
  }
  if (checkpoint.state === "rejected" || !isWhole(job, checkpoint)) {
    const { id, state, parts, attempt } = checkpoint;
    const of = nodesOfAttempt(job, attempt);
    const message = `${id} is ${state} with ${parts.length} of ${of} parts.`;
    return refuse("CHECKPOINT_NOT_FOUND", message, "Commit it when every part is stored.");
  }
  const { jobId, checkpointId, manifestDigest } = command;
  return [{ kind: "checkpoint.committed", jobId, checkpointId, manifestDigest }];
}

/** Whether every task of the gang has stored its part. */
export function isWhole(job: Job, checkpoint: Checkpoint): boolean {
  return checkpoint.parts.length === nodesOfAttempt(job, checkpoint.attempt);
}

/** What the job would resume from, and what its attempt is restoring now, stay. */
function decideDelete(job: Job, checkpoint: Checkpoint): Decision {
  const inUse = activeAttempt(job.phase)?.resumeFrom === checkpoint.id;
  if (inUse || resumePoint(job)?.id === checkpoint.id) {
    const message = `${job.id} would resume from ${checkpoint.id}.`;
    return refuse("CHECKPOINT_IN_USE", message, "Commit a newer one first.", "checkpoint");
  }
  return [{ kind: "checkpoint.deleted", jobId: job.id, checkpointId: checkpoint.id }];
}
