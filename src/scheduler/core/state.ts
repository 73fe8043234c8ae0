// The whole state of the cluster, as the fold of the event log. Only `apply` changes it; everything
// else sees the readonly face.

import type {
  AgentInstanceId,
  Digest,
  JobId,
  NodeId,
  QueuePath,
  RequestId,
} from "../../base/ids.ts";
import type { Resources } from "../../base/resources.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../base/time.ts";
import type { Job, JobArray, PreemptionKind, TaskPlacement } from "./job.ts";
import type { PendingIndex, PendingJobs } from "./pending.ts";
import type { RunTimes } from "./run-times.ts";

/**
 * `fifo` = by age. `las` = those with the least attained service first. `edf` = those first whose
 * deadline comes first, as long as it can be met; the others after them, by age. `shortest` = those
 * first that will hold the fewest GPU hours, by forecast or time limit, else as such jobs ran; of
 * whom nobody knows, last.
 */
export const QUEUE_ORDERS = ["fifo", "las", "edf", "shortest"] as const;
export type QueueOrder = (typeof QUEUE_ORDERS)[number];

/** What an operator sets. Whole numbers. */
export interface QueueSpec {
  readonly path: QueuePath;
  /** GPUs that are this queue's whenever it asks. */
  readonly guarantee: number;
  /** CPUs likewise; null = as many as go with its GPUs. */
  readonly guaranteeCpuMilli: number | null;
  readonly guaranteeMemoryMib: number | null;
  /** GPUs that it never goes over; null = the parent's. */
  readonly limit: number | null;
  readonly limitCpuMilli: number | null;
  readonly limitMemoryMib: number | null;
  /** GPUs above its guarantee that it may use of what others leave; null = any number. */
  readonly borrowingLimit: number | null;
  /** GPUs of its guarantee that others may use while it does not; null = all of them. */
  readonly lendingLimit: number | null;
  /** Its part of what nobody is guaranteed, against its siblings; 0 = only the guarantee and leftovers. */
  readonly weight: number;
  readonly order: QueueOrder;
  /** Of a queue at the top, for its whole tree: instead of the policy's; null = the policy's. */
  readonly usageHalfLifeMs: number | null;
}

/** See note-shares.ts. */
export interface NotedDue {
  /** Thousandths of a GPU, of what was given out in all. */
  readonly dueMilliGpus: number;
  readonly atMs: number;
}

export interface Queue {
  readonly spec: QueueSpec;
  /** Held by running attempts of this queue and all queues below it. */
  readonly allocated: Resources;
  /** GPUs that tasks of this queue itself hold, by `userKey`; absent = none. An index of `jobs`. */
  readonly heldByUser: ReadonlyMap<string, number>;
  /** GPU milliseconds, decayed up to `usageAtMs`; see `decayedUsage`. */
  readonly usageGpuMs: number;
  /** The same of CPUs, in core milliseconds; and of memory, in GiB milliseconds. */
  readonly usageCoreMs: number;
  readonly usageGibMs: number;
  readonly usageAtMs: number;
  /** What it was due when dues were noted last; null = nobody waited then, or none are noted. */
  readonly noted: NotedDue | null;
  /** What it was due less what it had, up to `usageAtMs`, bounded; see `chargedAccount`. */
  readonly accountGpuMs: number;
  /** Of jobs of this queue itself. */
  readonly counts: QueueCounts;
}

/** Counters that only grow, of one queue: they go with it. Of the cluster: see `Totals`. */
export interface QueueCounts {
  readonly submitted: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly placements: number;
  readonly preemptions: Readonly<Record<PreemptionKind, number>>;
}

export const NO_COUNTS: QueueCounts = {
  submitted: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  placements: 0,
  preemptions: {
    reclaim: 0,
    share: 0,
    priority: 0,
    las: 0,
    shortest: 0,
    drain: 0,
    shrink: 0,
    grow: 0,
  },
};

export interface Gpu {
  readonly index: number;
  /** NVIDIA's UUID, or `virtual-<index>`. */
  readonly uuid: string;
  /** Model, such as `NVIDIA H100 80GB HBM3`, or `virtual`. */
  readonly type: string;
  readonly memoryMib: number;
  /** GPUs of the node that NVLink joins bear one name; empty = not known. */
  readonly island: string;
}

export interface NodeSpec {
  readonly id: NodeId;
  /** Where other nodes reach this one: host name or IP address. */
  readonly address: string;
  readonly gpus: readonly Gpu[];
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly agentVersion: string;
}

export interface Allocation {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly rank: number;
  readonly gpus: readonly number[];
  readonly resources: Resources;
}

/** Something that keeps a node from taking new tasks until its agent says that it has passed. */
export interface NodeCondition {
  /** `disk_full`; an agent of another version may know more. */
  readonly kind: string;
  /** For people, with the numbers as they were when it began. */
  readonly message: string;
}

