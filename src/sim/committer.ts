// Writes manifests and clears away old checkpoints, as the scheduler's reactor does: looks at the whole
// state each time, so that whatever a crash left undone is done by the next look.

import type { CheckpointId, NodeId } from "../base/ids.ts";
import { checkpointsToDelete } from "../checkpoint/core/retention.ts";
import type { Command } from "../scheduler/core/commands.ts";
import { isWhole } from "../scheduler/core/decide-checkpoint.ts";
import { activeAttempt, type Checkpoint, type Job } from "../scheduler/core/job.ts";
import type { ClusterState } from "../scheduler/core/state.ts";
import type { SchedulerPorts } from "./scheduler-ports.ts";

const MANIFEST_MS_MAX = 300;
const SLOW_MANIFEST_MS_MAX = 20_000;

export interface CommitterLoop {
  readonly state: ClusterState;
  after(delayMs: number, run: () => void): void;
  enqueue(command: Command, agent: NodeId | null, done: (isAccepted: boolean) => void): void;
}

export class Committer {
  private readonly loop: CommitterLoop;
  private readonly ports: SchedulerPorts;
  private readonly busy = new Set<CheckpointId>();

  constructor(loop: CommitterLoop, ports: SchedulerPorts) {
    this.loop = loop;
    this.ports = ports;
  }

  look(): void {
    for (const job of this.loop.state.jobs.values()) {
      const { keep } = job.spec.checkpoint;
      const spent = new Set(checkpointsToDelete(job.checkpoints, keep, inUse(job)));
      for (const checkpoint of job.checkpoints) {
        if (this.busy.has(checkpoint.id)) continue;
        if (this.isReady(job, checkpoint)) this.commit(job, checkpoint);
        else if (spent.has(checkpoint.id)) this.delete(job, checkpoint);
        else if (!this.ports.sabotage.retentionSparesResume) this.forgetObjects(checkpoint);
      }
    }
  }

  private isReady(job: Job, checkpoint: Checkpoint): boolean {
    if (checkpoint.state !== "gathering") return false;
    if (!this.ports.sabotage.commitsWholeOnly) return true;
    return checkpoint.attempt === job.attemptLast && isWhole(job, checkpoint);
  }

  private commit(job: Job, checkpoint: Checkpoint): void {
    const { prng, store, faults } = this.ports;
    const { id, attempt, step, parts } = checkpoint;
    this.busy.add(id);
    const isSlow = prng.chance(faults().slowStore, 1_000);
    const delayMs = 1 + prng.below(isSlow ? SLOW_MANIFEST_MS_MAX : MANIFEST_MS_MAX);
    const isCorrupt = prng.chance(faults().corruptCheckpoint, 1_000);
    this.loop.after(delayMs, () => {
      const manifest = { jobId: job.id, checkpointId: id, attempt, step, parts, isCorrupt };
      const manifestDigest = store.putManifest(manifest);
      const command = { kind: "checkpoint.commit", jobId: job.id, checkpointId: id } as const;
      this.loop.enqueue({ ...command, manifestDigest }, null, () => this.busy.delete(id));
    });
  }

  /** The command first: what the log no longer knows may go, never the other way round. */
  private delete(job: Job, checkpoint: Checkpoint): void {
    const { id } = checkpoint;
    this.busy.add(id);
    const command = { kind: "checkpoint.delete", jobId: job.id, checkpointId: id } as const;
    this.loop.enqueue(command, null, (isAccepted) => {
      this.busy.delete(id);
      if (isAccepted) this.forgetObjects(checkpoint);
    });
  }

  private forgetObjects({ manifestDigest }: Checkpoint): void {
    if (manifestDigest !== null) this.ports.store.delete(manifestDigest);
  }
}

function inUse(job: Job): ReadonlySet<CheckpointId> {
  const from = activeAttempt(job.phase)?.resumeFrom ?? null;
  return new Set(from === null ? [] : [from]);
}
