// What may be asked of a simulation and what it answers: the words that the command line and the
// simulator share.

import type { WorkModel } from "./job-work.ts";
import type { Figures } from "./measures.ts";
import type { Guarantee } from "./queues.ts";
import type { TraceColumns } from "./trace-csv.ts";
import type { ClusterShape } from "./cluster.ts";

/** Where the jobs come from. */
export type WorkloadSource =
  | { readonly kind: "trace"; readonly path: string; readonly columns: TraceColumns }
  | {
      readonly kind: "synthetic";
      /** A preset, or the path of a workload file. */
      readonly name: string;
      readonly seed: number;
      /** How many jobs; null = as many as the description says. */
      readonly jobs: number | null;
    }
  | { readonly kind: "log"; readonly path: string };

/** The cluster to run on; what is null is as in the log, or a default. */
export interface ClusterWish {
  /** Path of a cluster file; null = nodes alike. */
  readonly path: string | null;
  readonly nodes: number | null;
  readonly gpusPerNode: number | null;
}

export interface SimulateRequest {
  readonly source: WorkloadSource;
  readonly cluster: ClusterWish;
  /** Names of presets, or absolute paths of policy files; each is run on the same workload. */
  readonly policies: readonly string[];
  readonly guarantee: Guarantee;
  /** A queues file of the live scheduler instead of one queue for each tenant; null = none. */
  readonly queuesPath: string | null;
  /** Leave out jobs larger than the cluster instead of refusing the workload. */
  readonly isOversizeSkipped: boolean;
  readonly work: WorkModel;
  readonly passIntervalMs: number;
  readonly untilMs: number | null;
  /** File to write the events to, one a line; null = none. Of one policy only. */
  readonly logPath: string | null;
  /** File to write the report to; null = none. */
  readonly htmlPath: string | null;
}

export interface SimulatedPolicy {
  /** As it was asked for. */
  readonly policy: string;
  readonly figures: Figures & {
    /** Real time that the simulation took. */
    readonly wallSeconds: number;
    /** sha256 over the logged events, one a line as JSON: the same input gives the same one. */
    readonly digest: string;
  };
}

export interface SimulateResult {
  readonly cluster: ClusterShape;
  /** Jobs of the source that were not simulated: too large, or without a known run time. */
  readonly leftOut: number;
  readonly policies: readonly SimulatedPolicy[];
}

/** Presets are plain words; what has a dot or a slash is a file. */
export const isPath = (name: string): boolean => /[/.]/.test(name);