export interface Node {
  readonly spec: NodeSpec;
  readonly instance: AgentInstanceId;
  /** `lost` = its lease ran out; comes back when an agent registers. */
  readonly health: "up" | "lost";
  readonly schedulability: "open" | "cordoned" | "draining";
  /** Why it is cordoned or draining, for people; empty when open. */
  readonly note: string;
  /** When the node goes away, as its provider gave notice; null = not known to. */
  readonly goesAtMs: number | null;
  /** Digests of the code bundles that were placed here last, newest last. */
  readonly bundles: readonly Digest[];
  /** What the agent says is wrong; while there is any, no new tasks. What runs goes on. */
  readonly conditions: readonly NodeCondition[];
  /** What tasks hold, oldest first. */
  readonly allocations: readonly Allocation[];
  readonly registeredAtMs: number;
  readonly lostAtMs: number | null;
}

/** Capacity kept for a job while its victims leave: nobody else may take it. */
export interface Reservation {
  readonly jobId: JobId;
  readonly placement: readonly TaskPlacement[];
  readonly victims: readonly JobId[];
  readonly madeAtMs: number;
}

/** The reply to a request id, for those who ask twice. */
export interface RequestRecord {
  /** Hash of the call's kind and content: the same id for another call is refused. */
  readonly fingerprint: string;
  readonly jobId: JobId | null;
}

/** Counters that only grow; Prometheus counters come from here, so that a restart keeps them. */
export interface Totals extends QueueCounts {
  readonly nodeLosses: number;
  readonly usedGpuMs: number;
  readonly lostGpuMs: number;
  readonly checkpointsCommitted: number;
  /** Preemptions whose preemptor did not start on what was freed. Must stay 0. */
  readonly thrash: number;
}

export interface ClusterState {
  /** Sequence number of the last event applied; 0 = none. */
  readonly seq: number;
  /** Time of the last event applied. */
  readonly atMs: number;
  readonly jobNumberLast: number;
  readonly jobs: ReadonlyMap<JobId, Job>;
  /** Kept as long as one of their elements is. */
  readonly arrays: ReadonlyMap<JobId, JobArray>;
  /** By path; a parent always exists. The root is not in here. */
  readonly queues: ReadonlyMap<QueuePath, Queue>;
  readonly nodes: ReadonlyMap<NodeId, Node>;
  readonly reservations: ReadonlyMap<JobId, Reservation>;
  /** Insertion order = age. About `REQUESTS_KEPT`. */
  readonly requests: ReadonlyMap<RequestId, RequestRecord>;
  /** What operators tuned: in the log, so that a replay decides as it was decided. */
  readonly policy: Policy;
  /** The pending jobs, in groups as a planning pass wants them. An index of `jobs`. */
  readonly pending: PendingJobs;
  /** Jobs and arrays that wait for a job or an array, by that. An index of `waitsFor`. */
  readonly dependents: ReadonlyMap<JobId, ReadonlySet<JobId>>;
  /** Jobs that hold resources, in the order in which they were placed. An index of `jobs`. */
  readonly active: ReadonlyMap<JobId, Job>;
  /** Ended jobs, oldest first. An index; about `ENDED_JOBS_KEPT`, older ones are forgotten. */
  readonly ended: ReadonlySet<JobId>;
  /** How long jobs took, by what they have in common; the one that was added to last comes last. */
  readonly runTimes: ReadonlyMap<string, RunTimes>;
  readonly totals: Totals;
}

/** The owner's face of the state: only `apply` may hold one. */
export type MutableClusterState = {
  -readonly [K in keyof ClusterState]: Mutable<ClusterState[K]>;
};
type Mutable<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? Map<K, V extends ReadonlySet<infer I> ? Set<I> : V>
    : T extends ReadonlySet<infer I>
      ? Set<I>
      : T extends PendingJobs
        ? PendingIndex
        : T;

export const REQUESTS_KEPT = 100_000;
export const ENDED_JOBS_KEPT = 20_000;
/** How many code bundles a node is remembered to have. */
export const NODE_BUNDLES_KEPT = 8;

/**
 * Who may submit in a priority class: whoever matches one of the lists. `*` stands for any text, so
 * that `prod/*` is every queue below `prod`.
 */
export interface PriorityGrant {
  /** Queue paths. */
  readonly queues: readonly string[];
  readonly tenants: readonly string[];
  /** `user@tenant`. */
  readonly users: readonly string[];
}

/** What an owner may have at once; absent = as the entry `default` says, null = any number. */
export interface OwnerLimit {
  /** Jobs that wait, withheld ones too; a submission that would bring more is refused. */
  readonly queued?: number | null;
  /** Jobs that hold resources; further ones wait. */
  readonly running?: number | null;
  /** GPUs that they hold. */
  readonly gpus?: number | null;
}

