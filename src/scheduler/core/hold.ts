// Why a job is not placed, as data. The CLI, the API and the metrics render these and nothing else.

import type { JobId, QueuePath } from "../../base/ids.ts";
import type { ResourceKind } from "../../base/resources.ts";
import { memoryText } from "./wording.ts";
import type { DependencyCondition, JobPhase, PendingCause, TopologyLevel } from "./job.ts";
import type { Shape } from "./shape.ts";

export type Hold =
  /** No planning pass has looked at the job yet. */
  | { readonly code: "EVALUATING" }
  /** Somebody holds it, or its array. */
  | {
      readonly code: "HELD_BY_USER";
      readonly by: string;
      readonly why: string;
      readonly atMs: number;
    }
  /** Another job, or array, has to end first. */
  | {
      readonly code: "WAITING_FOR_JOB";
      readonly job: JobId;
      readonly on: DependencyCondition;
      /** Null = an array. */
      readonly phase: JobPhase["kind"] | null;
      /** How many it waits for besides. */
      readonly others: number;
    }
  /** It asked not to be started earlier. */
  | { readonly code: "BEGIN_TIME"; readonly untilMs: number }
  /** As many elements of its array are under way as may be at once. */
  | {
      readonly code: "ARRAY_PARALLEL";
      readonly array: JobId;
      readonly underWay: number;
      readonly parallel: number;
    }
  /** Waits before it is tried again: after failures, or for the commit of its last checkpoint. */
  | {
      readonly code: "BACKOFF";
      readonly untilMs: number;
      readonly failures: number;
      readonly cause: PendingCause;
    }
  /** No set of this cluster's nodes could ever hold it, even empty. */
  | {
      readonly code: "EXCEEDS_CLUSTER";
      readonly gpuTypes: readonly string[];
      readonly nodesAsked: number;
      readonly gpusPerNode: number;
      readonly cpuMilliPerNode: number;
      readonly memoryMibPerNode: number;
      /** Nodes that are large enough, whatever runs on them. */
      readonly nodesFit: number;
      /** The same if the gang might be of several GPU types. */
      readonly nodesMixed: number;
      /** The most that one node has of each; not always the same node. */
      readonly gpusLargest: number;
      readonly cpuMilliLargest: number;
      readonly memoryMibLargest: number;
      /** Further nodes that are large enough, but spot nodes, which it avoids. */
      readonly nodesSpot: number;
    }
  /** Whatever runs or not, no domain of the level is large enough (`ever`), or none has room now. */
  | {
      readonly code: "TOPOLOGY";
      readonly level: TopologyLevel;
      readonly scope: "ever" | "now";
      readonly nodesAsked: number;
      readonly gpusPerNode: number;
      /** The one that comes closest; empty when no node is in a domain, and for islands. */
      readonly domain: string;
      /** Nodes of it that could serve a task. */
      readonly nodesFit: number;
      /** How many domains there are; 0 for islands. */
      readonly domains: number;
    }
  /** No schedulable node has GPUs of any of the types. */
  | {
      readonly code: "NO_MATCHING_GPU";
      readonly gpuTypes: readonly string[];
      readonly typesPresent: readonly string[];
    }
  /**
   * Larger than what its queue, or one above, may ever use: by its limit, or by its guarantee and
   * what it may borrow. Amounts are of `resource`.
   */
  | {
      readonly code: "EXCEEDS_QUEUE_LIMIT";
      readonly queue: QueuePath;
      readonly resource: ResourceKind;
      readonly asked: number;
      readonly limit: number;
    }
  /** Would take its queue, or one above, over its limit now. */
  | {
      readonly code: "WAITING_FOR_QUOTA";
      readonly queue: QueuePath;
      readonly resource: ResourceKind;
      readonly asked: number;
      readonly allocated: number;
      readonly limit: number;
    }
  /** Its tenant, or its user, has as many jobs under way, or holds as many GPUs, as it may. */
  | {
      readonly code: "TENANT_LIMIT" | "USER_LIMIT";
      /** A tenant, or `user@tenant`. */
      readonly owner: string;
      readonly what: "running" | "gpus";
      readonly asked: number;
      readonly used: number;
      readonly limit: number;
    }
  /** GPUs are free, but a queue that does not use them does not lend them. */
  | {
      readonly code: "KEPT_BY_QUEUE";
      readonly queue: QueuePath;
      readonly asked: number;
      /** Of its guarantee, GPUs that it lends at most. */
      readonly lendingLimit: number;
      readonly guarantee: number;
    }
  /** Too few GPUs are free. */
  | {
      readonly code: "WAITING_FOR_GPUS";
      /** What it asks for; empty = any. `free` are those. */
      readonly gpuTypes: readonly string[];
      readonly asked: number;
      readonly free: number;
      readonly ahead: readonly JobId[];
      readonly aheadCount: number;
    }
  /** Enough GPUs are free in total, but not in the shape asked for. */
  | {
      readonly code: "FRAGMENTED";
      readonly gpuTypes: readonly string[];
      readonly nodesAsked: number;
      readonly gpusPerNode: number;
      readonly cpuMilliPerNode: number;
      readonly memoryMibPerNode: number;
      readonly free: number;
      readonly nodesFit: number;
    }
  /** It would fit, but the room is kept for a job that waited longer or whose victims are leaving. */
  | {
      readonly code: "RESERVED_FOR_OTHER";
      readonly holder: JobId;
      /** About when the holder is expected to start; null = nobody knows. */
      readonly untilMs: number | null;
      readonly asked: number;
      readonly free: number;
    }
  /** These jobs run on its room, and are about to end: sooner than they would be worth evicting. */
  | {
      readonly code: "WAITING_FOR_END";
      readonly jobs: readonly JobId[];
      readonly untilMs: number;
    }
  /** Its room is reserved; these jobs are saving and leaving. */
  | {
      readonly code: "WAITING_FOR_PREEMPTED";
      readonly victims: readonly JobId[];
      readonly deadlineMs: number;
    };

export type HoldCode = Hold["code"];

/**
 * Why each job that a plan leaves pending waits, worked out when it is asked for. The numbers are
 * those right after the plan; who is ahead are those of them that still wait.
 */
export interface Holds extends Iterable<readonly [JobId, Hold]> {
  /** How many jobs the plan left pending. */
  readonly size: number;
  /** Null when the job does not wait, or not since before the plan. */
  of(id: JobId): Hold | null;
  /**
   * Might a gang of the shape start on what the plan left free and kept for nobody, had it come in
   * place of the job? False = no; true is to be proven.
   */
  isRoomFor(shape: Shape, instead: JobId): boolean;
  /** Pending jobs of each queue by why, at the cost of a look at each kind of job. */
  counts(): ReadonlyMap<QueuePath, ReadonlyMap<HoldCode, number>>;
}

/** `4 GPUs`, `1.5 CPUs`, `64 GiB of memory`. */
export function amountText(kind: ResourceKind, amount: number): string {
  if (kind === "memoryMib") return `${memoryText(amount)} of memory`;
  const [count, noun] = kind === "gpus" ? [amount, "GPU"] : [amount / 1_000, "CPU"];
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
