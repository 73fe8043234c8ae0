// What the command line needs of other features. The composition root passes the real ones.

import type { AgentOptions } from "../config/agent-options.ts";
import type { SchedulerOptions } from "../config/scheduler-options.ts";
import type { UpOptions } from "../config/up-options.ts";
import type { ReplaySummary } from "../trace/core/replay.ts";
import type { SimulateRequest, SimulateResult } from "../trace/core/request.ts";
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

export interface CliPorts {
  simulate(request: SimulateRequest, signal: AbortSignal): Promise<SimulateResult>;
  /** Of the log in a data folder or a file. */
  replay(path: string): Promise<ReplaySummary>;
  packBundle(dir: string): Promise<PackedBundle>;
  /** Writes, reads back and deletes one small object. Throws when any of it fails. */
  probeObjectStore(url: string): Promise<void>;
  connect(options: ConnectOptions): Promise<Cluster>;
  /** Daemons: until the signal is aborted; resolve to the exit code. */
  runScheduler(options: SchedulerOptions, signal: AbortSignal): Promise<number>;
  runAgent(options: AgentOptions, signal: AbortSignal): Promise<number>;
  runUp(options: UpOptions, signal: AbortSignal): Promise<number>;
}