/** By name; `default` is for everyone who is not named, each counted by itself. */
export interface OwnerLimits {
  readonly tenants: Readonly<Record<string, OwnerLimit>>;
  /** By `user@tenant`. */
  readonly users: Readonly<Record<string, OwnerLimit>>;
}

/** What an operator tunes. */
export interface Policy {
  /** Larger goes first inside a queue, and may preempt smaller there. */
  readonly priorityClasses: Readonly<Record<string, number>>;
  /** By class, who may use it; a class that is not in here is everyone's. */
  readonly priorityGrants: Readonly<Record<string, PriorityGrant>>;
  /** After this long, past use counts half; 0 = only what runs now counts. */
  readonly usageHalfLifeMs: number;
  /** A job larger than the cluster: `refuse` the submission, or `hold` it until nodes join. */
  readonly oversize: "refuse" | "hold";
  readonly isPreemptionEnabled: boolean;
  /**
   * GPU time at which a job of a `las` queue sinks by a level, ascending. Who is on a lower level
   * goes first, and may preempt those who are higher. None = nobody sinks.
   */
  readonly lasLevelsGpuMs: readonly number[];
  /** A job of a `las` queue that waits this long counts as if it had had no service. */
  readonly lasAgingMs: number;
  /**
   * Among those of a level beyond the first, does who should end for the fewest GPU hours, by how
   * long others of the queue ran, go first? Else who had less.
   */
  readonly isLasLearned: boolean;
  /** How often a job may be preempted before those who had less service leave it alone. */
  readonly lasPreemptionsMax: number;
  /** Nobody is preempted by those who had less service if that would lose more running time. */
  readonly lasLossMaxMs: number;
  /** Whether a job may start before one ahead of it in its queue that does not fit now. */
  readonly isBackfillEnabled: boolean;
  /** May a queue under its fair share take from those that are over theirs? */
  readonly isShareReclaimed: boolean;
  /** Over how long queues get their fair shares; 0 = at each moment. */
  readonly shareWindowMs: number;
  /**
   * A running attempt younger than this is no victim. Grows evenly to ten times that as its job is
   * preempted as often as `lasPreemptionsMax`.
   */
  readonly minRunMs: number;
  /** A victim that would lose more than this is spared while its preemptor still has patience. */
  readonly cheapLossMs: number;
  /** How long a job waits for victims that are cheap, and for a checkpoint that is near. */
  readonly preemptionPatienceMs: number;
  /** Added to a victim's lost work: what starting it again costs. */
  readonly restartCostMs: number;
  /**
   * Who of a class is asked to leave first: who loses the least work, or who was placed last. The
   * latter is there to be compared with.
   */
  readonly victimOrder: "least-lost" | "newest";
  /**
   * A running elastic job takes idle nodes this long after it began to run, at the earliest, and if
   * it gains more in that time than the change costs. 0 = it does not grow.
   */
  readonly growAfterMs: number;
  /** A gang that waited longer holds back smaller jobs behind it from its nodes. */
  readonly gangPatienceMs: number;
  /** How many blocked gangs may hold nodes back at once. */
  readonly claimsMax: number;
  /**
   * A gang that waited this long lets nobody behind it run on what it holds back, though they might
   * end in time.
   */
  readonly gangLatestStartMs: number;
  /** First wait after a job's own failure; doubles each time. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** Grace for tasks whose gang broke or was cancelled (no checkpoint is awaited). */
  readonly stopGraceMs: number;
  /** Jobs that may wait at once; more are refused. */
  readonly pendingJobsMax: number;
  /** What a tenant, or a user, may have waiting and running at once, over all queues. */
  readonly limits: OwnerLimits;
}

export const DEFAULT_POLICY: Policy = {
  priorityClasses: { low: 100, normal: 500, high: 900 },
  priorityGrants: {},
  usageHalfLifeMs: 7 * DAY_MS,
  oversize: "hold",
  isPreemptionEnabled: true,
  lasLevelsGpuMs: [8 * HOUR_MS],
  lasAgingMs: 30 * DAY_MS,
  isLasLearned: false,
  lasPreemptionsMax: 10,
  lasLossMaxMs: HOUR_MS,
  isBackfillEnabled: true,
  isShareReclaimed: true,
  shareWindowMs: 0,
  minRunMs: 0,
  cheapLossMs: 5 * MINUTE_MS,
  preemptionPatienceMs: 10 * MINUTE_MS,
  restartCostMs: 60_000,
  victimOrder: "least-lost",
  growAfterMs: 10 * MINUTE_MS,
  gangPatienceMs: 300_000,
  claimsMax: 8,
  gangLatestStartMs: DAY_MS,
  backoffBaseMs: 10_000,
  backoffMaxMs: 600_000,
  stopGraceMs: 10_000,
  pendingJobsMax: 200_000,
  limits: { tenants: {}, users: {} },
};
