// Everything that can happen to the cluster, in the past tense. The log of these is the truth.

import type {
  AgentInstanceId,
  CheckpointId,
  Digest,
  JobId,
  NodeId,
  QueuePath,
  RequestId,
} from "../../base/ids.ts";
import type {
  AttemptOutcome,
  CheckpointPart,
  Identity,
  JobSpec,
  PendingCause,
  Rendezvous,
  StopCause,
  TaskExit,
  TaskPlacement,
} from "./job.ts";
import type { NodeCondition, NodeSpec, Policy, QueueSpec } from "./state.ts";

/**
 * Why capacity is no longer kept. Only `replanned` after an eviction is thrash; `outranked` = a job
 * that could evict the holder if it ran has taken the room over.
 */
export type DropReason =
  | "job_ended"
  | "job_held"
  | "node_gone"
  | "limit_lowered"
  | "outranked"
  | "replanned";

export type ClusterEvent =
  /** A client's request was in order and changed nothing: kept so that a late repeat does not either. */
  | { readonly kind: "request.noted" }
  /** The whole policy; fields that an older release did not have are the defaults. */
  | { readonly kind: "policy.set"; readonly policy: Policy }
  /** Of older logs. */
  | { readonly kind: "policy.usage-half-life-set"; readonly usageHalfLifeMs: number }
  | { readonly kind: "queue.set"; readonly spec: QueueSpec }
  | { readonly kind: "queue.deleted"; readonly path: QueuePath }
  | {
      /** Thousandths of a GPU that each queue is due; none = nobody waits for others. */
      readonly kind: "shares.noted";
      readonly dues: readonly (readonly [QueuePath, number])[];
    }
  | {
      /** A new agent, or one that came back. What it held before and no longer reports is `lost`. */
      readonly kind: "node.registered";
      readonly spec: NodeSpec;
      readonly instance: AgentInstanceId;
    }
  | { readonly kind: "node.lost"; readonly nodeId: NodeId }
  | {
      readonly kind: "node.schedulability-set";
      readonly nodeId: NodeId;
      readonly schedulability: "open" | "cordoned" | "draining";
      readonly note: string;
    }
  | {
      /** All that its agent says is wrong with the node; empty = it takes tasks again. */
      readonly kind: "node.conditions-set";
      readonly nodeId: NodeId;
      readonly conditions: readonly NodeCondition[];
    }
  | {
      /** Its provider takes it away: from now on it drains, and is gone at `goesAtMs`. */
      readonly kind: "node.notice-given";
      readonly nodeId: NodeId;
      readonly goesAtMs: number;
      readonly note: string;
    }
  | { readonly kind: "node.removed"; readonly nodeId: NodeId }
  | {
      readonly kind: "job.submitted";
      readonly jobId: JobId;
      readonly spec: JobSpec;
      readonly owner: Identity;
    }
  | {
      /** Its elements take the numbers after `jobId`; they share the spec, which is logged once. */
      readonly kind: "array.submitted";
      readonly jobId: JobId;
      readonly spec: JobSpec;
      readonly owner: Identity;
    }
  | {
      /** `jobId`, a job or an array, waits no longer for `on`. */
      readonly kind: "job.dependency-met";
      readonly jobId: JobId;
      readonly on: JobId;
    }
  | {
      /** A job, or an array as a whole. What runs goes on. */
      readonly kind: "job.held";
      readonly jobId: JobId;
      readonly by: string;
      readonly why: string;
    }
  | { readonly kind: "job.released"; readonly jobId: JobId }
  | {
      /** As from now it has to run this long, restarts and waiting not counted. */
      readonly kind: "job.forecast-set";
      readonly jobId: JobId;
      readonly remainingMs: number;
    }
  | {
      readonly kind: "job.placed";
      readonly jobId: JobId;
      readonly attempt: number;
      readonly placement: readonly TaskPlacement[];
      readonly resumeFrom: CheckpointId | null;
    }
  | {
      readonly kind: "attempt.rendezvous-set";
      readonly jobId: JobId;
      readonly attempt: number;
      readonly rendezvous: Rendezvous;
    }
  | {
      readonly kind: "task.preparing";
      readonly jobId: JobId;
      readonly attempt: number;
      readonly rank: number;
    }
  | {
      readonly kind: "task.started";
      readonly jobId: JobId;
      readonly attempt: number;
      readonly rank: number;
    }
  | {
      /** Frees what the task held. */
      readonly kind: "task.ended";
      readonly jobId: JobId;
      readonly attempt: number;
      readonly rank: number;
      readonly exit: TaskExit;
    }
  | {
      readonly kind: "job.stopping";
      readonly jobId: JobId;
      readonly attempt: number;
      readonly cause: StopCause;
      readonly deadlineMs: number;
    }
  | {
      /** After the last `task.ended`; followed by `job.requeued` or `job.ended`. */
      readonly kind: "attempt.ended";
      readonly jobId: JobId;
      readonly attempt: number;
      readonly outcome: AttemptOutcome;
      readonly lostGpuMs: number;
    }
  | {
      readonly kind: "job.requeued";
      readonly jobId: JobId;
      readonly cause: PendingCause;
      readonly notBeforeMs: number;
    }
  | {
      readonly kind: "job.ended";
      readonly jobId: JobId;
      readonly result:
        | { readonly kind: "succeeded" }
        | {
            readonly kind: "failed";
            readonly reason: "task_failed" | "time_limit" | "restore_failed";
            readonly exit: TaskExit | null;
          }
        | { readonly kind: "cancelled"; readonly by: string; readonly why: string };
    }
  | {
      readonly kind: "reservation.made";
      readonly jobId: JobId;
      readonly placement: readonly TaskPlacement[];
      readonly victims: readonly JobId[];
    }
  | {
      readonly kind: "reservation.dropped";
      readonly jobId: JobId;
      readonly why: DropReason;
    }
  | {
      readonly kind: "checkpoint.part-stored";
      readonly jobId: JobId;
      readonly attempt: number;
      readonly checkpointId: CheckpointId;
      readonly step: number;
      readonly takenAtMs: number;
      readonly part: CheckpointPart;
    }
  | {
      readonly kind: "checkpoint.committed";
      readonly jobId: JobId;
      readonly checkpointId: CheckpointId;
      readonly manifestDigest: Digest;
    }
  | {
      readonly kind: "checkpoint.rejected";
      readonly jobId: JobId;
      readonly checkpointId: CheckpointId;
      readonly why: string;
    }
  | {
      readonly kind: "checkpoint.deleted";
      readonly jobId: JobId;
      readonly checkpointId: CheckpointId;
    };

export type EventKind = ClusterEvent["kind"];
export type EventOf<K extends EventKind> = Extract<ClusterEvent, { readonly kind: K }>;

/** One row of the log. */
export interface LoggedEvent {
  /** From 1, without gaps. */
  readonly seq: number;
  /** Never smaller than the row before. */
  readonly atMs: number;
  /** `user@tenant`, `agent:<node>` or `scheduler`. */
  readonly actor: string;
  /** Set on the first event of a client's request. */
  readonly request: { readonly id: RequestId; readonly fingerprint: string } | null;
  readonly event: ClusterEvent;
}

/** The job or array that an event is about, or null. For watching and for a job's own history. */
export function jobOfEvent(event: ClusterEvent): JobId | null {
  return "jobId" in event ? event.jobId : null;
}
