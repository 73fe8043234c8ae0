// What the outside may ask of the cluster, in the imperative. A command is decided against the
// state: it becomes events, or a refusal.

import type {
  AgentInstanceId,
  CheckpointId,
  Digest,
  JobId,
  NodeId,
  QueuePath,
  RequestId,
} from "../../base/ids.ts";
import type { Identity, JobSpec, Rendezvous, TaskExit } from "./job.ts";
import type { NodeCondition, NodeSpec, Policy, QueueSpec } from "./state.ts";

/** One checkpoint of which this task's files are in the object store. */
export interface StoredPart {
  readonly step: number;
  readonly takenAtMs: number;
  /** Of the part document; null = the task wrote nothing for this step (in DDP only rank 0 does). */
  readonly digest: Digest | null;
  readonly sizeBytes: number;
  readonly uploadedBytes: number;
}

/** What an agent sees of one task. */
export interface ObservedTask {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly rank: number;
  readonly state:
    | { readonly kind: "preparing" }
    | { readonly kind: "running" }
    | { readonly kind: "ended"; readonly exit: TaskExit };
  /** Rank 0 only: where it listens. */
  readonly rendezvous: Rendezvous | null;
  /** Parts that are stored and not yet known to be committed. */
  readonly parts: readonly StoredPart[];
}

/** The whole of what an agent sees. */
export interface NodeReport {
  readonly nodeId: NodeId;
  readonly instance: AgentInstanceId;
  /** The newest desired state that the agent had acted on; 0 = none since it started. */
  readonly generation: number;
  readonly tasks: readonly ObservedTask[];
  /** What is wrong with the node, one of a kind. */
  readonly conditions: readonly NodeCondition[];
}

export type Command =
  | { readonly kind: "policy.apply"; readonly policy: Policy }
  | { readonly kind: "job.submit"; readonly spec: JobSpec }
  /** `jobId` may be an array's: then every element is meant. */
  | { readonly kind: "job.cancel"; readonly jobId: JobId; readonly why: string }
  | { readonly kind: "job.hold"; readonly jobId: JobId; readonly why: string }
  | { readonly kind: "job.release"; readonly jobId: JobId }
  | {
      /** Somebody knows how long the job still has to run, restarts and waiting not counted. */
      readonly kind: "job.forecast";
      readonly jobId: JobId;
      /** Whole milliseconds, 0 or more. */
      readonly remainingMs: number;
    }
  | {
      /** Sets these queues, all or none; with `prune`, deletes every other one. */
      readonly kind: "queue.apply";
      readonly queues: readonly QueueSpec[];
      readonly prune: boolean;
    }
  | { readonly kind: "queue.delete"; readonly path: QueuePath }
  | { readonly kind: "node.cordon"; readonly nodeId: NodeId; readonly note: string }
  | { readonly kind: "node.uncordon"; readonly nodeId: NodeId }
  | { readonly kind: "node.drain"; readonly nodeId: NodeId; readonly note: string }
  | {
      /** The node goes away in `inMs`: a drain that has to be over by then. */
      readonly kind: "node.notice";
      readonly nodeId: NodeId;
      readonly inMs: number;
      readonly note: string;
    }
  | { readonly kind: "node.remove"; readonly nodeId: NodeId }
  | {
      readonly kind: "node.register";
      readonly spec: NodeSpec;
      readonly instance: AgentInstanceId;
      readonly report: NodeReport;
    }
  | { readonly kind: "node.report"; readonly report: NodeReport }
  | { readonly kind: "node.expire"; readonly nodeId: NodeId; readonly instance: AgentInstanceId }
  | {
      readonly kind: "checkpoint.commit";
      readonly jobId: JobId;
      readonly checkpointId: CheckpointId;
      readonly manifestDigest: Digest;
    }
  | {
      readonly kind: "checkpoint.reject";
      readonly jobId: JobId;
      readonly checkpointId: CheckpointId;
      readonly why: string;
    }
  | {
      readonly kind: "checkpoint.delete";
      readonly jobId: JobId;
      readonly checkpointId: CheckpointId;
    }
  | {
      /** Time has passed: limits and deadlines are looked at. Sent when `Plan.wakeAtMs` is due. */
      readonly kind: "clock.tick";
    };

/** A command with who sent it and how a repeat is recognised. */
export interface Envelope {
  readonly command: Command;
  readonly actor: Identity | "scheduler" | { readonly agent: NodeId };
  /** Null for what is idempotent by nature (reports, ticks). */
  readonly request: { readonly id: RequestId; readonly fingerprint: string } | null;
}

/** What an accepted command answers. */
export interface Accepted {
  readonly kind: "accepted";
  /** The job that was made or meant; null for others. */
  readonly jobId: JobId | null;
  /** True when the request id was seen before and nothing was done again. */
  readonly isRepeat: boolean;
}
