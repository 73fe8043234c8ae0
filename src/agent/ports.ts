// What the agent needs of others, as it needs it. The composition root hands in the real ones.

import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { Digest, JobId } from "../base/ids.ts";
import type { AgentMessage } from "../rpc/gen/trainyard/v1/AgentMessage.ts";
import type { ChannelFrame, ChannelFrame__Output } from "../rpc/gen/trainyard/v1/ChannelFrame.ts";
import type { SchedulerMessage__Output } from "../rpc/gen/trainyard/v1/SchedulerMessage.ts";
import type { StoredPart } from "../scheduler/core/commands.ts";
import type { CheckpointRef } from "../scheduler/core/desired.ts";
import type { MetricPoint } from "./core/metrics-lines.ts";

/** The scheduler's `AgentService`, with credentials and deadlines as the caller wants them. */
export interface SchedulerPort {
  connect(): ClientDuplexStream<AgentMessage, SchedulerMessage__Output>;
  channel(): ClientDuplexStream<ChannelFrame, ChannelFrame__Output>;
}

/** Code bundles in the object store. */
export interface BundleStore {
  /**
   * Puts the bundle's files into `destDir`, which exists and is empty. Rejects with a RefusalError
   * (BUNDLE_NOT_FOUND, STORE_CORRUPT) or a Fault (STORE_UNAVAILABLE).
   */
  fetch(digest: Digest, destDir: string): Promise<void>;
}

export interface Checkpoints {
  /**
   * Puts a committed checkpoint's files into `destDir`, which exists and is empty, each compared
   * with its hash. Rejects with a RefusalError (STORE_CORRUPT, CHECKPOINT_NOT_FOUND) when it cannot
   * be had, with a Fault when it may be had later.
   */
  restore(
    resume: CheckpointRef,
    destDir: string,
    options: { readonly jobId: JobId; readonly rank: number; readonly signal: AbortSignal },
  ): Promise<void>;
}

export interface CheckpointWatchOptions {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly rank: number;
  /** The task's TRAINYARD_CHECKPOINT_DIR. */
  readonly dir: string;
  /** Empty = the known layouts. */
  readonly patterns: readonly string[];
  /** Every process of the task: while one writes to a file, the file is not complete. */
  readonly pidsOf: () => readonly number[];
  /** The newest committed checkpoint of the job, as the scheduler said last. */
  readonly dedupeAgainst: () => CheckpointRef | null;
  /** All of this task's files of one checkpoint are in the object store. */
  readonly onStored: (part: StoredPart) => void;
}

/** Finds checkpoints that are complete and uploads them. */
export interface CheckpointWatch {
  start(options: CheckpointWatchOptions): CheckpointWatching;
}

export interface CheckpointWatching {
  /**
   * The task's processes are gone: uploads what is complete and was not yet. Resolves when all of it
   * is stored and told, or after `timeoutMs`.
   */
  flush(timeoutMs: number): Promise<void>;
  /**
   * Uploads under way are broken off. `isOver`: for good, so that the store is told as well; else a
   * later watch goes on with them.
   */
  stop(what: { readonly isOver: boolean }): Promise<void>;
}

export interface MetricBatch {
  readonly runId: string;
  readonly attempt: number;
  /** `<job>/<attempt>/<rank>`; positions are byte offsets of its stdout.log. */
  readonly source: string;
  readonly fromPosition: number;
  readonly toPosition: number;
  readonly points: readonly MetricPoint[];
}

/** The tracker. Both reject with a Fault while it is away. */
export interface MetricSink {
  /** How far the source is stored. */
  position(source: string): Promise<number>;
  /** Resolves once the batch is durable; `error` is not empty when it was refused for good. */
  store(batch: MetricBatch): Promise<{ readonly position: number; readonly error: string }>;
}

/** Where the cluster keeps things. */
export interface ClusterInfo {
  /** `file:///path` or `s3://bucket/prefix?endpoint=…`. */
  readonly objectStore: string;
  /** `host:port`; empty = the scheduler's own address. */
  readonly trackerAddress: string;
}

/** Log lines of the agent; pino has this face. */
export interface AgentLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface AgentPorts {
  readonly scheduler: SchedulerPort;
  readonly bundles: BundleStore;
  readonly checkpoints: Checkpoints;
  readonly checkpointWatch: CheckpointWatch;
  readonly metrics: MetricSink;
  /**
   * Called with what the scheduler says of the cluster: at each welcome, and at the start with what
   * was known last, so that uploads go on while the scheduler is away.
   */
  readonly onCluster: (cluster: ClusterInfo) => void;
  /** The disk is full: gives up what can be had again. */
  readonly makeRoom: () => Promise<void>;
  readonly log: AgentLog;
  /** Uniform in [0, 1), for backoff. */
  readonly random: () => number;
  /** Fresh ids. */
  readonly newId: () => string;
}
