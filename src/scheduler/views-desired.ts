// What a node is to do, as the wire has it. Pure: the time comes in, since an agent counts its
// deadlines down from the sending.

import type { Desired as DesiredMessage } from "../rpc/gen/trainyard/v1/Desired.ts";
import type { DesiredTask as DesiredTaskMessage } from "../rpc/gen/trainyard/v1/DesiredTask.ts";
import type { ResumeFrom } from "../rpc/gen/trainyard/v1/ResumeFrom.ts";
import type { StopOrder as StopOrderMessage } from "../rpc/gen/trainyard/v1/StopOrder.ts";
import type { CheckpointRef, DesiredTask, StopOrder } from "./core/desired.ts";
import { specView } from "./views-spec.ts";

export interface NodeDesired {
  /** Sequence of the log that it was made from. */
  readonly generation: number;
  readonly tasks: readonly DesiredTask[];
}

export function desiredView(desired: NodeDesired, nowMs: number): DesiredMessage {
  return {
    generation: desired.generation,
    tasks: desired.tasks.map((task) => taskView(task, nowMs)),
  };
}

function taskView(task: DesiredTask, nowMs: number): DesiredTaskMessage {
  return {
    jobId: task.jobId,
    attempt: task.attempt,
    rank: task.rank,
    stop: task.stop === null ? null : stopView(task.stop, nowMs),
    spec: specView(task.spec),
    gpus: [...task.gpus],
    nodeNames: [...task.nodeNames],
    rendezvous: task.rendezvous,
    resume: resumeView(task.resume),
    committedCheckpoints: [...task.committedCheckpoints],
    gatheringSteps: [...task.gatheringSteps],
    dedupeAgainst: resumeView(task.dedupeAgainst),
    runId: task.runId,
  };
}

const stopView = (stop: StopOrder, nowMs: number): StopOrderMessage => ({
  reason: stop.reason,
  deadlineUnixMs: stop.deadlineMs,
  remainingMs: Math.max(0, stop.deadlineMs - nowMs),
  wantsCheckpoint: stop.wantsCheckpoint,
});

function resumeView(ref: CheckpointRef | null): ResumeFrom | null {
  if (ref === null) return null;
  return { checkpointId: ref.checkpointId, step: ref.step, manifestDigest: ref.manifestDigest };
}
