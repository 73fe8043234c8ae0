// What the default policy may cost on workloads that are small enough for every change: figures of the
// simulator, never of the wall clock, so that the same code gives the same figures on every machine.
//
// A budget is what was measured when it was set, and a margin. The measured value is the source: the
// seed, the cluster and the cut of the workload are in the case, so anybody can measure it again. The
// margin is what a change that is not about the figure may move it by; a change that is meant to move it
// sets the new value, in the same commit, and says why. A figure that is better than its budget by more
// than the margin is to be written down too: the gate prints all of them.

import { HOUR_MS, MINUTE_MS } from "../../src/base/time.ts";
import { DEFAULT_POLICY, type Policy } from "../../src/scheduler/core/state.ts";
import type { WorkModel } from "../../src/trace/core/job-work.ts";
import type { Figures } from "../../src/trace/core/measures.ts";
import { alike, type ClusterShape, nodeOfGpus } from "../../src/trace/core/cluster.ts";

export type GatedFigure = keyof Pick<
  Figures,
  | "avgJctHours"
  | "p99JctHours"
  | "avgWaitHoursLarge"
  | "lostGpuHours"
  | "maxPreemptionsOfOneJob"
  | "finishTimeFairnessWorst"
  | "unfairJobsPercent"
  | "thrash"
>;

export interface Budget {
  /** When it was set, by the run that the case describes. */
  readonly measured: number;
  /** Part of `measured` by which it may be exceeded. */
  readonly margin: number;
}

export type Budgets = Readonly<Record<GatedFigure | "passes", Budget>>;

export type GateSource =
  | {
      readonly kind: "generated";
      /** Of src/trace/core/workload-presets.ts. */
      readonly preset: string;
      readonly perHour: number;
      readonly seed: number;
    }
  /** The first jobs of a public trace, where it lies in ../shared/traces. */
  | { readonly kind: "trace"; readonly file: string; readonly tenantColumn: string };

export interface GateCase {
  readonly name: string;
  readonly source: GateSource;
  readonly jobs: number;
  readonly cluster: ClusterShape;
  readonly budgets: Budgets;
  /**
   * Lost GPU hours of the default policy over those of `NEWEST_FIRST`. 0.5 is the issue's; where a
   * cluster is over its load most jobs use up their preemptions either way (scheduling.md: 0.62 on the
   * whole of that trace, by plain policies).
   */
  readonly lostRatioMax: number;
}

/** As the figures are defined: a checkpoint each 30 minutes, a restart costs one. */
export const WORK: WorkModel = {
  checkpointIntervalMs: 30 * MINUTE_MS,
  restartCostMs: MINUTE_MS,
  stopMs: 0,
  savesOnStop: false,
};

/**
 * No two runs differ, but each change of a tie moves some job: averages over a thousand jobs move by a
 * few percent, what a handful of jobs decides (gangs, the worst) by much more.
 */
const MEAN = 0.05;
const FEW = 0.25;
const WORST = 0.5;
const EXACT = 0;

function budgets(measured: Readonly<Record<keyof Budgets, number>>): Budgets {
  const of = (figure: keyof Budgets, margin: number): Budget => {
    return { measured: measured[figure], margin };
  };
  return {
    avgJctHours: of("avgJctHours", MEAN),
    p99JctHours: of("p99JctHours", FEW),
    avgWaitHoursLarge: of("avgWaitHoursLarge", FEW),
    lostGpuHours: of("lostGpuHours", FEW),
    maxPreemptionsOfOneJob: of("maxPreemptionsOfOneJob", EXACT),
    finishTimeFairnessWorst: of("finishTimeFairnessWorst", WORST),
    unfairJobsPercent: of("unfairJobsPercent", FEW),
    thrash: of("thrash", EXACT),
    passes: of("passes", FEW),
  };
}

export const CASES: readonly GateCase[] = [
  {
    name: "philly-like on 256 GPUs",
    source: { kind: "generated", preset: "philly-like", perHour: 31.5, seed: 7 },
    jobs: 2_500,
    cluster: alike(32, nodeOfGpus(8)),
    budgets: budgets({
      avgJctHours: 5.395,
      p99JctHours: 106.051,
      avgWaitHoursLarge: 0.202,
      lostGpuHours: 85.904,
      maxPreemptionsOfOneJob: 10,
      finishTimeFairnessWorst: 92.956,
      unfairJobsPercent: 2.64,
      thrash: 0,
      passes: 3039,
    }),
    lostRatioMax: 0.5,
  },
  {
    name: "itp-like on 192 GPUs",
    source: { kind: "generated", preset: "itp-like", perHour: 4, seed: 7 },
    jobs: 1_500,
    cluster: alike(24, nodeOfGpus(8)),
    budgets: budgets({
      avgJctHours: 6.184,
      p99JctHours: 80.788,
      avgWaitHoursLarge: 0.035,
      lostGpuHours: 170.388,
      maxPreemptionsOfOneJob: 10,
      finishTimeFairnessWorst: 1.795,
      unfairJobsPercent: 4.933,
      thrash: 0,
      passes: 2220,
    }),
    lostRatioMax: 0.5,
  },
  {
    name: "the first 3,000 jobs of ITP cluster04 on 576 GPUs",
    source: { kind: "trace", file: "itp_cluster04.csv", tenantColumn: "cluster" },
    jobs: 3_000,
    cluster: alike(72, nodeOfGpus(8)),
    budgets: budgets({
      avgJctHours: 7.178,
      p99JctHours: 121.714,
      avgWaitHoursLarge: 0.007,
      lostGpuHours: 285.514,
      maxPreemptionsOfOneJob: 10,
      finishTimeFairnessWorst: 1.672,
      unfairJobsPercent: 2.633,
      thrash: 0,
      passes: 6034,
    }),
    lostRatioMax: 0.5,
  },
  {
    name: "the first 1,500 jobs of three Philly teams on 128 GPUs",
    source: { kind: "trace", file: "philly_3teams_128gpu.csv", tenantColumn: "vc" },
    jobs: 1_500,
    cluster: alike(16, nodeOfGpus(8)),
    budgets: budgets({
      avgJctHours: 71.538,
      p99JctHours: 1081.426,
      avgWaitHoursLarge: 0.074,
      lostGpuHours: 333.144,
      maxPreemptionsOfOneJob: 10,
      finishTimeFairnessWorst: 23.032,
      unfairJobsPercent: 46.8,
      thrash: 0,
      passes: 4769,
    }),
    lostRatioMax: 0.75,
  },
];

/** Victims newest first, whatever they lose: nobody is spared for it. Otherwise the default policy. */
export const NEWEST_FIRST: Policy = {
  ...DEFAULT_POLICY,
  victimOrder: "newest",
  cheapLossMs: 1_000_000 * HOUR_MS,
  lasLossMaxMs: 1_000_000 * HOUR_MS,
};

/** Average JCT of the default policy over that of `NEWEST_FIRST`: not worse, up to the noise of ties. */
export const JCT_RATIO_MAX = 1 + MEAN;
