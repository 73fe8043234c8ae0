// What a simulation runs: jobs that arrive at known instants and need a known running time, which
// the scheduler is not told. Owns the rule that turns a GPU count into a gang.

import { queuePath } from "../../base/ids.ts";
import { type Identity, type JobSpec, SPEC_DEFAULTS } from "../../scheduler/core/job.ts";

/** What a job asked for beside its GPUs, where that is known; the scheduler's defaults for the rest. */
export type Asks = Partial<
  Pick<
    JobSpec,
    "name" | "priorityClass" | "perNode" | "gpuTypes" | "mixesGpuTypes" | "topology" | "spot"
  >
>;

/** Milliseconds count from the first submission of the trace. */
export interface TraceJob {
  readonly submitMs: number;
  /** Running time without any interruption; at least 1. */
  readonly durationMs: number;
  /** Nodes of the gang. */
  readonly nodes: number;
  readonly gpusPerNode: number;
  /** Leaf queue that the job goes to. */
  readonly tenant: string;
  readonly owner: Identity;
  /** What the submitter stated; null = nothing. */
  readonly timeLimitMs: number | null;
  readonly asks: Asks;
  /** Where it was written, for messages: `trace.csv:17`. */
  readonly origin: string;
}

export interface Workload {
  /** In order of submission. */
  readonly jobs: readonly TraceJob[];
  /** Names of the leaf queues, sorted. */
  readonly tenants: readonly string[];
}

export const gpusOfJob = (job: TraceJob): number => job.nodes * job.gpusPerNode;

/** The job as it is submitted. */
export function specOf(job: TraceJob, graceMs: number): JobSpec {
  return {
    name: "trace",
    queue: queuePath(job.tenant),
    priorityClass: "normal",
    nodes: job.nodes,
    nodesMin: job.nodes,
    perNode: { gpus: job.gpusPerNode, cpuMilli: 0, memoryMib: 0 },
    command: { kind: "exec", argv: ["true"] },
    env: {},
    bundle: null,
    setup: "",
    timeLimitMs: job.timeLimitMs,
    graceMs,
    stopSignal: "SIGTERM",
    restartsMax: 0,
    checkpoint: { keep: 1, patterns: [] },
    ...SPEC_DEFAULTS,
    ...job.asks,
  };
}

/**
 * A job of at most one node's GPUs is one task. A larger one becomes a gang of as few nodes as can
 * hold it, all with the same number of GPUs: 16 on nodes of 8 are 2 × 8, 12 are 2 × 6, 17 are 3 × 6
 * (one GPU more than asked, since the tasks of a gang are alike).
 */
export function gangOf(
  gpus: number,
  nodeGpus: number,
): { readonly nodes: number; readonly gpusPerNode: number } {
  const nodes = Math.max(1, Math.ceil(gpus / nodeGpus));
  return { nodes, gpusPerNode: Math.ceil(gpus / nodes) };
}

/** Sorts by submission, keeping the order of the trace among equals, and counts from the first. */
export function workloadOf(jobs: readonly TraceJob[]): Workload {
  const sorted = [...jobs].sort((a, b) => a.submitMs - b.submitMs);
  const firstMs = sorted[0]?.submitMs ?? 0;
  const tenants = [...new Set(jobs.map(({ tenant }) => tenant))].sort();
  return {
    jobs: sorted.map((job) => ({ ...job, submitMs: job.submitMs - firstMs })),
    tenants,
  };
}
