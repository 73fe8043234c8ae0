// What the command line needs of other features. The composition root passes the real ones.

import type { AgentOptions } from "../config/agent-options.ts";
import type { SchedulerOptions } from "../config/scheduler-options.ts";
import type { UpOptions } from "../config/up-options.ts";
import type { WorkModel } from "../trace/core/job-work.ts";
import type { Figures } from "../trace/core/measures.ts";
import type { Guarantee } from "../trace/core/queues.ts";
import type { TraceFormat } from "../trace/core/trace-csv.ts";
import type { ClusterShape } from "../trace/core/workload.ts";
import type { Cluster, ConnectOptions } from "./cluster.ts";

export interface PackedBundle {
  /** Where the tar.gz lies, in a folder of its own; the caller removes that. */
  readonly path: string;
  /** sha256 of the tar.gz, lower-case hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** Empty outside git. */
  readonly commit: string;
  readonly isDirty: boolean;
  /** Paths inside, relative to the folder, with `/`. */
  readonly files: readonly string[];
  /** Symbolic links that lead out of the folder; they do not travel. */
  readonly leftOut: readonly string[];
}

/** `Simulations` of src/trace, which these two mirror. */
export interface SimulationRequest {
  readonly tracePath: string;
  readonly format: TraceFormat;
  readonly cluster: ClusterShape;
  /** Names of presets, or absolute paths of policy files. */
  readonly policies: readonly string[];
  readonly guarantee: Guarantee;
  /** A queues file of the live scheduler instead of one queue for each tenant; null = none. */
  readonly queuesPath: string | null;
  readonly work: WorkModel;
  readonly passIntervalMs: number;
  /** Virtual time after which the simulation ends; null = with the last job. */
  readonly untilMs: number | null;
}

export interface SimulatedPolicy {
  /** As the user named it. */
  readonly policy: string;
  readonly figures: Figures & {
    readonly wallSeconds: number;
    /** sha256 over the logged events. */
    readonly digest: string;
  };
}

export interface SimulationResult {
  readonly policies: readonly SimulatedPolicy[];
  /** Jobs left out since the cluster is too small for them. */
  readonly skipped: number;
}

export interface CliPorts {
  simulate(request: SimulationRequest): Promise<SimulationResult>;
  packBundle(dir: string): Promise<PackedBundle>;
  /** Writes, reads back and deletes one small object. Throws when any of it fails. */
  probeObjectStore(url: string): Promise<void>;
  connect(options: ConnectOptions): Promise<Cluster>;
  /** Daemons: until the signal is aborted; resolve to the exit code. */
  runScheduler(options: SchedulerOptions, signal: AbortSignal): Promise<number>;
  runAgent(options: AgentOptions, signal: AbortSignal): Promise<number>;
  runUp(options: UpOptions, signal: AbortSignal): Promise<number>;
}
